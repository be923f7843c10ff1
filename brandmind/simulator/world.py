"""All shops of one simulator; each comes into being when its name is first called."""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from typing import Any

from brandmind.simulator.app_news import AppNews
from brandmind.simulator.brand import Brand
from brandmind.simulator.bulk_files import Shelf
from brandmind.simulator.bulk_operations import BulkDesk
from brandmind.simulator.changes import Changes
from brandmind.simulator.churn import Churn
from brandmind.simulator.config import ShopConfig, SimulatorConfig
from brandmind.simulator.faults import FaultBox, parse_fault
from brandmind.simulator.listing import Listing
from brandmind.simulator.reading import Reading
from brandmind.simulator.throttle import Bucket
from brandmind.simulator.tokens import ACCESS_S, TokenBook
from brandmind.simulator.webhook_news import News
from brandmind.simulator.webhook_post import Post

SHOP_NAME = re.compile(r"^[a-z0-9][a-z0-9-]*\.myshopify\.com$")
LOG_LENGTH = 5_000


class Gate:
    """Holds API answers back once so many have passed, until somebody opens it."""

    def __init__(self) -> None:
        self._left: int | None = None
        self._open = asyncio.Event()
        self._open.set()
        self.waiting = 0

    def close_after(self, requests: int) -> None:
        """The next `requests` answers pass, the others wait."""
        self._left = requests
        self._open.clear()

    def open(self) -> None:
        """Everything passes again."""
        self._left = None
        self._open.set()

    async def passed(self) -> None:
        """Returns when this answer may go."""
        if self._left is None:
            return
        if self._left > 0:
            self._left -= 1
            return
        self.waiting += 1
        try:
            await self._open.wait()
        finally:
            self.waiting -= 1


class Shop:
    """One shop: its brand, its rights, its troubles and the log of who asked what."""

    def __init__(self, name: str, whole: SimulatorConfig, shelf: Shelf) -> None:
        config = whole.shop
        self.name = name
        self.config = config
        self._invoices = whole.invoices
        self.faults = FaultBox(config.seed)
        self.post = Post(name, whole.client_secret, self.faults, seed=config.seed)
        self.app = AppNews(self.post, whole.privacy_uri)
        self.desk = BulkDesk(shelf, self.faults, self.app.finished)
        self.reading = Reading(self.faults, lambda: self.changes)
        self.churn: Churn | None = None
        self._changes: Changes | None = None
        self.gate = Gate()
        self.log: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)
        self.installed: dict[str, frozenset[str]] = {}
        self.staff = "owner"
        self.token_life_s: float = ACCESS_S
        self.truth: tuple[int, Any] | None = None
        self._brand: Brand | None = None
        self._listing: Listing | None = None
        self._buckets: dict[str, Bucket] = {}

    @property
    def brand(self) -> Brand:
        """The shop's data, generated on the first look."""
        if self._brand is None:
            self._brand = Brand(self.name, self.config, self._invoices)
        return self._brand

    @property
    def listing(self) -> Listing:
        """The shop's lists."""
        if self._listing is None:
            self._listing = Listing(self.brand)
        return self._listing

    @property
    def changes(self) -> Changes:
        """What changes the shop's data."""
        if self._changes is None:
            news = News(self.brand, self.post)
            self.brand.on_change = news.flush
            self._changes = Changes(self.brand, tell=news.tell)
        return self._changes

    def granted(self, scopes: frozenset[str]) -> frozenset[str]:
        """Those of the scopes that the faults leave."""
        if fault := self.faults.strike("missing-scope"):
            scopes -= {fault.how}
        if self.faults.strike("sixty-days"):
            scopes -= {"read_all_orders"}
        return scopes

    def refused(self) -> frozenset[str]:
        """Protected objects that the app is not approved for; "fields" for all such fields."""
        found = set(self.config.refused_objects)
        if not self.config.protected_data:
            found.add("fields")
        if fault := self.faults.strike("protected-data"):
            found.add(fault.how)
        return frozenset(found)

    def bucket(self, app: str) -> Bucket:
        """The bucket of an app in this shop."""
        found = self._buckets.get(app)
        if found is None:
            found = Bucket(self.config.bucket_size, self.config.restore_rate)
            self._buckets[app] = found
        return found

    def drain(self) -> None:
        """Empties the buckets of all apps."""
        for bucket in self._buckets.values():
            bucket.drain()

    def configure(self, config: ShopConfig) -> None:
        """Another make-up: installs and tokens stay, and so do the data if they are not meant."""
        old, self.config = self.config, config
        if self._brand is not None and old.same_data(config):
            self._brand.config = self._brand.book.config = config
            self._buckets.clear()
            return
        self._brand = None
        self._listing = None
        self._changes = None
        self._buckets.clear()
        self.truth = None

    def note(self, operation: str | None, status: int, cost: int | None, **more: Any) -> None:
        """One line of the log."""
        self.log.append(
            {"at": time.time(), "operation": operation, "status": status, "cost": cost, **more}
        )


class World:
    """The whole simulator's state."""

    def __init__(self, config: SimulatorConfig) -> None:
        self.config = config
        self.tokens = TokenBook()
        self.shelf = Shelf()
        self._shops: dict[str, Shop] = {}
        for text in config.faults:
            parse_fault(text)

    def shop(self, name: str) -> Shop | None:
        """The shop of that domain; None if the domain cannot be one."""
        name = name.lower()
        found = self._shops.get(name)
        if found is None and SHOP_NAME.match(name):
            found = self._shops[name] = Shop(name, self.config, self.shelf)
            for text in self.config.faults:
                self.strike(found, text)
        return found

    def shops(self) -> list[Shop]:
        """Those that were called so far."""
        return list(self._shops.values())

    def strike(self, shop: Shop, text: str) -> None:
        """Sets a fault written as on the command line."""
        shop.faults.add(parse_fault(text))
