"""Where somebody is signed in, in plain words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from brandmind.services.sessions import SignedIn
from brandmind.state.signed_in_view import called, ended_elsewhere, signed_in

NOW = datetime(2026, 11, 25, 20, 0, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X)"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
ANDROID = "Mozilla/5.0 (Linux; Android 15; Pixel 9)"
BLINK = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (f"{WINDOWS} {BLINK} Safari/537.36", "Chrome on Windows"),
        (f"{WINDOWS} {BLINK} Safari/537.36 Edg/142.0.0.0", "Edge on Windows"),
        (f"{WINDOWS} {BLINK} Safari/537.36 OPR/120.0", "Opera on Windows"),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
            "Firefox on Linux",
        ),
        (f"{MAC} AppleWebKit/605.1.15 Version/18.1 Safari/605.1.15", "Safari on Mac"),
        (f"{IPHONE} AppleWebKit/605 Version/18.1 Mobile/15E148 Safari/604.1", "Safari on iPhone"),
        (f"{IPHONE} AppleWebKit/605 CriOS/142 Mobile/15E148 Safari/604.1", "Chrome on iPhone"),
        (f"{IPHONE} AppleWebKit/605 FxiOS/145 Mobile/15E148 Safari/604.1", "Firefox on iPhone"),
        (f"{ANDROID} {BLINK} Mobile Safari/537.36", "Chrome on Android"),
        (
            f"{ANDROID} {BLINK} SamsungBrowser/28.0 Mobile Safari/537.36",
            "Samsung Internet on Android",
        ),
        (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {BLINK} Safari/537.36", "Chrome on ChromeOS"),
        ("python-httpx/0.28.1", "An unknown browser"),
        ("Something (Windows NT 10.0)", "A browser on Windows"),
        ("", "An unknown browser"),
        ("<script>alert(1)</script>" * 20, "An unknown browser"),
    ],
)
def test_a_browser_is_called_what_people_call_it(user_agent: str, name: str) -> None:
    assert called(user_agent) == name


def at(session_id: str, *, seen: timedelta, since: timedelta, this: bool = False) -> SignedIn:
    return SignedIn(session_id, f"{WINDOWS} Firefox/145.0", NOW - since, NOW - seen, this)


def test_this_browser_comes_first_and_the_others_by_their_last_use() -> None:
    found = [
        at("fresh", seen=timedelta(seconds=70), since=timedelta(hours=1)),
        at("this", seen=timedelta(minutes=9), since=timedelta(minutes=9), this=True),
        at("old", seen=timedelta(hours=30), since=timedelta(days=9)),
    ]
    view = signed_in(found, now=NOW, tz=NEW_YORK)
    assert [one.session_id for one in view.browsers] == ["this", "fresh", "old"]
    assert [one.this for one in view.browsers] == [True, False, False]
    assert [one.used for one in view.browsers] == ["In use now", "In use now", "Last used 30 h ago"]
    assert [one.since for one in view.browsers] == [
        "Signed in 14:51",
        "Signed in 14:00",
        "Signed in 16 Nov 15:00",
    ]
    assert view.browsers[2].used_title == "24 Nov 2026, 09:00:00 America/New York"
    assert view.elsewhere == "2 other browsers"


def test_who_is_signed_in_here_alone_has_nothing_to_end() -> None:
    view = signed_in(
        [at("this", seen=timedelta(0), since=timedelta(0), this=True)], now=NOW, tz=UTC
    )
    assert (view.there, view.elsewhere) == (True, "")
    assert ended_elsewhere(0) == "You were signed in nowhere else."
    assert ended_elsewhere(1) == "Signed out of 1 browser. You are still signed in here."
