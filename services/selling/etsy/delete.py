"""Takes a listing on Etsy out of sale and proves that it is.

It stays in the seller's shop manager, inactive: published again it goes live without being billed
anew while Etsy's four months last.
"""

from dataclasses import dataclass

from models.selling.publishing import MarketplaceJob
from services.gateways.etsy.errors import EtsyRefusal
from services.selling.etsy.desk import EtsyDesk, EtsyWorkshop
from services.selling.etsy.listings import known_listing, write_ended
from services.selling.etsy.preparing import shop_at_etsy
from services.selling.etsy.read_back import looked_at
from services.selling.publishing.handlers import Cancel, Completed, Journal, Problem, Verdict
from services.selling.publishing.preparing import product_of
from shared.database import TenantSchema, TenantSession
from shared.errors import EtsyError, Remedy

_PERHAPS_ENDED = (400, 404, 409)
"""What Etsy may answer when there is nothing to take down; proven by looking afterwards."""


@dataclass(frozen=True, slots=True)
class DeleteCommand:
    """The listing to end."""

    tenant: TenantSchema
    shop_id: int
    listing_id: int


@dataclass(frozen=True, slots=True)
class Ended:
    """It is not for sale; `by_us` is False when it had ended before."""

    listing_id: int
    by_us: bool


class EtsyDelete:
    """Handler of `delete` jobs. Safe to repeat."""

    def __init__(self, shop: EtsyWorkshop) -> None:
        self._shop = shop

    def prepare(self, session: TenantSession, job: MarketplaceJob) -> DeleteCommand | Verdict:
        """The listing that we know."""
        known = known_listing(session, product_of(job))
        if known is None:
            return Cancel(Problem("not-listed", "It was never listed on Etsy from here."))
        if not known.live:
            return Completed({"listing_id": str(known.listing_id), "ended_by_us": False})
        shop_id = shop_at_etsy(session)
        if isinstance(shop_id, Cancel):
            return shop_id
        return DeleteCommand(session.tenant, shop_id, known.listing_id)

    def perform(self, command: DeleteCommand, journal: Journal) -> Ended:
        """End it, unless it has ended; then look."""
        desk = self._shop.desk(command.tenant, command.shop_id, journal)
        by_us = True
        if journal.must_probe:
            by_us = looked_at(desk, command.listing_id).live
        if by_us:
            if journal.must_probe:
                journal.checkpoint("it is still for sale", certain=True)
            by_us = _taken_down(desk, command.listing_id)
            if _still_live(desk, command.listing_id):
                raise EtsyError("Etsy still shows the listing; we try again.", remedy=Remedy.WAIT)
        return Ended(command.listing_id, by_us)

    def record(self, session: TenantSession, job: MarketplaceJob, result: Ended) -> Verdict:
        """Write down that nothing is listed."""
        write_ended(session, product_of(job), self._shop.clock.now())
        return Completed({"listing_id": str(result.listing_id), "ended_by_us": result.by_us})


def _taken_down(desk: EtsyDesk, listing_id: int) -> bool:
    desk.journal.checkpoint("ending the listing", detail={"listing_id": listing_id})
    try:
        desk.listings.deactivate(listing_id)
    except EtsyRefusal as refused:
        if refused.http_status not in _PERHAPS_ENDED or _still_live(desk, listing_id):
            raise
        desk.note_too_late_to_cancel("it had ended before", certain=False)
        return False
    desk.note_too_late_to_cancel("ended the listing", certain=False)
    return True


def _still_live(desk: EtsyDesk, listing_id: int) -> bool:
    listing = desk.listings.get(listing_id)
    live = listing is not None and listing.active
    desk.note_too_late_to_cancel("looked whether it is for sale", live=live)
    return live
