"""How often one address may knock: for doors that anybody may try."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Scope

from brandmind.clock import monotonic_s

_MOST_ADDRESSES: Final = 10_000


class Sluice:
    """So many knocks a minute from one address, in this process.

    What is remembered is bounded: of too many addresses the one that knocked least lately is
    forgotten, and may begin anew.
    """

    def __init__(self, a_minute: int) -> None:
        self._a_minute = a_minute
        self._seen: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, address: str) -> int:
        """0 if this knock may come in, else the seconds until the next one may."""
        now_s = monotonic_s()
        left, at_s = self._seen.pop(address, (float(self._a_minute), now_s))
        left = min(self._a_minute, left + (now_s - at_s) * self._a_minute / 60)
        let_in = left >= 1
        self._seen[address] = (left - 1 if let_in else left, now_s)
        if len(self._seen) > _MOST_ADDRESSES:
            self._seen.popitem(last=False)
        return 0 if let_in else int((1 - left) * 60 / self._a_minute) + 1


def address_of(scope: Scope, *, hops: int) -> str:
    """Who knocks: the peer, or what the outermost of `hops` trusted proxies saw before it.

    Of a forwarded header only as many entries count as there are proxies of ours; the rest is
    the visitor's own writing. Of IPv6 the network counts: one household has all of its addresses.
    """
    client = scope.get("client")
    found = str(client[0]) if client else ""
    if hops:
        said = [
            part.strip()
            for part in ",".join(Headers(scope=scope).getlist("x-forwarded-for")).split(",")
            if part.strip()
        ]
        if said:
            found = said[-min(hops, len(said))]
    try:
        parsed = ipaddress.ip_address(found)
    except ValueError:
        return found[:64]
    if parsed.version == 6:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
