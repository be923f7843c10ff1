"""`brandmind keys rotate` dies in its midst: every token stays readable, the next run ends it."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import Session

from brandmind.db import grants
from brandmind.db.cipher import Cipher
from brandmind.db.grants import SealedGrant
from brandmind.db.session import Database
from tests.factories import make_store

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

ROOT = Path(__file__).resolve().parents[2]
STORES = 300
OLD = ("k1", b"0123456789abcdef0123456789abcdef")
NEW = ("k2", b"fedcba9876543210fedcba9876543210")
BOTH = Cipher([NEW, OLD])


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


def plain(store_id: str, purpose: str) -> str:
    return f"shp-{purpose}-of-{store_id}"


def fill(session: Session) -> None:
    """Many stores with tokens under the old key; every fifth has none to refresh."""
    old = Cipher([OLD])
    for number in range(STORES):
        store_id = make_store(session, f"shop-{number:03}")
        session.flush()

        def sealed(purpose: str, store_id: str = store_id) -> str:
            return old.seal(plain(store_id, purpose), store_id=store_id, purpose=purpose)

        refresh = sealed("refresh") if number % 5 else None
        grants.put(session, store_id, SealedGrant("oauth", sealed("access"), refresh, None, None))


async def rotated(db: Database, *, under: Cipher = BOTH) -> int:
    """How many stores are sealed under the new key, having opened every token there is."""
    rows = await db.read(grants.every_sealed)
    assert len(rows) == STORES
    for store_id, generation, access, refresh in rows:
        assert generation == 1
        assert under.open(access, store_id=store_id, purpose="access") == plain(store_id, "access")
        if refresh is not None:
            opened = under.open(refresh, store_id=store_id, purpose="refresh")
            assert opened == plain(store_id, "refresh")
            # Both of a store go over together.
            assert BOTH.is_newest(refresh) == BOTH.is_newest(access)
    return sum(BOTH.is_newest(row[2]) for row in rows)


def rotate(database_url: str, folder: Path) -> subprocess.Popen[str]:
    keys = ",".join(f"{name}:{base64.b64encode(key).decode()}" for name, key in (NEW, OLD))
    told = {
        "BRANDMIND_DATABASE_URL": database_url,
        "BRANDMIND_ENCRYPTION_KEYS": keys,
        "BRANDMIND_DATA_DIR": str(folder),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "brandmind", "keys", "rotate"],
        cwd=ROOT,
        env=os.environ | told,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize("after", [1, 80, 200])
async def test_a_rotation_that_is_killed_loses_nothing_and_is_ended_by_the_next(
    db: Database, database_url: str, tmp_path: Path, after: int
) -> None:
    await db.write(fill)
    assert await rotated(db) == 0
    with rotate(database_url, tmp_path) as process:
        ends_at = time.monotonic() + 200
        # Killed by what it did and not by the clock.
        while await rotated(db) < after:
            assert process.poll() is None, process.stdout and process.stdout.read()
            assert time.monotonic() < ends_at
        process.kill()
        process.wait()
    done = await rotated(db)
    assert after <= done < STORES, "it was not killed in its midst"
    with rotate(database_url, tmp_path) as process:
        while process.poll() is None:
            await rotated(db)
        assert process.stdout is not None
        assert process.stdout.read().strip() == f"{STORES - done} stores sealed again."
    assert process.returncode == 0
    # The old key can go.
    assert await rotated(db, under=Cipher([NEW])) == STORES
    with rotate(database_url, tmp_path) as process:
        assert process.communicate()[0].strip() == "0 stores sealed again."
