"""What the tabs about a store's people and data show: frozen, flat, in words."""

from __future__ import annotations

from dataclasses import dataclass

from brandmind.state.reader_view import ReaderView
from brandmind.state.views import FactView


@dataclass(frozen=True)
class MemberView:
    """A person of the store. `act`: "", block or let_in."""

    user_id: str = ""
    name: str = ""
    role: str = ""
    said: str = ""
    act: str = ""
    blocked: bool = False


@dataclass(frozen=True)
class MembersView:
    """The people of the store; `address` is where others sign in, "" where an operator lets in."""

    there: bool = False
    lead: str = ""
    address: str = ""
    members: tuple[MemberView, ...] = ()


@dataclass(frozen=True)
class NoticesView:
    """Who is told what."""

    there: bool = False
    readers: tuple[ReaderView, ...] = ()


@dataclass(frozen=True)
class PrivacyActView:
    """What Shopify passed on for a customer's sake. `href`: what was found, "" where there is
    nothing to fetch, or not any more."""

    act_id: str = ""
    what: str = ""
    said: str = ""
    href: str = ""


@dataclass(frozen=True)
class DataView:
    """What is stored of the store. `erasing`: "", no (not the owner), ask or going; `privacy` is
    for owners whom Shopify shows both customers and orders."""

    there: bool = False
    shop: str = ""
    counts: tuple[FactView, ...] = ()
    span: str = ""
    kept: tuple[FactView, ...] = ()
    archive_href: str = ""
    archive_note: str = ""
    sync_href: str = ""
    erasing: str = ""
    erasing_said: str = ""
    privacy: tuple[PrivacyActView, ...] = ()
