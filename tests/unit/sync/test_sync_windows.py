"""A span is cut into closed windows that share no second and leave none out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from brandmind.sync.ports import Window
from brandmind.sync.truth import believable
from brandmind.sync.windows import MOST, cut

START = datetime(2024, 1, 1, tzinfo=UTC)
END = datetime(2026, 11, 1, 12, 0, 5, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("total", "number"), [(0, 1), (2_500, 1), (2_501, 2), (100_000, 40), (9_000_000, MOST)]
)
def test_a_window_holds_so_many_records_and_a_span_so_many_windows(total: int, number: int) -> None:
    assert len(cut(Window(START, END), total=total, oldest=None)) == number


def test_windows_follow_each_other_to_the_second() -> None:
    found = cut(Window(START, END), total=30_000, oldest=None)
    assert (found[0].created_from, found[-1].created_before) == (START, END)
    for before, after in pairwise(found):
        assert before.created_before is not None
        assert after.created_from == before.created_before + SECOND


def test_the_first_window_of_an_open_span_stays_open() -> None:
    found = cut(Window(None, END), total=30_000, oldest=START)
    assert len(found) == 12
    assert found[0].created_from is None
    assert found[1].created_from is not None


@pytest.mark.parametrize(
    "span", [Window(None, END), Window(START, None), Window(END - SECOND, END), Window(END, START)]
)
def test_what_cannot_be_cut_is_one_window(span: Window) -> None:
    assert cut(span, total=30_000, oldest=None) == [span]


@pytest.mark.parametrize(("total", "most"), [(0, 10), (30, 10), (5_000, 50), (1_000_000, 100)])
def test_so_many_may_be_gone_at_once(total: int, most: int) -> None:
    assert believable(total) == most
