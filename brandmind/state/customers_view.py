"""The customers in words: groups, cohorts, tenths, and the repeat rates under their right names."""

from __future__ import annotations

from datetime import date, datetime, tzinfo
from typing import Any, Final
from urllib.parse import urlencode

from brandmind.services.dna import StoreDna
from brandmind.services.people import PAGE, GroupPage, Member
from brandmind.state import curves, wording
from brandmind.state.definitions import REPEATS
from brandmind.state.portrait_views import (
    CohortCellView,
    CohortRowView,
    CurveView,
    CustomersView,
    GroupView,
    MembersView,
    MemberView,
)
from brandmind.state.predicted_view import predicted
from brandmind.state.views import BannerView, FactView, LinkView

TABS: Final = {"segments": "Segments", "cohorts": "Cohorts", "value": "Value"}
_MEASURES: Final = {"share": "Customers", "value": "Net sales"}
NO_GROUPS: Final = {
    "few": "Groups need 50 customers with an order.",
    "recent": "All last orders lie within 30 days, so nobody can be told apart by them yet.",
}
_MONTHS: Final = 13
# Only both together hide who has ordered more than once.
_UNKNOWN: Final = "Unknown: older orders and some customers are not read"


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
    members: MembersView | None = None,
    open_group: str = "",
) -> CustomersView:
    """The page of the newest portrait; None: nothing of it to show. `members` of an open group."""
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
        groups=groups_of(told["rfm"], shop_param=shop_param, current=open_group),
        groups_none=NO_GROUPS.get(told["rfm"]["reason"] or "", ""),
        agreement=_agreement(told["rfm"]),
        members=members or MembersView(),
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
        ltv=_ltv(told["ltv"][:_MONTHS], currency),
        predicted=predicted(told.get("predicted"), currency),
        csv_href=_csv(store_id, "customers"),
        deciles_csv_href=_csv(store_id, "deciles"),
        ltv_csv_href=_csv(store_id, "ltv"),
        foot=(
            f"Of the 12 months to {wording.day(found.as_of, year=True)}; groups look at each "
            "customer's whole life. Guests are no customers."
        ),
    )


def _csv(store_id: str, name: str) -> str:
    """Where a card's file is; the sample shop has none."""
    return f"/api/stores/{store_id}/{name}.csv" if store_id else ""


def _rates(told: dict[str, Any]) -> tuple[FactView, ...]:
    """The three repeat rates, each by its own name; of nobody none is told, and one that nobody
    can tell is unknown.

    A portrait from before it counted the year has the last one alone.
    """
    back = told["repeat_90"]
    parts = [("back", back["repeated"], back["customers"])]
    year = told.get("year_rates")
    if year is not None:
        parts = [
            ("returning", year["repeat_customers"], year["customers"]),
            ("repeat", year["customers_with_two"], year["customers"]),
            *parts,
        ]
    return tuple(
        FactView(REPEATS[key][0], _UNKNOWN if part is None else _share(part, whole))
        for key, part, whole in parts
        if whole
    )


def _share(part: int, whole: int) -> str:
    return f"{wording.percent(part / whole)} ({wording.number(part)} of {wording.number(whole)})"


def _agreement(rfm: dict[str, Any]) -> str:
    """How the groups agree with Shopify's own; a portrait from before they were compared: ""."""
    found = rfm.get("agreement")
    if not found:
        return ""
    return (
        f"{wording.percent(found['same'] / found['compared'])} of the customers whom Shopify has "
        f"put into a group are in the same one here ({wording.number(found['same'])} of "
        f"{wording.number(found['compared'])}). Shopify publishes no exact lines between its "
        "groups, and may have drawn them on another day."
    )


def _ltv(points: list[Any], currency: str) -> CurveView:
    """What a customer has brought by each month after the first, as a line and as a table."""
    if len(points) < 2:
        return CurveView()
    each = [point["per_customer_minor"] for point in points]
    top = max(*each, 1)
    last = points[-1]
    return CurveView(
        there=True,
        path=curves.path(each, top=top),
        area=curves.area(each, top=top),
        said=(
            f"A customer has brought {wording.money(each[0], currency)} by the end of the first "
            f"month and {wording.money(each[-1], currency)} by month {last['after']}."
        ),
        rows=tuple(
            FactView(
                f"Month {point['after']}",
                f"{wording.money(point['per_customer_minor'], currency)} each, of "
                f"{wording.counted(point['customers'], 'customer')}",
            )
            for point in points
        ),
        first="First month",
        last=f"Month {last['after']}",
        top=wording.short_money(top, currency),
    )


def members(
    found: GroupPage | None, *, shop_param: str, store_id: str = "", tz: tzinfo, now: datetime
) -> MembersView:
    """Who is in a group; None: there are no groups to open."""
    if found is None:
        return MembersView()
    at = {"shop": shop_param, "group": found.group}
    first = (found.page - 1) * PAGE + 1

    def page(number: int) -> str:
        return f"/customers?{urlencode({**at, 'page': number})}"

    tally = wording.counted(found.count, "customer")
    if found.pages > 1:
        last = first + len(found.members) - 1
        tally = f"{wording.number(first)} to {wording.number(last)} of {tally}"
    return MembersView(
        there=True,
        title=found.name,
        note=(
            "Those who spent most come first. Everything before "
            f"{wording.day(found.as_of, year=True)} counts."
        ),
        members=tuple(_member(one, found.currency, tz=tz, now=now) for one in found.members),
        tally=tally,
        before_href=page(found.page - 1) if found.page > 1 else "",
        after_href=page(found.page + 1) if found.page < found.pages else "",
        close_href=f"/customers?{urlencode({'shop': shop_param})}",
        csv_href=(
            f"/api/stores/{store_id}/customers/{found.group.lower()}.csv" if store_id else ""
        ),
    )


def _member(one: Member, currency: str, *, tz: tzinfo, now: datetime) -> MemberView:
    last = one.last_at.astimezone(tz).date() if one.last_at else None
    return MemberView(
        name=one.name or f"Customer {one.customer_id}",
        place=", ".join(part for part in (one.city, one.country_code) if part),
        orders=wording.number(one.orders),
        net=wording.money(one.net_minor, currency),
        last=wording.day(last, year=last.year != now.astimezone(tz).year) if last else "–",
        last_title=wording.full_moment(one.last_at, tz) if one.last_at else "",
    )


def groups_of(
    rfm: dict[str, Any], *, shop_param: str = "", current: str = ""
) -> tuple[GroupView, ...]:
    """The groups with their shares, best first; `current` is open."""
    people = sum(group["customers"] for group in rfm["groups"]) or 1
    most = max((group["customers"] for group in rfm["groups"]), default=0) or 1
    sales = sum(max(0, group["net_minor"]) for group in rfm["groups"]) or 1
    return tuple(
        GroupView(
            key=group["group"],
            href=(
                f"/customers?{urlencode({'shop': shop_param, 'group': group['group']})}"
                if group["customers"]
                else ""
            ),
            current=group["group"] == current,
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
