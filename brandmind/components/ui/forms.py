"""Forms that the browser sends by itself: to sign in, to sign out, to choose days."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_components_core.el.elements.base import BaseHTML


class PlainForm(BaseHTML):
    """A `<form>` and nothing more: Reflex's own always keeps the browser from sending it."""

    tag = "form"

    action: rx.Var[str]
    method: rx.Var[str]


def plain_form(*children: Any, method: str, **props: Any) -> rx.Component:
    """A form that loads its `action` as a new page, with `method` get or post.

    With `dialog` it closes the dialog around it.
    """
    return PlainForm.create(*children, method=method, **props)
