import json
import random
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brandmind.dna import cuts
from brandmind.dna.facts import LineFact, Lines, OrderFact, Orders
from brandmind.dna.profile import compared, portrait, to_json, to_plain
from brandmind.dna.signature import coverage, signature
from tests.unit.dna.shop import AS_OF, Buy, Item, ladder, products, shop, with_stock


def made_up(seed=1, *, orders=1500, customers=600, stored_days=760, **more):
    """A shop of two years: a hero, a pair, a season, some discounts and returns."""
    dice = random.Random(seed)
    buys = []
    for _ in range(orders):
        ago = dice.randrange(1, stored_days)
        peak = (AS_OF - timedelta(days=ago)).month in (11, 12)
        if not peak and dice.random() < 0.5:
            ago = dice.randrange(1, stored_days)
        first = 1 if dice.random() < 0.4 else dice.randrange(1, 31)
        wanted = {first} | ({2} if first == 1 and dice.random() < 0.3 else set())
        items = tuple(
            Item(n, price, variant=n, units=1, returned=-price if dice.random() < 0.06 else 0)
            for n in sorted(wanted)
            for price in [1000 + 150 * n]
        )
        buys.append(
            Buy(
                ago,
                customer=0 if dice.random() < 0.1 else dice.randrange(1, customers),
                items=items,
                discount=200 if dice.random() < 0.25 else 0,
                country=dice.choice(["GB", "GB", "GB", "FR", "DE"]),
            )
        )
    catalogue = products(30)
    catalogue[4] = catalogue[4]._replace(on_sale_day=AS_OF.toordinal() - 120)
    return shop(
        buys,
        stored_days=stored_days,
        products_=catalogue,
        variants=ladder(*(1000 + 150 * n for n in range(1, 31))),
        **more,
    )


def test_a_whole_portrait_is_read():
    profile = portrait(made_up())
    assert (profile.coverage, profile.read) == ("12 of 12 strands read", 12)
    assert [strand.key for strand in profile.strands] == [spec.key for spec in cuts.STRANDS]
    assert [lane.score for lane in profile.gel] == [strand.score for strand in profile.strands]
    assert profile.first == date(2025, 1, 1)
    assert profile.signature.endswith(".")
    assert profile.signature.count(", ") == 3
    assert len(profile.pulse) == 5
    for strand in profile.strands:
        assert 0 <= strand.ci_low <= strand.score <= strand.ci_high <= 100
        assert len(strand.evidence) == 3
        assert len(strand.actions) <= 2
        assert strand.sentence.endswith(".")
    assert profile.labels.keys() == {spec.key for spec in cuts.STRANDS}


def test_an_empty_shop_is_told_what_it_lacks():
    facts = replace(shop([]), stored_from=None)
    profile = portrait(facts)
    assert (profile.coverage, profile.signature, profile.do_next) == (
        "0 of 12 strands read",
        "",
        (),
    )
    assert all(strand.needs and strand.sentence for strand in profile.strands)
    assert all(lane.score is None for lane in profile.gel)
    json.loads(to_json(profile))


def test_a_store_of_60_days_reads_half_of_its_portrait():
    facts = made_up(orders=900, stored_days=60, cut=True, whole=False)
    keys = {strand.key for strand in portrait(facts).strands if strand.score is not None}
    assert {"price", "range", "reach", "discount", "basket"} <= keys
    assert not {"newness", "loyalty", "seasonality"} & keys
    assert portrait(facts).strands[0].confidence == "medium"


@pytest.fixture(scope="module")
def known():
    facts = made_up(orders=700, customers=250)
    return facts, to_json(portrait(facts))


def rows_of(facts):
    orders, lines = facts.orders, facts.lines
    return (
        [
            OrderFact(
                orders.gid[at],
                orders.day[at],
                orders.customer[at],
                orders.countries[orders.country[at]],
                orders.gross[at],
                orders.discounts[at],
                orders.returned[at],
            )
            for at in range(len(orders))
        ],
        [
            LineFact(
                orders.gid[lines.order[at]],
                lines.product[at],
                lines.variant[at],
                lines.units[at],
                lines.sold[at],
                lines.returned[at],
            )
            for at in range(len(lines))
        ],
    )


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_no_order_of_rows_changes_a_byte(known, seed):
    dice = random.Random(seed)
    facts, told = known
    orders, lines = rows_of(facts)
    customers, catalogue, variants = (
        list(facts.customers), list(facts.products), list(facts.variants)
    )  # fmt: skip
    for rows in (orders, lines, customers, catalogue, variants):
        dice.shuffle(rows)
    columns = Orders(orders)
    shuffled = replace(
        facts,
        orders=columns,
        lines=Lines(lines, columns),
        customers=customers,
        products=catalogue,
        variants=variants,
    )
    assert to_json(portrait(shuffled)) == told


