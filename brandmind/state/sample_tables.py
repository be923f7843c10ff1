"""The sample shop's customers, products and days, beside its portrait."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from brandmind.dna.rfm import GROUPS, PROSPECTS
from brandmind.services.orders import DaySums, Explained, Reconciliation, StoreFacts
from brandmind.services.people import PAGE, GroupPage, Member
from brandmind.services.products import (
    GoodsDay,
    ProductDetail,
    ProductRow,
    ProductsPage,
    VariantGoods,
)
from brandmind.state import sample
from brandmind.state.ranges import Range

_SHARES: Final = (9, 14, 18, 21, 4, 6, 5, 4, 7, 8, 4)
_CURRENCY: Final = "USD"


def tables(today: date) -> dict[str, Any]:
    """What `dna.tables` makes of a real shop, made up."""
    month = today.year * 12 + today.month - 1
    return {
        "as_of": today.isoformat(),
        "first": (today - timedelta(days=365)).isoformat(),
        "currency": _CURRENCY,
        "rfm": {
            "groups": [
                {
                    "group": group,
                    "name": name,
                    "customers": 24 * share,
                    "net_minor": 24 * share * (1200 - 90 * place) * 10 if group != PROSPECTS else 0,
                    "days_since": 9 + 21 * place if group != PROSPECTS else None,
                }
                for place, ((group, name), share) in enumerate(
                    zip(GROUPS.items(), _SHARES, strict=True)
                )
            ],
            "customers": 2388,
            "reason": None,
            "agreement": None,
        },
        "cohorts": [_cohort(month - back, back) for back in range(12, -1, -1)],
        "ltv": [
            {
                "after": after,
                "customers": 200 * (13 - after),
                "net_minor": 0,
                "per_customer_minor": 5610 + 900 * after,
            }
            for after in range(12)
        ],
        "deciles": [
            {
                "decile": tenth,
                "customers": 239,
                "net_minor": 14_000_000 // tenth,
                "least_minor": 60_000 // tenth,
            }
            for tenth in range(1, 11)
        ],
        "hours": [[_orders_at(day, hour) for hour in range(24)] for day in range(7)],
        "weekdays": [52] * 7,
        "repeat_90": {"customers": 2388, "repeated": 740},
        "year_rates": _year_rates(today),
        "predicted": _predicted(),
        "ladder": {
            "p10_minor": 1800,
            "p50_minor": 4800,
            "p90_minor": 16_000,
            "gap": None,
            "steps": [
                {
                    "from_minor": 900 + 2000 * step,
                    "to_minor": 2900 + 2000 * step,
                    "variants": variants,
                    "net_minor": variants * (3000 + 700 * step),
                }
                for step, variants in enumerate((22, 40, 58, 46, 30, 21, 14, 9))
            ],
        },
        "pairs": [
            {"product_id": 3, "title": "Sample socks, 3-pack", "with_id": 5,
             "with_title": "Sample boot wax", "lift": 3.1, "orders": 212},
        ],
    }  # fmt: skip


def _year_rates(today: date) -> dict[str, Any]:
    """Who came again in the sample shop's 12 months."""
    return {
        "from": (today - timedelta(days=365)).isoformat(),
        "to": (today - timedelta(days=1)).isoformat(),
        "customers": 2388,
        "repeat_customers": 1266,
        "returning_customer_rate": 1266 / 2388,
        "customers_with_two": 903,
        "repeat_purchase_rate": 903 / 2388,
    }


def _predicted() -> dict[str, Any]:
    """What `dna.predict` makes of a shop like this one."""
    shares = (41, 19, 11, 8, 6, 5, 4, 3, 2, 1)
    return {
        "reason": None,
        "needs": "",
        "customers": 2388,
        "repeaters": 903,
        "months": 12,
        "discount_rate": 0.1,
        "expected_orders": 1_240.0,
        "expected_minor": 7_182_000,
        "value_minor": 6_840_000,
        "still_customers": 548,
        "correlation": 0.06,
        "purchases": {
            "r": 0.41, "alpha_weeks": 9.2, "a": 0.62, "b": 2.1, "log_likelihood": -14_020.5,
        },
        "money": {"p": 5.8, "q": 4.1, "v_minor": 3_050.0, "log_likelihood": -5_210.0},
        "money_reason": None,
        "money_needs": "",
        "tenths": [
            {
                "tenth": tenth,
                "customers": 239,
                "expected_orders": 12.4 * share,
                "value_minor": 68_400 * share,
            }
            for tenth, share in enumerate(shares, 1)
        ],
        "checked": {"days": 90, "customers": 2204, "expected_orders": 301.0, "orders": 322},
    }  # fmt: skip


def _orders_at(day: int, hour: int) -> int:
    evening = max(0, 9 - abs(hour - 20)) * 9 + max(0, 5 - abs(hour - 12)) * 6
    return evening * (10 + 2 * (day in (3, 6))) // 10


