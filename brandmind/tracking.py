"""Errors of ours, told to a Sentry where one is named: where, in which store and run, never who.

What is sent is an allow-list. The package is loaded only when an address is set.
"""

from __future__ import annotations

import atexit
import builtins
import logging
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final, cast

from brandmind import logs
from brandmind.errors import SettingsError

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

_SETTING: Final = "BRANDMIND_SENTRY_DSN"
_FLUSH_S: Final = 1.0
# An error that repeats is known after a few; Sentry counts what it is sent, and bills it.
_AT_ONCE: Final = 5
_THEN_EVERY_S: Final = 60.0

_KEPT: Final = (
    "event_id",
    "timestamp",
    "platform",
    "level",
    "logger",
    "release",
    "environment",
    "sdk",
    "exception",
    "logentry",
    "tags",
)
_KEPT_OF_FRAMES: Final = (
    "filename",
    "function",
    "module",
    "lineno",
    "context_line",
    "pre_context",
    "post_context",
    "in_app",
)
_OURS: Final = ("brandmind", "worker")


_reporter: Reporter | None = None


def start(dsn: str, *, process: str, environment: str) -> None:
    """From now on errors that are logged are sent; nothing happens without an address.

    `process` is what kind this one is, `environment` what kind of installation.

    Raises:
        SettingsError: the address is none of Sentry's, or its package is not installed.
    """
    global _reporter
    if not dsn or _reporter is not None:
        return
    try:
        import sentry_sdk
    except ImportError:
        raise SettingsError(
            f"{_SETTING} is set, but the package sentry-sdk is not installed."
        ) from None
    try:
        sentry_sdk.init(
            dsn=dsn,
            release=_release(),
            environment=environment,
            before_send=scrubbed,
            # Nothing is collected behind our back: no requests, no queries, no trail of them; and
            # nothing personal, which is its default.
            default_integrations=False,
            auto_enabling_integrations=False,
            max_breadcrumbs=0,
            include_local_variables=False,
            max_request_body_size="never",
            traces_sample_rate=None,
            auto_session_tracking=False,
            send_client_reports=False,
            enable_backpressure_handling=False,
            enable_metrics=False,
            propagate_traces=False,
            spotlight=False,
        )
    except ValueError:
        raise SettingsError(
            f"{_SETTING}: give the address of a project, like https://KEY@sentry.example.com/1."
        ) from None
    _reporter = Reporter(process=process)
    logs.listen(_reporter)
    atexit.register(flush)


def flush(*, within_s: float = _FLUSH_S) -> None:
    """Wait until what was logged has been sent, so long at most."""
    if _reporter is not None:
        import sentry_sdk

        sentry_sdk.flush(timeout=within_s)


def stop() -> None:
    """Send what is left, and no more from now on."""
    global _reporter
    if _reporter is None:
        return
    import sentry_sdk

    logs.leave(_reporter)
    sentry_sdk.get_client().close(timeout=_FLUSH_S)
    sentry_sdk.get_global_scope().set_client(None)
    atexit.unregister(flush)
    _reporter = None


def _release() -> str | None:
    try:
        return f"brandmind@{version('brandmind')}"
    except PackageNotFoundError:
        return None


class Reporter(logging.Handler):
    """Sends what is logged as an error, five of a kind at once and then one a minute."""

    def __init__(self, *, process: str) -> None:
        super().__init__(logging.ERROR)
        self._process = process
        self._sluice = logs.Sluice(at_once=_AT_ONCE, then_every_s=_THEN_EVERY_S, every_line=True)

    def emit(self, record: logging.LogRecord) -> None:
        # What a stranger sent is no error of ours; and nothing is told about the telling.
        if logs.echoes(record) or record.name.startswith(("sentry_sdk", "urllib3")):
            return
        if self._sluice.passes(record) is None:
            return
        try:
            self._send(record)
        except Exception:
            self.handleError(record)

    def _send(self, record: logging.LogRecord) -> None:
        import sentry_sdk
        from sentry_sdk.utils import event_from_exception

        event: dict[str, Any] = {}
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            options = sentry_sdk.get_client().options
            event = dict(event_from_exception(error, client_options=options)[0])
        is_ours = record.name.split(".", 1)[0] in _OURS
        event |= {
            "level": record.levelname.lower(),
            "logger": record.name,
            "tags": {"process": self._process, **logs.bound_to(error)},
            # Others' words may be made of anything.
            "logentry": {"message": logs.one_line(record.getMessage()) if is_ours else record.name},
        }
        sentry_sdk.capture_event(cast("Event", event))


def scrubbed(event: Event, _hint: Hint) -> Event:
    """What may leave this machine of an event: where it happened, in what, and our own words."""
    told: Mapping[str, Any] = event
    kept = {name: told[name] for name in _KEPT if name in told}
    values = (told.get("exception") or {}).get("values") or []
    if values:
        kept["exception"] = {"values": [_of_an_error(one) for one in values]}
    return cast("Event", kept)


def _of_an_error(told: Mapping[str, Any]) -> dict[str, Any]:
    frames = (told.get("stacktrace") or {}).get("frames") or []
    module, kind = told.get("module") or "builtins", str(told.get("type"))
    words = logs.one_line(str(told.get("value") or "")[:300]) if _may_speak(module, kind) else ""
    return {
        "type": kind,
        "module": module,
        "value": words,
        "stacktrace": {
            "frames": [
                {name: frame[name] for name in _KEPT_OF_FRAMES if name in frame} for frame in frames
            ]
        },
    }


def _may_speak(module: str, kind: str) -> bool:
    """Whether an error's words are ours or the network's, and none of a merchant's rows'."""
    if module.split(".", 1)[0] in _OURS:
        return True
    found = getattr(builtins, kind, None)
    return module == "builtins" and isinstance(found, type) and issubclass(found, OSError)
