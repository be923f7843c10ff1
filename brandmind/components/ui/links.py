"""Links: inside the app without a reload, outside of it with one."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_components_core.el.elements.base import BaseHTML
from reflex_components_core.react_router import ReactRouterLink


class PlainLink(BaseHTML):
    """An `<a>` and nothing more: Reflex's own leads to pages of the app alone."""

    tag = "a"

    href: rx.Var[str]


def go(*children: Any, href: Any, **props: Any) -> rx.Component:
    """A link to a page of ours: the socket stays open."""
    return ReactRouterLink.create(*children, to=href, **props)


def leave(*children: Any, href: Any, **props: Any) -> rx.Component:
    """A link that loads a page anew: signing in, connecting again."""
    return PlainLink.create(*children, href=href, **props)
