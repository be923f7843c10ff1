"""Acts with a store in every state, for looking at the pages without a shop or a database."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from brandmind.errors import InvalidInput, NotFound, StorageFull, TooManySyncs
from brandmind.services.answers import Answers, Reader
from brandmind.services.dashboard import CommandCenter, Compare, Kpis, ReadyNow
from brandmind.services.dna import Past, StoreDna
from brandmind.services.members import Member
from brandmind.services.operating import House, StoreStory
from brandmind.services.orders import Reconciliation
from brandmind.services.people import GroupPage
from brandmind.services.products import ProductDetail, ProductsPage
from brandmind.services.searching import CustomerHit, Found, OrderHit, ProductHit
from brandmind.services.sessions import SignedIn
from brandmind.services.stored import Stored
from brandmind.services.todo import Mark, State, about
from brandmind.state import sample, sample_portrait, sample_tables
from brandmind.state.ranges import Range
from brandmind.sync.progress import StageProgress, StoreProgress
from brandmind.sync.selection import OrdersSince, Selection
from brandmind.sync.stages import Kind, RunStatus, Stage, StageState, StoreStatus
from tests import stage_house

COOKIE = "bm_session=stage"


@dataclass(frozen=True)
class Ref:
    store_id: str
    domain: str
    name: str
    role: str = "owner"
    may_orders: bool = True
    may_products: bool = True
    may_customers: bool = True
    timezone: str = "America/New_York"
    user_id: str = "user-1"
    installed: bool = True


@dataclass(frozen=True)
class Person:
    session_id: str
    user_id: str
    name: str
    stores: tuple[Ref, ...]
    locked: tuple[Ref, ...] = ()
    admin: bool = False


def now() -> datetime:
    return datetime.now(UTC)


def stage(name: Stage, state: StageState, done: int = 0, total: int | None = None, **more):
    return StageProgress(stage=name, state=state, done=done, total=total, **more)


def running(
    *, orders: int = 4210, customers: int = 0, status: StoreStatus = StoreStatus.IN_PROGRESS, **more
) -> StoreProgress:
    start = now() - timedelta(seconds=27)
    order_state = StageState.DONE if orders >= 12000 else StageState.RUNNING
    customer_state = StageState.QUEUED
    if order_state is StageState.DONE:
        customer_state = StageState.DONE if customers >= 5400 else StageState.RUNNING
    figures = StageState.RUNNING if customer_state is StageState.DONE else StageState.QUEUED
    done = 312 + orders + customers
    made = StoreProgress(
        store_id="s",
        status=status,
        reason=None,
        run_id="r1",
        kind=Kind.FULL,
        run_status=RunStatus.RUNNING,
        first=True,
        seq=orders + customers,
        percent=100 * done // 17712,
        stages=(
            stage(
                Stage.SHOP,
                StageState.DONE,
                1,
                1,
                started_at=start,
                finished_at=start + timedelta(seconds=2),
            ),
            stage(
                Stage.PRODUCTS,
                StageState.DONE,
                312,
                312,
                started_at=start + timedelta(seconds=2),
                finished_at=start + timedelta(seconds=8),
            ),
            stage(
                Stage.ORDERS,
                order_state,
                orders,
                12000,
                attempts=1,
                started_at=start + timedelta(seconds=8),
                finished_at=start + timedelta(seconds=27)
                if order_state is StageState.DONE
                else None,
            ),
            stage(Stage.CUSTOMERS, customer_state, customers, 5400),
            stage(Stage.FIGURES, figures),
            stage(Stage.NOTIFY, StageState.QUEUED),
        ),
        history=stage(Stage.HISTORY, StageState.QUEUED, 0, 31600),
        attempt=0,
        waiting=None,
        next_try_at=None,
        error=None,
        error_kind=None,
        request_id=None,
        requested_at=start,
        started_at=start,
        finished_at=None,
        last_synced_at=None,
    )
    return dataclasses.replace(made, **more)


def failed(kind: str = "transient") -> StoreProgress:
    made = running(orders=12000, customers=3100, status=StoreStatus.FAILED)
    stages = list(made.stages)
    stages[3] = stage(
        Stage.CUSTOMERS,
        StageState.FAILED,
        3100,
        5400,
        attempts=5,
        started_at=now() - timedelta(seconds=74),
        finished_at=now() - timedelta(seconds=2),
    )
    return dataclasses.replace(
        made,
        stages=tuple(stages),
        run_status=RunStatus.FAILED,
        percent=78,
        attempt=5,
        error="Shopify did not answer." if kind == "transient" else "Access was withdrawn.",
        error_kind=kind,
        request_id="7f3c1e90-6c1c-4f5e-9a57-0d2f8a1be2aa",
        next_try_at=now() + timedelta(minutes=15),
    )


def ready(ago: timedelta = timedelta(minutes=3), **more) -> StoreProgress:
    made = running(orders=12000, customers=5400, status=StoreStatus.COMPLETED)
    stages = tuple(
        dataclasses.replace(
            at,
            state=StageState.DONE,
            started_at=now() - ago - timedelta(seconds=60),
            finished_at=now() - ago,
        )
        for at in made.stages
    )
    values = {
        "stages": stages,
        "percent": 100,
        "run_status": RunStatus.DONE,
        "finished_at": now() - ago,
        "last_synced_at": now() - ago,
        "history": stage(Stage.HISTORY, StageState.DONE, 31600, 31600, finished_at=now() - ago),
    }
    return dataclasses.replace(made, **{**values, **more})


def gap() -> StoreProgress:
    made = ready(status=StoreStatus.PARTIAL, reason="gap")
    stages = list(made.stages)
    stages[2] = dataclasses.replace(stages[2], state=StageState.GAP, done=11988)
    return dataclasses.replace(made, stages=tuple(stages))


def untold() -> StoreProgress:
    """A store whose customers have not been read yet."""
    made = ready()
    return dataclasses.replace(
        made,
        stages=tuple(
            stage(Stage.CUSTOMERS, StageState.SKIPPED) if at.stage is Stage.CUSTOMERS else at
            for at in made.stages
        ),
    )


def waiting_queue() -> StoreProgress:
    made = running(orders=0, status=StoreStatus.PENDING, percent=0)
    stages = tuple(
        StageProgress(stage=at.stage, state=StageState.QUEUED, total=None) for at in made.stages
    )
    return dataclasses.replace(made, stages=stages, history=None, started_at=None)


STATES = {
    "pending": waiting_queue,
    "early": lambda: running(orders=0),
    "running": running,
    "throttled": lambda: running(waiting="throttled"),
    "failed": failed,
    "auth": lambda: failed("auth"),
    "done": lambda: ready(
        status=StoreStatus.PARTIAL,
        reason="history",
        history=stage(Stage.HISTORY, StageState.RUNNING, 12400, 31600),
    ),
    "ready": ready,
    "gap": gap,
    "chosen": lambda: ready(
        reads_customers=False,
        orders_since=OrdersSince.TWELVE_MONTHS,
        nightly_at=datetime(2026, 11, 26, 8, 40, tzinfo=UTC),
    ),
    "stopped": lambda: dataclasses.replace(
        running(status=StoreStatus.CANCELLED),
        run_status=RunStatus.CANCELLED,
        ended_by="Alice Harbor",
        finished_at=now() - timedelta(minutes=4),
    ),
    "paused": lambda: ready(
        status=StoreStatus.PAUSED, paused_by="Olga", paused_at=now() - timedelta(hours=2)
    ),
    "gone": lambda: ready(
        uninstalled_at=now() - timedelta(hours=20), erase_at=now() + timedelta(hours=28)
    ),
    "stale": lambda: ready(timedelta(hours=30)),
    "closed": ready,
    "empty": ready,
    "marked": ready,
    "few": ready,
    "untold": untold,
    "live": running,
}


def domain(name: str) -> str:
    return f"{name}.myshopify.com"


REFS = {
    domain(name): Ref(
        f"id-{name}",
        domain(name),
        "Harbor & Pine" if name != "empty" else "Quiet Corner",
        may_orders=name != "closed",
        may_customers=name != "closed",
    )
    for name in STATES
}
LOCKED = Ref("id-other", domain("other"), "Other Store", role="member")
PERSON = Person(
    "session-1",
    "user-1",
    "Your account",
    tuple(REFS[domain(name)] for name in ("ready", "empty")),
    (LOCKED,),
)


# Whoever looks after the installation; the shop in the address says how that one stands.
OPERATOR = dataclasses.replace(PERSON, session_id="session-9", name="Olga Operator", admin=True)
OPERATOR_COOKIE = "bm_session=operator"


def signed_in() -> list[SignedIn]:
    """Three browsers of the stage's person; the first is the one that looks."""
    windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
    iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X)"
    agents = (
        (PERSON.session_id, f"{windows} AppleWebKit/537.36 Chrome/142.0 Safari/537.36", 0, 6),
        ("session-2", f"{iphone} AppleWebKit/605 Version/18.1 Mobile/15E148 Safari/604.1", 3, 40),
        ("session-3", f"{windows} Gecko/20100101 Firefox/145.0", 200, 260),
    )
    return [
        SignedIn(
            session_id=session_id,
            user_agent=agent,
            signed_in_at=now() - timedelta(hours=since_h),
            seen_at=now() - timedelta(hours=seen_h),
            this=session_id == PERSON.session_id,
        )
        for session_id, agent, seen_h, since_h in agents
    ]


