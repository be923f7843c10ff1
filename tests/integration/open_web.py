"""The web process as it is served, without the built pages: `python -m tests.integration.open_web`.

With `LEFT_OPEN=1` it carries two handlers somebody forgot to guard, for the tests of the tests.
"""

from __future__ import annotations

import asyncio
import os
from importlib import import_module
from typing import Any

from brandmind.launch import webserver
from brandmind.settings import Settings


def main() -> None:
    settings = Settings.load()
    settings.check_production()
    webserver.prepare_environment(settings)
    # The pages need a build of their own and hold nothing that is not public.
    os.environ["__REFLEX_MOUNT_FRONTEND_COMPILED_APP"] = "false"
    module: Any = import_module("brandmind.brandmind")
    if os.environ.get("LEFT_OPEN"):
        import_module("tests.integration.left_open")
    asyncio.run(webserver.serve(module.app(), host=settings.host, port=settings.port))


if __name__ == "__main__":
    main()
