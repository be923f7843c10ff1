"""The installation in words: what its operator reads at a glance, and one store of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from brandmind.services.operating import House, StoreStory, retryable
from brandmind.services.presence import SILENT_S
from brandmind.state import wording
from brandmind.state.admin_views import (
    AdminView,
    EventView,
    LackView,
    PartView,
    RunStageView,
    RunView,
    ShopLineView,
    ShopView,
    TileView,
)
from brandmind.state.views import LinkView
from brandmind.sync.stages import PAGED, Stage

PER_PAGE: Final = 50
# A queue that nobody works off for so long is a worker that does not.
SLOW_S: Final = 60.0
_STATES: Final = {
    "failed": ("failed", "Failed"),
    "incomplete": ("gap", "Incomplete"),
    "waiting": ("running", "Waiting"),
    "queued": ("queued", "Queued"),
    "reading": ("running", "Reading"),
    "new": ("queued", "Not synced yet"),
    "paused": ("skipped", "Paused"),
    "left": ("skipped", "Left"),
    "ready": ("done", "Ready"),
}
_STAGES: Final = {
    "shop": "Connect",
    "products": "Products",
    "orders": "Orders",
    "older_orders": "Older orders that changed",
    "customers": "Customers",
    "late_products": "Products changed meanwhile",
    "late_orders": "Orders changed meanwhile",
    "late_customers": "Customers changed meanwhile",
    "figures": "Store DNA",
    "notify": "Message",
    "history": "Older orders",
}
_STAGE_STATES: Final = {
    "queued": ("queued", "Waiting"),
    "running": ("running", "Reading"),
    "done": ("done", "Read"),
    "gap": ("gap", "Incomplete"),
    "restricted": ("gap", "Limited"),
    "failed": ("failed", "Stopped"),
    "skipped": ("skipped", "Left out"),
}
_RUN_STATES: Final = {
    "queued": "queued",
    "running": "running",
    "done": "done",
    "failed": "failed",
    "cancelled": "skipped",
}
_KINDS: Final = {"full": "Full sync", "incremental": "Changes", "historical": "Older orders"}
_ERRORS: Final = {
    "auth": "access",
    "throttled": "throttled",
    "transient": "no answer",
    "data": "data",
    "ours": "our fault",
}
_PAGED: Final = {stage.value for stage in PAGED}


def filters_of(asked: dict[str, str]) -> tuple[str, int]:
    """The state and the page that an address asks for; what is neither is left out."""
    state, page = asked.get("state", ""), asked.get("page", "")
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 1
    return (state if state in _STATES or state == "webhooks" else ""), max(1, number)


def admin(
    house: House, *, state: str, page: int, now: datetime, shop: ShopView | None = None
) -> AdminView:
    """The page; `state` shows only such stores, `shop` is the one that is open."""
    parts = tuple(_part(one) for one in house.parts)
    if house.jobs is None:
        return AdminView(
            there=True,
            headline="The database does not answer.",
            broken="Nothing else can be told until it does. Syncs wait and lose nothing.",
            parts=parts,
        )
    again, aside = len(retryable(house.stores)), sum(at.aside for at in house.stores)
    chosen = [at for at in house.stores if _is_in(at, state)]
    chosen.sort(key=lambda at: (list(_STATES).index(at.state), at.domain))
    pages = max(1, -(-len(chosen) // PER_PAGE))
    page = min(page, pages)
    shown = chosen[PER_PAGE * (page - 1) : PER_PAGE * page]
    return AdminView(
        there=True,
        headline=_headline(house),
        tiles=_tiles(house),
        parts=parts,
        workers=tuple(_worker(number, one) for number, one in enumerate(house.workers, 1)),
        no_workers="" if house.workers else "No worker is there. `brandmind worker` starts one.",
        filters=_filters(house, state),
        shops=tuple(_line(at, state=state, now=now) for at in shown),
        none=_none(state) if not chosen else "",
        tally=(
            f"{wording.number(PER_PAGE * (page - 1) + 1)} to "
            f"{wording.number(PER_PAGE * (page - 1) + len(shown))} of "
            f"{wording.counted(len(chosen), 'store')}"
            if len(chosen) > PER_PAGE
            else wording.counted(len(chosen), "store")
        ),
        before=_address(state=state, page=page - 1) if page > 1 else "",
        after=_address(state=state, page=page + 1) if page < pages else "",
        lacking=tuple(_lack(at, state=state) for at in house.stores if at.missing)[:PER_PAGE],
        retry_label=f"Retry {wording.counted(again, 'failed store')}" if again else "",
        retry_said=(
            f"{wording.counted(again, 'store')} {'goes' if again == 1 else 'go'} on from where "
            f"{'it' if again == 1 else 'they'} stopped. Stores that have to be reconnected wait "
            "for their merchants."
        ),
        replay_label=f"Replay {_deliveries(aside)}" if aside else "",
        replay_said=(
            "Each is looked at again as if it had just come. What cannot be read stays aside."
        ),
        shop=shop or ShopView(),
    )


def _lack(at: Any, *, state: str) -> LackView:
    href = _address(state=state, shop=at.domain)
    return LackView(at.domain, href, ", ".join(at.missing), at.note)


def _deliveries(count: int) -> str:
    return wording.counted(count, "delivery", "deliveries")


def _headline(house: House) -> str:
    """The one thing an operator has to know first."""
    assert house.jobs is not None
    down = [part for part in house.parts if not part.ok]
    failed = sum(at.state == "failed" for at in house.stores)
    if down:
        return "Valkey does not answer. Syncs go on without it."
    if not any(at.silent_s < SILENT_S for at in house.workers):
        return "No worker is at work."
    if house.jobs.oldest_due_s >= SLOW_S:
        return f"The oldest job waits for {wording.duration(house.jobs.oldest_due_s)}."
    if failed:
        return f"{wording.counted(failed, 'store')} failed."
    lacking = sum(bool(at.missing) for at in house.stores)
    if lacking:
        verb = "lacks" if lacking == 1 else "lack"
        return f"{wording.counted(lacking, 'store')} {verb} webhooks."
    return "Everything is at work."


def _tiles(house: House) -> tuple[TileView, ...]:
    jobs = house.jobs
    assert jobs is not None
    here = [at for at in house.stores if at.state != "left"]
    alive = sum(at.silent_s < SILENT_S for at in house.workers)
    waiting, aside = (sum(getattr(at, of) for at in house.stores) for of in ("waiting", "aside"))
    share = jobs.throttled_share
    return (
        TileView("Stores", wording.number(len(here)), f"{len(house.stores) - len(here)} gone"),
        TileView(
            "Syncing now",
            wording.number(jobs.running),
            f"on {wording.counted(alive, 'worker')}",
            "" if alive else "red",
        ),
        TileView(
            "Due and waiting",
            wording.number(jobs.due),
            f"oldest for {wording.duration(jobs.oldest_due_s)}" if jobs.due else "nobody waits",
            "red" if jobs.oldest_due_s >= SLOW_S else "",
        ),
        TileView("Due later", wording.number(jobs.later), "retries, limits and Shopify's exports"),
        TileView(
            "Failed, 24 h",
            wording.number(jobs.failed),
            f"{wording.number(jobs.done)} done",
            "red" if jobs.failed else "",
        ),
        TileView(
            "Sync time, p95",
            wording.duration(jobs.p95_s) if jobs.p95_s is not None else "–",
            "of the last 24 h",
        ),
        TileView(
            "Throttled",
            wording.percent(share) if share is not None else "–",
            "of the requests of 24 h",
            "amber" if share is not None and share >= 0.1 else "",
        ),
        TileView(
            "Deliveries",
            wording.number(waiting),
            f"waiting, {wording.number(aside)} aside",
            "amber" if aside else "",
        ),
    )


def _part(part: Any) -> PartView:
    name = "Database" if part.name == "database" else "Queue"
    if not part.ok:
        return PartView(name, "failed", "Does not answer", part.kind)
    detail = [part.kind]
    if part.used_bytes is not None:
        detail.append(f"{part.used_bytes / 1024 / 1024:,.1f} MB")
    if part.bells is not None:
        detail.append(wording.counted(part.bells, "bell"))
    word = f"Answers in {part.took_ms:,.0f} ms" if part.took_ms is not None else "–"
    return PartView(name, "done", word.replace(" 0 ms", " under 1 ms"), ", ".join(detail))


def _worker(number: int, at: Any) -> PartView:
    alive = at.silent_s < SILENT_S
    word = "There" if alive else f"Silent for {wording.duration(at.silent_s)}"
    said = f"{at.at_work} of {at.slots} slots at work, since {_moment(at.started_at)}"
    return PartView(f"Worker {number}", "done" if alive else "failed", word, said)


def _moment(at: datetime) -> str:
    return f"{wording.day(at.astimezone(UTC).date())} {wording.clock(at, UTC)}"


def _is_in(at: Any, state: str) -> bool:
    return not state or at.state == state or (state == "webhooks" and bool(at.missing or at.aside))


def _filters(house: House, state: str) -> tuple[LinkView, ...]:
    found = [LinkView("All", _address(), not state, wording.number(len(house.stores)))]
    for name, (_, word) in _STATES.items():
        count = sum(at.state == name for at in house.stores)
        if count or name == state:
            found.append(LinkView(word, _address(state=name), name == state, wording.number(count)))
    odd = sum(bool(at.missing or at.aside) for at in house.stores)
    if odd or state == "webhooks":
        found.append(
            LinkView(
                "Webhooks", _address(state="webhooks"), state == "webhooks", wording.number(odd)
            )
        )
    return tuple(found)


def _none(state: str) -> str:
    return "No store is like that now." if state else "No store is connected yet."


def _address(*, state: str = "", page: int = 1, shop: str = "") -> str:
    asked = [f"state={state}"] if state else []
    asked += [f"page={page}"] if page > 1 else []
    asked += [f"store={shop}"] if shop else []
    return f"/admin?{'&'.join(asked)}" if asked else "/admin"


def _line(at: Any, *, state: str, now: datetime) -> ShopLineView:
    icon, word = _STATES[at.state]
    stage = _STAGES.get(at.stage, "")
    inbox = []
    if at.waiting:
        inbox.append(f"{wording.number(at.waiting)} waiting")
    if at.aside:
        inbox.append(f"{wording.number(at.aside)} aside")
    if at.missing:
        inbox.append(f"{len(at.missing)} missing")
    return ShopLineView(
        domain=at.domain,
        href=_address(state=state, shop=at.domain),
        icon=icon,
        state=word,
        progress=f"{stage}, {at.percent}%" if stage else "",
        synced=wording.ago(at.last_synced_at, now) if at.last_synced_at else "never",
        synced_title=wording.full_moment(at.last_synced_at, UTC) if at.last_synced_at else "",
        attempts=wording.number(at.attempt) if at.attempt else "",
        error=_ERRORS.get(at.error_kind, at.error_kind),
        next=_next(at.next_at, now=now),
        inbox=", ".join(inbox),
        wrong=at.state == "failed",
    )


def _next(at: datetime | None, *, now: datetime) -> str:
    if at is None:
        return ""
    left_s = (at - now).total_seconds()
    return "now" if left_s <= 0 else f"in {wording.duration(left_s)}"


def shop(found: StoreStory | None, *, domain: str, state: str, now: datetime) -> ShopView:
    """The one store that is open; `missing` where there is none of that name."""
    back = _address(state=state)
    if found is None:
        return ShopView(there=True, missing=True, domain=domain, back_href=back)
    at = found.line
    icon, word = _STATES[at.state]
    live = at.state in ("reading", "waiting", "queued")
    here = at.state not in ("left", "paused")
    lead = f"Last synced {_moment(at.last_synced_at)}." if at.last_synced_at else "Never synced."
    if at.error:
        lead = f"{at.error} {lead}"
    return ShopView(
        there=True,
        domain=at.domain,
        icon=icon,
        headline=word,
        lead=lead,
        back_href=back,
        can_retry=at.state == "failed" and at.error_kind != "auth",
        can_start_over=at.state == "failed" and at.error_kind != "auth",
        can_stop=live,
        can_pause=here,
        can_resume=at.state == "paused",
        can_read_again=here and not live and at.error_kind != "auth",
        replay_label=f"Replay {_deliveries(at.aside)}" if at.aside else "",
        lacks=(f"No webhooks for {', '.join(at.missing)}. {at.note}".strip() if at.missing else ""),
        runs=tuple(_run(run, now=now) for run in found.runs),
        events=tuple(_event(event, now=now) for event in found.events),
        aside=tuple(
            LackView(one.topic, "", wording.moment(one.received_at, now, UTC), one.note)
            for one in found.aside
        ),
    )


def _run(run: Any, *, now: datetime) -> RunView:
    facts = []
    if run.attempt:
        facts.append(wording.counted(run.attempt, "try", "tries") + " without progress")
    if run.retry_at is not None and run.status == "failed":
        facts.append(f"next try {_next(run.retry_at, now=now)}")
    if run.cursor and run.status in ("queued", "running", "failed"):
        facts.append(f"at {_STAGES.get(run.stage, run.stage)}, cursor {run.cursor[:32]}")
    if run.request_id:
        facts.append(f"Shopify's request id {run.request_id}")
    return RunView(
        title=f"{_KINDS.get(run.kind, run.kind)}, {run.reason}",
        icon=_RUN_STATES.get(run.status, "queued"),
        said=f"{run.status}, asked for {wording.moment(run.requested_at, now, UTC)}"
        f"{_took(', took ', run.started_at, run.finished_at)}",
        error=run.error,
        facts="; ".join(facts),
        stages=tuple(_stage(one) for one in run.stages),
    )


def _stage(one: Any) -> RunStageView:
    icon, word = _STAGE_STATES[one.state]
    count = ""
    if one.stage in _PAGED and (one.done or one.total):
        count = wording.number(one.done)
        if one.total is not None:
            count += f" of {wording.at_least(one.total, exact=one.exact)}"
    return RunStageView(
        label=_STAGES.get(one.stage, one.stage),
        icon=icon,
        state=word,
        count=count,
        attempts=wording.number(one.attempts) if one.attempts else "",
        took=_took("", one.started_at, one.finished_at),
    )


def _took(before: str, began: datetime | None, ended: datetime | None) -> str:
    if began is None or ended is None:
        return ""
    return f"{before}{wording.duration(max(0.0, (ended - began).total_seconds()))}"


def _event(event: Any, *, now: datetime) -> EventView:
    return EventView(
        at=wording.moment(event.at, now, UTC),
        at_title=wording.full_moment(event.at, UTC),
        name=event.name,
        stage=_STAGES.get(event.stage, ""),
        count=wording.number(event.count) if event.count else "",
        detail=event.detail,
    )


assert {stage.value for stage in Stage} == set(_STAGES)
