"""What a merchant could do next: plain rules, each with the sum behind its amount."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from brandmind.dna import words
from brandmind.dna.operations import worst_product
from brandmind.dna.pairs import Rule
from brandmind.dna.products import abc, cover, ladder
from brandmind.dna.selling import first_discount_share, peak_start
from brandmind.dna.strand import Action, Strand
from brandmind.dna.year import Year

_MOST_OF_A_STRAND: Final = 2
_HERO_COVER_DAYS: Final = 21
_PEAK_WEEKS: Final = (8, 14)
_POINTS: Final = 3

Found = Mapping[str, Strand]


def actions(year: Year, strands: Found, pairs: Sequence[Rule]) -> dict[str, tuple[Action, ...]]:
    """The actions by strand, at most two each, those of missing strands left out."""
    found: dict[str, list[Action]] = {}
    for rule in _RULES:
        action = rule(year, strands, pairs)
        if action is not None:
            found.setdefault(action.strand, []).append(action)
    return {key: tuple(some[:_MOST_OF_A_STRAND]) for key, some in found.items()}


def do_next(strands: Sequence[Strand], *, at_most: int = 3) -> list[Action]:
    """What to do first: by what it is about worth, then in the order of the strands."""
    every = [action for strand in strands for action in strand.actions]
    # Sorting keeps the order of equals.
    return sorted(every, key=lambda action: -(action.amount_minor or 0))[:at_most]


def _score(strands: Found, key: str) -> float | None:
    return strands[key].score


def _second_order(year: Year, strands: Found, _pairs: Sequence[Rule]) -> Action | None:
    score = _score(strands, "loyalty")
    if score is None or score >= 45 or _score(strands, "cadence") is None:
        return None
    early, late = year.gap(25), year.gap(75)
    new, aov = year.new_customers(), year.aov_minor
    # Half up, as all amounts.
    amount = (2 * new * _POINTS * aov + 100) // 200
    currency = year.facts.currency
    return Action(
        "second_order",
        "loyalty",
        f"Ask for the second order on day {early}",
        f"Most repeaters come back between day {early} and day {late}. "
        f"{_POINTS} points more is about {words.money(amount, currency)} a year.",
        amount,
        f"{words.number(new)} new customers a year × {_POINTS}% × {words.money(aov, currency)} "
        f"an order = {words.money(amount, currency)}",
    )


def _hero_stock(year: Year, strands: Found, _pairs: Sequence[Rule]) -> Action | None:
    score = _score(strands, "range")
    if score is None or score <= 45:
        return None
    hero = year.ranked()[0]
    product = year.product(hero.gid)
    days = cover(product).days if product else None
    if days is None or days >= _HERO_COVER_DAYS:
        return None
    total = sum(one.net_minor for one in year.ranked())
    week = (2 * hero.net_minor * 7 + 365) // 730
    currency = year.facts.currency
    return Action(
        "hero_stock",
        "range",
        f"Reorder {year.title(hero.gid)}",
        f"It brings {words.percent(hero.net_minor / total)} of sales and runs out in "
        f"{words.counted(days, 'days')}. Reorder it or pause its ads; a week without it is about "
        f"{words.money(week, currency)}.",
        week,
        f"{words.money(hero.net_minor, currency)} in 365 days × 7 ÷ 365 = "
        f"{words.money(week, currency)}",
    )


def _first_discounts(year: Year, strands: Found, _pairs: Sequence[Rule]) -> Action | None:
    score, share = _score(strands, "discount"), first_discount_share(year)
    if score is None or score <= 35 or share is None or share <= 0.5:
        return None
    return Action(
        "first_discounts",
        "discount",
        "Win new customers without a discount",
        f"{words.percent(share)} of first orders used a discount. Try a gift or a shipping "
        "threshold for new customers on one channel for 14 days.",
    )


def _best_customers(year: Year, strands: Found, _pairs: Sequence[Rule]) -> Action | None:
    share = strands["value"].raw
    if share is None or share <= 0.6:
        return None
    best = -(-len(year.spending) // 10)
    return Action(
        "best_customers",
        "value",
        f"Give your best {words.number(best)} customers a named contact",
        f"{words.counted(best, 'customers')} bring {words.percent(share)} of sales. Give them a "
        "named contact; export the list.",
    )


def _bundle(year: Year, strands: Found, pairs: Sequence[Rule]) -> Action | None:
    score = _score(strands, "basket")
    if score is None or score >= 25 or not pairs:
        return None
    # Of what is above chance, the pair that most orders hold.
    rule = max(pairs, key=lambda one: (one.together, one.lift, -one.then))
    a, b = year.title(rule.items[0]), year.title(rule.then)
    return Action(
        "bundle",
        "basket",
        f"Bundle {a} with {b}",
        f"They are bought together {rule.lift:.1f} times more often than chance "
        f"({words.counted(rule.together, 'orders')}).",
    )


def _returned_product(year: Year, strands: Found, _pairs: Sequence[Rule]) -> Action | None:
    score, worst = _score(strands, "returns"), worst_product(year)
    if score is None or score >= 50 or worst is None:
        return None
    gid, share = worst
    return Action(
        "returned_product",
        "returns",
        f"Look at why {year.title(gid)} comes back",
        f"It makes {words.percent(share)} of returned value. Check its size guide and photos.",
    )


def _peak_cover(year: Year, strands: Found, _pairs: Sequence[Rule]) -> Action | None:
    score, start = _score(strands, "seasonality"), peak_start(year)
    if score is None or score <= 55 or start is None:
        return None
    days = (start - year.facts.as_of).days
    if not _PEAK_WEEKS[0] * 7 <= days <= _PEAK_WEEKS[1] * 7:
        return None
    best = [gid for gid, kind in _abc(year).items() if kind == "A"]
    lasting = [
        product
        for gid in best
        if (product := year.product(gid)) is not None
        and (found := cover(product).days) is not None
        and found < days
    ]
    return Action(
        "peak_cover",
        "seasonality",
        f"Prepare for {words.month_name(start.month)}",
        f"Your peak starts about {words.day(start)}. {_lacking(len(lasting))}",
    )


def _lacking(products: int) -> str:
    if not products:
        return "Order what it will take in time."
    if products == 1:
        return "1 best-selling product lacks cover for it."
    return f"{words.number(products)} best-selling products lack cover for it."


# So many orders have to go beyond a gap: what hardly anybody buys is an oddity, and no step that
# somebody could be led up to.
_CLIMB: Final = 0.05


def _price_gap(year: Year, strands: Found, _pairs: Sequence[Rule]) -> Action | None:
    if _score(strands, "price") is None:
        return None
    prices = {variant.gid: variant.price_minor for variant in year.facts.variants}
    found = ladder([(price, 0) for price in prices.values()])
    gap = found.gap() if found else None
    if gap is None:
        return None
    low, high = gap[0].price_minor, gap[1].price_minor
    lines = year.lines
    dearest: dict[int, int] = {}
    for order, variant, sold in zip(lines.order, lines.variant, lines.sold, strict=True):
        price = prices.get(variant)
        if price is not None and sold > 0 and price >= dearest.get(order, 0):
            dearest[order] = price
    if not dearest:
        return None
    stopped = sum(price <= low for price in dearest.values()) / len(dearest)
    if 1 - stopped < _CLIMB:
        return None
    currency = year.facts.currency
    return Action(
        "price_gap",
        "price",
        f"Offer something between {words.money(low, currency)} and {words.money(high, currency)}",
        f"Nothing lies between {words.money(low, currency)} and {words.money(high, currency)}. "
        f"{words.percent(stopped)} of orders stop at {words.money(low, currency)}.",
    )


def _abc(year: Year) -> dict[int, str]:
    return dict(abc((product.gid, product.net_minor) for product in year.ranked()))


_RULES: Final[tuple[Callable[[Year, Found, Sequence[Rule]], Action | None], ...]] = (
    _price_gap,
    _hero_stock,
    _second_order,
    _best_customers,
    _first_discounts,
    _bundle,
    _peak_cover,
    _returned_product,
)
