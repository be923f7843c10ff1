"""The plain road: graphql-core executes field by field, denying what a token may not see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLResolveInfo,
    execute_sync,
    get_named_type,
)

from brandmind.simulator.amounts import Bag, Money, decimal_text
from brandmind.simulator.documents import Document, schema
from brandmind.simulator.paging import BadRequest, Key, Page, page_of
from brandmind.simulator.roots import (
    PROTECTED,
    ROOT_SCOPES,
    TYPE_SCOPES,
    Call,
    InvalidId,
    TooManyIds,
)
from brandmind.simulator.search import SearchFailed

SCOPES_PAGE = "https://shopify.dev/api/usage/access-scopes"
DATA_PAGE = "https://partners.shopify.com/1/apps/1/customer_data"


class GidKeys(Sequence[Key]):
    """Keys of nested rows, read from their global ids only where a cursor is wanted."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return GidKeys(self._rows[place])
        row = self._rows[place]
        text = row["id"] if "id" in row else str(row["index"])
        number = text.rpartition("/")[2].partition("?")[0]
        return number, int(number)


def nested_page(rows: Sequence[Any], arguments: dict[str, Any]) -> Page:
    """A page of a node's own list, in the list's order."""
    return page_of(rows, GidKeys(rows), arguments)


def money_field(value: Bag | Money, name: str) -> Any:
    """A field of MoneyBag or MoneyV2."""
    if isinstance(value, Bag):
        if name == "shopMoney":
            return Money(value.shop, value.shop_currency)
        return Money(value.presentment, value.presentment_currency)
    return value.currency if name == "currencyCode" else decimal_text(value.minor, value.currency)


def denied(field: str, scope: str) -> GraphQLError:
    """Access denied, as recorded."""
    required = f"`{scope}` access scope."
    return GraphQLError(
        f"Access denied for {field} field. Required access: {required}",
        extensions={
            "code": "ACCESS_DENIED",
            "documentation": SCOPES_PAGE,
            "requiredAccess": required,
        },
    )


def not_approved(name: str) -> GraphQLError:
    """A protected object of an app that was not approved for it."""
    return GraphQLError(
        f"This app is not approved to access the {name} object. See {DATA_PAGE} for more details.",
        extensions={"code": "ACCESS_DENIED", "documentation": DATA_PAGE},
    )


def execute(document: Document, operation_name: str | None, call: Call) -> dict[str, Any]:
    """Data and errors by the book, except that a denied root field is null and not its parent."""
    if document.node is None:
        return {"errors": document.errors}
    result = execute_sync(
        schema(),
        document.node,
        root_value=_ROOT,
        context_value=call,
        variable_values=call.variables,
        operation_name=operation_name,
        field_resolver=_resolve,
        type_resolver=lambda value, *_: value["__typename"],
    )
    answer: dict[str, Any] = {}
    if result.errors:
        answer["errors"] = [_shown(error) for error in result.errors]
    answer["data"] = result.data
    if result.data is None and result.errors:
        # Shopify nulls the field alone, though the schema says it cannot be null.
        keys = [error.path[0] for error in result.errors if error.path]
        if keys and all(e["extensions"].get("code") == "ACCESS_DENIED" for e in answer["errors"]):
            answer["data"] = dict.fromkeys(map(str, keys))
    return answer


_ROOT: dict[str, Any] = {}


def _shown(error: GraphQLError) -> dict[str, Any]:
    shown: dict[str, Any] = {"message": error.message}
    if error.locations:
        shown["locations"] = [{"line": at.line, "column": at.column} for at in error.locations]
    if error.path:
        shown["path"] = list(error.path)
    shown["extensions"] = dict(error.extensions or {"code": "INTERNAL_SERVER_ERROR"})
    return shown


def _resolve(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
    call: Call = info.context
    try:
        if source is _ROOT:
            return _root(call, info, arguments)
        return _field(call, source, info, arguments)
    except BadRequest as error:
        raise GraphQLError(str(error), extensions={"code": "BAD_REQUEST"}) from error
    except InvalidId as error:
        raise GraphQLError(str(error), extensions={"code": "RESOURCE_NOT_FOUND"}) from error
    except TooManyIds as error:
        raise GraphQLError(str(error), extensions={"code": "MAX_INPUT_SIZE_EXCEEDED"}) from error
    except SearchFailed as error:
        raise GraphQLError(
            "Internal error. Looks like something went wrong on our end.",
            extensions={"code": "INTERNAL_SERVER_ERROR", "requestId": "search"},
        ) from error


def _root(call: Call, info: GraphQLResolveInfo[Any], arguments: dict[str, Any]) -> Any:
    scope = ROOT_SCOPES.get(info.field_name)
    if call.lacks(scope):
        raise denied(info.field_name, str(scope))
    if unapproved := call.unapproved(get_named_type(info.return_type).name):
        raise not_approved(unapproved)
    value = call.root(info.field_name, arguments, str(info.path.key))
    for one in value if isinstance(value, list) else [value]:
        kind = one.get("__typename", "") if isinstance(one, dict) else ""
        if call.lacks(found := TYPE_SCOPES.get(kind)):
            raise denied(info.field_name, str(found))
        if unapproved := call.unapproved(kind):
            raise not_approved(unapproved)
    return value


def _field(
    call: Call, source: Any, info: GraphQLResolveInfo[Any], arguments: dict[str, Any]
) -> Any:
    name = info.field_name
    if isinstance(source, Bag | Money):
        return money_field(source, name)
    if isinstance(source, Page):
        return _page_field(source, name)
    if "fields" in call.refused and (info.parent_type.name, name) in PROTECTED:
        raise GraphQLError(
            f"This app is not approved to use the {name} field. See {DATA_PAGE} for more details.",
            extensions={"code": "ACCESS_DENIED", "documentation": DATA_PAGE},
        )
    returned = get_named_type(info.return_type).name
    if call.lacks(scope := TYPE_SCOPES.get(returned)) and source.get(name) is not None:
        raise denied(name, str(scope))
    value = source[name]
    if value is not None and (unapproved := call.unapproved(returned)):
        raise not_approved(unapproved)
    if isinstance(value, list) and returned.endswith("Connection"):
        return nested_page(value, arguments)
    if isinstance(value, list) and arguments.get("first") is not None:
        return value[: arguments["first"]]
    return value


def _page_field(page: Page, name: str) -> Any:
    if name == "pageInfo":
        return page.page_info()
    if name == "nodes":
        return page.nodes
    return [{"node": node, "cursor": page.cursor(place)} for place, node in enumerate(page.nodes)]
