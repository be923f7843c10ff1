"""What the connect page says of a sign-in that went wrong."""

from __future__ import annotations

import inspect
import re

import pytest

from brandmind.services import connect
from brandmind.state.doorway import ERRORS
from brandmind.web import signing


@pytest.mark.parametrize("code", ["invalid", "denied", "link", "unavailable", "removed", "scopes"])
def test_an_error_is_told_in_whole_sentences(code: str) -> None:
    assert ERRORS[code][0].isupper()
    assert ERRORS[code].endswith(".")


def test_every_error_that_sends_a_browser_to_the_connect_page_has_its_words() -> None:
    came_back = inspect.getsource(connect.come_back)
    assert "/connect?" in came_back
    sent = {code for line in re.findall(r"error = (.+)", came_back) for code in _texts(line)}
    sent -= {"install"}
    sent |= set(re.findall(r"error=(\w+)", inspect.getsource(signing)))
    assert {"denied", "link", "invalid"} <= sent <= set(ERRORS)


def _texts(line: str) -> list[str]:
    return re.findall(r'"(\w+)"', line)
