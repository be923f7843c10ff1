"""Small windows are paged, large ones cut into exports, and no second is left between them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from brandmind.sync.plan import Choice, Plan, paging_s, planned
from brandmind.sync.ports import Total, Window
from brandmind.sync.slices import Mode, Position
from brandmind.sync.stages import Stage

END = datetime(2026, 11, 25, 12, tzinfo=UTC)
YEAR = Window(END - timedelta(days=365), END)


class Counted:
    """A shop with records at these moments, which counts how often it is asked."""

    def __init__(self, moments: list[datetime]) -> None:
        self.moments = moments
        self.asked = 0

    async def __call__(self, windows: Sequence[Window]) -> list[int]:
        self.asked += 1
        return [self.of(window) for window in windows]

    def of(self, window: Window) -> int:
        return sum(
            (window.created_from is None or at >= window.created_from)
            and (window.created_before is None or at <= window.created_before)
            for at in self.moments
        )


def evenly(count: int, window: Window = YEAR) -> list[datetime]:
    assert window.created_from
    assert window.created_before
    span = window.created_before - window.created_from
    return [window.created_from + span * i / count for i in range(count)]


async def plan(
    shop: Counted,
    *,
    window: Window = YEAR,
    stage: Stage = Stage.ORDERS,
    choice: Choice | None = None,
    points_per_s: float | None = None,
) -> Plan:
    return await planned(
        stage,
        window,
        Total(shop.of(window)),
        choice=choice or Choice(),
        points_per_s=points_per_s,
        floor=END - timedelta(days=900),
        counts=shop,
    )


async def test_a_few_thousand_orders_are_paged_without_another_question() -> None:
    shop = Counted(evenly(4_000))
    assert (await plan(shop)).slices == ()
    assert shop.asked == 0


async def test_many_orders_are_one_page_run_and_exports() -> None:
    shop = Counted(evenly(31_600))
    found = await plan(shop)
    assert [one.mode for one in found.slices[:1]] == [Mode.PAGED]
    assert 240 <= found.slices[0].counted <= 960
    exports = found.slices[1:]
    assert {one.mode for one in exports} == {Mode.BULK}
    assert max(one.counted for one in exports) <= 5_000
    assert len(exports) <= 10
    assert found.reason == (
        f"31,600 orders: 1 page run and {len(exports)} exports; "
        "paging would take about 13 min at 100 points/s"
    )
    # One question for the head and one for all the slices.
    assert shop.asked == 2


@pytest.mark.parametrize("choice", [Choice(mode="bulk"), Choice(mode="bulk", head_records=0)])
async def test_slices_cover_the_window_and_meet_at_a_second_both_hold(choice: Choice) -> None:
    shop = Counted(evenly(31_600))
    found = (await plan(shop, choice=choice)).slices
    assert found[0].window.created_before == YEAR.created_before
    assert found[-1].window.created_from == YEAR.created_from
    for newer, older in pairwise(found):
        assert newer.window.created_from == older.window.created_before
    assert [one.number for one in found] == list(range(len(found)))


async def test_a_day_of_a_great_sale_is_cut_finer_than_the_rest() -> None:
    sale = Window(END - timedelta(days=200), END - timedelta(days=199))
    shop = Counted(evenly(6_000) + evenly(24_000, sale))
    found = (await plan(shop)).slices
    assert max([shop.of(one.window) for one in found]) <= 5_000
    assert len(found) <= 14


async def test_one_second_that_holds_more_than_a_slice_is_one_slice() -> None:
    shop = Counted([END - timedelta(days=9)] * 12_000)
    found = (await plan(shop, choice=Choice(mode="bulk"))).slices
    assert max(one.counted for one in found) == 12_000


async def test_an_open_beginning_stays_open() -> None:
    older = Window(None, END)
    shop = Counted([*evenly(12_000), END - timedelta(days=4_000)])
    found = (await plan(shop, window=older, stage=Stage.HISTORY)).slices
    assert found[-1].window.created_from is None
    assert sum([shop.of(one.window) for one in found]) >= 12_001


@pytest.mark.parametrize(
    ("stage", "count", "points_per_s", "bulk"),
    [
        (Stage.CUSTOMERS, 25_000, 100, False),
        (Stage.CUSTOMERS, 40_000, 100, True),
        (Stage.PRODUCTS, 20_000, 100, True),
        (Stage.ORDERS, 12_000, 100, True),
        (Stage.ORDERS, 12_000, 1_000, False),
        (Stage.ORDERS, 12_000, None, True),
    ],
)
async def test_the_choice_knows_the_cost_of_a_page_and_the_budget(
    stage: Stage, count: int, points_per_s: float | None, bulk: bool
) -> None:
    found = await plan(Counted(evenly(count)), stage=stage, points_per_s=points_per_s)
    assert bool(found.slices) is bulk


async def test_changes_are_always_paged() -> None:
    shop = Counted(evenly(31_600))
    changed = Window(updated_from=END - timedelta(days=1))
    assert (await plan(shop, window=changed)).slices == ()


async def test_a_choice_can_be_forced() -> None:
    shop = Counted(evenly(31_600))
    assert (await plan(shop, choice=Choice(mode="paged"))).slices == ()
    assert len((await plan(Counted(evenly(20)), choice=Choice(mode="bulk"))).slices) >= 1


def test_a_page_is_never_quicker_than_a_round_trip() -> None:
    assert paging_s(Stage.CUSTOMERS, 2_500, points_per_s=1e9) == 10


@pytest.mark.parametrize(
    "place",
    [
        Position(0),
        Position(3, Mode.PAGED, rest="eyJsYXN0X2lkIjo1fQ=="),
        Position(12, Mode.BULK, attempt=2, rest="500"),
    ],
)
def test_a_place_is_read_as_it_was_written(place: Position) -> None:
    assert Position.of(str(place)) == place


@pytest.mark.parametrize("cursor", ["eyJsYXN0X2lkIjo1fQ==", "10", "s3", "$"])
def test_a_shops_own_cursor_is_no_place(cursor: str) -> None:
    assert Position.of(cursor) is None


async def test_orders_that_are_older_than_their_shop_make_no_huge_export() -> None:
    # The shop is 900 days old; what it brought along reaches back three times as long.
    brought = Window(END - timedelta(days=2_700), END - timedelta(days=1_000))
    shop = Counted([*evenly(20_000, brought), *evenly(10_000)])
    found = await plan(shop, window=Window(None, END))
    assert max(one.counted for one in found.slices) <= 5_000
    assert found.slices[-1].window.created_from is None
    assert sum(one.counted for one in found.slices) >= 30_000
    assert shop.asked <= 12


async def test_orders_older_than_any_shop_are_left_in_one_export() -> None:
    ancient = Window(END - timedelta(days=20_000), END - timedelta(days=19_000))
    shop = Counted(evenly(12_000, ancient))
    found = await plan(shop, window=Window(None, END), choice=Choice(head_records=0))
    assert found.slices[-1].counted == 12_000
