"""The root of the web process: the app, its pages and its routes."""

import reflex as rx


def index() -> rx.Component:
    return rx.container(rx.heading("BrandMind"))


app = rx.App()
app.add_page(index, route="/", title="BrandMind")
