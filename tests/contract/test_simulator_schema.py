"""The simulator speaks a true subset of Shopify's Admin schema 2026-10."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    is_specified_scalar_type,
    validate_schema,
)

from brandmind.simulator.documents import schema
from tests.contract.shared import shared_schema

EXTRACT = Path(__file__).with_name("admin-schema-2026-10-extract.json")
OURS = sorted(
    name
    for name, kind in schema().type_map.items()
    if not name.startswith("__") and not is_specified_scalar_type(kind)
)


@pytest.fixture(scope="module")
def official() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(EXTRACT.read_text("utf-8"))
    return found


def test_our_schema_is_valid() -> None:
    assert validate_schema(schema()) == []


@pytest.mark.parametrize("name", OURS)
def test_each_type_has_only_what_shopify_has(name: str, official: dict[str, Any]) -> None:
    theirs, ours = official[name], schema().type_map[name]
    if isinstance(ours, GraphQLEnumType):
        assert theirs["kind"] == "ENUM"
        for value in ours.values:
            assert theirs["values"][value] is False, f"{name}.{value} is deprecated"
    elif isinstance(ours, GraphQLObjectType | GraphQLInterfaceType):
        kind = "OBJECT" if isinstance(ours, GraphQLObjectType) else "INTERFACE"
        assert theirs["kind"] == kind
        assert {one.name for one in ours.interfaces} <= set(theirs["interfaces"])
        for field_name, field in ours.fields.items():
            other = theirs["fields"][field_name]
            assert str(field.type) == other["type"], f"{name}.{field_name}"
            assert not other.get("deprecated"), f"{name}.{field_name} is deprecated"
            for argument_name, argument in field.args.items():
                known = other["args"][argument_name]
                assert str(argument.type) == known["type"], f"{name}.{field_name}({argument_name})"
                assert not known.get("deprecated")
            required = {
                argument_name
                for argument_name, known in other.get("args", {}).items()
                if known["type"].endswith("!") and known["default"] is None
            }
            assert required <= set(field.args), f"{name}.{field_name} lacks a required argument"
    elif isinstance(ours, GraphQLInputObjectType):
        assert theirs["kind"] == "INPUT_OBJECT"
        for field_name, taken in ours.fields.items():
            known = theirs["fields"][field_name]
            assert (str(taken.type), known["default"]) == (known["type"], None), field_name
            assert not known.get("deprecated")
    else:
        assert theirs["kind"] == "SCALAR"


@pytest.mark.needs_shared
def test_the_extract_is_what_the_official_schema_says(official: dict[str, Any]) -> None:
    full = {kind["name"]: kind for kind in shared_schema()["__schema"]["types"]}

    def text(kind: dict[str, Any]) -> str:
        if kind["kind"] == "NON_NULL":
            return text(kind["ofType"]) + "!"
        if kind["kind"] == "LIST":
            return f"[{text(kind['ofType'])}]"
        return str(kind["name"])

    for name, kept in official.items():
        whole = full[name]
        assert kept["kind"] == whole["kind"]
        assert set(kept.get("interfaces", ())) <= {
            one["name"] for one in whole.get("interfaces") or ()
        }
        if kept["kind"] == "INPUT_OBJECT":
            inputs = {field["name"]: field for field in whole["inputFields"]}
            for field_name, field in kept["fields"].items():
                other = inputs[field_name]
                assert field["type"] == text(other["type"])
                assert field["default"] == other["defaultValue"]
                assert field.get("deprecated", False) == other["isDeprecated"]
            continue
        fields = {field["name"]: field for field in whole.get("fields") or ()}
        for field_name, field in kept.get("fields", {}).items():
            other = fields[field_name]
            assert field["type"] == text(other["type"])
            assert field.get("deprecated", False) == other["isDeprecated"]
            arguments = {one["name"]: one for one in other["args"]}
            assert set(field.get("args", {})) == set(arguments)
            for argument_name, argument in field.get("args", {}).items():
                assert argument["type"] == text(arguments[argument_name]["type"])
                assert argument["default"] == arguments[argument_name]["defaultValue"]
        values = {one["name"]: one["isDeprecated"] for one in whole.get("enumValues") or ()}
        for value, deprecated in kept.get("values", {}).items():
            assert values[value] == deprecated
