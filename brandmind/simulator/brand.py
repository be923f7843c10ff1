"""One shop's whole world: its catalogue, people and orders, generated when first asked for."""

from __future__ import annotations

import hashlib
from array import array
from collections import OrderedDict
from collections.abc import Callable
from itertools import count
from typing import Any

from brandmind.simulator.amounts import Money, conversion
from brandmind.simulator.catalogue import (
    PRODUCT_BASE,
    PRODUCT_STEP,
    VARIANT_BASE,
    Catalogue,
)
from brandmind.simulator.config import ShopConfig
from brandmind.simulator.csv_shop import CsvBook, CsvCatalogue, csv_draft, csv_person
from brandmind.simulator.customer_nodes import customer_node
from brandmind.simulator.drafts import Draft, draft
from brandmind.simulator.invoices import Invoices
from brandmind.simulator.ledger import Sheet, sheet
from brandmind.simulator.moments import DAY_S
from brandmind.simulator.nodes import LazyNode, Node, gid, parse_gid
from brandmind.simulator.order_nodes import OrderWriter
from brandmind.simulator.order_papers import (
    LINE_BASE,
    LINES_PER_ORDER,
    REFUND_BASE,
    REFUNDS_PER_ORDER,
)
from brandmind.simulator.orderbook import GUEST, ORDER_BASE, ORDER_STEP, OrderBook
from brandmind.simulator.people import CUSTOMER_BASE, CUSTOMER_STEP, Person, person
from brandmind.simulator.planted_range import PlantedRange
from brandmind.simulator.planting import HISTORY_DAYS
from brandmind.simulator.product_nodes import product_node
from brandmind.simulator.shop_nodes import shop_node
from brandmind.simulator.words import brand_name

_KEPT_NODES = 500
_KEPT_LAZY = 20_000
_serials = count()


class IndexView:
    """What a search index that lags has not seen yet: rows by list, and their older stamps."""

    def __init__(self) -> None:
        self.hidden: dict[str, set[int]] = {}
        self.stale: dict[str, dict[int, int]] = {"orders": {}, "products": {}, "customers": {}}
        self.version = 0

    def show(self, hidden: dict[str, set[int]], stale: dict[str, dict[int, int]]) -> None:
        """From now on; nothing happens if that is what is shown already."""
        wanted = {name: stale.get(name, {}) for name in self.stale}
        if hidden == self.hidden and wanted == self.stale:
            return
        self.hidden = hidden
        for name, stamps in wanted.items():
            # The lists hold on to these very dicts.
            self.stale[name].clear()
            self.stale[name].update(stamps)
        self.version += 1

    def seen(self, name: str, rows: list[int]) -> list[int]:
        """The rows without those that are not in the index yet."""
        hidden = self.hidden.get(name)
        return [row for row in rows if row not in hidden] if hidden else rows


