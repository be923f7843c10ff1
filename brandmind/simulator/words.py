"""Invented words from which brands, products and people are put together."""

from __future__ import annotations

from typing import NamedTuple


class Theme(NamedTuple):
    """A kind of brand: what it sells, how it names it, how it is shelved."""

    key: str
    categories: tuple[tuple[str, str], ...]
    nouns: tuple[tuple[str, int, int], ...]
    makers: tuple[str, ...]
    options: tuple[tuple[str, tuple[str, ...]], ...]
    hero: str


THEMES = (
    Theme(
        "table",
        (
            ("hg-11-10", "Home & Garden > Kitchen & Dining > Tableware"),
            ("hg-3-4", "Home & Garden > Decor > Vases"),
            ("hg-15", "Home & Garden > Linens & Bedding"),
        ),
        (
            ("Stoneware Mug", 2400, 0),
            ("Serving Bowl", 5800, 0),
            ("Dinner Plate", 3400, 0),
            ("Bud Vase", 3900, 1),
            ("Floor Vase", 14800, 1),
            ("Linen Napkins", 3200, 2),
            ("Table Runner", 6400, 2),
            ("Oak Board", 7200, 0),
            ("Salt Cellar", 2800, 0),
            ("Pouring Jug", 4600, 0),
            ("Tea Towel", 1800, 2),
            ("Candle Stand", 4200, 1),
        ),
        ("Kiln Works", "Northfold", "Saltmarsh Studio"),
        (("Colour", ("Chalk", "Moss", "Ink", "Clay")), ("Size", ("Small", "Medium", "Large"))),
        "Everyday Bowl",
    ),
    Theme(
        "outdoors",
        (
            ("aa-1", "Apparel & Accessories > Clothing"),
            ("lb-2", "Luggage & Bags > Backpacks"),
            ("sg-4-2", "Sporting Goods > Outdoor Recreation > Camping & Hiking"),
        ),
        (
            ("Wool Overshirt", 12800, 0),
            ("Rain Shell", 18900, 0),
            ("Merino Tee", 6400, 0),
            ("Trail Cap", 3600, 0),
            ("Day Pack", 9800, 1),
            ("Tote", 4800, 1),
            ("Camp Blanket", 11400, 2),
            ("Enamel Cup", 1900, 2),
            ("Rope Leash", 3800, 2),
            ("Waxed Pouch", 4400, 1),
            ("Field Socks", 2200, 0),
            ("Dry Bag", 3900, 1),
        ),
        ("Ridgeline", "Tidewater Goods", "Fern & Fell"),
        (("Size", ("XS", "S", "M", "L", "XL")), ("Colour", ("Pine", "Slate", "Ochre"))),
        "Harbor Jacket",
    ),
    Theme(
        "care",
        (
            ("hb-3-2-9", "Health & Beauty > Personal Care > Cosmetics > Skin Care"),
            ("hg-3-20", "Home & Garden > Decor > Home Fragrances > Candles"),
            ("hb-3-2-1", "Health & Beauty > Personal Care > Bath & Body"),
        ),
        (
            ("Face Oil", 4800, 0),
            ("Day Cream", 5200, 0),
            ("Clay Mask", 3600, 0),
            ("Soy Candle", 3400, 1),
            ("Room Mist", 2900, 1),
            ("Bar Soap", 1200, 2),
            ("Bath Salts", 2600, 2),
            ("Hand Balm", 1800, 2),
            ("Body Wash", 2800, 2),
            ("Lip Balm", 900, 0),
            ("Hair Oil", 3900, 2),
            ("Travel Set", 6400, 2),
        ),
        ("Apothecary Row", "Lumen Lab", "Meadow & Still"),
        (("Scent", ("Cedar", "Neroli", "Unscented")), ("Size", ("30 ml", "100 ml"))),
        "Night Balm",
    ),
    Theme(
        "pantry",
        (
            ("fb-1-4", "Food, Beverages & Tobacco > Beverages > Coffee"),
            ("fb-2-3", "Food, Beverages & Tobacco > Food Items > Condiments & Sauces"),
            ("hg-11-1", "Home & Garden > Kitchen & Dining > Barware"),
        ),
        (
            ("House Blend", 1700, 0),
            ("Single Origin", 2200, 0),
            ("Cold Brew Pack", 2600, 0),
            ("Chilli Crisp", 1400, 1),
            ("Wild Honey", 1800, 1),
            ("Olive Oil", 2900, 1),
            ("Sea Salt", 1100, 1),
            ("Glass Dripper", 4200, 2),
            ("Hand Grinder", 8900, 2),
            ("Tasting Box", 5400, 0),
            ("Loose Tea", 1600, 0),
            ("Stovetop Pot", 6800, 2),
        ),
        ("Roastery Nine", "Larder Lane", "Saddleback"),
        (("Size", ("250 g", "500 g", "1 kg")), ("Grind", ("Whole", "Filter", "Espresso"))),
        "Morning Blend",
    ),
)

