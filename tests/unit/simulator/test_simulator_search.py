"""The search grammar, its traps included."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from brandmind.simulator.search import Search, SearchFailed, SearchField, parse

ZONE = "America/New_York"
FIELDS = {
    "updated_at": SearchField("time", lambda row: row["at"]),
    "tag": SearchField("text", lambda row: row["tags"]),
    "status": SearchField("text", lambda row: row["status"]),
    "id": SearchField("number", lambda row: row["id"]),
    "test": SearchField("flag", lambda row: row["test"]),
    "default": SearchField("text", lambda row: row["title"]),
}


def at(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp())  # type: ignore[misc,arg-type]


def row(**changes: Any) -> dict[str, Any]:
    plain = {"at": 0, "tags": [], "status": "OPEN", "id": 7, "test": False, "title": "Wool Hat"}
    return plain | changes


def search(text: str) -> Search:
    return parse(text, FIELDS, ZONE)


def kept(text: str, *rows: dict[str, Any]) -> list[int]:
    keeps = search(text).keeps
    return [place for place, one in enumerate(rows) if keeps is None or keeps(one)]


def test_a_quoted_utc_time_is_taken_at_its_word() -> None:
    rows = [row(at=at(2026, 11, 1) - 1), row(at=at(2026, 11, 1)), row(at=at(2026, 11, 2))]
    assert kept("updated_at:>='2026-11-01T00:00:00Z'", *rows) == [1, 2]
    assert search("updated_at:>='2026-11-01T00:00:00Z'").warnings == []


@pytest.mark.parametrize("sign", ["<", "<=", ">", ">="])
def test_every_comparison_includes_its_border(sign: str) -> None:
    assert kept(f"updated_at:{sign}'2026-11-01T00:00:00Z'", row(at=at(2026, 11, 1))) == [0]


def test_an_unquoted_time_is_cut_at_the_colon_and_read_in_the_zone_of_the_shop() -> None:
    found = search("updated_at:<2000-01-01T00:00:00Z status:open")
    assert found.parsed == {
        "and": [
            {"field": "updated_at", "range_lte": "2000-01-01T00:00:00-05:00"},
            {"field": "00", "match_all": "00Z"},
            {"field": "status", "match_all": "open"},
        ]
    }
    assert found.warnings == [
        {
            "field": "00",
            "message": "Invalid search field for this query.",
            "code": "invalid_field",
        }
    ]
    # Five hours of orders that a client would swear it had excluded.
    late = row(at=at(2000, 1, 1, 4, 59))
    assert kept("updated_at:<2000-01-01T00:00:00Z", late) == [0]
    assert kept("updated_at:<'2000-01-01T00:00:00Z'", late) == []


def test_an_unknown_field_keeps_everything_and_warns() -> None:
    found = search("colour:red")
    assert found.keeps is None
    assert [one["code"] for one in found.warnings] == ["invalid_field"]


def test_an_empty_value_after_a_comparison_is_an_internal_error() -> None:
    with pytest.raises(SearchFailed):
        search("updated_at:>")


def test_or_binds_tighter_than_the_space_between_terms() -> None:
    rows = [row(status="OPEN", tags=["a"]), row(status="CLOSED", tags=["a"]), row(status="CLOSED")]
    assert kept("tag:a status:open OR status:closed", *rows) == [0, 1]


def test_minus_and_not_turn_a_term_round() -> None:
    rows = [row(tags=["a"]), row(tags=["b"])]
    assert kept("-tag:a", *rows) == [1]
    assert kept("NOT tag:a", *rows) == [1]


def test_parentheses_group() -> None:
    rows = [row(status="OPEN"), row(status="CLOSED", test=True), row(status="CLOSED")]
    assert kept("(status:open OR (status:closed test:true))", *rows) == [0, 1]


def test_a_star_at_the_end_matches_beginnings_and_alone_asks_for_presence() -> None:
    rows = [row(tags=["winter-sale"]), row(tags=["summer"]), row(tags=[], status=None)]
    assert kept("tag:winter*", *rows) == [0]
    assert kept("status:*", *rows) == [0, 1]


def test_quotes_hold_a_phrase_together() -> None:
    assert kept("'wool hat'", row(), row(title="Wool Scarf")) == [0]


def test_numbers_compare_as_numbers() -> None:
    assert kept("id:>=7 id:<=9", row(id=6), row(id=7), row(id=9), row(id=10)) == [1, 2]


def test_a_bare_day_is_a_day_of_the_shop() -> None:
    rows = [row(at=at(2026, 11, 1, 3, 59)), row(at=at(2026, 11, 1, 4)), row(at=at(2026, 11, 2, 4))]
    assert kept("updated_at:2026-11-01", *rows) == [1]
