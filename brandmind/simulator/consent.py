"""The authorization-code grant: consent, codes, tokens, refreshes and the other grants."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from brandmind.simulator import screens, staff
from brandmind.simulator.control import DEFAULT_SCOPES
from brandmind.simulator.cut import LostResponse
from brandmind.simulator.tokens import CLIENT_S, ONLINE_S, Refused
from brandmind.simulator.words import brand_name
from brandmind.simulator.world import Shop, World

LOOPBACK = ("localhost", "127.0.0.1", "::1")
APP_NAME = "BrandMind"


def signature(secret: str, parameters: Mapping[str, str]) -> str:
    """The callback's hmac: sorted `k=v` joined by `&`, SHA-256 in hex, `hmac` itself left out."""
    message = "&".join(f"{key}={parameters[key]}" for key in sorted(parameters) if key != "hmac")
    return hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()


class Consent:
    """`/{shop}/admin/oauth/authorize` and `…/access_token`."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def authorize(self, request: Request) -> Response:
        """Shows the consent page, takes its answer, or answers at once for a known person."""
        shop = self._world.shop(request.path_params["shop"])
        asked = request.query_params
        if shop is None or shop.faults.strike("404"):
            return HTMLResponse(screens.problem("Not found", "There is no such shop."), 404)
        if asked.get("client_id") != self._world.config.client_id:
            sentence = "The app could not be found: its client id is unknown."
            return HTMLResponse(screens.problem("Oauth error invalid_request", sentence), 400)
        target = asked.get("redirect_uri", "")
        if not _allowed(target):
            sentence = "The redirect_uri is not whitelisted: only loopback addresses are."
            return HTMLResponse(screens.problem("Oauth error invalid_request", sentence), 400)
        scopes = _scopes(asked.get("scope", ""))
        per_user = "per-user" in asked.getlist("grant_options[]")
        sent = dict(parse_qsl((await request.body()).decode())) if request.method == "POST" else {}
        if sent.get("user") in staff.USERS:
            shop.staff = sent["user"]
        if sent.get("decision") == "cancel":
            return self._back(shop, request, error="access_denied")
        if shop.staff == "none":
            people = [(key, staff.greeting(shop.name, key)) for key in staff.USERS if key != "none"]
            return HTMLResponse(
                screens.login(
                    shop=shop.name,
                    brand=brand_name(shop.name),
                    people=people,
                    query=request.url.query,
                )
            )
        granted = shop.installed.get(self._world.config.client_id)
        known = granted is not None and (per_user or scopes <= granted)
        if sent.get("decision") == "install" and granted is None:
            granted = scopes
        if sent.get("decision") == "install" or known:
            granted = (granted or frozenset()) | scopes
            shop.installed[self._world.config.client_id] = granted
            return self._with_code(shop, request, scopes, per_user=per_user)
        return HTMLResponse(
            screens.consent(
                shop=shop.name,
                brand=brand_name(shop.name),
                app=APP_NAME,
                scopes=sorted(scopes),
                query=request.url.query,
            )
        )

    async def access_token(self, request: Request) -> Response:
        """Codes, refresh tokens, client credentials and the exchange of permanent tokens."""
        shop = self._world.shop(request.path_params["shop"])
        if shop is None:
            return JSONResponse({"errors": "Not Found"}, 404)
        if fault := shop.faults.strike("http5xx"):
            return HTMLResponse("Something went wrong.", fault.status or 503)
        try:
            sent = await _form(request)
            answer = self._grant(shop, sent)
        except Refused as refused:
            shop.note("oauth/access_token", refused.status, None)
            return JSONResponse(refused.body, refused.status)
        shop.note("oauth/access_token", 200, None, grant=sent.get("grant_type", "code"))
        if sent.get("grant_type") == "refresh_token" and shop.faults.strike("lost-refresh"):
            return LostResponse(json.dumps(answer), media_type="application/json")
        return JSONResponse(answer)

    def _grant(self, shop: Shop, sent: dict[str, str]) -> dict[str, Any]:
        config, tokens = self._world.config, self._world.tokens
        client = sent.get("client_id", "")
        if client != config.client_id:
            raise Refused(400, "invalid_request", "Could not find API application")
        if not hmac.compare_digest(sent.get("client_secret", ""), config.client_secret):
            raise Refused(400, "application_cannot_be_found", "The client secret is wrong")
        expiring = sent.get("expiring") in ("1", "true")
        match sent.get("grant_type", ""):
            case "refresh_token":
                if shop.faults.strike("revoked-token"):
                    tokens.revoke(shop.name)
                return tokens.refresh(
                    shop.name, sent.get("refresh_token", ""), life_s=shop.token_life_s
                )
            case "client_credentials":
                scopes = shop.installed.get(client) or frozenset(DEFAULT_SCOPES)
                token = tokens.mint(shop.name, scopes, kind="client", life_s=CLIENT_S)
                return {
                    "access_token": token.text,
                    "scope": ",".join(sorted(scopes)),
                    "expires_in": CLIENT_S,
                }
            case "urn:ietf:params:oauth:grant-type:token-exchange":
                old = tokens.check(shop.name, sent.get("subject_token"))
                if old is None:
                    raise Refused(400, "invalid_subject_token", "The subject token is not valid")
                return tokens.offline(
                    shop.name, old.scopes, expiring=expiring, life_s=shop.token_life_s
                )
            case "" | "authorization_code":
                code = tokens.redeem(shop.name, client, sent.get("code", ""))
                if code.user is None:
                    return tokens.offline(
                        shop.name, code.scopes, expiring=expiring, life_s=shop.token_life_s
                    )
                return self._online(shop, code.scopes, code.user)
            case other:
                raise Refused(400, "unsupported_grant_type", f"There is no grant {other}")

    def _online(self, shop: Shop, scopes: frozenset[str], user: dict[str, Any]) -> dict[str, Any]:
        key = str(user["key"])
        allowed = staff.allowed_scopes(key, scopes)
        token = self._world.tokens.mint(shop.name, allowed, kind="online", life_s=ONLINE_S)
        return {
            "access_token": token.text,
            "scope": ",".join(sorted(scopes)),
            "expires_in": ONLINE_S,
            "associated_user_scope": ",".join(sorted(allowed)),
            "associated_user": staff.staff_user(shop.name, key),
        }

    def _with_code(
        self, shop: Shop, request: Request, scopes: frozenset[str], *, per_user: bool
    ) -> Response:
        code = self._world.tokens.code(
            shop.name,
            self._world.config.client_id,
            scopes,
            user={"key": shop.staff} if per_user else None,
        )
        return self._back(shop, request, code=code)

    def _back(self, shop: Shop, request: Request, **more: str) -> Response:
        name = shop.name.split(".")[0]
        host = base64.b64encode(f"admin.shopify.com/store/{name}".encode()).decode().rstrip("=")
        parameters = more | {"host": host, "shop": shop.name, "timestamp": str(int(time.time()))}
        if "state" in request.query_params:
            parameters["state"] = request.query_params["state"]
        parameters["hmac"] = signature(self._world.config.client_secret, parameters)
        target = request.query_params["redirect_uri"]
        glue = "&" if urlsplit(target).query else "?"
        return RedirectResponse(target + glue + urlencode(parameters), 302)


def _allowed(target: str) -> bool:
    parts = urlsplit(target)
    return parts.scheme in ("http", "https") and parts.hostname in LOOPBACK


def _scopes(text: str) -> frozenset[str]:
    return frozenset(one.strip() for one in text.replace(" ", ",").split(",") if one.strip())


async def _form(request: Request) -> dict[str, str]:
    raw = await request.body()
    if "json" in request.headers.get("content-type", ""):
        try:
            sent = json.loads(raw)
        except ValueError as error:
            raise Refused(400, "invalid_request", "The body is not JSON") from error
        if not isinstance(sent, dict):
            raise Refused(400, "invalid_request", "The body is not an object")
        return {key: str(value) for key, value in sent.items()}
    return dict(parse_qsl(raw.decode()))
