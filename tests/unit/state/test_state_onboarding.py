"""The set-up: which question comes, how long the reading takes, who may tick what."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from brandmind.services.answers import Answers, Reader
from brandmind.state.onboarding_view import (
    SIXTY_DAYS,
    OnboardingView,
    after,
    estimate,
    invitation,
    onboarding,
    step_of,
)
from brandmind.sync.stages import Stage, StageState
from tests import stage_acts as made

ANSWERS = Answers(
    1,
    6,
    None,
    False,
    (
        Reader("u1", "Alice", "owner", True, True),
        Reader("u2", "Bob", "member", False, False),
    ),
)


def page(step: int = 1, *, role: str = "owner", user_id: str = "u1") -> OnboardingView:
    return onboarding(
        made.running(),
        ANSWERS,
        step=step,
        left_s=200,
        shop_param="harbor",
        role=role,
        user_id=user_id,
    )


@pytest.mark.parametrize(
    ("asked", "behind", "step"),
    [("", 0, 1), ("", 1, 2), ("", 3, 1), ("3", 0, 3), ("4", 1, 2), ("x", 2, 3), ("-1", 0, 1)],
)
def test_the_first_question_that_is_not_behind_comes_unless_another_is_asked_for(
    asked: str, behind: int, step: int
) -> None:
    assert step_of(asked, ANSWERS._replace(step=behind)) == step


def test_each_question_knows_the_way_back_and_on() -> None:
    first, last = page(1), page(3)
    assert (first.back_href, first.on_label) == ("", "Continue")
    assert (last.back_href, last.on_label) == ("/onboarding?shop=harbor&step=2", "Done")
    assert [link.note for link in first.steps] == ["done", "", ""]
    assert [link.current for link in last.steps] == [False, False, True]
    assert (first.week_start, first.costs) == ("6", "")


def test_the_time_left_is_told_for_what_comes_first_and_for_what_follows() -> None:
    start = made.now()
    progress = made.running(orders=12000, customers=100)
    orders = made.stage(
        Stage.ORDERS,
        StageState.DONE,
        12000,
        12000,
        started_at=start,
        finished_at=start + timedelta(seconds=60),
    )
    stages = tuple(orders if at.stage is Stage.ORDERS else at for at in progress.stages)
    progress = dataclasses.replace(progress, stages=stages)
    assert estimate(progress, left_s=200) == (
        "About 3 min left for what comes first: the newest six months. 31,600 older orders follow "
        "in the background, about 3 min."
    )
    assert estimate(made.running(), left_s=None) == (
        "How long it takes can be told once the first pages are in. 31,600 older orders follow in "
        "the background."
    )
    assert estimate(made.ready(), left_s=None) == "What comes first is read."


def test_sixty_days_are_said_in_so_many_words() -> None:
    assert page().limits == ""
    limited = onboarding(
        made.running(),
        ANSWERS._replace(sixty_days=True),
        step=1,
        left_s=None,
        shop_param="harbor",
        role="owner",
        user_id="u1",
    )
    assert limited.limits == SIXTY_DAYS


def test_a_member_ticks_nobody_but_themselves() -> None:
    owner, member = page(3), page(3, role="member", user_id="u2")
    assert [one.closed for one in owner.readers] == [False, False]
    assert [(one.name, one.closed) for one in member.readers] == [
        ("Alice", True),
        ("Bob (you)", False),
    ]
    assert owner.readers[1].note == "Member, no mail address is known"


def test_the_waiting_room_invites_until_the_questions_are_behind() -> None:
    assert invitation(ANSWERS, shop_param="harbor") == (
        "2 short questions about your store",
        "/onboarding?shop=harbor",
    )
    assert invitation(ANSWERS._replace(step=3), shop_param="harbor") == ("", "")


def test_the_set_up_leads_to_where_there_is_something_to_see() -> None:
    assert after("harbor", made.running()) == "/syncing?shop=harbor"
    assert after("harbor", made.ready()) == "/command-center?shop=harbor"
