"""The judge is judged: it passes a sound story and catches each planted crime."""

from __future__ import annotations

from dataclasses import replace

from tests.faults.invariants import Happened, broken

RUN, STORE = "run-1", "store-1"


def happened(name: str, fence: int, stage: str = "", cursor: str = "", then: str = "") -> Happened:
    return Happened(RUN, STORE, name, fence, stage=stage, cursor=cursor, next_cursor=then)


# A worker is killed after the second page of orders; another takes the run over and ends it.
SOUND = [
    happened("requested", 0),
    happened("claimed", 1),
    happened("began", 1, "orders"),
    happened("page", 1, "orders", "", "a"),
    happened("page", 1, "orders", "a", "b"),
    happened("taken over", 2, "orders", "b"),
    happened("claimed", 3, "orders", "b"),
    happened("resumed", 3, "orders", "b"),
    happened("page", 3, "orders", "b", "$"),
    happened("stage done", 3, "orders"),
    happened("began", 3, "customers"),
    happened("page", 3, "customers", "", "$"),
    happened("stage done", 3, "customers"),
    happened("page", 3, "late_orders", "", "c"),
    happened("page", 3, "late_orders", "c", "$"),
    happened("stage done", 3, "late_orders"),
    happened("done", 3),
]


def test_a_sound_story_has_nothing_wrong() -> None:
    assert broken(SOUND) == []


def test_a_planted_loss_is_caught_in_the_middle_and_at_the_end() -> None:
    pages = [index for index, event in enumerate(SOUND) if event.name == "page"]
    for index in pages:
        assert broken(SOUND[:index] + SOUND[index + 1 :]), f"page {index} was lost unseen"


def test_a_planted_double_is_caught() -> None:
    for index, event in enumerate(SOUND):
        if event.name == "page":
            assert any("landed twice" in what for what in broken([*SOUND[: index + 1], event]))


def test_the_same_page_by_two_owners_is_caught() -> None:
    twice = [*SOUND[:8], replace(SOUND[4], fence=3), *SOUND[8:]]
    assert any("landed twice" in what for what in broken(twice))


def test_a_zombie_that_writes_with_its_old_fence_is_caught() -> None:
    zombie = [*SOUND[:8], replace(SOUND[8], fence=1), *SOUND[8:]]
    assert any("fence 1" in what for what in broken(zombie))


def test_a_page_after_the_run_was_taken_and_not_claimed_is_caught() -> None:
    early = [*SOUND[:6], replace(SOUND[8], fence=2)]
    assert any("by nobody" in what for what in broken(early))


def test_a_fence_that_does_not_rise_is_caught() -> None:
    stuck = [replace(event, fence=min(event.fence, 2)) for event in SOUND]
    assert any("did not rise" in what for what in broken(stuck))


def test_a_run_that_goes_on_after_its_end_is_caught() -> None:
    assert any("after its end" in what for what in broken([*SOUND, replace(SOUND[3], fence=4)]))


def test_two_runs_of_a_store_at_work_at_once_are_caught() -> None:
    other = replace(SOUND[1], run_id="run-2")
    assert any("was at work" in what for what in broken([*SOUND[:3], other]))


def test_a_second_reading_may_pass_the_same_cursors_again() -> None:
    again = [
        *SOUND[:9],
        happened("read again", 3, "orders"),
        happened("page", 3, "orders", "", "$"),
        *SOUND[9:],
    ]
    assert broken(again) == []


# The same sync read in slices: the first page by page, the second by an export that fails in its
# midst, is asked for again, and dies once between two batches.
SLICED = [
    happened("requested", 0),
    happened("claimed", 1),
    happened("began", 1, "orders"),
    happened("planned", 1, "orders"),
    happened("page", 1, "orders", "", "s0:paged:abc"),
    happened("page", 1, "orders", "s0:paged:abc", "s1:"),
    happened("waiting", 1),
    happened("claimed", 2, "orders", "s1:"),
    happened("resumed", 2, "orders", "s1:"),
    happened("page", 2, "orders", "s1:", "s1.1:bulk:250"),
    happened("export failed", 2, "orders"),
    happened("page", 2, "orders", "s1.1:bulk:250", "s1.2:bulk:250"),
    happened("taken over", 3, "orders", "s1.2:bulk:250"),
    happened("claimed", 4, "orders", "s1.2:bulk:250"),
    happened("resumed", 4, "orders", "s1.2:bulk:250"),
    happened("page", 4, "orders", "s1.2:bulk:250", "$"),
    happened("stage done", 4, "orders"),
    happened("done", 4),
]


def test_a_sound_story_in_slices_has_nothing_wrong() -> None:
    assert broken(SLICED) == []


def test_a_lost_and_a_doubled_batch_of_an_export_are_caught() -> None:
    pages = [index for index, event in enumerate(SLICED) if event.name == "page"]
    assert len(pages) == 5
    for index in pages:
        assert broken(SLICED[:index] + SLICED[index + 1 :]), f"batch {index} was lost unseen"
        twice = [*SLICED[: index + 1], SLICED[index]]
        assert any("landed twice" in what for what in broken(twice)), f"batch {index}"


def test_a_slice_that_is_left_out_is_caught() -> None:
    without = [event for event in SLICED if not (event.name == "page" and "bulk" in event.cursor)]
    assert any("before its last page" in what for what in broken(without))


def test_a_page_after_an_uninstall_is_caught() -> None:
    gone = [*SOUND[:4], happened("uninstalled", 2), replace(SOUND[4], fence=2)]
    assert any("after its end" in what for what in broken(gone))
