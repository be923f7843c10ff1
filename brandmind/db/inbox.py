"""Deliveries in SQL: accepted, taken up store by store in turns, settled, put off, put aside."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from brandmind.clock import monotonic_s
from brandmind.commerce.shop import granted
from brandmind.db import runs
from brandmind.db.grants import TOKEN
from brandmind.db.session import db_now
from brandmind.db.tables import INBOX, LIVE, STORE
from brandmind.db.types import to_ms
from brandmind.sync.deliveries import ALWAYS, READ_AGAIN, Act, Delivery
from brandmind.sync.stages import Stage

# Beyond this many waiting, a store is read again as a whole instead of delivery by delivery.
MOST_WAITING: Final = 10_000
MOST_ASIDE: Final = 1_000
# What is done is kept to know it again: Shopify repeats a delivery for four hours.
KEPT: Final = timedelta(hours=48)
MOST_DONE: Final = 20_000
TRIES: Final = 5
CHECK_EVERY: Final = timedelta(hours=24)

_ALWAYS: Final = tuple(act.value for act in ALWAYS)
_WAITS: Final = (INBOX.c.done_at.is_(None), INBOX.c.aside_at.is_(None))
_COUNTED_FOR_S: Final = 1.0
# Asked for every commit of the door, so by the driver: SQLAlchemy's list of parameters would cost
# as much as keeping ten deliveries.
_STORES: Final = {
    name: "SELECT store_id, domain, epoch, uninstalled_at IS NOT NULL AS gone FROM store "  # noqa: S608
    f"WHERE domain {among}"
    for name, among in (
        ("sqlite", "IN (SELECT value FROM json_each(?))"),
        ("postgresql", "= ANY(%s)"),
    )
}
_PILED_UP: Final = (
    sa.select(
        INBOX.c.store_id,
        sa.func.count().filter(INBOX.c.aside_at.is_(None)).label("waiting"),
        sa.func.count().filter(INBOX.c.aside_at.is_not(None)).label("aside"),
    )
    .where(
        INBOX.c.store_id.in_(sa.bindparam("store_ids", expanding=True)), INBOX.c.done_at.is_(None)
    )
    .group_by(INBOX.c.store_id)
)
_COLUMNS: Final = (
    "store_id", "webhook_id", "topic", "act", "stage", "shopify_id", "others", "epoch",
    "triggered_at", "received_at", "due_at", "tries", "note", "aside_at",
)  # fmt: skip
_KEEP_MANY: Final = postgresql.insert(INBOX).on_conflict_do_nothing(
    index_elements=["store_id", "webhook_id"]
)
_EXTRACTED: Final = ", ".join(f"json_extract(value, '$[{at}]')" for at in range(len(_COLUMNS)))
# All rows in one step of one statement. Row by row each would wait for Python's lock anew, which
# the event loop holds while it reads the next deliveries.
_KEEP_AS_ONE: Final = (
    f"INSERT INTO inbox ({', '.join(_COLUMNS)}) "  # noqa: S608 - names of our own table
    f"SELECT {_EXTRACTED} "
    "FROM json_each(?) WHERE true ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class Turn:
    """The right to work on a store's deliveries. Losing it costs only work done twice."""

    store_id: str
    turn: int
    epoch: int
    domain: str
    currency: str | None
    scopes: frozenset[str]
    installed: bool
    installed_at: datetime
    paused: bool
    # The merchant's choice: customers or not, and before when no order is read (None: all are).
    reads_customers: bool
    orders_from: datetime | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A delivery that is due."""

    webhook_id: str
    topic: str
    act: Act
    stage: Stage | None
    shopify_id: int | None
    others: tuple[int, ...]
    epoch: int
    tries: int
    triggered_at: datetime | None
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """How a store stands with its deliveries, for operators and the merchant."""

    waiting: int
    aside: int
    changed_at: datetime | None
    checked_at: datetime | None
    missing: tuple[str, ...]
    note: str


class Piles:
    """How much lies in the inbox, remembered between commits: counting takes longer than keeping.

    At most a second old and never too low by what this process kept. At the limit it is counted
    again, for much may have been settled since.
    """

    def __init__(self) -> None:
        self.waiting: dict[str, int] = {}
        self.aside: dict[str, int] = {}
        self._counted_s = -math.inf

    def look(self, session: Session, store_ids: Collection[str]) -> None:
        """Count again where what is remembered will not do for these stores."""
        if monotonic_s() - self._counted_s < _COUNTED_FOR_S and all(
            self.waiting.get(store_id, MOST_WAITING) < MOST_WAITING for store_id in store_ids
        ):
            return
        # Of these alone: what is remembered stays bounded by what comes in a second.
        self.waiting, self.aside = (dict.fromkeys(store_ids, 0) for _ in range(2))
        for row in session.execute(_PILED_UP, {"store_ids": list(store_ids)}):
            self.waiting[row.store_id], self.aside[row.store_id] = row.waiting, row.aside
        self._counted_s = monotonic_s()


def take(
    session: Session, deliveries: Sequence[Delivery], piles: Piles | None = None
) -> list[bool]:
    """Keep deliveries, each once; whether each may be answered as accepted.

    Accepted is also what needs no keeping: one that is known already, one of a shop that we do
    not know or have erased, and one too many of a store that is then read again as a whole.
    """
    stores = _stores(session, {one.domain for one in deliveries})
    if not stores:
        return [True] * len(deliveries)
    now = db_now(session)
    piles = piles or Piles()
    piles.look(session, [row.store_id for row in stores.values()])
    waiting, aside = piles.waiting, piles.aside
    verdicts: list[bool] = []
    rows: dict[tuple[str, str], tuple[Any, ...]] = {}
    flooded: set[str] = set()
    for one in deliveries:
        store = stores.get(one.domain)
        if store is None or (store.gone and one.act not in ALWAYS):
            verdicts.append(True)
            continue
        key = (store.store_id, one.webhook_id)
        if key in rows:
            verdicts.append(True)
            continue
        count = waiting.get(store.store_id, 0)
        if one.act is Act.UNREADABLE:
            count = aside.get(store.store_id, 0)
            if count < MOST_ASIDE:
                aside[store.store_id] = count + 1
                rows[key] = _row(one, store_id=store.store_id, epoch=store.epoch, now=now)
            verdicts.append(True)
            continue
        if count >= MOST_WAITING and one.act in READ_AGAIN:
            flooded.add(store.store_id)
            verdicts.append(True)
            continue
        if count >= 2 * MOST_WAITING:
            verdicts.append(False)
            continue
        waiting[store.store_id] = count + 1
        rows[key] = _row(one, store_id=store.store_id, epoch=store.epoch, now=now)
        verdicts.append(True)
    if rows:
        # Sorted, so that two processes that keep the same deliveries never wait in a ring.
        _put(session, [rows[key] for key in sorted(rows)])
    if flooded:
        session.execute(
            sa.update(STORE)
            .where(
                STORE.c.store_id.in_(sorted(flooded)),
                sa.or_(STORE.c.next_sync_at.is_(None), STORE.c.next_sync_at > now),
            )
            .values(next_sync_at=now)
        )
    return verdicts


def keep_own(
    session: Session,
    turn: Turn,
    stage: Stage,
    ids: Iterable[int],
    *,
    cause: str,
    delay_s: float = 0.0,
) -> None:
    """Deliveries of our own making: records that another delivery has changed as well."""
    now = db_now(session)
    one = Delivery("", "", f"{stage.value}/update", Act.REFETCH, stage)
    due_at = now + timedelta(seconds=delay_s)
    rows = [
        _row(
            one._replace(webhook_id=f"{cause}:{shopify_id}"[:128], shopify_id=shopify_id),
            store_id=turn.store_id,
            epoch=turn.epoch,
            now=now,
            due_at=due_at,
        )
        for shopify_id in ids
    ]
    if rows:
        _put(session, rows)


def next_due(session: Session, *, store_id: str | None = None) -> str | None:
    """The store whose delivery has been due longest and whose turn nobody has; its id."""
    held = sa.select(LIVE.c.store_id).where(LIVE.c.owner != "")
    query = (
        sa.select(INBOX.c.store_id)
        .join(STORE, STORE.c.store_id == INBOX.c.store_id)
        .where(
            *_WAITS,
            INBOX.c.due_at <= db_now(session),
            INBOX.c.store_id.not_in(held),
            sa.or_(STORE.c.paused_at.is_(None), INBOX.c.act.in_(_ALWAYS)),
        )
        .group_by(INBOX.c.store_id)
        .order_by(sa.func.min(INBOX.c.due_at))
        .limit(1)
    )
    if store_id is not None:
        query = query.where(INBOX.c.store_id == store_id)
    return session.scalar(query)


def next_check(session: Session, *, fingerprint: str) -> str | None:
    """A store whose subscriptions should be looked at now, None if there is none; its id.

    Of stores that were connected through our app: the webhooks of others are signed with a
    secret that we do not know. `fingerprint` is where deliveries should go.
    """
    return session.scalar(
        sa.select(STORE.c.store_id)
        .join(TOKEN, TOKEN.c.store_id == STORE.c.store_id)
        .outerjoin(LIVE, LIVE.c.store_id == STORE.c.store_id)
        .where(
            STORE.c.uninstalled_at.is_(None),
            TOKEN.c.grant_kind == "oauth",
            # A grant that Shopify refuses for good waits for the merchant.
            sa.or_(TOKEN.c.refresh_sealed.is_not(None), TOKEN.c.access_expires_at.is_(None)),
            sa.or_(
                LIVE.c.store_id.is_(None),
                sa.and_(
                    LIVE.c.owner == "",
                    sa.or_(
                        LIVE.c.check_at <= db_now(session),
                        LIVE.c.check_at.is_(None),
                        LIVE.c.checked_for != _checked_for(fingerprint),
                    ),
                ),
            ),
        )
        .limit(1)
    )


def begin(session: Session, store_id: str, *, owner: str) -> Turn | None:
    """The turn of that store, None if somebody has it."""
    session.execute(
        _insert(session)(LIVE)
        .values(store_id=store_id, **_QUIET)
        .on_conflict_do_nothing(index_elements=["store_id"])
    )
    turn = session.scalar(
        sa.update(LIVE)
        .where(LIVE.c.store_id == store_id, LIVE.c.owner == "")
        .values(owner=owner, turn=LIVE.c.turn + 1, beat=LIVE.c.beat + 1)
        .returning(LIVE.c.turn)
    )
    if turn is None:
        return None
    store = session.execute(sa.select(STORE).where(STORE.c.store_id == store_id)).one()
    scopes = frozenset(part for part in store.scopes.split(",") if part)
    selection = runs.selection_of(store)
    return Turn(
        store_id=store_id,
        turn=turn,
        epoch=store.epoch,
        domain=store.domain,
        currency=store.currency,
        scopes=scopes,
        installed=store.uninstalled_at is None,
        installed_at=store.installed_at,
        paused=store.paused_at is not None,
        reads_customers=selection.customers and granted(scopes, "read_customers"),
        orders_from=selection.oldest(db_now(session)),
    )


def give_back(session: Session, turn: Turn) -> None:
    """End a turn; nothing happens if it was taken over."""
    session.execute(
        sa.update(LIVE)
        .where(LIVE.c.store_id == turn.store_id, LIVE.c.turn == turn.turn)
        .values(owner="")
    )


def held(session: Session) -> list[tuple[str, int, int, str]]:
    """(store_id, turn, beat, owner) of every turn that somebody has."""
    return [
        (row.store_id, row.turn, row.beat, row.owner)
        for row in session.execute(
            sa.select(LIVE.c.store_id, LIVE.c.turn, LIVE.c.beat, LIVE.c.owner).where(
                LIVE.c.owner != ""
            )
        )
    ]


def free(session: Session, store_id: str, *, turn: int, beat: int) -> bool:
    """Take a turn from an owner who is dead; False if it moved meanwhile."""
    found = session.execute(
        sa.update(LIVE)
        .where(LIVE.c.store_id == store_id, LIVE.c.turn == turn, LIVE.c.beat == beat)
        .values(owner="")
        .returning(LIVE.c.store_id)
    ).first()
    return found is not None


def due(session: Session, store_id: str, *, limit: int, always: bool = False) -> list[Waiting]:
    """The store's due deliveries, longest waiting first; with `always` only those that are done
    although the store is paused or gone."""
    query = (
        sa.select(INBOX)
        .where(INBOX.c.store_id == store_id, *_WAITS, INBOX.c.due_at <= db_now(session))
        .order_by(INBOX.c.due_at, INBOX.c.webhook_id)
        .limit(limit)
    )
    if always:
        query = query.where(INBOX.c.act.in_(_ALWAYS))
    return [
        Waiting(
            webhook_id=row.webhook_id,
            topic=row.topic,
            act=Act(row.act),
            stage=Stage(row.stage) if row.stage else None,
            shopify_id=row.shopify_id,
            others=_numbers(row.others),
            epoch=row.epoch,
            tries=row.tries,
            triggered_at=row.triggered_at,
            received_at=row.received_at,
        )
        for row in session.execute(query)
    ]


def age_s(session: Session, received_at: datetime) -> float:
    """How long ago that was, on the database's clock."""
    return (db_now(session) - received_at).total_seconds()


