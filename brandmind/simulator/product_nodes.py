"""Products and variants as the API shows them."""

from __future__ import annotations

from brandmind.simulator.amounts import Money, price_text
from brandmind.simulator.catalogue import INVENTORY_BASE, VARIANT_BASE, Catalogue, Product, Variant
from brandmind.simulator.moments import iso, iso_or_none
from brandmind.simulator.nodes import LazyNode, Node, gid


def product_node(product: Product, *, currency: str, host: str) -> Node:
    """The product with all of its variants (a plain list: the executor makes it a connection)."""
    prices = [variant.price for variant in product.variants]
    names = [name for name, _ in product.variants[0].options]
    image = {
        "id": gid("ImageSource", product.shopify_id + 1),
        "url": f"https://cdn.example.com/{host}/{product.handle}.jpg",
        "altText": product.title,
        "width": 1200,
        "height": 1200,
    }
    node: Node = {
        "__typename": "Product",
        "id": gid("Product", product.shopify_id),
        "legacyResourceId": str(product.shopify_id),
        "title": product.title,
        "handle": product.handle,
        "status": product.status,
        "vendor": product.vendor,
        "productType": product.product_type,
        "tags": product.tags,
        "category": product.category
        and {
            "id": gid("TaxonomyCategory", 0)[:-1] + product.category[0],
            "fullName": product.category[1],
            "name": product.category[1].split(" > ")[-1],
        },
        "createdAt": iso(product.created_at),
        "updatedAt": iso(product.updated_at),
        "publishedAt": iso_or_none(product.published_at),
        "totalInventory": sum(variant.stock for variant in product.variants),
        "tracksInventory": product.tracked,
        "hasOnlyDefaultVariant": product.variants[0].title == "Default Title",
        "hasOutOfStockVariants": product.tracked and any(v.stock <= 0 for v in product.variants),
        "variantsCount": {"count": len(product.variants), "precision": "EXACT"},
        "priceRangeV2": {
            "minVariantPrice": Money(min(prices), currency),
            "maxVariantPrice": Money(max(prices), currency),
        },
        "featuredMedia": None
        if product.index % 13 == 12
        else {
            "__typename": "MediaImage",
            "id": gid("MediaImage", product.shopify_id + 2),
            "alt": product.title,
            "mediaContentType": "IMAGE",
            "preview": {"image": image},
            "image": image,
        },
        "onlineStoreUrl": f"https://{host}/products/{product.handle}"
        if product.status == "ACTIVE"
        else None,
        "isGiftCard": product.is_gift_card,
        "descriptionHtml": product.description,
        "templateSuffix": None,
        "options": [
            {
                "id": gid("ProductOption", product.shopify_id + 10 + place),
                "name": name,
                "position": place + 1,
                "values": list(dict.fromkeys(v.options[place][1] for v in product.variants)),
            }
            for place, name in enumerate(names)
        ],
    }
    node["variants"] = [
        variant_node(product, variant, node, currency=currency) for variant in product.variants
    ]
    return node


def variant_node(product: Product, variant: Variant, parent: Node, *, currency: str) -> Node:
    """A variant; `parent` is its product's node."""
    inventory_id = variant.shopify_id - VARIANT_BASE + INVENTORY_BASE
    made, changed = parent["createdAt"], parent["updatedAt"]
    default = variant.title == "Default Title"
    return {
        "__typename": "ProductVariant",
        "id": gid("ProductVariant", variant.shopify_id),
        "legacyResourceId": str(variant.shopify_id),
        "title": variant.title,
        "displayName": f"{product.title} - {variant.title}",
        "sku": variant.sku,
        "barcode": variant.barcode,
        "price": price_text(variant.price, currency),
        "compareAtPrice": None
        if variant.compare_at is None
        else price_text(variant.compare_at, currency),
        "inventoryQuantity": variant.stock,
        "inventoryPolicy": "CONTINUE" if variant.stock < 0 else "DENY",
        "inventoryItem": {
            "__typename": "InventoryItem",
            "id": gid("InventoryItem", inventory_id),
            "legacyResourceId": str(inventory_id),
            "sku": variant.sku,
            "tracked": product.tracked,
            "unitCost": None if variant.unit_cost is None else Money(variant.unit_cost, currency),
            "requiresShipping": not product.is_gift_card,
            "createdAt": made,
            "updatedAt": changed,
        },
        "position": variant.position,
        "selectedOptions": [{"name": name, "value": value} for name, value in variant.options],
        "taxable": not product.is_gift_card,
        "availableForSale": default or variant.stock != 0,
        "createdAt": made,
        "updatedAt": changed,
        "product": parent,
    }


def lazy_product(catalogue: Catalogue, product: Product, *, currency: str, host: str) -> LazyNode:
    """The product behind a line item."""
    return LazyNode(
        "Product",
        product.shopify_id,
        lambda: product_node(product, currency=currency, host=host),
    )


def lazy_variant(product: Product, variant: Variant, *, currency: str, host: str) -> LazyNode:
    """The variant behind a line item."""

    def fill() -> Node:
        parent = product_node(product, currency=currency, host=host)
        found: Node = parent["variants"][variant.position - 1]
        return found

    return LazyNode("ProductVariant", variant.shopify_id, fill)
