"""Tokens that expire, rotate and are revoked."""

from __future__ import annotations

import pytest

from brandmind.simulator.tokens import PREVIOUS_S, REFRESH_S, Refused, TokenBook

SHOP = "harbor-and-pine.myshopify.com"
SCOPES = frozenset({"read_orders", "read_products"})


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def book(clock: Clock) -> TokenBook:
    return TokenBook(clock=clock)


def test_an_expiring_grant_comes_as_a_pair_with_both_lives(book: TokenBook) -> None:
    pair = book.offline(SHOP, SCOPES, expiring=True)
    assert pair["expires_in"] == 3600
    assert pair["refresh_token_expires_in"] == REFRESH_S
    assert pair["refresh_token"].startswith("shprt_")
    assert pair["scope"] == "read_orders,read_products"


def test_without_expiring_the_token_lives_for_ever(book: TokenBook, clock: Clock) -> None:
    answer = book.offline(SHOP, SCOPES, expiring=False)
    assert set(answer) == {"access_token", "scope"}
    clock.now += 10 * REFRESH_S
    assert book.check(SHOP, answer["access_token"])


def test_an_access_token_ends_on_time_and_only_opens_its_own_shop(
    book: TokenBook, clock: Clock
) -> None:
    text = book.offline(SHOP, SCOPES, expiring=True)["access_token"]
    assert book.check("other.myshopify.com", text) is None
    assert book.check(SHOP, text)
    clock.now += 3600
    assert book.check(SHOP, text) is None


def test_a_refresh_leaves_the_old_access_token_its_own_life(book: TokenBook) -> None:
    first = book.offline(SHOP, SCOPES, expiring=True)
    second = book.refresh(SHOP, first["refresh_token"])
    assert second["refresh_token"] != first["refresh_token"]
    assert book.check(SHOP, first["access_token"])
    assert book.check(SHOP, second["access_token"])


def test_after_a_lost_answer_the_previous_refresh_token_works_again(book: TokenBook) -> None:
    first = book.offline(SHOP, SCOPES, expiring=True)
    book.refresh(SHOP, first["refresh_token"])
    assert book.refresh(SHOP, first["refresh_token"])["access_token"]


def test_once_the_replacement_was_used_the_previous_one_is_over(book: TokenBook) -> None:
    first = book.offline(SHOP, SCOPES, expiring=True)
    second = book.refresh(SHOP, first["refresh_token"])
    book.refresh(SHOP, second["refresh_token"])
    with pytest.raises(Refused) as refused:
        book.refresh(SHOP, first["refresh_token"])
    assert refused.value.status == 401
    assert refused.value.body == {
        "error": "invalid_request",
        "error_description": "This request requires an active refresh_token",
    }


def test_a_used_refresh_token_is_over_after_thirty_days(book: TokenBook, clock: Clock) -> None:
    first = book.offline(SHOP, SCOPES, expiring=True)
    book.refresh(SHOP, first["refresh_token"])
    clock.now += PREVIOUS_S + 1
    with pytest.raises(Refused):
        book.refresh(SHOP, first["refresh_token"])


def test_a_new_consent_ends_older_refresh_tokens_at_once(book: TokenBook) -> None:
    first = book.offline(SHOP, SCOPES, expiring=True)
    book.offline(SHOP, SCOPES, expiring=True)
    with pytest.raises(Refused):
        book.refresh(SHOP, first["refresh_token"])


def test_an_uninstall_ends_everything(book: TokenBook) -> None:
    first = book.offline(SHOP, SCOPES, expiring=True)
    book.revoke(SHOP)
    assert book.check(SHOP, first["access_token"]) is None
    with pytest.raises(Refused):
        book.refresh(SHOP, first["refresh_token"])


def test_a_code_opens_once_its_own_shop_and_not_for_long(book: TokenBook, clock: Clock) -> None:
    code = book.code(SHOP, "app", SCOPES)
    assert book.redeem(SHOP, "app", code).scopes == SCOPES
    for again in (code, book.code("other.myshopify.com", "app", SCOPES)):
        with pytest.raises(Refused) as refused:
            book.redeem(SHOP, "app", again)
        assert refused.value.status == 400
    late = book.code(SHOP, "app", SCOPES)
    clock.now += 601
    with pytest.raises(Refused):
        book.redeem(SHOP, "app", late)
