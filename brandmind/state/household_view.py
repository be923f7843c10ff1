"""A store's people, who of them is told, and what is stored of it, in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from brandmind.services.answers import Reader
from brandmind.services.members import Member
from brandmind.services.stored import KEPT, NEEDS, Stored
from brandmind.state import wording
from brandmind.state.acts import StoreRef
from brandmind.state.household_views import (
    DataView,
    MembersView,
    MemberView,
    NoticesView,
    PrivacyActView,
)
from brandmind.state.reader_view import reader_line
from brandmind.state.sight import closed
from brandmind.state.views import FactView

_NAMES: Final = {
    "products": "Products",
    "variants": "Variants",
    "orders": "Orders",
    "order_lines": "Lines of orders",
    "order_sales": "Sales and returns of orders",
    "refunds": "Refunds",
    "customers": "Customers",
}
_ACTS: Final = {
    "data_request": "Customer asked for their data",
    "redact_customer": "Customer's data deleted",
    "redact_store": "Store's data deleted",
}
_RIGHTS: Final = ("products", "orders", "customers")
_SHOPIFYS: Final = (
    "Whoever may open this store in Shopify can sign in here, with what Shopify lets them see. "
    "There is nobody to invite: give them this address."
)
_BY_HAND: Final = (
    "This store is connected by hand. Whoever runs BrandMind lets people in, with a link that "
    "signs in once."
)


def members(
    found: Sequence[Member], store: StoreRef, *, by_hand: bool, origin: str, tz: tzinfo
) -> MembersView:
    """The people of the store as this viewer may see and change them."""
    owner = store.role == "owner" and store.installed
    return MembersView(
        there=True,
        lead=_BY_HAND if by_hand else _SHOPIFYS,
        address="" if by_hand else f"{origin}/auth/connect?shop={store.domain}",
        members=tuple(_member(one, me=store.user_id, owner=owner, tz=tz) for one in found),
    )


def _member(one: Member, *, me: str, owner: bool, tz: tzinfo) -> MemberView:
    mine = one.user_id == me
    rights = (("orders", one.may_orders), ("products", one.may_products))
    sees = [name for name, may in (*rights, ("customers", one.may_customers)) if may]
    said = f"Sees {wording.listed(sees).lower()}" if sees else "Sees no figures"
    since = wording.day(one.since_at.astimezone(tz).date(), year=True)
    said += f" · here since {since}"
    if one.blocked_at is not None:
        when = wording.day(one.blocked_at.astimezone(tz).date(), year=True)
        said = f"Access removed on {when}"
    act = ""
    if owner and not mine and one.role != "owner":
        act = "block" if one.blocked_at is None else "let_in"
    return MemberView(
        user_id=one.user_id,
        name=f"{one.name} (you)" if mine else one.name,
        role="Owner" if one.role == "owner" else "Member",
        said=said,
        act=act,
        blocked=one.blocked_at is not None,
    )


def notices(found: Iterable[Reader], store: StoreRef) -> NoticesView:
    """Who gets the letter; the owner says so for all, a member for themselves."""
    return NoticesView(
        there=True,
        readers=tuple(reader_line(one, role=store.role, user_id=store.user_id) for one in found),
    )


def data(
    found: Stored,
    store: StoreRef,
    *,
    erase_at: datetime | None,
    now: datetime,
    privacy: Iterable[dict[str, Any]] = (),
    tz: tzinfo = UTC,
) -> DataView:
    """What is stored, how long, what customers asked for, and the two ways out.

    `privacy`: what `services.privacy.acts` tells, for whoever `answers_for` that.
    """
    unseen = [name for name in _RIGHTS if not getattr(store, f"may_{name}")]
    counts = [
        FactView(label, wording.number(found.counts[name]))
        for name, label in _NAMES.items()
        if all(getattr(store, right) for right in NEEDS[name])
    ]
    if not unseen:
        counts.append(FactView("Portraits of Store DNA", wording.number(found.portraits)))
    span = closed(*unseen) if unseen else ""
    if store.may_orders and found.oldest_at is not None and found.newest_at is not None:
        first, last = (
            wording.day(at.date(), year=True) for at in (found.oldest_at, found.newest_at)
        )
        span = f"Orders from {first} to {last}. {span}".rstrip()
    note = "A table for each, your newest portrait, and a list of what is in it."
    if unseen:
        note += f" {wording.listed(unseen)} are left out: your Shopify account may not see them."
    erasing, said = "ask", ""
    if store.role != "owner":
        erasing, said = "no", "Only the owner of the account may delete a store's data."
    if erase_at is not None and erase_at <= now:
        erasing, said = "going", "The data of this store are being deleted. It takes a few seconds."
    return DataView(
        there=True,
        shop=store.domain,
        counts=tuple(counts),
        span=span,
        kept=tuple(FactView(what, how_long) for what, how_long in KEPT),
        archive_href=f"/api/stores/{store.store_id}/archive.zip",
        archive_note=note,
        sync_href=f"/settings?shop={store.domain}&tab=sync" if store.installed else "",
        erasing=erasing,
        erasing_said=said,
        privacy=(
            tuple(_privacy_act(act, store, tz=tz) for act in privacy) if answers_for(store) else ()
        ),
    )


def answers_for(store: StoreRef) -> bool:
    """Whether this person answers customers who ask for their data."""
    return store.role == "owner" and store.may_orders and store.may_customers


def _privacy_act(act: dict[str, Any], store: StoreRef, *, tz: tzinfo) -> PrivacyActView:
    asked, done = (
        datetime.fromisoformat(at) if at else None for at in (act["ordered_at"], act["done_at"])
    )
    what = _ACTS.get(act["kind"], act["kind"])
    if act["customer_id"] is not None:
        what += f" · customer {act['customer_id']}"
    said = f"Asked {_on(asked, tz)}" if asked else ""
    if done is None:
        said += " · being done"
    elif act["outcome"] == "done":
        said += f" · done {_on(done, tz)}"
    else:
        said += f" · {act['outcome']}"
    href = f"/api/stores/{store.store_id}/privacy/{act['act_id']}" if act["has_export"] else ""
    return PrivacyActView(act_id=act["act_id"], what=what, said=said, href=href)


def _on(at: datetime, tz: tzinfo) -> str:
    return wording.day(at.astimezone(tz).date(), year=True)
