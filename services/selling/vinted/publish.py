"""Publishes a product on Vinted: photos, a draft that nobody sees, then for sale, and a look.

Nothing is for sale before the draft is completed, and a draft is completed once: whatever answer is
lost on the way, there is never a second listing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from models.selling.publishing import MarketplaceJob
from services.gateways.vinted.errors import VintedRefusal
from services.gateways.vinted.transport import AwaitingAnswer
from services.selling.publishing.catching_up import catch_up
from services.selling.publishing.handlers import (
    Cancel,
    Completed,
    Journal,
    Parked,
    Problem,
    Verdict,
)
from services.selling.publishing.preparing import product_of
from services.selling.publishing.requesting import WorkRequests
from services.selling.vinted.desk import JobKey, VintedDesk, VintedWorkshop
from services.selling.vinted.drafts import ListingDraft, completion_form, draft_form, upload_id
from services.selling.vinted.listings import SeenListing, follow_orders, known_listing, write_live
from services.selling.vinted.photos import uploaded
from services.selling.vinted.preflight import VintedPreflight
from services.selling.vinted.preparing import draft_for, key_of
from services.selling.vinted.read_back import ReadBack, read_back
from services.selling.vinted.wardrobe import find, with_photos
from shared.database import TenantSession

DRAFT, COMPLETION = "begin the draft", "put it up for sale"


@dataclass(frozen=True, slots=True)
class PublishCommand:
    """What to list."""

    key: JobKey
    draft: ListingDraft


@dataclass(frozen=True, slots=True)
class Published:
    """A live listing."""

    draft: ListingDraft
    item_id: int
    photos: Mapping[str, int]
    read_back: ReadBack


class VintedPublish:
    """Handler of `publish` jobs."""

    def __init__(
        self, shop: VintedWorkshop, preflight: VintedPreflight, requests: WorkRequests
    ) -> None:
        self._shop = shop
        self._preflight = preflight
        self._requests = requests

    def prepare(self, session: TenantSession, job: MarketplaceJob) -> PublishCommand | Verdict:
        """The complete draft; refuses what is listed already and what lacks something."""
        known = known_listing(session, product_of(job))
        if known is not None and known.live:
            detail = f"It is listed already, as {known.item_id}. Use update to change the listing."
            return Cancel(Problem("already-listed", detail))
        key = key_of(session, job)
        if isinstance(key, Cancel):
            return key
        draft = draft_for(self._preflight, session, job)
        return PublishCommand(key, draft) if isinstance(draft, ListingDraft) else draft

    def perform(self, command: PublishCommand, journal: Journal) -> Published | Parked:
        """List it."""
        desk = self._shop.desk(command.key, journal)
        try:
            return _published(desk, command.draft)
        except AwaitingAnswer:
            return self._shop.parked()

    def record(self, session: TenantSession, job: MarketplaceJob, result: Published) -> Verdict:
        """Write the listing down."""
        item = result.read_back.item
        seen = SeenListing(
            result.item_id,
            item.url if item else None,
            result.photos,
            result.draft.product_version,
            result.read_back.as_json(),
        )
        row = write_live(session, product_of(job), seen, self._shop.clock.now())
        follow_orders(session, self._shop.clock.now())
        catch_up(session, self._requests, job, {result.draft.sku: result.draft.quantity})
        return Completed(
            {
                "listing_id": row.listing_id,
                "url": seen.url,
                "differences": len(result.read_back.differences),
            }
        )


def _published(desk: VintedDesk, draft: ListingDraft) -> Published:
    temp_uuid = upload_id(desk.key)
    photos = uploaded(desk, draft.photos, temp_uuid)
    photo_ids = [photos[photo.sha256] for photo in draft.photos]
    item_id = _begun(desk, draft, temp_uuid, photo_ids)
    desk.tell_once("began the draft", draft_id=str(item_id))
    version = desk.pinned(draft.product_version)
    _completed(desk, replace(draft, product_version=version), temp_uuid, item_id, photo_ids)
    if "listing_id" not in desk.journal.progress:
        desk.note_done("listed", str(item_id))
    seen = read_back(desk, "read it back", draft, item_id, photo_ids)
    return Published(replace(draft, product_version=version), item_id, photos, seen)


def _begun(desk: VintedDesk, draft: ListingDraft, temp_uuid: str, photo_ids: Sequence[int]) -> int:
    form = draft_form(draft, temp_uuid, photo_ids)

    def look(step: str) -> int | None:
        item = find(desk, step, with_photos(photo_ids))
        return item.item_id if item is not None else None

    return desk.deed(DRAFT, lambda step: desk.client.create_draft(step, form), look)


def _completed(
    desk: VintedDesk,
    draft: ListingDraft,
    temp_uuid: str,
    item_id: int,
    photo_ids: Sequence[int],
) -> None:
    form = completion_form(draft, temp_uuid, item_id, photo_ids)

    def act(step: str) -> bool:
        try:
            desk.client.complete_draft(step, item_id, form)
        except VintedRefusal as refused:
            # A draft that is for sale by now is no draft any more.
            if refused.http_status != 404 or not _is_for_sale(desk, f"{step}, refused", item_id):
                raise
        return True

    def look(step: str) -> bool | None:
        return _is_for_sale(desk, step, item_id) or None

    desk.irrevocable(COMPLETION, act, look, draft.product_version)


def _is_for_sale(desk: VintedDesk, step: str, item_id: int) -> bool:
    item = desk.client.own_item(step, item_id)
    if item is not None:
        return item.is_draft is False
    seen = find(desk, step, lambda each: each.item_id == item_id)
    return seen is not None and not seen.is_draft