class Brand:
    """All that a shop holds. Orders by index in order of their making, customers likewise."""

    def __init__(self, shop: str, config: ShopConfig, invoices: Invoices | None = None) -> None:
        digest = hashlib.sha256(f"{config.seed}:{shop}".encode()).digest()
        self.shop = shop
        self.config = config
        self.name = brand_name(shop)
        self.seed = int.from_bytes(digest[:5], "big")
        self.shopify_id = 60_000_000_000 + int.from_bytes(digest[5:9], "big")
        self.invoices = invoices
        self.catalogue: Catalogue
        self.book: OrderBook
        if invoices is None:
            self.catalogue = Catalogue(config, theme_seed=self.seed)
            self.book = OrderBook(config, seed=self.seed)
        else:
            self.catalogue = CsvCatalogue(config, invoices, theme_seed=self.seed)
            self.book = CsvBook(config, invoices, seed=self.seed)
        self.planted: PlantedRange | None = None
        if config.plant is not None and invoices is None:
            since = config.as_of - (HISTORY_DAYS + 2) * DAY_S
            self.planted = PlantedRange(config.plant, self.catalogue, since=since)
        self.version = 0
        self.serial = next(_serials)
        self.index = IndexView()
        self.on_change: Callable[[], None] | None = None
        self.gone_products: set[int] = set()
        self.gone_customers: set[int] = set()
        self.customers = config.customers
        self._born: dict[int, int] = {}
        self._touched_customers: dict[int, int] = {}
        self._orders: OrderedDict[int, Node] = OrderedDict()
        self._products: dict[int, Node] = {}
        self._people: dict[int, Person] = {}
        self._lazy: dict[tuple[int, int], Node] = {}
        self._paid: array[int] = array("q")
        self._paid_known = bytearray()

    def changed(self) -> None:
        """Something is no longer as it was: nothing remembered may be shown again."""
        self.version += 1
        self.serial = next(_serials)
        self._orders.clear()
        self._products.clear()
        self._lazy.clear()
        self._paid_known = bytearray(len(self._paid_known))
        if self.on_change is not None:
            self.on_change()

    def draft(self, index: int) -> Draft:
        """What was ordered and what became of it."""
        if self.invoices is not None and index < len(self.invoices.orders):
            return csv_draft(self.invoices, self.book, self.catalogue, self._buyer(index), index)
        # Orders placed later are like those of any shop.
        planted = self.planted if index < self.config.orders else None
        return draft(self.book, self.catalogue, self._buyer(index), index, planted=planted)

    def _buyer(self, index: int) -> Person | None:
        # Who bought stays who bought, whoever the order was given to by a merge.
        customer = self.book.drawn.get(index, self.book.customer[index])
        return None if customer == GUEST else self.person(customer)

    def sheet(self, made: Draft, *, presentment: bool = False) -> Sheet:
        """The sums in the shop's currency, or in the customer's."""
        currency = self.config.currency
        factor = conversion(currency, made.presentment) if presentment else 1.0
        return sheet(made, factor=factor, taxes_included=self.config.taxes_included)

    def order(self, index: int) -> Node:
        """The order as the API shows it."""
        found = self._orders.get(index)
        if found is not None:
            return found
        made = self.draft(index)
        mine = self.sheet(made)
        theirs = (
            mine if made.presentment == self.config.currency else self.sheet(made, presentment=True)
        )
        customer = self.book.customer[index]

        def goods(line: int) -> tuple[Node | None, Node | None]:
            plan = made.lines[line]
            if plan.product is None or plan.variant is None or plan.kind == "retired":
                return None, None
            place = plan.product.index
            if place in self.gone_products:
                return None, None
            return self.lazy_product(place), self._lazy_variant(place, plan.variant.position - 1)

        node = OrderWriter(
            self.book,
            made,
            mine,
            theirs,
            buyer=self._buyer(index),
            customer=None
            if customer == GUEST or customer in self.gone_customers
            else self.lazy_customer(customer),
            goods=goods,
            again=self.lazy_order(index),
        ).node()
        self._orders[index] = node
        if len(self._orders) > _KEPT_NODES:
            self._orders.popitem(last=False)
        return node

    def lazy_order(self, index: int) -> Node:
        """The order for a place that mostly wants its id."""
        return LazyNode("Order", ORDER_BASE + index * ORDER_STEP, lambda: self.order(index))

    def order_gid(self, index: int) -> str:
        """The order's global id."""
        return gid("Order", ORDER_BASE + index * ORDER_STEP)

    def order_ids(self) -> list[int]:
        """Indexes of all orders there are."""
        gone = self.book.deleted
        return [index for index in range(len(self.book)) if index not in gone]

    def paid(self, index: int) -> int:
        """What the customer has paid for the order and not got back, in minor units."""
        missing = len(self.book) - len(self._paid)
        if missing:
            self._paid.extend([0] * missing)
            self._paid_known.extend(bytes(missing))
        if not self._paid_known[index]:
            sums = self.sheet(self.draft(index))
            self._paid[index] = sums.received - sums.refunded
            self._paid_known[index] = 1
        return self._paid[index]

    def product(self, index: int) -> Node:
        """The product as the API shows it."""
        found = self._products.get(index)
        if found is None:
            found = product_node(
                self.catalogue.products[index], currency=self.config.currency, host=self.shop
            )
            if len(self._products) > 5_000:
                self._products.clear()
            self._products[index] = found
        return found

    def lazy_product(self, index: int) -> Node:
        """The product behind a line."""
        found = self._lazy.get((index, -1))
        if found is None:
            number = PRODUCT_BASE + index * PRODUCT_STEP
            found = LazyNode("Product", number, lambda: self.product(index))
            self._lazy[index, -1] = found
        return found

    def _lazy_variant(self, index: int, place: int) -> Node:
        found = self._lazy.get((index, place))
        if found is None:
            number = self.catalogue.products[index].variants[place].shopify_id
            found = LazyNode(
                "ProductVariant", number, lambda: self.product(index)["variants"][place]
            )
            self._lazy[index, place] = found
            if len(self._lazy) > _KEPT_LAZY:
                self._lazy.clear()
        return found

    def product_ids(self) -> list[int]:
        """Indexes of all products there are."""
        return [i for i in range(len(self.catalogue.products)) if i not in self.gone_products]

    def person(self, index: int) -> Person:
        """The customer's own facts."""
        found = self._people.get(index)
        if found is None:
            found = (
                person(self.seed, index)
                if self.invoices is None
                else csv_person(self.invoices, self.seed, index)
            )
            if len(self._people) > 50_000:
                self._people.clear()
            self._people[index] = found
        return found

    def customer_ids(self) -> list[int]:
        """Indexes of all customers there are, those without orders too."""
        return [i for i in range(self.customers) if i not in self.gone_customers]

    def customer_created_at(self, index: int) -> int:
        """Made at the first order; those who never bought came with the newsletter."""
        if index in self._born:
            return self._born[index]
        first = self.book.first_of(index)
        if first is not None:
            return self.book.processed[first] - 30
        return self.config.as_of - (1 + index * 37 % 880) * DAY_S

    def customer_updated_at(self, index: int) -> int:
        """The last order, an edit, or one of the two imports that touched many in one second."""
        touched = self._touched_customers.get(index, 0)
        tie = self.config.as_of - 12 * DAY_S if index % 4 == 1 and index not in self._born else 0
        # A deleted order does not take a stamp back.
        orders = self.book.ever_of(index)
        last = self.book.created[orders[-1]] if orders else 0
        return max(touched, tie, last, self.customer_created_at(index))

    def add_customer(self, at: int) -> int:
        """One more customer, who came at that moment; answers the index."""
        self._born[self.customers] = at
        self.customers += 1
        return self.customers - 1

    def touch_customer(self, index: int, at: int) -> None:
        """An edit of the customer at that moment."""
        self._touched_customers[index] = at

    def lazy_customer(self, index: int) -> Node:
        """The customer behind an order."""
        return LazyNode(
            "Customer", CUSTOMER_BASE + index * CUSTOMER_STEP, lambda: self.customer(index)
        )

    def customer(self, index: int) -> Node:
        """The customer as the API shows it."""
        orders = self.book.orders_of(index)
        last = max(orders, key=self.book.processed.__getitem__, default=None)
        return customer_node(
            self.person(index),
            orders=[self.lazy_order(at) for at in orders],
            last=None if last is None else self.lazy_order(last),
            spent=Money(sum(map(self.paid, orders)), self.config.currency),
            created_at=self.customer_created_at(index),
            updated_at=self.customer_updated_at(index),
            quiet_days=None
            if last is None
            else (self.config.as_of - self.book.processed[last]) // DAY_S,
        )

    def find(self, text: str) -> Node | None:
        """Any node by its global id; None for what is unknown or deleted."""
        parsed = parse_gid(text)
        if parsed is None:
            return None
        kind, number = parsed
        match kind:
            case "Shop":
                return self.shop_node() if number == self.shopify_id else None
            case "Order":
                index = self.book.index_of(number)
                return None if index is None else self.order(index)
            case "LineItem" | "Refund":
                return self._within_order(kind, number)
            case "Product":
                index, rest = divmod(number - PRODUCT_BASE, PRODUCT_STEP)
                there = not rest and 0 <= index < len(self.catalogue.products)
                return self.product(index) if there and index not in self.gone_products else None
            case "ProductVariant":
                variant = self.catalogue.variant_by_id(number)
                if variant is None or variant[0].index in self.gone_products:
                    return None
                found: Node = self.product(variant[0].index)["variants"][
                    (number - VARIANT_BASE) % 2_048
                ]
                return found
            case "Customer":
                index, rest = divmod(number - CUSTOMER_BASE, CUSTOMER_STEP)
                there = not rest and 0 <= index < self.customers
                return self.customer(index) if there and index not in self.gone_customers else None
            case _:
                return None

    def _within_order(self, kind: str, number: int) -> Node | None:
        base, step, name = (
            (LINE_BASE, LINES_PER_ORDER, "lineItems")
            if kind == "LineItem"
            else (REFUND_BASE, REFUNDS_PER_ORDER, "refunds")
        )
        index, place = divmod(number - base, step)
        if not 0 <= index < len(self.book) or index in self.book.deleted:
            return None
        children: list[Any] = self.order(index)[name]
        return children[place] if place < len(children) else None

    def touch(self, text: str, at: int) -> bool:
        """An edit of an order, product or customer at that moment; False if it is not here."""
        node = self.find(text)
        if node is None:
            return False
        number = int(node["legacyResourceId"])
        match node["__typename"]:
            case "Order":
                self.book.updated[(number - ORDER_BASE) // ORDER_STEP] = at
            case "Product":
                self.catalogue.products[(number - PRODUCT_BASE) // PRODUCT_STEP].updated_at = at
            case "Customer":
                self.touch_customer((number - CUSTOMER_BASE) // CUSTOMER_STEP, at)
            case _:
                return False
        return True

    def remove(self, text: str) -> bool:
        """Deletes an order, product or customer; False if it is not here."""
        node = self.find(text)
        if node is None:
            return False
        number = int(node["legacyResourceId"])
        match node["__typename"]:
            case "Order":
                self.book.deleted.add((number - ORDER_BASE) // ORDER_STEP)
            case "Product":
                self.gone_products.add((number - PRODUCT_BASE) // PRODUCT_STEP)
            case "Customer":
                self.gone_customers.add((number - CUSTOMER_BASE) // CUSTOMER_STEP)
            case _:
                return False
        return True

    def shop_node(self) -> Node:
        """The shop itself."""
        return shop_node(
            shop=self.shop, name=self.name, shopify_id=self.shopify_id, config=self.config
        )