def settle(session: Session, store_id: str, webhook_ids: Collection[str], *, note: str = "") -> int:
    """Note that these deliveries are done with; how many were still waiting."""
    return _change(
        session, store_id, webhook_ids, done_at=db_now(session), note=note, others="", tries=0
    )


def put_off(
    session: Session,
    store_id: str,
    webhook_ids: Collection[str],
    *,
    delay_s: float,
    note: str,
    counts_as_try: bool = False,
) -> None:
    """Look at these deliveries again in `delay_s`. After its last try one is put aside."""
    now = db_now(session)
    values: dict[str, Any] = {"due_at": now + timedelta(seconds=delay_s), "note": note}
    if counts_as_try:
        values["tries"] = INBOX.c.tries + 1
    _change(session, store_id, webhook_ids, **values)


def put_aside(session: Session, store_id: str, webhook_ids: Collection[str], *, note: str) -> None:
    """Nobody can do these: they lie aside until somebody replays them."""
    _change(session, store_id, webhook_ids, aside_at=db_now(session), note=note)


def replay(session: Session, store_id: str) -> int:
    """Put what lies aside of a store back; how many deliveries that were."""
    result = session.execute(
        sa.update(INBOX)
        .where(
            INBOX.c.store_id == store_id,
            INBOX.c.aside_at.is_not(None),
            INBOX.c.act != Act.UNREADABLE.value,
        )
        .values(aside_at=None, due_at=db_now(session), tries=0, note="")
        .returning(INBOX.c.webhook_id)
    )
    return len(result.all())


