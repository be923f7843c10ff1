"""Shopify's search grammar with its traps: quoted and unquoted times, unknown fields, ANDs and ORs.

Recorded behaviour that is imitated on purpose: an unquoted timestamp is cut at its second colon
and read in the shop's zone, the rest becomes a field of its own; an unknown field is ignored with
a warning, so that everything matches; `<` and `>` include the border.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Row = Any
Getter = Callable[[Row], Any]
Predicate = Callable[[Row], bool]

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<paren>[()])
    | (?P<minus>-)?(?:(?P<field>[A-Za-z0-9_.]+):(?P<op><=|>=|<|>)?)
        (?P<value>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s():]*)
    | (?P<word>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s()]+)
    )""",
    re.VERBOSE,
)
_RANGES = {"<": "range_lte", "<=": "range_lte", ">": "range_gte", ">=": "range_gte"}


class SearchFailed(Exception):
    """The search broke on Shopify's side: an empty value after a comparison."""


@dataclass(frozen=True, slots=True)
class SearchField:
    """A field one may search by: `kind` is text, number, time or flag."""

    kind: str
    of: Getter


@dataclass(slots=True)
class Search:
    """A query understood: what it keeps, what Shopify would say about it."""

    keeps: Predicate | None
    parsed: Any
    warnings: list[dict[str, str]] = field(default_factory=list)
    ranges: list[tuple[str, str, int]] = field(default_factory=list)
    """Time ranges that every row kept lies in: field, range_lte or range_gte, epoch second."""


@dataclass(slots=True)
class _Term:
    predicate: Predicate | None
    shown: Any


def parse(text: str, fields: dict[str, SearchField], zone: str) -> Search:
    """Understands a query; raises SearchFailed where Shopify answers with an internal error."""
    found = Search(None, {})
    tokens = _tokens(text)
    reader = _Reader(tokens, fields, zone, found)
    term = reader.either()
    found.keeps = term.predicate
    found.parsed = term.shown
    return found


def _tokens(text: str) -> list[dict[str, str | None]]:
    tokens: list[dict[str, str | None]] = []
    at = 0
    while at < len(text) and (match := _TOKEN.match(text, at)):
        at = match.end()
        tokens.append(match.groupdict())
        value = match["value"]
        if value and value[0] not in "'\"" and text[at : at + 1] == ":":
            # The cut: `2000-01-01T00:00:00Z` leaves `:00:00Z`, read as the field "00".
            at += 1
    return tokens


