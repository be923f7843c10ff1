"""The sample shop: made-up figures under an impossible name, the same on every machine."""

from __future__ import annotations

import math
import random
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final

from brandmind.services.dashboard import (
    CommandCenter,
    Compare,
    DayFigures,
    Kpis,
    OrderLine,
    ProductFigures,
)

NAME: Final = "Sample Shop"
PARAM: Final = "sample"
# Helix 1-4, short name, score, interval, score 90 days ago: the gel of the landing page.
STRANDS: Final = (
    (1, "Price", 68, 5, 62),
    (1, "Range", 58, 7, 55),
    (1, "Newness", 31, 7, 38),
    (1, "Reach", 22, 4, 21),
    (2, "Loyalty", 71, 4, 66),
    (2, "Cadence", 54, 8, 52),
    (2, "Value", 47, 6, 48),
    (2, "Growth", 63, 5, 57),
    (3, "Discount", 18, 3, 24),
    (3, "Basket", 41, 5, 38),
    (3, "Seasonality", 62, 9, 58),
    (4, "Returns", 83, 4, 80),
)
SEGMENTS: Final = (
    ("Champions", 9),
    ("Loyal", 14),
    ("Active", 18),
    ("New", 21),
    ("At risk", 11),
    ("Dormant", 27),
)
_PRODUCTS: Final = (
    ("Sample beanie", 0.24, 0.021),
    ("Sample crew, slate", 0.10, 0.048),
    ("Sample socks, 3-pack", 0.084, 0.009),
    ("Sample parka", 0.076, 0.096),
    ("Sample boot wax", 0.052, 0.003),
)
_FIRST_DAY: Final = date(2024, 1, 1)


def command_center(
    *, today: date, date_from: date, date_to: date, compare: Compare | None
) -> CommandCenter:
    """The sample shop's command center for a range of days."""
    days = _days(date_from, date_to)
    length = (date_to - date_from).days + 1
    back = 364 if compare == "year" else length
    before = _days(date_from - timedelta(days=back), date_to - timedelta(days=back))
    kpis = _kpis(days, window_end=today - timedelta(days=31))
    return CommandCenter(
        store_id="",
        currency="USD",
        timezone="UTC",
        today=today,
        date_from=date_from,
        date_to=date_to,
        stored_from=_FIRST_DAY,
        kpis=kpis,
        compared=_kpis(before, window_end=today - timedelta(days=31 + back)) if compare else None,
        days=days,
        compared_days=before if compare else (),
        top_products=tuple(
            ProductFigures(
                product_id=None,
                title=title,
                net_minor=round(kpis.net_minor * share),
                units=max(1, round(kpis.units * share)),
                orders=max(1, round(kpis.orders * share)),
                share=share,
                return_rate=returned,
            )
            for title, share, returned in _PRODUCTS
        ),
        recent_orders=_orders(today),
        other_currencies=(),
        refund_rates=tuple(
            -day.returns_minor / (day.gross_minor + day.discounts_minor) for day in days
        ),
    )


@lru_cache(maxsize=2048)
def _day(day: date) -> DayFigures:
    dice = random.Random(day.toordinal())  # noqa: S311 - a picture, not a secret
    wave = 1 + 0.18 * math.sin(2 * math.pi * (day.timetuple().tm_yday - 250) / 365)
    week = (0.86, 0.82, 0.9, 1.0, 1.05, 1.22, 1.28)[day.weekday()]
    growth = 1 + 0.11 * (day - _FIRST_DAY).days / 365
    orders = max(1, round(38 * wave * week * growth * dice.uniform(0.86, 1.16)))
    gross = sum(round(dice.lognormvariate(8.62, 0.42)) for _ in range(orders))
    discounts = -round(gross * dice.uniform(0.03, 0.07))
    returns = -round(gross * dice.uniform(0.02, 0.06))
    return DayFigures(
        day=day,
        gross_minor=gross,
        discounts_minor=discounts,
        returns_minor=returns,
        net_minor=gross + discounts + returns,
        orders=orders,
        units=round(orders * 1.7),
        new_customers=round(orders * 0.43 * dice.uniform(0.8, 1.2)),
        returning_customer_rate=0.54 + 0.03 * math.sin(day.toordinal() / 9) + dice.uniform(0, 0.02),
    )


def _days(first: date, last: date) -> tuple[DayFigures, ...]:
    count = (last - first).days + 1
    return tuple(_day(first + timedelta(days=offset)) for offset in range(count))


def _kpis(days: tuple[DayFigures, ...], *, window_end: date) -> Kpis:
    gross = sum(at.gross_minor for at in days)
    discounts = sum(at.discounts_minor for at in days)
    returns = sum(at.returns_minor for at in days)
    orders = sum(at.orders for at in days)
    net = gross + discounts + returns
    customers = round(orders * 0.86)
    new = round(customers * (0.5 - 0.03 * math.sin(days[0].day.toordinal() / 40)))
    # A few who came for the first time in these days came again.
    repeat = customers - round(new * 0.93)
    return Kpis(
        currency="USD",
        gross_minor=gross,
        discounts_minor=discounts,
        returns_minor=returns,
        net_minor=net,
        shipping_minor=orders * 490,
        taxes_minor=round(net * 0.08),
        total_minor=net + orders * 490 + round(net * 0.08),
        orders=orders,
        units=sum(at.units for at in days),
        aov_minor=(gross + discounts) // orders if orders else None,
        customers=customers,
        new_customers=new,
        returning_customers=customers - new,
        returning_customer_rate=repeat / customers if customers else None,
        repeat_customers=repeat,
        customers_with_two=round(customers * 0.12),
        repeat_purchase_rate=round(customers * 0.12) / customers if customers else None,
        refund_rate=-returns / (gross + discounts) if gross + discounts else None,
        refund_window=(window_end - timedelta(days=len(days) - 1), window_end),
    )


def _orders(today: date) -> tuple[OrderLine, ...]:
    dice = random.Random(7)  # noqa: S311 - a picture, not a secret
    lines = []
    at = datetime.combine(today, time(9, 40), tzinfo=UTC)
    for number in range(8):
        at -= timedelta(minutes=dice.randint(18, 190))
        net = round(dice.lognormvariate(8.62, 0.42))
        lines.append(
            OrderLine(
                shopify_id=0,
                name=f"#S-{1042 - number}",
                processed_at=at,
                net_minor=net,
                total_minor=net + 490 + round(net * 0.08),
                units=dice.randint(1, 4),
                financial_status="PAID" if number != 5 else "REFUNDED",
                cancelled=False,
                test=False,
                currency="USD",
            )
        )
    return tuple(lines)
