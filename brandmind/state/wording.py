"""Numbers, money and times in the words and shapes a screen shows."""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal

from brandmind.commerce.money import MINUS, headline, shown, symbol, to_decimal


def number(value: int) -> str:
    """12400 as "12,400"."""
    return f"{value:,}" if value >= 0 else f"{MINUS}{-value:,}"


def counted(value: int, one: str, many: str | None = None) -> str:
    """1 as "1 order", 12 as "12 orders"."""
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


def at_least(total: int, *, exact: bool) -> str:
    """A total as it is known: "12,000", or "10,000+" where the shop only said at least."""
    return number(total) if exact else f"{number(total)}+"


def money(minor: int, currency: str, *, whole: bool = False) -> str:
    """An amount of minor units: "$56.10", or "$56" where `whole` drops the small change."""
    return shown(minor, currency, whole=whole)


def headline_money(minor: int, currency: str) -> str:
    """An amount for a big figure: small change only below a thousand."""
    return headline(minor, currency)


def short_money(minor: int, currency: str) -> str:
    """An amount for an axis: "$4k", "$1.2M", "$350"."""
    amount = to_decimal(minor, currency)
    for step, letter in ((Decimal(1_000_000), "M"), (Decimal(1000), "k")):
        if abs(amount) >= step:
            digits = f"{abs(amount) / step:.1f}".removesuffix(".0")
            return f"{MINUS if amount < 0 else ''}{symbol(currency)}{digits}{letter}"
    return money(minor, currency, whole=amount == amount.to_integral_value())


def percent(rate: float, *, digits: int = 1) -> str:
    """0.472 as "47.2%"."""
    text = f"{abs(rate) * 100:.{digits}f}%"
    return f"{MINUS}{text}" if rate < 0 and text.strip("0.%") else text


def elapsed(seconds: float) -> str:
    """A duration as a clock: "0:19", "1:12", "1:02:05"."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, secs = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{secs:02}" if hours else f"{minutes}:{secs:02}"


def duration(seconds: float) -> str:
    """A duration in words, rounded: "under 1 s", "19 s", "4 min", "1 h 20 min"."""
    if seconds < 1:
        return "under 1 s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes = max(1, round(whole / 60))
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def time_left(seconds: float) -> str:
    """An estimate as people say it: "under a minute", "about 4 min", "about 1 h 20 min".

    Above ten minutes it is rounded to five: a finer figure would only pretend.
    """
    if seconds < 60:
        return "under a minute"
    minutes = max(1, round(seconds / 60))
    if minutes > 10:
        minutes = 5 * round(minutes / 5)
    return f"about {duration(minutes * 60)}"


def ago(at: datetime, now: datetime) -> str:
    """How long since, short: "just now", "3 min ago", "5 h ago", "2 days ago"."""
    seconds = (now - at).total_seconds()
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{int(seconds // 60)} min ago"
    if seconds < 48 * 3600:
        return f"{int(seconds // 3600)} h ago"
    return f"{int(seconds // 86400)} days ago"


def day(when: date, *, year: bool = False) -> str:
    """A day: "20 Nov", with the year where asked."""
    return f"{when.day} {when:%b %Y}" if year else f"{when.day} {when:%b}"


def clock(at: datetime, tz: tzinfo) -> str:
    """The time of day in that zone, which is named where it is nobody's own: "14:02 UTC"."""
    local = at.astimezone(tz)
    return f"{local:%H:%M} UTC" if _is_utc(tz) else f"{local:%H:%M}"


def moment(at: datetime, now: datetime, tz: tzinfo) -> str:
    """A moment near or far: "14:02", "yesterday 14:02", "20 Nov 14:02", "20 Nov 2025 14:02"."""
    local, today = at.astimezone(tz), now.astimezone(tz).date()
    days = (today - local.date()).days
    if days == 0:
        return clock(at, tz)
    if days == 1:
        return f"yesterday {clock(at, tz)}"
    return f"{day(local.date(), year=local.year != today.year)} {clock(at, tz)}"


def full_moment(at: datetime, tz: tzinfo) -> str:
    """A moment for a hover: "22 Nov 2026, 14:02:07 America/New_York"."""
    local = at.astimezone(tz)
    return f"{day(local.date(), year=True)}, {local:%H:%M:%S} {_zone_name(tz).replace('_', ' ')}"


def listed(words: list[str]) -> str:
    """Words joined as in speech: "Products, orders and customers"."""
    text = " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
    return text[:1].upper() + text[1:]


def _is_utc(tz: tzinfo) -> bool:
    return tz is UTC or _zone_name(tz) == "UTC"


def _zone_name(tz: tzinfo) -> str:
    return str(getattr(tz, "key", None) or tz)
