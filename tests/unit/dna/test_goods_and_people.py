import pytest
from hypothesis import given
from hypothesis import strategies as st

from brandmind.dna.cohorts import CustomerMonth, cohorts, ltv, month_of
from brandmind.dna.facts import ProductFact
from brandmind.dna.pairs import Rule, pairs
from brandmind.dna.products import abc, cover, ladder, sell_through
from brandmind.dna.tables import PAIRS, told
from brandmind.dna.value import deciles

JAN, FEB, MAR = (month_of(2026, n) for n in (1, 2, 3))


def test_cohorts_keep_everybody_and_mark_the_month_that_is_not_over():
    found = cohorts(
        [
            CustomerMonth(1, JAN, 1, 1000),
            CustomerMonth(2, JAN, 2, 3000),
            CustomerMonth(1, MAR, 1, 500),
            CustomerMonth(3, FEB, 1, 200),
            CustomerMonth(2, FEB, 1, -100),
        ],
        current=MAR,
    )
    first, second = found
    assert (first.month, first.size) == (JAN, 2)
    assert [
        (c.after, c.customers, c.net_minor, c.cumulative_minor, c.partial) for c in first.cells
    ] == [
        (0, 2, 4000, 4000, False),
        (1, 1, -100, 3900, False),
        (2, 1, 500, 4400, True),
    ]
    assert [(c.after, c.customers, c.partial) for c in second.cells] == [
        (0, 1, False),
        (1, 0, True),
    ]


def test_ltv_is_per_acquired_customer_over_whole_months():
    points = ltv(
        cohorts(
            [
                CustomerMonth(1, JAN, 1, 1000),
                CustomerMonth(2, JAN, 2, 3000),
                CustomerMonth(3, FEB, 1, 201),
                CustomerMonth(1, FEB, 1, 100),
                CustomerMonth(1, MAR, 1, 9999),
            ],
            current=MAR,
        )
    )
    # Month 0: 4,201 of three people, 1,400.33; month 1: 4,100 of the two of January.
    assert [(p.after, p.customers, p.per_customer_minor) for p in points] == [
        (0, 3, 1400),
        (1, 2, 2050),
    ]


@given(
    st.lists(
        st.tuples(st.integers(1, 9), st.integers(JAN, MAR), st.integers(1, 3), st.integers(-9, 99))
    ),
    st.randoms(),
)
def test_the_triangle_does_not_depend_on_the_order_of_rows(rows, dice):
    people = [CustomerMonth(*row) for row in rows]
    found = cohorts(people, current=MAR)
    dice.shuffle(people)
    assert cohorts(people, current=MAR) == found
    assert sum(cohort.size for cohort in found) == len({row[0] for row in rows})
    assert all(cell.customers <= cohort.size for cohort in found for cell in cohort.cells)


def test_deciles_are_tenths_by_rank():
    found = deciles((gid, gid * 100) for gid in range(1, 21))
    assert [part.customers for part in found] == [2] * 10
    assert (found[0].net_minor, found[0].least_minor) == (3900, 1900)
    assert [part.customers for part in deciles((gid, 1) for gid in range(1, 4))] == [1, 1, 1]
    # 10 % of 11 is 1.1: two people at once, and the last tenth has one less.
    assert [part.customers for part in deciles((gid, 1) for gid in range(11))] == [2] + [1] * 9
    assert deciles([]) == []


def test_abc_cuts_at_80_and_95_percent():
    # 50, 80, 90, 95, 98, 100: the one that crosses a line is above it.
    nets = [(1, 50), (2, 30), (3, 10), (4, 5), (5, 3), (6, 2), (7, 0), (8, -5)]
    assert abc(nets) == {1: "A", 2: "A", 3: "B", 4: "B", 5: "C", 6: "C", 7: "C", 8: "C"}
    assert abc([(1, 100)]) == {1: "A"}
    assert abc([(2, 10), (1, 10), (3, 2)]) == {1: "A", 2: "A", 3: "B"}


def product(**facts):
    return ProductFact(1, "Beanie", True, 0, 0, **facts)


@pytest.mark.parametrize(
    ("facts", "days", "reason"),
    [
        ({"stock": None}, None, "untracked"),
        ({"stock": 50, "stock_days": 27, "stock_units": 9}, None, "history"),
        ({"stock": 50, "stock_days": 28, "stock_units": 0}, None, "no recent sales"),
        # Half a unit a day.
        ({"stock": 15, "stock_days": 28, "stock_units": 14}, 30, None),
        ({"stock": -3, "stock_days": 28, "stock_units": 14}, 0, None),
        # 50 * 28 / 30 = 46.7, and the 47th is not whole.
        ({"stock": 50, "stock_days": 28, "stock_units": 30}, 46, None),
    ],
)
def test_cover_is_whole_days_or_a_reason(facts, days, reason):
    found = cover(product(**facts))
    assert (found.days, found.reason) == (days, reason)


def test_sell_through_is_what_sold_of_what_there_was():
    assert sell_through(units=30, stock=10) == 0.75
    assert sell_through(units=30, stock=-2) == 1
    assert sell_through(units=0, stock=0) is None
    assert sell_through(units=5, stock=None) is None


def test_the_ladder_has_every_step_and_its_widest_gap():
    found = ladder([(100, 10), (100, 5), (200, 0), (500, 7), (1300, 1)])
    assert found is not None
    assert (found.p10_minor, found.p50_minor, found.p90_minor) == (100, 200, 1300)
    assert next((s.price_minor, s.variants, s.net_minor) for s in found.steps) == (100, 2, 15)
    gap = found.gap()
    assert gap is not None
    # 200 to 500 is 2.5 times; 500 to 1,300 is 2.6.
    assert (gap[0].price_minor, gap[1].price_minor) == (500, 1300)
    assert ladder([(100, 0), (249, 0)]).gap() is None
    assert ladder([(0, 0), (249, 0)]).gap() is None
    assert ladder([]) is None


def baskets(both, only_a, only_b, neither):
    return [[1, 2]] * both + [[1]] * only_a + [[2]] * only_b + [[3]] * neither


def test_a_pair_that_chance_would_not_make_is_found():
    (rule,) = pairs(baskets(30, 20, 10, 140))
    assert (rule.items, rule.then) == ((1,), 2)
    assert (rule.support, rule.confidence) == (0.15, 0.6)
    # .6 / (40 / 200).
    assert rule.lift == pytest.approx(3)
    assert rule.p < 1e-10


@pytest.mark.parametrize(
    "shape",
    [
        (4, 0, 0, 196),  # too few together
        (30, 20, 10, 139),  # too few orders
        (10, 40, 40, 110),  # 10 x 200 / 50 x 50: below chance
        (5, 15, 25, 155),  # 5 x 200 / (20 x 30) = 1.67, but chance does that often enough
    ],
)
def test_what_chance_would_make_is_not_told(shape):
    assert pairs(baskets(*shape)) == []


def test_a_product_below_the_best_pairs_of_the_store_keeps_its_own_best_ones():
    def rule(a, b):
        return Rule((a,), b, 10, 20, 20, 1_000, 0.001)

    # By lift: the store's best pairs are all of product 50.
    best = [rule(50, number) for number in range(PAIRS)]
    hers = [rule(99, 60), rule(99, 61), rule(99, 62)]
    neither = rule(50, 99)
    first_of_63 = rule(63, 99)
    assert told([*best, *hers, neither, first_of_63]) == [*best, *hers, first_of_63]
    assert told([*best, rule(50, 20)]) == [*best, rule(50, 20)]
    assert told([]) == []
