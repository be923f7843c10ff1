"""What the local Shopify plants in a shop of 5,000 orders is found by the portrait: twenty seeds.

An interval of 95 % misses one seed in twenty by its nature, so 17 of 20 are asked for.
"""

from __future__ import annotations

import asyncio
import math
import re
import shutil
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from brandmind.clock import utc_now
from brandmind.commerce.shop import zone
from brandmind.db import facts, migrate, upserts
from brandmind.db.session import Database
from brandmind.db.tables import STORE
from brandmind.dna import cuts, profile
from brandmind.dna.measure import along, wilson
from brandmind.dna.pairs import Rule, pairs
from brandmind.dna.year import Year
from brandmind.services import dna, syncs
from brandmind.simulator.brand import Brand
from brandmind.simulator.config import ShopConfig
from brandmind.simulator.planting import PEAK_MONTHS, Plant
from brandmind.sync.stages import Stage
from tests.contract.local_shopify import local_shopify
from tests.factories import make_store, utc
from tests.faults.ground import Shop, settings_for, standing
from tests.planted_shop import moment, records

pytestmark = pytest.mark.timeout(1_800)

SEEDS = range(1, 21)
ENOUGH = 17
ZONE = "America/New_York"
NOW = utc("2026-11-20 17:00")
AS_OF = date(2026, 11, 20)
NAME = "harbor-and-pine"
SIZES = {"orders": 5_000, "products": 60, "customers": 5_000}
PLANT = Plant(repeat=0.3, peak=2.0, hero=0.4, discount=0.25, pair=0.2)
# With how many points of half-width, at most, a share is told at 5,000 orders. What seasonality
# tells is no share: its score stretches one four times (6 / 1.5), and is looked at as the share.
WIDEST = 5.0
STRETCH = {"seasonality": 4.0}


@dataclass(frozen=True)
class Found:
    """What a portrait says of one seed, and what was planted."""

    strands: dict[str, Any]
    rules: list[Rule]
    orders: int
    planted: dict[str, Any]


def planted_scores(planted: dict[str, Any]) -> dict[str, float]:
    """The score that each planted truth means, by the strands' definitions."""
    often = planted["discount"]
    # As many first orders have it as others; a tenth is a third of the depth that counts fully.
    discount = 100 * (0.5 * often + 0.3 * (0.1 * often / 0.3) + 0.2 * often)
    peak_days, days = 30 + 31, 365
    peak = planted["peak"] * peak_days / (planted["peak"] * peak_days + days - peak_days)
    effective, count = planted["effective_products"], planted["products"]
    return {
        "loyalty": along(cuts.LOYALTY_POINTS, planted["repeat"]),
        "discount": discount,
        "seasonality": 100 * (6 * peak - 1) / 1.5,
        "range": 100 * (1 - math.log(effective) / math.log(count)),
        "basket": 100 * planted["pair"],
    }


def portrait_of(db: Database, seed: int, *, now: datetime = NOW, as_of: date = AS_OF) -> Found:
    config = ShopConfig(seed=seed, as_of=int(now.timestamp()), timezone=ZONE, plant=PLANT, **SIZES)
    brand = Brand(f"{NAME}.myshopify.com", config)
    assert brand.planted is not None
    opened = moment(config.as_of - 458 * 86_400)
    store = db.write_now(make_store, "planted", timezone=ZONE)
    db.write_now(lambda s: s.execute(sa.update(STORE).values(shop_created_at=opened)))
    for stage, found in zip(
        (Stage.PRODUCTS, Stage.ORDERS, Stage.CUSTOMERS), records(brand), strict=True
    ):
        db.write_now(
            upserts.land, store, stage=stage, records=found, read_no=1, first_read_no=1,
            tz=zone(ZONE),
        )  # fmt: skip
    year = Year(db.read_now(facts.load, store, as_of=as_of).facts)
    rules = pairs(year.baskets)
    plain = profile.to_plain(profile.read(year, rules))
    strands = {one["key"]: one for one in plain["strands"]}
    return Found(strands, rules, len(year.baskets), brand.planted.told())


