"""The Operations helix: whether what was sold stays sold."""

from __future__ import annotations

from brandmind.dna import cuts, words
from brandmind.dna.measure import Ratio, along
from brandmind.dna.strand import Missing, Reading, evidence, need
from brandmind.dna.year import Year


def returns_trust(year: Year) -> Reading | Missing:
    """How much of the value of orders 30 to 395 days old came back, whenever it did."""
    facts, orders = year.facts, year.facts.orders
    youngest, oldest = cuts.RETURNS_AGE
    places = orders.between(year.end - oldest, year.end - youngest + 1)
    if len(places) < cuts.RETURNS.least:
        return Missing((need(facts, cuts.RETURNS.noun, len(places), cuts.RETURNS.least),))
    back = [-orders.returned[at] for at in places]
    ratio = Ratio.of(back, [orders.sold(at) for at in places])
    with_returns = sum(minor > 0 for minor in back)
    if ratio.whole <= 0:
        return Missing((need(facts, cuts.RETURNS.noun, 0, cuts.RETURNS.least),))
    low, high = ratio.interval()
    worst = worst_product(year)
    share = ratio.value
    return Reading(
        raw=share,
        score=along(cuts.RETURNS_POINTS, share),
        low=along(cuts.RETURNS_POINTS, high),
        high=along(cuts.RETURNS_POINTS, low),
        n=len(places),
        evidence=evidence(
            ("Value that came back", words.money(ratio.part, facts.currency)),
            (
                "Orders with a return",
                f"{words.number(with_returns)} of {words.number(len(places))}",
            ),
            (
                "Most of it",
                f"{year.title(worst[0])}, {words.percent(worst[1])}" if worst else "none",
            ),
        ),
        sentence=f"{words.percent(share)} of what was sold came back "
        f"({words.money(ratio.part, facts.currency)} of {words.money(ratio.whole, facts.currency)} "
        "in orders of 30 days or older).",
        inputs={"part": ratio.part, "whole": ratio.whole, "orders": ratio.count},
    )


def worst_product(year: Year) -> tuple[int, float] | None:
    """The product with most returned value in the year, and its share of all of it."""
    back = sorted(
        (product.returned_minor, product.gid)
        for product in year.products.values()
        if product.returned_minor < 0
    )
    return (back[0][1], back[0][0] / sum(minor for minor, _ in back)) if back else None
