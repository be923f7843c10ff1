"""Connections: windows, cursors and both directions."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brandmind.simulator.paging import BadRequest, Key, page_of, read_cursor, write_cursor

KEYS: list[Key] = [(value, number) for value in (10, 20, 20, 20, 30) for number in [0]]
KEYS = [(value, place) for place, (value, _) in enumerate(KEYS)]
ROWS = list("abcde")


def test_neither_first_nor_last_is_refused_in_the_words_of_shopify() -> None:
    with pytest.raises(BadRequest, match="you must provide one of first or last"):
        page_of(ROWS, KEYS, {})


def test_both_first_and_last_are_refused() -> None:
    with pytest.raises(BadRequest, match="providing both first and last is not supported"):
        page_of(ROWS, KEYS, {"first": 1, "last": 1})


def test_more_than_250_are_refused() -> None:
    with pytest.raises(BadRequest, match="250"):
        page_of(ROWS, KEYS, {"first": 251})


@pytest.mark.parametrize("text", ["", "nonsense", base64.b64encode(b"[]").decode(), "e30="])
def test_a_cursor_that_is_none_is_malformed(text: str) -> None:
    with pytest.raises(BadRequest, match="Malformed cursor"):
        page_of(ROWS, KEYS, {"first": 1, "after": text})


def test_a_cursor_of_another_sort_key_is_malformed() -> None:
    with pytest.raises(BadRequest, match="Malformed cursor"):
        page_of(ROWS, KEYS, {"first": 1, "after": write_cursor(("7", 7))})


def test_a_cursor_is_base64_json_of_the_last_id_and_value() -> None:
    text = write_cursor((1782167640000, 8837991727410))
    assert base64.b64decode(text) == b'{"last_id":8837991727410,"last_value":1782167640000}'
    assert read_cursor(text, 0) == (1782167640000, 8837991727410)


@given(size=st.integers(1, 6), reverse=st.booleans())
def test_pages_in_a_row_show_each_row_once_even_among_ties(size: int, *, reverse: bool) -> None:
    seen: list[Any] = []
    after = None
    while True:
        arguments = {"first": size, "after": after, "reverse": reverse}
        page = page_of(ROWS, KEYS, arguments)
        seen += page.nodes
        assert page.has_previous is (after is not None)
        if not page.has_next:
            break
        after = page.cursor(-1)
    assert seen == (ROWS[::-1] if reverse else ROWS)


def test_last_walks_back_from_a_cursor() -> None:
    page = page_of(ROWS, KEYS, {"last": 2, "before": write_cursor(KEYS[3])})
    assert (page.nodes, page.has_previous, page.has_next) == (["b", "c"], True, True)


def test_an_empty_page_has_no_cursors() -> None:
    assert page_of([], [], {"first": 5}).page_info() == {
        "hasNextPage": False,
        "hasPreviousPage": False,
        "startCursor": None,
        "endCursor": None,
    }
