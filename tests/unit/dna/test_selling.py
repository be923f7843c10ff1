from dataclasses import astuple
from datetime import date, timedelta

import pytest

from brandmind.dna import cuts
from brandmind.dna.operations import returns_trust, worst_product
from brandmind.dna.selling import (
    basket_building,
    discount_reliance,
    full_months,
    peak_start,
    seasonality,
)
from brandmind.dna.strand import Missing, Reading, finish
from brandmind.dna.year import Year
from tests.unit.dna.shop import AS_OF, Buy, Item, shop


def read(reader, facts) -> Reading:
    found = reader(Year(facts))
    assert isinstance(found, Reading), found
    return found


def test_discount_reliance_adds_three_parts():
    buys = [Buy(5, customer=c, items=(Item(1, 850),), discount=150) for c in range(1, 21)]
    buys += [Buy(5, customer=c, items=(Item(1, 1000),)) for c in range(21, 101)]
    found = read(discount_reliance, shop(buys))
    # a = .2, d = 3,000 / 100,000 = .03, f = .2: 100 (.5 x .2 + .3 x .1 + .2 x .2).
    assert found.score == pytest.approx(17)
    assert found.low < 17 < found.high
    assert finish(shop(buys), cuts.DISCOUNT, found).label == "Tactical"


def test_without_known_first_orders_they_are_like_all_others():
    buys = [Buy(5, discount=1000) if n < 50 else Buy(5) for n in range(100)]
    found = read(discount_reliance, shop(buys))
    # a = f = .5; d = 50,000 / 150,000, more than 30 %: 100 (.25 + .3 + .1).
    assert found.score == pytest.approx(65)
    assert found.evidence[2].value == "first orders not known"


def test_a_basket_has_two_different_products():
    pair = (Item(1, 500), Item(2, 500))
    buys = [Buy(5, items=pair)] * 30
    buys += [Buy(5, items=(Item(1, 500), Item(1, 300, variant=7)))] * 30
    buys += [Buy(5, items=(Item(1, 500), Item(2, 0)))] * 40  # a free gift
    found = read(basket_building, shop(buys))
    assert found.raw == pytest.approx(0.30)
    assert found.score == pytest.approx(30)


def monthly(*nets, year=2025):
    """Orders on the tenth of each month of a year, ten of them to each hundred."""
    buys = []
    for month, net in enumerate(nets, 1):
        ago = (AS_OF - date(year, month, 10)).days
        buys += [Buy(ago, items=(Item(1, net),)) for _ in range(50)]
    return buys


def test_an_even_year_has_no_season():
    found = read(seasonality, shop(monthly(*[100] * 12)))
    assert found.raw == pytest.approx(1)
    assert found.score == 0
    assert found.n == 24


def test_the_two_biggest_months_make_the_season():
    found = read(seasonality, shop(monthly(*[100] * 10, 400, 600), stored_days=365))
    # 1,000 of 2,000: half the year in two months is 3 times an even share; capped at 2.5.
    assert found.raw == pytest.approx(3)
    assert found.score == 100
    # A mean month has 2,000 / 12 = 166.7: 400, 600 and 100 are 2.4, 3.6 and 0.6 of it.
    assert [astuple(one) for one in found.evidence] == [
        ("Biggest months", "November 2.4 and December 3.6 times the mean month"),
        ("Their share of the year", "50%"),
        ("Quietest month", "January 0.6 times the mean month"),
    ]
    assert found.sentence.startswith("November and December bring 50% of the year, 3.0 times")
    # The second half has 1,500 of 2,000: growth may look like a season.
    assert found.cap is not None
    strand = finish(shop(monthly(*[100] * 10, 400, 600), stored_days=365), cuts.SEASONALITY, found)
    assert strand.confidence == "low"


def test_two_years_are_averaged():
    buys = monthly(*[100] * 10, 400, 600) + monthly(300, *[100] * 9, 300, 500, year=2024)
    found = read(seasonality, shop(buys))
    # January 400, November 700, December 1,100 of 4,000: 1,800 of 4,000.
    assert found.raw == pytest.approx(6 * 1800 / 4000)
    # A mean month of both years has 333.3.
    assert found.evidence[0].value == "November 2.1 and December 3.3 times the mean month"
    assert found.n == 24
    assert found.cap is None


def test_seasonality_says_when_it_comes():
    facts = shop(monthly(*[0] * 5, *[100] * 7), stored_days=(AS_OF - date(2025, 5, 20)).days)
    strand = finish(facts, cuts.SEASONALITY, seasonality(Year(facts)))
    # Full months June to December; the twelfth is May 2026, over on the first of June.
    assert strand.score is None
    assert strand.needs == "Needs 12 full months. You have 7. Expected by June 2026."


def test_seasonality_needs_600_orders():
    found = seasonality(Year(shop(monthly(*[100] * 11))))
    assert isinstance(found, Missing)
    assert (found.needs[0].have, found.needs[0].least) == (550, 600)


def test_a_month_that_began_before_the_first_stored_day_is_not_full():
    for stored_from, count in ((date(2025, 11, 1), 2), (date(2025, 11, 2), 1)):
        facts = shop([Buy(5)], stored_days=(AS_OF - stored_from).days)
        assert len(full_months(Year(facts), at_most=24).nets) == count


def test_the_next_peak_is_told():
    facts = shop(monthly(100, 100, 500, *[100] * 7, 400, 100))
    assert peak_start(Year(facts)) == date(2026, 3, 1)


def test_returns_are_read_from_orders_30_to_395_days_old():
    buys = [Buy(30, items=(Item(1, 1000),)) for _ in range(95)]
    buys += [Buy(395, items=(Item(2, 1000, returned=-1000),)) for _ in range(5)]
    buys += [Buy(29, items=(Item(3, 1000, returned=-1000),)) for _ in range(50)]
    buys += [Buy(396, items=(Item(3, 1000, returned=-1000),)) for _ in range(50)]
    found = read(returns_trust, shop(buys))
    assert (found.n, found.raw) == (100, 0.05)
    assert found.score == pytest.approx(75)
    assert finish(shop(buys), cuts.RETURNS, found).label == "Trusted"
    assert found.low < 75 < found.high


def test_the_product_with_most_returned_value_is_named():
    buys = [
        Buy(40, items=(Item(1, 1000, returned=-600), Item(2, 1000, returned=-200))),
        Buy(41, items=(Item(3, 1000, returned=-200),)),
    ]
    assert worst_product(Year(shop(buys))) == (1, 0.6)
    assert worst_product(Year(shop([Buy(40)]))) is None


def test_what_is_missing_comes_at_the_present_pace():
    facts = shop([Buy(40)] * 50, stored_days=100)
    found = returns_trust(Year(facts))
    assert isinstance(found, Missing)
    # 50 in 100 days: the other 50 take 100 days more.
    assert found.needs[0].by == AS_OF + timedelta(days=100)
