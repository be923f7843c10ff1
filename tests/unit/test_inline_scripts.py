"""Which inline scripts of the built pages may run: those that were built, as they were built."""

from __future__ import annotations

import os
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from brandmind.web.headers import SecurityHeaders
from brandmind.web.inline import InlineScripts, hashes_in
from tests.identity_world import open_world

# `echo -n "alert(1)" | openssl dgst -sha256 -binary | base64`
ALERT = "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"


def test_the_hash_is_over_the_text_between_the_tags() -> None:
    assert hashes_in(b"<p><script>alert(1)</script>") == [ALERT]
    assert hashes_in(b'<SCRIPT type="module" async="">alert(1)</SCRIPT >') == [ALERT]
    assert hashes_in(b"<script> alert(1)</script>") != [ALERT]
    assert hashes_in(b"<script>alert(1)</script><script>\n2\n</script>")[0] == ALERT
    assert len(hashes_in(b"<script>a</script><script>\n2\n</script>")) == 2


def test_a_script_from_a_file_needs_none() -> None:
    assert hashes_in(b'<script src="/theme.js"></script><script defer src="/a.js"></script>') == []
    assert hashes_in(b'<script data-src="/x">alert(1)</script>') == [ALERT]


def test_all_pages_of_the_folder_count_and_a_new_build_is_noticed(tmp_path: Path) -> None:
    inline = InlineScripts(tmp_path)
    assert inline.hashes() == ()
    (tmp_path / "index.html").write_text("<script>alert(1)</script>")
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders" / "index.html").write_text("<script>2</script><script>alert(1)</script>")
    assert len(inline.hashes()) == 2
    assert ALERT in inline.hashes()
    (tmp_path / "index.html").write_text("<script>3</script>")
    os.utime(tmp_path / "index.html", ns=(1, 1))
    (tmp_path / "orders" / "index.html").unlink()
    assert inline.hashes() == tuple(hashes_in(b"<script>3</script>"))


@pytest.mark.parametrize("built", [True, False])
async def test_only_pages_may_run_them_and_nothing_may_run_others(
    sqlite_url: str, tmp_path: Path, *, built: bool
) -> None:
    if built:
        (tmp_path / "index.html").write_text("<script>alert(1)</script>")

    async def page(_request: object) -> HTMLResponse:
        return HTMLResponse("<p>")

    async def text(_request: object) -> PlainTextResponse:
        return PlainTextResponse("")

    async def same(_request: object) -> Response:
        return Response(status_code=304)

    routes = [Route("/page", page), Route("/text", text), Route("/same", same)]
    app = SecurityHeaders(Starlette(routes=routes), InlineScripts(tmp_path))
    async with (
        open_world(sqlite_url) as world,
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url=world.rt.settings.public_url
        ) as browser,
    ):
        # A page that is asked for again has not changed; its scripts are to run all the same.
        for path in ("/page", "/text", "/same"):
            said = (await browser.get(path)).headers["content-security-policy"]
            parts = dict(part.partition(" ")[::2] for part in said.split("; "))
            runs = f"'self' {ALERT}" if built and path != "/text" else "'self'"
            assert parts["script-src"] == runs
            assert parts["default-src"] == "'self'"
            assert parts["object-src"] == "'none'"
            assert "eval" not in said
