import math
from datetime import timedelta

import pytest

from brandmind.dna import cuts
from brandmind.dna.brand import mid_ranks, newness, price_position, range_focus, reach
from brandmind.dna.strand import Missing, Reading, finish
from brandmind.dna.year import Year
from tests.unit.dna.shop import AS_OF, Buy, Item, ladder, products, shop


def read(reader, facts) -> Reading:
    found = reader(Year(facts))
    assert isinstance(found, Reading), found
    return found


def test_equal_prices_share_the_middle_of_their_ranks():
    rank, of = mid_ranks(ladder(10, 20, 20, 40, 50))
    # 0, 1.5, 1.5, 3, 4 of 4, doubled.
    assert rank == {1: 0, 2: 3, 3: 3, 4: 6, 5: 8}
    assert of == 8


def test_price_position_is_the_rank_of_what_sold():
    buys = [
        Buy(1 + n, items=(Item(1, 300, units=25, variant=1), Item(5, 700, units=1, variant=5)))
        for n in range(2)
    ]
    found = read(price_position, shop(buys, variants=ladder(10, 20, 30, 40, 50)))
    # 30% at rank 0, 70% at rank 1, both orders alike: no spread.
    assert found.raw == pytest.approx(0.7)
    assert found.score == pytest.approx(70)
    assert found.low == pytest.approx(found.high) == pytest.approx(70)
    assert found.n == 5
    assert found.evidence[1].value == "70%"


def test_two_unlike_orders_make_price_position_unsure():
    buys = [
        Buy(1, items=(Item(1, 1000, units=30, variant=1),)),
        Buy(2, items=(Item(5, 1000, units=30, variant=5),)),
    ]
    found = read(price_position, shop(buys, variants=ladder(10, 20, 30, 40, 50)))
    # r = 1/2, residuals -500 and 500: variance 2 * 250000 / 2000^2 * 2 = 1/4.
    assert found.score == pytest.approx(50)
    assert found.high - 50 == pytest.approx(100 * 1.959964 / 2, abs=1e-3)


@pytest.mark.parametrize(
    ("prices", "units", "noun"),
    [
        ((10, 20, 30, 40), 60, "variants"),
        ((10, 10, 10, 20, 20), 60, "different prices"),
        ((10, 20, 30, 40, 50), 49, "units sold"),
    ],
)
def test_price_position_needs_a_ladder_and_units(prices, units, noun):
    found = price_position(
        Year(
            shop([Buy(1, items=(Item(1, 100, units=units, variant=1),))], variants=ladder(*prices))
        )
    )
    assert isinstance(found, Missing)
    assert [need.noun for need in found.needs] == [noun]


def even_shop(*nets, returned=0):
    buys = [
        Buy(1 + n, items=tuple(Item(p, net, units=10) for p, net in enumerate(nets, 1)))
        for n in range(2)
    ]
    if returned:
        buys.append(Buy(5, items=(Item(len(nets), 1, units=0, returned=returned),)))
    return shop(buys, products_=products(len(nets)))


def test_equal_products_are_as_wide_as_can_be():
    found = read(range_focus, even_shop(*[100] * 10))
    assert found.raw == pytest.approx(10)
    assert found.score == pytest.approx(0)
    assert finish(even_shop(*[100] * 10), cuts.RANGE, found).label == "Wide"


def test_range_focus_counts_like_equal_products():
    found = read(range_focus, even_shop(600, 100, 100, 100, 100))
    # Shares .6 and 4 x .1: sum of squares .40, so 2.5 products of 5.
    assert found.raw == pytest.approx(2.5)
    assert found.score == pytest.approx(100 * (1 - math.log(2.5) / math.log(5)))
    assert found.score == pytest.approx(43.07, abs=0.01)
    assert found.low == pytest.approx(found.high)


def test_what_came_back_more_than_it_sold_counts_as_nothing():
    with_loss = read(range_focus, even_shop(600, 100, 100, 100, 100, 50, returned=-500))
    assert with_loss.raw == pytest.approx(2.5)
    assert with_loss.n == 5


def test_a_narrow_range_without_a_hero_is_long_tailed():
    # 12 of 1,000 products make all but 988 pennies, none of them a fifth.
    nets = [10_000] * 12 + [1] * 988
    found = read(range_focus, even_shop(*nets))
    assert found.score > 45
    facts = even_shop(*nets)
    assert finish(facts, cuts.RANGE, found).label == "Long-tailed"
    assert finish(facts, cuts.RANGE, found, before="Long-tailed").label == "Long-tailed"


def test_the_interval_of_range_focus_widens_with_unlike_orders():
    buys = [Buy(1 + n, items=(Item(1 + n % 5, 100, units=10),)) for n in range(50)]
    facts = shop(buys, products_=products(5))
    found = read(range_focus, facts)
    assert found.score == pytest.approx(0)
    # Equal shares are the flat bottom of the curve: the first derivative is nothing.
    assert found.high == pytest.approx(found.score, abs=1e-6)
    buys[0] = Buy(1, items=(Item(1, 3000, units=10),))
    wider = read(range_focus, shop(buys, products_=products(5)))
    assert wider.high - wider.low > 10


def newness_shop(*, old=300, new=100, made_apart=True):
    catalogue = products(10, step=7 if made_apart else 0)
    fresh = catalogue[0]._replace(on_sale_day=AS_OF.toordinal() - 100)
    buys = [Buy(10 + n % 50, items=(Item(1, new), Item(2, old))) for n in range(100)]
    return shop(buys, products_=[fresh, *catalogue[1:]])


def test_newness_is_what_sold_within_90_days_of_its_launch():
    # Launched 100 days ago: its 90 days ended 10 days ago, so sales 10 to 59 days ago are new.
    found = read(newness, newness_shop())
    assert found.raw == pytest.approx(0.25)
    assert found.score == pytest.approx(50)
    late = shop(
        [Buy(9, items=(Item(1, 100), Item(2, 300)))] * 100,
        products_=newness_shop().products,
    )
    assert read(newness, late).raw == 0


def test_newness_is_void_for_an_imported_catalogue():
    found = newness(Year(newness_shop(made_apart=False)))
    assert isinstance(found, Missing)
    told = finish(newness_shop(made_apart=False), cuts.NEWNESS, found)
    assert told.score is None
    assert "imported" in told.sentence


def test_newness_needs_180_days():
    facts = shop([Buy(5)] * 100, stored_days=179, products_=products(10))
    found = newness(Year(facts))
    assert isinstance(found, Missing)
    assert found.needs[0].by == AS_OF + timedelta(days=1)


def test_reach_is_the_money_that_goes_abroad():
    buys = [
        *[Buy(n, items=(Item(1, 300),), country="GB") for n in range(1, 76)],
        *[Buy(n, items=(Item(1, 300),), country="FR") for n in range(1, 21)],
        *[Buy(n, items=(Item(1, 300),), country="DE") for n in range(1, 6)],
        *[Buy(n, items=(Item(1, 9999),), country="") for n in range(1, 6)],
    ]
    found = read(reach, shop(buys))
    assert found.raw == pytest.approx(0.25)
    assert found.n == 100
    assert found.evidence[2].value == "FR, 20%"
    # Without the shop's own word its biggest market is its home.
    assert read(reach, shop(buys, country="")).raw == pytest.approx(0.25)
    assert read(reach, shop(buys, country="FR")).raw == pytest.approx(0.80)


def test_reach_needs_a_hundred_orders_with_a_country():
    found = reach(Year(shop([Buy(1), *[Buy(2, country="")] * 200])))
    assert isinstance(found, Missing)
    assert found.needs[0].have == 1
