"""What a merchant could do next: when each rule speaks, and what it says, worked out by hand.

Of the other three rules, which put a sum on it or look at prices: `test_profile`.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

from brandmind.dna.facts import Facts
from brandmind.dna.profile import portrait
from brandmind.dna.strand import Action
from tests.unit.dna.shop import AS_OF, Buy, Item, products, shop, with_stock


def found(facts: Facts, key: str) -> Action | None:
    """The action of this rule in the portrait of a shop, and that it stands at its strand."""
    some = [(s.key, a) for s in portrait(facts).strands for a in s.actions if a.key == key]
    assert all(strand == action.strand for strand, action in some)
    return some[0][1] if some else None


def says(facts: Facts, key: str, title: str, text: str) -> None:
    """The rule says this, and puts no sum on it."""
    action = found(facts, key)
    assert action is not None
    assert (action.title, action.text) == (title, text)
    assert (action.amount_minor, action.sum) == (None, None)


def of_customers(best: int, *, customers: int = 100) -> Facts:
    """The first ten of every hundred customers spend `best` each, all others 1.00."""
    return shop(
        [
            Buy(100, customer=n, items=(Item(1, best if n <= customers // 10 else 100),))
            for n in range(1, customers + 1)
        ]
    )


def test_best_customers_are_named_when_they_bring_more_than_60_percent() -> None:
    # 10 × 13.50 = 135.00 of 135.00 + 90 × 1.00 = 225.00: just 60 %.
    assert found(of_customers(1_350), "best_customers") is None
    # 10 × 13.51 = 135.10 of 225.10: 60.02 %.
    says(
        of_customers(1_351),
        "best_customers",
        "Give your best 10 customers a named contact",
        "10 customers bring 60% of sales. Give them a named contact; export the list.",
    )


def test_the_best_tenth_of_109_customers_is_eleven() -> None:
    # 10 × 90.00 + 1 × 1.00 = 901.00 of 900.00 + 99 × 1.00 = 999.00.
    says(
        of_customers(9_000, customers=109),
        "best_customers",
        "Give your best 11 customers a named contact",
        "11 customers bring 90% of sales. Give them a named contact; export the list.",
    )


def discounted(*, firsts: Sequence[int], seconds: int = 0, again: bool = True) -> Facts:
    """Customers whose first orders have these discounts; of second orders the first `seconds`.

    Every order is worth 10.00 before its discount; second orders have 0.10 off.
    """

    def buy(ago: int, customer: int, off: int) -> Buy:
        return Buy(ago, customer=customer, items=(Item(1, 1_000 - off),), discount=off)

    rows = [buy(200, n, off) for n, off in enumerate(firsts, 1)]
    if again:
        rows += [buy(100, n, 10 if n <= seconds else 0) for n in range(1, len(firsts) + 1)]
    return shop(rows)


WITHOUT_A_DISCOUNT = "Win new customers without a discount"


def test_discounts_on_first_orders_are_spoken_of_above_half_of_them() -> None:
    # Half of the orders, half of the first orders: 50 × 0.5 + 20 × 0.5 = 35, and their depth.
    half = [300] * 50 + [0] * 50
    assert found(discounted(firsts=half, again=False), "first_discounts") is None
    says(
        discounted(firsts=[300] * 51 + [0] * 49, again=False),
        "first_discounts",
        WITHOUT_A_DISCOUNT,
        "51% of first orders used a discount. Try a gift or a shipping threshold for new "
        "customers on one channel for 14 days.",
    )


def test_discounts_on_first_orders_are_no_matter_while_little_leans_on_discounts() -> None:
    # 26 of 50 first orders. Of 100 orders 26 + k have 1 % off, which makes
    # 0.5 × (26 + k) + 0.01 × (26 + k) + 20 × 0.52: 34.9 with k = 22, 35.4 with k = 23.
    firsts = [10] * 26 + [0] * 24
    assert found(discounted(firsts=firsts, seconds=22), "first_discounts") is None
    says(
        discounted(firsts=firsts, seconds=23),
        "first_discounts",
        WITHOUT_A_DISCOUNT,
        "52% of first orders used a discount. Try a gift or a shipping threshold for new "
        "customers on one channel for 14 days.",
    )


def of_baskets(*some: tuple[tuple[int, ...], int]) -> Facts:
    """So many orders of each basket, and so many of product 9 alone that they are 200."""
    rows = [basket for basket, count in some for _ in range(count)]
    rows += [(9,)] * (200 - len(rows))
    return shop(
        [
            Buy(50, customer=n, items=tuple(Item(one, 500) for one in basket))
            for n, basket in enumerate(rows, 1)
        ],
        products_=products(9),
    )


def test_a_bundle_needs_a_pair_of_five_orders() -> None:
    assert found(of_baskets(((1, 2), 4), ((1,), 6), ((2,), 6)), "bundle") is None
    # Ten orders hold each: 5 × 200 / (10 × 10) = 10.
    says(
        of_baskets(((1, 2), 5), ((1,), 5), ((2,), 5)),
        "bundle",
        "Bundle Product 1 with Product 2",
        "They are bought together 10.0 times more often than chance (5 orders).",
    )


def test_a_bundle_is_for_those_who_hardly_sell_two_things_at_once() -> None:
    pair = (((1, 2), 10), ((1,), 10), ((2,), 15))
    # 3 is in 165 orders, always where 4 is: 200 / 165 = 1.2 times is no pair.
    assert found(of_baskets(*pair, ((3, 4), 40), ((3,), 125)), "bundle") is None
    # 49 of 200 orders hold two. 10 × 200 / (20 × 25) = 4.
    says(
        of_baskets(*pair, ((3, 4), 39), ((3,), 126)),
        "bundle",
        "Bundle Product 1 with Product 2",
        "They are bought together 4.0 times more often than chance (10 orders).",
    )


def test_of_several_pairs_the_one_of_most_orders_is_bundled() -> None:
    # The first: 5 × 200 / (5 × 5) = 40; the second: 12 × 200 / (20 × 24) = 5.
    says(
        of_baskets(((1, 2), 5), ((3, 4), 12), ((3,), 8), ((4,), 12)),
        "bundle",
        "Bundle Product 3 with Product 4",
        "They are bought together 5.0 times more often than chance (12 orders).",
    )


def peaking(*, big: int = 110, as_of: date = AS_OF, others: int = 1, each: int = 50) -> Facts:
    """Fifty orders a month since November 2024, in April and May `big`.

    Every `each`-th of a month is of product `others`, and all the rest of product 1.
    """
    buys = []
    for month in range(16):
        first = date(2024 + (10 + month) // 12, (10 + month) % 12 + 1, 1)
        many = big if first.month in (4, 5) else 50
        ago = (AS_OF - first).days
        buys += [
            Buy(ago, customer=n, items=(Item(1 if n % each else others, 1_000),))
            for n in range(1, many + 1)
        ]
    buys = [buy for buy in buys if AS_OF - timedelta(days=buy.ago) < as_of]
    return replace(shop(buys, stored_days=450, products_=products(9)), as_of=as_of)


PEAK = "Your peak starts about 1 Apr 2026."
IN_TIME = f"{PEAK} Order what it will take in time."
APRIL = "Prepare for April"


def test_a_peak_is_spoken_of_when_it_stands_out() -> None:
    # 6 × 218 / 718 = 1.82 times an even share, 54.8 of 100; 6 × 220 / 720 = 1.83 is 55.6.
    assert found(peaking(big=109), "peak_cover") is None
    says(peaking(big=110), "peak_cover", APRIL, IN_TIME)


@pytest.mark.parametrize(
    ("as_of", "spoken"),
    [
        # 99, 98, 56 and 55 days before the first of April.
        (date(2025, 12, 23), False),
        (date(2025, 12, 24), True),
        (date(2026, 2, 4), True),
        (date(2026, 2, 5), False),
    ],
)
def test_a_peak_is_spoken_of_8_to_14_weeks_before(as_of: date, spoken: bool) -> None:
    facts = peaking(as_of=as_of)
    if spoken:
        says(facts, "peak_cover", APRIL, IN_TIME)
    else:
        assert found(facts, "peak_cover") is None


def test_what_sells_best_and_will_be_gone_by_the_peak_is_counted() -> None:
    # It is 90 days to the peak, and one is sold a day.
    says(with_stock(peaking(), 1, stock=90, sold=28), "peak_cover", APRIL, IN_TIME)
    says(
        with_stock(peaking(), 1, stock=89, sold=28),
        "peak_cover",
        APRIL,
        f"{PEAK} 1 best-selling product lacks cover for it.",
    )
    # Product 2 brings one sale in fifty: it is not among those that sell best.
    few = with_stock(peaking(others=2), 1, stock=89, sold=28)
    says(
        with_stock(few, 2, stock=1, sold=28),
        "peak_cover",
        APRIL,
        f"{PEAK} 1 best-selling product lacks cover for it.",
    )


def test_several_that_will_be_gone_by_the_peak_are_many() -> None:
    # Each brings half.
    facts = peaking(others=2, each=2)
    facts = with_stock(with_stock(facts, 1, stock=10, sold=28), 2, stock=10, sold=28)
    says(facts, "peak_cover", APRIL, f"{PEAK} 2 best-selling products lack cover for it.")


def returning(first: int, second: int, *, ago: int = 60) -> Facts:
    """A hundred orders of 10.00, of two products; so much came back of each product."""
    rows = [Buy(ago, customer=n, items=(Item(1 + n % 2, 1_000),)) for n in range(1, 99)]
    for n, (product, back) in enumerate(((1, first), (2, second)), 99):
        rows.append(Buy(ago, customer=n, items=(Item(product, 1_000, returned=-back),)))
    return shop(rows, products_=products(2))


def test_the_product_that_comes_back_most_is_named_below_50() -> None:
    # 11.6 % of 1,000.00 came back: 55 - 30 × 0.16 = 50.2; of 11.7 % it is 49.9.
    assert found(returning(7_800, 3_800), "returned_product") is None
    says(
        returning(7_800, 3_900),
        "returned_product",
        "Look at why Product 1 comes back",
        "It makes 67% of returned value. Check its size guide and photos.",
    )


def test_no_product_is_named_when_nothing_of_the_year_came_back() -> None:
    # What is 366 to 395 days old counts for the strand alone.
    facts = returning(7_800, 3_900, ago=380)
    returns = next(one for one in portrait(facts).strands if one.key == "returns")
    assert returns.score == 49.9
    assert found(facts, "returned_product") is None
