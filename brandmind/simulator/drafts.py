"""What was ordered and what happened to it, before any sum: an order's draft from its own seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Literal

from brandmind.simulator.catalogue import Catalogue, Product, Variant
from brandmind.simulator.moments import DAY_S
from brandmind.simulator.orderbook import Fate, OrderBook
from brandmind.simulator.people import Person, place_for
from brandmind.simulator.planted_range import PlantedRange
from brandmind.simulator.planting import PERCENT_OFF
from brandmind.simulator.timeline import is_peak
from brandmind.simulator.words import LINE_OFFERS, PERCENT_CODES, Place

LineKind = Literal["product", "gift_card", "tip", "custom", "retired"]
EventKind = Literal["refund", "cancel", "goodwill", "remove", "add"]


@dataclass(slots=True)
class DraftLine:
    """A line: unit price in minor units of the shop's currency, quantity with later additions."""

    kind: LineKind
    title: str
    unit: int
    quantity: int
    product: Product | None = None
    variant: Variant | None = None
    added_later: bool = False

    @property
    def taxable(self) -> bool:
        """Goods are taxed; gift cards and tips are not."""
        return self.kind not in ("gift_card", "tip")


@dataclass(slots=True)
class DraftDiscount:
    """A discount: percent of a line (`line` set) or of the whole order, or a fixed amount."""

    title: str
    is_code: bool
    percent: int = 0
    amount: int = 0
    line: int | None = None


@dataclass(slots=True)
class DraftEvent:
    """Something that happened later: which units of which lines, which third of the shipping or
    how much of it. `goodwill` is what more was paid back than came back (less, where negative).
    """

    kind: EventKind
    at: int
    units: list[tuple[int, int]] = field(default_factory=list)
    restock: str = "NO_RESTOCK"
    shipping_thirds: int = 0
    shipping_back: int = 0
    goodwill: int = 0
    paid_back: bool = True
    failed_first: bool = False


@dataclass(slots=True)
class Draft:
    """An order without its sums. `rate` is parts per 100,000."""

    index: int
    fate: Fate
    lines: list[DraftLine]
    discounts: list[DraftDiscount]
    events: list[DraftEvent]
    shipping: int
    shipping_discount: int
    shipping_title: str
    rate: int
    place: Place
    city: str
    presentment: str
    email: str | None
    source: str
    tags: list[str]
    note: str | None


def draft(
    book: OrderBook,
    catalogue: Catalogue,
    buyer: Person | None,
    index: int,
    *,
    planted: PlantedRange | None = None,
) -> Draft:
    """Order `index` as its seed has it: the same on every call."""
    config = book.config
    rng = Random((book.seed * 1_000_003 + index) * 2 + 1)  # noqa: S311
    at = book.processed[index]
    fate = Fate(book.fate[index])
    place = buyer.place if buyer else place_for(rng)
    zero = False
    if planted is not None:
        lines = _planted_lines(planted, rng)
        discounts = (
            [DraftDiscount("HABIT", True, percent=PERCENT_OFF)]
            if rng.random() < planted.plant.discount
            else []
        )
    else:
        lines = _lines(book, catalogue, rng, index, at)
        zero = rng.random() < 0.005
        discounts = _discounts(catalogue, rng, lines, at=at, zero=zero)
    worth = sum(line.unit * line.quantity for line in lines)
    shipping, title = _shipping(catalogue, rng, place, worth)
    if zero:
        shipping = 0
    presentment = config.currency
    if place.currency != config.currency and place.country != "US" and rng.random() < 0.6:
        presentment = place.currency
    made = Draft(
        index=index,
        fate=fate,
        lines=lines,
        discounts=discounts,
        events=[],
        shipping=shipping,
        shipping_discount=shipping if shipping and rng.random() < 0.06 else 0,
        shipping_title=title,
        rate=20_000 if config.taxes_included else place.rate,
        place=place,
        city=buyer.city if buyer else place.cities[0],
        presentment=presentment,
        email=buyer.email if buyer else None if rng.random() < 0.3 else f"guest{index}@example.com",
        source="pos" if rng.random() < 0.04 else "web",
        tags=_tags(rng, imported=index < book.imported),
        note="Please leave by the blue door 🚪" if rng.random() < 0.04 else None,
    )
    made.events = _events(made, book.event_at[index], rng, catalogue)
    return made


def _planted_lines(planted: PlantedRange, rng: Random) -> list[DraftLine]:
    lines = []
    for bought in planted.basket(rng):
        variant = bought.variants[int(rng.random() * len(bought.variants))]
        quantity = rng.choices((1, 2, 3), (85, 12, 3))[0]
        lines.append(DraftLine("product", bought.title, variant.price, quantity, bought, variant))
    return lines


