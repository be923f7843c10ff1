"""A shop whose books are a CSV file's: the catalogue, the order book and each order's draft."""

from __future__ import annotations

from array import array
from dataclasses import replace
from functools import lru_cache

from brandmind.simulator.amounts import conversion
from brandmind.simulator.catalogue import (
    PRODUCT_BASE,
    PRODUCT_STEP,
    VARIANT_BASE,
    VARIANTS_PER_PRODUCT,
    Catalogue,
    Product,
    Variant,
)
from brandmind.simulator.config import ShopConfig
from brandmind.simulator.drafts import Draft, DraftEvent, DraftLine
from brandmind.simulator.invoices import Invoices, Ware
from brandmind.simulator.orderbook import Fate, OrderBook
from brandmind.simulator.people import Person, person
from brandmind.simulator.words import THEMES, Place


def make_up(config: ShopConfig, invoices: Invoices) -> ShopConfig:
    """The same shop with the sizes, the money and the clock of the file."""
    return replace(
        config,
        orders=len(invoices.orders),
        products=len(invoices.wares),
        customers=len(invoices.homes),
        currency=invoices.mapping.currency,
        timezone=invoices.mapping.timezone,
        country=invoices.mapping.country or config.country,
        taxes_included=False,
    )


class CsvCatalogue(Catalogue):
    """The file's products. No gift card and none that was deleted."""

    def __init__(self, config: ShopConfig, invoices: Invoices, *, theme_seed: int) -> None:
        self._config = config
        self._scale = conversion("USD", config.currency)
        self._seed = theme_seed
        self.theme = THEMES[theme_seed % len(THEMES)]
        self.products = [_product(place, ware) for place, ware in enumerate(invoices.wares)]
        self.retired = []
        self._weigh()

    def gift_card(self) -> Product | None:
        """None: the file knows goods only."""
        return None


def _product(index: int, ware: Ware) -> Product:
    variant = Variant(
        shopify_id=VARIANT_BASE + index * VARIANTS_PER_PRODUCT,
        title="Default Title",
        options=(("Title", "Default Title"),),
        sku=ware.code,
        barcode=None,
        price=ware.price,
        compare_at=None,
        unit_cost=None,
        stock=0,
        position=1,
    )
    title = ware.title.capitalize()
    words = "".join(letter if letter.isalnum() else " " for letter in title.lower()).split()
    return Product(
        index=index,
        shopify_id=PRODUCT_BASE + index * PRODUCT_STEP,
        title=title,
        handle="-".join([*words, str(index)]),
        status="ACTIVE",
        vendor="",
        product_type="",
        category=None,
        tags=[],
        created_at=ware.first_at,
        updated_at=ware.first_at,
        published_at=ware.first_at,
        is_gift_card=False,
        tracked=False,
        description="",
        variants=[variant],
    )


class CsvBook(OrderBook):
    """The plan of the file's orders; those placed later follow them."""

    def __init__(self, config: ShopConfig, invoices: Invoices, *, seed: int) -> None:
        self.config = config
        self.seed = seed
        self.imported = 0
        self._numbers = [_number(one.number) for one in invoices.orders]
        self.processed = array("q", (one.at for one in invoices.orders))
        self.created = array("q", self.processed)
        self.test = bytearray(len(self.processed))
        self.customer = array("l", (one.customer for one in invoices.orders))
        self.deleted = set()
        self.buyers = len(invoices.homes)
        # What came back already cannot come back again.
        self.fate = bytearray(
            Fate.RETURNED_PART if one.backs or not one.lines else Fate.KEPT
            for one in invoices.orders
        )
        self.event_at = array("q", (one.backs[-1].at if one.backs else 0
                                    for one in invoices.orders))  # fmt: skip
        self.updated = array(
            "q",
            (
                max(one.at, self.event_at[place], self.fulfilled_at(place))
                for place, one in enumerate(invoices.orders)
            ),
        )
        self._index_customers()

    def number(self, index: int) -> int:
        """The invoice's own; new orders go on behind the last."""
        if index < len(self._numbers):
            return self._numbers[index]
        return max(self._numbers) + 1 + index - len(self._numbers)


def _number(text: str) -> int:
    digits = "".join(letter for letter in text if letter.isdigit())
    return int(digits) if digits else 0


def csv_draft(
    invoices: Invoices, book: OrderBook, catalogue: Catalogue, buyer: Person | None, index: int
) -> Draft:
    """Order `index` as the file has it."""
    invoice = invoices.orders[index]
    lines = []
    for line in invoice.lines:
        product = catalogue.products[line.product]
        lines.append(
            DraftLine(
                "product", line.title, line.price, line.quantity, product, product.variants[0]
            )
        )
    place = country(invoice.country, invoices.mapping.currency)
    return Draft(
        index=index,
        fate=Fate(book.fate[index]),
        lines=lines,
        discounts=[],
        events=[
            DraftEvent(
                "refund", back.at, list(back.units), "RETURN",
                goodwill=back.more, shipping_back=back.shipping,
            )
            for back in invoice.backs
        ],
        shipping=invoice.shipping,
        shipping_discount=0,
        shipping_title="Postage",
        rate=0,
        place=place,
        city=place.cities[0],
        presentment=book.config.currency,
        email=buyer.email if buyer else None,
        source="web",
        tags=[],
        note=None,
    )  # fmt: skip


def csv_person(invoices: Invoices, seed: int, index: int) -> Person:
    """The customer with that number, made up but for the country."""
    found = person(seed, index)
    if index >= len(invoices.homes):
        return found
    found.place = country(invoices.homes[index], invoices.mapping.currency)
    found.city = found.place.cities[0]
    found.locale = "en"
    return found


@lru_cache(maxsize=256)
def country(code: str, currency: str) -> Place:
    """A place that is no more than a country."""
    return Place(code, code, "", "", ("",), 1, 0, currency)
