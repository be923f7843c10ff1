"""A search for marks that were planted: where each was found, in whatever way it was written."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import quote, quote_plus

import redis


@dataclass(frozen=True, slots=True)
class Home:
    """Where some kinds of marks belong, and why."""

    place: str
    kinds: frozenset[str]
    why: str

    def is_used(self, found: Mapping[str, set[str]]) -> bool:
        """Whether each of its kinds was found there."""
        here = [kinds for place, kinds in found.items() if fnmatch(place, self.place)]
        return self.kinds <= set().union(*here)


@dataclass
class Search:
    """Marks by their kind, and what they were looked for in."""

    marks: Mapping[str, str]
    places: dict[str, bytes] = field(default_factory=dict)

    def put(self, place: str, what: bytes | str) -> None:
        """Something that left a process, or stayed where it wrote it; what a ZIP in it holds lies
        at places of its own."""
        raw = what.encode() if isinstance(what, str) else what
        self.places[place] = raw
        for name, inner in _zipped(raw):
            self.put(f"{place}/{name}", inner)

    def put_files(self, folder: Path) -> None:
        """Every file below the folder, by its path."""
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.put(f"file:{path.relative_to(folder)}", path.read_bytes())

    def put_redis(self, url: str) -> None:
        """Every key and value of every database of a Redis."""
        with redis.Redis.from_url(url) as server:
            for number in {int(name[2:]) for name in server.info("keyspace")}:
                server.select(number)
                for key in server.scan_iter(count=1000):
                    self.put(
                        f"redis:{number}:{key!r}", key + b"\n" + b"\n".join(_values(server, key))
                    )

    def found(self) -> dict[str, set[str]]:
        """The kinds of marks by the place where they were found."""
        spelled = {kind: set(spellings(mark)) for kind, mark in self.marks.items()}
        found: dict[str, set[str]] = {}
        for place, raw in self.places.items():
            texts = (raw, *_unpacked(raw))
            for kind, spellings_of in spelled.items():
                if any(one in text for one in spellings_of for text in texts):
                    found.setdefault(place, set()).add(kind)
        return found

    def astray(self, homes: Iterable[Home]) -> dict[str, set[str]]:
        """What was found where it does not belong."""
        allowed = list(homes)
        left: dict[str, set[str]] = {}
        for place, kinds in self.found().items():
            at_home = {
                kind for home in allowed if fnmatch(place, home.place) for kind in home.kinds
            }
            if kinds - at_home:
                left[place] = kinds - at_home
        return left


def spellings(mark: str) -> Iterator[bytes]:
    """The ways in which a mark may be written: plain, in JSON, in addresses, in base64."""
    raw = mark.encode()
    yield raw
    yield json.dumps(mark)[1:-1].encode()
    yield quote(mark, safe="").encode()
    yield quote_plus(mark).encode()
    yield raw.hex().encode()
    # Base64 of a text that holds it somewhere: three ways to fall on the letters.
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + raw)
        first, last = -(-before * 8 // 6), len(coded) - (4 if (before + len(raw)) % 3 else 0)
        if last - first >= 8:
            inner = coded[first:last]
            yield inner
            yield inner.replace(b"+", b"-").replace(b"/", b"_")


def _unpacked(raw: bytes) -> Iterator[bytes]:
    try:
        yield gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else zlib.decompress(raw)
    except (OSError, EOFError, zlib.error):
        return


def _zipped(raw: bytes) -> Iterator[tuple[str, bytes]]:
    """(name, content) of what lies deflated in a ZIP, whole or cut short, alone or amid others.

    Not by the directory at its end, which a ZIP that nobody finished has not got.
    """
    at = raw.find(b"PK\x03\x04")
    while at >= 0:
        head = raw[at : at + 30]
        if len(head) == 30 and int.from_bytes(head[8:10], "little") == 8:
            named, more = (int.from_bytes(head[n : n + 2], "little") for n in (26, 28))
            name = raw[at + 30 : at + 30 + named].decode(errors="replace")
            try:
                inner = zlib.decompressobj(-15).decompress(raw[at + 30 + named + more :])
            except zlib.error:
                inner = b""
            if inner:
                yield name, inner
        at = raw.find(b"PK\x03\x04", at + 4)


def _values(server: redis.Redis, key: bytes) -> Iterator[bytes]:
    kind = server.type(key)
    if kind == b"string":
        yield server.get(key) or b""
    elif kind == b"list":
        yield from server.lrange(key, 0, -1)
    elif kind == b"set":
        yield from server.smembers(key)
    elif kind == b"zset":
        yield from server.zrange(key, 0, -1)
    elif kind == b"hash":
        for name, value in server.hgetall(key).items():
            yield from (name, value)
    elif kind == b"stream":
        for number, told in server.xrange(key):
            yield number
            for name, value in told.items():
                yield from (name, value)
    else:
        raise AssertionError(f"{key!r} is a {kind!r}: how is it read?")
