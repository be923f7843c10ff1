"""Alice's store full of things nobody else may see, the people around it, and what they get."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from reflex.state import StateUpdate
from reflex_base.event import Event
from reflex_base.event.processor.base_state_processor import BaseStateEventProcessor
from sqlmodel import SQLModel

import brandmind.brandmind
from brandmind.clock import monotonic_s, utc_now
from brandmind.db import portraits, rollups
from brandmind.db.portraits import Portrait
from brandmind.state import sample_portrait, sample_tables
from brandmind.state.guard import OnlyMarked
from tests.factories import Item, make_customer, make_order, make_product
from tests.identity_world import HARBOR, LEMON, PUBLIC, Somebody, World

APP = brandmind.brandmind.app
ALICE = Somebody(1, "Alice Harbor", owner=True)
BOB = Somebody(2, "Bob Teammate", scopes="read_products")
CHARLIE = Somebody(3, "Charlie Lemon", owner=True)
# Not to be guessed from the address, which everybody may know.
SHOP_NAME = "Zanzibar Secret Store"
ORDER_NAME = "secret-order"
PRODUCT = "Quetzal secret beanie"
NET = "$7,313"
DNA = "Quokka-led secret."
_OF_A_RUN = ("sync_stage", "sync_event")


@dataclass
class Tab:
    """A tab without a browser, as hostile as its owner likes; keeps all that it is sent."""

    processor: BaseStateEventProcessor
    cookie: str | None
    token: str
    sent: list[str] = field(default_factory=list)

    async def emit_update(self, *, update: StateUpdate, token: str) -> None:
        self.sent.append(repr((update.delta, update.events)))

    async def event(
        self,
        name: str,
        address: str,
        payload: dict[str, Any],
        *,
        enough: Iterable[str] = (),
        within_s: float = 30,
    ) -> None:
        """Sends an event and waits for its end; where it has none, until `enough` was heard."""
        headers = {"origin": PUBLIC, **({"cookie": self.cookie} if self.cookie else {})}
        told = {
            "pathname": address.partition("?")[0],
            "asPath": address,
            "headers": headers,
            "token": self.token,
            "query": {},
        }
        handed_in = await self.processor.enqueue(
            self.token, Event(name=name, router_data=told, payload=payload)
        )
        ends_at = monotonic_s() + within_s
        wanted = set(enough)
        while not handed_in.done() and not (wanted and wanted <= self.learnt(wanted)):
            await asyncio.wait({handed_in}, timeout=0.01)
            if monotonic_s() > ends_at:
                break
        if not handed_in.done():
            handed_in.cancel()
        # What it was refused with is no concern of a stranger; what it was told is in `sent`.
        with contextlib.suppress(Exception, asyncio.CancelledError):
            await handed_in

    def learnt(self, secrets: Iterable[str]) -> set[str]:
        """Which of these things it was told."""
        heard = "\n".join(self.sent)
        return {secret for secret in secrets if secret in heard}


class Neighbourhood:
    """Alice owns Harbor, Bob works there, Charlie owns another store; nobody is nobody."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.store_id = ""
        self.alice, self.bob, self.charlie, self.nobody = (world.browser() for _ in range(4))

    async def settle(self) -> None:
        self.store_id = await self.world.connect(self.alice, ALICE)
        await self.world.sign_in(self.bob, BOB)
        await self.world.connect(self.charlie, CHARLIE, LEMON)
        sql, now = self.world.sql, utc_now()
        await sql("UPDATE sync_run SET status = 'done', percent = 100")
        await sql("UPDATE sync_stage SET state = 'done'")
        await sql(
            "UPDATE store SET name = :name, currency = 'USD', last_synced_at = :now, "
            "history_done = true WHERE store_id = :store",
            name=SHOP_NAME,
            now=int(now.timestamp() * 1000) if self.world.rt.db.is_sqlite else now,
            store=self.store_id,
        )
        write = self.world.rt.db.write
        await write(make_product, self.store_id, 1, title=PRODUCT)
        await write(make_customer, self.store_id, 1, number_of_orders=1)
        await write(make_order, self.store_id, 1, now, [Item(731_300)], customer_id=1)
        await sql("UPDATE shop_order SET name = :name", name=ORDER_NAME)
        while await write(rollups.recount_dirty, self.store_id):
            pass
        told = json.loads(json.dumps(sample_portrait.store_dna(now.date()).portrait))
        told["signature"] = DNA
        tables = sample_tables.tables(now.date())
        await write(
            portraits.keep,
            self.store_id,
            Portrait(now.date(), 1, 12, {}, json.dumps(told), json.dumps(tables)),
            run_id="run",
        )

    async def leave(self) -> None:
        for browser in (self.alice, self.bob, self.charlie, self.nobody):
            await browser.aclose()

    def secrets(self) -> set[str]:
        """What nobody but a member may be told."""
        return {self.store_id, SHOP_NAME, ORDER_NAME, PRODUCT, NET, DNA, ALICE.name}

    async def everything_of_alice(self) -> str:
        """All rows of her store, to see whether one changed."""
        found = {}
        for name, table in sorted(SQLModel.metadata.tables.items()):
            if "store_id" in table.columns:
                chosen = "store_id = :store"
            elif name in _OF_A_RUN:
                chosen = "run_id IN (SELECT run_id FROM sync_run WHERE store_id = :store)"
            else:
                continue
            rows = await self.world.sql(f"SELECT * FROM {name} WHERE {chosen}", store=self.store_id)
            found[name] = sorted(repr(tuple(row)) for row in rows)
        assert {"store", "token", "sync_run", "shop_order", "membership"} <= set(found)
        rows = await self.world.sql(
            "SELECT s.session_id, s.revoked_at FROM session s JOIN session_store o "
            "ON o.session_id = s.session_id WHERE o.store_id = :store",
            store=self.store_id,
        )
        found["session"] = sorted(repr(tuple(row)) for row in rows)
        return json.dumps(found)

    def cookie_of(self, who: str) -> str | None:
        """The Cookie header of a person of the neighbourhood."""
        value = getattr(self, who).cookies.get("bm_session")
        return f"bm_session={value}" if value else None

    @asynccontextmanager
    async def tab(self, who: str) -> AsyncIterator[Tab]:
        """A tab of one of them, behind the same guard as in the product."""
        guard = OnlyMarked()

        class Guarded:
            async def _preprocess(self, state: Any, event: Any) -> Any:
                return await guard.preprocess(APP, state, event)

        processor = BaseStateEventProcessor(
            middleware=Guarded(),  # type: ignore[arg-type]
            graceful_shutdown_timeout=0.01,
        )
        made = Tab(processor, self.cookie_of(who), f"tab-of-{who}")
        processor.configure(event_namespace=made)  # type: ignore[arg-type]
        with APP.set_contexts():
            async with processor:
                yield made


ALICES_ADDRESSES = (
    *(
        f"{page}?shop={HARBOR}"
        for page in ("/", "/connect", "/syncing", "/command-center", "/settings", "/onboarding")
    ),
    # With her shop, too: without one a page follows the stranger's own store, and never ends.
    f"/admin?store={HARBOR}&shop={HARBOR}",
)
