"""What a stranger can make us log is short, has no word of his in it, and comes rarely."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from brandmind import logs
from brandmind.errors import InvalidInput
from brandmind.logs.lines import Lines
from brandmind.logs.outside import Sluice
from brandmind.logs.redaction import LONGEST


def record(name: str, text: str, *, error: BaseException | None = None) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord(name, logging.ERROR, "/there/file.py", 881, text, (), info)


def written(made: logging.LogRecord, *, as_json: bool = False) -> str:
    stream = io.StringIO()
    logs.line_handler(stream, as_json=as_json).handle(made)
    return stream.getvalue()


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except type(error) as caught:
        return caught


PROCESSOR = "reflex_base.event.processor.event_processor"


@pytest.mark.parametrize(
    ("logger", "text", "told"),
    [
        (
            PROCESSOR,
            "Error processing event queue entry for Event(token='t', name='Ann O Neil', "
            "router_data={'headers': {'cookie': 'x'}}) [txid=1]:",
            "an event that does not exist was refused (KeyError)",
        ),
        (
            "reflex_base.event.processor.base_state_processor",
            "Error transforming event payload for handler choose: … with value 'Ann O Neil'",
            "an event came with an argument of the wrong kind (KeyError)",
        ),
        ("reflex.app", "[Reflex Frontend Exception]\n Ann O Neil\n", "a browser reported an error"),
        ("reflex.app", "Frontend version Ann O Neil for session", "a page of another version"),
        ("socketio.server", "something about Ann O Neil", "see file.py:881 (KeyError)"),
        ("engineio.server", "something about Ann O Neil", "see file.py:881 (KeyError)"),
    ],
)
def test_what_a_socket_sent_is_told_in_words_of_ours(logger: str, text: str, told: str) -> None:
    made = record(logger, text, error=raised(KeyError("Ann O Neil")))
    line = written(made)
    assert told in line
    assert "O Neil" not in line
    assert line.count("\n") == 1
    assert "O Neil" not in written(made, as_json=True)


def test_a_task_that_nobody_waited_for_is_told_without_the_words_of_its_error() -> None:
    text = "Task exception was never retrieved\nfuture: <Task exception=ValueError('Ann O Neil')>"
    line = written(record("asyncio", text, error=raised(ValueError("Ann O Neil"))))
    assert "Task exception was never retrieved" in line
    assert "test_logs_outside.py" in line
    assert "O Neil" not in line


def test_a_traceback_that_comes_as_a_text_keeps_only_the_kind_of_its_error() -> None:
    text = "Traceback (most recent call last):\n  File 'x'\nValueError: Ann O Neil\n"
    assert written(record("_granian", text)).endswith("_granian ValueError\n")


def test_ten_of_a_kind_pass_and_then_one_in_half_a_minute_which_counts_the_rest() -> None:
    now = [0.0]
    sluice = Sluice(lambda: now[0])
    made = [record(PROCESSOR, "Error processing event queue entry") for _ in range(1000)]
    assert sum(bool(sluice.filter(one)) for one in made) == 10
    now[0] = 30.0
    next_one, another = (record(PROCESSOR, "Error processing event queue entry") for _ in "ab")
    assert sluice.filter(next_one)
    assert not sluice.filter(another)
    assert "(990 more like it were not logged)" in Lines().format(next_one)


def test_an_error_raised_elsewhere_is_of_another_kind() -> None:
    sluice = Sluice(lambda: 0.0)
    here = [record("reflex.app", "failed", error=raised(ValueError())) for _ in range(20)]
    assert sum(bool(sluice.filter(one)) for one in here) == 10
    with pytest.raises(ValueError, match="invalid literal") as elsewhere:
        int("x")
    assert sluice.filter(record("reflex.app", "failed", error=elsewhere.value))


def test_our_own_lines_are_never_held_back_unless_they_are_marked() -> None:
    sluice = Sluice(lambda: 0.0)
    assert all(sluice.filter(record("brandmind.services.syncs", "a page")) for _ in range(1000))
    marked = [record("brandmind.web.signing", "a try") for _ in range(1000)]
    for one in marked:
        one.__dict__.update(logs.FROM_OUTSIDE)
    assert sum(bool(sluice.filter(one)) for one in marked) == 10


def test_what_the_sluice_remembers_is_bounded() -> None:
    sluice = Sluice(lambda: 0.0)
    for number in range(5_000):
        made = record("reflex.app", "x")
        made.lineno = number
        sluice.filter(made)
    assert len(sluice._places) <= 500


def test_nobody_writes_a_line_of_his_own_or_paints_the_console() -> None:
    line = written(record("brandmind.x", "shop a\n2026-01-01 INFO forged\r\x1b[31mred"))
    assert line.count("\n") == 1
    assert "\x1b" not in line


def test_a_text_without_end_is_cut_between_words_and_costs_little() -> None:
    text = "a" * 50 + " " + "shpat_" + "b" * 3_000_000
    told = logs.redact(text)
    assert len(told) <= LONGEST + 2
    assert "shpat_b" not in told
    assert len(logs.redact("a" * 3_000_000)) < 10


@pytest.mark.parametrize(
    "text",
    [
        "call +49 151 2345 6789 now",
        "call +1 (555) 123-4567",
        "call +4915123456789",
        "call (555) 123-4567",
        "call 555-123-4567 today",
        '{"phone": "0151 23456789"}',
        "{'first_name': 'Ann', 'n': 1}",
        "{'address1': '1 Long Lane'}",
        "https://5a6b7c@sentry.example/1",
        "GET /auth/callback?state=abcdef123456&x=1",
        "GET /?hmac=abcdef0123456789&shop=a.myshopify.com",
        "mail=ann.oneil%40example.com",
    ],
)
def test_phones_persons_and_keys_in_addresses_are_not_logged(text: str) -> None:
    assert "[redacted]" in logs.redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "order 6543219876543 of 2026-11-25T19:35:00+00:00",
        "127.0.0.1:6379 took 1234.567 s, 250 rows",
        "gid://shopify/Order/5550123456789",
        "2026-11-25 03:20:00.123456 to 2026-11-26 03:20:00.123456+02:00",
        "run 018f6f0e-8d2c-7b4e-9d3a-555123456789 owner host/1234/567",
    ],
)
def test_ids_moments_and_addresses_stay(text: str) -> None:
    assert logs.redact(text) == text


@pytest.fixture
def logger() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    stream = io.StringIO()
    handler = logs.line_handler(stream, as_json=True)
    made = logging.getLogger("brandmind.test_json")
    made.propagate = False
    made.addHandler(handler)
    yield made, stream
    made.removeHandler(handler)


def test_a_line_of_json_names_everything_a_machine_asks_for(
    logger: tuple[logging.Logger, io.StringIO],
) -> None:
    log, stream = logger
    with logs.bind(store="s1", run="r1"):
        log.warning("page %s “done”\nof ann@example.com", 3)
    told = json.loads(stream.getvalue())
    assert told["at"].endswith("Z")
    assert told["level"] == "warning"
    assert told["logger"] == "brandmind.test_json"
    assert (told["store"], told["run"]) == ("s1", "r1")
    assert told["message"] == "page 3 “done”\\nof [redacted]"
    assert "trace" not in told


def test_a_trace_is_a_field_and_names_the_store_its_error_was_raised_for(
    logger: tuple[logging.Logger, io.StringIO],
) -> None:
    log, stream = logger
    customer = "Ann O Neil"
    try:
        with logs.bind(store="s1"):
            int(customer)
    except ValueError as error:
        log.error("failed", exc_info=error)
    told = json.loads(stream.getvalue())
    assert told["store"] == "s1"
    assert told["trace"].endswith("ValueError")
    assert "O Neil" not in stream.getvalue()


def test_errors_of_ours_and_of_the_network_keep_their_words() -> None:
    assert "Give from and to" in logs.trace_of(InvalidInput("Give from and to.", field="from"))
    assert "refused" in logs.trace_of(ConnectionRefusedError(111, "Connection refused"))
    grouped = ExceptionGroup(
        "Ann O Neil", [ValueError("Ann O Neil"), InvalidInput("Mine", field="x")]
    )
    told = logs.trace_of(grouped)
    assert "O Neil" not in told
    assert "InvalidInput: Mine" in told


def test_the_handlers_that_others_bring_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()
    before = list(root.handlers), root.level
    theirs = logging.getLogger("engineio.server")
    theirs.addHandler(logging.StreamHandler())
    stream = io.StringIO()
    try:
        logs.set_up(stream=stream)
        theirs.error("a packet of Ann O Neil")
    finally:
        for handler in list(root.handlers):
            root.removeHandler(handler)
        for handler in before[0]:
            root.addHandler(handler)
        root.setLevel(before[1])
    assert theirs.handlers == []
    assert "engineio.server see" in stream.getvalue()
    assert "O Neil" not in stream.getvalue()


def warning(
    logger: str = "brandmind.services.x", *, level: int = logging.WARNING, line: int = 7
) -> logging.LogRecord:
    return logging.LogRecord(logger, level, "/there/ours.py", line, "the shop is away", (), None)


def test_a_warning_of_ours_that_repeats_is_told_ten_times_and_then_now_and_then() -> None:
    now = [0.0]
    sluice = Sluice(lambda: now[0])
    passed = [sluice.passes(warning()) for _ in range(100)]
    assert passed == [0] * 10 + [None] * 90
    now[0] = 30.0
    assert sluice.passes(warning()) == 90
    assert sluice.passes(warning()) is None
    assert sluice.passes(warning(line=8)) == 0


def test_how_many_were_not_told_stands_in_the_next_line() -> None:
    made = warning()
    made.left_out = 90
    assert "the shop is away (90 more like it were not logged)" in Lines().format(made)


def test_the_trouble_of_one_store_hides_no_other() -> None:
    sluice = Sluice(lambda: 0.0)
    with logs.bind(store="one"):
        for _ in range(50):
            sluice.passes(warning("worker.inbox"))
        assert sluice.passes(warning("worker.inbox")) is None
    with logs.bind(store="another"):
        assert sluice.passes(warning("worker.inbox")) == 0


@pytest.mark.parametrize(
    ("logger", "level"),
    [("brandmind.x", logging.ERROR), ("worker.x", logging.INFO), ("someone.else", logging.WARNING)],
)
def test_no_other_line_that_only_we_can_cause_is_left_out(logger: str, level: int) -> None:
    sluice = Sluice(lambda: 0.0)
    assert {sluice.passes(warning(logger, level=level)) for _ in range(50)} == {0}
