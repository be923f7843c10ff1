"""Where a person is signed in, in plain words: the browser, when it was used, which one is this."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Final

from brandmind.services.sessions import SignedIn
from brandmind.state import wording
from brandmind.state.views import BrowserView, SignedInView

# A session's last use is noted once a minute: what is younger than two may be open now.
_IN_USE: Final = timedelta(minutes=2)
# The first that is found counts: most browsers also call themselves Chrome, Safari and Mozilla.
_BROWSERS: Final = (
    ("Shopify Mobile", "Shopify app"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("Vivaldi/", "Vivaldi"),
    ("OPR/", "Opera"),
    ("OPT/", "Opera"),
    ("EdgiOS/", "Edge"),
    ("EdgA/", "Edge"),
    ("Edg/", "Edge"),
    ("Edge/", "Edge"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Chromium/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("iPod", "iPod"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)


def signed_in(found: Sequence[SignedIn], *, now: datetime, tz: tzinfo) -> SignedInView:
    """The whole list, this browser first, then by the last use."""
    ordered = sorted(found, key=lambda at: (not at.this, now - at.seen_at))
    others = sum(not at.this for at in found)
    return SignedInView(
        there=True,
        browsers=tuple(_browser(at, now=now, tz=tz) for at in ordered),
        elsewhere=wording.counted(others, "other browser", "other browsers") if others else "",
    )


def called(user_agent: str) -> str:
    """What a browser calls itself, as people call it: "Firefox on Windows", "Safari on iPhone"."""
    browser = next((name for sign, name in _BROWSERS if sign in user_agent), "")
    system = next((name for sign, name in _SYSTEMS if sign in user_agent), "")
    if browser and system:
        return f"{browser} on {system}"
    if browser or system:
        return browser or f"A browser on {system}"
    return "An unknown browser"


def ended(name: str) -> str:
    """What is said once one browser has been signed out."""
    return f"Signed out: {name}. Its open pages are closed."


def ended_elsewhere(count: int) -> str:
    """What is said once all others have been signed out."""
    if not count:
        return "You were signed in nowhere else."
    return f"Signed out of {wording.counted(count, 'browser')}. You are still signed in here."


def _browser(at: SignedIn, *, now: datetime, tz: tzinfo) -> BrowserView:
    if at.this or now - at.seen_at < _IN_USE:
        used = "In use now"
    else:
        used = f"Last used {wording.ago(at.seen_at, now)}"
    return BrowserView(
        session_id=at.session_id,
        name=called(at.user_agent),
        used=used,
        used_title=wording.full_moment(at.seen_at, tz),
        since=f"Signed in {wording.moment(at.signed_in_at, now, tz)}",
        this=at.this,
    )
