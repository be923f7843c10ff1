"""What customers may still bring: the published fits, known shops found again, and the gates.

`cdnow.csv` is the sample of 2,357 CDNOW customers that both papers fit (Fader and Hardie's, as the
MIT-licensed package `lifetimes` carries it), those who are alike in one row: 39 weeks in weeks and
dollars.
"""

from __future__ import annotations

import csv
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import hyp2f1

from brandmind.dna import fits, predict
from brandmind.dna.fits import Lives
from brandmind.dna.predict import predicted, to_plain
from brandmind.dna.year import Year
from tests.unit.dna.shop import Buy, Item, shop

CDNOW = Path(__file__).with_name("cdnow.csv")


class Sample(NamedTuple):
    of: Lives
    mean: list[float]
    customers: list[int]


@pytest.fixture(scope="module")
def cdnow() -> Sample:
    with CDNOW.open(newline="") as file:
        rows = list(csv.DictReader(file))
    columns = ([float(row[name]) for row in rows] for name in ("repeats", "recency", "age"))
    return Sample(
        fits.lives(*columns),
        [float(row["mean"]) for row in rows],
        [int(row["customers"]) for row in rows],
    )


# The papers


def test_the_published_rates_of_coming_back_come_out(cdnow: Sample) -> None:
    assert sum(cdnow.customers) == 2_357
    found = fits.fit_purchases(cdnow.of, cdnow.customers)
    assert found is not None
    # Table 2 of the paper.
    assert found.r == pytest.approx(0.243, abs=0.0005)
    assert found.alpha == pytest.approx(4.414, abs=0.0006)
    assert found.a == pytest.approx(0.793, abs=0.0005)
    assert found.b == pytest.approx(2.426, abs=0.0005)
    assert found.log_likelihood == pytest.approx(-9582.4, abs=0.05)


def test_the_published_customer_is_expected_as_often_as_in_the_paper(cdnow: Sample) -> None:
    found = fits.fit_purchases(cdnow.of, cdnow.customers)
    assert found is not None
    # Fader, Hardie and Lee's own worksheet: two repeats, the last in week 30.43 of 38.86, gives
    # 1.226 orders in the next 39 weeks.
    one = fits.lives([2], [30.43], [38.86])
    assert fits.expected_orders(found, one, 39.0)[0] == pytest.approx(1.226, abs=0.0005)
    assert fits.still_there(found, one)[0] == pytest.approx(0.7266, abs=0.0005)


def test_the_published_worths_of_an_order_come_out(cdnow: Sample) -> None:
    back = [
        (repeats, mean)
        for repeats, mean, many in zip(cdnow.of.repeats, cdnow.mean, cdnow.customers, strict=True)
        for _ in range(many if repeats and mean > 0 else 0)
    ]
    assert len(back) == 946
    found = fits.fit_money(*zip(*back, strict=True))
    assert found is not None
    # Section 4 of the note: p 6.25, q 3.74, gamma 15.44.
    assert found.p == pytest.approx(6.25, abs=0.005)
    assert found.q == pytest.approx(3.74, abs=0.006)
    assert found.v == pytest.approx(15.44, abs=0.01)
    # Who never came back is expected to spend as everybody does; who did lies between.
    never, once = fits.expected_value(found, [0, 1], [0.0, 100.0])
    assert never == pytest.approx(found.p * found.v / (found.q - 1))
    assert never < once < 100


@given(
    repeats=st.integers(0, 12),
    recency=st.floats(0.1, 50),
    longer=st.floats(0, 50),
    weeks=st.floats(0.5, 60),
    a=st.floats(0.05, 0.95) | st.floats(1.05, 40),
)
def test_the_formula_is_the_printed_one(
    repeats: int, recency: float, longer: float, weeks: float, a: float
) -> None:
    fit = fits.Purchases(0.6, 9.0, a, 2.4, 0)
    age = recency + longer
    of = fits.lives([repeats], [recency if repeats else 0], [age])
    r, alpha, b, x = fit.r, fit.alpha, fit.b, repeats
    z = weeks / (alpha + age + weeks)
    series = hyp2f1(r + x, b + x, a + b + x - 1, z)
    top = (
        (a + b + x - 1)
        / (a - 1)
        * (1 - ((alpha + age) / (alpha + age + weeks)) ** (r + x) * series)
    )
    bottom = 1.0
    if x:
        bottom += a / (b + x - 1) * ((alpha + age) / (alpha + recency)) ** (r + x)
    assert fits.expected_orders(fit, of, weeks)[0] == pytest.approx(
        top / bottom, rel=1e-6, abs=1e-9
    )


