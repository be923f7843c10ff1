"""Errors reach a real endpoint of Sentry with their store and run, and with nobody in them."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from reflex_base.event.processor.base_state_processor import BaseStateEventProcessor
from sqlmodel import Session

import brandmind.brandmind
from brandmind import logs, tracking
from brandmind.errors import InvalidInput, SettingsError
from brandmind.services import sheets
from brandmind.state.acts import ServiceActs
from brandmind.state.frame import Frame
from tests.contract.local_shopify import local_shopify
from tests.faults.ground import ROOT, Shop, settings_for, standing
from tests.identity_world import HARBOR, open_world
from tests.integration.stranger_world import APP, Neighbourhood, Tab
from tests.sentry_desk import Desk, sentry_desk

pytestmark = pytest.mark.timeout(300)

NAME, MAIL, PHONE = "Zebulon Quimby", "zebulon@quimby.example", "+49 151 7654 3210"
TOKEN, COOKIE, QUERY = "shpat_canary0123456789", "c00kiecanary", "querycanary"
CANARIES = (NAME, "Quimby", MAIL, PHONE, TOKEN, "canary0123", COOKIE, QUERY)


@pytest.fixture
def desk() -> Iterator[Desk]:
    with sentry_desk() as opened:
        yield opened


@pytest.fixture
def tracked(desk: Desk) -> Iterator[Desk]:
    tracking.start(desk.dsn, process="web", environment="local")
    try:
        yield desk
    finally:
        tracking.stop()


def nobody_in(desk: Desk) -> bool:
    whole = b"\n".join(desk.envelopes).decode()
    assert whole
    found = [canary for canary in CANARIES if canary in whole]
    assert found == []
    return True


def failing(*_: Any, **__: Any) -> Any:
    """What a service does on a bad day: an error that quotes a row."""
    row = {"name": NAME, "email": MAIL, "phone": PHONE, "token": TOKEN}
    try:
        return row[f"{NAME} <{MAIL}> {PHONE}"]
    except KeyError as error:
        raise ValueError(f"no such {row}") from error


def test_an_error_arrives_with_its_trace_and_tags_and_without_a_word_of_a_row(
    tracked: Desk,
) -> None:
    log = logging.getLogger("brandmind.services.x")
    try:
        with logs.bind(store="store-1", run="run-1"):
            failing()
    except ValueError as error:
        log.error("run %s of %s failed: %s", "run-1", MAIL, TOKEN, exc_info=error)
    event = tracked.until(lambda event: event["logger"] == log.name)
    assert event["tags"] == {"process": "web", "store": "store-1", "run": "run-1"}
    assert event["environment"] == "local"
    assert [one["type"] for one in event["exception"]["values"]] == ["KeyError", "ValueError"]
    innermost = event["exception"]["values"][-1]["stacktrace"]["frames"][-1]
    assert (innermost["function"], "lineno" in innermost) == ("failing", True)
    assert "run-1 of [redacted]" in event["logentry"]["message"]
    assert set(event) <= {*tracking._KEPT}
    assert nobody_in(tracked)


def test_words_of_ours_and_of_the_network_are_told(tracked: Desk) -> None:
    log = logging.getLogger("worker.x")
    cut = ConnectionResetError(104, "reset")
    for error in (InvalidInput(f"Give a day, {MAIL}.", field="from"), cut):
        try:
            raise error
        except type(error) as caught:
            log.error("failed", exc_info=caught)
    tracking.flush()
    said = {event["exception"]["values"][-1]["value"] for event in tracked.events}
    assert said == {"Give a day, [redacted].", "[Errno 104] reset"}
    assert nobody_in(tracked)


def test_what_others_log_is_told_by_their_name_alone(tracked: Desk) -> None:
    logging.getLogger("arq.worker").error("job of %s failed", NAME)
    event = tracked.until(lambda event: event["logger"] == "arq.worker")
    assert event["logentry"] == {"message": "arq.worker"}
    logging.getLogger("arq.worker").warning("only a warning")
    logging.getLogger("reflex.app").error(f"[Reflex Frontend Exception]\n {NAME}")
    tracking.flush()
    assert len(tracked.events) == 1
    assert nobody_in(tracked)


def test_an_error_that_repeats_is_sent_five_times(tracked: Desk) -> None:
    for number in range(50):
        logging.getLogger("brandmind.x").error("again %d", number)
    tracking.flush()
    assert len(tracked.events) == 5


async def test_a_route_that_fails_tells_its_store_and_answers_with_a_plain_sentence(
    tracked: Desk, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "customers", failing)
    async with open_world(sqlite_url) as world:
        around = Neighbourhood(world)
        await around.settle()
        answer = await around.alice.get(
            f"/api/stores/{around.store_id}/customers.csv?q={QUERY}",
            headers={"X-Note": COOKIE},
        )
        store_id = around.store_id
        await around.leave()
    assert answer.status_code == 500
    assert NAME not in answer.text
    assert "Traceback" not in answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    event = tracked.until(lambda event: event["logger"] == "brandmind.web.troubles")
    assert event["tags"]["store"] == store_id
    assert "sheets._customers failed: ValueError" in event["logentry"]["message"]
    assert "session" not in json.dumps(event["tags"])
    assert nobody_in(tracked)


async def test_a_screen_that_fails_tells_its_store(
    tracked: Desk, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ServiceActs, "request", failing)
    processor = BaseStateEventProcessor(
        backend_exception_handler=brandmind.brandmind._after_error,
        graceful_shutdown_timeout=0.01,
    )
    async with open_world(sqlite_url) as world:
        around = Neighbourhood(world)
        await around.settle()
        tab = Tab(processor, around.cookie_of("alice"), "tab")
        processor.configure(event_namespace=tab)  # type: ignore[arg-type]
        with APP.set_contexts():
            async with processor:
                await tab.event(
                    f"{Frame.get_full_name()}.sync_now", f"/settings?shop={HARBOR}&q={QUERY}", {}
                )
        store_id = around.store_id
        await around.leave()
    event = tracked.until(lambda event: event["logger"] == "brandmind.brandmind")
    assert event["tags"] == {"process": "web", "store": store_id}
    assert event["exception"]["values"][-1]["type"] == "ValueError"
    assert nobody_in(tracked)


async def test_a_worker_process_tells_its_store_and_run(
    desk: Desk, sqlite_url: str, valkey_url: str, tmp_path: Path
) -> None:
    with local_shopify() as shopify:
        settings = settings_for(
            tmp_path,
            database_url=sqlite_url,
            redis_url=valkey_url,
            shopify=shopify,
            sentry_dsn=desk.dsn,
        )
        async with standing(settings) as ground:
            store_id = await ground.connect(Shop(shopify, orders=20, products=2, customers=5))
            await ground.db.write(spoil, store_id)
            worker = await ground.worker()
            event = await asyncio.to_thread(
                desk.until, lambda event: event["tags"].get("store") == store_id
            )
            (run,) = await ground.runs(store_id)
            worker.send(signal.SIGTERM)
            await asyncio.to_thread(worker.process.wait, 30)
            console = worker.console
    assert event["tags"] == {"process": "worker", "store": store_id, "run": run.run_id}
    assert event["logger"] == "brandmind.services.syncs"
    assert event["exception"]["values"][-1]["type"] == "ValueError"
    assert nobody_in(desk)
    assert "ValueError" in console
    assert not [canary for canary in CANARIES if canary in console]


def spoil(session: Session, store_id: str) -> None:
    """A row that cannot be read, whose error quotes what is in it."""
    session.execute(
        sa.text("UPDATE store SET orders_since = :name WHERE store_id = :store"),
        {"name": f"{NAME} <{MAIL}> {PHONE} {TOKEN}", "store": store_id},
    )


def test_a_wrong_address_of_sentry_is_refused_by_its_name() -> None:
    for wrong in ("https://sentry.example/1", "https://key@sentry.example/"):
        with pytest.raises(SettingsError, match="BRANDMIND_SENTRY_DSN: give the address"):
            tracking.start(wrong, process="web", environment="local")


def test_without_an_address_the_package_is_not_even_loaded() -> None:
    asked = (
        "import sys, worker.main, brandmind.launch.webserver; from brandmind import tracking; "
        "tracking.start('', process='x', environment='y'); "
        "print([m for m in sys.modules if m.split('.')[0] in ('sentry_sdk', 'urllib3')])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"


_ENDS = """
import logging, sys, time
from brandmind import tracking
from brandmind.launch import webserver
tracking.start(sys.argv[1], process="web", environment="local")
logging.getLogger("brandmind.x").error("the last words")
webserver.end_at_once()
"""


def test_the_last_words_of_a_web_process_that_is_ended_are_told(desk: Desk) -> None:
    done = subprocess.run([sys.executable, "-c", _ENDS, desk.dsn], timeout=120, check=False)
    assert done.returncode == 0
    assert [event["logentry"]["message"] for event in desk.events] == ["the last words"]


def test_nobody_waits_long_for_a_sentry_that_does_not_listen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        dsn = f"http://key@127.0.0.1:{deaf.getsockname()[1]}/1"
        # It would wait for ever: the answer never comes.
        done = subprocess.run([sys.executable, "-c", _ENDS, dsn], timeout=120, check=False)
    assert done.returncode == 0
