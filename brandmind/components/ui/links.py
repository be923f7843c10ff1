"""Links: inside the app without a reload, outside of it with one."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_components_core.react_router import ReactRouterLink


def go(*children: Any, href: Any, **props: Any) -> rx.Component:
    """A link to a page of ours: the socket stays open."""
    return ReactRouterLink.create(*children, to=href, **props)


def leave(*children: Any, href: Any, **props: Any) -> rx.Component:
    """A link that loads a page anew: signing in, signing out."""
    return rx.el.a(*children, href=href, **props)
