"""The reconciliation in words: every day's way from gross to total, and why another may differ."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

from brandmind.services.orders import DaySums, Reconciliation
from brandmind.state import wording
from brandmind.state.portrait_views import OrdersView, SumRowView
from brandmind.state.ranges import Range, range_links
from brandmind.state.views import BannerView, FactView


def orders(
    found: Reconciliation | None,
    *,
    at: Range,
    mode: str,
    note: str = "",
    shop_param: str = "",
    store_id: str = "",
    banner: BannerView | None = None,
) -> OrdersView:
    """The page of a range; None: nothing of it to show."""
    links = range_links(at, shop_param=shop_param, page="/orders")
    head = OrdersView(
        there=True,
        mode=mode,
        note=note,
        banner=banner or BannerView(),
        ranges=links,
        range_label=at.label,
        shop_param=shop_param,
        date_from=at.date_from.isoformat(),
        date_to=at.date_to.isoformat(),
    )
    if found is None:
        return head
    currency = found.facts.currency
    why = found.explained

    def money(minor: int) -> str:
        return wording.money(minor, currency)

    facts = [
        FactView(
            "Test orders left out",
            f"{wording.number(why.test_orders)}, {money(why.test_minor)}",
        ),
        FactView("Gift cards sold, not a sale until spent", money(why.gift_cards_minor)),
        FactView("Pending orders, which count", wording.number(why.pending)),
        FactView("Cancelled orders, which count on both days", wording.number(why.cancelled)),
        FactView("Tips and adjustments, in no total", money(
            found.whole.tips_minor + found.whole.adjustments_minor)),
        FactView("Not explained by Shopify's ledger", money(found.whole.unexplained_minor)),
    ]  # fmt: skip
    if found.other_currencies:
        facts.append(
            FactView("Kept in other currencies, not added up", ", ".join(found.other_currencies))
        )
    query = urlencode({"from": at.date_from.isoformat(), "to": at.date_to.isoformat()})
    return replace(
        head,
        rows=tuple(
            _row(wording.day(day, year=at.days > 300), sums, currency)
            for day, sums in sorted(found.days.items(), reverse=True)
        ),
        whole=_row("All days", found.whole, currency),
        facts=tuple(facts),
        cancelled=tuple(
            FactView(f"{order.name}, {wording.day(order.day)}", money(order.left_minor))
            for order in why.cancelled_left
        ),
        csv_href=f"/api/stores/{store_id}/orders.csv?{query}" if store_id else "",
        foot=(
            "Days begin and end in the shop's time zone, "
            f"{found.facts.timezone.replace('_', ' ')}. "
            "Shopify's own sales reports follow within about a minute, its customer reports can "
            "lag up to 12 hours; a small difference right after a sale is normal."
        ),
    )


def _row(day: str, sums: DaySums, currency: str) -> SumRowView:
    def money(minor: int) -> str:
        return wording.money(minor, currency)

    return SumRowView(
        day=day,
        orders=wording.number(sums.orders),
        gross=money(sums.gross_minor),
        discounts=money(sums.discounts_minor),
        returns=money(sums.returns_minor),
        net=money(sums.net_minor),
        shipping=money(sums.shipping_minor),
        taxes=money(sums.taxes_minor),
        total=money(sums.total_minor),
        negative=sums.net_minor < 0,
    )