QUALITIES = (
    "Harbor", "Juniper", "Quiet", "Alder", "Wren", "Marlow", "Ember", "Cove", "Birch", "Tansy",
    "Hollow", "Sable", "Fennel", "Larch", "Drift", "Orchard", "Pebble", "Rowan", "Willow", "Cinder",
    "Meridian", "Thistle", "Anchor", "Bramble", "Lowland", "Kestrel", "Sorrel", "Flint", "Amber",
    "Vesper",
)  # fmt: skip

FIRST_NAMES = (
    "Mara", "Ivo", "Noor", "Tilda", "Ansel", "Priya", "Joaquin", "Sunniva", "Dele", "Wren",
    "Callum", "Yuki", "Odile", "Bashir", "Greta", "Tomasz", "Leilani", "Emeka", "Saoirse", "Kofi",
    "Zoë", "Anaïs", "Søren", "Łucja", "أمينة", "יונתן", "美咲", "Ольга", "Nia 🌿", "Theo", "Ruth",
    "Hollis", "Imani", "Pascal", "Birgit", "Omar", "Delphine", "Marisol", "Finn", "Aroha",
)  # fmt: skip

LAST_NAMES = (
    "Alderby", "Okonjo", "Marchetti", "Lindqvist", "Pemberly", "Nakagome", "Ferreira", "Dunmore",
    "Vasquez", "Brightwater", "Castellan", "Ibarra", "Thornbury", "O’Shea", "Kowalewska", "Adeyemi",
    "Halloran", "Voss", "Santoro", "Mbeki", "الزهراني", "כרמי", "高橋", "Ström", "D’Angelo 🎈",
    "Whitlock", "Rasmussen", "Petrov", "Achterberg", "Quill",
)  # fmt: skip


class Place(NamedTuple):
    """Where parcels go: weight among all orders, tax rate in parts per 100,000."""

    country: str
    country_name: str
    province: str
    province_name: str
    cities: tuple[str, ...]
    weight: int
    rate: int
    currency: str


PLACES = (
    Place("US", "United States", "NY", "New York", ("Brooklyn", "Albany"), 190, 8875, "USD"),
    Place("US", "United States", "CA", "California", ("Oakland", "San Diego"), 160, 7250, "USD"),
    Place("US", "United States", "TX", "Texas", ("Austin", "Houston"), 110, 6250, "USD"),
    Place("US", "United States", "MA", "Massachusetts", ("Salem",), 80, 6250, "USD"),
    Place("US", "United States", "WA", "Washington", ("Seattle", "Tacoma"), 80, 6500, "USD"),
    Place("US", "United States", "IL", "Illinois", ("Chicago",), 70, 6250, "USD"),
    Place("US", "United States", "OR", "Oregon", ("Portland", "Bend"), 70, 0, "USD"),
    Place("US", "United States", "FL", "Florida", ("Miami", "Tampa"), 60, 6000, "USD"),
    Place("CA", "Canada", "ON", "Ontario", ("Toronto", "Ottawa"), 70, 13000, "CAD"),
    Place("GB", "United Kingdom", "ENG", "England", ("Leeds", "Bristol"), 50, 0, "GBP"),
    Place("DE", "Germany", "", "", ("Bremen", "Köln"), 25, 0, "EUR"),
    Place("AU", "Australia", "VIC", "Victoria", ("Geelong",), 20, 0, "AUD"),
    Place("JP", "Japan", "JP-13", "Tōkyō", ("Setagaya",), 10, 0, "JPY"),
    Place("IL", "Israel", "", "", ("חיפה",), 5, 0, "USD"),
)

PERCENT_CODES = (("WELCOME10", 10), ("FRIENDS15", 15), ("SEASON20", 20), ("LETTER10", 10))
LINE_OFFERS = (("Bundle & save", 10), ("End of line", 25))


def brand_name(shop: str) -> str:
    """`harbor-and-pine.myshopify.com` is Harbor & Pine."""
    words = shop.split(".")[0].split("-")
    return " ".join("&" if word == "and" else word.capitalize() for word in words if word)
