"""Listings that differ from our record, and what was decided about them. Changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.selling.catalog import Product
from models.selling.drift import DriftDecision
from models.selling.publishing import Channel, ChannelListing
from repositories.selling.catalog import ProductRepository
from repositories.selling.drift import DriftRepository
from services.selling.drift.seen import HAS_ENDED, STATUS, Difference, LiveListing, differences
from shared.database import TenantSession


@dataclass(frozen=True, slots=True)
class Drifted:
    """A listing as it was last seen, beside its product as it is now."""

    listing: ChannelListing
    product: Product
    items: Sequence[Difference]
    """None when the product says the same by now."""

    @property
    def held_back(self) -> bool:
        """Whether it seems to have ended, with many others, and waits for the seller's word."""
        return any(item.field == STATUS for item in self.items)

    @property
    def not_sent_yet(self) -> bool:
        """Whether our record was changed after it was sent: that alone makes a difference."""
        return self.product.version > self.listing.product_version


class DriftReading:
    """Answers what differs."""

    def page(
        self, session: TenantSession, channel: Channel | None, before: int | None, limit: int
    ) -> tuple[Sequence[Drifted], bool]:
        """A page, newest first, and whether there are more."""
        found = DriftRepository(session).drifted(channel, before, limit + 1)
        return drifted(session, found[:limit]), len(found) > limit

    def decisions(
        self, session: TenantSession, product_id: int | None, before: int | None, limit: int
    ) -> tuple[Sequence[DriftDecision], bool]:
        """What was decided, newest first, and whether there is more."""
        found = DriftRepository(session).decisions(product_id, before, limit + 1)
        return found[:limit], len(found) > limit


def drifted(session: TenantSession, rows: Sequence[ChannelListing]) -> list[Drifted]:
    """Compare what was seen with the products as they are now."""
    products = {
        product.id: product
        for product in ProductRepository(session).by_ids([row.product_id for row in rows])
    }
    return [
        Drifted(row, products[row.product_id], _items(row, products[row.product_id]))
        for row in rows
        if row.product_id in products
    ]


def _items(row: ChannelListing, product: Product) -> Sequence[Difference]:
    if any(each["field"] == STATUS for each in row.read_back.get("drift", ())):
        return [HAS_ENDED]
    seen = row.read_back.get("live")
    return [] if seen is None else differences(product, LiveListing.stored(seen))
