"""A fresh database with the schema and one connected store, nothing read yet."""

from __future__ import annotations

import asyncio
import sys

from brandmind.db.migrate import upgrade
from brandmind.runtime import open_runtime
from brandmind.services import connect
from brandmind.settings import Settings


async def main(shop: str) -> None:
    """Make the database the environment names, and connect the shop by a token."""
    settings = Settings.load()
    upgrade(settings.database_url)
    async with open_runtime(settings, jobs=False) as rt:
        await connect.with_token(rt, shop, "shpat_of_the_benchmark")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
