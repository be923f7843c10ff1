"""A store's people and data in words: who may what, how long what is kept, and the way out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from brandmind.services.answers import Reader
from brandmind.services.members import Member
from brandmind.services.stored import KEPT, Stored
from brandmind.state import household_view
from brandmind.state.acts import StoreRef
from brandmind.state.household_views import MembersView

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
SINCE = datetime(2026, 7, 1, 12, tzinfo=UTC)
ORIGIN = "https://brandmind.example.com"
ALICE = Member("alice", "Alice", "owner", None, SINCE, True, True, True)
BOB = Member("bob", "Bob", "member", None, SINCE, False, True, False)
CARLA = Member("carla", "Carla", "member", NOW, SINCE, True, True, True)
FOUND = Stored(
    {name: number for number, name in enumerate(household_view._NAMES, 1)}, 4, SINCE, NOW
)


def store(*, role: str = "owner", user_id: str = "alice", installed: bool = True) -> StoreRef:
    return StoreRef(
        "s", "harbor.myshopify.com", "Harbor", role, user_id=user_id, installed=installed
    )


def people(of: StoreRef, *, by_hand: bool = False) -> MembersView:
    return household_view.members([ALICE, BOB, CARLA], of, by_hand=by_hand, origin=ORIGIN, tz=UTC)


def test_the_owner_may_remove_and_let_in_all_but_the_owner() -> None:
    view = people(store())
    assert [(one.name, one.act) for one in view.members] == [
        ("Alice (you)", ""),
        ("Bob", "block"),
        ("Carla", "let_in"),
    ]
    assert view.members[1].said == "Sees products · here since 1 Jul 2026"
    assert view.members[2].said == "Access removed on 25 Nov 2026"
    assert view.address == f"{ORIGIN}/auth/connect?shop=harbor.myshopify.com"


@pytest.mark.parametrize("viewer", [store(role="member", user_id="bob"), store(installed=False)])
def test_a_member_and_the_owner_of_a_store_that_left_may_only_look(viewer: StoreRef) -> None:
    assert {one.act for one in people(viewer).members} == {""}


def test_where_an_operator_lets_people_in_no_address_is_given() -> None:
    view = people(store(), by_hand=True)
    assert view.address == ""
    assert "connected by hand" in view.lead


def test_a_member_says_for_themselves_whether_they_are_told() -> None:
    readers = (
        Reader("alice", "Alice", "owner", True, True),
        Reader("bob", "Bob", "member", False, False),
    )
    owner = household_view.notices(readers, store())
    member = household_view.notices(readers, store(role="member", user_id="bob"))
    assert [one.closed for one in owner.readers] == [False, False]
    assert [one.closed for one in member.readers] == [True, False]
    assert member.readers[1].note == "Member, no mail address is known"


def test_what_is_stored_is_counted_and_its_keeping_told() -> None:
    view = household_view.data(FOUND, store(), erase_at=None, now=NOW)
    assert [(one.name, one.value) for one in view.counts][:3] == [
        ("Products", "1"),
        ("Variants", "2"),
        ("Orders", "3"),
    ]
    assert view.span == "Orders from 1 Jul 2026 to 25 Nov 2026."
    assert {one.name: one.value for one in view.kept} == dict(KEPT)
    assert dict(KEPT)["The story of each sync"] == "90 days."
    assert dict(KEPT)["Where people are signed in"] == "Until 14 days without use, 30 at most."
    assert view.archive_href == "/api/stores/s/archive.zip"


def test_what_a_member_may_not_see_is_not_counted_for_them_either() -> None:
    bob = replace(store(role="member"), may_orders=False, may_customers=False)
    view = household_view.data(FOUND, bob, erase_at=None, now=NOW)
    assert [one.name for one in view.counts] == ["Products", "Variants"]
    assert view.span == "Your Shopify account may not see orders or customers."


def test_the_owner_finds_what_customers_asked_for_and_what_was_found() -> None:
    asked = {
        "act_id": "a1", "kind": "data_request", "customer_id": 5, "counts": {},
        "ordered_at": SINCE.isoformat(), "done_at": NOW.isoformat(), "outcome": "done",
        "has_export": True,
    }  # fmt: skip
    waits = asked | {"act_id": "a2", "done_at": None, "outcome": None, "has_export": False}
    view = household_view.data(FOUND, store(), erase_at=None, now=NOW, privacy=[asked, waits])
    assert [(one.what, one.said, one.href) for one in view.privacy] == [
        (
            "Customer asked for their data · customer 5",
            "Asked 1 Jul 2026 · done 25 Nov 2026",
            "/api/stores/s/privacy/a1",
        ),
        (
            "Customer asked for their data · customer 5",
            "Asked 1 Jul 2026 · being done",
            "",
        ),
    ]
    for other in (
        store(role="member"),
        replace(store(), may_orders=False),
        replace(store(), may_customers=False),
    ):
        seen = household_view.data(FOUND, other, erase_at=None, now=NOW, privacy=[asked])
        assert seen.privacy == ()


def test_only_the_owner_is_asked_to_delete_and_once_ordered_nobody_is() -> None:
    assert household_view.data(FOUND, store(), erase_at=None, now=NOW).erasing == "ask"
    # Two days after an uninstall it comes by itself; the owner need not wait.
    later = NOW + timedelta(hours=28)
    assert household_view.data(FOUND, store(), erase_at=later, now=NOW).erasing == "ask"
    assert household_view.data(FOUND, store(), erase_at=NOW, now=NOW).erasing == "going"
    member = store(role="member")
    assert household_view.data(FOUND, member, erase_at=None, now=NOW).erasing == "no"


def test_an_archive_says_what_is_left_out_of_it() -> None:
    closed = StoreRef("s", "h.myshopify.com", "H", "member", may_orders=False, may_customers=False)
    view = household_view.data(FOUND, closed, erase_at=None, now=NOW)
    assert "Orders and customers are left out" in view.archive_note
