"""Small pages without Reflex: what went wrong in a sign-in, and one question."""

from __future__ import annotations

from html import escape
from typing import Final

from starlette.responses import HTMLResponse

_FRAME: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title} · BrandMind</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 16px;
  box-sizing: border-box; background: #f6f8f7; color: #14201c;
  font: 15px/1.5 "Instrument Sans", system-ui, sans-serif; }}
main {{ max-width: 440px; background: #fff; border: 1px solid #d9dfdc; border-radius: 6px;
  padding: 28px; }}
h1 {{ font-size: 19px; line-height: 1.15; margin: 0 0 12px; }}
p {{ margin: 0 0 20px; }}
a, button {{ display: inline-block; font: inherit; font-weight: 600; min-height: 44px;
  padding: 10px 16px; box-sizing: border-box; border: 0; border-radius: 4px; cursor: pointer;
  background: #0b5d4b; color: #fff; text-decoration: none; }}
a:hover, button:hover {{ background: #08483a; }}
:focus-visible {{ outline: 2px solid #285b9e; outline-offset: 2px; }}
@media (prefers-color-scheme: dark) {{
  body {{ background: #0f1513; color: #eaf0ed; }}
  main {{ background: #18211e; border-color: #2b3632; }}
  a, button {{ background: #56c9a8; color: #06251d; }}
  a:hover, button:hover {{ background: #6fd3b5; }}
}}
</style>
</head>
<body><main>
<h1>{title}</h1>
<p>{words}</p>
{action}
</main></body>
</html>
"""
_NEVER_KEPT: Final = {"Cache-Control": "no-store"}


def told(title: str, words: str, *, link: str, link_words: str, status: int) -> HTMLResponse:
    """A page that says one thing and offers one way on."""
    action = f'<a href="{escape(link)}">{escape(link_words)}</a>'
    return _page(title, words, action, status=status)


def asked(
    title: str, words: str, *, button: str, post_to: str, hidden: dict[str, str]
) -> HTMLResponse:
    """A page with one button, which posts the hidden fields."""
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in hidden.items()
    )
    action = (
        f'<form method="post" action="{escape(post_to)}">{fields}'
        f'<button type="submit">{escape(button)}</button></form>'
    )
    return _page(title, words, action, status=200)


def _page(title: str, words: str, action: str, *, status: int) -> HTMLResponse:
    html = _FRAME.format(title=escape(title), words=escape(words), action=action)
    return HTMLResponse(html, status_code=status, headers=_NEVER_KEPT)
