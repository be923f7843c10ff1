"""Who is in a group of customers: the very people whom the portrait has counted in it."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from brandmind.db import burials, facts, grouped, portraits, rollups, runs
from brandmind.db import people as rows
from brandmind.db.tables import CUSTOMER_GROUP, ORDER, STORE
from brandmind.dna.rfm import GROUPS, PROSPECTS
from brandmind.errors import InvalidInput
from brandmind.runtime import Runtime, open_runtime
from brandmind.services import dna, people, products, sheets
from brandmind.services.people import GroupPage
from tests.factories import Change, Item, make_customer, make_order, make_product, make_store
from tests.faults.ground import settings_for

START = datetime(2025, 1, 1, 12, tzinfo=UTC)
AS_OF = (START + timedelta(days=200)).date()


@pytest.fixture
async def rt(database_url: str, tmp_path: Path) -> AsyncIterator[Runtime]:
    people._kept.clear()
    async with open_runtime(settings_for(tmp_path, database_url=database_url), jobs=False) as rt:
        yield rt
    people._kept.clear()


def _fill(session: Any, name: str) -> str:
    """A hundred customers of all kinds, and orders that count for nobody."""
    store_id = make_store(session, name, timezone="UTC")
    make_product(session, store_id, 1)
    number = 0
    for customer in range(1, 101):
        make_customer(session, store_id, customer, number_of_orders=1 + customer % 4)
        for order in range(1 + customer % 4):
            number += 1
            at = START + timedelta(days=(customer * 7 + order * 31) % 195, minutes=number)
            changes = [Change(at + timedelta(days=2), -900)] if customer % 9 == 0 else []
            make_order(
                session, store_id, number, at, [Item(1_000 + 37 * customer)], changes,
                customer_id=customer,
            )  # fmt: skip
    for customer in (201, 202, 203):
        make_customer(session, store_id, customer, number_of_orders=0)
    # A test order, one without worth, a guest's, one after the day of the portrait, one that was
    # cancelled unpaid: none makes anybody a better customer.
    at = START + timedelta(days=190)
    make_order(session, store_id, 9_001, at, [Item(900_000)], customer_id=5, test=True)
    make_order(session, store_id, 9_002, at, [Item(0)], customer_id=5)
    make_order(session, store_id, 9_003, at, [Item(900_000)])
    make_order(session, store_id, 9_004, at + timedelta(days=20), [Item(9_000)], customer_id=5)
    return store_id


def _fill_with_people_who_bought_nothing(session: Any, name: str) -> str:
    """The same customers, and four whose orders are no purchases."""
    store_id = _fill(session, name)
    at = START + timedelta(days=150)
    # A test order, which Shopify's count leaves out; one that it counts; a free one; one that was
    # cancelled unpaid.
    make_order(session, store_id, 9_101, at, [Item(5_000)], customer_id=301, test=True)
    make_customer(session, store_id, 301, number_of_orders=0)
    make_order(session, store_id, 9_102, at, [Item(5_000)], customer_id=302, test=True)
    make_customer(session, store_id, 302, number_of_orders=1)
    make_order(session, store_id, 9_103, at, [Item(0)], customer_id=303)
    make_customer(session, store_id, 303, number_of_orders=1)
    make_order(session, store_id, 9_104, at, [Item(5_000)], customer_id=304, cancelled_at=at)
    session.execute(
        sa.update(ORDER).where(ORDER.c.shopify_id == 9_104).values(financial_status="VOIDED")
    )
    make_customer(session, store_id, 304, number_of_orders=1)
    return store_id


async def _portray(rt: Runtime, store_id: str) -> dict[str, Any]:
    loaded = await rt.db.read(facts.load, store_id, as_of=AS_OF)
    made = dna.made(loaded, {})
    await rt.db.write(portraits.keep, store_id, made, run_id="run")
    found = await dna.store_dna(rt, store_id)
    assert found is not None
    return found.tables["rfm"]


async def _rows(rt: Runtime) -> list[Any]:
    return await rt.db.read(
        lambda session: session.execute(
            sa.select(CUSTOMER_GROUP).order_by(*CUSTOMER_GROUP.primary_key.columns)
        ).all()
    )


async def _every_page(rt: Runtime, store_id: str) -> list[Any]:
    """All pages of all groups, and each group whole."""
    found: list[Any] = []
    for group in GROUPS:
        number, pages = 1, 1
        while number <= pages:
            page = await people.group(rt, store_id, group=group, page=number)
            assert page is not None
            found.append(page)
            number, pages = number + 1, page.pages
        found.append(await people.everyone(rt, store_id, group=group))
    return found


async def test_each_list_has_as_many_as_its_tile_and_the_same_sales(rt: Runtime) -> None:
    store_id = await rt.db.write(_fill, "alice")
    told = await _portray(rt, store_id)
    assert told["reason"] is None
    filled = 0
    for group in told["groups"]:
        currency, found = await people.everyone(rt, store_id, group=group["group"])
        assert currency == "USD"
        assert len(found) == group["customers"], group["name"]
        assert sum(one.net_minor for one in found) == group["net_minor"], group["name"]
        nets = [one.net_minor for one in found]
        assert nets == sorted(nets, reverse=True)
        filled += bool(found)
    assert filled > 5
    assert len((await people.everyone(rt, store_id, group=PROSPECTS))[1]) == 3


async def test_whoever_bought_nothing_is_a_prospect_and_everybody_is_in_one_list(
    rt: Runtime,
) -> None:
    store_id = await rt.db.write(_fill_with_people_who_bought_nothing, "alice")
    told = await _portray(rt, store_id)
    _, found = await people.everyone(rt, store_id, group=PROSPECTS)
    assert sorted(one.customer_id for one in found) == [201, 202, 203, 301, 302, 303, 304]
    tiles = {group["group"]: group["customers"] for group in told["groups"]}
    assert tiles[PROSPECTS] == 7
    assert sum(tiles.values()) == 107


async def test_whoever_may_have_bought_before_the_stored_orders_is_no_prospect(
    rt: Runtime,
) -> None:
    store_id = await rt.db.write(_fill_with_people_who_bought_nothing, "alice")
    await rt.db.write(lambda session: session.execute(sa.update(STORE).values(history_done=False)))
    await rt.db.write(make_customer, store_id, 305, number_of_orders=2)
    await _portray(rt, store_id)
    _, found = await people.everyone(rt, store_id, group=PROSPECTS)
    # Of 302 Shopify counts an order that is not the test: it is an older one.
    assert sorted(one.customer_id for one in found) == [201, 202, 203, 301, 303, 304]


async def test_the_lives_are_those_the_portrait_is_made_from(rt: Runtime) -> None:
    store_id = await rt.db.write(_fill, "alice")
    loaded = await rt.db.read(facts.load, store_id, as_of=AS_OF)
    lives = await rt.db.read(rows.lives, store_id, currency="USD", end=AS_OF)
    assert [(one.gid, one.last_at_ms, one.orders, one.net_minor) for one in lives] == [
        (one.gid, one.last_at_ms, one.orders, one.net_minor) for one in loaded.facts.customers
    ]


async def test_a_group_comes_a_page_at_a_time_and_never_past_its_end(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "PAGE", 4)
    store_id = await rt.db.write(_fill, "alice")
    told = await _portray(rt, store_id)
    biggest = max(told["groups"], key=lambda group: group["customers"])
    seen: list[int] = []
    number = 1
    while True:
        page = await people.group(rt, store_id, group=biggest["group"], page=number)
        assert page is not None
        seen += [one.customer_id for one in page.members]
        if number == page.pages:
            break
        number += 1
    assert len(seen) == len(set(seen)) == page.count == biggest["customers"]
    beyond = await people.group(rt, store_id, group=biggest["group"], page=10**15)
    before = await people.group(rt, store_id, group=biggest["group"], page=-3)
    assert beyond is not None
    assert before is not None
    assert (beyond.page, before.page) == (page.pages, 1)


@pytest.mark.parametrize("size", [3, 7, 500])
async def test_the_kept_pages_are_those_that_are_scored_again_where_none_are_kept(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(people, "PAGE", 5)
    monkeypatch.setattr(grouped, "CHUNK", size)
    store_id = await rt.db.write(_fill_with_people_who_bought_nothing, "alice")
    await _portray(rt, store_id)
    assert len(await _rows(rt)) >= 100 // size
    again, asked = people._scored_again, []

    async def scored_again(*args: Any) -> Any:
        asked.append(args)
        return await again(*args)

    monkeypatch.setattr(people, "_scored_again", scored_again)
    kept = await _every_page(rt, store_id)
    assert not asked
    # As it is with a portrait from before they were kept.
    await rt.db.write(grouped.forget, store_id)
    assert await _every_page(rt, store_id) == kept
    # Nobody is looked for in a group that the portrait has found empty.
    filled = [one for one in kept if (one.count if isinstance(one, GroupPage) else one[1])]
    assert len(asked) == len(filled) > 20


async def test_a_page_of_a_group_reads_no_more_than_the_rows_that_hold_it(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grouped, "CHUNK", 4)
    store_id = await rt.db.write(make_store, "alice")
    texts = [json.dumps([[4 * row + at, 1, 1, 1] for at in range(4)]) for row in range(5)]
    await rt.db.write(grouped.keep, store_id, 1, {"LOYAL": texts})
    for first in range(22):
        for most in range(9):
            found = await rt.db.read(
                grouped.some, store_id, number=1, group="LOYAL", first=first, most=most
            )
            assert [one.gid for one in found] == list(range(20))[first : first + most]
    await rt.db.write(
        lambda session: session.execute(
            sa.delete(CUSTOMER_GROUP).where(CUSTOMER_GROUP.c.place.not_in([4, 8]))
        )
    )
    found = await rt.db.read(grouped.some, store_id, number=1, group="LOYAL", first=6, most=4)
    assert [one.gid for one in found] == [6, 7, 8, 9]


async def test_what_is_kept_of_a_group_is_numbers_alone(rt: Runtime) -> None:
    store_id = await rt.db.write(_fill, "alice")
    await _portray(rt, store_id)
    for row in await _rows(rt):
        assert re.fullmatch(r"[\d,\[\]-]+", row.members_json)


async def test_the_groups_of_the_newest_portrait_alone_are_kept(rt: Runtime) -> None:
    store_id = await rt.db.write(_fill, "alice")
    await _portray(rt, store_id)
    first = await _rows(rt)
    assert {row.number for row in first} == {1}
    # A portrait that says the same leaves them as they are, and puts back what is missing.
    await _portray(rt, store_id)
    assert await _rows(rt) == first
    await rt.db.write(grouped.forget, store_id)
    assert await _rows(rt) == []
    await _portray(rt, store_id)
    assert await _rows(rt) == first
    await rt.db.write(
        make_order, store_id, 9_500, START + timedelta(days=199), [Item(70_000)], customer_id=3
    )
    await _portray(rt, store_id)
    assert {row.number for row in await _rows(rt)} == {2}


async def test_a_store_without_groups_keeps_nobody(rt: Runtime) -> None:
    store_id = await rt.db.write(_fill, "alice")
    await _portray(rt, store_id)
    assert await _rows(rt)
    await rt.db.write(
        lambda session: session.execute(sa.delete(ORDER).where(ORDER.c.customer_id > 40))
    )
    assert (await _portray(rt, store_id))["reason"] == "few"
    assert await _rows(rt) == []
    assert await people.group(rt, store_id, group="LOYAL") is None


async def test_a_customer_who_was_removed_or_merged_since_leaves_the_page_whole(
    rt: Runtime,
) -> None:
    store_id = await rt.db.write(_fill, "alice")
    told = await _portray(rt, store_id)
    biggest = max(told["groups"], key=lambda group: group["customers"])["group"]
    before = await people.group(rt, store_id, group=biggest)
    assert before is not None
    removed, merged = (one.customer_id for one in before.members[:2])

    def change(session: Any) -> None:
        burials.bury(session, store_id, "customers", [removed, merged, 201], "deleted")
        session.execute(
            sa.update(ORDER).where(ORDER.c.customer_id == merged).values(customer_id=999)
        )

    await rt.db.write(change)
    after = await people.group(rt, store_id, group=biggest)
    assert after is not None
    assert (after.count, after.pages) == (before.count, before.pages)
    assert [(one.customer_id, one.orders, one.net_minor, one.last_at) for one in after.members] == [
        (one.customer_id, one.orders, one.net_minor, one.last_at) for one in before.members
    ]
    assert [one.name for one in after.members[:2]] == [None, None]
    assert after.members[2:] == before.members[2:]
    prospects = await people.group(rt, store_id, group=PROSPECTS)
    assert prospects is not None
    assert [one.customer_id for one in prospects.members] == [201, 202, 203]


async def test_whoever_was_redacted_while_the_portrait_was_made_is_not_kept_again(
    rt: Runtime,
) -> None:
    store_id = await rt.db.write(_fill, "alice")
    made = dna.made(await rt.db.read(facts.load, store_id, as_of=AS_OF), {})

    def redact(session: Any) -> None:
        runs.lock_store(session, store_id)
        burials.bury(session, store_id, "customers", [5], "redacted")
        burials.depersonalise(
            session,
            store_id,
            session.scalars(sa.select(ORDER.c.shopify_id).where(ORDER.c.customer_id == 5)).all(),
        )

    await rt.db.write(redact)
    await rt.db.write(portraits.keep, store_id, made, run_id="run")
    assert await _rows(rt) == []
    listed = [await people.everyone(rt, store_id, group=group) for group in GROUPS]
    assert sorted(one.customer_id for _, some in listed for one in some) == [
        gid for gid in (*range(1, 101), 201, 202, 203) if gid != 5
    ]
    # The next portrait has never heard of them.
    await _portray(rt, store_id)
    assert await _rows(rt)


async def test_another_stores_customers_are_in_no_list(rt: Runtime) -> None:
    store_id = await rt.db.write(_fill, "alice")
    other = await rt.db.write(make_store, "bob")
    await _portray(rt, store_id)
    assert await people.group(rt, other, group="CHAMPIONS") is None
    assert await people.everyone(rt, other, group="CHAMPIONS") == ("", ())
    assert await rt.db.read(rows.people, other, [1, 2, 3]) == {}
    assert await rt.db.read(rows.lives, other, currency="USD", end=AS_OF) == []
    assert await rt.db.read(facts.prospects, other, buyers=(), whole=True) == []
    kept = {row.group_key: len(json.loads(row.members_json)) for row in await _rows(rt)}
    assert kept
    for group in kept:
        asked = {"number": 1, "group": group, "first": 0, "most": 9}
        assert await rt.db.read(grouped.some, other, **asked) == []
        assert await rt.db.read(grouped.some, store_id, **asked)
    # What becomes of another store's groups does not touch these.
    await rt.db.write(grouped.forget, other)
    await rt.db.write(grouped.keep, other, 1, {"CHAMPIONS": ["[[1,1,1,1]]"]})
    await rt.db.write(grouped.keep, other, 2, {})
    assert {row.group_key: len(json.loads(row.members_json)) for row in await _rows(rt)} == kept


async def test_a_group_that_is_none_is_refused_by_name(rt: Runtime) -> None:
    store_id = await rt.db.write(_fill, "alice")
    with pytest.raises(InvalidInput) as refused:
        await people.group(rt, store_id, group="'; DROP TABLE customer; --")
    assert refused.value.field == "group"
    # Before the first portrait there are no groups.
    assert all([await people.group(rt, store_id, group=key) is None for key in GROUPS])


async def test_the_file_has_everybody_and_no_formula(rt: Runtime) -> None:
    store_id = await rt.db.write(_fill, "alice")
    told = await _portray(rt, store_id)
    group = next(one for one in told["groups"] if one["customers"])
    text = await sheets.group(rt, store_id, group=group["group"])
    lines = list(csv.DictReader(io.StringIO(text)))
    assert len(lines) == group["customers"]
    assert {line["currency"] for line in lines} == {"USD"}
    assert not any(value.startswith(("=", "+", "@")) for line in lines for value in line.values())


async def test_an_open_product_has_its_variants_and_every_day_of_the_range(rt: Runtime) -> None:
    store_id = await rt.db.write(_fill, "alice")
    other = await rt.db.write(make_store, "bob")
    while await rt.db.write(rollups.recount_dirty, store_id):
        pass
    first = START.date()
    found = await products.detail(
        rt, store_id, 1, date_from=first, date_to=first + timedelta(days=89)
    )
    assert len(found.days) == 90
    assert [one.day for one in found.days] == [first + timedelta(days=at) for at in range(90)]
    page = await products.products(
        rt, store_id, date_from=first, date_to=first + timedelta(days=89)
    )
    row = next(one for one in page.rows if one.product_id == 1)
    assert sum(one.net_minor for one in found.days) == row.net_minor > 0
    assert sum(one.units for one in found.days) == row.units
    assert found.variants
    theirs = await products.detail(rt, other, 1, date_from=first, date_to=first)
    assert (theirs.variants, sum(one.net_minor for one in theirs.days)) == ((), 0)


async def test_the_files_of_tenths_and_of_what_a_customer_brought_hold_the_tables_of_their_cards(
    rt: Runtime,
) -> None:
    store_id = await rt.db.write(_fill, "alice")
    await _portray(rt, store_id)
    found = await dna.store_dna(rt, store_id)
    assert found is not None
    tenths = list(csv.DictReader(io.StringIO(await sheets.deciles(rt, store_id))))
    assert [int(line["decile"]) for line in tenths] == list(range(1, 11))
    for line, part in zip(tenths, found.tables["deciles"], strict=True):
        assert int(line["customers"]) == part["customers"]
        assert Decimal(line["net"]) * 100 == part["net_minor"]
        assert Decimal(line["least"]) * 100 == part["least_minor"]
        assert line["currency"] == "USD"
    assert sum(float(line["share"]) for line in tenths) == pytest.approx(1)
    months = list(csv.DictReader(io.StringIO(await sheets.ltv(rt, store_id))))
    assert len(months) > 3
    for line, point in zip(months, found.tables["ltv"], strict=True):
        assert (int(line["month_after"]), int(line["customers"])) == (
            point["after"],
            point["customers"],
        )
        assert Decimal(line["net"]) * 100 == point["net_minor"]
        assert Decimal(line["per_customer"]) * 100 == point["per_customer_minor"]


async def test_before_the_first_portrait_these_files_have_their_header_alone(rt: Runtime) -> None:
    store_id = await rt.db.write(make_store, "alice")
    for file in (sheets.deciles, sheets.ltv, sheets.customers):
        assert (await file(rt, store_id)).count("\r\n") == 1
