"""What a watcher is told: the cumulative state of a store's sync, whole in every message."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from brandmind.sync.selection import OrdersSince
from brandmind.sync.stages import Kind, RunStatus, Stage, StageState, StoreStatus

_AS_THEY_ARE: Final = ("ended_by", "paused_by", "reason_before", "reads_customers", "polled")
_MOMENTS: Final = (
    "next_try_at requested_at started_at finished_at last_synced_at changed_at".split()
)
_LATER_MOMENTS: Final = ("paused_at customers_read_at nightly_at uninstalled_at erase_at").split()


@dataclass(frozen=True, slots=True)
class StageProgress:
    """One stage. `exact` false means the shop only said "at least `total`".

    `behind` are records still to come with it that are in neither count: those of its parts.
    """

    stage: Stage
    state: StageState
    done: int = 0
    total: int | None = None
    exact: bool = True
    attempts: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    note: str | None = None
    behind: int = 0


@dataclass(frozen=True, slots=True)
class StoreProgress:
    """A store and the run its watchers follow.

    `stages` are the front stages of the run; `history` is the background reading of older
    orders, when there is one. `seq` rises with every committed change of the run `run_id`.
    `percent` is 0-100 and never falls within a run. `waiting` is a reason in words while the
    run waits ("throttled", "unavailable"), `next_try_at` the moment it goes on. `error_kind` is
    an `errors.ErrorKind`; `error` a plain sentence without personal data. `left_s`: seconds until
    the front stages are read, where the worker knows it from the shop's rate budget; None: go by
    the pace.
    """

    store_id: str
    status: StoreStatus
    reason: str | None
    run_id: str | None
    kind: Kind | None
    run_status: RunStatus | None
    first: bool
    seq: int
    percent: int
    stages: tuple[StageProgress, ...]
    history: StageProgress | None
    attempt: int
    waiting: str | None
    next_try_at: datetime | None
    error: str | None
    error_kind: str | None
    request_id: str | None
    requested_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    last_synced_at: datetime | None
    # When a webhook last brought a change.
    changed_at: datetime | None = None
    # Who cancelled the run that is shown, and where a store rests: who, when, and what it was.
    ended_by: str | None = None
    paused_by: str | None = None
    paused_at: datetime | None = None
    status_before: StoreStatus | None = None
    reason_before: str | None = None
    # The merchant's choice, and when customers were last read whole.
    orders_since: OrdersSince = OrdersSince.ALL
    reads_customers: bool = True
    customers_read_at: datetime | None = None
    # When it is looked at again by itself; `polled` stores are looked at between the nights too.
    nightly_at: datetime | None = None
    polled: bool = False
    uninstalled_at: datetime | None = None
    erase_at: datetime | None = None
    left_s: float | None = None

    def stage(self, stage: Stage) -> StageProgress | None:
        """The progress of one stage, None if the run has no such stage."""
        if stage is Stage.HISTORY:
            return self.history
        return next((at for at in self.stages if at.stage is stage), None)

    @property
    def history_runs(self) -> bool:
        """Whether older orders are being read now."""
        return self.history is not None and self.history.state is StageState.RUNNING

    @property
    def done(self) -> int:
        """Records read by the front stages."""
        return sum(at.done for at in self.stages)

    @property
    def total(self) -> int | None:
        """Records expected by the front stages, None until every count is known."""
        totals = [at.total for at in self.stages if at.total is not None]
        return sum(totals) if totals else None


def to_plain(progress: StoreProgress) -> dict[str, Any]:
    """The progress as JSON-ready data; `from_plain` is its inverse."""

    def stage(at: StageProgress) -> dict[str, Any]:
        return {
            "stage": at.stage.value,
            "state": at.state.value,
            "done": at.done,
            "total": at.total,
            "exact": at.exact,
            "attempts": at.attempts,
            "started_at": _iso(at.started_at),
            "finished_at": _iso(at.finished_at),
            "note": at.note,
            "behind": at.behind,
        }

    plain: dict[str, Any] = {
        name: getattr(progress, name)
        for name in (
            "store_id reason run_id first seq percent attempt waiting error error_kind request_id"
            " left_s"
        ).split()
    }
    plain |= {name: getattr(progress, name) for name in _AS_THEY_ARE}
    plain |= {name: _iso(getattr(progress, name)) for name in (*_MOMENTS, *_LATER_MOMENTS)}
    before = progress.status_before
    plain["status_before"] = before.value if before else None
    plain["orders_since"] = progress.orders_since.value
    plain["status"] = progress.status.value
    plain["kind"] = progress.kind.value if progress.kind else None
    plain["run_status"] = progress.run_status.value if progress.run_status else None
    plain["stages"] = [stage(at) for at in progress.stages]
    plain["history"] = stage(progress.history) if progress.history else None
    return plain


def from_plain(plain: dict[str, Any]) -> StoreProgress:
    """The progress that `to_plain` wrote. Raises KeyError or ValueError for anything else."""

    def stage(data: dict[str, Any]) -> StageProgress:
        return StageProgress(
            stage=Stage(data["stage"]),
            state=StageState(data["state"]),
            done=data["done"],
            total=data["total"],
            exact=data["exact"],
            attempts=data["attempts"],
            started_at=_moment(data["started_at"]),
            finished_at=_moment(data["finished_at"]),
            note=data["note"],
            behind=data.get("behind", 0),
        )

    later: dict[str, Any] = {name: plain[name] for name in _AS_THEY_ARE}
    later |= {name: _moment(plain[name]) for name in _LATER_MOMENTS}
    return StoreProgress(
        store_id=plain["store_id"],
        status=StoreStatus(plain["status"]),
        reason=plain["reason"],
        run_id=plain["run_id"],
        kind=Kind(plain["kind"]) if plain["kind"] else None,
        run_status=RunStatus(plain["run_status"]) if plain["run_status"] else None,
        first=plain["first"],
        seq=plain["seq"],
        percent=plain["percent"],
        stages=tuple(stage(data) for data in plain["stages"]),
        history=stage(plain["history"]) if plain["history"] else None,
        attempt=plain["attempt"],
        waiting=plain["waiting"],
        next_try_at=_moment(plain["next_try_at"]),
        error=plain["error"],
        error_kind=plain["error_kind"],
        request_id=plain["request_id"],
        requested_at=_moment(plain["requested_at"]),
        started_at=_moment(plain["started_at"]),
        finished_at=_moment(plain["finished_at"]),
        last_synced_at=_moment(plain["last_synced_at"]),
        changed_at=_moment(plain.get("changed_at")),
        status_before=StoreStatus(plain["status_before"]) if plain["status_before"] else None,
        orders_since=OrdersSince(plain["orders_since"]),
        **later,
        left_s=plain.get("left_s"),
    )


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
