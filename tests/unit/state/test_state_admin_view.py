"""The installation in words: what comes first, what is counted, what may be done."""

from __future__ import annotations

import dataclasses

import pytest

from brandmind.services.operating import House
from brandmind.state import admin_view
from tests import stage_house


def view(house: House, *, state: str = "", page: int = 1) -> admin_view.AdminView:
    return admin_view.admin(house, state=state, page=page, now=stage_house.now())


def test_what_is_broken_comes_before_what_failed() -> None:
    house = stage_house.installation("")
    assert view(house).headline == "2 stores failed."
    slow = dataclasses.replace(stage_house.JOBS, oldest_due_s=240.0)
    assert view(dataclasses.replace(house, jobs=slow)).headline == "The oldest job waits for 4 min."
    silent = dataclasses.replace(house, jobs=slow, workers=house.workers[1:])
    assert view(silent).headline == "No worker is at work."
    deaf = (house.parts[0], dataclasses.replace(house.parts[1], ok=False, took_ms=None))
    assert view(dataclasses.replace(silent, parts=deaf)).headline.startswith("Valkey does not")
    down = view(stage_house.installation("down"))
    assert down.headline == "The database does not answer."
    assert [part.word for part in down.parts] == ["Does not answer", "Answers in under 1 ms"]
    assert not down.shops
    assert not down.tiles
    assert view(stage_house.installation("calm")).headline == "Everything is at work."


def test_a_store_without_its_webhooks_is_named_with_the_topics_and_the_reason() -> None:
    (lack,) = view(stage_house.installation("")).lacking
    assert lack.name == "lemon-works.myshopify.com"
    assert lack.what == "customers/delete, refunds/create"
    assert lack.why.startswith("Not approved")
    assert lack.href == "/admin?store=lemon-works.myshopify.com"


def test_failed_stores_stand_first_and_a_filter_shows_only_its_own() -> None:
    house = stage_house.installation("")
    whole = view(house)
    assert [row.state for row in whole.shops[:3]] == ["Failed", "Failed", "Waiting"]
    assert whole.tally == "9 stores"
    failed = view(house, state="failed")
    assert {row.domain for row in failed.shops} == {
        "boots-and-braces.myshopify.com",
        "cedar.myshopify.com",
    }
    assert [link.label for link in failed.filters if link.current] == ["Failed"]
    odd = view(house, state="webhooks")
    assert [row.inbox for row in odd.shops] == ["2 aside, 2 missing"]
    assert view(house, state="incomplete").none == "No store is like that now."


def test_what_is_retried_for_all_leaves_out_whom_only_the_merchant_can_help() -> None:
    whole = view(stage_house.installation(""))
    assert whole.retry_label == "Retry 1 failed store"
    assert "1 store goes on from where it stopped." in whole.retry_said
    assert whole.replay_label == "Replay 2 deliveries"
    calm = view(stage_house.installation("calm"))
    assert (calm.retry_label, calm.replay_label) == ("", "")


def test_a_long_list_is_turned_over_in_pages() -> None:
    many = tuple(stage_house.line(f"shop-{number:03}", "ready") for number in range(120))
    house = dataclasses.replace(stage_house.installation("calm"), stores=many)
    first, last = view(house), view(house, page=9)
    assert (len(first.shops), first.before, first.after) == (50, "", "/admin?page=2")
    assert first.tally == "1 to 50 of 120 stores"
    assert last.tally == "101 to 120 of 120 stores"
    assert (last.before, last.after) == ("/admin?page=2", "")


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ({"state": "failed", "page": "2"}, ("failed", 2)),
        ({"state": "nonsense", "page": "-1"}, ("", 1)),
        ({"state": "webhooks", "page": "0"}, ("webhooks", 1)),
        ({"page": "9999999999"}, ("", 1)),
        ({"page": "²"}, ("", 1)),
    ],
)
def test_an_address_asks_only_for_what_there_is(
    asked: dict[str, str], meant: tuple[str, int]
) -> None:
    assert admin_view.filters_of(asked) == meant


def test_a_store_is_offered_what_fits_its_state() -> None:
    def may(name: str) -> set[str]:
        domain = f"{name}.myshopify.com"
        shop = admin_view.shop(
            stage_house.story(domain), domain=domain, state="", now=stage_house.now()
        )
        return {
            field.name.removeprefix("can_")
            for field in dataclasses.fields(shop)
            if field.name.startswith("can_") and getattr(shop, field.name)
        }

    assert may("boots-and-braces") == {"retry", "start_over", "pause", "read_again"}
    assert may("cedar") == {"pause"}
    assert may("north-star") == {"stop", "pause"}
    assert may("quiet-corner") == {"resume"}
    assert may("zebra") == set()


def test_the_story_of_a_store_names_stage_attempts_and_request() -> None:
    domain = "boots-and-braces.myshopify.com"
    shop = admin_view.shop(
        stage_house.story(domain), domain=domain, state="failed", now=stage_house.now()
    )
    newest = shop.runs[0]
    assert newest.title == "Full sync, connected"
    assert "7f3c1e90" in newest.facts
    assert "next try in 15 min" in newest.facts
    stopped = newest.stages[3]
    assert (stopped.label, stopped.count, stopped.attempts) == ("Customers", "3,100 of 5,400", "5")
    assert shop.back_href == "/admin?state=failed"
    assert shop.events[0].detail == "transient: Shopify did not answer after 5 tries."
    nobody = admin_view.shop(None, domain="x.myshopify.com", state="", now=stage_house.now())
    assert nobody.missing


def test_a_worker_that_fell_silent_is_told_from_one_that_is_there() -> None:
    house = stage_house.installation("")
    there, silent = view(house).workers
    assert (there.icon, there.word) == ("done", "There")
    assert there.detail.startswith("1 of 6 slots at work")
    assert (silent.icon, silent.word) == ("failed", "Silent for 41 s")
    assert view(dataclasses.replace(house, workers=())).no_workers
