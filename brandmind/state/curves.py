"""Lines drawn by hand: figures become a path in a box of 100 by 100, its top at 0."""

from __future__ import annotations

from collections.abc import Sequence


def path(values: Sequence[float], *, top: float) -> str:
    """The line through values at even steps, `top` at the box's upper edge."""
    return "".join(
        f"{'L' if at else 'M'}{x:.2f} {y:.2f}" for at, (x, y) in enumerate(_points(values, top))
    )


def area(values: Sequence[float], *, top: float) -> str:
    """The surface under that line."""
    return f"{path(values, top=top)}L100 100L0 100Z" if values else ""


def thinned(values: Sequence[float], *, most: int) -> list[float]:
    """At most so many of the values, the first and the last among them."""
    if len(values) <= most:
        return list(values)
    last = len(values) - 1
    return [values[at * last // (most - 1)] for at in range(most)]


def _points(values: Sequence[float], top: float) -> list[tuple[float, float]]:
    last = max(1, len(values) - 1)
    scale = top if top > 0 else 1.0
    return [
        (100 * at / last, 100 - 100 * max(0.0, min(1.0, value / scale)))
        for at, value in enumerate(values)
    ]