def aside(session: Session, store_id: str, *, limit: int = 100) -> list[Any]:
    """What lies aside, newest first: webhook_id, topic, shopify_id, received_at, note."""
    return list(
        session.execute(
            sa.select(
                INBOX.c.webhook_id,
                INBOX.c.topic,
                INBOX.c.shopify_id,
                INBOX.c.received_at,
                INBOX.c.note,
            )
            .where(INBOX.c.store_id == store_id, INBOX.c.aside_at.is_not(None))
            .order_by(INBOX.c.received_at.desc(), INBOX.c.webhook_id)
            .limit(limit)
        )
    )


def standing(session: Session, store_id: str) -> Standing:
    """How a store stands with its deliveries."""
    counts = session.execute(
        sa.select(
            sa.func.count().filter(INBOX.c.aside_at.is_(None)).label("waiting"),
            sa.func.count().filter(INBOX.c.aside_at.is_not(None)).label("aside"),
        ).where(INBOX.c.store_id == store_id, INBOX.c.done_at.is_(None))
    ).one()
    live = session.execute(sa.select(LIVE).where(LIVE.c.store_id == store_id)).first()
    return Standing(
        waiting=counts.waiting,
        aside=counts.aside,
        changed_at=live.changed_at if live else None,
        checked_at=live.checked_at if live else None,
        missing=tuple(filter(None, live.missing.split(","))) if live else (),
        note=live.note if live else "",
    )


