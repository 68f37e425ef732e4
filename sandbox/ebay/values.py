"""Words and limits of eBay's values."""

import re
from dataclasses import dataclass

CONDITION_WORDS = frozenset(
    [
        "NEW",
        "LIKE_NEW",
        "NEW_OTHER",
        "NEW_WITH_DEFECTS",
        "MANUFACTURER_REFURBISHED",
        "CERTIFIED_REFURBISHED",
        "EXCELLENT_REFURBISHED",
        "VERY_GOOD_REFURBISHED",
        "GOOD_REFURBISHED",
        "SELLER_REFURBISHED",
        "USED_EXCELLENT",
        "USED_VERY_GOOD",
        "USED_GOOD",
        "USED_ACCEPTABLE",
        "FOR_PARTS_OR_NOT_WORKING",
        "PRE_OWNED_EXCELLENT",
        "PRE_OWNED_FAIR",
    ]
)
LOCALES = frozenset(
    [
        "en_US",
        "en_CA",
        "fr_CA",
        "en_GB",
        "en_AU",
        "en_IN",
        "de_AT",
        "fr_BE",
        "fr_FR",
        "de_DE",
        "it_IT",
        "nl_BE",
        "nl_NL",
        "es_ES",
        "de_CH",
        "fi_FI",
        "zh_HK",
        "hu_HU",
        "en_PH",
        "pl_PL",
        "pt_PT",
        "ru_RU",
        "en_SG",
        "en_IE",
        "en_MY",
    ]
)
CONTENT_LANGUAGES = frozenset(locale.replace("_", "-") for locale in LOCALES)

ACCOUNT_MARKETPLACES = frozenset(
    f"EBAY_{site}"
    for site in [
        "AT",
        "AU",
        "BE",
        "CA",
        "CH",
        "CN",
        "CZ",
        "DE",
        "DK",
        "ES",
        "FI",
        "FR",
        "GB",
        "GR",
        "HK",
        "HU",
        "ID",
        "IE",
        "IL",
        "IN",
        "IT",
        "JP",
        "MY",
        "NL",
        "NO",
        "NZ",
        "PE",
        "PH",
        "PL",
        "PR",
        "PT",
        "RU",
        "SE",
        "SG",
        "TH",
        "TW",
        "US",
        "VN",
        "ZA",
        "HALF_US",
        "MOTORS_US",
    ]
)
"""Marketplaces that business policies can be made for."""
LISTING_MARKETPLACES = ACCOUNT_MARKETPLACES - {"EBAY_HALF_US", "EBAY_MOTORS_US"} | {"EBAY_MOTORS"}
"""Marketplaces an offer can name."""
FORMATS = frozenset({"AUCTION", "FIXED_PRICE"})


@dataclass(frozen=True)
class Site:
    """A marketplace this sandbox lists on."""

    marketplace_id: str
    currency: str
    tree_id: str
    """eBay's number of its category tree."""
    language: str
    """As in `Content-Language`."""
    country: str


HOME = Site("EBAY_US", "USD", "0", "en-US", "US")
"""Where accounts are opened, and whose categories the data files tell."""
SITES = {
    site.marketplace_id: site
    for site in (
        HOME,
        Site("EBAY_GB", "GBP", "3", "en-GB", "GB"),
        Site("EBAY_FR", "EUR", "71", "fr-FR", "FR"),
        Site("EBAY_DE", "EUR", "77", "de-DE", "DE"),
    )
}
SITES_BY_TREE = {site.tree_id: site for site in SITES.values()}
NO_SUCH_SITE = f"The sandbox lists on {', '.join(SITES)} only."

MAX_SKU = 50
MAX_TITLE = 80
MAX_DESCRIPTION = 4_000
MAX_LISTING_DESCRIPTION = 500_000
MAX_PICTURES = 24
MAX_LOCATION_KEY = 36
MAX_BULK = 25
MAX_VARIATIONS = 250
MAX_REVISIONS_PER_DAY = 250

SKU = re.compile(rf"[A-Za-z0-9._-]{{1,{MAX_SKU}}}")
_LANGUAGE_RANGE = re.compile(r"[a-z]{2}(-[A-Z]{2})?")


def acceptable_language(header: str | None) -> bool:
    """Whether an Accept-Language names languages: present, well formed, no wildcard."""
    return all(_LANGUAGE_RANGE.fullmatch(one) for one in _ranges(header or ""))


def first_language(header: str) -> str:
    """The language an Accept-Language names first."""
    return _ranges(header)[0]


def _ranges(header: str) -> list[str]:
    return [part.partition(";")[0].strip() for part in header.split(",")]
