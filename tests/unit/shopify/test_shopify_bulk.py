"""Bulk operations as Shopify was recorded to answer, and files fetched over bad lines."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from brandmind.errors import (
    BadAnswer,
    ExportDamaged,
    QueryRefused,
    ShopifyUnavailable,
)
from brandmind.shopify import bulk
from brandmind.shopify.bulk import BulkExports
from brandmind.shopify.documents import export
from brandmind.shopify.source import ShopifySource
from brandmind.sync.ports import Window
from brandmind.sync.slices import Operation
from brandmind.sync.stages import Stage
from tests.unit.shopify.double import Shop, client_of

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
URL = "https://storage.googleapis.com/export?Signature=secret"
CUSTOMER = {
    "__typename": "Customer",
    "id": "gid://shopify/Customer/1",
    "displayName": "Jane Doe",
    "createdAt": "2026-01-01T00:00:00Z",
    "updatedAt": "2026-01-01T00:00:00Z",
}
FILE = orjson.dumps(CUSTOMER) + b"\n"


def exports_of(respond: Callable[[httpx.Request], httpx.Response], folder: Path) -> BulkExports:
    client = client_of(respond)
    return BulkExports(client, ShopifySource(client, currency="USD"), folder=folder)


def done(*, objects: int = 1, roots: int = 1, url: str | None = URL) -> Operation:
    gid = "gid://shopify/BulkOperation/1"
    return Operation(gid, "COMPLETED", None, NOON, objects, roots, url, "")


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "_PAUSE_S", 0.0)


@pytest.fixture
def recorded(shared_data: Path) -> Callable[[str], Any]:
    return lambda name: json.loads((shared_data / "recorded" / f"{name}.json").read_text())


@pytest.mark.needs_shared
async def test_an_operation_is_read_from_its_recorded_start(
    recorded: Callable[[str], Any], tmp_path: Path
) -> None:
    run = recorded("bulk-nested-root-count-2026-04")["run"]
    shop = Shop(BulkStart=lambda _: run["response"]["data"])
    operation = await exports_of(shop, tmp_path).start("# ours\n{}")
    assert operation is not None
    assert operation.gid == "gid://shopify/BulkOperation/8066670100786"
    assert operation.is_under_way
    assert (operation.objects, operation.roots, operation.url) == (0, 0, None)
    assert operation.created_at == datetime(2026, 7, 19, 12, 41, 45, tzinfo=UTC)
    # A comment in the text comes back as it was sent: that is how ours is known again.
    assert operation.text == run["variables"]["query"]


@pytest.mark.needs_shared
async def test_a_finished_operation_is_read_from_its_recorded_poll(
    recorded: Callable[[str], Any], tmp_path: Path
) -> None:
    (*_, poll) = recorded("bulk-nested-root-count-2026-04")["run"]["statusPolls"]
    shop = Shop(BulkOperation=lambda _: poll["response"]["data"])
    operation = await exports_of(shop, tmp_path).look("gid://shopify/BulkOperation/1")
    assert operation is not None
    assert operation.status == "COMPLETED"
    assert operation.objects > operation.roots == 1


@pytest.mark.needs_shared
async def test_no_room_for_a_sixth_is_no_error(
    recorded: Callable[[str], Any], tmp_path: Path
) -> None:
    text = json.dumps(recorded("bulk-concurrency-limit-2026-04"))
    told = json.loads(text)
    (refusal,) = _with_code(told, "OPERATION_IN_PROGRESS")
    shop = Shop(BulkStart=lambda _: refusal)
    assert await exports_of(shop, tmp_path).start("{}") is None


@pytest.mark.needs_shared
async def test_a_query_shopify_will_not_export_is_refused(
    recorded: Callable[[str], Any], tmp_path: Path
) -> None:
    told = recorded("bulk-user-error-codes-2026-04")["validations"]["emptyQuery"]
    shop = Shop(BulkStart=lambda _: told["response"]["data"])
    with pytest.raises(QueryRefused) as refused:
        await exports_of(shop, tmp_path).start("")
    assert refused.value.code == "INVALID"


async def test_an_unknown_operation_is_none(tmp_path: Path) -> None:
    shop = Shop(BulkOperation=lambda _: {"bulkOperation": None})
    assert await exports_of(shop, tmp_path).look("gid://shopify/BulkOperation/1") is None


@pytest.mark.parametrize("stage", [Stage.PRODUCTS, Stage.ORDERS, Stage.HISTORY, Stage.CUSTOMERS])
def test_an_export_is_within_shopifys_rules(stage: Stage, tmp_path: Path) -> None:
    text = exports_of(Shop(), tmp_path).text(stage, Window(NOON, NOON), mark="brandmind.a")
    assert text.startswith("# brandmind.a\nquery {")
    assert "nodes" not in text
    assert "$" not in text
    assert "..." not in text.replace("... on ", "")
    assert text.count("edges") <= 5
    assert ">='2026-11-25T12:00:00Z'" in text
    assert "shippingLines" not in text


def test_an_export_asks_for_each_field_a_page_asks_for() -> None:
    for name, fragment in (("orders", "OrderHead"), ("products", "ProductHead")):
        folder = Path(bulk.__file__).parent / "queries" / "fragments"
        for shared in (fragment, "Line" if name == "orders" else "Variant"):
            body = (folder / f"{shared}Fields.graphql").read_text()
            for word in body.split("\n", 1)[1].split():
                assert word in export(name)


@pytest.mark.needs_shared
@pytest.mark.parametrize("stage", [Stage.PRODUCTS, Stage.ORDERS, Stage.CUSTOMERS])
def test_an_export_is_valid_and_deprecates_nothing(
    stage: Stage, shared_data: Path, tmp_path: Path
) -> None:
    from graphql import parse, validate
    from graphql.validation import NoDeprecatedCustomRule, specified_rules

    from tests.unit.shopify.test_shopify_documents import official

    schema = official(shared_data / "admin-schema-2026-10.json.gz")
    for window in (Window(NOON, NOON), Window()):
        text = exports_of(Shop(), tmp_path).text(stage, window, mark="brandmind.a")
        assert validate(schema, parse(text), [*specified_rules, NoDeprecatedCustomRule]) == []


class Store:
    """Serves a file; the answers before it are troubles."""

    def __init__(self, *troubles: httpx.Response | Exception, file: bytes = FILE) -> None:
        self.left = list(troubles)
        self.file = file
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.left:
            trouble = self.left.pop(0)
            if isinstance(trouble, Exception):
                raise trouble
            return trouble
        return httpx.Response(200, content=self.file)


async def test_a_file_is_fetched_without_our_token_and_for_nobody_else_to_read(
    tmp_path: Path,
) -> None:
    store = Store()
    folder = tmp_path / "bulk"
    export = await exports_of(store, folder).fetch(Stage.CUSTOMERS, done(), name="one")
    page = await export.page(0, 10)
    assert [record.shopify_id for record in page.records] == [1]
    (request,) = store.requests
    assert "x-shopify-access-token" not in request.headers
    (file,) = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    export.remove()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.Response(503),
        httpx.Response(302, headers={"Location": "https://elsewhere.example"}),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut"),
        httpx.Response(200, content=FILE[:30]),
        httpx.Response(200, content=b""),
    ],
)
async def test_a_file_that_came_badly_is_fetched_again(
    tmp_path: Path, trouble: httpx.Response | Exception
) -> None:
    store = Store(trouble)
    export = await exports_of(store, tmp_path).fetch(Stage.CUSTOMERS, done(), name="one")
    assert export.roots == 1
    assert len(store.requests) == 2
    assert all(request.url.host == "storage.googleapis.com" for request in store.requests)


async def test_a_file_that_never_comes_whole_is_damaged_and_not_kept(tmp_path: Path) -> None:
    store = Store(file=FILE[:30])
    with pytest.raises(ExportDamaged):
        await exports_of(store, tmp_path).fetch(Stage.CUSTOMERS, done(), name="one")
    assert len(store.requests) == bulk.FETCHES
    assert list(tmp_path.iterdir()) == []


async def test_a_line_that_stays_cut_is_a_failure_to_try_again_later(tmp_path: Path) -> None:
    store = Store(*[httpx.ReadError("cut")] * bulk.FETCHES)
    with pytest.raises(ShopifyUnavailable) as told:
        await exports_of(store, tmp_path).fetch(Stage.CUSTOMERS, done(), name="one")
    assert "Signature" not in str(told.value)
    assert list(tmp_path.iterdir()) == []


async def test_an_address_that_has_expired_is_an_export_to_be_asked_for_again(
    tmp_path: Path,
) -> None:
    store = Store(*[httpx.Response(403)] * bulk.FETCHES)
    with pytest.raises(ExportDamaged):
        await exports_of(store, tmp_path).fetch(Stage.CUSTOMERS, done(), name="one")


async def test_an_address_that_is_not_https_is_not_asked(tmp_path: Path) -> None:
    store = Store()
    operation = done(url="http://169.254.169.254/latest")
    with pytest.raises(BadAnswer):
        await exports_of(store, tmp_path).fetch(Stage.CUSTOMERS, operation, name="one")
    assert store.requests == []


async def test_an_export_of_nothing_has_no_file(tmp_path: Path) -> None:
    nothing = done(objects=0, roots=0, url=None)
    export = await exports_of(Store(), tmp_path).fetch(Stage.CUSTOMERS, nothing, name="one")
    assert export.roots == 0
    assert (await export.page(0, 0)).records == ()


async def test_an_export_of_something_without_a_file_is_damaged(tmp_path: Path) -> None:
    with pytest.raises(ExportDamaged):
        await exports_of(Store(), tmp_path).fetch(Stage.CUSTOMERS, done(url=None), name="one")


async def test_a_file_fetched_before_is_not_fetched_again(tmp_path: Path) -> None:
    store = Store()
    exports = exports_of(store, tmp_path)
    await exports.fetch(Stage.CUSTOMERS, done(), name="one")
    again = await exports.fetch(Stage.CUSTOMERS, done(), name="one")
    assert again.roots == 1
    assert len(store.requests) == 1


def _with_code(told: Any, code: str) -> list[dict[str, Any]]:
    """The data of the recorded answers that refuse with this code."""
    found = []
    if isinstance(told, dict):
        run = told.get("bulkOperationRunQuery")
        if isinstance(run, dict) and any(e["code"] == code for e in run["userErrors"]):
            found.append(told)
        for value in told.values():
            found += _with_code(value, code)
    elif isinstance(told, list):
        for value in told:
            found += _with_code(value, code)
    return found[:1]
