"""A web process without Reflex, browsers that keep cookies, and Shopify's sign-in in memory."""

from __future__ import annotations

import hashlib
import hmac
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from brandmind import runtime, web
from brandmind.bus.hub import Hub
from brandmind.db import snapshot
from brandmind.db.cipher import Cipher
from brandmind.db.session import Database
from brandmind.runtime import Runtime
from brandmind.settings import Settings
from brandmind.sync.progress import StoreProgress

PUBLIC = "http://localhost:8000"
APP_ID = "app-id"
APP_SECRET = "app-secret-0123456789"
HARBOR = "harbor-and-pine.myshopify.com"
LEMON = "lemon-works.myshopify.com"


@dataclass
class Recorder:
    """Stands in for the queue and the stream; remembers what it was told."""

    rung: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)

    async def ring(self, run_id: str) -> bool:
        self.rung.append(run_id)
        return True

    async def close(self) -> None:
        return None

    async def progress(self, progress: StoreProgress) -> bool:
        return True

    async def session_ended(self, session_id: str) -> bool:
        self.ended.append(session_id)
        return True


@dataclass
class Somebody:
    """A member of a shop's staff, as Shopify describes them."""

    user_id: int
    name: str = "Alice Harbor"
    owner: bool = False
    scopes: str = "read_products,read_orders,read_customers"


@dataclass
class ShopifyInMemory:
    """Token endpoint and shop query; the consent page is played by `consent` and `agree`."""

    codes: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    answers: list[httpx.Response | Exception] = field(default_factory=list)
    refused: bool = False
    made: int = 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.answers:
            planned = self.answers.pop(0)
            if isinstance(planned, Exception):
                raise planned
            return planned
        if request.url.path.endswith("/graphql.json"):
            return self._shop(request)
        form = {k: v[0] for k, v in parse_qs(request.content.decode()).items()}
        self.asked.append(form)
        return self._grant(form)

    def offline(self) -> dict[str, Any]:
        self.made += 1
        return {
            "access_token": f"shpat_access{self.made}",
            "expires_in": 3600,
            "refresh_token": f"shprt_refresh{self.made}",
            "refresh_token_expires_in": 7776000,
            "scope": "read_products,read_orders,read_customers",
        }

    def code_for(self, person: Somebody | None) -> str:
        """A code for an offline grant, or for the online grant of this person."""
        code = f"code{len(self.codes)}0123456789"
        if person is None:
            told = self.offline()
        else:
            first, _, last = person.name.partition(" ")
            told = {
                "access_token": "shpat_online",
                "expires_in": 86399,
                "scope": "read_products,read_orders,read_customers",
                "associated_user_scope": person.scopes,
                "associated_user": {
                    "id": person.user_id,
                    "first_name": first,
                    "last_name": last,
                    "email": "somebody@example.com",
                    "email_verified": True,
                    "account_owner": person.owner,
                    "locale": "en",
                    "collaborator": False,
                },
            }
        self.codes[code] = told
        return code

    def _grant(self, form: dict[str, str]) -> httpx.Response:
        kind = form["grant_type"]
        if kind == "authorization_code":
            told = self.codes.pop(form["code"], None)
            if told is None:
                return httpx.Response(400, json={"error": "invalid_request"})
            return httpx.Response(200, json=told)
        if self.refused:
            return httpx.Response(401, json={"error": "invalid_request"})
        told = self.offline()
        if kind == "client_credentials":
            told = {k: told[k] for k in ("access_token", "scope")} | {"expires_in": 86399}
        return httpx.Response(200, json=told)

    def _shop(self, request: httpx.Request) -> httpx.Response:
        domain = request.url.path.split("/")[1]
        number = int(hashlib.sha256(domain.encode()).hexdigest()[:6], 16)
        scopes = "read_products read_orders read_customers".split()
        data = {
            "shop": {
                "id": f"gid://shopify/Shop/{number}",
                "name": domain.split(".")[0],
                "myshopifyDomain": domain,
                "currencyCode": "USD",
                "ianaTimezone": "America/New_York",
                "plan": {"publicDisplayName": "Basic"},
                "shopAddress": {"countryCodeV2": "US"},
                "createdAt": "2020-01-01T00:00:00Z",
                "taxesIncluded": False,
            },
            "currentAppInstallation": {"accessScopes": [{"handle": s} for s in scopes]},
        }
        cost = {
            "requestedQueryCost": 1,
            "actualQueryCost": 1,
            "throttleStatus": {
                "maximumAvailable": 2000.0,
                "currentlyAvailable": 1999,
                "restoreRate": 100.0,
            },
        }
        return httpx.Response(
            200,
            json={"data": data, "extensions": {"cost": cost}},
            headers={"Date": formatdate(usegmt=True)},
        )


def signed(params: dict[str, str], *, secret: str = APP_SECRET) -> str:
    """A query string as Shopify signs it."""
    message = "&".join(f"{k}={v}" for k, v in sorted(params.items()))
    digest = hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()
    return urlencode({**params, "hmac": digest})


