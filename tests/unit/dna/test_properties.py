"""What holds of every strand, whatever a shop is like."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandmind.dna import cuts
from brandmind.dna.brand import newness, price_position, range_focus, reach
from brandmind.dna.customers import cadence, growth_engine, loyalty, value_concentration
from brandmind.dna.measure import along
from brandmind.dna.operations import returns_trust
from brandmind.dna.profile import portrait
from brandmind.dna.selling import basket_building, discount_reliance, seasonality
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


@given(st.integers(0, 100), st.integers(0, 100))
def test_more_money_elsewhere_moves_a_share_of_money_one_way(a, b):
    low, high = sorted((a, b))
    steps = ladder(100, 200, 300, 400, 500)
    # Five products long on sale and five of the last month.
    goods = products(5) + [one._replace(gid=one.gid + 5) for one in products(5, ago=30, step=1)]

    def read_of(reader, item, country="GB"):
        """`item` and `country` of the first so many of a hundred orders, and of the others."""

        def facts_of(count):
            return shop(
                [
                    Buy(
                        5,
                        customer=n,
                        items=(item if n <= count else Item(1 + n % 5, 500, variant=1 + n % 5),),
                        country=country if n <= count else "GB",
                    )
                    for n in range(1, 101)
                ],
                products_=goods,
                variants=steps,
            )

        found = [reader(Year(facts_of(count))) for count in (low, high)]
        assert all(isinstance(one, Reading) for one in found), found
        return [one.score for one in found]

    for reader, item, country in (
        (reach, Item(1, 500), "FR"),
        (newness, Item(7, 500), "GB"),
        (price_position, Item(5, 500, variant=5), "GB"),
    ):
        less, more = read_of(reader, item, country)
        assert less <= more, reader


@given(st.integers(500, 10**6), st.integers(500, 10**6))
def test_a_bigger_hero_means_no_less_focus(a, b):
    low, high = sorted((a, b))

    def with_hero(net):
        # The others bring 500 each, the hero as much or more.
        return shop(
            [
                Buy(5, customer=n, items=(Item(n % 10 + 1, net if n % 10 == 0 else 500),))
                for n in range(1, 101)
            ],
            products_=products(10),
        )

    scores = [range_focus(Year(with_hero(net))).score for net in (low, high)]
    assert scores[0] <= scores[1] + 1e-9


@given(st.integers(20, 200), st.integers(20, 200))
def test_a_higher_peak_means_no_less_season(a, b):
    low, high = sorted((a, b))

    def with_peak(count):
        """November and December have so many orders a month, the others sixty at most."""
        buys = []
        for month in range(12):
            many = max(count, 60) if month in (10, 11) else 60
            # AS_OF is the first of January: twelve whole months lie before it.
            ago = (date(2026, 1, 1) - date(2025, month + 1, 10)).days
            buys += [Buy(ago, customer=n + 1) for n in range(many)]
        return shop(buys)

    scores = [seasonality(Year(with_peak(count))).score for count in (low, high)]
    assert scores[0] <= scores[1]


@given(st.integers(100, 10**6), st.integers(100, 10**6))
def test_a_richer_best_customer_means_no_less_concentration(a, b):
    def with_best(net):
        return [Buy(5, customer=c, items=(Item(1, net if c == 1 else 100),)) for c in range(1, 101)]

    low, high = sorted((a, b))
    assert score(value_concentration, with_best(low)) <= score(value_concentration, with_best(high))


def test_each_other_strand_is_absent_below_its_minimum_too():
    """One short of each minimum; loyalty, reach, newness and season have tests of theirs."""
    buys = [Buy(60, customer=n, items=(Item(n % 5 + 1, 500, variant=n % 5 + 1),))
            for n in range(1, 101)]  # fmt: skip

    def strand(reader, rows, *, goods=5, prices=(100, 200, 300, 400, 500)):
        return reader(Year(shop(rows, products_=products(goods), variants=ladder(*prices))))

    few_goods = [Buy(60, customer=n, items=(Item(n % 4 + 1, 500, variant=n % 4 + 1),))
                 for n in range(1, 101)]  # fmt: skip
    gaps = [Buy(ago, customer=n) for n in range(1, 31) for ago in (60, 20)]
    for reader, enough, short in (
        (value_concentration, buys, buys[:99]),
        (range_focus, buys, few_goods),
        (range_focus, buys, buys[:49]),
        (cadence, gaps, gaps[:-1]),
        (price_position, buys, buys[:49]),
    ):
        assert isinstance(strand(reader, enough), Reading), reader
        assert isinstance(strand(reader, short), Missing), reader
    assert isinstance(strand(price_position, buys, prices=(100, 200, 300, 400)), Missing)
    assert isinstance(strand(price_position, buys, prices=(100, 100, 100, 200, 200)), Missing)


@pytest.mark.parametrize(
    ("reader", "count"),
    [(basket_building, 99), (discount_reliance, 99), (returns_trust, 99), (growth_engine, 99)],
)
def test_below_its_minimum_a_strand_is_absent(reader, count):
    def rows(many):
        return [Buy(60, customer=1 + n % 50) for n in range(many)]

    assert isinstance(reader(Year(shop(rows(count)))), Missing)
    assert isinstance(reader(Year(shop(rows(count + 1)))), Reading)
