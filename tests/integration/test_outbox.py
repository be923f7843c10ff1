"""Messages become files once, whatever dies in between."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from brandmind.clock import utc_now
from brandmind.db.tables import OUTBOX
from brandmind.runtime import open_runtime
from brandmind.services import outbox
from brandmind.settings import Settings


def _settings(url: str, folder: Path) -> Settings:
    return Settings.load(
        database_url=url, data_dir=folder, encryption_keys="demo1:" + "MDEy" * 10 + "MDE="
    )


def _insert(session: Any) -> None:
    session.execute(
        sa.insert(OUTBOX).values(
            outbox_id="0" * 32,
            store_id="a11ce00000",
            kind="store_ready",
            cause="store_ready:a11ce00000:1",
            body_json='{"store": "Harbor & Pine", "counts": {"products": 312, "orders": 12000}}',
            created_at=utc_now(),
            attempts=0,
        )
    )


async def test_a_message_is_written_once_even_by_two_workers(
    database_url: str, tmp_path: Path
) -> None:
    settings = _settings(database_url, tmp_path)
    async with open_runtime(settings, jobs=False) as one:
        await one.db.write(_insert)
        await asyncio.gather(outbox.deliver(one), outbox.deliver(one))
        assert await outbox.deliver(one) == 0
        (written,) = settings.outbox_dir.iterdir()
        text = written.read_text()
    assert "Subject: Harbor & Pine is ready" in text
    assert "12,000 orders" in text
