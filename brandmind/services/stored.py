"""What is stored of a store: counted, taken along as an archive, deleted by its owner."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import logging
import zipfile
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from brandmind.clock import utc_now
from brandmind.commerce.shop import normalise_shop_domain
from brandmind.db import erasure, inbox, privacy_acts, pruning
from brandmind.db import sessions as session_rows
from brandmind.db import stored as rows
from brandmind.db import stores as store_rows
from brandmind.db.stored import Stored
from brandmind.errors import InvalidInput, NotAllowed, NotFound
from brandmind.services import dna, stores
from brandmind.services.sessions import StoreRef
from brandmind.services.sheets import cell

if TYPE_CHECKING:
    from brandmind.runtime import Runtime

__all__ = ["KEPT", "NEEDS", "Stored", "archive", "erase", "stored"]

log = logging.getLogger(__name__)

# How long what is kept, read only: each is the constant that the deletion goes by.
KEPT: Final[tuple[tuple[str, str], ...]] = (
    (
        "Products, orders, customers, portraits",
        "As long as the store is connected. All of it is deleted "
        f"{erasure.AFTER.total_seconds() / 3600:.0f} hours after an uninstall.",
    ),
    (
        "What Shopify tells by webhook",
        f"No more than ids, for {inbox.KEPT.total_seconds() / 3600:.0f} hours after it was done.",
    ),
    ("The story of each sync", f"{pruning.KEEP_DAYS} days."),
    (
        "The export for a customer who asked for their data",
        f"{privacy_acts.EXPORT_KEPT.days} days.",
    ),
    (
        "Where people are signed in",
        f"Until {session_rows.IDLE.days} days without use, {session_rows.LONGEST.days} at most.",
    ),
)  # fmt: skip
# What a person must be allowed to see for each table.
NEEDS: Final = {
    "products": ("may_products",),
    "variants": ("may_products",),
    "orders": ("may_orders",),
    "order_lines": ("may_orders",),
    "order_sales": ("may_orders",),
    "refunds": ("may_orders",),
    "customers": ("may_customers",),
}
# One archive of a store at a time: each reads all of it.
_at_work: set[str] = set()


async def stored(rt: Runtime, store_id: str) -> Stored:
    """What is stored of the store."""
    return await rt.db.read(rows.stored, store_id)


async def erase(rt: Runtime, store: StoreRef, *, typed: str) -> None:
    """Disconnect a store and delete all of it now, by its owner who has typed its address.

    Its syncs end and its tokens go at once; a worker removes the rows within seconds. Raises
    NotAllowed for whoever is not the owner, InvalidInput where something else was typed.
    """
    if store.role != "owner":
        raise NotAllowed("Only the owner of the account may delete a store's data.")
    try:
        meant = normalise_shop_domain(typed)
    except InvalidInput:
        meant = ""
    if meant != store.domain:
        raise InvalidInput(f"Type {store.domain} to delete its data.", field="shop")
    done = await stores.uninstall(rt, store.store_id, by=store.user_id)
    if done is not None:
        epoch = done.epoch
    else:
        found = await rt.db.read(store_rows.find, store.store_id)
        if found is None:
            raise NotFound
        epoch = found.epoch
    # If this is never reached, the uninstall's own timer deletes it two days later.
    await rt.db.write(erasure.order, store.store_id, epoch=epoch)
    log.info("store %s is deleted by its owner", store.store_id)


def archive(rt: Runtime, store: StoreRef) -> AsyncIterator[bytes]:
    """A ZIP of all that this person may see of the store, made while it is sent.

    A CSV a resource, amounts in minor units as they are stored, the newest portrait, and last the
    manifest, which says how many records each file has. Raises NotAllowed while another archive of
    the store is under way.
    """
    if store.store_id in _at_work:
        raise NotAllowed("An archive of this store is being made already. Try again in a minute.")
    return _archive(rt, store)


async def _archive(rt: Runtime, store: StoreRef) -> AsyncIterator[bytes]:
    sink = _Sink()
    # Not before: what is never begun is never ended either.
    _at_work.add(store.store_id)
    try:
        manifest: dict[str, Any] = {
            "shop": store.domain,
            "timezone": store.timezone,
            "made_at": utc_now().isoformat(),
            "money": "minor units of the row's currency, as stored",
            "files": {},
            "left_out": [],
        }
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as made:
            for name in rows.TABLES:
                if not all(getattr(store, right) for right in NEEDS[name]):
                    manifest["left_out"].append(f"{name}.csv: your Shopify account may not see it")
                    continue
                count = 0
                with made.open(f"{name}.csv", "w", force_zip64=True) as file:
                    header = rows.columns(name)
                    file.write(b"\xef\xbb\xbf" + _csv([header]))
                    after = 0
                    while found := await rt.db.read(rows.page, store.store_id, name, after=after):
                        text = await asyncio.to_thread(_csv, found)
                        file.write(text)
                        after, count = found[-1].shopify_id, count + len(found)
                        yield sink.taken()
                manifest["files"][f"{name}.csv"] = {"records": count, "columns": header}
            if store.may_orders and store.may_products and store.may_customers:
                portrait = await dna.store_dna(rt, store.store_id)
                if portrait is not None:
                    made.writestr("dna.json", json.dumps(portrait.portrait, indent=1))
                    manifest["files"]["dna.json"] = {"records": 1}
            made.writestr("manifest.json", json.dumps(manifest, indent=1))
        yield sink.taken()
    finally:
        _at_work.discard(store.store_id)


def _csv(lines: Sequence[Sequence[Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for line in lines:
        writer.writerow([_plain(value) for value in line])
    return out.getvalue().encode()


def _plain(value: Any) -> object:
    return value.isoformat() if isinstance(value, datetime) else cell(value)


class _Sink(io.RawIOBase):
    """What a ZIP is written to, and taken from as it grows."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._held += data
        return len(data)

    def taken(self) -> bytes:
        """What was written since the last time."""
        found, self._held = bytes(self._held), bytearray()
        return found
