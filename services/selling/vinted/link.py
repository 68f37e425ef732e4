"""Finds an item that Vinted has of a product and writes it down; changes nothing there.

Vinted keeps no number of ours. An item is the product's when it shows a photo that we sent for the
product, or when the seller has named it; none is found by its title. Photos are known for good of
what was ever written down as listed; of what never was, while the requests that sent them are kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from models.selling.publishing import MarketplaceJob
from repositories.selling.catalog import ProductRepository
from repositories.selling.vinted_listings import VintedListingRepository
from services.gateways.vinted.items import OwnItem, WardrobeItem
from services.gateways.vinted.transport import AwaitingAnswer
from services.selling.publishing.handlers import (
    Cancel,
    Completed,
    Journal,
    Parked,
    Problem,
    Verdict,
)
from services.selling.publishing.preparing import product_of
from services.selling.vinted.desk import JobKey, VintedWorkshop
from services.selling.vinted.listings import SeenListing, follow_orders, known_listing, write_live
from services.selling.vinted.preparing import key_of
from services.selling.vinted.wardrobe import find, with_photos
from shared.database import TenantSession

LISTING_ID = "listing_id"
"""Payload: the item that the seller named."""

_NOTHING = Problem("nothing-to-link", "Vinted has no item of this product that we know.")


@dataclass(frozen=True, slots=True)
class LinkCommand:
    """What to look for."""

    key: JobKey
    photos: Mapping[str, int]
    """Vinted's ids of the product's photos that we sent, by content hash."""
    item_id: int | None
    """Named by the seller."""


class VintedLink:
    """Handler of `link` jobs."""

    def __init__(self, shop: VintedWorkshop) -> None:
        self._shop = shop

    def prepare(self, session: TenantSession, job: MarketplaceJob) -> LinkCommand | Verdict:
        """The product's photos at Vinted."""
        product = ProductRepository(session).get(product_of(job))
        if product is None:
            return Cancel(Problem("product-gone", "The product is no longer there."))
        key = key_of(session, job)
        if isinstance(key, Cancel):
            return key
        listed = known_listing(session, product.id)
        photos = {
            **(listed.photos if listed is not None else {}),
            **VintedListingRepository(session).uploaded(product.id),
        }
        named = str(job.payload.get(LISTING_ID, ""))
        item_id = int(named) if named.isdecimal() else None
        if not photos and item_id is None:
            return Cancel(_NOTHING)
        return LinkCommand(key, photos, item_id)

    def perform(
        self, command: LinkCommand, journal: Journal
    ) -> tuple[LinkCommand, OwnItem | WardrobeItem | None] | Parked:
        """Look through what is for sale, or at what was named."""
        desk = self._shop.desk(command.key, journal)
        try:
            if command.item_id is not None:
                found: OwnItem | WardrobeItem | None = desk.client.own_item(
                    "look at the item that was named", command.item_id
                )
            else:
                ours = with_photos(command.photos.values())
                found = find(desk, "look for the item", lambda each: each.for_sale and ours(each))
        except AwaitingAnswer:
            return self._shop.parked()
        desk.tell_once("looked for an item", found=found is not None)
        return command, found

    def record(
        self,
        session: TenantSession,
        job: MarketplaceJob,
        result: tuple[LinkCommand, OwnItem | WardrobeItem | None],
    ) -> Verdict:
        """Write the listing down. Its version is 0: an update brings it in step."""
        command, item = result
        if item is None or not item.for_sale:
            return Cancel(_NOTHING)
        seen = SeenListing(item.item_id, item.url, command.photos, 0, {})
        row = write_live(session, product_of(job), seen, self._shop.clock.now())
        follow_orders(session, self._shop.clock.now())
        return Completed({"listing_id": row.listing_id, "url": row.url})