# How the installation stands, for whoever looks at it: "", calm, empty or down.
INSTALLATION = {"kind": os.environ.get("STAGE_HOUSE", "")}

# What visitors of the one store that keeps it have put away.
MARKS: dict[str, Mark] = {}


def nobody_known(kpis: Kpis) -> Kpis:
    """Figures of which nobody can tell who is new and who came back."""
    return dataclasses.replace(
        kpis,
        new_customers=None,
        returning_customers=None,
        returning_customer_rate=None,
        repeat_customers=None,
    )


def unread(told: dict[str, Any]) -> dict[str, Any]:
    """A portrait in which no strand could be read yet."""
    nothing = dict.fromkeys(("score", "ci_low", "ci_high", "label"))
    for one in told["strands"]:
        one |= nothing | {"needs": "Needs 50 orders; there are 4.", "actions": []}
    return told | {"signature": "", "coverage": "0 of 12 strands read", "do_next": []}


class StageActs:
    """What the screens ask for, answered from the states above."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.ended: list[str] = []

    async def who(self, cookie_header: str | None) -> Person | None:
        if cookie_header and OPERATOR_COOKIE.partition("=")[2] in cookie_header:
            return OPERATOR
        return PERSON if cookie_header and COOKIE in cookie_header else None

    async def authorise(self, viewer: Person, wanted: str | None) -> Ref:
        found = REFS.get(wanted or domain("ready"))
        if found is None:
            raise NotFound
        return found

    def _name(self, store_id: str) -> str:
        return store_id.removeprefix("id-")

    async def progress(self, store_id: str) -> StoreProgress:
        return dataclasses.replace(STATES[self._name(store_id)](), store_id=store_id)

    async def ready_now(self, store_id: str) -> ReadyNow:
        name = self._name(store_id)
        if name == "pending":
            return ReadyNow("USD", 0, 0, None, None, None, None, (), (), None, None)
        counts = (12, 22, 40, 58, 46, 30, 34, 21, 14, 9, 6, 8)
        step = (24000 - 900) // 12
        bins = tuple(
            (900 + step * index, 900 + step * (index + 1), count)
            for index, count in enumerate(counts)
        )
        days: tuple[tuple[date, int], ...] = ()
        if name != "early":
            first = date(2026, 5, 24)
            days = tuple(
                (first + timedelta(days=index), 40 + (index * 37) % 29 + index // 9)
                for index in range(183)
            )
            days = (*days[:160], (days[160][0], 112), *days[161:])
        return ReadyNow(
            "USD",
            312,
            1204,
            900,
            24000,
            2800,
            6400,
            bins,
            days,
            days[0][0] if days else None,
            days[160] if days else None,
        )

    async def command_center(
        self, store_id: str, *, date_from: date, date_to: date, compare: Compare | None
    ) -> CommandCenter:
        name = self._name(store_id)
        today = now().date()
        made = sample.command_center(
            today=today, date_from=date_from, date_to=date_to, compare=compare
        )
        names = (
            "Fisherman Beanie",
            "Merino Crew, Slate",
            "Wool Socks, 3-pack",
            "Harbor Parka",
            "Boot Wax",
        )
        made = dataclasses.replace(
            made,
            store_id=store_id,
            timezone="America/New_York",
            top_products=tuple(
                dataclasses.replace(row, title=title)
                for row, title in zip(made.top_products, names, strict=True)
            ),
            recent_orders=tuple(
                dataclasses.replace(row, name=row.name.replace("S-", ""))
                for row in made.recent_orders
            ),
        )
        if name in ("running", "throttled", "live"):
            made = dataclasses.replace(made, stored_from=today - timedelta(days=40))
        if name in ("pending", "early"):
            made = dataclasses.replace(made, stored_from=None, recent_orders=())
        if name == "empty":
            zero = dataclasses.replace(
                made.kpis,
                gross_minor=0,
                discounts_minor=0,
                returns_minor=0,
                net_minor=0,
                total_minor=0,
                orders=0,
                units=0,
                aov_minor=None,
                customers=0,
                new_customers=0,
                returning_customers=0,
                returning_customer_rate=None,
                refund_rate=None,
            )
            made = dataclasses.replace(
                made,
                kpis=zero,
                compared=zero,
                top_products=(),
                recent_orders=(),
                days=tuple(
                    dataclasses.replace(
                        at,
                        gross_minor=0,
                        discounts_minor=0,
                        returns_minor=0,
                        net_minor=0,
                        orders=0,
                        units=0,
                    )
                    for at in made.days
                ),
                compared_days=(),
            )
        if name == "few":
            made = dataclasses.replace(made, kpis=dataclasses.replace(made.kpis, orders=4))
        if name == "untold":
            made = dataclasses.replace(made, kpis=nobody_known(made.kpis), compared=None)
        return made

    async def store_dna(self, store_id: str, *, against: int | None = None) -> StoreDna | None:
        if self._name(store_id) in ("pending", "early", "running", "throttled", "live", "failed"):
            return None
        found = sample_portrait.store_dna(now().date())
        if self._name(store_id) not in ("empty", "untold"):
            return found
        told = copy.deepcopy(found.portrait)
        if self._name(store_id) == "untold":
            return dataclasses.replace(found, portrait=unread(told), before=None)
        for at, one in enumerate(told["strands"]):
            shift = -one["score"] + (13 * at) % 88 + 6
            one |= {name: one[name] + shift for name in ("score", "ci_low", "ci_high")}
        told["strands"][4] |= {"score": None, "needs": "Needs 50 customers."}
        return dataclasses.replace(found, portrait=told)

    async def past(self, store_id: str) -> Past:
        return sample_portrait.past(now().date())

    async def marks(self, store_id: str) -> tuple[Mark, ...]:
        return tuple(MARKS.values()) if store_id == "id-marked" else ()

    async def mark(self, store_id: str, *, key: str, state: State, by: str) -> None:
        told = sample_portrait.store_dna(now().date()).portrait["do_next"]
        action = next(one for one in told if one["key"] == key)
        until = now().date() + timedelta(days=14)
        MARKS[key] = Mark(key, about(action), state, until, now())

    async def take_back(self, store_id: str, *, key: str) -> None:
        MARKS.pop(key, None)

    async def products(self, store_id: str, *, date_from: date, date_to: date) -> ProductsPage:
        at = Range("custom", date_from, date_to, None)
        return sample_tables.products(at, today=now().date())

    async def product(
        self, store_id: str, product_id: int, *, date_from: date, date_to: date
    ) -> ProductDetail:
        return sample_tables.detail(Range("custom", date_from, date_to, None), product_id)

    async def group(self, store_id: str, *, group: str, page: int) -> GroupPage | None:
        return sample_tables.group(now().date(), group=group, page=page)

    async def reconciliation(
        self, store_id: str, *, date_from: date, date_to: date
    ) -> Reconciliation:
        at = Range("custom", date_from, date_to, None)
        return sample_tables.reconciliation(at, today=now().date())

    async def choose(self, store_id: str, selection: Selection, *, by: str) -> bool:
        self.asked.append(("choose", store_id))
        if store_id == "id-stale":
            raise StorageFull("There is no room to keep it. Try again in a moment.")
        return False

    async def pause(self, store_id: str, *, by: str) -> None:
        self.asked.append(("pause", store_id))

    async def resume(self, store_id: str) -> None:
        self.asked.append(("resume", store_id))

    async def answers(self, store_id: str) -> Answers:
        step = 0 if self._name(store_id) in ("pending", "early", "running") else 3
        return Answers(
            step=step,
            week_start=6 if self._name(store_id) == "chosen" else 0,
            uses_costs=True,
            sixty_days=self._name(store_id) == "early",
            readers=(
                Reader("user-1", "Alice Harbor", "owner", True, True),
                Reader("user-2", "Bob Teammate", "member", False, False),
            ),
        )

    async def answer(self, store_id: str, **given: object) -> None:
        self.asked.append(("answer", store_id))

    async def tell(self, store: Ref, *, user_id: str, told: bool) -> None:
        self.asked.append(("tell", store.store_id))

    async def full_sync_s(self, store_id: str) -> float | None:
        return 712.0

    async def request(self, store_id: str, *, by: str, full: bool = False) -> str:
        self.asked.append(("request", store_id))
        if store_id == "id-stale":
            raise TooManySyncs(next_at=now() + timedelta(minutes=18), retry_after_s=1080)
        return "r2"

    async def retry(self, store_id: str, *, by: str, from_start: bool = False) -> str:
        self.asked.append(("retry", store_id))
        return "r1"

    async def cancel(self, store_id: str, *, by: str) -> None:
        self.asked.append(("cancel", store_id))

    async def manual_left(self, store_id: str) -> tuple[int, datetime | None]:
        return (0, now() + timedelta(minutes=18)) if store_id == "id-stale" else (2, None)

    async def signed_in(self, viewer: Person) -> list[SignedIn]:
        return [at for at in signed_in() if at.session_id not in self.ended]

    async def sign_out(self, viewer: Person, session_id: str) -> None:
        if session_id not in [at.session_id for at in await self.signed_in(viewer)]:
            raise NotFound("There is no such session.")
        self.ended.append(session_id)

    async def sign_out_elsewhere(self, viewer: Person) -> int:
        others = [at.session_id for at in await self.signed_in(viewer) if not at.this]
        self.ended.extend(others)
        return len(others)

    async def search(self, store: Ref, text: str) -> Found:
        if text == "broken":
            raise OSError("away")
        low = text.lower()
        titles = ("Fisherman Beanie", "Merino Crew, Slate", "Wool Socks, 3-pack", "Harbor Parka")
        names = ("Marta Fisher", "Ben Fishman")
        return Found(
            text,
            orders=(OrderHit("#1001", "2026-11-20", 7_313, "USD"),) if "1001" in text else (),
            products=tuple(
                ProductHit(at, title, "DRAFT" if at == 3 else "ACTIVE")
                for at, title in enumerate(titles, 1)
                if low in title.lower()
            ),
            customers=tuple(
                CustomerHit(at, name, at, 12_900 * at, "USD")
                for at, name in enumerate(names, 1)
                if low in name.lower()
            ),
            closed=() if store.may_orders else ("orders", "customers"),
        )

    def origin(self) -> str:
        return "https://brandmind.example.com"

    async def members(self, store: Ref) -> list[Member]:
        since = now() - timedelta(days=120)
        every = (True, True, True)
        return [
            Member("user-1", "Alice Harbor", store.role, None, since, *every),
            Member("user-2", "Bob Teammate", "member", None, since, False, True, False),
            Member("user-3", "Carla With A Very Long Family Name Indeed", "member",
                   now() - timedelta(days=3), since, *every),
        ]  # fmt: skip

    async def block(self, store: Ref, *, user_id: str) -> None:
        self.asked.append(("block", user_id))

    async def let_in(self, store: Ref, *, user_id: str) -> None:
        self.asked.append(("let_in", user_id))

    async def stored(self, store_id: str) -> Stored:
        names = "products variants orders order_lines order_sales refunds customers".split()
        if self._name(store_id) == "empty":
            return Stored(dict.fromkeys(names, 0), 0, None, None)
        many = (312, 1_204, 43_600, 98_112, 104_871, 2_209, 5_400)
        first = datetime(2023, 3, 4, tzinfo=UTC)
        return Stored(dict(zip(names, many, strict=True)), 41, first, now())

    async def privacy(self, store_id: str) -> list[dict[str, Any]]:
        return []

    async def erase(self, store: Ref, *, typed: str) -> None:
        if typed != store.domain:
            raise InvalidInput(f"Type {store.domain} to delete its data.", field="shop")
        self.asked.append(("erase", store.store_id))

    async def installation(self, viewer: Person) -> House:
        return stage_house.installation(INSTALLATION["kind"])

    async def store_story(self, viewer: Person, domain: str) -> StoreStory | None:
        return stage_house.story(domain)

    async def operate(self, viewer: Person, *, domain: str, what: str) -> int:
        self.asked.append((what, domain))
        return 2

    async def retry_failed(self, viewer: Person) -> tuple[int, int]:
        self.asked.append(("retry_failed", ""))
        return 1, 0

    async def replay_all(self, viewer: Person) -> int:
        self.asked.append(("replay_all", ""))
        return 2

    @asynccontextmanager
    async def watch(
        self, store_id: str, *, session_id: str
    ) -> AsyncIterator[AsyncIterator[StoreProgress]]:
        yield self._changes(store_id)

    async def _changes(self, store_id: str) -> AsyncIterator[StoreProgress]:
        if store_id == "id-live":
            for orders in range(4210, 12001, 1950):
                await asyncio.sleep(0.02)
                yield running(orders=orders)
            yield ready(status=StoreStatus.PARTIAL, reason="history")
        await asyncio.Event().wait()
        yield running()
