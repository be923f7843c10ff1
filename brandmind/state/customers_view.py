"""The customers in words: groups, cohorts, tenths, and the repeat rates under their right names."""

from __future__ import annotations

from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

from brandmind.services.dna import StoreDna
from brandmind.state import wording
from brandmind.state.portrait_views import (
    CohortCellView,
    CohortRowView,
    CustomersView,
    GroupView,
)
from brandmind.state.views import BannerView, FactView, LinkView

TABS: Final = {"segments": "Segments", "cohorts": "Cohorts", "value": "Value"}
_MEASURES: Final = {"share": "Customers", "value": "Net sales"}
NO_GROUPS: Final = {
    "few": "Groups need 50 customers with an order.",
    "recent": "All last orders lie within 30 days, so nobody can be told apart by them yet.",
}
_MONTHS: Final = 13


def customers(
    found: StoreDna | None,
    *,
    mode: str,
    note: str = "",
    tab: str = "segments",
    measure: str = "share",
    shop_param: str = "",
    store_id: str = "",
    banner: BannerView | None = None,
) -> CustomersView:
    """The page of the newest portrait; None: nothing of it to show."""
    tab = tab if tab in TABS else "segments"
    measure = measure if measure in _MEASURES else "share"
    tabs = tuple(
        LinkView(label, f"/customers?{urlencode({'shop': shop_param, 'tab': key})}", key == tab)
        for key, label in TABS.items()
    )
    if found is None:
        return CustomersView(
            there=True, mode=mode, note=note, banner=banner or BannerView(), tabs=tabs, tab=tab
        )
    told, currency = found.tables, found.tables["currency"]
    return CustomersView(
        there=True,
        mode=mode,
        note=note,
        banner=banner or BannerView(),
        tabs=tabs,
        tab=tab,
        rates=_rates(told),
        groups=groups_of(told["rfm"]),
        groups_none=NO_GROUPS.get(told["rfm"]["reason"] or "", ""),
        months=tuple(str(after) for after in range(_MONTHS)),
        cohorts=_cohorts(told["cohorts"], currency, measure),
        measure=tuple(
            LinkView(
                label,
                f"/customers?{urlencode({'shop': shop_param, 'tab': 'cohorts', 'of': key})}",
                key == measure,
            )
            for key, label in _MEASURES.items()
        ),
        deciles=_deciles(told["deciles"], currency),
        ltv=tuple(
            FactView(
                f"Month {point['after']}",
                f"{wording.money(point['per_customer_minor'], currency)} each, of "
                f"{wording.counted(point['customers'], 'customer')}",
            )
            for point in told["ltv"][:_MONTHS]
        ),
        csv_href=f"/api/stores/{store_id}/customers.csv" if store_id else "",
        foot=(
            f"Of the 12 months to {wording.day(found.as_of, year=True)}; groups look at each "
            "customer's whole life. Guests are no customers. The month under way is hatched."
        ),
    )


def _rates(told: dict[str, Any]) -> tuple[FactView, ...]:
    repeat = told["repeat_90"]
    if not repeat["customers"]:
        return ()
    return (
        FactView(
            "Back within 90 days",
            f"{wording.percent(repeat['repeated'] / repeat['customers'])} "
            f"({wording.number(repeat['repeated'])} of {wording.number(repeat['customers'])})",
        ),
    )


def groups_of(rfm: dict[str, Any]) -> tuple[GroupView, ...]:
    """The groups with their shares, best first."""
    people = sum(group["customers"] for group in rfm["groups"]) or 1
    most = max((group["customers"] for group in rfm["groups"]), default=0) or 1
    sales = sum(max(0, group["net_minor"]) for group in rfm["groups"]) or 1
    return tuple(
        GroupView(
            name=group["name"],
            customers=wording.number(group["customers"]),
            share=wording.percent(group["customers"] / people),
            width=round(100 * group["customers"] / most),
            sales=wording.percent(max(0, group["net_minor"]) / sales),
            days="–"
            if group["days_since"] is None
            else wording.counted(group["days_since"], "day"),
        )
        for group in rfm["groups"]
    )


def _cohorts(found: list[Any], currency: str, measure: str) -> tuple[CohortRowView, ...]:
    rows = []
    for cohort in reversed(found[-18:]):
        month = date(cohort["month"] // 12, cohort["month"] % 12 + 1, 1)
        cells = cohort["cells"][:_MONTHS]
        rows.append(
            CohortRowView(
                month=f"{month:%b %Y}",
                size=wording.number(cohort["size"]),
                cells=tuple(_cell(cell, cohort["size"], currency, measure) for cell in cells)
                + (CohortCellView(),) * (_MONTHS - len(cells)),
            )
        )
    return tuple(rows)


def _cell(cell: dict[str, Any], size: int, currency: str, measure: str) -> CohortCellView:
    share = cell["customers"] / size
    text = (
        wording.short_money(cell["net_minor"], currency)
        if measure == "value"
        else wording.percent(share, digits=0)
    )
    # A cohort's own month is whole by nature and would hide all others.
    shade = 0 if cell["after"] == 0 else min(100, round(300 * share))
    return CohortCellView(text=text, shade=shade, partial=cell["partial"])


def _deciles(found: list[Any], currency: str) -> tuple[GroupView, ...]:
    whole = sum(part["net_minor"] for part in found) or 1
    most = max((part["net_minor"] for part in found), default=0) or 1
    return tuple(
        GroupView(
            name="The best tenth" if part["decile"] == 1 else f"Tenth {part['decile']}",
            customers=wording.number(part["customers"]),
            share=wording.percent(part["net_minor"] / whole),
            width=round(100 * part["net_minor"] / most),
            sales=wording.money(part["net_minor"], currency, whole=True),
            days=f"{wording.money(part['least_minor'], currency)} or more",
        )
        for part in found
    )