def test_whoever_orders_all_the_time_is_expected_to_go_on() -> None:
    fit = fits.Purchases(0.6, 9.0, 0.3, 2.4, 0)
    often = fits.lives([2_000], [100.0], [100.0])
    found = fits.expected_orders(fit, often, 10.0)
    assert np.isfinite(found).all()
    # 2,000.6 in 109 weeks would be 183.5; after each, 0.3 of 2,002 leave, half of it on average.
    assert found[0] == pytest.approx(183.5 * (1 - 183.5 / 2 * 0.3 / 2_002), abs=0.2)


@pytest.mark.parametrize(("a", "b"), [(9_000, 9_900), (1e-3, 9_000), (9_000, 1e-3), (1, 1)])
def test_a_fit_far_out_is_still_reckoned_with(a: float, b: float) -> None:
    fit = fits.Purchases(0.6, 9.0, a, b, 0)
    of = fits.lives([0, 1, 40, 900], [0, 3.0, 90.0, 99.0], [100.0] * 4)
    before = np.zeros(4)
    for weeks in (0.5, 5.0, 50.0):
        found = fits.expected_orders(fit, of, weeks)
        assert (np.isfinite(found) & (found >= before)).all(), (weeks, found)
        before = found


# A shop made by the models' own rules


class Made(NamedTuple):
    buys: list[Buy]
    later_orders: int
    later_minor: int


def made(seed: int, *, people: int = 4_000, linked: bool = False) -> Made:
    """A shop by BG/NBD (r 0.8, alpha 12 weeks, a 0.6, b 2.5) and Gamma-Gamma (p 6, q 4, v 1,500),
    and what its customers do in the year after the portrait."""
    dice = random.Random(seed)
    buys, later, worth = [], 0, 0
    for customer in range(1, people + 1):
        ago = dice.randrange(60, 700)
        rate = dice.gammavariate(0.8, 1 / 12) / 7
        leaves = dice.betavariate(0.6, 2.5)
        scale = dice.gammavariate(4, 1 / 1_500)
        days, day = [0], 0.0
        while dice.random() >= (leaves if len(days) > 1 else 0) and day < ago + 365:
            day += dice.expovariate(rate)
            days.append(int(day))
        for at in days:
            minor = max(1, round(dice.gammavariate(6, 1 / scale)))
            if linked:
                minor *= len([other for other in days if other < ago])
            if at < ago:
                buys.append(Buy(ago - at, customer=customer, items=(Item(1, minor),)))
            elif at < ago + 365:
                later += 1
                worth += minor
    return Made(buys, later, worth)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_shop_made_by_the_models_is_found_again_and_its_year_foretold(seed: int) -> None:
    truth = made(seed)
    found = predicted(Year(shop(truth.buys)))
    assert (found.reason, found.money_reason) == (None, None)
    assert found.customers == 4_000
    assert found.purchases is not None
    assert found.money is not None
    fit, money = found.purchases, found.money
    print(fit, money)
    # The mean rate and the mean chance of leaving are told best; each parameter moves with another.
    assert fit["r"] / fit["alpha_weeks"] == pytest.approx(0.8 / 12, rel=0.1)
    assert fit["r"] == pytest.approx(0.8, rel=0.2)
    assert fit["a"] / (fit["a"] + fit["b"]) == pytest.approx(0.6 / 3.1, abs=0.04)
    assert money["p"] * money["v_minor"] / (money["q"] - 1) == pytest.approx(3_000, rel=0.08)
    assert money["q"] == pytest.approx(4, rel=0.2)
    assert found.expected_orders == pytest.approx(truth.later_orders, rel=0.06)
    assert found.expected_minor == pytest.approx(truth.later_minor, rel=0.1)
    assert found.expected_minor is not None
    assert found.value_minor is not None
    # Half a year at ten percent a year, more or less: most comes early.
    assert 0.93 < found.value_minor / found.expected_minor < 0.97
    assert abs(found.correlation or 0) < 0.1
    assert found.checked is not None
    assert found.checked["expected_orders"] == pytest.approx(found.checked["orders"], rel=0.1)
    assert [part.customers for part in found.tenths] == [400] * 10
    values = [part.value_minor or 0 for part in found.tenths]
    assert values == sorted(values, reverse=True)
    assert sum(values) == pytest.approx(found.value_minor, abs=5)


