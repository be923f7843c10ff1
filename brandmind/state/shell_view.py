"""The frame around a private page: whose it is, which store, how fresh."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, tzinfo
from typing import Final

from brandmind.state import wording
from brandmind.state.acts import Viewer
from brandmind.state.guard import Access
from brandmind.state.sample import NAME as SAMPLE_NAME
from brandmind.state.sample import PARAM as SAMPLE_PARAM
from brandmind.state.status_view import pill
from brandmind.state.views import LinkView, PillView, ShellView
from brandmind.sync.progress import StoreProgress
from brandmind.sync.stages import StoreStatus

_BOTTOM: Final = {
    "Command center": "Center",
    "Store DNA": "DNA",
    "Customers": "Customers",
    "Products": "Products",
}
_BUSY: Final = (StoreStatus.PENDING, StoreStatus.IN_PROGRESS)


def shell(
    access: Access, progress: StoreProgress | None, *, now: datetime, tz: tzinfo
) -> ShellView:
    """The frame for what a person was found to have access to."""
    if access.sample:
        return ShellView(
            gate="open",
            sample=True,
            shop=SAMPLE_NAME,
            who="Not signed in",
            role="Sample figures only",
            nav=nav(SAMPLE_PARAM),
            bottom=bottom(SAMPLE_PARAM),
            more=more(SAMPLE_PARAM),
            pill=PillView(tone="grey", text="Sample"),
        )
    viewer, store = access.viewer, access.store
    if viewer is None or store is None:
        return closed(access)
    busy = progress is not None and progress.status in _BUSY
    # Where only the merchant can help, another try would be the same refusal.
    stuck = progress is not None and (
        progress.status is StoreStatus.PAUSED
        or (progress.status is StoreStatus.FAILED and progress.error_kind == "auth")
    )
    return ShellView(
        gate="open",
        shop=store.name,
        who=viewer.name or "Your account",
        role=f"{store.role.capitalize()}, {wording.counted(len(viewer.stores), 'store')}",
        stores=store_links(access),
        nav=(*nav(store.domain), *_of_operators(viewer)),
        bottom=bottom(store.domain),
        more=(*more(store.domain), *_of_operators(viewer)),
        compare_href=f"/compare?shop={store.domain}" if len(viewer.stores) > 1 else "",
        pill=pill(progress, now=now, tz=tz) if progress else PillView(),
        can_sync=progress is not None and not busy and not stuck and store.installed,
        sync_label="Syncing" if busy else "Sync now",
    )


def operators(access: Access) -> ShellView:
    """The frame of the admin page: it is of no store, and the way to the own ones stays."""
    viewer, store = access.viewer, access.store
    assert viewer is not None
    mine = store.domain if store is not None else ""
    return ShellView(
        gate="open",
        shop="This installation",
        who=viewer.name or "Your account",
        role="Administrator",
        nav=(*(nav(mine) if mine else ()), *_of_operators(viewer)),
        bottom=bottom(mine) if mine else _of_operators(viewer),
        more=(*(more(mine) if mine else ()), *_of_operators(viewer)),
    )


def nobodys() -> ShellView:
    """What whoever is no administrator gets in place of the admin page: as of any other address."""
    return ShellView(
        gate="missing",
        gate_title="There is no page here.",
        gate_text="The address may be old or mistyped. Nothing is wrong with your store.",
        gate_label="Your command center",
        gate_href="/command-center",
    )


def _of_operators(viewer: Viewer) -> tuple[LinkView, ...]:
    return (LinkView("Admin", "/admin", note="Admin"),) if viewer.admin else ()


def closed(access: Access) -> ShellView:
    """The page's place when it cannot be shown: what is missing and the one way on."""
    if access.why == "locked":
        name = next(
            (
                at.name
                for at in (access.viewer.locked if access.viewer else ())
                if at.domain == access.shop_param
            ),
            access.shop_param,
        )
        return ShellView(
            gate="locked",
            gate_title=f"Sign in to open {name}.",
            gate_text="This browser has not been let into this store by Shopify yet.",
            gate_label="Sign in with Shopify",
            gate_href=f"/auth/connect?shop={access.shop_param}",
        )
    if access.why == "missing":
        return ShellView(
            gate="missing",
            gate_title="There is no such store here.",
            gate_text="Either it was never connected, or it is not yours to see.",
            gate_label="Your stores",
            gate_href="/connect",
        )
    if access.why == "none":
        return ShellView(
            gate="none",
            gate_title="Connect your Shopify store to read its DNA.",
            gate_text="It is read only, and takes a few seconds to show its first numbers.",
            gate_label="Connect Shopify",
            gate_href="/connect",
        )
    wanted = access.shop_param if access.shop_param != SAMPLE_PARAM else ""
    return ShellView(
        gate="signed_out",
        gate_title=f"Sign in to open {wanted}." if wanted else "Sign in to see your store.",
        gate_text="Shopify tells us who you are; there is no password to remember.",
        gate_label="Sign in with Shopify" if wanted else "Connect Shopify",
        gate_href=f"/auth/connect?shop={wanted}" if wanted else "/connect",
    )


def store_links(access: Access) -> tuple[LinkView, ...]:
    """The stores of the session, then those that need their own sign-in."""
    if access.viewer is None:
        return ()
    here = access.store.store_id if access.store else ""
    return (
        *(
            LinkView(at.name, f"/command-center?shop={at.domain}", at.store_id == here, at.domain)
            for at in access.viewer.stores
        ),
        *(
            LinkView(
                f"Sign in to open {at.name}", f"/auth/connect?shop={at.domain}", note=at.domain
            )
            for at in access.viewer.locked
        ),
    )


def nav(shop_param: str) -> tuple[LinkView, ...]:
    """The rail."""
    links = [
        LinkView("Command center", f"/command-center?shop={shop_param}&look=1"),
        LinkView("Store DNA", f"/dna?shop={shop_param}"),
        LinkView("Customers", f"/customers?shop={shop_param}"),
        LinkView("Products", f"/products?shop={shop_param}"),
        LinkView("Orders", f"/orders?shop={shop_param}"),
    ]
    if shop_param != SAMPLE_PARAM:
        links.append(LinkView("Sync progress", f"/syncing?shop={shop_param}"))
        links.append(LinkView("Settings", f"/settings?shop={shop_param}"))
    return tuple(links)


def bottom(shop_param: str) -> tuple[LinkView, ...]:
    """The four pages a phone shows at once, `note` their short names."""
    by_label = {link.label: link for link in nav(shop_param)}
    return tuple(replace(by_label[label], note=short) for label, short in _BOTTOM.items())


def more(shop_param: str) -> tuple[LinkView, ...]:
    """The pages that a phone keeps behind "More"."""
    links = tuple(link for link in nav(shop_param) if link.label not in _BOTTOM)
    if shop_param == SAMPLE_PARAM:
        return (*links, LinkView("Connect your own", "/connect"))
    return links
