"""Whether the address of a server of ours leads off this machine without a password."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit


def is_loopback(host: str) -> bool:
    """Whether a name or address is this machine alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def open_redis(url: str) -> str:
    """The host of a Redis on another machine that is addressed without a password, else "".

    A socket file is guarded by its own rights. The password may stand in the query as well, as
    redis-py reads it there.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("redis", "rediss") or is_loopback(parts.hostname or "localhost"):
        return ""
    return "" if parts.password or _asked(parts.query, "password") else str(parts.hostname)


def open_postgres(url: str, environment: Mapping[str, str]) -> str:
    """The host of a PostgreSQL on another machine that is addressed without a password, else "".

    Where the address is silent, libpq asks its environment for host and password; several hosts
    are separated by commas; a path is a socket. A client certificate is as good as a password.
    """
    parts = urlsplit(url)
    if not parts.scheme.startswith("postgresql"):
        return ""
    hosts = parts.hostname or _asked(parts.query, "host") or environment.get("PGHOST", "")
    away = [host for host in hosts.split(",") if host and not _stays(host)]
    known = (
        parts.password,
        *(_asked(parts.query, name) for name in ("password", "passfile", "sslcert", "service")),
        *(environment.get(name) for name in ("PGPASSWORD", "PGPASSFILE", "PGSSLCERT")),
    )
    return "" if not away or any(known) else away[0]


def _stays(host: str) -> bool:
    return host.startswith(("/", "@")) or is_loopback(host)


def _asked(query: str, name: str) -> str:
    return parse_qs(query).get(name, [""])[0]
