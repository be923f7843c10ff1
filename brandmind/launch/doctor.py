"""A self-check: what BrandMind needs, and whether it is there."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

from brandmind.errors import SettingsError
from brandmind.launch import frontend
from brandmind.settings import PREFIX, Settings


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at; `said` tells what was found, or what to do."""

    name: str
    ok: bool
    said: str


def examine() -> list[Check]:
    """Look at everything; one failing part never hides another."""
    found = [_python()]
    try:
        settings = Settings.load()
    except SettingsError as wrong:
        return [*found, Check("settings", ok=False, said=wrong.message), _frontend(None)]
    for name, look in _LOOKS.items():
        try:
            found.append(look(settings))
        except Exception as error:
            found.append(Check(name, ok=False, said=f"{type(error).__name__}: {error}"))
    return found


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("python", ok=sys.version_info >= (3, 11), said=f"{version} (3.11 or newer)")


def _settings(settings: Settings) -> Check:
    try:
        settings.check_production()
    except SettingsError as wrong:
        return Check("settings", ok=False, said=wrong.message.replace("\n", " "))
    where = "production" if settings.production else "this machine only"
    return Check("settings", ok=True, said=f"{settings.public_url}, {where}")


def _database(settings: Settings) -> Check:
    # Looked up by name: launch starts things and knows no hand of the house.
    migrate = import_module("brandmind.db.migrate")
    kind = "SQLite" if settings.is_sqlite else "PostgreSQL"
    if settings.is_sqlite and not Path(settings.database_url.removeprefix("sqlite:///")).exists():
        return Check("database", ok=False, said=f"{kind}: not made yet; run `brandmind migrate`")
    try:
        current = migrate.is_current(settings.database_url)
    except Exception as error:
        return Check("database", ok=False, said=f"{kind} is not reachable: {_short(error)}")
    said = "at the newest schema" if current else "not migrated; run `brandmind migrate`"
    return Check("database", ok=current, said=f"{kind}, {said}")


def _redis(settings: Settings) -> Check:
    if not settings.redis_url:
        from brandmind.launch.valkey import find_binary

        binary = find_binary()
        return Check("redis", ok=True, said=f"embedded when launched ({binary.name})")
    parts = urlsplit(settings.redis_url)
    try:
        with _connected(parts.scheme, parts.path, parts.hostname, parts.port or 6379):
            return Check("redis", ok=True, said="answers")
    except OSError as error:
        return Check("redis", ok=False, said=f"{PREFIX}REDIS_URL does not answer: {_short(error)}")


def _connected(scheme: str, path: str, host: str | None, port: int) -> socket.socket:
    if scheme == "unix":
        line = socket.socket(socket.AF_UNIX)
        line.settimeout(3)
        line.connect(path)
        return line
    return socket.create_connection((host or "127.0.0.1", port), timeout=3)


def _frontend(_: Settings | None) -> Check:
    if frontend.is_current():
        return Check("frontend", ok=True, said="built")
    if frontend.is_built():
        return Check("frontend", ok=False, said="older than its sources; run `make frontend`")
    return Check("frontend", ok=False, said="not built; run `make frontend`")


def _keys(settings: Settings) -> Check:
    if settings.encryption_keys:
        ids = ", ".join(key_id for key_id, _ in settings.encryption_keys)
        return Check("keys", ok=True, said=ids)
    if settings.production:
        said = f"{PREFIX}ENCRYPTION_KEYS is missing; `brandmind keys new` prints one"
        return Check("keys", ok=False, said=said)
    return Check("keys", ok=True, said="made at the first `brandmind up` or `demo`")


def _shopify(settings: Settings) -> Check:
    if not settings.shopify_origin.startswith("http://"):
        named = settings.shopify_client_id and settings.client_secrets
        said = (
            "app credentials are set"
            if named
            else f"{PREFIX}SHOPIFY_CLIENT_ID and {PREFIX}SHOPIFY_CLIENT_SECRET are not set; "
            f"only `brandmind stores connect` can connect stores"
        )
        return Check("shopify", ok=bool(named), said=said)
    parts = urlsplit(settings.shopify_origin.replace("{shop}", "shop"))
    try:
        with _connected("http", "", parts.hostname, parts.port or 80):
            return Check("shopify", ok=True, said=f"local, at port {parts.port}")
    except OSError as error:
        said = f"{PREFIX}SHOPIFY_ORIGIN does not answer: {_short(error)}"
        return Check("shopify", ok=False, said=said)


def _webhooks(settings: Settings) -> Check:
    # Looked up by name: launch starts things and knows no hand of the house.
    session = import_module("brandmind.db.session")
    missing = import_module("brandmind.db.inbox").missing
    db = session.Database(settings.database_url, pool_size=1)
    try:
        lacking = db.read_now(missing)
    finally:
        db.close()
    if not lacking:
        return Check("webhooks", ok=True, said="every store that is connected has its own")
    first, topics, note = lacking[0]
    others = len(lacking) - 1
    more = f" (and {others} more {'store' if others == 1 else 'stores'})" if others else ""
    said = f"{first} lacks {', '.join(topics)}{more}. {note}".rstrip()
    return Check("webhooks", ok=False, said=said)


def _short(error: Exception) -> str:
    return str(error).strip().split("\n")[0][:200] or type(error).__name__


_LOOKS: dict[str, Callable[[Settings], Check]] = {
    "settings": _settings,
    "database": _database,
    "redis": _redis,
    "frontend": _frontend,
    "keys": _keys,
    "shopify": _shopify,
    "webhooks": _webhooks,
}
