import math

import pytest

from brandmind.dna import cuts
from brandmind.dna.customers import cadence, growth_engine, loyalty, value_concentration
from brandmind.dna.measure import wilson
from brandmind.dna.strand import NOT_TIME_BOUND, Missing, Reading, finish
from brandmind.dna.year import Year
from tests.unit.dna.shop import Buy, Item, shop


def read(reader, facts) -> Reading:
    found = reader(Year(facts))
    assert isinstance(found, Reading), found
    return found


def test_loyalty_follows_first_orders_for_90_days():
    buys = [Buy(200, customer=c) for c in range(1, 41)]
    buys += [Buy(110, customer=c) for c in range(1, 7)]  # exactly 90 days later
    buys += [Buy(109, customer=c) for c in range(7, 20)]  # one day too late
    buys += [Buy(200, customer=c) for c in range(20, 30)]  # the same day is one visit
    found = read(loyalty, shop(buys))
    assert (found.n, found.raw) == (40, 6 / 40)
    assert found.score == pytest.approx(45)
    low, high = wilson(6, 40)
    assert low < found.raw < high
    assert found.sentence.startswith(
        "15 of every 100 new customers order again within 90 days (6 of 40; likely 7 to 29)."
    )


@pytest.mark.parametrize(("ago", "counts"), [(90, False), (91, True), (455, True), (456, False)])
def test_only_first_orders_between_455_and_90_days_ago_are_mature(ago, counts):
    buys = [Buy(200, customer=c) for c in range(1, 31)] + [Buy(ago, customer=99)]
    assert read(loyalty, shop(buys)).n == 30 + counts


def test_whoever_ordered_before_is_no_new_customer():
    buys = [Buy(200, customer=c) for c in range(1, 41)]
    # Ten of them have an order more by the shop's count than is stored.
    facts = shop(buys, whole=False, lifetimes=dict.fromkeys(range(1, 11), 2))
    assert read(loyalty, facts).n == 30


def test_loyalty_needs_thirty_mature_customers():
    found = loyalty(Year(shop([Buy(200, customer=c) for c in range(1, 30)])))
    assert isinstance(found, Missing)
    assert (found.needs[0].have, found.needs[0].least) == (29, 30)


def test_a_store_of_60_days_falls_back_on_lifetime_counts():
    buys = [Buy(1 + n % 60, customer=n) for n in range(1, 601)]
    facts = shop(
        buys, stored_days=60, whole=False, cut=True, lifetimes=dict.fromkeys(range(1, 61), 3)
    )
    found = read(loyalty, facts)
    assert found.raw == pytest.approx(0.1)
    strand = finish(facts, cuts.LOYALTY, found)
    # sqrt(600 / 300) caps at 1, 60 of 215 days, times 0.6: too little to be told.
    assert strand.confidence == "none"
    assert found.tag == NOT_TIME_BOUND


def test_lifetime_counts_are_never_more_than_low():
    buys = [Buy(1 + n % 100, customer=n) for n in range(1, 601)]
    facts = shop(buys, stored_days=120, whole=False)
    strand = finish(facts, cuts.LOYALTY, read(loyalty, facts))
    assert strand.confidence == "low"
    assert strand.confidence_value <= 0.49
    assert strand.tag == NOT_TIME_BOUND


def test_cadence_is_the_middle_gap():
    buys = []
    for customer in range(1, 32):
        buys += [Buy(300, customer=customer), Buy(300 - customer, customer=customer)]
    found = read(cadence, shop(buys))
    # Gaps 1..31: the 16th.
    assert (found.raw, found.n) == (16, 31)
    expected = 100 * (math.log(365) - math.log(16)) / (math.log(365) - math.log(7))
    assert found.score == pytest.approx(expected)
    assert found.low < found.score < found.high


def test_orders_of_one_day_are_one_visit():
    buys = []
    for customer in range(1, 32):
        buys += [Buy(100, customer=customer)] * 3 + [Buy(90, customer=customer)] * 2
    found = read(cadence, shop(buys))
    assert (found.n, found.raw) == (31, 10)


@pytest.mark.parametrize(
    ("days", "before", "label"),
    [
        (14, None, "Weekly"),
        (15, None, "Monthly"),
        (45, None, "Monthly"),
        (46, None, "Quarterly"),
        (120, None, "Quarterly"),
        (121, None, "Occasion"),
        # 10% past a cut, not before: 45 - 4.5 and 45 + 4.5.
        (41, "Quarterly", "Quarterly"),
        (40, "Quarterly", "Monthly"),
        (49, "Monthly", "Monthly"),
        (50, "Monthly", "Quarterly"),
        (200, "Weekly", "Occasion"),
    ],
)
def test_cadence_is_labelled_in_days(days, before, label):
    buys = []
    for customer in range(1, 32):
        buys += [Buy(300, customer=customer), Buy(300 - days, customer=customer)]
    facts = shop(buys)
    assert finish(facts, cuts.CADENCE, read(cadence, facts), before=before).label == label


def test_value_is_what_the_best_tenth_brings():
    buys = [Buy(5, customer=c, items=(Item(1, 900 if c <= 10 else 100),)) for c in range(1, 101)]
    found = read(value_concentration, shop(buys))
    # 10 x 900 of 10 x 900 + 90 x 100.
    assert found.raw == pytest.approx(0.5)
    assert found.score == pytest.approx(60)
    assert found.evidence[1].value == "£9.00"
    # Influence of the best: 0 + 90 - 450 = -360; of the others: 90 - 50 = 40, over 18,000.
    spread = 1.959964 * math.sqrt((10 * 360**2 + 90 * 40**2) * 100 / 99) / 18_000
    assert found.high - found.score == pytest.approx(spread / 0.2 * 25, rel=1e-5)


def test_who_brought_back_more_than_they_bought_counts_as_nothing():
    buys = [Buy(5, customer=c) for c in range(1, 101)]
    buys.append(Buy(5, customer=101, items=(Item(1, 1, returned=-5000),)))
    found = read(value_concentration, shop(buys))
    assert found.n == 101
    assert found.raw == pytest.approx(11 / 100)


def test_guests_are_no_customers():
    found = value_concentration(Year(shop([Buy(5)] * 500)))
    assert isinstance(found, Missing)
    assert found.needs[0].have == 0


def test_growth_is_what_comes_after_the_first_day():
    buys = [Buy(100, customer=c, items=(Item(1, 300),)) for c in range(1, 76)]
    buys += [Buy(100, customer=1, items=(Item(1, 300),))]  # the first day still
    buys += [Buy(50, customer=c, items=(Item(1, 300),)) for c in range(1, 25)]
    buys += [Buy(50, items=(Item(1, 9999),))]  # a guest
    found = read(growth_engine, shop(buys))
    assert found.n == 100
    assert found.raw == pytest.approx(0.24)


def test_growth_counts_all_orders_of_those_who_came_long_before():
    buys = [Buy(100, customer=c) for c in range(1, 101)]
    facts = shop(buys, whole=False, lifetimes=dict.fromkeys(range(1, 61), 5))
    assert read(growth_engine, facts).raw == pytest.approx(0.6)
