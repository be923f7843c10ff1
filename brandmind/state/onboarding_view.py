"""The three questions of the set-up in words, and how long the reading takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from brandmind.services.answers import STEPS, Answers
from brandmind.state import wording
from brandmind.state.reader_view import ReaderView, reader_line
from brandmind.state.views import LinkView
from brandmind.sync.progress import StageProgress, StoreProgress
from brandmind.sync.stages import Stage, StageState, StoreStatus

QUESTIONS: Final = (
    ("What is read", "What should we read?"),
    ("Week and costs", "How do you count?"),
    ("Who is told", "Who hears when it is ready?"),
)
LEADS: Final = (
    "Your first sync has begun with what is ticked here. A change holds for everything still to "
    "come.",
    "Two habits of your shop that we cannot read off its orders.",
    "A mail goes out once, when the first sync is whole.",
)
AFTERWARDS: Final = "A change holds for everything that is read from now on."
WEEK_STARTS: Final = ((0, "Monday"), (6, "Sunday"), (5, "Saturday"))
SIXTY_DAYS: Final = (
    "Shopify gives us the last 60 days of orders for now. Loyalty and seasonality need more; we "
    "will fill them in when access is granted."
)
_OPEN: Final = (StageState.QUEUED, StageState.RUNNING)


@dataclass(frozen=True)
class OnboardingView:
    """The set-up of one store. `costs`: yes, no or "" while nobody has said."""

    there: bool = False
    step: int = 1
    title: str = ""
    lead: str = ""
    steps: tuple[LinkView, ...] = ()
    orders_since: str = "all"
    customers: bool = True
    # Raised where a choice was not kept: all of them are drawn anew.
    turned_back: int = 0
    estimate: str = ""
    limits: str = ""
    week_start: str = "0"
    costs: str = ""
    readers: tuple[ReaderView, ...] = ()
    back_href: str = ""
    can_skip: bool = False
    on_label: str = "Continue"


def step_of(asked: str, answers: Answers) -> int:
    """The question to show: the one of the address, else the first that is not behind."""
    if asked in {str(step) for step in range(1, STEPS + 1)}:
        return int(asked)
    return answers.step + 1 if answers.step < STEPS else 1


def onboarding(
    progress: StoreProgress,
    answers: Answers,
    *,
    step: int,
    left_s: float | None,
    shop_param: str,
    role: str,
    user_id: str,
) -> OnboardingView:
    """The page of one question; `role` and `user_id` are the viewer's own in this store."""
    return OnboardingView(
        there=True,
        step=step,
        title=QUESTIONS[step - 1][1],
        lead=AFTERWARDS if step == 1 and not progress.first else LEADS[step - 1],
        steps=tuple(
            LinkView(
                name,
                href(shop_param, step=number),
                number == step,
                note="done" if number <= answers.step else "",
            )
            for number, (name, _) in enumerate(QUESTIONS, 1)
        ),
        orders_since=progress.orders_since.value,
        customers=progress.reads_customers,
        estimate=estimate(progress, left_s=left_s),
        limits=SIXTY_DAYS if answers.sixty_days else "",
        week_start=str(answers.week_start),
        costs={None: "", True: "yes", False: "no"}[answers.uses_costs],
        readers=tuple(reader_line(one, role=role, user_id=user_id) for one in answers.readers),
        back_href=href(shop_param, step=step - 1) if step > 1 else "",
        can_skip=step < STEPS,
        on_label="Continue" if step < STEPS else "Done",
    )


def href(shop_param: str, *, step: int) -> str:
    """The address of a question."""
    return f"/onboarding?shop={shop_param}&step={step}"


def after(shop_param: str, progress: StoreProgress) -> str:
    """Where the set-up leads: to the waiting room while there is something to wait for."""
    if progress.last_synced_at is None:
        return f"/syncing?shop={shop_param}"
    return f"/command-center?shop={shop_param}"


def invitation(answers: Answers, *, shop_param: str) -> tuple[str, str]:
    """The words and address that lead to the set-up while it is not behind, else empty."""
    left = STEPS - answers.step
    if left <= 0:
        return "", ""
    words = f"{wording.counted(left, 'short question')} about your store"
    return words, f"/onboarding?shop={shop_param}"


def estimate(progress: StoreProgress, *, left_s: float | None) -> str:
    """How long the reading takes: what comes first, then the older orders."""
    live = progress.status in (StoreStatus.PENDING, StoreStatus.IN_PROGRESS)
    if not live:
        first = "" if progress.last_synced_at is None else "What comes first is read."
    elif left_s is not None:
        words = wording.time_left(left_s)
        first = f"{words[:1].upper()}{words[1:]} left for what comes first: the newest six months."
    else:
        first = "How long it takes can be told once the first pages are in."
    return " ".join(part for part in (first, _older(progress)) if part)


def _older(progress: StoreProgress) -> str:
    history = progress.history
    if history is None or history.state not in _OPEN:
        return ""
    if history.total is None:
        return "Older orders follow in the background."
    left = max(0, history.total - history.done)
    orders = wording.counted(left, "older order")
    pace = _pace(progress.stage(Stage.ORDERS))
    if pace is None:
        return f"{orders} follow in the background."
    return f"{orders} follow in the background, {wording.time_left(left / pace)}."


def _pace(orders: StageProgress | None) -> float | None:
    """Orders a second, as the newest ones were read."""
    if orders is None or not orders.done or orders.started_at is None or orders.finished_at is None:
        return None
    took = (orders.finished_at - orders.started_at).total_seconds()
    return orders.done / took if took > 0 else None
