"""BG/NBD and Gamma-Gamma: how often people come back and what they spend, fitted to columns.

After Fader, Hardie and Lee, "'Counting Your Customers' the Easy Way: An Alternative to the
Pareto/NBD Model" (2005), and Fader and Hardie, "The Gamma-Gamma Model of Monetary Value" (2013).
Only whoever makes a fit imports this: numpy and scipy are the optional extra [predict] and stay
with a process for good.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln, hyp2f1, psi

# A parameter that runs against one of these says that the model does not hold, not what it is.
_LEAST: Final = 1e-4
_MOST: Final = 1e4
# A mean log-likelihood this flat in every direction has arrived.
_FLAT: Final = 1e-4
_EDGE: Final = 0.01
# Far apart, so that one that ends in a hollow is outdone by another.
_PURCHASE_STARTS: Final = ((0.5, 1.0, 1.0, 2.0), (1.0, 0.3, 0.3, 1.0), (0.2, 0.5, 2.0, 8.0))
_MONEY_STARTS: Final = ((2.0, 3.0, 1.0), (6.0, 4.0, 0.5), (1.0, 1.5, 1.0))

Column = Any  # numpy.ndarray of float64


class Lives(NamedTuple):
    """Customers in columns, times in weeks since each one's first order.

    `repeats` counts the days with an order after the first, `recency` is the time of the last
    (0 without one), `age` how long each has been looked at.
    """

    repeats: Column
    recency: Column
    age: Column


class Purchases(NamedTuple):
    """A BG/NBD: rates of ordering are gamma (`r`, `alpha` in weeks), chances of leaving after an
    order beta (`a`, `b`)."""

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float


class Money(NamedTuple):
    """A Gamma-Gamma: what one order is worth is gamma (`p`), its scale differs from person to
    person by another gamma (`q`, `v` in the money's own unit)."""

    p: float
    q: float
    v: float
    log_likelihood: float


def lives(repeats: Any, recency: Any, age: Any) -> Lives:
    """Columns of any numbers as columns of floats."""
    return Lives(*(np.asarray(column, dtype=np.float64) for column in (repeats, recency, age)))


def fit_purchases(of: Lives, counts: Any | None = None) -> Purchases | None:
    """The likeliest BG/NBD, None where there is none inside its bounds.

    `counts` says how many customers each row stands for, one unless told.
    """
    weights = np.ones_like(of.age) if counts is None else np.asarray(counts, dtype=np.float64)
    whole = float(weights.sum())
    # Times in mean ages, so that every parameter is of the order of one.
    scale = float(of.age.mean())
    scaled = Lives(of.repeats, of.recency / scale, of.age / scale)

    def loss(logs: Column) -> tuple[float, Column]:
        parameters = np.exp(logs)
        each, slopes = _purchase_logs(parameters, scaled)
        return -float(weights @ each) / whole, -parameters * (slopes @ weights) / whole

    found = _least(loss, _PURCHASE_STARTS)
    if found is None:
        return None
    (r, alpha, a, b), least = found
    # Each repeat order has a density in time: the unit comes back in.
    unit = float(weights @ of.repeats) * float(np.log(scale))
    return Purchases(r, alpha * scale, a, b, -least * whole - unit)


def _purchase_logs(parameters: Any, of: Lives) -> tuple[Column, Column]:
    """Each customer's log-likelihood, formula (6) of the paper in its four parts, and its slopes
    along the four parameters."""
    r, alpha, a, b = parameters
    x = of.repeats
    some = np.maximum(x, 1)
    shared = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    stays = gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x)
    here = -(r + x) * np.log(alpha + of.age)
    left = np.where(
        x > 0, np.log(a / (b + some - 1)) - (r + x) * np.log(alpha + of.recency), -np.inf
    )
    either = np.logaddexp(here, left)
    is_here, has_left = np.exp(here - either), np.exp(left - either)
    both = psi(a + b) - psi(a + b + x)
    slopes = np.stack((
        psi(r + x) - psi(r) + np.log(alpha)
        - is_here * np.log(alpha + of.age) - has_left * np.log(alpha + of.recency),
        r / alpha - (r + x) * (is_here / (alpha + of.age) + has_left / (alpha + of.recency)),
        both + has_left / a,
        both + psi(b + x) - psi(b) - has_left / (b + some - 1),
    ))  # fmt: skip
    return shared + stays + either, slopes


