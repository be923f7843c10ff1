"""The shop as the API shows it."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from brandmind.simulator.config import ShopConfig
from brandmind.simulator.moments import DAY_S, iso
from brandmind.simulator.nodes import Node, gid
from brandmind.simulator.planting import HISTORY_DAYS


def shop_node(*, shop: str, name: str, shopify_id: int, config: ShopConfig) -> Node:
    """The shop's own facts."""
    days = 760 if config.plant is None else HISTORY_DAYS + 3
    opened = iso(config.as_of - days * DAY_S)
    return {
        "__typename": "Shop",
        "id": gid("Shop", shopify_id),
        "name": name,
        "email": f"hello@{shop.split('.')[0]}.example.com",
        "contactEmail": f"care@{shop.split('.')[0]}.example.com",
        "shopOwnerName": "Robin Harbor",
        "myshopifyDomain": shop,
        "url": f"https://{shop}",
        "primaryDomain": {
            "__typename": "Domain",
            "id": gid("Domain", shopify_id + 7),
            "host": shop,
            "url": f"https://{shop}",
            "sslEnabled": True,
        },
        "currencyCode": config.currency,
        "ianaTimezone": config.timezone,
        "timezoneOffsetMinutes": _offset_minutes(config),
        "plan": {
            "publicDisplayName": "Basic",
            "partnerDevelopment": False,
            "shopifyPlus": False,
        },
        "enabledPresentmentCurrencies": sorted(
            {config.currency, "CAD", "GBP", "EUR", "AUD", "JPY"}
        ),
        "shopAddress": {
            "__typename": "ShopAddress",
            "id": gid("ShopAddress", shopify_id),
            **(
                {
                    "city": "Brooklyn",
                    "country": "United States",
                    "countryCodeV2": "US",
                    "province": "New York",
                    "provinceCode": "NY",
                }
                if config.country == "US"
                else {
                    "city": None,
                    "country": config.country,
                    "countryCodeV2": config.country,
                    "province": None,
                    "provinceCode": None,
                }
            ),
        },
        "createdAt": opened,
        "updatedAt": opened,
        "taxesIncluded": config.taxes_included,
        "taxShipping": True,
    }


def _offset_minutes(config: ShopConfig) -> int:
    at = datetime.fromtimestamp(config.as_of, UTC).astimezone(ZoneInfo(config.timezone))
    offset = at.utcoffset()
    return int(offset.total_seconds() // 60) if offset else 0
