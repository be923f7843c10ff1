"""The root of the web process: the app, its pages, its routes and what lives as long as it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import reflex as rx
from reflex.utils.prerequisites import get_web_dir
from reflex_base.constants import Dirs

from brandmind import logs, runtime, web
from brandmind.pages import (
    admin,
    command_center,
    compare,
    connect,
    customers,
    dna,
    landing,
    not_found,
    onboarding,
    orders,
    products,
    settings,
    syncing,
)
from brandmind.settings import Settings
from brandmind.state import tabs
from brandmind.state.admin import Admin
from brandmind.state.beside import Beside
from brandmind.state.center import Center
from brandmind.state.doorway import Doorway
from brandmind.state.guard import OnlyMarked
from brandmind.state.onboarding import Onboarding
from brandmind.state.portrait import Portrait
from brandmind.state.settings import Settings as SettingsPage
from brandmind.state.tables import Customers, Orders, Products
from brandmind.state.waiting import Waiting

log = logging.getLogger(__name__)

_DESCRIPTION = (
    "The command center of a Shopify merchant: a durable sync, live progress and numbers that "
    "can be checked."
)


def _head() -> list[rx.Component]:
    fonts = ("instrument-latin", "bricolage-latin")
    return [
        *(
            rx.el.link(
                rel="preload",
                href=f"/fonts/{name}.woff2",
                custom_attrs={"as": "font", "type": "font/woff2"},
                cross_origin="anonymous",
            )
            for name in fonts
        ),
        rx.el.link(rel="icon", href="/favicon.svg", type="image/svg+xml"),
        rx.el.script(src="/theme.js"),
        rx.el.script(src="/page.js", defer=True),
    ]


@asynccontextmanager
async def _runtime() -> AsyncIterator[None]:
    """The runtime of this process, open as long as the app lives."""
    told = Settings.load()
    logs.set_up(as_json=told.logs_json)
    async with runtime.open_runtime(told) as opened:
        runtime.set_current(opened)
        opened.hub.start()
        try:
            yield
        finally:
            await opened.hub.stop()
            runtime.set_current(None)


def _after_error(exception: Exception) -> None:
    """Note what failed; the trace names our lines, never what a merchant's rows held.

    Anybody can send events that fail, as often as he likes.
    """
    name = type(exception).__name__
    log.error("an event failed: %s", name, exc_info=exception, extra=logs.FROM_OUTSIDE)


def make_app(**kwargs: Any) -> rx.App:
    """The app with every page; `kwargs` go to rx.App."""
    made = rx.App(
        stylesheets=["/tokens.css", "/base.css", "/layout.css", "/rooms.css"],
        reset_style=False,
        head_components=_head(),
        html_lang="en",
        toaster=None,
        # Reflex's own sends a script to be evaluated, which the content policy refuses.
        backend_exception_handler=_after_error,
        **kwargs,
    )
    web.metrics.watch_tabs(tabs.bind(made).counted)
    made.add_middleware(OnlyMarked(), index=0)
    pages: tuple[tuple[Any, str, str, Any], ...] = (
        (landing.landing, "/", landing.TITLE, Doorway.arrive),
        (connect.connect, "/connect", connect.TITLE, Doorway.arrive),
        (syncing.syncing, "/syncing", syncing.TITLE, Waiting.follow),
        (onboarding.onboarding, "/onboarding", onboarding.TITLE, Onboarding.follow),
        (command_center.command_center, "/command-center", command_center.TITLE, Center.follow),
        (dna.dna, "/dna", dna.TITLE, Portrait.follow),
        (customers.customers, "/customers", customers.TITLE, Customers.follow),
        (products.products, "/products", products.TITLE, Products.follow),
        (orders.orders, "/orders", orders.TITLE, Orders.follow),
        (settings.settings, "/settings", settings.TITLE, SettingsPage.follow),
        (compare.compare, "/compare", compare.TITLE, Beside.follow),
        (admin.admin, "/admin", admin.TITLE, Admin.follow),
    )
    for page, route, title, on_load in pages:
        made.add_page(page, route=route, title=title, description=_DESCRIPTION, on_load=on_load)
    made.add_page(not_found.not_found, route="404", title=not_found.TITLE)
    return made


_BUILT = (get_web_dir() / Dirs.STATIC).absolute()

app = make_app(api_transformer=web.transformers(pages=_BUILT))
app.register_lifespan_task(_runtime)
