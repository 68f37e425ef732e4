"""Brings a live item in step with its product: always the whole of it, photos too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from models.selling.publishing import MarketplaceJob
from services.gateways.vinted.errors import VintedRefusal
from services.gateways.vinted.items import OwnItem
from services.gateways.vinted.transport import AwaitingAnswer
from services.selling.publishing.catching_up import is_newer
from services.selling.publishing.handlers import (
    Cancel,
    Completed,
    Journal,
    Parked,
    Problem,
    Snooze,
    Verdict,
)
from services.selling.publishing.preparing import product_of
from services.selling.vinted.delete import taken_down
from services.selling.vinted.desk import JobKey, VintedDesk, VintedWorkshop
from services.selling.vinted.drafts import ListingDraft, update_form, upload_id
from services.selling.vinted.listings import SeenListing, known_listing, write_ended, write_live
from services.selling.vinted.looking import refuse_reserved, standing
from services.selling.vinted.photos import uploaded
from services.selling.vinted.preflight import VintedPreflight
from services.selling.vinted.preparing import draft_for, key_of
from services.selling.vinted.read_back import ReadBack, read_back
from shared.database import TenantSession

_NOT_LISTED = Problem("not-listed", "It is not listed on Vinted; publish it first.")
_ENDED = Problem(
    "listing-ended", "The item is no longer for sale on Vinted. Publish the product again."
)


@dataclass(frozen=True, slots=True)
class UpdateCommand:
    """The product as it is now, and the item it is."""

    key: JobKey
    draft: ListingDraft
    item_id: int
    photos: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Updated:
    """The item after the change; without `read_back` it has ended, by us when `taken_down`."""

    draft: ListingDraft
    item_id: int
    photos: Mapping[str, int]
    read_back: ReadBack | None
    taken_down: bool = False


class VintedUpdate:
    """Handler of `update` jobs. Every write replaces, so a repeated one does no harm."""

    def __init__(self, shop: VintedWorkshop, preflight: VintedPreflight) -> None:
        self._shop = shop
        self._preflight = preflight

    def prepare(self, session: TenantSession, job: MarketplaceJob) -> UpdateCommand | Verdict:
        """The complete draft of what is listed."""
        known = known_listing(session, product_of(job))
        if known is None or not known.live:
            return Cancel(_NOT_LISTED)
        key = key_of(session, job)
        if isinstance(key, Cancel):
            return key
        draft = draft_for(self._preflight, session, job)
        if not isinstance(draft, ListingDraft):
            return draft
        return UpdateCommand(key, draft, known.item_id, known.photos)

    def perform(self, command: UpdateCommand, journal: Journal) -> Updated | Parked:
        """Send everything anew and look at the result; an item of which none is left comes down."""
        desk = self._shop.desk(command.key, journal)
        draft, item_id = command.draft, command.item_id
        try:
            if draft.quantity == 0:
                taken_down(desk, item_id)
                return Updated(draft, item_id, {}, None, taken_down=True)
            return _updated(desk, command)
        except AwaitingAnswer:
            return self._shop.parked()

    def record(self, session: TenantSession, job: MarketplaceJob, result: Updated) -> Verdict:
        """Write down what is live now."""
        now, seen = self._shop.clock.now(), result.read_back
        if seen is None or seen.item is None:
            write_ended(session, product_of(job), now)
            if not result.taken_down:
                return Cancel(_ENDED)
            return Completed({"listing_id": str(result.item_id), "taken_down": True})
        version = result.draft.product_version
        listing = SeenListing(result.item_id, seen.item.url, result.photos, version, seen.as_json())
        row = write_live(session, product_of(job), listing, now)
        if is_newer(session, product_of(job), version):
            return Snooze(now, "a change that was made meanwhile")
        return Completed(
            {
                "listing_id": row.listing_id,
                "url": row.url,
                "differences": len(seen.differences),
            }
        )


def _updated(desk: VintedDesk, command: UpdateCommand) -> Updated:
    version, item_id = desk.pinned(command.draft.product_version), command.item_id
    draft = replace(command.draft, product_version=version)
    look = f"look at it, version {version}"
    found = standing(desk, look, item_id)
    if not isinstance(found, OwnItem):
        refuse_reserved(desk, look, found)
        return Updated(draft, item_id, {}, None)
    there = {
        sha256: photo_id
        for sha256, photo_id in command.photos.items()
        if photo_id in found.photo_ids
    }
    photos = uploaded(desk, draft.photos, upload_id(desk.key), there)
    photo_ids = [photos[photo.sha256] for photo in draft.photos]
    if not _replaced(desk, draft, item_id, photo_ids):
        return Updated(draft, item_id, {}, None)
    seen = read_back(desk, f"read it back, version {version}", draft, item_id, photo_ids)
    desk.unpin(_step(version))
    return Updated(draft, item_id, photos, seen)


def _replaced(
    desk: VintedDesk, draft: ListingDraft, item_id: int, photo_ids: Sequence[int]
) -> bool:
    """Whether it was there to be replaced."""
    form = update_form(draft, upload_id(desk.key), item_id, photo_ids)

    def act(step: str) -> bool:
        try:
            desk.client.update_item(step, item_id, form)
        except VintedRefusal as refused:
            if refused.http_status != 404:
                raise
            return False
        return True

    def look(step: str) -> bool | None:
        seen = read_back(desk, step, draft, item_id, photo_ids)
        return True if seen.item is not None and not seen.differences else None

    return desk.irrevocable(_step(draft.product_version), act, look, draft.product_version)


def _step(version: int) -> str:
    return f"replace it, version {version}"
