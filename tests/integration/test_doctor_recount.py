"""The operator's recount: right sums pass, one wrong penny is named."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import sqlalchemy as sa

from brandmind.db import rollups
from brandmind.db.session import Database
from brandmind.db.tables import DAILY_SALES, PRODUCT_SALES
from brandmind.launch.keys import new_key
from tests.factories import Change, Item, make_order, make_store, utc


def doctor(url: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "brandmind", "doctor", "--recount"],
        env=os.environ
        | {
            "BRANDMIND_DATABASE_URL": url,
            "BRANDMIND_DATA_DIR": str(folder),
            "BRANDMIND_ENCRYPTION_KEYS": new_key(),
        },
        capture_output=True,
        text=True,
    )


def test_right_sums_pass_and_a_wrong_one_is_named(database_url: str, tmp_path: Path) -> None:
    db = Database(database_url)
    store = db.write_now(make_store, "alice")
    for number, day in enumerate(("2026-11-01", "2026-11-02"), 1):
        back = Change(utc("2026-11-05 15:00"), -1_000, quantity=-1)
        db.write_now(make_order, store, number, utc(f"{day} 15:00"), [Item(5_000)], [back])
    while db.write_now(rollups.recount_dirty, store):
        pass
    done = doctor(database_url, tmp_path)
    # Three days of 16 figures each, and a product on each of them with 5.
    assert (done.returncode, done.stdout) == (
        0,
        "ok       alice.myshopify.com  63 figures, 0 differ\n",
    ), done.stderr
    for table, name in ((DAILY_SALES, "net_minor"), (PRODUCT_SALES, "units")):
        db.write_now(
            lambda session, table=table, name=name: session.execute(
                sa.update(table).where(table.c.day == "2026-11-05").values({name: 77})
            )
        )
    done = doctor(database_url, tmp_path)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "WRONG    alice.myshopify.com  63 figures, 2 differ",
        "         2026-11-05 USD: net_minor is stored as 77, counted as -2,000",
        "         2026-11-05 USD: units of product 1 is stored as 77, counted as -2",
    ]
    db.close()


def test_days_that_wait_for_a_recount_are_said_to(sqlite_url: str, tmp_path: Path) -> None:
    db = Database(sqlite_url)
    store = db.write_now(make_store, "alice")
    db.write_now(make_order, store, 1, utc("2026-11-01 15:00"))
    db.close()
    done = doctor(sqlite_url, tmp_path)
    assert done.returncode == 0
    assert "1 days wait for a recount" in done.stdout