class _Reader:
    def __init__(
        self,
        tokens: list[dict[str, str | None]],
        fields: dict[str, SearchField],
        zone: str,
        found: Search,
    ) -> None:
        self._tokens = tokens
        self._at = 0
        self._fields = fields
        self._zone = zone
        self._found = found
        self._depth = 0

    def either(self) -> _Term:
        """Terms joined by AND; OR binds tighter than the implicit AND."""
        parts: list[_Term] = []
        while (token := self._peek()) is not None and token["paren"] != ")":
            if token["word"] == "AND":
                self._at += 1
                continue
            known = len(self._found.ranges)
            group = [self._single()]
            while (ahead := self._peek()) is not None and ahead["word"] == "OR":
                self._at += 1
                if self._peek() is not None:
                    self._depth += 1
                    group.append(self._single())
                    self._depth -= 1
            if len(group) > 1:
                # The first term was read before anybody knew of the others.
                del self._found.ranges[known:]
            parts.append(_any(group))
        return _all(parts)

    def _peek(self) -> dict[str, str | None] | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _single(self) -> _Term:
        token = self._tokens[self._at]
        self._at += 1
        if token["word"] == "NOT" and self._peek() is not None:
            self._depth += 1
            term = _not(self._single())
            self._depth -= 1
            return term
        if token["paren"] == "(":
            self._depth += 1
            term = self.either()
            self._depth -= 1
            self._at += 1
            return term
        if token["field"] is None:
            return self._bare(token["word"] or "")
        known = len(self._found.ranges)
        term = self._fielded(token["field"], token["op"], token["value"] or "")
        if token["minus"]:
            del self._found.ranges[known:]
            return _not(term)
        return term

    def _bare(self, word: str) -> _Term:
        negative = word.startswith("-")
        text = _unquoted(word.removeprefix("-"))[0]
        searched = self._fields.get("default")
        if searched is None or not text:
            return _Term(None, {"match_all": text})
        of, wanted = searched.of, text.casefold().rstrip("*")
        term = _Term(lambda row: wanted in str(of(row)).casefold(), {"match_all": text})
        return _not(term) if negative else term

    def _fielded(self, name: str, op: str | None, raw: str) -> _Term:
        value, quoted = _unquoted(raw)
        known = self._fields.get(name)
        if op and not value:
            raise SearchFailed
        match_kind = "match_phrase" if quoted else "match_all"
        if known is None or name == "default":
            shown = {"field": name, match_kind: f"00{value[2:]}" if name == "00" else value}
            self._warn(name, "Invalid search field for this query.", "invalid_field")
            return _Term(None, shown)
        of = known.of
        if value == "*":
            return _Term(lambda row: of(row) not in (None, "", 0), {"field": name, "exists": True})
        match known.kind:
            case "time":
                return self._time(name, op, value, of, quoted=quoted)
            case "number":
                return self._number(name, op, value, of)
            case "flag":
                wanted = value.casefold() == "true"
                return _Term(
                    lambda row: bool(of(row)) == wanted, {"field": name, match_kind: value}
                )
            case _:
                return _Term(_text_match(of, value), {"field": name, match_kind: value})

    def _time(self, name: str, op: str | None, value: str, of: Getter, *, quoted: bool) -> _Term:
        zone = ZoneInfo(self._zone)
        moment = _moment(value, zone)
        if moment is None:
            self._warn(name, f"Input `{value}` is not an accepted value.", "invalid_value")
            return _Term(None, {"field": name, "match_all": value})
        at = int(moment.timestamp())
        shown_at = moment.isoformat() if not quoted or moment.tzinfo is not UTC else value
        if op is None:
            end = at + 86_400 if len(value) == 10 else at + 1
            return _Term(lambda row: at <= of(row) < end, {"field": name, "match_all": value})
        kind = _RANGES[op]
        if not self._depth:
            self._found.ranges.append((name, kind, at))
        shown = {"field": name, kind: shown_at}
        if kind == "range_lte":
            return _Term(lambda row: of(row) <= at, shown)
        return _Term(lambda row: of(row) >= at, shown)

    def _number(self, name: str, op: str | None, value: str, of: Getter) -> _Term:
        try:
            wanted = float(value) if "." in value else int(value)
        except ValueError:
            self._warn(name, f"Input `{value}` is not an accepted value.", "invalid_value")
            return _Term(None, {"field": name, "match_all": value})
        if op is None:
            return _Term(lambda row: of(row) == wanted, {"field": name, "match_all": value})
        shown = {"field": name, _RANGES[op]: value}
        if op in ("<", "<="):
            return _Term(lambda row: of(row) <= wanted, shown)
        return _Term(lambda row: of(row) >= wanted, shown)

    def _warn(self, name: str, message: str, code: str) -> None:
        self._found.warnings.append({"field": name, "message": message, "code": code})


def _unquoted(raw: str) -> tuple[str, bool]:
    if len(raw) >= 2 and raw[0] in "'\"" and raw[-1] == raw[0]:
        return re.sub(r"\\(.)", r"\1", raw[1:-1]), True
    return raw, False


def _moment(value: str, zone: ZoneInfo) -> datetime | None:
    if value.startswith("now"):
        # Relative times such as now-7d are beyond what is needed here.
        return datetime.now(UTC)
    text = value if len(value) != 13 else value + ":00:00"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return moment.replace(tzinfo=zone)
    if moment.utcoffset() == timedelta(0):
        return moment.replace(tzinfo=UTC)
    return moment


def _text_match(of: Getter, value: str) -> Predicate:
    wanted = value.casefold()
    if wanted.endswith("*"):
        stem = wanted[:-1]

        def starts(row: Row) -> bool:
            held = of(row)
            many = held if isinstance(held, list) else [held]
            return any(str(one).casefold().startswith(stem) for one in many if one is not None)

        return starts

    def same(row: Row) -> bool:
        held = of(row)
        if isinstance(held, list):
            return any(str(one).casefold() == wanted for one in held)
        return held is not None and str(held).casefold() == wanted

    return same


def _not(term: _Term) -> _Term:
    inner = term.predicate
    if inner is None:
        return _Term(None, {"not": term.shown})
    return _Term(lambda row: not inner(row), {"not": term.shown})


def _all(parts: list[_Term]) -> _Term:
    if len(parts) == 1:
        return parts[0]
    predicates = [part.predicate for part in parts if part.predicate is not None]
    shown = {"and": [part.shown for part in parts]} if parts else {}
    if not predicates:
        return _Term(None, shown)
    return _Term(lambda row: all(keeps(row) for keeps in predicates), shown)


def _any(parts: list[_Term]) -> _Term:
    if len(parts) == 1:
        return parts[0]
    predicates = [part.predicate for part in parts if part.predicate is not None]
    shown = {"or": [part.shown for part in parts]}
    # A term with an unknown field keeps everything, so the whole OR does.
    if len(predicates) < len(parts):
        return _Term(None, shown)
    return _Term(lambda row: any(keeps(row) for keeps in predicates), shown)