def missing(session: Session) -> list[tuple[str, list[str], str]]:
    """(domain, topics, reason) of the connected stores that lack subscriptions."""
    return [
        (row.domain, row.missing.split(","), row.note)
        for row in session.execute(
            sa.select(STORE.c.domain, LIVE.c.missing, LIVE.c.note)
            .join(LIVE, LIVE.c.store_id == STORE.c.store_id)
            .where(STORE.c.uninstalled_at.is_(None), LIVE.c.missing != "")
            .order_by(STORE.c.domain)
        )
    ]


def checked(
    session: Session, turn: Turn, *, fingerprint: str, missing: Sequence[str], note: str
) -> None:
    """Note how the subscriptions of a store were found and left; the next look is in a day."""
    now = db_now(session)
    session.execute(
        sa.update(LIVE)
        .where(LIVE.c.store_id == turn.store_id, LIVE.c.turn == turn.turn)
        .values(
            checked_for=_checked_for_turn(fingerprint, turn),
            checked_at=now,
            check_at=now + CHECK_EVERY,
            missing=",".join(missing),
            note=note,
        )
    )


def check_later(
    session: Session, turn: Turn, *, fingerprint: str, delay_s: float, note: str
) -> None:
    """The subscriptions could not be looked at: again in `delay_s`."""
    session.execute(
        sa.update(LIVE)
        .where(LIVE.c.store_id == turn.store_id, LIVE.c.turn == turn.turn)
        .values(
            checked_for=_checked_for_turn(fingerprint, turn),
            check_at=db_now(session) + timedelta(seconds=delay_s),
            note=note,
        )
    )


