"""Finds a listing that eBay has of a product and writes it down; changes nothing on eBay."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.selling.publishing import MarketplaceJob
from repositories.selling.catalog import ProductRepository
from services.gateways.ebay.marketplaces import Marketplace
from services.gateways.ebay.offers import StoredOffer
from services.selling.ebay.desk import EbayWorkshop
from services.selling.ebay.listings import SeenListing, write_live
from services.selling.ebay.sites import site_in
from services.selling.publishing.handlers import Cancel, Completed, Journal, Problem, Verdict
from services.selling.publishing.preparing import product_of
from shared.database import TenantSchema, TenantSession


@dataclass(frozen=True, slots=True)
class LinkCommand:
    """The SKUs to look for. They are ours alone and never change: no listing is found by title."""

    tenant: TenantSchema
    site: Marketplace
    skus: Sequence[str]


@dataclass(frozen=True, slots=True)
class Found:
    """What eBay has on a site, by SKU."""

    site: Marketplace
    offers: Mapping[str, StoredOffer]
    group_key: str | None

    @property
    def listing_id(self) -> str | None:
        """Where it is listed, if it is."""
        listed = (offer.listing_id for offer in self.offers.values() if offer.published)
        return next(listed, None)


class EbayLink:
    """Handler of `link` jobs."""

    def __init__(self, shop: EbayWorkshop) -> None:
        self._shop = shop

    def prepare(self, session: TenantSession, job: MarketplaceJob) -> LinkCommand | Verdict:
        """The product's SKUs."""
        product = ProductRepository(session).get(product_of(job))
        if product is None:
            return Cancel(Problem("product-gone", "The product is no longer there."))
        site = site_in(session, self._shop.gateway.marketplace)
        return LinkCommand(session.tenant, site, [each.channel_key for each in product.variants])

    def perform(self, command: LinkCommand, journal: Journal) -> Found:
        """Look each SKU up."""
        desk = self._shop.desk(command.tenant, journal, command.site)
        offers = {
            offer.sku: offer for sku in command.skus for offer in desk.apis.offers.of_sku(sku)
        }
        listed = [sku for sku, offer in offers.items() if offer.published]
        item = desk.apis.inventory.item(listed[0]) if listed else None
        desk.note("looked for a listing", listed=len(listed))
        return Found(command.site, offers, item.group_keys[0] if item and item.group_keys else None)

    def record(self, session: TenantSession, job: MarketplaceJob, result: Found) -> Verdict:
        """Write the listing down. Its version is 0: an update brings it in step."""
        listing_id = result.listing_id
        if listing_id is None:
            return Cancel(Problem("nothing-to-link", "eBay has no listing of this product."))
        offer_ids = {sku: offer.offer_id for sku, offer in result.offers.items()}
        seen = SeenListing(listing_id, result.site, offer_ids, result.group_key, 0, {}, None)
        write_live(session, product_of(job), seen, self._shop.clock.now())
        return Completed({"listing_id": listing_id, "url": seen.url})
