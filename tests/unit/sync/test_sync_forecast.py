"""The time left of a reading is reckoned in points, not in records of its first rush."""

from __future__ import annotations

import pytest

from brandmind.sync.forecast import Effort, Forecast, PagePrice
from brandmind.sync.pacing import Bucket
from brandmind.sync.progress import StageProgress, StoreProgress
from brandmind.sync.stages import Kind, RunStatus, Stage, StageState, StoreStatus

PRICES = {
    Stage.PRODUCTS: PagePrice(Effort(50, 1, 0.1), 100),
    Stage.ORDERS: PagePrice(Effort(100, 1, 0.1), 100),
    Stage.CUSTOMERS: PagePrice(Effort(20, 1, 0.1), 100),
}
BUCKET = Bucket(300, 2000, 100)


class Reading:
    """A reading of 1,000 points left, on a clock that a test moves."""

    def __init__(self) -> None:
        self.at = 0.0
        self.spent = 0.0
        self.requests = 0
        self.prices = dict(PRICES)
        self.behind = 0
        self.orders = 5_000
        self.exact = True
        self.forecast = Forecast(now=lambda: self.at)

    def progress(self) -> StoreProgress:
        stages = (
            StageProgress(Stage.PRODUCTS, StageState.DONE, 300, 300),
            StageProgress(
                Stage.ORDERS,
                StageState.RUNNING,
                self.orders - 800,
                self.orders,
                exact=self.exact,
                behind=self.behind,
            ),
            StageProgress(Stage.CUSTOMERS, StageState.RUNNING, 25, 1_025),
            StageProgress(Stage.FIGURES, StageState.QUEUED),
        )
        return StoreProgress(
            store_id="s", status=StoreStatus.IN_PROGRESS, reason=None, run_id="r", kind=Kind.FULL,
            run_status=RunStatus.RUNNING, first=True, seq=1, percent=50, stages=stages,
            history=StageProgress(Stage.HISTORY, StageState.QUEUED, 0, 90_000), attempt=0,
            waiting=None, next_try_at=None, error=None, error_kind=None, request_id=None,
            requested_at=None, started_at=None, finished_at=None, last_synced_at=None,
        )  # fmt: skip

    def left_s(self, bucket: Bucket | None) -> float | None:
        return self.forecast.left_s(
            self.progress(),
            bucket=bucket,
            spent=Effort(self.spent, self.requests, 0.0),
            price=self.prices.__getitem__,
        )

    def reads(self, *, pages: int, others: float) -> None:
        """Pages of orders at 100 points, beside what others spend for each of them."""
        for _ in range(pages):
            self.left_s(BUCKET)
            self.at += (100 + others) / BUCKET.restore_per_s
            self.spent += 100
            self.requests += 1


@pytest.fixture
def reading() -> Reading:
    return Reading()


def test_what_is_left_costs_points_and_points_come_at_the_shops_rate(reading: Reading) -> None:
    assert reading.left_s(BUCKET) == pytest.approx(10)


def test_cheap_pages_take_their_round_trips(reading: Reading) -> None:
    # Ten pages of customers, a second and a half each.
    reading.prices[Stage.CUSTOMERS] = PagePrice(Effort(20, 1, 1.5), 100)
    assert reading.left_s(BUCKET) == pytest.approx(8 + 15)


def test_what_comes_with_a_stage_and_is_not_in_its_count_takes_time_too(reading: Reading) -> None:
    reading.behind = 300
    # Three pages, and a small one to begin with.
    assert reading.left_s(BUCKET) == pytest.approx(13.5)


def test_nothing_is_said_where_the_budget_is_not_what_holds_it_back(reading: Reading) -> None:
    assert reading.left_s(None) is None


def test_nothing_is_said_before_every_count_is_known(reading: Reading) -> None:
    reading.exact = False
    assert reading.left_s(BUCKET) is None


def test_others_who_draw_on_the_same_bucket_pass_between_our_requests(reading: Reading) -> None:
    reading.reads(pages=30, others=150)
    # 18 more pages: 8 of orders, 10 of customers.
    assert reading.left_s(BUCKET) == pytest.approx((1000 + 18 * 150) / 100, rel=0.1)


def test_others_who_have_gone_are_forgotten(reading: Reading) -> None:
    reading.reads(pages=30, others=150)
    reading.reads(pages=90, others=0)
    assert reading.left_s(BUCKET) == pytest.approx(10, rel=0.1)


def test_a_first_rush_is_nobodys_absence(reading: Reading) -> None:
    # More than was restored: the bucket was fuller then.
    reading.reads(pages=3, others=-80)
    assert reading.left_s(BUCKET) == pytest.approx(10)
