"""The files of bulk operations: written once to disk, served to whoever has the address."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import tempfile
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from brandmind.simulator.faults import BULK_FILES, Fault, FaultBox

LIFE_S = 7 * 86_400
KEPT_BYTES = 4 * 1024**3
KEPT_FILES = 400
_PIECE = 1024 * 1024


class Output:
    """A file without a name: it is gone when the process is, however that ends."""

    def __init__(self) -> None:
        self._file, path = tempfile.mkstemp(prefix="bulk-", suffix=".jsonl")
        os.unlink(path)
        self.size = 0
        self.lines = 0
        self.roots = 0
        self.whole = False

    def write(self, data: bytes, lines: int, roots: int) -> None:
        """Adds finished lines."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]
        self.size += len(data)
        self.lines += lines
        self.roots += roots

    def read(self, start: int, size: int) -> bytes:
        """Up to `size` bytes from there."""
        return os.pread(self._file, size, start)

    def __del__(self) -> None:
        os.close(self._file)


class Shelf:
    """The outputs by what they answer, and by the name in their address."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(16)
        self._named: OrderedDict[str, tuple[Output, FaultBox]] = OrderedDict()
        self._by_question: OrderedDict[object, Output] = OrderedDict()

    def routes(self) -> list[Route]:
        """What to mount."""
        return [Route("/bulk-operation-outputs/{name}", self.serve)]

    def known(self, question: object) -> Output | None:
        """The whole output of that very question, if it is still here."""
        return self._by_question.get(question)

    def keep(self, question: object, output: Output) -> None:
        """Remembers a whole output; the oldest go when there are too many."""
        output.whole = True
        self._by_question[question] = output
        while len(self._by_question) > 1 and (
            len(self._by_question) > KEPT_FILES
            or sum(one.size for one in self._by_question.values()) > KEPT_BYTES
        ):
            _, gone = self._by_question.popitem(last=False)
            for name in [name for name, (one, _) in self._named.items() if one is gone]:
                del self._named[name]

    def address(
        self,
        base: str,
        output: Output,
        faults: FaultBox,
        *,
        number: int,
        life_s: float = LIFE_S,
    ) -> str:
        """A new address of that output, good for `life_s` seconds."""
        name = secrets.token_hex(14)
        self._named[name] = output, faults
        expires = int(time.time() + life_s)
        file = f"bulk-{number}.jsonl"
        named = quote(f"attachment; filename=\"{file}\"; filename*=UTF-8''{file}")
        return (
            f"{base}/bulk-operation-outputs/{name}"
            f"?GoogleAccessId=local-shopify%40brandmind.example&Expires={expires}"
            f"&Signature={quote(self._signature(name, expires), safe='')}"
            f"&response-content-disposition={named}"
            "&response-content-type=application%2Fjsonl"
        )

    async def serve(self, request: Request) -> Response:
        """The file, or a part of it where a range is asked for."""
        name = request.path_params["name"]
        asked = request.query_params
        if not asked.get("Expires", "").isdecimal():
            return _xml(403, "AccessDenied", "Access denied.")
        expires = int(asked["Expires"])
        if not hmac.compare_digest(asked.get("Signature", ""), self._signature(name, expires)):
            return _xml(
                403,
                "SignatureDoesNotMatch",
                "Access denied. The request signature we calculated does not match the signature "
                "you provided.",
            )
        if expires < time.time():
            return _xml(400, "ExpiredToken", "Invalid argument. The provided token has expired.")
        output, faults = self._named.get(name, (None, None))
        if output is None or faults is None:
            return _xml(404, "NoSuchKey", "The specified key does not exist.")
        if fault := faults.strike(*BULK_FILES):
            return _spoilt(output, fault)
        return _file(output, request.headers.get("range"))

    def _signature(self, name: str, expires: int) -> str:
        return hmac.new(self._key, f"{name}:{expires}".encode(), hashlib.sha256).hexdigest()


def _spoilt(output: Output, fault: Fault) -> Response:
    headers = {"Content-Type": "application/jsonl"}
    if fault.kind == "bulk-gone":
        if fault.status == 404:
            return _xml(404, "NoSuchKey", "The specified key does not exist.")
        return _xml(403, "AccessDenied", "Access denied.")
    if fault.kind == "bulk-truncated" and fault.how == "missing-lines":
        return StreamingResponse(_thinned(output), headers=headers)
    end = _inside_a_line(output, int(output.size * fault.share))
    if fault.kind == "bulk-truncated":
        headers["Content-Length"] = str(end)
        return StreamingResponse(_pieces(output, 0, end), headers=headers)
    headers["Content-Length"] = str(output.size)
    return StreamingResponse(_cut(output, end), headers=headers)


def _inside_a_line(output: Output, end: int) -> int:
    while end > 1 and b"\n" in output.read(end - 1, 2):
        end -= 1
    return end


async def _thinned(output: Output) -> AsyncIterator[bytes]:
    """One line in ten is not there: the last of the ten."""
    rest, number, start = b"", 0, 0
    while start < output.size:
        piece = output.read(start, _PIECE)
        start += len(piece)
        *lines, rest = (rest + piece).split(b"\n")
        kept = [line for at, line in enumerate(lines, number + 1) if at % 10]
        number += len(lines)
        yield b"".join(line + b"\n" for line in kept)


async def _cut(output: Output, end: int) -> AsyncIterator[bytes]:
    async for piece in _pieces(output, 0, end):
        yield piece
    raise ConnectionResetError("the connection is cut on purpose")


def _file(output: Output, span: str | None) -> Response:
    start, end, status = 0, output.size, 200
    if span and span.startswith("bytes=") and "," not in span:
        first, _, last = span.removeprefix("bytes=").partition("-")
        if first.isdecimal() and int(first) < output.size:
            start, status = int(first), 206
            end = min(end, int(last) + 1) if last.isdecimal() else end
    headers = {
        "Content-Type": "application/jsonl",
        "Content-Length": str(end - start),
        "Accept-Ranges": "bytes",
    }
    if status == 206:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{output.size}"
    return StreamingResponse(_pieces(output, start, end), status, headers)


async def _pieces(output: Output, start: int, end: int) -> AsyncIterator[bytes]:
    while start < end:
        piece = output.read(start, min(_PIECE, end - start))
        yield piece
        start += len(piece)


def _xml(status: int, code: str, message: str) -> Response:
    body = (
        "<?xml version='1.0' encoding='UTF-8'?>"
        f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    )
    return Response(body, status, media_type="application/xml; charset=UTF-8")
