"""A customer as the API shows it."""

from __future__ import annotations

from brandmind.simulator.amounts import Money
from brandmind.simulator.moments import iso
from brandmind.simulator.nodes import Node, gid
from brandmind.simulator.people import Person


def customer_node(
    who: Person,
    *,
    orders: list[Node],
    last: Node | None,
    spent: Money,
    created_at: int,
    updated_at: int,
    quiet_days: int | None,
) -> Node:
    """The customer; `quiet_days` have passed since the last order, None without one."""
    address = {
        "__typename": "MailingAddress",
        "id": gid("MailingAddress", who.shopify_id) + "?model_name=CustomerAddress",
        "city": who.city or None,
        "country": who.place.country_name or None,
        "countryCodeV2": who.place.country or None,
        "province": who.place.province_name or None,
        "provinceCode": who.place.province or None,
        "firstName": who.first_name,
        "lastName": who.last_name,
        "name": who.display_name,
        "address1": f"{who.index % 300 + 1} Sample Lane",
        "address2": None,
        "zip": f"{20_000 + who.index % 70_000}",
        "phone": who.phone,
        "company": None,
    }
    has_address = bool(orders) or who.index % 3 == 0
    email = who.email and {
        "emailAddress": who.email,
        "marketingState": "SUBSCRIBED" if who.subscribed else "NOT_SUBSCRIBED",
    }
    return {
        "__typename": "Customer",
        "id": gid("Customer", who.shopify_id),
        "legacyResourceId": str(who.shopify_id),
        "displayName": who.display_name,
        "firstName": who.first_name,
        "lastName": who.last_name,
        "defaultEmailAddress": email,
        "defaultPhoneNumber": who.phone and {"phoneNumber": who.phone},
        "numberOfOrders": str(len(orders)),
        "amountSpent": spent,
        "lastOrder": last,
        "state": who.state,
        "tags": who.tags,
        "note": None,
        "verifiedEmail": who.verified,
        "taxExempt": False,
        "locale": who.locale,
        "createdAt": iso(created_at),
        "updatedAt": iso(updated_at),
        "defaultAddress": address if has_address else None,
        "addressesV2": [address] if has_address else [],
        "statistics": {"rfmGroup": rfm_group(len(orders), quiet_days)},
        "orders": orders,
    }


def rfm_group(many: int, quiet_days: int | None) -> str:
    """One of Shopify's eleven groups by orders and days of silence."""
    # A plain stand-in for Shopify's quintiles, which need everybody else's numbers as well.
    if quiet_days is None:
        return "PROSPECTS"
    days = quiet_days
    if days <= 45:
        return "NEW" if many == 1 else "CHAMPIONS" if many >= 4 else "ACTIVE"
    if days <= 120:
        return "PROMISING" if many == 1 else "LOYAL" if many >= 4 else "ACTIVE"
    if days <= 240:
        return "ALMOST_LOST" if many == 1 else "LOYAL" if many >= 4 else "NEEDS_ATTENTION"
    return "DORMANT" if many == 1 else "PREVIOUSLY_LOYAL" if many >= 4 else "AT_RISK"
