"""Messages that a transaction left to be sent: delivered once, as files until mail is set up."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import orjson

from brandmind.clock import new_id
from brandmind.db import answers, outbox
from brandmind.runtime import Runtime

log = logging.getLogger(__name__)


async def deliver(rt: Runtime) -> int:
    """Write every unsent message into the outbox folder; how many were delivered.

    A message is marked sent only after its file stands under its final name, and its name is its
    id: a crash between the two writes the same file once more, never a second message.
    """
    delivered = 0
    for message in await rt.db.read(outbox.unsent, limit=20):
        # Asked for only now: who has lost their access since gets no letter any more.
        to = await rt.db.read(answers.addresses, message.store_id)
        if to is not None or message.kind != "store_ready":
            await asyncio.to_thread(_write, rt.settings.outbox_dir, message, to or [])
        await rt.db.write(outbox.sent, message.outbox_id)
        delivered += 1
    return delivered


def _write(folder: Path, message: outbox.Message, to: list[tuple[str, str]]) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = f"{message.created_at:%Y%m%d-%H%M%S}-{message.kind}-{message.outbox_id[:8]}.txt"
    # Two workers may write it at once: each its own half, the same whole.
    half = folder / f".{name}.{new_id()[:8]}"
    half.write_text(_text(message, to), encoding="utf-8")
    half.rename(folder / name)


def _text(message: outbox.Message, to: list[tuple[str, str]]) -> str:
    body = orjson.loads(message.body_json)
    if message.kind == "data_request":
        return _data_request(message.store_id, body)
    counts = [f"  {count:>9,} {what}" for what, count in body.get("counts", {}).items()]
    return "\n".join(
        [
            *(_to(name, address) for name, address in to),
            f"Subject: {body.get('store', 'Your store')} is ready",
            "",
            "Your store has been read, and every count was held against Shopify's own.",
            "",
            *counts,
            "",
            "Older orders follow in the background.",
            "",
        ]
    )


def _to(name: str, address: str) -> str:
    # A name is what a person has typed: it must not begin a line of its own.
    plain = "".join(letter for letter in name if letter.isprintable() and letter not in '<>"')
    return f'To: "{plain}" <{"".join(address.split())}>'


def _data_request(store_id: str, body: dict[str, str]) -> str:
    # Whose data it is stays out of the mail: the export itself opens only to who may see it.
    return "\n".join(
        [
            f"Subject: A customer of {body['store']} asked for their data",
            "",
            "Shopify passed on a customer's request. What BrandMind holds about them is ready for",
            "you for 30 days; sign in and open:",
            "",
            f"  /api/stores/{store_id}/privacy/{body['act']}",
            "",
        ]
    )
