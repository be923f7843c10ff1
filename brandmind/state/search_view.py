"""What was found, in the order in which it is offered: pages, then orders, products, people."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from brandmind.dna.rfm import GROUPS
from brandmind.services.searching import Found
from brandmind.state import wording
from brandmind.state.sample import PARAM as SAMPLE_PARAM
from brandmind.state.shell_view import nav
from brandmind.state.sight import closed
from brandmind.state.views import LinkView

MOST: Final = 14
_TABS: Final = (
    ("Members", "members"),
    ("Data", "data"),
    ("Notifications", "notices"),
    ("Devices", "devices"),
    ("Stores", "stores"),
    ("About", "about"),
)
_WIDER: Final = (("Cohorts", "cohorts"), ("Customer value", "value"))


@dataclass(frozen=True)
class HitView:
    """Something to go to. `kind` says what it is."""

    key: str = ""
    label: str = ""
    note: str = ""
    kind: str = ""
    href: str = ""


@dataclass(frozen=True)
class SearchView:
    """What was found for `text`; `said` is read aloud and stands where nothing was."""

    text: str = ""
    hits: tuple[HitView, ...] = ()
    said: str = ""


def search(found: Found, *, shop_param: str, sees_people: bool, admin: bool = False) -> SearchView:
    """The list. `sees_people`: whether the groups of customers are this viewer's to see."""
    text = found.text
    if not text:
        return SearchView()
    hits = [*_pages(text, shop_param=shop_param, admin=admin)]
    if sees_people:
        hits += _groups(text, shop_param=shop_param)
    shop = f"shop={shop_param}"
    orders = [
        HitView(
            label=one.name,
            note=f"{one.day} · {wording.money(one.total_minor, one.currency)}",
            kind="Order",
            href=f"/orders?{shop}&range=custom&from={one.day}&to={one.day}",
        )
        for one in found.orders
    ]
    products = [
        HitView(
            label=one.title,
            note="" if one.status == "ACTIVE" else one.status.capitalize(),
            kind="Product",
            href=f"/products?{shop}&product={one.product_id}",
        )
        for one in found.products
    ]
    customers = [
        HitView(
            label=one.name,
            note=f"{wording.counted(one.orders, 'order')} · "
            f"{wording.money(one.spent_minor, one.currency)}",
            kind="Customer",
            href=f"/customers?{shop}",
        )
        for one in found.customers
    ]
    # An order's number is meant exactly: nothing else comes before it.
    every = [*orders, *hits, *products, *customers][:MOST]
    numbered = tuple(replace(hit, key=f"hit-{at}") for at, hit in enumerate(every))
    return SearchView(text=text, hits=numbered, said=_said(found, len(every)))


def _said(found: Found, count: int) -> str:
    rest = f" {closed(*found.closed)}" if found.closed else ""
    if count:
        return f"{wording.number(count)} found.{rest}"
    return f"Nothing is called “{found.text}”.{rest}"


def _pages(text: str, *, shop_param: str, admin: bool) -> list[HitView]:
    links = list(nav(shop_param))
    shop = f"shop={shop_param}"
    links += [LinkView(name, f"/customers?{shop}&tab={tab}") for name, tab in _WIDER]
    if shop_param != SAMPLE_PARAM:
        links += [LinkView(name, f"/settings?{shop}&tab={tab}") for name, tab in _TABS]
        links.append(LinkView("Compare two stores", f"/compare?{shop}"))
    if admin:
        links.append(LinkView("Admin", "/admin"))
    return [
        HitView(label=link.label, kind="Page", href=link.href) for link in _matching(text, links)
    ]


def _groups(text: str, *, shop_param: str) -> list[HitView]:
    links = [
        LinkView(name, f"/customers?shop={shop_param}&group={group}")
        for group, name in GROUPS.items()
    ]
    return [
        HitView(label=link.label, kind="Group", note="of customers", href=link.href)
        for link in _matching(text, links)
    ]


def _matching(text: str, links: list[LinkView]) -> list[LinkView]:
    low = text.lower()
    ranked = [
        (0 if name.startswith(low) else 1, at, link)
        for at, link in enumerate(links)
        if (name := link.label.lower()).startswith(low) or f" {low}" in name
    ]
    return [link for _, _, link in sorted(ranked, key=lambda one: one[:2])]
