import pytest
from hypothesis import given
from hypothesis import strategies as st

from brandmind.dna import cuts
from brandmind.dna.strand import (
    Evidence,
    Missing,
    Need,
    Reading,
    confidence,
    finish,
    shown_label,
)
from tests.unit.dna.shop import AS_OF, Buy, shop

WORDS = (Evidence("a", "1"), Evidence("b", "2"), Evidence("c", "3"))


def reading(score, *, n=500, raw=0.0, cap=None, long_tailed=False) -> Reading:
    return Reading(
        raw, score, score - 1, score + 1, n, WORDS, "It is so.", {}, cap, None, long_tailed
    )


@pytest.mark.parametrize(
    ("score", "before", "label"),
    [
        # Half-open: a score on a cut belongs to the upper label.
        (14.9, None, "Full-price"),
        (15, None, "Tactical"),
        (35, None, "Promo-led"),
        (60, None, "Discount-dependent"),
        # A shown label gives way 2 points past the cut.
        (36.9, "Tactical", "Tactical"),
        (37, "Tactical", "Promo-led"),
        (33.1, "Promo-led", "Promo-led"),
        (33, "Promo-led", "Tactical"),
        (61, "Full-price", "Promo-led"),
        (62, "Full-price", "Discount-dependent"),
        (0, "Discount-dependent", "Full-price"),
        # A label of another formula is none.
        (36.9, "Unheard-of", "Promo-led"),
        # Rounded first: what is shown as 35.0 is labelled as 35.0.
        (34.96, None, "Promo-led"),
    ],
)
def test_a_shown_label_holds_until_the_score_is_well_past_the_cut(score, before, label):
    assert shown_label(cuts.DISCOUNT, reading(score), before=before) == label


@pytest.mark.parametrize(
    ("score", "before", "label"),
    [
        (44, None, "Balanced"),
        (45, None, "Long-tailed"),
        (44, "Hero-led", "Long-tailed"),
        (43, "Long-tailed", "Balanced"),
        (43.1, "Long-tailed", "Long-tailed"),
        (90, None, "Long-tailed"),
    ],
)
def test_only_a_hero_makes_a_range_hero_led(score, before, label):
    assert shown_label(cuts.RANGE, reading(score, long_tailed=True), before=before) == label


@given(st.sampled_from(cuts.STRANDS), st.floats(0, 100), st.booleans())
def test_a_label_that_is_shown_is_shown_again(spec, score, long_tailed):
    found = reading(score, raw=score, long_tailed=long_tailed)
    first = shown_label(spec, found, before=None)
    assert shown_label(spec, found, before=first) == first


@pytest.mark.parametrize(
    ("n", "days", "cut", "value", "reason"),
    [
        (500, 60, False, 1.0, "Read from 500 orders."),
        (500, 59, False, 59 / 60, "Only 59 of 60 days of history."),
        (125, 60, False, 0.5, "Only 125 of 500 orders."),
        (500, 30, True, 0.3, "Only 30 of 60 days of history."),
        (500, 60, True, 0.6, "Shopify shows the last 60 days of orders only."),
    ],
)
def test_confidence_is_a_product_and_names_what_holds_it_back(n, days, cut, value, reason):
    facts = shop([Buy(5, customer=1)], stored_days=days, cut=cut)
    found, why = confidence(facts, cuts.BASKET, reading(50, n=n))
    assert found == pytest.approx(value)
    assert why == reason


def test_guests_and_half_read_stages_make_it_less_sure():
    facts = shop([Buy(5, customer=1)] * 79 + [Buy(5)] * 21, partly=["customers"])
    value, reason = confidence(facts, cuts.GROWTH, reading(50))
    assert value == pytest.approx(0.8 * 0.5)
    assert reason == "Not all customers have been read."
    assert confidence(facts, cuts.BASKET, reading(50))[0] == 1
    exactly_a_fifth = shop([Buy(5, customer=1)] * 80 + [Buy(5)] * 20)
    assert confidence(exactly_a_fifth, cuts.GROWTH, reading(50))[0] == 1


@pytest.mark.parametrize(
    ("n", "grade"),
    [(320, "high"), (319, "medium"), (125, "medium"), (124, "low"), (32, "low"), (31, "none")],
)
def test_grades_have_their_thresholds(n, grade):
    strand = finish(shop([Buy(5)]), cuts.BASKET, reading(50, n=n))
    assert strand.confidence == grade
    assert (strand.score is None) == (grade == "none")


def test_a_capped_strand_says_why():
    strand = finish(shop([Buy(5)]), cuts.BASKET, reading(50, cap=(0.49, "It grew.")))
    assert (strand.confidence, strand.confidence_reason) == ("low", "It grew.")


def test_a_missing_strand_names_what_takes_longest():
    found = Missing(
        (Need("orders", 3, 100, AS_OF), Need("days of orders", 5, 180, AS_OF.replace(month=4)))
    )
    strand = finish(shop([]), cuts.NEWNESS, found)
    assert strand.needs == "Needs 180 days of orders. You have 5. Expected by April 2026."
    assert strand.score is strand.label is strand.raw is strand.ci_low is None
    never = Missing((Need("orders", 0, 100),))
    assert finish(shop([]), cuts.REACH, never).needs == "Needs 100 orders. You have 0."


def test_scores_and_intervals_stay_between_0_and_100():
    strand = finish(shop([Buy(5)]), cuts.BASKET, reading(100.4))
    assert (strand.score, strand.ci_high) == (100, 100)
    assert finish(shop([Buy(5)]), cuts.BASKET, reading(-0.4)).ci_low == 0
