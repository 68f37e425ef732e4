"""Compares live listings with eBay: price, quantity, whether they are there. Mends nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from models.selling.catalog import Product
from models.selling.ebay import ConnectionStatus
from models.selling.publishing import Channel, JobOutcome, MarketplaceJob
from repositories.selling.catalog import ProductRepository
from repositories.selling.ebay import EbayConnectionRepository
from repositories.selling.listing_drift import ListingDriftRepository
from services.gateways.ebay.offers import StoredOffer
from services.gateways.ebay.reading import at
from services.selling.ebay.desk import EbayDesk, EbayWorkshop
from services.selling.ebay.listings import write_ended
from services.selling.publishing.handlers import Cancel, Completed, Journal, Problem, Verdict
from shared.database import TenantSchema, TenantSession
from shared.money import Money

CONFIRM_ENDED = "confirm_ended"
"""Payload: the seller has seen that many listings are gone, and it is true."""

FEW = 5
SHARE = 0.2
"""More ended listings than both of these are held back until the seller confirms them."""

_LISTINGS_A_CHECKPOINT = 20
_NOT_CONNECTED = Problem("ebay-not-connected", "Connect the eBay account first.")


@dataclass(frozen=True, slots=True)
class ToCompare:
    """A listing as we know it."""

    product_id: int
    offer_ids: Mapping[str, str]
    """By SKU."""


@dataclass(frozen=True, slots=True)
class SyncCommand:
    """What to compare."""

    tenant: TenantSchema
    listings: Sequence[ToCompare]
    confirmed: bool


@dataclass
class Compared:
    """What came of it."""

    looked: int = 0
    drifted: int = 0
    ended: list[int] = field(default_factory=list)
    """Products; each of their offers was asked for by its id, so none is only out of sight."""
    held: bool = False


class EbaySync:
    """Handler of `sync` jobs, of one product or of the whole account."""

    def __init__(self, shop: EbayWorkshop) -> None:
        self._shop = shop

    def prepare(self, session: TenantSession, job: MarketplaceJob) -> SyncCommand | Verdict:
        """Every live listing."""
        connection = EbayConnectionRepository(session).get()
        if connection is None or connection.status is not ConnectionStatus.CONNECTED:
            return Cancel(_NOT_CONNECTED, JobOutcome.BLOCKED)
        rows = ListingDriftRepository(session).live(Channel.EBAY, job.product_id)
        return SyncCommand(
            session.tenant,
            [ToCompare(row.product_id, at(row.remote, "offers") or {}) for row in rows],
            confirmed=job.payload.get(CONFIRM_ENDED) is True,
        )

    def perform(self, command: SyncCommand, journal: Journal) -> Compared:
        """One listing after the other; a later attempt goes on after the last checkpoint."""
        desk = self._shop.desk(command.tenant, journal)
        if journal.must_probe:
            journal.checkpoint("looking changes nothing on eBay", certain=True)
        done = journal.progress
        found = Compared(done.get("looked", 0), done.get("drifted", 0), list(done.get("ended", [])))
        after = done.get("after", 0)
        for listing in command.listings:
            if listing.product_id <= after:
                continue
            self._compare(desk, listing, found)
            if found.looked % _LISTINGS_A_CHECKPOINT == 0:
                self._note(desk, listing.product_id, found)
        desk.note("compared all listings", looked=found.looked, drifted=found.drifted)
        many = len(found.ended) > max(FEW, SHARE * found.looked)
        found.held = many and not command.confirmed
        return found

    def record(self, session: TenantSession, job: MarketplaceJob, result: Compared) -> Verdict:
        """Write down what has ended, unless it is so much that somebody must look first."""
        if not result.held:
            for product_id in result.ended:
                write_ended(session, product_id, self._shop.clock.now())
        return Completed(
            {
                "looked": result.looked,
                "drifted": result.drifted,
                "ended": 0 if result.held else len(result.ended),
                "held_back": len(result.ended) if result.held else 0,
            }
        )

    def _compare(self, desk: EbayDesk, listing: ToCompare, found: Compared) -> None:
        offers = {
            sku: offer
            for sku, offer_id in listing.offer_ids.items()
            if (offer := desk.apis.offers.get(offer_id)) is not None
        }
        found.looked += 1
        if not any(offer.published for offer in offers.values()):
            found.ended.append(listing.product_id)
            return
        with self._shop.database.tenant(desk.tenant) as session:
            found.drifted += self._write(session, listing.product_id, offers)

    def _write(
        self, session: TenantSession, product_id: int, offers: Mapping[str, StoredOffer]
    ) -> bool:
        """Whether it differs. A listing that ended meanwhile is left alone."""
        product = ProductRepository(session).get(product_id)
        row = ListingDriftRepository(session).locked(product_id, Channel.EBAY)
        if product is None or row is None:
            return False
        drift = list(drift_of(product, offers))
        row.read_back = {
            **row.read_back,
            "drift": drift,
            "not_sent_yet": product.version > row.product_version,
        }
        row.checked_at = self._shop.clock.now()
        return bool(drift)

    def _note(self, desk: EbayDesk, after: int, found: Compared) -> None:
        progress = {
            "after": after,
            "looked": found.looked,
            "drifted": found.drifted,
            "ended": found.ended,
        }
        desk.note("compared listings", progress, looked=found.looked)


def drift_of(product: Product, offers: Mapping[str, StoredOffer]) -> Sequence[dict[str, Any]]:
    """How what buyers see differs from our record. What eBay does not say is no difference."""
    found: list[dict[str, Any]] = []
    for variant in product.variants:
        offer = offers.get(variant.channel_key)
        if offer is None:
            continue
        price = Money(variant.price_minor, product.currency)
        pairs = {
            "published": (variant.quantity > 0 or offer.published, offer.published),
            "price": (str(price), None if offer.price is None else str(offer.price)),
            "quantity": (variant.quantity, offer.quantity),
        }
        found += [
            {"field": name, "sku": variant.channel_key, "ours": ours, "live": live}
            for name, (ours, live) in pairs.items()
            if live is not None and ours != live
        ]
    return found
