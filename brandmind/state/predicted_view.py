"""What customers may still bring, in words: the sums, the tenths, and what they rest on."""

from __future__ import annotations

from typing import Any, Final

from brandmind.state import wording
from brandmind.state.portrait_views import GroupView, PredictedView
from brandmind.state.views import FactView

_LATER: Final = "This is told with the next portrait."
# Further off than a third, the check says that the year before was another one.
_FAR: Final = 1 / 3


def predicted(told: dict[str, Any] | None, currency: str) -> PredictedView:
    """The card of a portrait's prediction; None: it was made before there were any."""
    if told is None:
        return PredictedView(needs=_LATER)
    if told["reason"] is not None:
        return PredictedView(needs=told["needs"])
    valued = told["value_minor"] is not None
    return PredictedView(
        there=True,
        facts=_facts(told, currency),
        note=" ".join(part for part in (told["money_needs"], _checked(told["checked"])) if part),
        valued=valued,
        tenths=_tenths(told["tenths"], currency, valued=valued),
        how=_how(told, currency),
    )


def _facts(told: dict[str, Any], currency: str) -> tuple[FactView, ...]:
    found = [
        FactView(
            "Orders in the next 12 months",
            f"about {wording.number(round(told['expected_orders']))} from "
            f"{wording.counted(told['customers'], 'customer')}",
        )
    ]
    if told["value_minor"] is not None:
        found += [
            FactView(
                "What they may bring",
                f"about {wording.money(told['expected_minor'], currency, whole=True)}",
            ),
            FactView(
                f"Worth today, at {wording.percent(told['discount_rate'], digits=0)} a year",
                f"about {wording.money(told['value_minor'], currency, whole=True)}",
            ),
        ]
    found.append(
        FactView(
            "Still customers",
            f"about {wording.number(told['still_customers'])} of the "
            f"{wording.number(told['repeaters'])} who came back before",
        )
    )
    return tuple(found)


def _checked(told: dict[str, Any] | None) -> str:
    """What the same model would have said 90 days ago, and what came."""
    if told is None:
        return (
            "It could not be held against the last 90 days: the orders before them are too few, or "
            "no model settles on them."
        )
    expected, came = told["expected_orders"], told["orders"]
    said = (
        f"Fitted {told['days']} days ago, it would have expected "
        f"{wording.number(round(expected))} orders of the customers of then; "
        f"{wording.number(came)} came."
    )
    if abs(expected - came) > _FAR * max(came, 1):
        said += " That is far off: it knows no seasons and no campaigns, so take it with care."
    return said


def _tenths(found: list[dict[str, Any]], currency: str, *, valued: bool) -> tuple[GroupView, ...]:
    key = "value_minor" if valued else "expected_orders"
    whole = sum(part[key] for part in found) or 1
    most = max((part[key] for part in found), default=0) or 1
    return tuple(
        GroupView(
            name="The best tenth" if part["tenth"] == 1 else f"Tenth {part['tenth']}",
            customers=wording.number(part["customers"]),
            share=wording.percent(part[key] / whole),
            width=round(100 * part[key] / most),
            sales=wording.money(part["value_minor"], currency, whole=True) if valued else "–",
            days=f"{part['expected_orders'] / max(1, part['customers']):.1f} orders each",
        )
        for part in found
    )


def _how(told: dict[str, Any], currency: str) -> tuple[FactView, ...]:
    fit, money = told["purchases"], told["money"]
    found = [
        FactView(
            "How often (BG/NBD)",
            f"r {fit['r']:g}, alpha {fit['alpha_weeks']:g} weeks, a {fit['a']:g}, b {fit['b']:g}; "
            f"log-likelihood {fit['log_likelihood']:,.1f}",
        )
    ]
    if money is not None:
        found.append(
            FactView(
                "How much (Gamma-Gamma)",
                f"p {money['p']:g}, q {money['q']:g}, v "
                f"{wording.money(round(money['v_minor']), currency)}; log-likelihood "
                f"{money['log_likelihood']:,.1f}",
            )
        )
    found += [
        FactView("Often against much", f"correlation {told['correlation']:.2f}, below 0.30 needed"),
        FactView(
            "Read from",
            f"{wording.counted(told['customers'], 'customer')}, "
            f"{wording.number(told['repeaters'])} of whom came back",
        ),
    ]
    return tuple(found)
