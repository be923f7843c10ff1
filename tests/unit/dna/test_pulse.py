from dataclasses import replace

import pytest

from brandmind.dna.pulse import (
    discount_creep,
    momentum,
    refund_spike,
    slipping_champions,
    stock_at_risk,
)
from brandmind.dna.year import Year
from tests.unit.dna.shop import END, Buy, Item, products, shop, with_stock


def test_momentum_is_held_against_the_same_weekdays_last_year():
    buys = [Buy(5, items=(Item(1, 700),)), Buy(369, items=(Item(1, 1000),))]
    beat = momentum(Year(shop(buys)))
    assert (beat.state, beat.value, beat.against) == ("alert", 700, 1000)
    assert "down 30% on the same 28 days last year" in beat.sentence


def test_momentum_falls_back_on_the_28_days_before():
    buys = [Buy(5, items=(Item(1, 1100),)), Buy(30, items=(Item(1, 1000),))]
    beat = momentum(Year(shop(buys, stored_days=300)))
    assert (beat.state, beat.against) == ("calm", 1000)
    assert "up 10% on the 28 days before" in beat.sentence
    assert momentum(Year(shop(buys, stored_days=55))).state == "unknown"


def test_momentum_dates_what_comes_back_by_the_day_it_came_back():
    """As "Net sales" does: by the day of the order the past would always look worse than now."""
    last_year = 364
    buys = [
        # Of last year's 1,000 in these 28 days 400 came back two months later.
        Buy(5 + last_year, items=(Item(1, 1000, returned=-400),), back=last_year - 60),
        # Sold before the last 28 days and back within them.
        Buy(40, items=(Item(1, 500, returned=-200),), back=3),
        Buy(5, items=(Item(1, 900),)),
    ]
    beat = momentum(Year(shop(buys)))
    assert (beat.state, beat.value, beat.against) == ("alert", 700, 1000)
    assert "down 30% on the same 28 days last year (£7.00 after £10.00)" in beat.sentence


def test_stock_at_risk_names_the_next_to_run_out():
    facts = shop([Buy(5, items=(Item(1, 900), Item(2, 100)))], products_=products(2))
    assert stock_at_risk(Year(facts)).state == "unknown"
    # 28 sold in 28 days and 13 left.
    low = stock_at_risk(Year(with_stock(facts, 1, stock=13, sold=28)))
    assert (low.state, low.sentence) == ("alert", "Product 1 runs out in 13 days.")
    assert stock_at_risk(Year(with_stock(facts, 1, stock=14, sold=28))).state == "calm"


def test_slipping_champions_are_good_customers_long_unseen():
    # The more orders the longer ago: the good ones are the ones that slip.
    buys = [Buy(10 * c, customer=c) for c in range(1, 61) for _ in range(1 + c // 10)]
    beat = slipping_champions(Year(shop(buys)))
    assert beat.state == "alert"
    assert beat.value
    assert slipping_champions(Year(shop(buys[:20]))).state == "unknown"


@pytest.mark.parametrize(("spread", "state"), [(29, "unknown"), (30, "alert")])
def test_no_champion_slips_while_all_last_orders_lie_within_30_days(spread, state):
    # As no groups are told then: somebody's last order 20 days ago is no long absence.
    buys = [Buy(1, customer=100)]
    for customer in range(1, 61):
        buys += [Buy(1 + spread * customer // 60, customer=customer)] * (1 + customer // 10)
    beat = slipping_champions(Year(shop(buys)))
    assert beat.state == state
    if state == "unknown":
        assert (
            beat.sentence == "All last orders lie within 30 days: too close to tell who stays away."
        )
        assert (beat.value, beat.against) == (None, None)


@pytest.mark.parametrize(("now", "state"), [(5, "calm"), (11, "calm"), (12, "alert")])
def test_a_refund_spike_is_what_chance_hardly_makes(now, state):
    # 5% of 100 orders before; of 100 now, 12 or more come by chance 4 times in 1,000, 11 do 11.
    buys = [Buy(5)] * 100 + [Buy(60)] * 100
    facts = replace(shop(buys), returns=[(END - 5, now), (END - 60, 5)])
    assert refund_spike(Year(facts)).state == state


def test_too_few_orders_say_nothing_of_returns_and_discounts():
    facts = shop([Buy(5)] * 29 + [Buy(60)] * 100)
    assert refund_spike(Year(facts)).state == "unknown"
    assert discount_creep(Year(facts)).state == "unknown"


@pytest.mark.parametrize(("now", "state"), [(20, "calm"), (40, "alert")])
def test_discount_creep_is_a_rise_that_chance_hardly_makes(now, state):
    buys = [Buy(5, discount=100)] * now + [Buy(5)] * (100 - now)
    buys += [Buy(60, discount=100)] * 20 + [Buy(60)] * 80
    assert discount_creep(Year(shop(buys))).state == state
