"""The simulator as a process of its own: its one line, its port, its end, a cut connection."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from brandmind.simulator.__main__ import read_arguments
from tests.unit.simulator.shopper import SHOP


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "brandmind.simulator", "--port", "0", "--orders", "60"]
    with subprocess.Popen(
        [*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout
        line = process.stdout.readline()
        assert line.startswith("simulator listening on http://127.0.0.1:"), line
        try:
            yield process, line.split()[-1]
        finally:
            process.kill()


def test_it_answers_at_the_address_it_prints_and_ends_when_told() -> None:
    with running("--seed", "4", "--fault", "reset:count=1") as (process, address):
        assert "harbor-and-pine.myshopify.com" in httpx.get(address).text
        token = httpx.post(f"{address}/__control/{SHOP}/token").json()["access_token"]

        def ask() -> httpx.Response:
            return httpx.post(
                f"{address}/{SHOP}/admin/api/2026-10/graphql.json",
                json={"query": "{ ordersCount { count } }"},
                headers={"X-Shopify-Access-Token": token},
            )

        with pytest.raises(httpx.RemoteProtocolError):
            ask()
        answer = ask()
        assert answer.json()["data"]["ordersCount"]["count"] == 60
        assert len(answer.headers.get_list("date")) == 1
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(20) == 0


def test_a_live_shop_with_the_app_gets_orders_and_the_others_none() -> None:
    with running("--live", "60000") as (_, address), httpx.Client(base_url=address) as http:

        def count(shop: str) -> int:
            return int(http.get(f"/__truth/{shop}").json()["counts"]["orders"])

        other = "moss-and-meridian.myshopify.com"
        assert (count(SHOP), count(other)) == (60, 60)
        asked = {
            "client_id": "brandmind-local",
            "scope": "read_orders",
            "redirect_uri": "http://localhost:8123/auth/callback",
        }
        consent = f"/{SHOP}/admin/oauth/authorize"
        assert http.post(consent, params=asked, data={"decision": "install"}).is_redirect
        until = time.monotonic() + 20
        while count(SHOP) == 60:
            assert time.monotonic() < until, "no order has arrived"
        assert count(other) == 60


def test_it_loads_nothing_else_of_brandmind() -> None:
    code = (
        "import sys, brandmind.simulator.__main__;"
        "print([m for m in sys.modules if m.startswith('brandmind.')"
        " and not m.startswith('brandmind.simulator') ])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_command_line_makes_the_shops() -> None:
    _, config = read_arguments(
        ["--orders", "5", "--seed", "9", "--as-of", "2026-01-02T03:04:05Z", "--plan", "unlimited"]
    )
    assert (config.shop.orders, config.shop.seed, config.shop.unlimited) == (5, 9, True)
    assert config.shop.as_of == 1767323045


@pytest.mark.parametrize("wrong", [["--fault", "gremlins"], ["--as-of", "soon"]])
def test_a_wrong_command_line_is_answered_with_a_sentence(
    wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        read_arguments(wrong)
    assert wrong[1] in capsys.readouterr().err
