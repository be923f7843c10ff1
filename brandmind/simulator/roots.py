"""What the root fields answer, for both executors, with the access rules of a token."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphql.execution.values import VariableValues

from brandmind.simulator.brand import Brand
from brandmind.simulator.listing import Listing
from brandmind.simulator.moments import DAY_S, iso
from brandmind.simulator.nodes import gid, parse_gid
from brandmind.simulator.paging import MAX_PAGE
from brandmind.simulator.search import Search

if TYPE_CHECKING:
    from brandmind.simulator.bulk_operations import BulkDesk
    from brandmind.simulator.reading import Reading
    from brandmind.simulator.webhook_post import Post

ORDER_WINDOW_S = 60 * DAY_S

LISTS = {"orders": "orders", "products": "products", "customers": "customers"}
COUNTS = {"ordersCount": "orders", "productsCount": "products", "customersCount": "customers"}
SINGLES = {"order": "Order", "product": "Product", "customer": "Customer"}

TYPE_SCOPES = {
    "Order": "read_orders",
    "OrderConnection": "read_orders",
    "Product": "read_products",
    "ProductConnection": "read_products",
    "ProductVariant": "read_products",
    "ProductVariantConnection": "read_products",
    "Customer": "read_customers",
    "CustomerConnection": "read_customers",
}
ROOT_SCOPES = {
    "orders": "read_orders",
    "ordersCount": "read_orders",
    "order": "read_orders",
    "products": "read_products",
    "productsCount": "read_products",
    "product": "read_products",
    "customers": "read_customers",
    "customersCount": "read_customers",
    "customer": "read_customers",
}
READ_SCOPES = frozenset(TYPE_SCOPES.values())

PROTECTED = {
    ("Order", "email"),
    ("Order", "phone"),
    ("Order", "statusPageUrl"),
    ("Customer", "displayName"),
    ("Customer", "firstName"),
    ("Customer", "lastName"),
    ("CustomerEmailAddress", "emailAddress"),
    ("CustomerPhoneNumber", "phoneNumber"),
    ("MailingAddress", "address1"),
    ("MailingAddress", "address2"),
    ("MailingAddress", "zip"),
    ("MailingAddress", "firstName"),
    ("MailingAddress", "lastName"),
    ("MailingAddress", "name"),
    ("MailingAddress", "phone"),
}


class InvalidId(Exception):
    """A global id that is none."""

    def __init__(self, text: str) -> None:
        super().__init__(f"Invalid global id '{text}'")


class OtherKind(InvalidId):
    """A global id of something else."""

    def __init__(self, text: str) -> None:
        Exception.__init__(self, f"Invalid id: {text}")


class TooManyIds(Exception):
    """More than 250 ids in one list (`MAX_INPUT_SIZE_EXCEEDED`)."""

    def __init__(self, number: int) -> None:
        super().__init__(
            f"The input array size of {number} is greater than the maximum allowed of {MAX_PAGE}."
        )


def implied(scopes: frozenset[str]) -> frozenset[str]:
    """Scopes with what they imply: who may write may read."""
    read = {f"read_{one.removeprefix('write_')}" for one in scopes if one.startswith("write_")}
    return scopes | read


@dataclass(slots=True)
class Call:
    """One request on its way: whose data, by which rights, and what the searches said."""

    brand: Brand
    listing: Listing
    scopes: frozenset[str]
    variables: dict[str, Any]
    values: VariableValues | None = None
    desk: BulkDesk | None = None
    base: str = ""
    reading: Reading | None = None
    post: Post | None = None
    refused: frozenset[str] = frozenset()
    searches: list[dict[str, Any]] = field(default_factory=list)
    found: dict[str, Any] = field(default_factory=dict)

    @property
    def restricted(self) -> bool:
        """Whether some field may have to be denied: then nothing is answered from memory."""
        return bool(self.refused) or not self.scopes >= READ_SCOPES

    def all_rows(self, name: str, arguments: dict[str, Any], key: str) -> Sequence[int]:
        """All rows of a root list, for an export: no page, no cursor."""
        if self.reading is not None:
            self.reading.settle()
        rows, search = self.listing.rows(LISTS[name], arguments, since=self._since(name))
        self._note(key, arguments, search)
        return rows

    def unapproved(self, kind: str | None) -> str | None:
        """The protected object behind a type, if this app was not approved for it."""
        name = (kind or "").removesuffix("Connection")
        return name if name in self.refused else None

    def lacks(self, scope: str | None) -> bool:
        """Whether the token was not granted that scope."""
        return scope is not None and scope not in self.scopes

    def root(self, name: str, arguments: dict[str, Any], key: str) -> Any:
        """The value of a root field: a Page of rows, a node, or a plain dict."""
        value = self._root(name, arguments, key)
        self.found[key] = value
        return value

    def _root(self, name: str, arguments: dict[str, Any], key: str) -> Any:
        if name in LISTS:
            if self.reading is not None:
                arguments = self.reading.page(name, arguments)
            page, search = self.listing.page(LISTS[name], arguments, since=self._since(name))
            self._note(key, arguments, search)
            return page
        if name in COUNTS:
            if self.reading is not None:
                arguments = self.reading.count(arguments)
            count, search = self.listing.count(COUNTS[name], arguments, since=self._since(name))
            self._note(key, arguments, search)
            return count
        if name in SINGLES:
            return self._node(arguments["id"], SINGLES[name])
        if name.startswith("webhookSubscription"):
            return self._webhooks(name, arguments)
        if name == "bulkOperations":
            return self._bulk_operations(arguments, key)
        return _OTHERS[name](self, arguments)

    def _node(self, text: str, kind: str | None = None) -> Any:
        parsed = parse_gid(text)
        if parsed is None and text.isdecimal() and kind:
            return self.brand.find(gid(kind, int(text)))
        if parsed is None:
            raise InvalidId(text)
        if kind is not None and parsed[0] != kind:
            raise InvalidId(text)
        found = self.brand.find(text)
        if found is not None and parsed[0] == "Order" and (since := self._since("orders")):
            return None if found["createdAt"] < iso(since) else found
        return found

    def _since(self, name: str) -> int:
        # Orders older than 60 days need a scope of their own; 0 stands for no limit.
        if not name.startswith("orders") or "read_all_orders" in self.scopes:
            return 0
        return self.brand.config.as_of - ORDER_WINDOW_S

    def _nodes(self, ids: list[str]) -> list[Any]:
        if len(ids) > MAX_PAGE:
            raise TooManyIds(len(ids))
        return [self._node(one) for one in ids]

    def _note(self, key: str, arguments: dict[str, Any], search: Search | None) -> None:
        if search is not None and search.warnings:
            self.searches.append(
                {
                    "path": [key],
                    "query": arguments["query"],
                    "parsed": search.parsed,
                    "warnings": search.warnings,
                }
            )

    def bulk(self) -> BulkDesk:
        """The shop's bulk operations."""
        if self.desk is None:
            raise RuntimeError("this call has no desk for bulk operations")
        return self.desk

    def bulk_operation(self, text: str) -> Any:
        """An operation by its id; None if it is not known."""
        try:
            return self.bulk().find(text)
        except LookupError as error:
            raise (InvalidId if parse_gid(text) is None else OtherKind)(text) from error

    def _bulk_operations(self, arguments: dict[str, Any], key: str) -> Any:
        page, search = self.bulk().page(arguments)
        self._note(key, arguments, search)
        return page

    def _webhooks(self, name: str, arguments: dict[str, Any]) -> Any:
        if self.post is None:
            raise RuntimeError("this call has no webhooks")
        held = self.post.subscriptions
        match name:
            case "webhookSubscriptions":
                return held.page(arguments)
            case "webhookSubscription":
                return held.find(arguments["id"])
            case "webhookSubscriptionCreate":
                asked = arguments["webhookSubscription"]
                refused = not self.refused.isdisjoint({"fields", "Customer", "Order"})
                return held.create(arguments["topic"], asked, self.scopes, protected=refused)
            case "webhookSubscriptionUpdate":
                return held.update(arguments["id"], arguments["webhookSubscription"])
            case _:
                return held.delete(arguments["id"])

    def _installation(self) -> dict[str, Any]:
        return {
            "__typename": "AppInstallation",
            "id": gid("AppInstallation", self.brand.shopify_id + 99),
            "accessScopes": [
                {"handle": scope, "description": scope.replace("_", " ").capitalize()}
                for scope in sorted(self.scopes)
            ],
        }


_OTHERS: dict[str, Callable[[Call, dict[str, Any]], Any]] = {
    "shop": lambda call, _: call.brand.shop_node(),
    "currentAppInstallation": lambda call, _: call._installation(),
    "node": lambda call, arguments: call._node(arguments["id"]),
    "nodes": lambda call, arguments: call._nodes(arguments["ids"]),
    "bulkOperation": lambda call, arguments: call.bulk_operation(arguments["id"]),
    "bulkOperationCancel": lambda call, arguments: call.bulk().cancel(arguments["id"]),
    "bulkOperationRunQuery": lambda call, arguments: call.bulk().start(
        call, arguments["query"], grouped=arguments["groupObjects"]
    ),
}
