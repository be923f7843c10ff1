"""What a bare program does with the same bytes: downloaded, decoded, written; nothing else.

No retries, no checkpoints, no ledger rules, no days of the shop's zone: the least code that fills
the same rows of the same tables. `--download-only` stops after the first of the three.
"""

from __future__ import annotations

import argparse
import sqlite3
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import orjson

Json = dict[str, Any]
Row = tuple[Any, ...]
Rows = dict[str, list[Row]]

STORE = "store"


def main() -> None:
    """Ask the questions in the file one after the other, and write the answers."""
    parser = argparse.ArgumentParser(prog="python -m bench.ceiling", description=__doc__)
    parser.add_argument("address")
    parser.add_argument("questions", type=Path)
    parser.add_argument("database", type=Path)
    parser.add_argument("--download-only", action="store_true")
    chosen = parser.parse_args()
    questions = [text.encode() for text in orjson.loads(chosen.questions.read_bytes())]
    with httpx.Client(trust_env=False, timeout=60) as http:
        answers = (http.post(chosen.address, content=question).content for question in questions)
        if chosen.download_only:
            print(sum(len(answer) for answer in answers))
            return
        write(chosen.database, zip(questions, answers, strict=True))


def write(database: Path, exchanges: Iterable[tuple[bytes, bytes]]) -> None:
    """One transaction an answer."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    statements = {table: _insert(connection, table) for table in TABLES}
    for question, answer in exchanges:
        rows: Rows = {table: [] for table in TABLES}
        read(orjson.loads(question)["variables"], orjson.loads(answer)["data"], rows)
        connection.execute("BEGIN")
        for table, found in rows.items():
            if found:
                connection.executemany(statements[table], found)
        connection.execute("COMMIT")
    connection.close()


def _insert(connection: sqlite3.Connection, table: str) -> str:
    width = len(connection.execute(f"PRAGMA table_info({table})").fetchall())
    return f"INSERT OR REPLACE INTO {table} VALUES ({', '.join('?' * width)})"


TABLES = (
    "product",
    "variant",
    "shop_order",
    "order_line",
    "order_sale",
    "order_refund",
    "customer",
)


def read(asked: Json, data: Json, rows: Rows) -> None:
    """Add the rows in the data of an answer to those of their tables."""
    for name in ("products", "orders", "customers"):
        for node in (data.get(name) or {}).get("nodes") or ():
            _ROWS[name](node, rows)
    for node in data.get("nodes") or ():
        _children(_number(node["id"]), node, rows)
    if data.get("order"):
        _children(_number(asked["id"]), data["order"], rows)
    if data.get("product"):
        for node in data["product"]["variants"]["nodes"]:
            _variant(_number(asked["id"]), node, rows)


def _product(node: Json, rows: Rows) -> None:
    number = _number(node["id"])
    media = node["featuredMedia"]
    rows["product"].append(
        (
            STORE,
            number,
            node["title"],
            node["handle"],
            node["status"],
            node["vendor"],
            node["productType"],
            node["category"] and node["category"]["fullName"],
            orjson.dumps(node["tags"]).decode(),
            node["isGiftCard"],
            node["totalInventory"],
            node["tracksInventory"],
            media and media["preview"]["image"]["url"],
            node["onlineStoreUrl"],
            _ms(node["createdAt"]),
            _ms(node["updatedAt"]),
            _ms(node["publishedAt"]),
            0,
        ),
    )
    for variant in node["variants"]["nodes"]:
        _variant(number, variant, rows)


def _variant(product: int, node: Json, rows: Rows) -> None:
    cost = node["inventoryItem"]["unitCost"]
    rows["variant"].append(
        (
            STORE,
            _number(node["id"]),
            product,
            node["title"],
            node["sku"],
            node["barcode"],
            _minor(node["price"]),
            node["compareAtPrice"] and _minor(node["compareAtPrice"]),
            cost and _minor(cost["amount"]),
            node["inventoryQuantity"],
            node["position"],
            orjson.dumps(node["selectedOptions"]).decode(),
            _ms(node["createdAt"]),
            _ms(node["updatedAt"]),
        )
    )


def _order(node: Json, rows: Rows) -> None:
    number = _number(node["id"])
    address = node["shippingAddress"] or node["billingAddress"] or {}
    rows["shop_order"].append(
        (
            STORE,
            number,
            node["name"],
            node["number"],
            _ms(node["createdAt"]),
            _ms(node["processedAt"]),
            _ms(node["updatedAt"]),
            _ms(node["cancelledAt"]),
            node["cancelReason"],
            _ms(node["closedAt"]),
            node["test"],
            node["confirmed"],
            node["currencyCode"],
            node["presentmentCurrencyCode"],
            node["displayFinancialStatus"],
            node["displayFulfillmentStatus"],
            node["returnStatus"],
            node["sourceName"],
            orjson.dumps(node["tags"]).decode(),
            orjson.dumps(node["discountCodes"]).decode(),
            node["customer"] and _number(node["customer"]["id"]),
            address.get("countryCodeV2"),
            address.get("provinceCode"),
            address.get("city"),
            node["taxesIncluded"],
            *(_minor(node[field]["shopMoney"]["amount"]) for field in ORDER_MONEY),
            _minor(node["totalPriceSet"]["presentmentMoney"]["amount"]),
            node["processedAt"][:10],
            0,
        ),
    )
    _children(number, node, rows)
    for refund in node["refunds"]:
        lines = refund["refundLineItems"]["nodes"]
        rows["order_refund"].append(
            (
                STORE,
                _number(refund["id"]),
                number,
                _ms(refund["createdAt"]),
                _ms(refund["processedAt"]),
                _ms(refund["updatedAt"]),
                _minor(refund["totalRefundedSet"]["shopMoney"]["amount"]),
                sum(line["quantity"] for line in lines if line["restockType"] != "NO_RESTOCK"),
                sum(line["quantity"] for line in lines),
            ),
        )


ORDER_MONEY = (
    "totalPriceSet",
    "originalTotalPriceSet",
    "currentTotalPriceSet",
    "subtotalPriceSet",
    "currentSubtotalPriceSet",
    "totalDiscountsSet",
    "totalTaxSet",
    "totalShippingPriceSet",
    "totalRefundedSet",
    "netPaymentSet",
    "totalTipReceivedSet",
)


def _children(order: int, node: Json, rows: Rows) -> None:
    for position, line in enumerate((node.get("lineItems") or {}).get("nodes") or ()):
        rows["order_line"].append(
            (
                STORE,
                _number(line["id"]),
                order,
                position,
                line["product"] and _number(line["product"]["id"]),
                line["variant"] and _number(line["variant"]["id"]),
                line["title"],
                line["variantTitle"],
                line["sku"],
                line["vendor"],
                line["quantity"],
                line["currentQuantity"],
                line["isGiftCard"],
                _minor(line["originalUnitPriceSet"]["shopMoney"]["amount"]),
                _minor(line["originalTotalSet"]["shopMoney"]["amount"]),
                _minor(line["discountedTotalSet"]["shopMoney"]["amount"]),
                _minor(line["totalDiscountSet"]["shopMoney"]["amount"]),
                sum(_minor(tax["priceSet"]["shopMoney"]["amount"]) for tax in line["taxLines"]),
            ),
        )
    for agreement in (node.get("agreements") or {}).get("nodes") or ():
        number, at = _number(agreement["id"]), _ms(agreement["happenedAt"])
        placed = agreement["__typename"] == "OrderAgreement"
        for sale in agreement["sales"]["nodes"]:
            total = _minor(sale["totalAmount"]["shopMoney"]["amount"])
            tax = _minor(sale["totalTaxAmount"]["shopMoney"]["amount"])
            off = _minor(sale["totalDiscountAmountBeforeTaxes"]["shopMoney"]["amount"])
            line = sale.get("lineItem")
            rows["order_sale"].append(
                (
                    STORE,
                    _number(sale["id"]),
                    order,
                    number,
                    at,
                    sale["actionType"],
                    sale["lineType"],
                    placed,
                    line and _number(line["id"]),
                    None,
                    sale["quantity"] or 0,
                    total,
                    tax,
                    total - tax + off,
                    -off,
                    0,
                    total - tax,
                    agreement["happenedAt"][:10],
                    1,
                ),
            )


def _customer(node: Json, rows: Rows) -> None:
    email, phone = node["defaultEmailAddress"] or {}, node["defaultPhoneNumber"] or {}
    address, spent = node["defaultAddress"] or {}, node["amountSpent"]
    rows["customer"].append(
        (
            STORE,
            _number(node["id"]),
            node["displayName"],
            node["firstName"],
            node["lastName"],
            email.get("emailAddress"),
            phone.get("phoneNumber"),
            email.get("marketingState"),
            int(node["numberOfOrders"]),
            _minor(spent["amount"]),
            spent["currencyCode"],
            node["lastOrder"] and _number(node["lastOrder"]["id"]),
            node["state"],
            orjson.dumps(node["tags"]).decode(),
            node["verifiedEmail"],
            node["locale"],
            address.get("countryCodeV2"),
            address.get("provinceCode"),
            address.get("city"),
            node["statistics"] and node["statistics"]["rfmGroup"],
            _ms(node["createdAt"]),
            _ms(node["updatedAt"]),
            0,
        ),
    )


_ROWS = {"products": _product, "orders": _order, "customers": _customer}


def _number(gid: str) -> int:
    return int(gid.rsplit("/", 1)[1])


def _minor(amount: str) -> int:
    return round(float(amount) * 100)


def _ms(text: str | None) -> int | None:
    return int(datetime.fromisoformat(text).timestamp() * 1000) if text else None


if __name__ == "__main__":
    main()
