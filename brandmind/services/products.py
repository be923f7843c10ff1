"""The products of a store and a range: what they bring, how long they last, what goes with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from brandmind.clock import utc_now
from brandmind.commerce.shop import zone
from brandmind.db import figures, goods
from brandmind.db.figures import Span
from brandmind.db.goods import Goods, GoodsDay, VariantGoods
from brandmind.dna.facts import ProductFact
from brandmind.dna.products import Class, abc, cover, sell_through
from brandmind.services import answers, dashboard, dna

__all__ = [
    "GoodsDay",
    "ProductDetail",
    "ProductRow",
    "ProductsPage",
    "VariantGoods",
    "detail",
    "products",
]

if TYPE_CHECKING:
    from brandmind.runtime import Runtime


@dataclass(frozen=True, slots=True)
class ProductRow:
    """A product in the range; shares and rates are 0-1, None where there is nothing to divide by.

    `kind` is its class by net sales: A up to 80 % of all, B up to 95 %. `cover_days` is None with
    a reason: "untracked", "history" or "no recent sales". `days_on_sale` is None where the product
    is not stored.
    """

    product_id: int | None
    title: str
    active: bool
    net_minor: int
    units: int
    orders: int
    share: float | None
    return_rate: float | None
    kind: Class
    stock: int | None
    cover_days: int | None
    cover_reason: str | None
    sell_through: float | None
    days_on_sale: int | None


@dataclass(frozen=True, slots=True)
class ProductsPage:
    """The products by net sales, and the ladder and pairs of the newest portrait (None: none yet).

    `ladder` and `pairs` are as `dna.tables` has them, of the 365 days before `as_of`.
    """

    currency: str
    today: date
    date_from: date
    date_to: date
    stored_from: date | None
    rows: tuple[ProductRow, ...]
    as_of: date | None
    ladder: dict[str, Any] | None
    pairs: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class ProductDetail:
    """One product: its variants, and what every day of the range brought, empty days with zeros.

    `costs` says that the merchant keeps the costs of goods at the shop.
    """

    product_id: int
    currency: str
    variants: tuple[VariantGoods, ...]
    days: tuple[GoodsDay, ...]
    costs: bool


async def detail(
    rt: Runtime, store_id: str, product_id: int, *, date_from: date, date_to: date
) -> ProductDetail:
    """A product of the store in a range of days. Raises NotFound and InvalidInput."""
    dashboard.length_of(date_from, date_to)
    facts = await rt.db.read(figures.facts, store_id)
    span = Span(date_from, date_to)
    found = await rt.db.read(
        goods.days, store_id, product_id=product_id, currency=facts.currency, span=span
    )
    by_day = {one.day: one for one in found}
    return ProductDetail(
        product_id=product_id,
        currency=facts.currency,
        variants=tuple(await rt.db.read(goods.variants, store_id, product_id=product_id)),
        days=tuple(by_day.get(day, GoodsDay(day, 0, 0)) for day in dashboard.each_day(span)),
        costs=bool((await answers.answers(rt, store_id)).uses_costs),
    )


async def products(rt: Runtime, store_id: str, *, date_from: date, date_to: date) -> ProductsPage:
    """The page of a range of shop-local days, both inclusive. Raises NotFound and InvalidInput."""
    dashboard.length_of(date_from, date_to)
    facts = await rt.db.read(figures.facts, store_id)
    today = utc_now().astimezone(zone(facts.timezone)).date()
    found = await rt.db.read(
        goods.goods,
        store_id,
        currency=facts.currency,
        span=Span(date_from, date_to),
        today=today,
    )
    newest = await dna.store_dna(rt, store_id)
    return ProductsPage(
        currency=facts.currency,
        today=today,
        date_from=date_from,
        date_to=date_to,
        stored_from=facts.stored_from,
        rows=_rows(found, today=today, timezone=facts.timezone),
        as_of=newest.as_of if newest else None,
        ladder=newest.tables["ladder"] if newest else None,
        pairs=tuple(newest.tables["pairs"]) if newest else (),
    )


def _rows(found: list[Goods], *, today: date, timezone: str) -> tuple[ProductRow, ...]:
    # Goods without a product are told apart by their place in the list.
    kinds = abc((place, one.net_minor) for place, one in enumerate(found))
    positive = sum(max(0, one.net_minor) for one in found)
    rows = []
    for place, one in enumerate(found):
        lasts = cover(_fact(one))
        since = one.on_sale_at.astimezone(zone(timezone)).date() if one.on_sale_at else None
        rows.append(
            ProductRow(
                product_id=one.product_id or None,
                title=one.title,
                active=one.active,
                net_minor=one.net_minor,
                units=one.units,
                orders=one.orders,
                share=dashboard.rate(max(0, one.net_minor), positive),
                return_rate=dashboard.rate(-one.returned_minor, one.sold_minor),
                kind=kinds[place],
                stock=one.stock,
                cover_days=lasts.days,
                cover_reason=lasts.reason,
                sell_through=sell_through(units=one.units, stock=one.stock),
                days_on_sale=max(0, (today - since).days) if since else None,
            )
        )
    return tuple(rows)


def _fact(one: Goods) -> ProductFact:
    return ProductFact(
        one.product_id, one.title, one.active, 0, 0, one.stock, one.stock_days, one.stock_units
    )
