"""Serves the built pages over staged acts: `python -m tests.e2e.stage PORT`."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from brandmind import runtime
from brandmind.launch import webserver


class NoHub:
    """Where the real process listens to Redis."""

    def start(self) -> None: ...

    async def stop(self) -> None: ...


@asynccontextmanager
async def nothing_open(_settings: Any) -> AsyncIterator[Any]:
    yield SimpleNamespace(hub=NoHub(), settings=_settings)


def main() -> None:
    port = int(sys.argv[1])
    settings: Any = SimpleNamespace(
        port=port,
        public_url=f"http://localhost:{port}",
        production=False,
        data_dir=Path(tempfile.mkdtemp(prefix="stage-")),
    )
    os.environ["BRANDMIND_DATA_DIR"] = str(settings.data_dir)
    os.environ["BRANDMIND_PORT"] = str(port)
    webserver.prepare_environment(settings)
    from brandmind.state import acts
    from tests import stage_acts

    if os.environ.get("STAGE_PROGRESS") == "later":
        stage_acts.STATES["running"] = lambda: stage_acts.running(orders=6160)
    acts.use(stage_acts.StageActs())
    runtime.open_runtime = nothing_open  # type: ignore[assignment]
    app = import_module("brandmind.brandmind").app()
    asyncio.run(webserver.serve(app, host="127.0.0.1", port=port))


if __name__ == "__main__":
    main()
