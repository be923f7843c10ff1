"""Retries are decided by the error's kind, patiently, and never for ever."""

from __future__ import annotations

import pytest

from brandmind.errors import (
    BadAnswer,
    BulkNotReady,
    QueryRefused,
    ShopifyUnavailable,
    ShopUnavailable,
    Throttled,
    TokenRevoked,
)
from brandmind.sync.recovery import decide


def _decide(error: Exception, *, attempt: int = 1, failing_for_s: float = 0.0, retries: int = 0):  # type: ignore[no-untyped-def]
    return decide(error, attempt=attempt, failing_for_s=failing_for_s, retries=retries, jitter=1.0)


def test_throttling_is_a_wait_and_never_a_failure() -> None:
    decision = _decide(Throttled(retry_after_s=7.5), attempt=99, failing_for_s=9_999)
    assert (decision.action, decision.delay_s) == ("wait", 7.5)
    assert decision.sentence == "Shopify asked us to slow down. Continuing by itself."


def test_waiting_for_an_export_is_a_wait_that_says_so() -> None:
    error = BulkNotReady(delay_s=0.2, records=12_400, what="orders")
    decision = _decide(error, attempt=99, failing_for_s=9_999)
    assert (decision.action, decision.delay_s, decision.waiting) == ("wait", 1.0, "bulk")
    assert decision.sentence == (
        "Shopify is preparing an export of 12,400 orders. Continuing by itself."
    )
    assert _decide(Throttled(retry_after_s=3)).waiting == "throttled"
    assert _decide(ShopifyUnavailable()).waiting == "unavailable"


def test_a_wait_is_never_longer_than_a_quarter_of_an_hour() -> None:
    assert _decide(Throttled(retry_after_s=86_400)).delay_s == 900


@pytest.mark.parametrize(
    ("attempt", "delay_s"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 32), (7, 60), (50, 60)]
)
def test_the_backoff_doubles_up_to_a_minute(attempt: int, delay_s: float) -> None:
    assert _decide(ShopifyUnavailable(), attempt=attempt).delay_s == delay_s


def test_jitter_spreads_the_backoff_over_its_upper_half() -> None:
    soonest = decide(
        ShopifyUnavailable(), attempt=4, failing_for_s=0, retries=0, jitter=0.0
    ).delay_s
    assert soonest == 4


def test_a_shop_that_names_its_own_delay_is_obeyed() -> None:
    assert _decide(ShopifyUnavailable(retry_after_s=30)).delay_s == 30


@pytest.mark.parametrize(("attempt", "failing_for_s"), [(4, 500.0), (40, 119.0)])
def test_it_keeps_trying_for_five_tries_and_two_minutes(attempt: int, failing_for_s: float) -> None:
    decision = _decide(ShopifyUnavailable(), attempt=attempt, failing_for_s=failing_for_s)
    assert decision.action == "retry"


def test_then_it_fails_and_says_when_it_tries_again() -> None:
    decision = _decide(ShopifyUnavailable(), attempt=5, failing_for_s=120.0)
    assert (decision.action, decision.delay_s) == ("fail", 900)
    assert decision.sentence == "Shopify did not answer after 5 tries."


def test_the_later_tries_end_after_a_day() -> None:
    delays = [
        _decide(ShopifyUnavailable(), attempt=5, failing_for_s=120.0, retries=n).delay_s
        for n in range(26)
    ]
    assert delays == [900.0, *[3600.0] * 24, None]


def test_withdrawn_access_fails_at_once_and_waits_for_the_merchant() -> None:
    decision = _decide(TokenRevoked())
    assert (decision.action, decision.delay_s, decision.kind) == ("fail", None, "auth")


def test_a_frozen_shop_says_so_and_is_looked_at_again_by_itself() -> None:
    found = _decide(ShopUnavailable("The shop is frozen by Shopify."))
    assert (found.action, found.delay_s, found.kind) == ("fail", 900.0, "auth")
    assert found.sentence == "The shop is frozen by Shopify."


def test_an_unreadable_answer_fails_at_once() -> None:
    assert _decide(BadAnswer()).action == "fail"


@pytest.mark.parametrize("error", [QueryRefused(), KeyError("nodes")])
def test_a_fault_of_ours_is_tried_again_too(error: Exception) -> None:
    assert _decide(error).action == "retry"
    assert _decide(error).kind == "ours"
