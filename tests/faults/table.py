"""The figures of a run as one table, for a console and for the page on reliability."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from tests.faults.outcome import Outcome
from tests.faults.plan import GROUPS

_HEAD = (
    "group", "faults", "syncs", "back after: median", "longest", "promised", "lost", "doubled",
    "different", "progress fell", "",
)  # fmt: skip


def rows(outcomes: Sequence[Outcome]) -> list[tuple[str, ...]]:
    """The head, a row for each group, and the sum."""
    found: list[tuple[str, ...]] = [_HEAD]
    for group, title in GROUPS.items():
        here = [one for one in outcomes if one.group == group]
        for promised_s in sorted({one.promised_s for one in here}):
            some = [one for one in here if one.promised_s == promised_s]
            found.append(_row(f"{group}. {title}", some))
    found.append(_row("all", outcomes, promised=False))
    return found


def _row(title: str, some: Sequence[Outcome], *, promised: bool = True) -> tuple[str, ...]:
    times = [took_s for one in some for took_s in one.recoveries_s]
    return (
        title,
        f"{sum(one.faults for one in some)}",
        f"{sum(one.syncs for one in some)}",
        f"{median(times):.2f} s" if times else "–",
        f"{max(times):.2f} s" if times else "–",
        f"{some[0].promised_s:g} s" if times and promised else "–",
        *(f"{sum(getattr(one, what) for one in some)}" for what in _COUNTED),
        "sound" if all(one.is_sound for one in some) else "BROKEN",
    )


_COUNTED = ("lost", "doubled", "different", "falls")


def as_text(outcomes: Sequence[Outcome]) -> str:
    """The table in columns."""
    table = rows(outcomes)
    widths = [max(len(row[n]) for row in table) for n in range(len(_HEAD))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if n == 0 else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    )


def as_markdown(outcomes: Sequence[Outcome]) -> str:
    """The table, and below it each case."""
    head, *body = rows(outcomes)
    lines = [_line(head), _line(("---", *("---:",) * (len(head) - 2), "---")), *map(_line, body)]
    return "\n".join(lines) + "\n\n" + "\n".join(_cases(outcomes)) + "\n"


def _cases(outcomes: Iterable[Outcome]) -> Iterable[str]:
    yield "| case | faults | median | longest | seconds |"
    yield "|---|---:|---:|---:|---:|"
    for one in sorted(outcomes, key=lambda one: (one.group, one.case)):
        times = one.recoveries_s
        yield _line(
            (
                one.case,
                f"{one.faults}",
                f"{median(times):.2f} s" if times else "–",
                f"{max(times):.2f} s" if times else "–",
                f"{one.took_s:.0f}",
            )
        )


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
