"""How Reflex is configured; what differs between machines comes from the environment."""

import reflex as rx

config = rx.Config(
    app_name="brandmind",
    telemetry_enabled=False,
    show_built_with_reflex=False,
    plugins=[rx.plugins.RadixThemesPlugin(enabled=False)],
    disable_plugins=[rx.plugins.SitemapPlugin],
)
