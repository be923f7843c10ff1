"""The file of an export: whole or refused, its records joined from lines that stand apart."""

from __future__ import annotations

import random
from array import array
from pathlib import Path
from typing import Any

import orjson
import pytest

from brandmind.errors import ExportDamaged
from brandmind.shopify.jsonl import ExportFile


def order(number: int) -> list[dict[str, Any]]:
    """The lines of an order with two lines, a sale agreement with two sales and a return."""
    gid = f"gid://shopify/Order/{number}"
    agreements = [f"gid://shopify/SalesAgreement/{number}{i}" for i in (1, 2)]
    kinds = ("OrderAgreement", "RefundAgreement")
    return [
        {"__typename": "Order", "id": gid, "name": f"#{number}", "tags": ["a/b"]},
        *(
            {"__typename": "LineItem", "id": f"gid://shopify/LineItem/{number}{i}",
             "title": f"Tee {i}", "__parentId": gid}
            for i in (1, 2)
        ),
        *(
            {"__typename": kind, "id": agreement, "__parentId": gid}
            for kind, agreement in zip(kinds, agreements, strict=True)
        ),
        *(
            {"__typename": "ProductSale", "id": f"gid://shopify/Sale/{number}{i}",
             "__parentId": agreements[i // 3]}
            for i in (1, 2, 3)
        ),
    ]  # fmt: skip


def scattered(orders: list[list[dict[str, Any]]], *, seed: int) -> list[dict[str, Any]]:
    """All lines, those of one order still after their parents and in their own order."""
    dice = random.Random(seed)
    left = [list(lines) for lines in orders]
    mixed = []
    while left:
        lines = dice.choice(left)
        mixed.append(lines.pop(0))
        left = [one for one in left if one]
    return mixed


def written(path: Path, lines: list[dict[str, Any]]) -> Path:
    file = path / "export.jsonl"
    file.write_bytes(b"".join(orjson.dumps(line).replace(b"/", b"\\/") + b"\n" for line in lines))
    return file


def whole(number: int) -> dict[str, Any]:
    own, *rest = order(number)
    agreements = [
        line | {"sales": {"nodes": [s for s in rest if s["__parentId"] == line["id"]]}}
        for line in rest
        if line["__typename"].endswith("Agreement")
    ]
    lines = [line for line in rest if line["__typename"] == "LineItem"]
    return own | {"lineItems": {"nodes": lines}, "agreements": {"nodes": agreements}}


@pytest.mark.parametrize("seed", range(5))
def test_records_are_joined_wherever_their_children_stand(tmp_path: Path, seed: int) -> None:
    lines = scattered([order(i) for i in range(1, 31)], seed=seed)
    file = ExportFile(written(tmp_path, lines), objects=len(lines), roots=30)
    numbers = [int(line["name"][1:]) for line in lines if "name" in line]
    assert file.records(0, 30) == [whole(number) for number in numbers]
    # In batches as in one.
    assert [r for at in range(0, 30, 7) for r in file.records(at, 7)] == file.records(0, 30)


def test_a_child_before_its_parent_is_found_all_the_same(tmp_path: Path) -> None:
    lines = order(1)[::-1]
    file = ExportFile(written(tmp_path, lines), objects=len(lines), roots=1)
    (found,) = file.records(0, 1)
    assert len(found["lineItems"]["nodes"]) == 2
    assert [len(a["sales"]["nodes"]) for a in found["agreements"]["nodes"]] == [1, 2]


def test_a_record_without_children_has_empty_lists(tmp_path: Path) -> None:
    lines = [{"__typename": "Product", "id": "gid://shopify/Product/1"}]
    file = ExportFile(written(tmp_path, lines), objects=1, roots=1)
    assert file.records(0, 1)[0]["variants"] == {"nodes": []}


def test_a_file_without_its_last_line_end_is_whole(tmp_path: Path) -> None:
    path = written(tmp_path, order(1))
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    assert ExportFile(path, objects=8, roots=1).roots == 1


@pytest.mark.parametrize("cut", [1, 40, 90, 500])
def test_a_file_that_is_cut_short_is_refused(tmp_path: Path, cut: int) -> None:
    lines = order(1) + order(2)
    path = written(tmp_path, lines)
    path.write_bytes(path.read_bytes()[: -cut - 1])
    with pytest.raises(ExportDamaged):
        ExportFile(path, objects=len(lines), roots=2)


@pytest.mark.parametrize(("objects", "roots"), [(15, 2), (17, 2), (16, 1), (16, 3)])
def test_a_file_with_other_counts_than_told_is_refused(
    tmp_path: Path, objects: int, roots: int
) -> None:
    path = written(tmp_path, order(1) + order(2))
    with pytest.raises(ExportDamaged):
        ExportFile(path, objects=objects, roots=roots)


def test_a_file_whose_line_has_lost_its_parent_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, order(1)[1:] + order(2))
    with pytest.raises(ExportDamaged, match="parent is missing"):
        ExportFile(path, objects=15, roots=1)


def test_what_is_wrong_with_a_file_is_told_without_its_contents(tmp_path: Path) -> None:
    path = tmp_path / "export.jsonl"
    path.write_bytes(b'{"id":"gid:\\/\\/shopify\\/Customer\\/1","email":"jane@example.com"\n')
    with pytest.raises(ExportDamaged) as told:
        ExportFile(path, objects=1, roots=1)
    assert "jane" not in str(told.value)
    assert told.value.__cause__ is None
    assert told.value.__suppress_context__


def test_a_file_that_is_closed_keeps_nothing_in_memory(tmp_path: Path) -> None:
    lines = order(1) + order(2)
    file = ExportFile(written(tmp_path, lines), objects=len(lines), roots=2)
    file.close()
    kept = (value for value in vars(file).values() if isinstance(value, array))
    assert [len(value) for value in kept] == [0] * 5
