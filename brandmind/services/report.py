"""Every figure of a store and a range as plain values, for other programs and for people."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from brandmind.clock import utc_now
from brandmind.commerce.money import exponent, to_decimal
from brandmind.commerce.shop import normalise_shop_domain, zone
from brandmind.db import figures as rows
from brandmind.db import stores
from brandmind.db.figures import DaySums, Span
from brandmind.dna.tables import PAIRS
from brandmind.errors import NotFound
from brandmind.services import dashboard, dna, orders, products

if TYPE_CHECKING:
    from brandmind.runtime import Runtime
    from brandmind.services.dashboard import CommandCenter, Kpis
    from brandmind.services.dna import StoreDna
    from brandmind.services.orders import Reconciliation

DEFAULT_DAYS: Final = 28
TOP_PRODUCTS: Final = 20
VERSION: Final = 1
PRODUCTS: Final = 500
# The figures whose change is told as a part of what was before, and those whose change in points.
CHANGES: Final = ("net_minor", "orders", "aov_minor", "new_customers")
MOVES: Final = ("returning_customer_rate", "refund_rate")
_DAY_SUMS: Final = (
    "gross_minor",
    "discounts_minor",
    "returns_minor",
    "net_minor",
    "orders",
    "units",
)
# What the day's row holds for sums over several days.
_INNER: Final = ("placed_minor", "returned_minor")


async def report(
    rt: Runtime,
    store_id: str,
    *,
    date_from: date | None = None,
    date_to: date | None = None,
) -> dict[str, Any]:
    """The report that docs/report.md describes, ready for JSON.

    Without days: the last 28, today in the shop's zone included; with one end, 28 days from
    there. Raises NotFound and InvalidInput.
    """
    facts = await rt.db.read(rows.facts, store_id)
    today = utc_now().astimezone(zone(facts.timezone)).date()
    reach = timedelta(days=DEFAULT_DAYS - 1)
    if date_to is None:
        date_to = today if date_from is None else max(date_from, min(today, date_from + reach))
    span = Span(date_to - reach if date_from is None else date_from, date_to)
    center = await dashboard.command_center(rt, store_id, date_from=span.first, date_to=span.last)
    top = await dashboard.top_products(
        rt,
        store_id,
        currency=facts.currency,
        span=span,
        limit=TOP_PRODUCTS,
    )
    checked = await orders.reconciliation(rt, store_id, date_from=span.first, date_to=span.last)
    goods = await products.products(rt, store_id, date_from=span.first, date_to=span.last)
    newest = await dna.store_dna(rt, store_id)
    return {
        "version": VERSION,
        "store": {
            "domain": facts.domain,
            "name": facts.name,
            "currency": facts.currency,
            "currency_exponent": exponent(facts.currency),
            "timezone": facts.timezone,
            "last_synced_at": facts.last_synced_at.isoformat() if facts.last_synced_at else None,
        },
        "range": {
            "from": span.first.isoformat(),
            "to": span.last.isoformat(),
            "today": center.today.isoformat(),
            "stored_from": facts.stored_from.isoformat() if facts.stored_from else None,
            "history_whole": facts.history_done,
        },
        "kpis": {**_kpis(center.kpis), **_sums(checked.whole)},
        "compared": _compared(center),
        "per_day": _per_day(center, checked),
        "refund_rates_per_day": _refund_rates(center),
        "top_products": [asdict(product) for product in top],
        "recent_orders": [
            {**asdict(order), "processed_at": order.processed_at.isoformat()}
            for order in center.recent_orders
        ],
        "reconciliation": _explained(checked),
        "products": [asdict(row) for row in goods.rows[:PRODUCTS]],
        "customers": _customers(newest),
        "baskets": {
            "ladder": newest.tables["ladder"] if newest else None,
            "pairs": newest.tables["pairs"][:PAIRS] if newest else [],
        },
        "dna": _dna(newest),
        "strands_before": await _strands_before(rt, store_id, newest),
        "by_currency": [
            {"currency": currency, **_sums(sums)}
            for currency, sums in (
                await rt.db.read(rows.currency_sums, store_id, span=span)
            ).items()
        ],
        "other_currencies": list(checked.other_currencies),
        "counts": (await rt.db.read(rows.counts, store_id))._asdict(),
    }


async def report_of_shop(
    rt: Runtime, shop: str, *, date_from: date | None = None, date_to: date | None = None
) -> dict[str, Any]:
    """The report of a shop by its domain or name. Raises InvalidInput and NotFound."""
    domain = normalise_shop_domain(shop)
    store = await rt.db.read(stores.find_by_domain, domain)
    if store is None:
        raise NotFound(f"There is no store {domain} here.")
    return await report(rt, store.store_id, date_from=date_from, date_to=date_to)


def as_text(found: dict[str, Any]) -> str:
    """A report as a table for people."""
    store, kpis, at = found["store"], found["kpis"], found["range"]
    currency = store["currency"] or "USD"

    def money(minor: int | None) -> str:
        return "–" if minor is None else f"{to_decimal(minor, currency):,} {currency}"

    def percent(rate: float | None) -> str:
        return "–" if rate is None else f"{rate:.1%}"

    def number(count: int | None) -> str:
        return "–" if count is None else f"{count:,}"

    window = kpis["refund_window"]
    lines = [
        f"{store['name']}  {store['domain']}",
        f"{at['from']} to {at['to']}, days in {store['timezone']}",
        "",
    ]
    table = [
        ("Gross sales", money(kpis["gross_minor"])),
        ("Discounts", money(kpis["discounts_minor"])),
        ("Returns", money(kpis["returns_minor"])),
        ("Net sales", money(kpis["net_minor"])),
        ("Shipping", money(kpis["shipping_minor"])),
        ("Taxes", money(kpis["taxes_minor"])),
        ("Duties and fees", money(kpis["duties_minor"] + kpis["fees_minor"])),
        ("Total sales", money(kpis["total_minor"])),
        *(
            (title, money(kpis[name]))
            for title, name in (
                ("Tips", "tips_minor"),
                ("Adjustments", "adjustments_minor"),
                ("Not explained", "unexplained_minor"),
            )
            if kpis[name]
        ),
        ("Orders", f"{kpis['orders']:,}"),
        ("Units", f"{kpis['units']:,}"),
        ("Average order value", money(kpis["aov_minor"])),
        ("Customers", f"{kpis['customers']:,}"),
        ("New customers", number(kpis["new_customers"])),
        ("Returning customers", number(kpis["returning_customers"])),
        ("Returning customer rate", percent(kpis["returning_customer_rate"])),
        ("Repeat purchase rate in the range", percent(kpis["repeat_purchase_rate"])),
        (f"Refund rate {window['from']} to {window['to']}", percent(kpis["refund_rate"])),
    ]
    lines += _aligned(table)
    if found["top_products"]:
        lines += ["", "Top products by net sales"]
        lines += _aligned(
            (row["title"], f"{money(row['net_minor'])}  {row['units']:,} units")
            for row in found["top_products"][:10]
        )
    lines += _dna_lines(found)
    lines += ["", "Stored"]
    lines += _aligned((name.capitalize(), f"{count:,}") for name, count in found["counts"].items())
    if found["other_currencies"]:
        lines += ["", f"Orders in {', '.join(found['other_currencies'])} are not added up here."]
    if not at["history_whole"]:
        since = at["stored_from"]
        lines += ["", f"Orders are stored from {since}." if since else "No orders are stored yet."]
    return "\n".join(lines)


def _dna_lines(found: dict[str, Any]) -> list[str]:
    portrait = found["dna"]
    if portrait is None:
        return []
    told = [f"{portrait['signature']} {portrait['coverage']}.".strip()]
    told += _aligned(
        (
            strand["name"],
            f"{strand['score']:g} {strand['label']} ({strand['confidence']})"
            if strand["score"] is not None
            else "not read",
        )
        for strand in portrait["strands"]
    )
    return ["", f"Store DNA, 12 months to {portrait['as_of']}", *told]


def _kpis(kpis: Kpis) -> dict[str, Any]:
    first, last = kpis.refund_window
    return asdict(kpis) | {"refund_window": _days(first, last)}


def _days(first: date, last: date) -> dict[str, str]:
    return {"from": first.isoformat(), "to": last.isoformat()}


def _compared(center: CommandCenter) -> dict[str, Any] | None:
    """The days just before, as many, and how each figure moved since; None: not all are stored."""
    if center.compared is None:
        return None
    now, before = asdict(center.kpis), asdict(center.compared)
    return {
        **_days(center.compared_days[0].day, center.compared_days[-1].day),
        "kpis": _kpis(center.compared),
        "changes": {
            **{name: dashboard.changed(now[name], before[name]) for name in CHANGES},
            **{name: dashboard.apart(now[name], before[name]) for name in MOVES},
        },
        "per_day": [
            {"day": day.day.isoformat(), **{name: getattr(day, name) for name in _DAY_SUMS}}
            for day in center.compared_days
        ],
    }


def _per_day(center: CommandCenter, checked: Reconciliation) -> list[dict[str, Any]]:
    return [
        {
            "day": day.day.isoformat(),
            **_sums(sums),
            "aov_minor": dashboard.average(sums.placed_minor, sums.orders),
            "new_customers": day.new_customers,
            "returning_customer_rate_7d": day.returning_customer_rate,
        }
        for day, sums in zip(center.days, checked.days.values(), strict=True)
    ]


def _refund_rates(center: CommandCenter) -> list[dict[str, Any]]:
    days = dashboard.each_day(Span(*center.kpis.refund_window))
    return [
        {"day": day.isoformat(), "refund_rate_7d": rate}
        for day, rate in zip(days, center.refund_rates, strict=True)
    ]


def _explained(found: Reconciliation) -> dict[str, Any]:
    why = found.explained._asdict()
    why["cancelled_left"] = [
        {**order._asdict(), "day": order.day.isoformat()}
        for order in found.explained.cancelled_left
    ]
    return why


def _customers(newest: StoreDna | None) -> dict[str, Any] | None:
    """What the newest portrait knows of customers, None before the first."""
    if newest is None:
        return None
    names = ("as_of", "first", "rfm", "cohorts", "ltv", "deciles", "repeat_90", "hours", "weekdays")
    # A portrait from before there were predictions, or rates of the year, has none.
    later = ("predicted", "year_rates")
    return {name: newest.tables[name] for name in names} | {
        name: newest.tables.get(name) for name in later
    }


def _dna(newest: StoreDna | None) -> dict[str, Any] | None:
    """The newest portrait as it was kept, and how each strand moved since 90 days before."""
    if newest is None:
        return None
    strands = [
        {**strand, "compared": newest.compared(strand)} for strand in newest.portrait["strands"]
    ]
    return {**newest.portrait, "strands": strands, "number": newest.number}


async def _strands_before(
    rt: Runtime, store_id: str, newest: StoreDna | None
) -> dict[str, Any] | None:
    """What portraits there were and how each strand scored in them; None before the first."""
    if newest is None:
        return None
    past = await dna.past(rt, store_id)
    return {
        "against": _against(newest),
        "portraits": [
            {
                "number": point.number,
                "as_of": point.as_of.isoformat(),
                "dna_version": point.dna_version,
                "read": point.strands,
            }
            for point in past.points
        ],
        "lines": [
            {
                "key": key,
                "scores": [{"as_of": day.isoformat(), "score": score} for day, score in scores],
            }
            for key, scores in past.scores.items()
        ],
    }


def _against(newest: StoreDna) -> dict[str, Any] | None:
    """The earlier portrait that the newest one stands beside, None where there is none yet."""
    if newest.before is None or newest.before_day is None:
        return None
    return {
        "number": newest.before_number,
        "as_of": newest.before_day.isoformat(),
        "dna_version": newest.before["dna_version"],
        "strands": [
            {"key": strand["key"], "score": strand["score"]} for strand in newest.before["strands"]
        ],
    }


def _sums(sums: DaySums) -> dict[str, int]:
    return {name: value for name, value in sums._asdict().items() if name not in _INNER}


def _aligned(rows_of_two: Any) -> list[str]:
    pairs = list(rows_of_two)
    left = max(len(name) for name, _ in pairs)
    right = max(len(value) for _, value in pairs)
    return [f"  {name:<{left}}  {value:>{right}}" for name, value in pairs]