@pytest.fixture(scope="module")
def found(_migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Found]:
    folder = tmp_path_factory.mktemp("planted")
    told = []
    for seed in SEEDS:
        path = folder / "shop.db"
        shutil.copyfile(_migrated_sqlite, path)
        db = Database(f"sqlite:///{path}")
        told.append(portrait_of(db, seed))
        db.close()
        for left in folder.iterdir():
            left.unlink()
    return told


@pytest.mark.parametrize("key", ["loyalty", "discount", "seasonality", "range", "basket"])
def test_what_was_planted_lies_within_its_interval(found: list[Found], key: str) -> None:
    held, widths = 0, []
    for one in found:
        strand, truth = one.strands[key], planted_scores(one.planted)[key]
        held += strand["ci_low"] <= truth <= strand["ci_high"]
        widths.append((strand["ci_high"] - strand["ci_low"]) / 2 / STRETCH.get(key, 1.0))
    mean = sum(widths) / len(widths)
    print(f"{key}: {held} of {len(found)} seeds, mean half-width {mean:.2f} points")
    assert held >= ENOUGH
    assert mean <= WIDEST


def test_the_hero_is_named_and_the_peak_falls_into_its_months(found: list[Found]) -> None:
    for one in found:
        hero = one.strands["range"]["evidence"][1]
        share = float(hero["value"].rstrip("%"))
        assert share == pytest.approx(100 * one.planted["hero_share"], abs=5)
        said = one.strands["seasonality"]["evidence"][0]["value"]
        months = re.fullmatch(r"November (\d\.\d) and December (\d\.\d) times .+", said)
        assert months, said
        # Two months of twelve sell twice as much a day: 2 / (14 / 12) of a mean month.
        assert [float(index) for index in months.groups()] == pytest.approx([1.7, 1.7], abs=0.4)
    assert PEAK_MONTHS == (11, 12)


def test_the_pair_is_found_first_and_as_often_as_it_was_planted(found: list[Found]) -> None:
    held, widths = 0, []
    for one in found:
        a, b = sorted(one.planted["pair_ids"])
        best = max(one.rules, key=lambda rule: rule.together)
        assert (best.items, best.then) == ((a,), b)
        # Nothing else holds either of them: together five times as often as chance.
        assert best.lift == pytest.approx(1 / one.planted["pair"], rel=0.15)
        low, high = wilson(best.together, one.orders)
        held += low <= one.planted["pair"] <= high
        widths.append(50 * (high - low))
    print(f"pair: {held} of {len(found)} seeds, mean half-width {sum(widths) / len(widths):.2f}")
    assert held >= ENOUGH
    assert sum(widths) / len(widths) <= WIDEST


async def test_over_http_a_planted_shop_is_read_just_so(tmp_path: Path, sqlite_url: str) -> None:
    planted = ",".join(f"{name}={value}" for name, value in PLANT._asdict().items())
    now = utc_now().replace(microsecond=0)
    with local_shopify("--plant", planted, "--as-of", now.isoformat(), "--seed", "3") as address:
        shop = await asyncio.to_thread(lambda: Shop(address, name=NAME, **SIZES))
        settings = settings_for(tmp_path, database_url=sqlite_url, shopify=address)
        async with standing(settings, rings=False) as ground:
            store_id = await ground.connect(shop)
            await syncs.work(ground.rt, store_id=store_id)
            await ground.assert_whole(shop, store_id)
            told = await dna.store_dna(ground.rt, store_id)
            truth = await asyncio.to_thread(
                lambda: httpx.get(f"{address}/__truth/{shop.domain}", timeout=300).json()
            )
    assert told is not None
    migrate.upgrade(f"sqlite:///{tmp_path / 'landed.db'}")
    db = Database(f"sqlite:///{tmp_path / 'landed.db'}")
    landed = portrait_of(db, 3, now=now, as_of=told.as_of)
    db.close()
    assert truth["planted"] == landed.planted
    figures = ("raw", "score", "ci_low", "ci_high", "n")
    for strand in told.portrait["strands"]:
        if strand["key"] in planted_scores(landed.planted):
            one = landed.strands[strand["key"]]
            assert [strand[name] for name in figures] == [one[name] for name in figures], strand
    pair = told.tables["pairs"][0]
    assert sorted((pair["product_id"], pair["with_id"])) == sorted(landed.planted["pair_ids"])
