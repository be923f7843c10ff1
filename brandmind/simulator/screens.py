"""The few HTML pages of the local Shopify: consent, log-in, index and an admin to link to."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

_STYLE = """
:root { color-scheme: light; font: 16px/1.5 system-ui, sans-serif; color: #1f2328 }
body { margin: 0; background: #eef0f2; display: grid; min-height: 100vh; place-items: center }
main { background: #fff; border-radius: 12px; box-shadow: 0 1px 3px #0003; max-width: 30rem;
  width: calc(100% - 2rem); padding: 2rem; box-sizing: border-box }
.mark { font-size: .8rem; font-weight: 600; color: #5a6470; border: 1px dashed #9aa4ae;
  border-radius: 99px; padding: .15rem .7rem; display: inline-block }
h1 { font-size: 1.35rem; line-height: 1.25; margin: 1rem 0 .5rem }
ul { padding-left: 1.2rem } li { margin: .25rem 0 }
form { display: flex; gap: .75rem; justify-content: flex-end; margin-top: 1.5rem }
button { font: inherit; font-weight: 600; border-radius: 8px; padding: .55rem 1.1rem;
  border: 1px solid #b6bec6; background: #fff; cursor: pointer }
button#install, button#login { background: #1d6b4f; border-color: #1d6b4f; color: #fff }
button:focus-visible { outline: 3px solid #1d6b4f; outline-offset: 2px }
small { color: #5a6470 }
"""

_SAYS = {
    "read_products": "View products and variants",
    "read_orders": "View orders of the last 60 days",
    "read_all_orders": "View all orders, however old",
    "read_customers": "View customers",
    "read_inventory": "View inventory",
    "read_customer_merge": "View merges of customers",
}


def page(title: str, body: str) -> str:
    """A whole page around a body of HTML."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} · Local Shopify</title><style>{_STYLE}</style></head>"
        f'<body><main><span class="mark">Local Shopify</span>{body}</main></body></html>'
    )


def consent(*, shop: str, brand: str, app: str, scopes: Iterable[str], query: str) -> str:
    """Asks whether the app may be installed; the form keeps the request's own query."""
    asked = "".join(
        f"<li>{escape(_SAYS.get(scope, scope))} <small>{escape(scope)}</small></li>"
        for scope in scopes
    )
    return page(
        f"Install on {brand}",
        f"<h1>Install “{escape(app)}” on {escape(brand)}?</h1><p>{escape(shop)}</p>"
        f"<p>The app will be able to:</p><ul>{asked}</ul>"
        f'<form method="post" action="?{escape(query)}">'
        '<button id="cancel" name="decision" value="cancel">Cancel</button>'
        '<button id="install" name="decision" value="install">Install app</button></form>',
    )


def login(*, shop: str, brand: str, people: Iterable[tuple[str, str]], query: str) -> str:
    """Asks who is there; each person is a button."""
    buttons = "".join(
        f'<button id="login-{escape(key)}" name="user" value="{escape(key)}">{escape(who)}</button>'
        for key, who in people
    )
    return page(
        f"Log in to {brand}",
        f"<h1>Log in to {escape(brand)}</h1><p>{escape(shop)}</p>"
        f'<form method="post" action="?{escape(query)}" style="flex-direction:column">{buttons}'
        '<button id="cancel" name="decision" value="cancel">Cancel</button></form>',
    )


def problem(title: str, sentence: str) -> str:
    """Says what is wrong with a request."""
    return page(title, f"<h1>{escape(title)}</h1><p>{escape(sentence)}</p>")


def index(shops: Iterable[str]) -> str:
    """The front page with shops to try."""
    links = "".join(
        f'<li><a href="/{escape(name)}/admin">{escape(name)}</a></li>' for name in shops
    )
    return page(
        "Shops",
        "<h1>Shops to try</h1><p>Each name makes its own shop, always the same one.</p>"
        f"<ul>{links}</ul><p><small>Any other <code>name.myshopify.com</code> works too."
        "</small></p>",
    )


def admin(*, shop: str, brand: str, installed: Iterable[str]) -> str:
    """A shop's front door, so that links to its admin lead somewhere."""
    apps = ", ".join(map(escape, installed)) or "none"
    return page(
        brand,
        f"<h1>{escape(brand)}</h1><p>{escape(shop)}</p><p>Installed apps: {apps}</p>"
        f'<p><small><a href="/__truth/{escape(shop)}">What the numbers are</a> · '
        f'<a href="/__log/{escape(shop)}">Who asked what</a></small></p>',
    )
