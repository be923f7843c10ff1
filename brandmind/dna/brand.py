"""The Brand helix: where on its own ladder a store sells, how wide, how new and how far."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Container, Sequence

from brandmind.dna import cuts, words
from brandmind.dna.facts import UNKNOWN_COUNTRY, VariantFact
from brandmind.dna.measure import Ratio, along, nearest_rank, spread_of
from brandmind.dna.strand import (
    Missing,
    Need,
    Reading,
    days_covered,
    evidence,
    need,
    need_days,
)
from brandmind.dna.year import Year


def price_position(year: Year) -> Reading | Missing:
    """Where on its own price ladder the store sells: 0 the cheapest, 1 the dearest variant."""
    facts = year.facts
    ladder = facts.variants
    prices = sorted(variant.price_minor for variant in ladder)
    lacking = [
        Need(noun, have, least)
        for noun, have, least in (
            ("variants", len(prices), cuts.PRICE.least),
            ("different prices", len(set(prices)), cuts.LEAST_PRICES),
        )
        if have < least
    ]
    if year.units < cuts.LEAST_UNITS:
        lacking.append(need(facts, "units sold", year.units, cuts.LEAST_UNITS))
    if lacking:
        return Missing(tuple(lacking))
    rank, of = mid_ranks(ladder)
    sold = _by_variant(year, rank.keys())
    # Of what brought nothing in the end, nothing counts.
    counts = {variant: rank[variant] for variant, net in sold.items() if net > 0}
    parts: dict[int, int] = {}
    wholes: dict[int, int] = {}
    lines = year.lines
    for order, variant, net in zip(lines.order, lines.variant, lines.net, strict=True):
        place = counts.get(variant)
        if place is not None:
            parts[order] = parts.get(order, 0) + net * place
            wholes[order] = wholes.get(order, 0) + net * of
    ratio = Ratio.of(list(parts.values()), list(wholes.values()))
    if not ratio.whole:
        return Missing((need(facts, "units sold", 0, cuts.LEAST_UNITS),))
    low, high = ratio.interval()
    median = nearest_rank(prices, 50)
    upper = sum(net for variant, net in sold.items() if net > 0 and 2 * rank[variant] > of)
    share = upper / (ratio.whole // of)
    return Reading(
        raw=ratio.value,
        score=100 * ratio.value,
        low=100 * low,
        high=100 * high,
        n=len(ladder),
        evidence=evidence(
            ("Middle price", words.money(median, facts.currency)),
            ("Sales from the dearer half of variants", words.percent(share)),
            ("Variants on the ladder", words.number(len(ladder))),
        ),
        sentence=f"The dearer half of your variants brings {words.percent(share)} of net sales; "
        f"your middle price is {words.money(median, facts.currency)}.",
        inputs={
            "prices": [len(prices), prices[0], median, prices[-1]],
            "part": ratio.part,
            "whole": ratio.whole,
            "orders": ratio.count,
            "spread": [ratio.part_part, ratio.part_whole, ratio.whole_whole],
        },
    )


def mid_ranks(variants: Sequence[VariantFact]) -> tuple[dict[int, int], int]:
    """Each variant's place among the prices, ties averaged, as numerators; and what is whole.

    The cheapest is 0 and the dearest the whole: (less + (equal - 1) / 2) / (all - 1), doubled.
    """
    counts = sorted(Counter(variant.price_minor for variant in variants).items())
    places: dict[int, int] = {}
    less = 0
    for price, equal in counts:
        places[price] = 2 * less + equal - 1
        less += equal
    return {v.gid: places[v.price_minor] for v in variants}, 2 * max(1, len(variants) - 1)


def _by_variant(year: Year, known: Container[int]) -> dict[int, int]:
    sums: dict[int, int] = {}
    for variant, net in zip(year.lines.variant, year.lines.net, strict=True):
        if variant in known:
            sums[variant] = sums.get(variant, 0) + net
    return sums


def range_focus(year: Year) -> Reading | Missing:
    """How few products the sales behave like."""
    facts = year.facts
    ranked = year.ranked()
    lacking = []
    if len(ranked) < cuts.RANGE.least:
        lacking.append(Need("products with sales", len(ranked), cuts.RANGE.least))
    if year.units < cuts.LEAST_UNITS:
        lacking.append(need(facts, "units sold", year.units, cuts.LEAST_UNITS))
    if lacking:
        return Missing(tuple(lacking))
    total = sum(product.net_minor for product in ranked)
    squares = sum(product.net_minor**2 for product in ranked)
    count = len(ranked)
    effective = total**2 / squares
    log_count = math.log(count)
    score = 100.0 if count == 1 else 100 * (1 - math.log(effective) / log_count)
    reach = 100 * _log_spread(year, total, squares) / log_count if count > 1 else 0.0
    hero = ranked[0]
    part, whole = cuts.HERO_SHARE
    is_hero = whole * hero.net_minor >= part * total
    ten = sum(product.net_minor for product in ranked[:10]) / total
    share = hero.net_minor / total
    return Reading(
        raw=effective,
        score=score,
        low=score - reach,
        high=score + reach,
        n=count,
        long_tailed=not is_hero,
        evidence=evidence(
            ("Sells like this many equal products", f"{effective:,.1f}"),
            (f"Share of {year.title(hero.gid)}", words.percent(share)),
            ("Share of the first ten", words.percent(ten)),
        ),
        sentence=f"{year.title(hero.gid)} brings {words.percent(share)} of net sales, the first "
        f"ten bring {words.percent(ten)} of it; {words.number(count)} products sold.",
        inputs={"count": count, "total": total, "squares": squares, "hero": hero.net_minor},
    )


def _log_spread(year: Year, total: int, squares: int) -> float:
    """Half the interval of the logarithm of the sum of squared shares, orders drawn at random."""
    lines = year.lines
    brought = {gid: net for gid, one in year.products.items() if (net := one.net_minor)}
    nets: dict[int, int] = {}
    weighted: dict[int, int] = {}
    for order, product, net in zip(lines.order, lines.product, lines.net, strict=True):
        weight = brought.get(product)
        if weight is not None:
            nets[order] = nets.get(order, 0) + net
            weighted[order] = weighted.get(order, 0) + net * weight
    # d ln(sum s^2) of an order = 2 (sum s_p y_p - H y) / (T H), with H = squares / total^2.
    scale = total * squares
    return spread_of(
        (2 * (weighted[order] * total - squares * net) / scale for order, net in nets.items()),
        len(nets),
    )


def newness(year: Year) -> Reading | Missing:
    """The share of net sales from products that were new when they sold."""
    facts = year.facts
    lacking = []
    if days_covered(facts) < cuts.NEWNESS_LEAST_DAYS:
        lacking.append(need_days(facts, cuts.NEWNESS_LEAST_DAYS))
    if len(year.orders) < cuts.NEWNESS.least:
        lacking.append(need(facts, "orders", len(year.orders), cuts.NEWNESS.least))
    if lacking:
        return Missing(tuple(lacking))
    made = Counter(product.created_day for product in facts.products)
    part, whole = cuts.IMPORT_SHARE
    most = max(made.values(), default=0)
    if not made or whole * most > part * len(facts.products):
        why = (
            f"{words.number(most)} of {words.number(len(facts.products))} products were made on "
            "one day, so they were imported and do not show when they were launched."
            if made
            else "No products are stored yet."
        )
        return Missing((Need("products", len(facts.products), 0, why=why),))
    lines, days = year.lines, facts.orders.day
    on_sale = {product.gid: product.on_sale_day for product in facts.products}
    parts: dict[int, int] = {}
    wholes: dict[int, int] = {}
    fresh: set[int] = set()
    for order, product, net in zip(lines.order, lines.product, lines.net, strict=True):
        since = on_sale.get(product)
        if since is None:
            continue
        wholes[order] = wholes.get(order, 0) + net
        if days[order] - since <= cuts.NEW_DAYS:
            parts[order] = parts.get(order, 0) + net
            fresh.add(product)
    ratio = Ratio.of([parts.get(order, 0) for order in wholes], list(wholes.values()))
    if ratio.whole <= 0:
        return Missing((need(facts, "orders", 0, cuts.NEWNESS.least),))
    low, high = ratio.interval()
    return Reading(
        raw=ratio.value,
        score=along(cuts.NEWNESS_POINTS, ratio.value),
        low=along(cuts.NEWNESS_POINTS, low),
        high=along(cuts.NEWNESS_POINTS, high),
        n=len(year.orders),
        evidence=evidence(
            ("Net sales from new products", words.money(ratio.part, facts.currency)),
            ("Net sales in all", words.money(ratio.whole, facts.currency)),
            ("Products that sold while new", words.number(len(fresh))),
        ),
        sentence=f"{words.percent(ratio.value)} of net sales come from products published at most "
        f"{cuts.NEW_DAYS} days before the sale ({words.counted(len(fresh), 'products')}).",
        inputs={"part": ratio.part, "whole": ratio.whole, "orders": len(year.orders)},
    )


def reach(year: Year) -> Reading | Missing:
    """The share of net sales that goes abroad."""
    facts, orders = year.facts, year.facts.orders
    known = [at for at in year.orders if orders.countries[orders.country[at]] != UNKNOWN_COUNTRY]
    if len(known) < cuts.REACH.least:
        return Missing((need(facts, cuts.REACH.noun, len(known), cuts.REACH.least),))
    sums: defaultdict[str, int] = defaultdict(int)
    for at in known:
        sums[orders.countries[orders.country[at]]] += orders.net(at)
    ranked = sorted(((net, code) for code, net in sums.items()), key=lambda e: (-e[0], e[1]))
    home = facts.country or ranked[0][1]
    nets = [orders.net(at) for at in known]
    is_home = [code == home for code in orders.countries]
    abroad_nets = [
        0 if is_home[orders.country[at]] else net for at, net in zip(known, nets, strict=True)
    ]
    ratio = Ratio.of(abroad_nets, nets)
    if ratio.whole <= 0:
        return Missing((need(facts, cuts.REACH.noun, 0, cuts.REACH.least),))
    low, high = ratio.interval()
    abroad = [(net, code) for net, code in ranked if code != home and net > 0]
    best = abroad[0] if abroad else None
    return Reading(
        raw=ratio.value,
        score=100 * ratio.value,
        low=100 * low,
        high=100 * high,
        n=len(known),
        evidence=evidence(
            ("Home market", home),
            ("Countries sold to", words.number(len(sums))),
            (
                "Biggest market abroad",
                f"{best[1]}, {words.percent(best[0] / ratio.whole)}" if best else "none",
            ),
        ),
        sentence=f"{words.percent(ratio.value)} of net sales go to other countries than {home}"
        + (
            f"; {best[1]} is the biggest of them with {words.percent(best[0] / ratio.whole)}."
            if best
            else "."
        ),
        inputs={"part": ratio.part, "whole": ratio.whole, "orders": ratio.count, "home": home},
    )
