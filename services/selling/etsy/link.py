"""Finds a listing that we do not know, by our own SKUs alone: no listing is found by its title."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.selling.publishing import MarketplaceJob
from repositories.selling.catalog import ProductRepository
from services.gateways.etsy.listings import ListingState, StoredListing
from services.selling.etsy.desk import EtsyWorkshop
from services.selling.etsy.listings import SeenListing, write_live
from services.selling.etsy.preparing import shop_at_etsy
from services.selling.publishing.handlers import Cancel, Completed, Journal, Problem, Verdict
from services.selling.publishing.preparing import product_of
from shared.database import TenantSchema, TenantSession


@dataclass(frozen=True, slots=True)
class LinkCommand:
    """The SKUs to look for. They are ours alone and never change."""

    tenant: TenantSchema
    shop_id: int
    skus: Sequence[str]


class EtsyLink:
    """Handler of `link` jobs."""

    def __init__(self, shop: EtsyWorkshop) -> None:
        self._shop = shop

    def prepare(self, session: TenantSession, job: MarketplaceJob) -> LinkCommand | Verdict:
        """The product's SKUs."""
        product, shop_id = ProductRepository(session).get(product_of(job)), shop_at_etsy(session)
        if product is None:
            return Cancel(Problem("product-gone", "The product is no longer there."))
        if isinstance(shop_id, Cancel):
            return shop_id
        return LinkCommand(session.tenant, shop_id, [each.channel_key for each in product.variants])

    def perform(self, command: LinkCommand, journal: Journal) -> StoredListing | None:
        """Look through what is for sale."""
        desk = self._shop.desk(command.tenant, command.shop_id, journal)
        found = desk.listings.find(command.skus, [ListingState.ACTIVE])
        desk.note("looked for a listing", found=found is not None)
        return found

    def record(
        self, session: TenantSession, job: MarketplaceJob, result: StoredListing | None
    ) -> Verdict:
        """Write the listing down. Its version is 0: an update brings it in step."""
        if result is None:
            return Cancel(Problem("nothing-to-link", "Etsy has no live listing of this product."))
        seen = SeenListing(result.listing_id, result.url, result.skus, 0, {})
        write_live(session, product_of(job), seen, self._shop.clock.now())
        return Completed({"listing_id": str(result.listing_id), "url": result.url})
