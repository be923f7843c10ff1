"""Which servers on other machines would let in anybody."""

from __future__ import annotations

import pytest

from brandmind.servers import is_loopback, open_postgres, open_redis

PG = "postgresql+psycopg://"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("", ""),
        ("redis://127.0.0.1:6379/0", ""),
        ("redis://localhost", ""),
        ("redis://[::1]:6379", ""),
        ("redis://", ""),
        ("unix:///run/valkey.sock?db=1", ""),
        ("redis://:secret@cache.internal:6379/0", ""),
        ("rediss://app:secret@cache.internal/0", ""),
        ("redis://cache.internal/0?password=secret", ""),
        ("redis://cache.internal:6379/0", "cache.internal"),
        ("rediss://cache.internal", "cache.internal"),
        ("redis://app@cache.internal/0", "cache.internal"),
        ("redis://:@cache.internal/0", "cache.internal"),
        ("redis://10.0.0.7", "10.0.0.7"),
        ("redis://0.0.0.0:6379", "0.0.0.0"),
        ("redis://localhost.evil.example", "localhost.evil.example"),
    ],
)
def test_a_redis_elsewhere_needs_a_password(url: str, host: str) -> None:
    assert open_redis(url) == host


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("sqlite:////data/brandmind.db", ""),
        (f"{PG}app@localhost/brandmind", ""),
        (f"{PG}app@127.0.0.1:5433/brandmind", ""),
        (f"{PG}/brandmind", ""),
        (f"{PG}app@/brandmind?host=/var/run/postgresql", ""),
        (f"{PG}app@/brandmind?host=/var/run/postgresql,127.0.0.1", ""),
        (f"{PG}app:secret@db.internal/brandmind", ""),
        (f"{PG}app@db.internal/brandmind?password=secret", ""),
        (f"{PG}app@db.internal/brandmind?passfile=/run/secrets/pgpass", ""),
        (f"{PG}app@db.internal/brandmind?sslcert=/run/app.crt&sslkey=/run/app.key", ""),
        (f"{PG}app@db.internal/brandmind", "db.internal"),
        (f"{PG}app:@db.internal:5432/brandmind?sslmode=require", "db.internal"),
        (f"{PG}app@/brandmind?host=/var/run/postgresql,db.internal", "db.internal"),
    ],
)
def test_a_postgresql_elsewhere_needs_a_password(url: str, host: str) -> None:
    assert open_postgres(url, {}) == host


@pytest.mark.parametrize("name", ["PGPASSWORD", "PGPASSFILE", "PGSSLCERT"])
def test_what_libpq_finds_in_its_environment_counts(name: str) -> None:
    assert open_postgres(f"{PG}app@db.internal/brandmind", {name: "x"}) == ""
    assert open_postgres(f"{PG}app@/brandmind", {"PGHOST": "db.internal"}) == "db.internal"
    assert open_postgres(f"{PG}app@/brandmind", {"PGHOST": "/run", name: "x"}) == ""


@pytest.mark.parametrize(
    ("host", "here"),
    [("LOCALHOST", True), ("127.8.0.1", True), ("[::1]", True), ("0.0.0.0", False), ("", False)],
)
def test_only_this_machine_is_loopback(host: str, here: bool) -> None:
    assert is_loopback(host) is here
