"""Routes that Shopify does not have: tokens, troubles, changes, truth and the log."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable
from datetime import date
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from brandmind.simulator.app_news import PRIVACY
from brandmind.simulator.changes import EDITS
from brandmind.simulator.churn import NotLikeThat, read_churn
from brandmind.simulator.faults import UnknownFault, read_fault
from brandmind.simulator.roots import READ_SCOPES
from brandmind.simulator.staff import USERS
from brandmind.simulator.truth import keep_books, truth
from brandmind.simulator.world import Shop, World

DEFAULT_SCOPES = READ_SCOPES | {"read_all_orders"}


class Wrong(Exception):
    """A control call that makes no sense: HTTP 400 and a sentence."""


class Control:
    """Handlers of `/__control`, `/__truth` and `/__log`."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """What to mount."""
        one = "/__control/{shop}"
        return [
            Route(f"{one}/token", self.token, methods=["POST"]),
            Route(f"{one}/faults", self.faults, methods=["GET", "POST", "DELETE"]),
            Route(f"{one}/gate", self.gate, methods=["GET", "POST", "DELETE"]),
            Route(f"{one}/config", self.configure, methods=["GET", "POST"]),
            Route(f"{one}/staff", self.staff, methods=["GET", "POST"]),
            Route(f"{one}/uninstall", self.uninstall, methods=["POST"]),
            Route(f"{one}/drain", self.drain, methods=["POST"]),
            Route(f"{one}/orders", self.add_orders, methods=["POST"]),
            Route(f"{one}/touch", self.touch, methods=["POST"]),
            Route(f"{one}/edit", self.edit, methods=["POST"]),
            Route(f"{one}/merge", self.merge, methods=["POST"]),
            Route(f"{one}/create", self.create, methods=["POST"]),
            Route(f"{one}/scopes", self.scopes, methods=["GET", "POST"]),
            Route(f"{one}/churn", self.churn, methods=["GET", "POST", "DELETE"]),
            Route(f"{one}/webhooks", self.webhooks, methods=["GET", "POST", "DELETE"]),
            Route(f"{one}/privacy", self.privacy, methods=["POST"]),
            Route(f"{one}/delete", self.delete, methods=["POST"]),
            Route("/__truth/{shop}", self.truth),
            Route("/__truth/{shop}/ids", self.ids),
            Route("/__log/{shop}", self.log, methods=["GET", "DELETE"]),
        ]

    async def token(self, request: Request) -> JSONResponse:
        """Mints an Admin token: {"scopes": [...], "expires_in": seconds or null}."""
        shop, sent = self._one(request), await _body(request)
        scopes = frozenset(sent.get("scopes") or DEFAULT_SCOPES)
        life = sent.get("expires_in")
        token = self._world.tokens.mint(shop.name, scopes, kind="admin", life_s=life)
        answer: dict[str, Any] = {"access_token": token.text, "scope": ",".join(sorted(scopes))}
        if life is not None:
            answer["expires_in"] = life
        return JSONResponse(answer)

    async def faults(self, request: Request) -> JSONResponse:
        """GET lists, POST adds one, DELETE takes back all or ?kind=."""
        shops = self._many(request)
        if request.method == "POST":
            sent = await _body(request)
            for shop in shops:
                try:
                    shop.faults.add(read_fault(sent))
                except UnknownFault as error:
                    raise Wrong(str(error)) from error
        elif request.method == "DELETE":
            for shop in shops:
                shop.faults.clear(request.query_params.get("kind"))
        return JSONResponse({shop.name: shop.faults.shown() for shop in shops})

    async def gate(self, request: Request) -> JSONResponse:
        """POST {"after_requests": n} holds API answers after n more; DELETE lets them go."""
        shop = self._one(request)
        if request.method == "POST":
            shop.gate.close_after(int((await _body(request)).get("after_requests", 0)))
        elif request.method == "DELETE":
            shop.gate.open()
        return JSONResponse({"waiting": shop.gate.waiting})

    async def configure(self, request: Request) -> JSONResponse:
        """POST changes the shop's make-up; other sizes, currency or seed make its data anew."""
        shop = self._one(request)
        if request.method == "POST":
            sent = await _body(request)
            if (life := sent.pop("token_life_s", None)) is not None:
                shop.token_life_s = float(life)
            try:
                shop.configure(shop.config.changed(**sent))
            except (TypeError, ValueError) as error:
                raise Wrong(str(error)) from error
        config = shop.config
        plant = config.plant and config.plant._asdict()
        return JSONResponse(
            {name: getattr(config, name) for name in config.__slots__} | {"plant": plant}
        )

    async def staff(self, request: Request) -> JSONResponse:
        """POST {"user": "owner" | "staff" | "limited" | "none"}: who is logged in at the shop."""
        shop = self._one(request)
        if request.method == "POST":
            user = str((await _body(request)).get("user", "owner"))
            if user not in USERS:
                raise Wrong(f"user is one of {', '.join(USERS)}.")
            shop.staff = user
        return JSONResponse({"user": shop.staff})

    async def uninstall(self, request: Request) -> JSONResponse:
        """Ends the installation: all tokens are refused from now on."""
        shop = self._one(request)
        self._world.tokens.revoke(shop.name)
        shop.installed.clear()
        shop.app.uninstalled(shop.brand)
        return JSONResponse({"uninstalled": shop.name})

    async def drain(self, request: Request) -> JSONResponse:
        """Empties the shop's buckets."""
        shop = self._one(request)
        shop.drain()
        return JSONResponse({"drained": shop.name})

    async def add_orders(self, request: Request) -> JSONResponse:
        """POST {"count": n}: orders placed now, by customers there are."""
        shop, sent = self._one(request), await _body(request)
        at = int(sent.get("at") or time.time())
        made = [shop.changes.order(at) for _ in range(int(sent.get("count", 1)))]
        shop.brand.changed()
        return JSONResponse({"ids": made})

    async def create(self, request: Request) -> JSONResponse:
        """POST {"products": n, "customers": n}: made now, without any order."""
        shop, sent = self._one(request), await _body(request)
        at = int(sent.get("at") or time.time())
        made = [shop.changes.product(at) for _ in range(int(sent.get("products", 0)))]
        made += [shop.changes.customer(at) for _ in range(int(sent.get("customers", 0)))]
        shop.brand.changed()
        return JSONResponse({"ids": made})

    async def edit(self, request: Request) -> JSONResponse:
        """POST {"ids": [gid, …], "how": "add"}: orders edited, refunded or cancelled now."""
        shop, sent = self._one(request), await _body(request)
        how = str(sent.get("how", "add"))
        if how not in EDITS:
            raise Wrong(f"how is one of {', '.join(EDITS)}.")
        at = int(sent.get("at") or time.time())
        done = [text for text in sent.get("ids", ()) if shop.changes.edit(text, at, how=how)]
        shop.brand.changed()
        return JSONResponse({"ids": done, "updated_at": at})

    async def merge(self, request: Request) -> JSONResponse:
        """POST {"keep": gid, "gone": gid}: one customer takes the orders of the other."""
        shop, sent = self._one(request), await _body(request)
        at = int(sent.get("at") or time.time())
        if not shop.changes.merge(str(sent.get("keep")), str(sent.get("gone")), at):
            raise Wrong("keep and gone are two customers of this shop.")
        shop.brand.changed()
        return JSONResponse({"updated_at": at})

    async def scopes(self, request: Request) -> JSONResponse:
        """POST {"scopes": […]}, or {"add": […], "remove": […]}: what all tokens may do from now."""
        shop, tokens = self._one(request), self._world.tokens
        granted = tokens.granted(shop.name)
        if request.method == "POST":
            sent = await _body(request)
            granted = frozenset(sent.get("scopes", granted)) | frozenset(sent.get("add", ()))
            granted -= frozenset(sent.get("remove", ()))
            before = tokens.granted(shop.name)
            tokens.rescope(shop.name, granted)
            if before != granted:
                shop.app.scopes(shop.brand, before, granted)
            for client in shop.installed:
                shop.installed[client] = granted
        return JSONResponse({"scopes": sorted(granted)})

    async def churn(self, request: Request) -> JSONResponse:
        """POST {"seed": n, "update": 0.5, …} starts it, GET tells what it did, DELETE ends it."""
        shop = self._one(request)
        if request.method == "POST":
            try:
                shop.churn = read_churn(await _body(request))
            except NotLikeThat as error:
                raise Wrong(str(error)) from error
        found = shop.churn
        if request.method == "DELETE":
            shop.churn = None
        return JSONResponse(None if found is None else found.shown())

    async def touch(self, request: Request) -> JSONResponse:
        """POST {"ids": [gid, …]}: they were edited now."""
        shop, sent = self._one(request), await _body(request)
        at = int(sent.get("at") or time.time())
        for text in sent.get("ids", ()):
            if not shop.changes.touch(text, at):
                raise Wrong(f"{text} is not here.")
        shop.brand.changed()
        return JSONResponse({"updated_at": at})

    async def delete(self, request: Request) -> JSONResponse:
        """POST {"ids": [gid, …]}: orders, products or customers that are gone."""
        shop, sent = self._one(request), await _body(request)
        for text in sent.get("ids", ()):
            if not shop.changes.remove(text):
                raise Wrong(f"{text} is not here.")
        shop.brand.changed()
        return JSONResponse({"deleted": len(sent.get("ids", ()))})

    async def webhooks(self, request: Request) -> JSONResponse:
        """Subscriptions and deliveries; POST {"scale": 0.001, "privacy_uri": …}, DELETE the log."""
        shop = self._one(request)
        if request.method == "POST":
            sent = await _body(request)
            shop.post.scale = float(sent.get("scale", shop.post.scale))
            shop.app.privacy_uri = sent.get("privacy_uri", shop.app.privacy_uri)
        elif request.method == "DELETE":
            shop.post.log.clear()
        return JSONResponse(
            {
                "subscriptions": [one.node() for one in shop.post.subscriptions.held.values()],
                "deliveries": list(shop.post.log),
                "waiting": shop.post.waiting,
                "scale": shop.post.scale,
                "privacy_uri": shop.app.address(),
            }
        )

    async def privacy(self, request: Request) -> JSONResponse:
        """POST {"topic": "customers/redact", "customer": gid, "orders": [gid, …]}: sent now."""
        shop, sent = self._one(request), await _body(request)
        topic = str(sent.get("topic"))
        if topic not in PRIVACY:
            raise Wrong(f"topic is one of {', '.join(PRIVACY)}.")
        customer, orders = sent.get("customer"), list(sent.get("orders", ()))
        try:
            sent_as = shop.app.privacy(shop.brand, topic, customer, orders)
        except LookupError as error:
            raise Wrong(f"{error}.") from error
        return JSONResponse({"webhook_id": sent_as})

    async def truth(self, request: Request) -> JSONResponse:
        """Counts and money for ?from=&to= (days in the shop's zone, inclusive)."""
        shop = self._one(request)
        brand = shop.brand
        if shop.truth is None or shop.truth[0] != brand.serial:
            shop.truth = (brand.serial, await asyncio.to_thread(keep_books, brand))
        days = [request.query_params.get(name) for name in ("from", "to")]
        try:
            first, last = (date.fromisoformat(day) if day else None for day in days)
        except ValueError as error:
            raise Wrong("from and to are days like 2026-11-23.") from error
        return JSONResponse(truth(brand, shop.truth[1], first, last))

    async def ids(self, request: Request) -> JSONResponse:
        """All numeric ids of ?resource=orders|products|customers."""
        shop = self._one(request)
        resource = shop.listing.resources.get(request.query_params.get("resource", "orders"))
        if resource is None:
            raise Wrong("resource is orders, products or customers.")
        return JSONResponse({"ids": [resource.shopify_id(row) for row in resource.rows()]})

    async def log(self, request: Request) -> JSONResponse:
        """The API calls of late; DELETE forgets them."""
        shop = self._one(request)
        if request.method == "DELETE":
            shop.log.clear()
        return JSONResponse({"requests": list(shop.log)})

    def _one(self, request: Request) -> Shop:
        shop = self._world.shop(request.path_params["shop"])
        if shop is None:
            raise Wrong("A shop is called like harbor-and-pine.myshopify.com.")
        return shop

    def _many(self, request: Request) -> Iterable[Shop]:
        if request.path_params["shop"] == "*":
            return self._world.shops()
        return [self._one(request)]


async def _body(request: Request) -> dict[str, Any]:
    raw = await request.body()
    if not raw:
        return {}
    try:
        sent = json.loads(raw)
    except ValueError as error:
        raise Wrong("The body is not JSON.") from error
    if not isinstance(sent, dict):
        raise Wrong("The body is not a JSON object.")
    return sent
