"""What holds of every strand, whatever a shop is like."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandmind.dna import cuts
from brandmind.dna.customers import cadence, growth_engine, loyalty, value_concentration
from brandmind.dna.measure import along
from brandmind.dna.operations import returns_trust
from brandmind.dna.profile import portrait
from brandmind.dna.selling import basket_building, discount_reliance
from brandmind.dna.strand import Missing, Reading
from brandmind.dna.year import Year
from tests.unit.dna.shop import Buy, Item, ladder, products, shop

items = st.builds(
    Item,
    product=st.integers(0, 8),
    sold=st.integers(0, 5000),
    units=st.integers(0, 4),
    returned=st.integers(-6000, 0),
    variant=st.integers(0, 8),
)
buys = st.lists(
    st.builds(
        Buy,
        ago=st.integers(1, 800),
        customer=st.integers(0, 30),
        items=st.lists(items, min_size=1, max_size=4).map(tuple),
        discount=st.integers(0, 3000),
        country=st.sampled_from(["GB", "FR", ""]),
    ),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(buys=buys, times=st.sampled_from([1, 7, 30]), stored=st.integers(0, 800))
def test_every_strand_is_missing_or_within_0_and_100(buys, times, stored):
    profile = portrait(
        shop(
            buys * times,
            stored_days=stored,
            products_=products(8),
            variants=ladder(*range(100, 900, 100)),
        )
    )
    for strand in profile.strands:
        if strand.score is None:
            assert strand.needs
            assert strand.label is None
        else:
            assert 0 <= strand.ci_low <= strand.score <= strand.ci_high <= 100
            assert strand.confidence in ("low", "medium", "high")


@given(st.floats(0, 1), st.floats(0, 1))
def test_scores_follow_their_figures(a, b):
    low, high = sorted((a, b))
    for points in (cuts.NEWNESS_POINTS, cuts.LOYALTY_POINTS, cuts.VALUE_POINTS):
        assert along(points, low) <= along(points, high)
    assert along(cuts.RETURNS_POINTS, low) >= along(cuts.RETURNS_POINTS, high)


def score(reader, rows) -> float:
    found = reader(Year(shop(rows)))
    assert isinstance(found, Reading)
    return found.score


@given(st.integers(0, 100), st.integers(0, 100))
def test_more_who_come_back_mean_no_less_loyalty(a, b):
    def with_repeaters(count):
        first = [Buy(200, customer=c) for c in range(1, 101)]
        return first + [Buy(180, customer=c) for c in range(1, count + 1)]

    low, high = sorted((a, b))
    assert score(loyalty, with_repeaters(low)) <= score(loyalty, with_repeaters(high))
    assert score(growth_engine, with_repeaters(low)) <= score(growth_engine, with_repeaters(high))


@given(st.integers(1, 300), st.integers(1, 300))
def test_longer_gaps_mean_a_slower_cadence(a, b):
    def with_gaps(days):
        return [Buy(301 - at, customer=c) for c in range(1, 41) for at in (0, days)]

    low, high = sorted((a, b))
    assert score(cadence, with_gaps(low)) >= score(cadence, with_gaps(high))


@given(st.integers(0, 100), st.integers(0, 100))
def test_more_of_it_moves_a_share_one_way(a, b):
    low, high = sorted((a, b))

    def discounted(count):
        return [Buy(5, customer=n, discount=100 if n <= count else 0) for n in range(1, 101)]

    def mixed(count):
        pair = (Item(1, 500), Item(2, 500))
        return [Buy(5, items=pair if n <= count else pair[:1]) for n in range(1, 101)]

    def returned(count):
        return [Buy(50, items=(Item(1, 500, returned=-500 * (n <= count)),)) for n in range(1, 101)]

    assert score(discount_reliance, discounted(low)) <= score(discount_reliance, discounted(high))
    assert score(basket_building, mixed(low)) <= score(basket_building, mixed(high))
    assert score(returns_trust, returned(low)) >= score(returns_trust, returned(high))


@given(st.integers(100, 10**6), st.integers(100, 10**6))
def test_a_richer_best_customer_means_no_less_concentration(a, b):
    def with_best(net):
        return [Buy(5, customer=c, items=(Item(1, net if c == 1 else 100),)) for c in range(1, 101)]

    low, high = sorted((a, b))
    assert score(value_concentration, with_best(low)) <= score(value_concentration, with_best(high))


@pytest.mark.parametrize(
    ("reader", "count"),
    [(basket_building, 99), (discount_reliance, 99), (returns_trust, 99), (growth_engine, 99)],
)
def test_below_its_minimum_a_strand_is_absent(reader, count):
    def rows(many):
        return [Buy(60, customer=1 + n % 50) for n in range(many)]

    assert isinstance(reader(Year(shop(rows(count)))), Missing)
    assert isinstance(reader(Year(shop(rows(count + 1)))), Reading)
