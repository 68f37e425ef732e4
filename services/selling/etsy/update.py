"""Brings a live listing in step with its product: photos, words, inventory, every time whole."""

from dataclasses import dataclass

from models.selling.publishing import MarketplaceJob
from services.gateways.etsy.errors import EtsyRefusal
from services.selling.etsy.desk import EtsyDesk, EtsyWorkshop
from services.selling.etsy.drafts import ListingDraft
from services.selling.etsy.listings import SeenListing, known_listing, write_ended, write_live
from services.selling.etsy.pictures import in_step
from services.selling.etsy.preflight import EtsyPreflight
from services.selling.etsy.preparing import draft_for
from services.selling.etsy.read_back import ReadBack, looked_at, read_back
from services.selling.publishing.catching_up import is_newer
from services.selling.publishing.handlers import (
    Cancel,
    Completed,
    Journal,
    Problem,
    Snooze,
    Verdict,
)
from services.selling.publishing.preparing import product_of
from shared.database import TenantSchema, TenantSession

_NOT_LISTED = Problem("not-listed", "It is not listed on Etsy; publish it first.")
_ENDED = Problem(
    "listing-ended", "The listing is no longer live on Etsy. Publish the product again."
)


@dataclass(frozen=True, slots=True)
class UpdateCommand:
    """The product as it is now, and the listing it has."""

    tenant: TenantSchema
    draft: ListingDraft
    listing_id: int


@dataclass(frozen=True, slots=True)
class Updated:
    """The listing after the change; `sold_out` when we took it down because nothing is left."""

    draft: ListingDraft
    listing_id: int
    read_back: ReadBack
    sold_out: bool = False


class EtsyUpdate:
    """Handler of `update` jobs. Every write replaces, so a repeated attempt does no harm."""

    def __init__(self, shop: EtsyWorkshop, preflight: EtsyPreflight) -> None:
        self._shop = shop
        self._preflight = preflight

    def prepare(self, session: TenantSession, job: MarketplaceJob) -> UpdateCommand | Verdict:
        """The complete draft of what is listed."""
        known = known_listing(session, product_of(job))
        if known is None or not known.live:
            return Cancel(_NOT_LISTED)
        draft = draft_for(self._preflight, session, job)
        if not isinstance(draft, ListingDraft):
            return draft
        return UpdateCommand(session.tenant, draft, known.listing_id)

    def perform(self, command: UpdateCommand, journal: Journal) -> Updated:
        """Send everything anew and look at the result.

        Etsy has no listing of nothing: when nothing is left it is taken down, and goes live again
        when it is published again.
        """
        if journal.must_probe:
            journal.checkpoint("every write replaces what was sent before", certain=True)
        draft, listing_id = command.draft, command.listing_id
        desk = self._shop.desk(command.tenant, draft.terms.shop_id, journal)
        try:
            if draft.quantity == 0:
                desk.journal.checkpoint("nothing is left; taking it down")
                desk.listings.deactivate(listing_id)
                desk.note_too_late_to_cancel("took it down", certain=False)
                return Updated(draft, listing_id, looked_at(desk, listing_id), sold_out=True)
            image_ids = _sent(desk, draft, listing_id)
        except EtsyRefusal as refused:
            if refused.http_status != 404:
                raise
            return Updated(draft, listing_id, looked_at(desk, listing_id))
        return Updated(draft, listing_id, read_back(desk, draft, listing_id, image_ids))

    def record(self, session: TenantSession, job: MarketplaceJob, result: Updated) -> Verdict:
        """Write down what is live now."""
        now, listing = self._shop.clock.now(), result.read_back.listing
        if listing is None or not result.read_back.live:
            write_ended(session, product_of(job), now)
            if not result.sold_out:
                return Cancel(_ENDED)
            return Completed({"listing_id": str(result.listing_id), "taken_down": True})
        seen = SeenListing(
            result.listing_id,
            listing.url,
            tuple(result.draft.skus),
            result.draft.product_version,
            result.read_back.as_json(),
        )
        write_live(session, product_of(job), seen, now)
        if is_newer(session, product_of(job), result.draft.product_version):
            return Snooze(now, "a change that was made meanwhile")
        differences = len(result.read_back.differences)
        return Completed(
            {"listing_id": str(seen.listing_id), "url": seen.url, "differences": differences}
        )


def _sent(desk: EtsyDesk, draft: ListingDraft, listing_id: int) -> list[int]:
    image_ids = in_step(desk, listing_id, draft.photos)
    desk.listings.rewrite(listing_id, draft.words)
    desk.note("renewed the words")
    for said in draft.properties:
        desk.listings.put_property(listing_id, said)
        desk.note("said a property", property_id=said.property_id)
    desk.listings.put_inventory(listing_id, draft.inventory())
    desk.note("renewed the inventory")
    return image_ids
