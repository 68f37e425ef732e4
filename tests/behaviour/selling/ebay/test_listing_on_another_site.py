"""Sites other than the one whose categories we know: what is missing is said before anything."""

import pytest

from repositories.selling.ebay import EbayChoiceRepository
from services.gateways.ebay.marketplaces import marketplace_named
from services.selling.ebay.preflight import EbayPreflight
from tests.behaviour.selling.ebay.conftest import Shop
from tests.factories.ebay import SHIRT_CATEGORY

UNKNOWN = "category-unknown-on-site"


def rules(shop: Shop, marketplace_id: str, product_id: int) -> list[str]:
    preflight = EbayPreflight(marketplace_named(marketplace_id))
    with shop.container.database.tenant(shop.tenant) as session:
        gaps = preflight.gaps(session, [product_id]).get(product_id, ())
    return [gap.code for gap in gaps]


@pytest.mark.parametrize(
    ("marketplace_id", "currency"), [("EBAY_FR", "EUR"), ("EBAY_GB", "GBP"), ("EBAY_DE", "EUR")]
)
def test_a_category_is_never_guessed_from_another_sites_numbers(
    shop: Shop, marketplace_id: str, currency: str
) -> None:
    """C9: the seller chooses one of that site's own, and then nothing is missing."""
    product_id = shop.shirt(currency=currency)
    assert rules(shop, marketplace_id, product_id) == [UNKNOWN]
    with shop.container.database.tenant(shop.tenant) as session:
        EbayChoiceRepository(session).put(product_id, SHIRT_CATEGORY, {})
    assert rules(shop, marketplace_id, product_id) == []


def test_prices_are_in_the_sites_currency(shop: Shop) -> None:
    """B12: 25 dollars are not 25 euros."""
    product_id = shop.shirt(currency="USD")
    assert rules(shop, "EBAY_FR", product_id) == [UNKNOWN, "currency-not-accepted"]
    assert rules(shop, "EBAY_US", product_id) == []
