"""`brandmind sync` and `brandmind stores …` as an operator types them: words and exit codes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from io import StringIO
from pathlib import Path

import pytest
import sqlalchemy as sa

from brandmind.db.tables import RUN, STAGE
from brandmind.runtime import Runtime
from brandmind.services import by_hand, following, stores
from tests.faults.ground import KEY, ROOT, Shop, settings_for, standing

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
async def rt(tmp_path: Path, sqlite_url: str, shopify: str) -> AsyncIterator[Runtime]:
    settings = settings_for(tmp_path, database_url=sqlite_url, shopify=shopify)
    async with standing(settings, rings=False) as ground:
        yield ground.rt


async def _connected(rt: Runtime, shopify: str) -> Shop:
    shop = Shop(shopify, orders=80, products=10, customers=20)
    await by_hand.with_token(rt, shop.domain, await asyncio.to_thread(shop.token))
    return shop


async def _started(rt: Runtime, *arguments: str) -> asyncio.subprocess.Process:
    settings = rt.settings
    environment = os.environ | {
        "BRANDMIND_DATA_DIR": str(settings.data_dir),
        "BRANDMIND_DATABASE_URL": settings.database_url,
        "BRANDMIND_SHOPIFY_ORIGIN": settings.shopify_origin,
        "BRANDMIND_ENCRYPTION_KEYS": f"test:{KEY}",
    }
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "brandmind",
        *arguments,
        cwd=ROOT,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def _said(rt: Runtime, *arguments: str) -> tuple[int, str]:
    process = await _started(rt, *arguments)
    out, err = await process.communicate()
    return process.returncode or 0, (out + err).decode()


async def test_a_store_is_paused_listed_and_resumed(rt: Runtime, shopify: str) -> None:
    shop = await _connected(rt, shopify)
    code, said = await _said(rt, "stores", "pause", shop.domain, "--by", "Olga")
    assert (code, said.split(".")[0]) == (0, shop.domain.split(".")[0])
    code, said = await _said(rt, "stores", "list")
    assert code == 0
    assert shop.domain in said
    assert "by Olga" in said
    code, said = await _said(rt, "sync", shop.domain, "--inline")
    # Its first sync is queued already, and stays so while the store rests.
    assert code == 1
    assert "Paused by Olga on" in said
    assert (await _said(rt, "stores", "resume", shop.domain))[0] == 0
    code, said = await _said(rt, "sync", shop.domain, "--inline")
    assert code == 0, said
    assert "Counts match Shopify." in said


async def test_a_store_nobody_knows_is_one_line_and_exit_1(rt: Runtime) -> None:
    for command in (("sync",), ("stores", "pause"), ("stores", "resume")):
        code, said = await _said(rt, *command, "nobodys.myshopify.com")
        assert code == 1
        assert said.startswith("nobodys.myshopify.com is not connected.")


async def test_ctrl_c_stops_following_and_says_so(rt: Runtime, shopify: str) -> None:
    shop = await _connected(rt, shopify)
    shop.hold_after(6)
    process = await _started(rt, "sync", shop.domain, "--inline")
    while not await asyncio.to_thread(lambda: shop.waiting):
        assert process.returncode is None
    process.send_signal(signal.SIGINT)
    out, err = await process.communicate()
    assert process.returncode == 130
    assert b"What was read is kept" in out + err
    assert b"Traceback" not in out + err
    shop.go_on()
    code, said = await _said(rt, "sync", shop.domain, "--inline")
    assert code == 0, said


async def _end_as(rt: Runtime, shop: Shop, *, stage: str, run: str = "done") -> int:
    """The exit code of following a store whose runs have ended like that."""
    store = await stores.by_domain(rt, shop.domain)

    def end(session: sa.orm.Session) -> None:
        session.execute(
            sa.update(STAGE).where(STAGE.c.stage == "orders").values(state=stage, note="Told.")
        )
        session.execute(sa.update(RUN).where(RUN.c.kind == "full").values(status=run))

    await rt.db.write(end)
    out = StringIO()
    line = following._Line(out)
    last = await following.syncs.progress(rt, store.store_id)
    return following._conclude(last, line, history=True)


async def test_the_exit_code_tells_whole_limited_short_and_failed(
    rt: Runtime, shopify: str
) -> None:
    shop = await _connected(rt, shopify)
    code, said = await _said(rt, "sync", shop.domain, "--inline")
    assert code == 0, said
    assert await _end_as(rt, shop, stage="done") == following.COMPLETED
    assert await _end_as(rt, shop, stage="restricted") == following.COMPLETED
    assert await _end_as(rt, shop, stage="gap") == following.GAP == 3
    assert await _end_as(rt, shop, stage="done", run="failed") == following.FAILED == 1
    assert await _end_as(rt, shop, stage="done", run="cancelled") == 1


async def test_a_part_is_read_by_itself_and_a_wrong_name_is_refused(
    rt: Runtime, shopify: str
) -> None:
    shop = await _connected(rt, shopify)
    assert (await _said(rt, "sync", shop.domain, "--inline"))[0] == 0
    code, said = await _said(rt, "sync", shop.domain, "--inline", "--only", "products", "--full")
    assert code == 0, said
    (run,) = await rt.db.read(
        lambda s: s.execute(sa.select(RUN.c.kind).where(RUN.c.only == "products")).all()
    )
    assert run.kind == "full"
    code, said = await _said(rt, "sync", shop.domain, "--only", "prodcuts")
    assert code == 1
    assert "'prodcuts' is none of them" in said
    code, said = await _said(rt, "sync", shop.domain, "--full", "--incremental")
    assert (code, said) == (1, "Choose --full or --incremental, not both.\n")