@dataclass
class World:
    """Everything a test of signing in needs."""

    rt: Runtime
    shopify: ShopifyInMemory
    bell: Recorder
    app: ASGIApp
    database_file: Path | None

    def browser(self, *, base: str | None = None) -> httpx.AsyncClient:
        """A browser of its own; it keeps cookies and follows no redirect by itself."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.app),
            base_url=base or self.rt.settings.public_url,
        )

    async def leave(self, browser: httpx.AsyncClient, shop: str, **more: str) -> dict[str, str]:
        """Press Connect; what Shopify's authorize page is asked for."""
        answer = await browser.get("/auth/connect", params={"shop": shop, **more})
        assert answer.status_code == 302, answer.text
        return authorize_query(answer)

    def callback(self, asked: dict[str, str], shop: str, /, **changed: str) -> dict[str, str]:
        """The parameters with which Shopify sends the browser back."""
        params = {
            "shop": shop,
            "state": asked["state"],
            "timestamp": str(int(time.time())),
            "host": "YWRtaW4",
            **changed,
        }
        return {name: value for name, value in params.items() if value}

    async def install(self, browser: httpx.AsyncClient, shop: str = HARBOR) -> httpx.Response:
        """The install leg up to the answer of its callback."""
        asked = await self.leave(browser, shop)
        assert "grant_options[]" not in asked
        code = self.shopify.code_for(None)
        return await browser.get("/auth/callback?" + signed(self.callback(asked, shop, code=code)))

    async def sign_in(
        self, browser: httpx.AsyncClient, person: Somebody, shop: str = HARBOR
    ) -> httpx.Response:
        """The person leg of an installed store up to the answer of its callback."""
        asked = await self.leave(browser, shop)
        assert asked["grant_options[]"] == "per-user"
        return await self.finish(browser, asked, person, shop)

    async def finish(
        self, browser: httpx.AsyncClient, asked: dict[str, str], person: Somebody, shop: str
    ) -> httpx.Response:
        """Shopify knows the person and sends the browser back."""
        code = self.shopify.code_for(person)
        return await browser.get("/auth/callback?" + signed(self.callback(asked, shop, code=code)))

    async def connect(
        self, browser: httpx.AsyncClient, person: Somebody, shop: str = HARBOR
    ) -> str:
        """Both legs; the store's id."""
        answer = await self.install(browser, shop)
        assert answer.status_code == 302, answer.text
        answer = await self.finish(browser, authorize_query(answer), person, shop)
        assert answer.status_code == 302, answer.text
        return await self.store_id(shop)

    async def store_id(self, shop: str = HARBOR) -> str:
        rows = await self.sql("SELECT store_id FROM store WHERE domain = :shop", shop=shop)
        return str(rows[0][0])

    async def sql(self, statement: str, **parameters: Any) -> list[Any]:
        """Rows of a statement, or nothing after a change."""
        from sqlmodel import Session, text

        def run(session: Session) -> list[Any]:
            result = session.execute(text(statement), parameters)
            return list(result.all()) if result.returns_rows else []

        return await self.rt.db.write(run)


def authorize_query(answer: httpx.Response) -> dict[str, str]:
    """The parameters of a redirect to Shopify's authorize page."""
    parts = urlsplit(answer.headers["location"])
    assert parts.path.endswith("/admin/oauth/authorize"), parts.path
    return {name: values[0] for name, values in parse_qs(parts.query).items()}


@asynccontextmanager
async def open_world(
    database_url: str, *, origin: str = "http://shopify.test/{shop}", **settings: Any
) -> AsyncIterator[World]:
    """The world on a migrated database, closed again at the end."""
    shopify = ShopifyInMemory()
    bell = Recorder()
    given: dict[str, Any] = {
        "shopify_client_id": APP_ID,
        "shopify_client_secret": APP_SECRET,
        "public_url": PUBLIC,
        **settings,
    }
    told = Settings.load(
        database_url=database_url,
        data_dir=tempfile.gettempdir(),
        shopify_origin=origin,
        encryption_keys=[("k1", b"0123456789abcdef0123456789abcdef")],
        **given,
    )
    network = None if origin.startswith("http://127.") else httpx.MockTransport(shopify)
    db = Database(database_url)

    async def newest(store_id: str) -> StoreProgress:
        return await db.read(snapshot.progress, store_id)

    async with httpx.AsyncClient(transport=network, trust_env=False) as http:
        rt = Runtime(
            settings=told,
            db=db,
            http=http,
            cipher=Cipher(told.encryption_keys),
            jobs=bell,
            signals=bell,
            hub=Hub(None, newest),
        )
        runtime.set_current(rt)
        file = Path(database_url.removeprefix("sqlite:///")) if rt.db.is_sqlite else None
        try:
            yield World(rt, shopify, bell, _application(), file)
        finally:
            runtime.set_current(None)
            db.close()


async def _page(_request: Request) -> Response:
    return PlainTextResponse("a page of the screens")


def _application() -> ASGIApp:
    app: ASGIApp = Starlette(routes=[Route("/{path:path}", _page)])
    for transformer in web.transformers():
        if isinstance(transformer, Starlette):
            transformer.mount("", app)
            app = transformer
        else:
            app = transformer(app)
    return app
