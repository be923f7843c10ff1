"""Which store and run the present work is for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_NOTE: Final = "__brandmind_bound__"

_store: ContextVar[str] = ContextVar("store", default="")
_run: ContextVar[str] = ContextVar("run", default="")


@contextmanager
def bind(*, store: str = "", run: str = "") -> Iterator[None]:
    """Within the block, each line logged by this task names the store and the run (our ids).

    An error that leaves the block takes them along, for whoever logs it outside.
    """
    kept_store = _store.set(store or _store.get())
    kept_run = _run.set(run or _run.get())
    try:
        yield
    except Exception as error:
        if not hasattr(error, _NOTE):
            setattr(error, _NOTE, bound_to())
        raise
    finally:
        _store.reset(kept_store)
        _run.reset(kept_run)


def bound_to(error: BaseException | None = None) -> dict[str, str]:
    """The store and run of this task or, where it has none, those the error brought along."""
    here = {"store": _store.get(), "run": _run.get()}
    along: dict[str, str] = getattr(error, _NOTE, {})
    return {name: found for name, at in here.items() if (found := at or along.get(name, ""))}
