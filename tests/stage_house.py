"""An installation in every state, for looking at the admin page without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from brandmind.db.operating import EventLine, Jobs, RunLine, StageLine, StoreLine
from brandmind.db.presence import Worker
from brandmind.services.operating import Aside, House, Part, StoreStory

NO_ANSWER = "Shopify did not answer after 5 tries."


def now() -> datetime:
    return datetime.now(UTC)


def line(name: str, state: str, **more: object) -> StoreLine:
    values: dict[str, object] = {
        "store_id": f"id-{name}",
        "domain": f"{name}.myshopify.com",
        "state": state,
        "stage": "",
        "percent": 0,
        "attempt": 0,
        "error": "",
        "error_kind": "",
        "next_at": now() + timedelta(hours=9),
        "last_synced_at": now() - timedelta(minutes=31),
        "waiting": 0,
        "aside": 0,
        "missing": (),
        "note": "",
        "checked_at": now() - timedelta(hours=2),
    }
    return StoreLine(**{**values, **more})  # type: ignore[arg-type]


def lines() -> tuple[StoreLine, ...]:
    return (
        line(
            "boots-and-braces",
            "failed",
            stage="customers",
            percent=57,
            attempt=5,
            error=NO_ANSWER,
            error_kind="transient",
            next_at=now() + timedelta(minutes=15),
            last_synced_at=now() - timedelta(hours=30),
        ),
        line("cedar", "failed", stage="orders", percent=12, error_kind="auth", next_at=None),
        line("harbor-and-pine", "ready", waiting=3),
        line(
            "lemon-works",
            "ready",
            aside=2,
            missing=("customers/delete", "refunds/create"),
            note="Not approved to subscribe to webhook topics containing protected customer data.",
        ),
        line("north-star", "reading", stage="orders", percent=64, next_at=None),
        line("olive", "waiting", stage="history", next_at=now() + timedelta(minutes=2)),
        line("quiet-corner", "paused", next_at=None),
        line("the-very-long-named-shop-of-wooden-toys", "new", last_synced_at=None),
        line("zebra", "left", next_at=None),
    )


GROUND = (
    Part("database", True, 0.4, "SQLite"),
    Part("redis", True, 0.2, "Valkey 9.1.0", 1_900_000, 0),
)
JOBS = Jobs(
    running=1,
    due=2,
    oldest_due_s=3.0,
    later=1,
    failed=2,
    done=41,
    p95_s=74.0,
    throttled_share=0.021,
)


def workers() -> tuple[Worker, ...]:
    return (
        Worker("a", 6, now() - timedelta(hours=5), 1.2, 1),
        Worker("b", 6, now() - timedelta(hours=5), 41.0, 0),
    )


def installation(kind: str) -> House:
    """`kind`: "", calm, empty or down."""
    if kind == "down":
        return House((Part("database", False, None, "PostgreSQL"), GROUND[1]))
    if kind == "empty":
        return House(GROUND, Jobs(0, 0, 0.0, 0, 0, 0, None, None), workers()[:1], ())
    if kind == "calm":
        calm = tuple(line(name, "ready") for name in ("harbor-and-pine", "lemon-works"))
        return House(GROUND, Jobs(0, 0, 0.0, 0, 0, 12, 31.0, 0.0), workers()[:1], calm)
    return House(GROUND, JOBS, workers(), lines())


def story(domain: str) -> StoreStory | None:
    found = next((one for one in lines() if one.domain == domain), None)
    if found is None:
        return None
    start = now() - timedelta(minutes=9)
    stages = (
        StageLine("shop", "done", 1, 1, True, 0, start, start + timedelta(seconds=1)),
        StageLine("products", "done", 312, 312, True, 0, start, start + timedelta(seconds=6)),
        StageLine("orders", "done", 12_000, 12_000, True, 1, start, start + timedelta(seconds=74)),
        StageLine("customers", "failed", 3_100, 5_400, True, 5, start, now()),
        StageLine("figures", "queued", 0, None, True, 0, None, None),
    )
    failed = RunLine(
        "r1", "full", "connected", "failed", start, start, now(), 5, NO_ANSWER, "transient",
        "7f3c1e90-6c1c-4f5e-9a57-0d2f8a1be2aa", now() + timedelta(minutes=15), "customers",
        "eyJsYXN0X2lkIjo3MDEyMzQ1Njc4OTAsImxhc3RfdmFsdWUi", stages,
    )  # fmt: skip
    whole = RunLine(
        "r0", "incremental", "nightly", "done", start - timedelta(days=1),
        start - timedelta(days=1), start - timedelta(days=1, seconds=-9), 0, "", "", "", None,
        "figures", "", stages[:3],
    )  # fmt: skip
    events = (
        EventLine(now(), "failed", "customers", 0, f"transient: {NO_ANSWER}"),
        EventLine(now() - timedelta(minutes=2), "will try again", "customers", 0, NO_ANSWER),
        EventLine(now() - timedelta(minutes=4), "page", "customers", 250, ""),
        EventLine(start, "claimed", "", 0, ""),
        EventLine(start, "requested", "", 0, "connected"),
    )
    aside = (
        (Aside("orders/updated", now() - timedelta(hours=3), "5 tries: Shopify did not answer."),)
        if found.aside
        else ()
    )
    return StoreStory(found, (failed, whole), events, aside)