def _lines(
    book: OrderBook, catalogue: Catalogue, rng: Random, index: int, at: int
) -> list[DraftLine]:
    # Orders placed later move nobody else's place.
    giant = book.config.orders >= 50 and index == book.config.orders // 3
    number = 260 if giant else rng.choices((1, 2, 3, 4, 6), (55, 25, 11, 5, 4))[0]
    lines: list[DraftLine] = []
    for _ in range(number):
        bought = catalogue.pick(rng, at)
        if bought is None:
            lines.append(DraftLine("custom", "Made for you", catalogue.amount(4_200), 1))
            continue
        variant = bought.variants[int(rng.random() * len(bought.variants))]
        quantity = rng.choices((1, 2, 3, 4), (78, 15, 5, 2))[0]
        # A press kit of samples: hundreds of lines must not make a month of their own.
        unit, quantity = (variant.price // 20, 1) if giant else (variant.price, quantity)
        lines.append(DraftLine("product", bought.title, unit, quantity, bought, variant))
    dice = rng.random()
    card = catalogue.gift_card()
    if dice < 0.015 and card:
        choice = rng.choice(card.variants)
        line = DraftLine("gift_card", card.title, choice.price, 1, card, choice)
        lines = [line] if dice < 0.007 else [*lines, line]
    elif dice < 0.027:
        lines.append(DraftLine("custom", "Custom engraving ✨", catalogue.amount(1_500), 1))
    elif dice < 0.047 and catalogue.retired:
        gone = rng.choice(catalogue.retired)
        variant = gone.variants[0]
        lines.append(DraftLine("retired", gone.title, variant.price, 1, gone, variant))
    elif dice < 0.075:
        lines.append(DraftLine("custom", "A little thank-you", 0, 1))
    elif dice < 0.10:
        lines.append(DraftLine("tip", "Tip", catalogue.amount(rng.choice((200, 300, 500))), 1))
    return lines


def _discounts(
    catalogue: Catalogue, rng: Random, lines: list[DraftLine], *, at: int, zero: bool
) -> list[DraftDiscount]:
    if zero:
        return [DraftDiscount("REPLACEMENT", True, percent=100)]
    if rng.random() > (0.55 if is_peak(at) else 0.24):
        return []
    found: list[DraftDiscount] = []
    dice = rng.random()
    if dice < 0.35 and lines[0].kind == "product":
        title, percent = rng.choice(LINE_OFFERS)
        found.append(DraftDiscount(title, False, percent=percent, line=0))
    if dice < 0.1 or 0.35 <= dice < 0.85:
        code, percent = rng.choice(PERCENT_CODES)
        found.append(DraftDiscount(code, True, percent=percent))
    elif dice >= 0.85:
        found.append(DraftDiscount("TENOFF", True, amount=catalogue.amount(1_000)))
    return found


def _shipping(catalogue: Catalogue, rng: Random, place: Place, worth: int) -> tuple[int, str]:
    if place.country != "US":
        return catalogue.amount(1_900), "International"
    if worth >= catalogue.amount(12_000):
        return 0, "Standard"
    return (
        (catalogue.amount(1_400), "Express")
        if rng.random() < 0.2
        else (
            catalogue.amount(650),
            "Standard",
        )
    )


def _tags(rng: Random, *, imported: bool) -> list[str]:
    tags = ["gift"] if rng.random() < 0.05 else []
    return sorted([*tags, "imported"] if imported else tags)


def _events(made: Draft, at: int, rng: Random, catalogue: Catalogue) -> list[DraftEvent]:
    if not at:
        return []
    goods = [k for k, line in enumerate(made.lines) if line.kind != "tip"]
    everything = [(k, made.lines[k].quantity) for k in goods]
    all_lines = [(k, line.quantity) for k, line in enumerate(made.lines)]
    one = [(rng.choice(goods), 1)]
    match made.fate:
        case Fate.RETURNED_WHOLE:
            return [DraftEvent("refund", at, everything, "RETURN", shipping_thirds=3)]
        case Fate.RETURNED_PART | Fate.REFUND_FAILED_FIRST:
            failed = made.fate == Fate.REFUND_FAILED_FIRST
            return [DraftEvent("refund", at, one, "RETURN", failed_first=failed)]
        case Fate.RETURNED_WITH_SHIPPING:
            return [DraftEvent("refund", at, one, "NO_RESTOCK", shipping_thirds=1)]
        case Fate.GOODWILL:
            return [DraftEvent("goodwill", at, goodwill=catalogue.amount(500))]
        case Fate.UNIT_REMOVED:
            return [DraftEvent("remove", at, one)]
        case Fate.LINE_ADDED:
            extra = catalogue.pick(rng, at)
            if extra is None:
                return []
            variant = extra.variants[0]
            made.lines.append(
                DraftLine(
                    "product", extra.title, variant.price, 1, extra, variant, added_later=True
                )
            )
            return [DraftEvent("add", at, [(len(made.lines) - 1, 1)])]
        case Fate.CANCELLED_PAID:
            return [DraftEvent("cancel", at, all_lines, "CANCEL", shipping_thirds=3)]
        case Fate.CANCELLED_UNPAID:
            return [
                DraftEvent("cancel", at, all_lines, "CANCEL", shipping_thirds=3, paid_back=False)
            ]
        case Fate.RETURNED_TWICE:
            rest = [(k, n - (1 if k == one[0][0] else 0)) for k, n in everything]
            return [
                DraftEvent("refund", at, one, "RETURN"),
                DraftEvent("refund", at + 2 * DAY_S, [x for x in rest if x[1]], "RETURN"),
            ]
        case _:
            return []
