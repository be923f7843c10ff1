"""What must not be written down: tokens, cookies, passwords in addresses, e-mails, phones."""

from __future__ import annotations

import re
from typing import Final

GONE: Final = "[redacted]"
# What is longer is cut: the patterns cost time with the text, and outsiders choose the text.
LONGEST: Final = 8_000

_QUOTED: Final = r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_PERSONAL: Final = (
    "email|phone|(?:first|last|full|display)_?name|address_?[12]|street|zip|postal_?code"
)

# Each pattern keeps its first group, which says what was there.
_SECRETS: Final = (
    # Reflex logs an unknown event whole, with its headers as a dict or as lines.
    re.compile(rf"""(?i)(["']?\b(?:set-)?cookie["']?\s*[:=]\s*)(?:{_QUOTED}|([^\r\n]+))"""),
    re.compile(
        r"""(?i)(["']?\b(?:authorization|x-shopify-access-token|x-shopify-hmac-sha256)["']?"""
        rf"""\s*[:=]\s*)(?:{_QUOTED}|([^\r\n,}}]+))"""
    ),
    re.compile(r"(?i)(\b(?:__Host-)?bm_(?:session|flow)=)([^\s;,\"']+)"),
    re.compile(
        r"(?i)((?:access_token|refresh_token|id_token|client_secret|password)[\"']?\s*[=:]\s*[\"']?)"
        r"([^\s\"',;&}]+)"
    ),
    # Words that mean something else elsewhere: only what is long enough for a secret.
    re.compile(
        r"(?i)((?:^|[?&\s\"'])(?:code|state|hmac|signature|token|session)[\"']?\s*[=:]\s*[\"']?)"
        r"([A-Za-z0-9._~+/%-]{6,}=*)"
    ),
    re.compile(r"(?i)(\bBearer\s+)(\S+)"),
    re.compile(r"(\bshp[a-z]{2}_)([A-Za-z0-9_-]+)"),
    # PostgreSQL quotes the whole row that it refuses.
    re.compile(r"(?s)(\bDETAIL:\s*)(.+?)(?=\n\s*\n|\n\[SQL:|\n(?:HINT|CONTEXT):|\Z)"),
    # A user alone may be a secret too: that of Sentry's addresses is a key.
    re.compile(r"(\b[A-Za-z][A-Za-z0-9+]*://)([^\s/@]+)(?=@)"),
    # A dict or JSON with a person in it.
    re.compile(rf"""(?i)(["'](?:{_PERSONAL})["']\s*:\s*){_QUOTED}"""),
)
_EMAIL: Final = re.compile(
    r"(?<![\w.%+-])[\w.%+-]+(?:@|%40)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+", re.ASCII
)
# With the sign of a country, or grouped as in North America; a bare number is an id.
_PHONE: Final = re.compile(
    r"(?<![\w+])\+\d(?:[\s().-]{0,2}\d){7,14}(?!\d)"
    r"|(?<![\w.-])\(?\d{3}\)?[\s.-]\s?\d{3}[\s.-]\d{4}(?![\w-])"
)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def redact(text: str) -> str:
    """The text without cookies, authorizations, tokens, passwords in addresses, e-mails, phones.

    Of a longer one only the first 8,000 characters are kept, up to a gap between words.
    """
    if len(text) > LONGEST:
        # A token that was cut in two would be known by none of the patterns.
        text = text[:LONGEST].rpartition(" ")[0] + " …"
    for pattern in _SECRETS:
        text = pattern.sub(_keep_first, text)
    return _PHONE.sub(GONE, _EMAIL.sub(GONE, text))


def one_line(text: str) -> str:
    """The text redacted, on one line: nobody writes a line of his own into a log."""
    told = redact(text.strip()).replace("\r", "").replace("\n", "\\n")
    return _CONTROL.sub("?", told)


def _keep_first(found: re.Match[str]) -> str:
    return f"{found.group(1)}{GONE}"
