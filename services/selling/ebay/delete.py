"""Ends a listing on eBay and proves that it has ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.selling.publishing import MarketplaceJob
from services.gateways.ebay.errors import EbayRefusal
from services.gateways.ebay.offers import StoredOffer
from services.selling.ebay.desk import EbayDesk, EbayWorkshop
from services.selling.ebay.listings import KnownListing, known_listing, write_ended
from services.selling.publishing.handlers import Cancel, Completed, Journal, Problem, Verdict
from services.selling.publishing.preparing import product_of
from shared.database import TenantSchema, TenantSession
from shared.errors import EbayError, Remedy

_NOT_LISTED_ANY_MORE = (25702, 25705, 25710, 25713, 25725, 25726)
"""What withdrawing answers when there is nothing to withdraw; proven by reading afterwards."""


@dataclass(frozen=True, slots=True)
class DeleteCommand:
    """The listing to end."""

    tenant: TenantSchema
    known: KnownListing


@dataclass(frozen=True, slots=True)
class Ended:
    """It is not listed; `by_us` is False when it had ended before."""

    listing_id: str
    by_us: bool


class EbayDelete:
    """Handler of `delete` jobs. Safe to repeat."""

    def __init__(self, shop: EbayWorkshop) -> None:
        self._shop = shop

    def prepare(self, session: TenantSession, job: MarketplaceJob) -> DeleteCommand | Verdict:
        """The listing that we know."""
        known = known_listing(session, product_of(job))
        if known is None:
            return Cancel(Problem("not-listed", "It was never listed on eBay from here."))
        if not known.live:
            return Completed({"listing_id": known.listing_id, "ended_by_us": False})
        return DeleteCommand(session.tenant, known)

    def perform(self, command: DeleteCommand, journal: Journal) -> Ended:
        """End it, unless it has ended; then look."""
        desk = self._shop.desk(command.tenant, journal, command.known.site)
        by_us = True
        if journal.must_probe:
            by_us = bool(_still_listed(desk, command.known.offer_ids))
        if by_us:
            if journal.must_probe:
                journal.checkpoint("it is still listed", certain=True)
            by_us = _withdrawn(desk, command.known)
            if left := _still_listed(desk, command.known.offer_ids):
                raise EbayError(
                    "eBay still shows the listing; we try again.",
                    remedy=Remedy.WAIT,
                    still_listed=[offer.sku for offer in left],
                )
        return Ended(command.known.listing_id, by_us)

    def record(self, session: TenantSession, job: MarketplaceJob, result: Ended) -> Verdict:
        """Write down that nothing is listed."""
        write_ended(session, product_of(job), self._shop.clock.now())
        return Completed({"listing_id": result.listing_id, "ended_by_us": result.by_us})


def _withdrawn(desk: EbayDesk, known: KnownListing) -> bool:
    desk.journal.checkpoint("ending the listing", detail={"listing_id": known.listing_id})
    try:
        if known.group_key is not None:
            desk.apis.offers.withdraw_group(known.group_key)
        else:
            for offer_id in known.offer_ids.values():
                desk.apis.offers.withdraw(offer_id)
    except EbayRefusal as refused:
        if not refused.mentions(*_NOT_LISTED_ANY_MORE):
            raise
        desk.note_too_late_to_cancel("it had ended before", certain=False)
        return False
    desk.note_too_late_to_cancel("ended the listing", certain=False)
    return True


def _still_listed(desk: EbayDesk, offer_ids: Mapping[str, str]) -> Sequence[StoredOffer]:
    found = [desk.apis.offers.get(offer_id) for offer_id in offer_ids.values()]
    listed = [offer for offer in found if offer is not None and offer.published]
    desk.note_too_late_to_cancel("looked whether it is listed", listed=len(listed))
    return listed
