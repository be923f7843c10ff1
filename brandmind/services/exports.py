"""Exports that outlive their run: cancelled with it, and their files swept."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from brandmind.db import slices
from brandmind.errors import BrandMindError
from brandmind.runtime import Runtime
from brandmind.shopify.client import ShopifyClient

log = logging.getLogger(__name__)

# A click on cancel does not wait for a shop that does not answer.
_PATIENCE_S: Final = 5.0


async def cancel(rt: Runtime, client: ShopifyClient, run_ids: Iterable[str]) -> int:
    """Stop what these ended runs have under way at Shopify and drop their files; how many.

    As well as it can be done: one that could not be reached is cancelled before the store's next
    export starts, and Shopify ends it in any case.
    """
    ended = tuple(run_ids)
    asked = await rt.db.read(slices.at_shopify, ended)
    stopped = 0
    try:
        async with asyncio.timeout(_PATIENCE_S):
            for one in asked:
                await client.query("bulk_cancel", {"id": one.operation})
                stopped += 1
    except (BrandMindError, TimeoutError) as error:
        log.warning("an export could not be cancelled: %s", type(error).__name__)
    _remove(file for file in _files(rt) if _run_of(file) in ended)
    return stopped


async def sweep(rt: Runtime) -> int:
    """Delete the files of exports whose run is over; how many."""
    files = _files(rt)
    if not files:
        return 0
    live = await rt.db.read(slices.live, {_run_of(file) for file in files})
    return _remove(file for file in files if _run_of(file) not in live)


async def tidy(rt: Runtime) -> None:
    """`sweep` after a piece of work: a run that failed or was cancelled leaves nobody's data."""
    try:
        await sweep(rt)
    except Exception as error:
        # They can wait; the run that comes next cannot.
        log.warning("the files of exports were not looked through: %s", type(error).__name__)


def _files(rt: Runtime) -> Sequence[Path]:
    return sorted(rt.settings.exports_dir.glob("*.*"))


def _run_of(file: Path) -> str:
    # brandmind.<store>-<epoch>-<run>-<reading>-<stage>-<slice>-<read_no>.jsonl
    parts = file.name.split("-")
    return parts[2] if len(parts) > 2 else ""


def _remove(files: Iterable[Path]) -> int:
    removed = 0
    for file in files:
        file.unlink(missing_ok=True)
        removed += 1
    return removed
