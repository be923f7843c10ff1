"""The GraphQL documents we send, each a file under queries/, whole with the fragments it uses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_QUERIES = Path(__file__).parent / "queries"
_OPERATION = re.compile(r"\b(?:query|mutation)\s+(\w+)")
_COUNTING = "counts "
_SPREAD = re.compile(r"\.\.\.(\w+Fields)\b")


@dataclass(frozen=True, slots=True)
class Document:
    """One operation: `name` is its file's, `operation` the name Shopify sees."""

    name: str
    operation: str
    text: str


def names() -> tuple[str, ...]:
    """The names of all documents, sorted."""
    return tuple(sorted(path.stem for path in _QUERIES.glob("*.graphql")))


def counting(roots: Sequence[str]) -> str:
    """The name of the document that counts so many windows of these roots in one request.

    The counts come as c0, c1 …, each by the search in the variable q0, q1 …
    """
    return f"{_COUNTING}{','.join(roots)}"


@lru_cache(maxsize=64)
def document(name: str) -> Document:
    """The document of that name: a file's, or one of `counting`. Raises FileNotFoundError."""
    if name.startswith(_COUNTING):
        return _counting(name)
    text = _tight((_QUERIES / f"{name}.graphql").read_text(encoding="utf-8"))
    found = _OPERATION.search(text)
    if found is None:
        raise ValueError(f"{name}.graphql names no operation")
    return Document(name, found.group(1), _with_fragments(text))


def _counting(name: str) -> Document:
    roots = name.removeprefix(_COUNTING).split(",")
    asked = ", ".join(f"$q{n}: String" for n in range(len(roots)))
    # Without a limit Shopify counts exactly; with its own default it stops at 10,000.
    counts = " ".join(
        f"c{n}: {root}Count(query: $q{n}, limit: null) {{ count precision }}"
        for n, root in enumerate(roots)
    )
    return Document(name, "Counts", f"query Counts({asked}) {{ {counts} }}")


@lru_cache(maxsize=8)
def export(name: str) -> str:
    """The query of a bulk operation, exports/`name`.graphql, with a "$search" to be filled in.

    Its fragments are put in place: Shopify says nowhere that it takes them in bulk.
    """
    text = _tight((_QUERIES / "exports" / f"{name}.graphql").read_text(encoding="utf-8"))
    while found := _SPREAD.search(text):
        path = _QUERIES / "fragments" / f"{found.group(1)}.graphql"
        body = _tight(path.read_text(encoding="utf-8"))
        inner = body[body.index("{") + 1 : body.rindex("}")].strip()
        text = text.replace(found.group(0), inner)
    return text


def _with_fragments(text: str) -> str:
    parts = [text]
    wanted = list(_SPREAD.findall(text))
    seen: set[str] = set()
    while wanted:
        fragment = wanted.pop()
        if fragment in seen:
            continue
        seen.add(fragment)
        path = _QUERIES / "fragments" / f"{fragment}.graphql"
        body = _tight(path.read_text(encoding="utf-8"))
        parts.append(body)
        wanted.extend(_SPREAD.findall(body))
    return "\n".join(parts)


def _tight(text: str) -> str:
    # The text travels with every request; its indentation is for the reader of the file only.
    return " ".join(text.split())