# The gates


def few(customers: int, repeaters: int) -> list[Buy]:
    dice = random.Random(5)
    buys = []
    for customer in range(1, customers + 1):
        ago = dice.randrange(150, 600)
        buys.append(Buy(ago, customer=customer))
        if customer <= repeaters:
            for _ in range(dice.randrange(1, 5)):
                later = ago - dice.randrange(1, 140)
                item = Item(1, dice.randrange(500, 5_000))
                buys.append(Buy(later, customer=customer, items=(item,)))
    return buys


@pytest.mark.parametrize(("customers", "repeaters"), [(499, 200), (600, 99)])
def test_below_its_gate_it_says_what_it_needs(customers: int, repeaters: int) -> None:
    found = predicted(Year(shop(few(customers, repeaters))))
    assert (found.reason, found.customers, found.repeaters) == ("few", customers, repeaters)
    assert found.needs.endswith(f"You have {customers:,} and {repeaters:,}.")
    assert (found.expected_orders, found.purchases, found.tenths) == (None, None, ())
    assert predicted(Year(shop(few(500, 100)))).reason != "few"


def test_whose_first_order_is_not_known_does_not_count() -> None:
    buys = few(600, 200)
    assert predicted(Year(shop(buys))).customers == 600
    # Before the stored orders the shop counts more of the first two hundred.
    cut = shop(buys, whole=False, lifetimes=dict.fromkeys(range(1, 201), 99))
    assert predicted(Year(cut)).customers == 400


def test_without_the_extra_it_says_how_to_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predict, "find_spec", lambda name: None)
    found = predicted(Year(shop(few(600, 200))))
    assert found.reason == "not_installed"
    assert "[predict]" in found.needs
    assert found.purchases is None
    # Whoever has too few customers is not sent to install something.
    assert predicted(Year(shop(few(60, 20)))).reason == "few"


def test_amounts_are_left_out_where_they_go_with_how_often() -> None:
    found = predicted(Year(shop(made(1, linked=True).buys)))
    assert (found.reason, found.money_reason) == (None, "linked")
    assert found.correlation is not None
    assert found.correlation >= 0.3
    assert f"correlation {found.correlation:.2f}" in found.money_needs
    assert (found.money, found.value_minor, found.expected_minor) == (None, None, None)
    assert found.expected_orders
    assert {part.value_minor for part in found.tenths} == {None}
    orders = [part.expected_orders for part in found.tenths]
    assert orders == sorted(orders, reverse=True)


def test_a_model_that_does_not_hold_is_not_told() -> None:
    # Everybody comes back exactly every 30 days and nobody ever leaves: no rates differ.
    buys = [
        Buy(days, customer=customer) for customer in range(1, 601) for days in range(1, 360, 30)
    ]
    found = predicted(Year(shop(buys)))
    assert found.reason == "unsettled"
    assert (found.purchases, found.expected_orders) == (None, None)


@pytest.mark.parametrize("seed", [1, 2])
def test_no_order_of_rows_changes_a_byte(seed: int) -> None:
    buys = made(1, people=800).buys
    found = predicted(Year(shop(buys)))
    assert (found.reason, found.money_reason) == (None, None)
    told = json.dumps(to_plain(found))
    shuffled = list(buys)
    random.Random(seed).shuffle(shuffled)
    assert json.dumps(to_plain(predicted(Year(shop(shuffled))))) == told


def test_nothing_loads_what_fits_are_made_with_but_a_fit() -> None:
    script = (
        "import sys, worker.main, brandmind.services.dna, brandmind.services.report\n"
        "assert not {'numpy', 'scipy'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
