"""Shops of a local Shopify for commands that read them as fresh processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from bench import measured
from bench.measured import Cost


@contextmanager
def local_shopify() -> Iterator[str]:
    """The local Shopify as a process of its own; its address."""
    command = [sys.executable, "-m", "brandmind.simulator", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()


class MadeShop:
    """A shop without limits, of these sizes."""

    def __init__(
        self,
        origin: str,
        name: str,
        *,
        orders: int,
        products: int | None = None,
        customers: int | None = None,
    ) -> None:
        self.domain = f"{name}.myshopify.com"
        self.orders = orders
        self.products = orders // 50 if products is None else products
        self.customers = orders // 5 if customers is None else customers
        self._control = f"{origin}/__control/{self.domain}"
        sizes = {name: getattr(self, name) for name in ("orders", "products", "customers")}
        self._ask("config", unlimited=True, **sizes)

    @property
    def records(self) -> int:
        """Records as the peers count them: a product with its variants is one."""
        return self.orders + self.products + self.customers

    def connect(self, *, log: Path, environment: Mapping[str, str]) -> None:
        """Make the database of the environment, and this shop a store of it."""
        measured.run("brandmind", ["migrate"], log=log, environment=environment)
        measured.run(
            "brandmind",
            ["stores", "connect", self.domain, "--token-stdin"],
            log=log,
            environment=environment,
            told=str(self._ask("token")["access_token"]),
        )

    def sync(self, *, log: Path, environment: Mapping[str, str]) -> Cost:
        """What `brandmind sync --inline` takes, older orders too. Raises CommandFailed."""
        return measured.run(
            "brandmind", ["sync", self.domain, "--inline"], log=log, environment=environment
        )

    def _ask(self, what: str, **told: object) -> dict[str, object]:
        answer = httpx.post(f"{self._control}/{what}", json=told, timeout=600).raise_for_status()
        found: dict[str, object] = answer.json()
        return found
