"""The web process: Reflex, its websocket, our routes and the built frontend on one port.

One process and one event loop, so that nothing is left behind when it is killed, and it is back
as soon as the imports are done.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from importlib import import_module
from pathlib import Path
from typing import Any

from brandmind import logs, tracking
from brandmind.launch import frontend
from brandmind.settings import Settings

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_SERVICE_RESTART = 1012
# The server's own handlers would write past ours, which redact.
_LOGS_LIKE_US = {
    "formatters": {},
    "handlers": {},
    "loggers": {name: {"propagate": True} for name in ("_granian", "granian.access")},
}
# After this the process ends even if a request has not.
_PATIENCE_S = 1.5
# And after this even if an error could not be told to Sentry.
_LAST_WORDS_S = 2.0


class ClosesSockets:
    """Around an ASGI app: at shut-down every open websocket sees its end, and ends.

    Without it the server waits for tabs, which stay open for days.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._closing = asyncio.Event()

    def close(self) -> None:
        self._closing.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return

        closing = asyncio.ensure_future(self._closing.wait())

        async def receive_or_end() -> Message:
            message = asyncio.ensure_future(receive())
            try:
                await asyncio.wait({message, closing}, return_when=asyncio.FIRST_COMPLETED)
                if message.done():
                    return message.result()
                return {"type": "websocket.disconnect", "code": _SERVICE_RESTART, "reason": ""}
            finally:
                message.cancel()

        try:
            await self._app(scope, receive_or_end, send)
        finally:
            closing.cancel()


def origins(settings: Settings) -> list[str]:
    """Whose pages may open a socket here and read our answers: our own, by the names they have.

    On one machine those are all names of the loopback. Where others can reach us it is the public
    address alone: a page on a visitor's own port 8000 is none of ours.
    """
    if settings.production:
        return [settings.public_url]
    names = (f"http://{name}:{settings.port}" for name in ("localhost", "127.0.0.1"))
    return sorted({settings.public_url, *names})


def prepare_environment(settings: Settings) -> None:
    """Tell Reflex, which reads the environment when it is imported, to serve what is built."""
    os.environ.update(
        {
            "REFLEX_ENV_MODE": "prod",
            "__REFLEX_SKIP_COMPILE": "true",
            "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true",
            "REFLEX_WEB_WORKDIR": str(frontend.web_dir()),
            "REFLEX_DIR": str(settings.data_dir / "reflex"),
            "REFLEX_STATES_WORKDIR": str(settings.data_dir / "reflex" / "states"),
            "REFLEX_UPLOADED_FILES_DIR": str(settings.data_dir / "uploads"),
            "REFLEX_CORS_ALLOWED_ORIGINS": ",".join(origins(settings)),
            "REFLEX_TELEMETRY_ENABLED": "false",
            "REFLEX_CHECK_LATEST_VERSION": "false",
            # Its lines go the way of ours, which redacts them.
            "REFLEX_MANAGED_LOGGING": "false",
        }
    )
    if "BRANDMIND_ENV_FILE" not in os.environ:
        os.environ["BRANDMIND_ENV_FILE"] = str(Path(".env").absolute())
    # What tabs hold, customers' data too, stays in this process: in files or a Redis it would be
    # pickled, and whoever writes there would run code here.
    os.environ["REFLEX_STATE_MANAGER_MODE"] = "memory"
    os.environ.pop("REFLEX_REDIS_URL", None)
    # rxconfig.py and .web are looked for in the working folder.
    os.chdir(frontend.HOME)
    if str(frontend.HOME) not in sys.path:
        sys.path.insert(0, str(frontend.HOME))


async def serve(app: App, *, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT; then close sockets, run the shut-down of the app, return."""
    from granian.constants import HTTPModes, Interfaces
    from granian.log import LogLevels
    from granian.server.embed import Server

    closing = ClosesSockets(app)
    server = Server(
        closing,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        # What browsers and proxies speak to us; of HTTP/2 an idle connection would cost for ever.
        http=HTTPModes.http1,
        log_level=LogLevels.error,
        log_dictconfig=_LOGS_LIKE_US,
        backlog=1024,
    )
    loop = asyncio.get_running_loop()

    def stop() -> None:
        closing.close()
        server.stop()
        loop.call_later(_PATIENCE_S, end_at_once)

    for by in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(by, stop)
    await server.serve()


def end_at_once() -> None:
    """End this process without waiting for anybody, but for errors that are on their way."""
    # Telling has a limit of its own; this is for the day it does not keep it.
    last = threading.Timer(_LAST_WORDS_S + 0.5, os._exit, (0,))
    last.daemon = True
    last.start()
    tracking.flush(within_s=_LAST_WORDS_S)
    os._exit(0)


def run(settings: Settings) -> None:
    """The whole life of the web process.

    Raises:
        SettingsError: production is asked for and something stands in its way.
    """
    settings.check_production()
    logs.set_up(as_json=settings.logs_json)
    logs.catch_the_rest()
    tracking.start(
        settings.sentry_dsn.get_secret_value(), process="web", environment=settings.environment
    )
    prepare_environment(settings)
    app: App = import_module("brandmind.brandmind").app()
    asyncio.run(serve(app, host=settings.host, port=settings.port))
