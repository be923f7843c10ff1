"""The customers of a store one by one: what each bought, and who they are as far as it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from brandmind.db.facts import PAID, unix_ms
from brandmind.db.tables import CUSTOMER, ORDER, SALE
from brandmind.dna.facts import CustomerFact

_AT_ONCE: Final = 500


class PersonRow(NamedTuple):
    """Who a customer is; None where Shopify does not show it to this app."""

    customer_id: int
    name: str | None
    email: str | None
    email_marketing: str | None
    city: str | None
    country_code: str | None


def lives(session: Session, store_id: str, *, currency: str, end: date) -> list[CustomerFact]:
    """What every customer bought before the day `end`, by the rules of `dna.facts.CustomerFact`.

    Only what the groups are made of: first days and the shop's own counts are left at 0 and None.
    """
    worth = (
        sa.select(
            SALE.c.order_id,
            sa.func.sum(SALE.c.gross_minor + SALE.c.discounts_minor).label("sold"),
            sa.func.sum(SALE.c.returns_minor).label("returned"),
        )
        .where(
            SALE.c.store_id == store_id,
            SALE.c.counted,
            SALE.c.kind == "PRODUCT",
            SALE.c.day < end.isoformat(),
        )
        .group_by(SALE.c.order_id)
        .having(sa.func.sum(SALE.c.gross_minor + SALE.c.discounts_minor) > 0)
        .subquery("worth")
    )
    rows = session.execute(
        sa.select(
            ORDER.c.customer_id,
            sa.func.max(unix_ms(session, ORDER.c.processed_at)),
            sa.func.count(),
            sa.func.sum(worth.c.sold + worth.c.returned),
        )
        .join(worth, worth.c.order_id == ORDER.c.shopify_id)
        .where(
            ORDER.c.store_id == store_id,
            ORDER.c.customer_id.is_not(None),
            ORDER.c.day < end.isoformat(),
            sa.not_(ORDER.c.test),
            ORDER.c.currency == currency,
            sa.or_(ORDER.c.cancelled_at.is_(None), ORDER.c.financial_status.in_(PAID)),
        )
        .group_by(ORDER.c.customer_id)
        .order_by(ORDER.c.customer_id)
    )
    return [
        CustomerFact(gid, 0, int(last_at_ms), orders, int(net_minor), orders, None)
        for gid, last_at_ms, orders, net_minor in rows
    ]


def people(session: Session, store_id: str, ids: Sequence[int]) -> dict[int, PersonRow]:
    """Who these customers of the store are, by id; those that are not stored are not there."""
    found: dict[int, PersonRow] = {}
    for start in range(0, len(ids), _AT_ONCE):
        rows = session.execute(
            sa.select(
                CUSTOMER.c.shopify_id,
                CUSTOMER.c.display_name,
                CUSTOMER.c.email,
                CUSTOMER.c.email_marketing_state,
                CUSTOMER.c.city,
                CUSTOMER.c.country_code,
            ).where(
                CUSTOMER.c.store_id == store_id,
                CUSTOMER.c.shopify_id.in_(ids[start : start + _AT_ONCE]),
            )
        )
        found.update({row[0]: PersonRow(*row) for row in rows})
    return found
