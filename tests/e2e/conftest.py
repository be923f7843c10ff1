"""One house and one browser for the stories."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from brandmind.launch import frontend, ports
from tests.e2e.house import House
from tests.e2e.opening import Opening, stage
from tests.e2e.visitor import Visitor


@pytest.fixture(scope="package")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The whole product, running until the last story is told."""
    frontend.ensure_built()
    opened = House(tmp_path_factory.mktemp("house"), port=ports.free_port())
    try:
        yield opened
    finally:
        opened.close()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The pages before made-up stores, each in a state of its own."""
    frontend.ensure_built()
    with stage(ports.free_port()) as base:
        yield base


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    # A module's and not the session's: while it lives, this thread has a running loop, in which
    # no asynchronous test of another folder could run.
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=chromium_path,
            args=["--no-sandbox", "--disable-background-networking"],
        )
        yield opened
        opened.close()


@pytest.fixture
def opening(browser: Browser, address: str) -> Iterator[Opening]:
    """Opens pages of the stage, and closes them again."""
    made = Opening(browser, address)
    yield made
    made.close()


@pytest.fixture
def visitor(house: House, browser: Browser) -> Iterator[Visitor]:
    """A person with a fresh browser."""
    made = Visitor(house, browser)
    yield made
    made.leave()


@pytest.fixture
def stranger(house: House, browser: Browser) -> Iterator[Visitor]:
    """Another person, with another browser."""
    made = Visitor(house, browser)
    yield made
    made.leave()