def still_there(fit: Purchases, of: Lives) -> Column:
    """The chance that each is a customer still; who never came back had no chance to leave."""
    left = np.log(fit.a) - np.log(fit.b + np.maximum(of.repeats, 1) - 1)
    odds = left + (fit.r + of.repeats) * np.log((fit.alpha + of.age) / (fit.alpha + of.recency))
    return np.where(of.repeats > 0, 1 / (1 + np.exp(np.minimum(odds, 700))), 1.0)


def expected_orders(fit: Purchases, of: Lives, weeks: float) -> Column:
    """How many order days each is expected to have within the next weeks: formula (10).

    As it is printed, its hypergeometric function overflows for whoever has ordered hundreds of
    times; after Euler's transformation, where hardly anybody differs in leaving (a large `a`).
    Each customer's is told by the one with the smaller power.
    """
    r, alpha, b = fit.r, fit.alpha, fit.b
    a = fit.a if abs(fit.a - 1) > 1e-6 else 1 + 1e-6
    x = of.repeats
    z = weeks / (alpha + of.age + weeks)
    power = np.minimum(r + x, a - 1)
    printed = r + x < a - 1
    series = hyp2f1(
        np.where(printed, r + x, a + b - 1 - r),
        np.where(printed, b + x, a - 1),
        a + b + x - 1,
        z,
    )
    grown = (a + b + x - 1) / (a - 1) * (1 - (1 - z) ** power * series)
    return grown * still_there(fit, of)


def fit_money(repeats: Any, mean: Any) -> Money | None:
    """The likeliest Gamma-Gamma of people who came back and what their orders were worth on
    average (above 0). None where there is none, or one without a mean (q of 1 or less)."""
    x = np.asarray(repeats, dtype=np.float64)
    z = np.asarray(mean, dtype=np.float64)
    scale = float(z.mean())
    values = z / scale

    def loss(logs: Column) -> tuple[float, Column]:
        p, q, v = np.exp(logs)
        whole = v + x * values
        each = (
            gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(v)
            + (p * x - 1) * np.log(values) + p * x * np.log(x) - (p * x + q) * np.log(whole)
        )  # fmt: skip
        slopes = (
            (x * (psi(p * x + q) - psi(p * x) + np.log(x * values / whole))).mean(),
            (psi(p * x + q) - psi(q) + np.log(v / whole)).mean(),
            (q / v - (p * x + q) / whole).mean(),
        )
        return -float(each.mean()), -np.exp(logs) * np.asarray(slopes)

    found = _least(loss, _MONEY_STARTS)
    if found is None:
        return None
    (p, q, v), least = found
    if q <= 1:
        return None
    return Money(p, q, v * scale, -least * len(z) - len(z) * float(np.log(scale)))


def expected_value(fit: Money, repeats: Any, mean: Any) -> Column:
    """What an order of each is expected to be worth: between their own mean and everybody's."""
    own = fit.p * np.asarray(repeats, dtype=np.float64)
    everybody = fit.v * fit.p / (fit.q - 1)
    share = own / (own + fit.q - 1)
    return share * np.asarray(mean, dtype=np.float64) + (1 - share) * everybody


def _least(loss: Any, starts: Any) -> tuple[list[float], float] | None:
    """The parameters at the lowest place found from the starts, None if none is a true lowest.

    `loss` takes logarithms of parameters and tells its height and its slopes.
    """
    low, high = float(np.log(_LEAST)), float(np.log(_MOST))
    best = None
    for start in starts:
        found = minimize(
            loss, np.log(start), method="L-BFGS-B", jac=True, bounds=[(low, high)] * len(start),
            options={"maxiter": 1_000, "ftol": 1e-14, "gtol": 1e-8},
        )  # fmt: skip
        if best is None or found.fun < best.fun:
            best = found
    if best is None or not np.isfinite(best.fun) or float(np.abs(best.jac).max()) > _FLAT:
        return None
    if float(best.x.min()) < low + _EDGE or float(best.x.max()) > high - _EDGE:
        return None
    return [float(value) for value in np.exp(best.x)], float(best.fun)
