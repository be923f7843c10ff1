"""Troubles of bulk operations, rights and tokens, each switched on while the shop is asked."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from brandmind.simulator.config import CLIENT_ID, CLIENT_SECRET
from brandmind.simulator.faults import MODES, UnknownFault, parse_fault
from tests.unit.simulator.shopper import SHOP, Shopper, opened
from tests.unit.simulator.test_simulator_bulk import CANCEL, POLL, START, ended, started
from tests.unit.simulator.test_simulator_process import running

CUSTOMERS = "{ customers { edges { node { id } } } }"


async def operated(shopper: Shopper, query: str = CUSTOMERS) -> dict[str, Any]:
    return await ended(shopper, (await started(shopper, query))["id"])


@pytest.mark.parametrize("code", MODES["bulk-failed"])
async def test_a_failed_operation_has_a_code_and_the_part_it_had_written(code: str) -> None:
    async with opened() as shopper:
        await shopper.control("faults", {"kind": "bulk-failed", "mode": code, "count": 1})
        failed = await operated(shopper)
        part = await shopper.http.get(failed["partialDataUrl"])
        whole = await operated(shopper)
    assert (failed["status"], failed["errorCode"], failed["url"]) == ("FAILED", code, None)
    assert len(part.text.splitlines()) == int(failed["objectCount"])
    assert 0 < int(failed["objectCount"]) < int(whole["objectCount"])
    assert (whole["status"], whole["objectCount"]) == ("COMPLETED", "150")


async def test_an_operation_can_fail_before_it_has_written_anything() -> None:
    async with opened() as shopper:
        await shopper.control("faults", {"kind": "bulk-failed", "at": 0.0})
        failed = await operated(
            shopper, '{ orders(query: "test:true id:1") { edges { node { id } } } }'
        )
    assert failed["status"] == "FAILED"
    assert failed["partialDataUrl"] is None


async def test_shopify_can_cancel_an_operation_by_itself() -> None:
    async with opened() as shopper:
        await shopper.control("faults", {"kind": "bulk-cancelled", "count": 1})
        cancelled = await operated(shopper)
        again = await operated(shopper)
    assert (cancelled["status"], cancelled["url"]) == ("CANCELED", None)
    assert again["status"] == "COMPLETED"


@pytest.mark.parametrize("state", ["CREATED", "RUNNING"])
async def test_a_stuck_operation_stays_until_it_is_cancelled(state: str) -> None:
    async with opened() as shopper:
        await shopper.control("faults", {"kind": "bulk-stuck", "mode": state, "count": 1})
        operation = await started(shopper, CUSTOMERS)
        other = await operated(shopper)
        seen = (await shopper.data(POLL, id=operation["id"]))["bulkOperation"]
        await shopper.data(CANCEL, id=operation["id"])
        last = await ended(shopper, operation["id"])
    assert other["status"] == "COMPLETED"
    assert (seen["status"], seen["objectCount"]) == (state, "0")
    assert last["status"] == "CANCELED"


async def test_an_operation_can_be_stuck_for_a_while_only() -> None:
    async with opened() as shopper:
        await shopper.control("faults", {"kind": "bulk-stuck", "seconds": 0.01})
        assert (await operated(shopper))["status"] == "COMPLETED"


async def test_an_expired_operation_has_no_address() -> None:
    async with opened() as shopper:
        await shopper.control("faults", {"kind": "bulk-expired", "count": 1})
        operation = await operated(shopper)
    assert (operation["status"], operation["url"]) == ("EXPIRED", None)


@pytest.mark.parametrize(("status", "code"), [(403, "AccessDenied"), (404, "NoSuchKey")])
async def test_a_file_can_be_refused_once(status: int, code: str) -> None:
    async with opened() as shopper:
        await shopper.control("faults", {"kind": "bulk-gone", "status": status, "count": 1})
        url = (await operated(shopper))["url"]
        refused, given = await shopper.http.get(url), await shopper.http.get(url)
    assert refused.status_code == status
    assert f"<Code>{code}</Code>" in refused.text
    assert given.status_code == 200


async def test_a_truncated_file_ends_inside_a_line() -> None:
    async with opened() as shopper:
        await shopper.control("faults", {"kind": "bulk-truncated", "count": 1, "at": 0.3})
        operation = await operated(shopper)
        text = (await shopper.http.get(operation["url"])).text
    assert 0 < len(text) < int(operation["fileSize"])
    with pytest.raises(json.JSONDecodeError):
        json.loads(text.splitlines()[-1])


@pytest.mark.parametrize("share", [0.0, 0.005, 0.01, 0.5, 1.0])
async def test_a_truncated_file_never_ends_after_a_line(share: float) -> None:
    async with opened() as shopper:
        await shopper.control("faults", {"kind": "bulk-truncated", "at": share})
        text = (await shopper.http.get((await operated(shopper))["url"])).text
    assert not text.endswith(("\n", "}"))


async def test_lines_can_be_missing_though_every_line_is_whole() -> None:
    async with opened() as shopper:
        await shopper.control(
            "faults", {"kind": "bulk-truncated", "mode": "missing-lines", "count": 1}
        )
        operation = await operated(shopper)
        broken = (await shopper.http.get(operation["url"])).text.splitlines()
        whole = (await shopper.http.get(operation["url"])).text.splitlines()
    assert len(whole) == int(operation["objectCount"]) == 150
    assert len(broken) == 135
    assert set(broken) < set(whole)
    assert all(json.loads(line) for line in broken)


def test_a_cut_file_breaks_the_connection_and_the_next_try_has_all() -> None:
    options = ("--plan", "unlimited", "--fault", "bulk-cut:count=1")
    with running(*options) as (_, address), httpx.Client(base_url=address) as http:
        token = http.post(f"/__control/{SHOP}/token").json()["access_token"]

        def ask(query: str, **variables: Any) -> Any:
            return http.post(
                f"/{SHOP}/admin/api/2026-10/graphql.json",
                json={"query": query, "variables": variables},
                headers={"X-Shopify-Access-Token": token},
            ).json()["data"]

        run = ask(START, text=CUSTOMERS)["bulkOperationRunQuery"]["bulkOperation"]
        operation: dict[str, Any] = {"url": None}
        while not operation["url"]:
            operation = ask(POLL, id=run["id"])["bulkOperation"]
        with pytest.raises(httpx.RemoteProtocolError):
            http.get(operation["url"])
        lines = http.get(operation["url"]).text.splitlines()
    assert len(lines) == int(operation["objectCount"])


async def test_a_scope_can_be_missing_for_one_request() -> None:
    query = "{ customers(first: 1) { nodes { id } } }"
    async with opened() as shopper:
        await shopper.control(
            "faults", {"kind": "missing-scope", "mode": "read_customers", "count": 1}
        )
        refused, given = await shopper.ask(query), await shopper.ask(query)
    assert refused["data"] == {"customers": None}
    assert refused["errors"][0]["extensions"]["code"] == "ACCESS_DENIED"
    assert given["data"]["customers"]["nodes"]


async def test_an_object_that_is_not_approved_is_null_and_named() -> None:
    async with opened() as shopper:
        await shopper.control("faults", {"kind": "protected-data"})
        listed = await shopper.ask("{ customers(first: 1) { nodes { id } } shop { name } }")
        within = await shopper.ask("{ orders(first: 20) { nodes { id customer { id } } } }")
        await shopper.control("faults", None, method="DELETE")
        after = await shopper.ask("{ customers(first: 1) { nodes { id } } }")
    error = listed["errors"][0]
    assert listed["data"]["customers"] is None
    assert error["message"].startswith(
        "This app is not approved to access the Customer object. See "
    )
    assert (error["path"], error["extensions"]["code"]) == (["customers"], "ACCESS_DENIED")
    assert {order["customer"] for order in within["data"]["orders"]["nodes"]} == {None}
    assert within["errors"][0]["path"][:2] == ["orders", "nodes"]
    assert "errors" not in after


async def test_objects_can_be_refused_for_good() -> None:
    async with opened(refused_objects=("Order",)) as shopper:
        answer = await shopper.ask("{ orders(first: 1) { nodes { id } } }")
        found = await shopper.ask('{ nodes(ids: ["gid://shopify/Order/5900000000000"]) { id } }')
        operation = await operated(shopper, "{ orders { edges { node { id } } } }")
    assert answer["data"] == {"orders": None}
    assert found["data"] == {"nodes": None}
    assert (operation["status"], operation["errorCode"]) == ("FAILED", "ACCESS_DENIED")


async def test_sixty_days_can_be_all_there_is() -> None:
    query = "{ ordersCount(limit: null) { count } }"
    async with opened() as shopper:
        whole = (await shopper.data(query))["ordersCount"]["count"]
        await shopper.control("faults", {"kind": "sixty-days"})
        part = (await shopper.data(query))["ordersCount"]["count"]
        granted = await shopper.data("{ currentAppInstallation { accessScopes { handle } } }")
    assert 0 < part < whole
    handles = {one["handle"] for one in granted["currentAppInstallation"]["accessScopes"]}
    assert "read_all_orders" not in handles


async def test_scopes_change_for_tokens_that_are_already_out() -> None:
    query = "{ customers(first: 1) { nodes { id } } }"
    async with opened() as shopper:
        reduced = await shopper.control("scopes", {"remove": ["read_customers"]})
        refused = await shopper.ask(query)
        await shopper.control("scopes", {"add": ["read_customers"]})
        given = await shopper.ask(query)
    assert "read_customers" not in reduced["scopes"]
    assert refused["data"] == {"customers": None}
    assert given["data"]["customers"]["nodes"]


async def test_a_refresh_whose_answer_is_lost_can_be_asked_again() -> None:
    async with opened() as shopper:
        tokens = shopper.world.tokens
        first = tokens.offline(SHOP, frozenset({"read_orders"}), expiring=True)["refresh_token"]
        asked = {
            "grant_type": "refresh_token",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "refresh_token": first,
        }
        await shopper.control("faults", {"kind": "lost-refresh", "count": 1})
        lost = await shopper.http.post(f"/{SHOP}/admin/oauth/access_token", data=asked)
        again = await shopper.http.post(f"/{SHOP}/admin/oauth/access_token", data=asked)
        newest = again.json()["refresh_token"]
        await shopper.http.post(
            f"/{SHOP}/admin/oauth/access_token", data=asked | {"refresh_token": newest}
        )
        dead = await shopper.http.post(f"/{SHOP}/admin/oauth/access_token", data=asked)
    assert lost.content == b""
    assert again.status_code == 200
    assert dead.status_code == 401


def test_a_mode_that_a_fault_does_not_have_is_refused() -> None:
    assert parse_fault("bulk-stuck:mode=CREATED,count=2").how == "CREATED"
    assert parse_fault("bulk-failed").how == "INTERNAL_SERVER_ERROR"
    with pytest.raises(UnknownFault, match="The mode of bulk-stuck is RUNNING, CREATED"):
        parse_fault("bulk-stuck:mode=COMPLETED")
    with pytest.raises(UnknownFault, match="The mode of reset is not known"):
        parse_fault("reset:mode=hard")