def untold(session: Session) -> list[tuple[str, int]]:
    """(store_id, seq) of stores with a change by deliveries that no watcher was told of."""
    return [
        (row.store_id, row.seq)
        for row in session.execute(
            sa.select(LIVE.c.store_id, LIVE.c.seq).where(LIVE.c.told_seq < LIVE.c.seq).limit(100)
        )
    ]


def told(session: Session, store_id: str, seq: int) -> None:
    """Note that watchers were told of a store's changes up to `seq`."""
    session.execute(
        sa.update(LIVE)
        .where(LIVE.c.store_id == store_id, LIVE.c.told_seq < seq)
        .values(told_seq=seq)
    )


def seq_of(session: Session, store_id: str) -> int:
    """The number of changes that deliveries brought to a store."""
    return int(session.scalar(sa.select(LIVE.c.seq).where(LIVE.c.store_id == store_id)) or 0)


def purge(session: Session, store_id: str) -> int:
    """Forget a store's settled deliveries that nobody repeats any more; how many those were."""
    now = db_now(session)
    mine = (INBOX.c.store_id == store_id, INBOX.c.done_at.is_not(None))
    newest_kept = session.scalar(
        sa.select(INBOX.c.done_at)
        .where(*mine)
        .order_by(INBOX.c.done_at.desc())
        .offset(MOST_DONE)
        .limit(1)
    )
    until = max(filter(None, (now - KEPT, newest_kept)))
    gone = session.execute(
        sa.delete(INBOX).where(*mine, INBOX.c.done_at <= until).returning(INBOX.c.webhook_id)
    )
    return len(gone.all())


def stores_with_settled(session: Session) -> list[str]:
    """The stores that have settled deliveries."""
    return list(
        session.scalars(sa.select(INBOX.c.store_id).where(INBOX.c.done_at.is_not(None)).distinct())
    )


def _change(session: Session, store_id: str, webhook_ids: Collection[str], **values: Any) -> int:
    ids = sorted(webhook_ids)
    changed = 0
    for at in range(0, len(ids), 500):
        found = session.execute(
            sa.update(INBOX)
            .where(
                INBOX.c.store_id == store_id,
                INBOX.c.webhook_id.in_(ids[at : at + 500]),
                *_WAITS,
            )
            .values(**values)
            .returning(INBOX.c.webhook_id)
        )
        changed += len(found.all())
    return changed


def _stores(session: Session, domains: Collection[str]) -> dict[str, Any]:
    """The stores of these domains, by domain."""
    connection = session.connection()
    name = connection.dialect.name
    told = orjson.dumps(list(domains)).decode() if name == "sqlite" else list(domains)
    return {row.domain: row for row in connection.exec_driver_sql(_STORES[name], (told,))}


def _put(session: Session, rows: list[tuple[Any, ...]]) -> None:
    """Keep rows as `_row` makes them, but for those whose delivery is kept already."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(_KEEP_MANY, [dict(zip(_COLUMNS, row, strict=True)) for row in rows])
        return
    # SQLite has moments as whole milliseconds.
    told = orjson.dumps(rows, default=to_ms, option=orjson.OPT_PASSTHROUGH_DATETIME).decode()
    session.connection().exec_driver_sql(_KEEP_AS_ONE, (told,))


def _row(
    one: Delivery, *, store_id: str, epoch: int, now: datetime, due_at: datetime | None = None
) -> tuple[Any, ...]:
    """A row of the inbox, by `_COLUMNS`."""
    unreadable = one.act is Act.UNREADABLE
    return (
        store_id,
        one.webhook_id,
        one.topic,
        one.act.value,
        one.stage.value if one.stage else "",
        one.shopify_id,
        ",".join(map(str, one.others)),
        epoch,
        one.triggered_at,
        now,
        due_at or now,
        0,
        "the body could not be read" if unreadable else "",
        now if unreadable else None,
    )


def _insert(session: Session) -> Any:
    return postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(",") if part)


def _checked_for(fingerprint: str) -> Any:
    """What the subscriptions of a store should have been compared with."""
    return (
        sa.literal(f"{fingerprint} ")
        + STORE.c.scopes
        + sa.literal(" ")
        + sa.cast(STORE.c.epoch, sa.String)
    )


def _checked_for_turn(fingerprint: str, turn: Turn) -> str:
    return f"{fingerprint} {','.join(sorted(turn.scopes))} {turn.epoch}"


# Core inserts know no defaults of the mapped class.
_QUIET: Final[dict[str, Any]] = {
    "owner": "",
    "turn": 0,
    "beat": 0,
    "seq": 0,
    "told_seq": 0,
    "checked_for": "",
    "missing": "",
    "note": "",
}
