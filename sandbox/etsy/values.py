"""Words and figures that Etsy publishes, and the sandbox's own carriers."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

WHO_MADE = ("i_did", "someone_else", "collective")
LISTING_TYPES = ("physical", "download", "both")
STATES = ("active", "inactive", "sold_out", "draft", "expired")
WEIGHT_UNITS = ("oz", "lb", "g", "kg")
DIMENSION_UNITS = ("in", "ft", "mm", "cm", "m", "yd", "inches")
LANGUAGES = (
    "de", "en-GB", "en-IN", "en-US", "es", "fr", "it", "ja", "nl", "pl", "pt", "ru", "sv",
)  # fmt: skip
INCLUDES = (
    "Shipping", "Images", "Shop", "User", "Translations", "Inventory", "Videos",
    "Personalization", "BuyerPrice",
)  # fmt: skip
SORT_ORDERS = ("asc", "ascending", "desc", "descending", "up", "down")
ASCENDING = frozenset({"asc", "ascending", "up"})
POSTAL_COUNTRIES = frozenset({"US", "FR", "DE", "GB"})
VINTAGE_YEARS = 20
"""What is at least this old counts as vintage; the words for eras move with it."""
OTHER_CARRIER = "other"


@dataclass(frozen=True)
class Carrier:
    """Who carries parcels; `key` is what shipments name."""

    key: str
    name: str
    countries: tuple[str, ...]
    mail_classes: tuple[str, ...]


CARRIERS = {
    901: Carrier("usps", "USPS", ("US",), ("ground_advantage", "priority")),
    902: Carrier("ups", "UPS", ("US", "FR", "DE", "GB"), ("standard",)),
    903: Carrier("la-poste", "La Poste", ("FR",), ("colissimo", "lettre_suivie")),
    904: Carrier("dhl", "DHL", ("DE", "FR", "GB"), ("paket",)),
    905: Carrier("royal-mail", "Royal Mail", ("GB",), ("first_class", "second_class")),
}
"""Numbers and mail classes are the sandbox's own."""


def cents(amount: Decimal) -> int:
    """An amount in hundredths."""
    return int((amount * 100).quantize(Decimal(1), ROUND_HALF_UP))


def when_made_words(now: datetime) -> tuple[str, ...]:
    """The eras of a listing; they move on every new year."""
    vintage = now.year - VINTAGE_YEARS + 1
    return (
        "made_to_order",
        f"2020_{now.year}",
        "2010_2019",
        f"{vintage}_2009",
        f"before_{vintage}",
        f"2000_{vintage - 1}",
        *(f"{decade}s" for decade in range(1990, 1890, -10)),
        "1800s",
        "1700s",
        "before_1700",
    )
