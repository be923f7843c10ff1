"""The field that connects a store: a plain form, so that it works before anything is loaded."""

from __future__ import annotations

from typing import Any

import reflex as rx

from brandmind.commerce.shop import NOT_AN_ADDRESS
from brandmind.components.ui.forms import plain_form
from brandmind.state.doorway import Doorway


def connect_box(*, name: str) -> rx.Component:
    """Domain field, button and the place of what went wrong. `name` keeps ids apart."""
    view: Any = Doorway.view
    return plain_form(
        rx.el.label("Your store", html_for=f"{name}-shop", class_name="small muted"),
        rx.el.div(
            rx.el.input(
                id=f"{name}-shop",
                name="shop",
                type="text",
                input_mode="url",
                auto_complete="off",
                auto_capitalize="none",
                spell_check=False,
                required=True,
                max_length=200,
                placeholder="name.myshopify.com",
                default_value=view.shop,
                key="shop" + view.shop.to(str),
                aria_describedby=f"{name}-wrong",
                aria_invalid=rx.cond(view.error, "true", "false"),
                class_name="field",
            ),
            rx.el.button("Connect Shopify", type="submit", class_name="button large"),
            class_name="connect-line",
        ),
        rx.el.p(
            # One text node: the page's script writes into it without waiting for the server.
            rx.cond(view.error, view.error, " "),
            id=f"{name}-wrong",
            role="alert",
            class_name="wrong",
            custom_attrs={"data-invalid": NOT_AN_ADDRESS},
        ),
        method="get",
        action="/auth/connect",
        class_name="connect",
        custom_attrs={"data-connect": ""},
    )