def _cohort(month: int, ago: int) -> dict[str, Any]:
    size = 180 + 7 * (12 - ago)
    return {
        "month": month,
        "size": size,
        "cells": [
            {
                "after": after,
                "customers": size if after == 0 else size * (24 - after) // 100,
                "net_minor": size * 5610 if after == 0 else size * 5610 * (24 - after) // 100,
                "cumulative_minor": 0,
                "partial": after == ago,
            }
            for after in range(ago + 1)
        ],
    }


def products(at: Range, *, today: date) -> ProductsPage:
    """The sample shop's products in a range."""
    center = sample.command_center(
        today=today, date_from=at.date_from, date_to=at.date_to, compare=None
    )
    made = tables(today)
    return ProductsPage(
        currency=_CURRENCY,
        today=today,
        date_from=at.date_from,
        date_to=at.date_to,
        stored_from=None,
        rows=tuple(
            ProductRow(
                product_id=place + 1,
                title=row.title,
                active=True,
                net_minor=row.net_minor,
                units=row.units,
                orders=row.orders,
                share=row.share,
                return_rate=row.return_rate,
                kind="A" if place < 3 else "B",
                stock=40 * place + 22,
                cover_days=11 + 17 * place,
                cover_reason=None,
                sell_through=0.8 - 0.1 * place,
                days_on_sale=60 + 90 * place,
            )
            for place, row in enumerate(center.top_products)
        ),
        as_of=today,
        ladder=made["ladder"],
        pairs=tuple(made["pairs"]),
    )


def detail(at: Range, product_id: int) -> ProductDetail:
    """One of the sample shop's products."""
    first = at.date_from.toordinal()
    days = tuple(
        GoodsDay(date.fromordinal(day), units * 2_800, units)
        for day in range(first, at.date_to.toordinal() + 1)
        for units in ((day * 7 + product_id * 3) % 11 + 2,)
    )
    sizes = ("Small", "Medium", "Large") if product_id != 5 else ("Default Title",)
    return ProductDetail(
        product_id=product_id,
        currency=_CURRENCY,
        variants=tuple(
            VariantGoods(
                title=size,
                sku=f"SAMPLE-{product_id}-{place + 1}",
                price_minor=2_800 + 200 * place,
                compare_at_minor=3_600 if place == 0 else None,
                unit_cost_minor=1_100 + 50 * place,
                stock=40 * product_id + 7 * place,
            )
            for place, size in enumerate(sizes)
        ),
        days=days,
        costs=True,
    )


def group(today: date, *, group: str, page: int) -> GroupPage:
    """Some of the sample shop's customers, who are nobody."""
    place = list(GROUPS).index(group)
    count = 24 * _SHARES[place]
    pages = -(-count // PAGE)
    page = min(max(1, page), pages)
    never = group == PROSPECTS
    last = datetime.combine(today - timedelta(days=9 + 21 * place), time(15), UTC)
    return GroupPage(
        group=group,
        name=GROUPS[group],
        currency=_CURRENCY,
        as_of=today,
        count=count,
        page=page,
        pages=pages,
        members=tuple(
            Member(
                customer_id=number,
                name=f"Sample customer {number}",
                email=None,
                email_marketing=None,
                city="Sampleton",
                country_code="US",
                orders=0 if never else max(1, 11 - place - number % 3),
                net_minor=0 if never else (count + 1 - number) * 700,
                last_at=None if never else last - timedelta(days=number % 9),
            )
            for number in range((page - 1) * PAGE + 1, min(count, page * PAGE) + 1)
        ),
    )


def reconciliation(at: Range, *, today: date) -> Reconciliation:
    """The sample shop's days from gross to total."""
    center = sample.command_center(
        today=today, date_from=at.date_from, date_to=at.date_to, compare=None
    )
    days = {
        day.day: DaySums(
            gross_minor=day.gross_minor,
            discounts_minor=day.discounts_minor,
            returns_minor=day.returns_minor,
            net_minor=day.net_minor,
            shipping_minor=day.orders * 480,
            taxes_minor=day.net_minor * 8 // 100,
            total_minor=day.net_minor + day.orders * 480 + day.net_minor * 8 // 100,
            orders=day.orders,
            units=day.units,
        )
        for day in center.days
    }
    columns = zip(*days.values(), strict=True)
    return Reconciliation(
        facts=StoreFacts("", sample.NAME, _CURRENCY, "UTC", True, None, None),
        date_from=at.date_from,
        date_to=at.date_to,
        days=days,
        whole=DaySums(*(sum(column) for column in columns)) if days else DaySums(),
        explained=Explained(3, 16_830, 45_000, 2, 5, ()),
        other_currencies=(),
    )
