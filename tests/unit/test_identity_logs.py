"""A log line says what happened, and in which store, without a secret or a person in it."""

from __future__ import annotations

import io
import logging

import pytest

from brandmind import logs


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("got shpat_0123456789abcdef", "0123456789abcdef"),
        ("got shprt_abc_DEF-9", "abc_DEF-9"),
        ("Authorization: Bearer abc.def.ghi", "abc.def.ghi"),
        ("{'authorization': 'Bearer abc'}", "abc"),
        ('{"cookie": "theme=dark; bm_session=s3cret"}', "s3cret"),
        ("{'headers': {'cookie': 'a=1; x=\\'y; bm_session=s3cret', 'host': 'h'}}", "s3cret"),
        ("Cookie: bm_session=s3cret; other=1", "other"),
        ("Set-Cookie: __Host-bm_session=s3cret; Path=/", "s3cret"),
        ("jar had bm_flow=s3cret;", "s3cret"),
        ("X-Shopify-Access-Token: 0123abcd", "0123abcd"),
        ("GET /auth/callback?code=0123456789&shop=a.myshopify.com", "0123456789"),
        ("GET /auth/link?token=abcdefghij", "abcdefghij"),
        ('{"refresh_token": "abcdefghij"}', "abcdefghij"),
        ("redis://default:hunter22@127.0.0.1:6379/0", "hunter22"),
        ("null value\nDETAIL:  Failing row contains (7, Ann,\n O'Neil).\n\nThe above", "O'Neil"),
        ("mail to ann.o'neil+x@shop.example.co", "@shop.example.co"),
    ],
)
def test_a_secret_or_a_person_is_not_logged(text: str, secret: str) -> None:
    assert secret in text
    assert secret not in logs.redact(text)
    assert "[redacted]" in logs.redact(text)


def test_plain_words_stay_as_they_are() -> None:
    plain = "Store harbor-and-pine.myshopify.com: page 3 of orders landed, 250 rows, run 0a1b"
    assert logs.redact(plain) == plain


def _logger() -> tuple[logging.Logger, io.StringIO, logging.Handler]:
    stream = io.StringIO()
    handler = logs.line_handler(stream)
    logger = logging.getLogger("brandmind.test_logs")
    logger.propagate = False
    logger.addHandler(handler)
    return logger, stream, handler


def test_a_line_names_its_store_and_run_only_inside_the_block() -> None:
    logger, stream, handler = _logger()
    with logs.bind(store="s1"), logs.bind(run="r1"):
        logger.warning("inside %s", "shpat_abcdef")
    logger.warning("outside")
    logger.removeHandler(handler)
    inside, outside = stream.getvalue().splitlines()
    assert " store=s1 run=r1 inside shpat_[redacted]" in inside
    assert "store=" not in outside


def test_a_traceback_is_redacted_too() -> None:
    logger, stream, handler = _logger()
    try:
        raise ValueError("token shprt_abcdef of bob@example.com")
    except ValueError:
        logger.exception("it failed")
    logger.removeHandler(handler)
    said = stream.getvalue()
    assert "ValueError" in said
    assert "abcdef" not in said
    assert "bob@" not in said


def test_a_message_that_does_not_fit_its_arguments_is_still_redacted() -> None:
    stream = io.StringIO()
    record = logging.LogRecord("x", logging.WARNING, "f", 1, "got %d shpat_abcdef", ("text",), None)
    logs.line_handler(stream).handle(record)
    assert "got %d shpat_[redacted]" in stream.getvalue()


def test_a_trace_names_the_lines_and_none_of_the_words() -> None:
    customer = "Ann O'Neil"
    try:
        try:
            int(customer)
        except ValueError as error:
            raise RuntimeError(customer) from error
    except RuntimeError as error:
        told = logs.trace_of(error)
    assert "O'Neil" not in told
    assert "test_identity_logs.py" in told
    assert "RuntimeError" in told
    assert "ValueError" in told