def test_the_json_is_sorted_and_has_no_spaces(known):
    _, told = known
    assert (
        json.dumps(json.loads(told), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        == told
    )


def test_orders_of_the_day_itself_and_later_change_nothing(known):
    facts, told = known
    orders, lines = rows_of(facts)
    orders += [
        OrderFact(9000 + n, AS_OF.toordinal() + n, 0, "US", 10**6, -500, 0) for n in range(3)
    ]
    lines += [LineFact(9000 + n, 1, 1, 5, 10**6, 0) for n in range(3)]
    columns = Orders(orders)
    assert to_json(portrait(replace(facts, orders=columns, lines=Lines(lines, columns)))) == told


def test_labels_of_the_day_before_are_the_only_memory(known):
    facts, told = known
    profile = portrait(facts)
    assert to_json(portrait(facts, before=profile.labels)) == told
    assert to_json(portrait(facts, before={})) == told


def test_the_signature_names_only_what_is_sure():
    strands = {strand.key: strand for strand in portrait(made_up()).strands}
    known = list(strands.values())
    words = signature(known)
    unsure = [replace(s, confidence="low") if s.key == "price" else s for s in known]
    assert signature(unsure).count(", ") == words.count(", ") - 1
    # 9, 10, 11 and 3 by how far they are from the middle.
    extreme = [
        replace(
            s,
            score=1.0 if s.key == "newness" else 50.0,
            label="Evergreen" if s.key == "newness" else s.label,
        )
        for s in known
    ]
    assert signature(extreme).endswith(", evergreen.")
    assert coverage(known) == "12 of 12 strands read"


def test_the_second_order_is_worth_a_sum_that_can_be_checked():
    buys = [Buy(200, customer=c, items=(Item(1, 5000),)) for c in range(1, 301)]
    for customer in range(1, 31):
        buys.append(Buy(180, customer=customer, items=(Item(1, 5000),)))
        buys.append(Buy(150, customer=customer, items=(Item(1, 5000),)))
    profile = portrait(shop(buys))
    loyalty = next(s for s in profile.strands if s.key == "loyalty")
    # 30 of 300 within 90 days: 10 %, a score of 32.5.
    assert (loyalty.raw, loyalty.score) == (0.1, 32.5)
    (action,) = loyalty.actions
    # 300 x 3% x 50.00.
    assert action.amount_minor == 45_000
    assert action.title == "Ask for the second order on day 20"
    assert "about £450.00 a year" in action.text
    assert action.sum == "300 new customers a year × 3% × £50.00 an order = £450.00"
    assert profile.do_next[0] == action


@pytest.mark.parametrize(("beyond", "told"), [(4, False), (5, True), (60, True)])
def test_a_gap_in_the_ladder_is_told_where_somebody_climbs_it(beyond, told):
    """Prices 1 to 2 GBP, then nothing up to 90; of 100 orders so many hold what costs 90."""
    buys = [
        Buy(
            1 + n % 90,
            customer=n + 1,
            items=(
                Item(6, 9000, variant=6) if n < beyond else Item(1 + n % 5, 150, variant=1 + n % 5),
            ),
        )
        for n in range(100)
    ]
    found = portrait(
        shop(buys, products_=products(6), variants=ladder(100, 125, 150, 175, 200, 9000))
    )
    price = next(strand for strand in found.strands if strand.key == "price")
    assert price.score is not None
    gaps = [action for action in price.actions if action.key == "price_gap"]
    assert bool(gaps) is told
    if told:
        assert gaps[0].title == "Offer something between £2.00 and £90.00"
        assert f"{100 - beyond}% of orders stop at £2.00." in gaps[0].text


def test_a_hero_that_runs_out_is_told():
    buys = [
        Buy(n % 60 + 1, items=(Item(1, 9125, units=1), *(Item(p, 10) for p in range(2, 7))))
        for n in range(60)
    ]
    facts = with_stock(shop(buys, products_=products(6)), 1, stock=20, sold=28)
    action = next(a for s in portrait(facts).strands for a in s.actions if a.key == "hero_stock")
    # 60 x 91.25 = 5,475.00 in a year, 105.00 a week.
    assert action.amount_minor == 10_500
    assert "runs out in 20 days" in action.text
    later = with_stock(facts, 1, stock=21, sold=28)
    assert not any(a.key == "hero_stock" for s in portrait(later).strands for a in s.actions)


def test_a_strand_is_compared_with_an_earlier_run():
    before = to_plain(portrait(made_up()))["strands"][0]
    up = {**before, "score": before["score"] + 2}
    down = {**before, "score": before["score"] - 1}
    assert compared(up, before, day="1 Oct") == "Up 2 points on the run of 1 Oct."
    assert compared(down, before, day="1 Oct") == "Down 1 point on the run of 1 Oct."
    assert compared(before, before, day="1 Oct") == "Steady against the run of 1 Oct."
    assert compared(before, None, day="1 Oct") == ""
    assert compared({**before, "score": None}, before, day="1 Oct") == ""
