"""eBay's sites: the language, currency and address that belong to each."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Marketplace:
    """One site; `language` is a tag with a hyphen, as eBay's headers want it."""

    id: str
    language: str
    currency: str
    site: str

    def listing_url(self, listing_id: str) -> str:
        """Where buyers see a listing."""
        return f"{self.site}/itm/{listing_id}"


_KNOWN = (
    Marketplace("EBAY_US", "en-US", "USD", "https://www.ebay.com"),
    Marketplace("EBAY_GB", "en-GB", "GBP", "https://www.ebay.co.uk"),
    Marketplace("EBAY_IE", "en-IE", "EUR", "https://www.ebay.ie"),
    Marketplace("EBAY_FR", "fr-FR", "EUR", "https://www.ebay.fr"),
    Marketplace("EBAY_DE", "de-DE", "EUR", "https://www.ebay.de"),
    Marketplace("EBAY_IT", "it-IT", "EUR", "https://www.ebay.it"),
    Marketplace("EBAY_ES", "es-ES", "EUR", "https://www.ebay.es"),
)

SITES: Mapping[str, Marketplace] = {marketplace.id: marketplace for marketplace in _KNOWN}
"""By eBay's id, such as `EBAY_FR`."""


def marketplace_named(marketplace_id: str) -> Marketplace:
    """The site of this id. Raises `Misconfigured` for one that is not supported."""
    found = SITES.get(marketplace_id)
    if found is None:
        raise Misconfigured(
            f"STOFLOW_EBAY_MARKETPLACE_ID must be one of {', '.join(SITES)}, "
            f"not {marketplace_id[:40]}."
        )
    return found
