"""Publishes a product on Etsy: draft, photos, inventory, going live, and a look at the result.

Nothing is ever begun twice, and nothing goes live twice, for which Etsy would bill the seller: the
listing that was begun is remembered, and after an attempt whose end is not known it is looked at
before anything is done.
"""

from dataclasses import dataclass
from functools import partial

from models.selling.publishing import MarketplaceJob
from repositories.selling.etsy import EtsyDraftRepository
from services.gateways.calls import UnreadableAnswer
from services.gateways.etsy.errors import EtsyRefusal
from services.gateways.etsy.listings import ListingState, StoredListing
from services.selling.etsy.desk import EtsyDesk, EtsyWorkshop
from services.selling.etsy.drafts import ListingDraft
from services.selling.etsy.listings import SeenListing, known_listing, write_live
from services.selling.etsy.pictures import in_step, kept, uploaded
from services.selling.etsy.preflight import EtsyPreflight
from services.selling.etsy.preparing import draft_for
from services.selling.etsy.read_back import ReadBack, read_back
from services.selling.publishing.catching_up import catch_up
from services.selling.publishing.handlers import (
    Cancel,
    Completed,
    Journal,
    Problem,
    Unknown,
    Verdict,
)
from services.selling.publishing.preparing import product_of
from services.selling.publishing.requesting import WorkRequests
from shared.database import TenantSchema, TenantSession
from shared.errors import APIError, APITimeoutError, EtsyError, Remedy

_MAY_BE_DONE = frozenset({500, 502, 504})
"""Etsy may have done the work before it answered so; 503 and 429 come before any work."""

_CREATING = frozenset({"createDraftListing", "updateListing"})

_CAN_GO_LIVE = frozenset({ListingState.DRAFT, ListingState.INACTIVE, ListingState.ACTIVE})
"""Etsy renews others with a quantity of its own; a new listing costs the same."""

_SOLD_OUT = (
    "Etsy says that it is sold out. Look at the shop's orders there, then publish what is left."
)


@dataclass(frozen=True, slots=True)
class PublishCommand:
    """What to list, and the listing of it that is at Etsy already, as far as we know."""

    tenant: TenantSchema
    draft: ListingDraft
    begun: int | None
    """Begun and not finished, or ended earlier: it can go live again."""


@dataclass(frozen=True, slots=True)
class Published:
    """A live listing."""

    draft: ListingDraft
    listing_id: int
    read_back: ReadBack


class EtsyPublish:
    """Handler of `publish` jobs."""

    def __init__(
        self, shop: EtsyWorkshop, preflight: EtsyPreflight, requests: WorkRequests
    ) -> None:
        self._shop = shop
        self._preflight = preflight
        self._requests = requests

    def prepare(self, session: TenantSession, job: MarketplaceJob) -> PublishCommand | Verdict:
        """The complete draft; refuses what is listed already and what lacks something."""
        known = known_listing(session, product_of(job))
        if known is not None and known.live:
            return _already_listed(job, known.listing_id)
        draft = draft_for(self._preflight, session, job)
        if not isinstance(draft, ListingDraft):
            return draft
        begun = EtsyDraftRepository(session).listing_of(draft.product_id)
        former = known.listing_id if known is not None else None
        return PublishCommand(session.tenant, draft, begun or former)

    def perform(self, command: PublishCommand, journal: Journal) -> Published | Unknown:
        """List it."""
        draft = command.draft
        desk = self._shop.desk(command.tenant, draft.terms.shop_id, journal)
        try:
            return Published(draft, *self._publish(desk, command))
        except (APITimeoutError, UnreadableAnswer) as lost:
            return _unknown(desk, draft, lost)
        except EtsyRefusal as refused:
            operation = desk.last.operation if desk.last else ""
            if refused.http_status in _MAY_BE_DONE and operation in _CREATING:
                return _unknown(desk, draft, refused)
            raise

    def record(self, session: TenantSession, job: MarketplaceJob, result: Published) -> Verdict:
        """Write the listing down."""
        listing = result.read_back.listing
        seen = SeenListing(
            result.listing_id,
            listing.url if listing else None,
            tuple(result.draft.skus),
            result.draft.product_version,
            result.read_back.as_json(),
        )
        write_live(session, product_of(job), seen, self._shop.clock.now())
        sent = {variant.sku: variant.quantity for variant in result.draft.variants}
        catch_up(session, self._requests, job, sent)
        return Completed(
            {
                "listing_id": str(seen.listing_id),
                "url": seen.url,
                "differences": len(result.read_back.differences),
            }
        )

    def _publish(self, desk: EtsyDesk, command: PublishCommand) -> tuple[int, ReadBack]:
        draft = command.draft
        stored = _found(desk, command)
        listing_id = _begin(desk, draft) if stored is None else stored.listing_id
        version = f"{listing_id} @{draft.product_version}"
        image_ids = _with_photos(desk, draft, listing_id, version, fresh=stored is None)
        for said in draft.properties:
            put = partial(desk.listings.put_property, listing_id, said)
            desk.once(f"property {said.property_id} {version}", "said a property", put)
        put = partial(desk.listings.put_inventory, listing_id, draft.inventory())
        desk.once(f"inventory {version}", "stored the inventory", put)
        if stored is not None and stored.active:
            desk.note_done("it is live already", str(listing_id))
        else:
            desk.listings.activate(listing_id, draft.words)
            desk.note_done("listed", str(listing_id))
        return listing_id, read_back(desk, draft, listing_id, image_ids)


def _found(desk: EtsyDesk, command: PublishCommand) -> StoredListing | None:
    """The listing that an earlier attempt or job has left at Etsy, if it can go live or is."""
    stored = _looked_up(desk, command)
    if stored is not None and stored.state is None:
        raise UnreadableAnswer("Etsy has the listing in a state that we do not know.")
    if desk.journal.must_probe and not (stored is not None and stored.active):
        desk.journal.checkpoint("nothing is listed now", certain=True)
        if stored is not None and stored.state is ListingState.SOLD_OUT:
            # It was live: what it sold is in Etsy's orders, and must not be offered once more.
            raise EtsyError(_SOLD_OUT, remedy=Remedy.FIX_DATA)
    return stored if stored is not None and stored.state in _CAN_GO_LIVE else None


def _looked_up(desk: EtsyDesk, command: PublishCommand) -> StoredListing | None:
    stored = None
    if command.begun is not None:
        stored = desk.listings.get(command.begun)
        desk.note("looked at what was begun", found=stored is not None)
    if stored is None and desk.journal.must_probe:
        stored = desk.listings.find(command.draft.skus)
        desk.note("looked for a listing", found=stored is not None)
        if stored is not None:
            _remember(desk, command.draft, stored.listing_id)
    return stored


def _with_photos(
    desk: EtsyDesk, draft: ListingDraft, listing_id: int, version: str, *, fresh: bool
) -> list[int]:
    """Etsy's ids of the photos. What an earlier attempt has put in order is not asked for again."""
    key, photos = f"photos {version}", draft.photos
    done = list(desk.journal.progress.get("done", []))
    known = kept(desk, listing_id, photos) if key in done else None
    if known is not None:
        return known
    found = uploaded(desk, listing_id, photos) if fresh else in_step(desk, listing_id, photos)
    desk.note("all photos are there", {"done": [*done, key]})
    return found


def _begin(desk: EtsyDesk, draft: ListingDraft) -> int:
    listing_id = desk.listings.create_draft(draft.begun())
    _remember(desk, draft, listing_id)
    desk.note("began the listing", listing_id=listing_id)
    return listing_id


def _remember(desk: EtsyDesk, draft: ListingDraft, listing_id: int) -> None:
    with desk.shop.database.tenant(desk.tenant) as session:
        now = desk.shop.clock.now()
        EtsyDraftRepository(session).put(draft.product_id, listing_id, now)


def _already_listed(job: MarketplaceJob, listing_id: int) -> Verdict:
    if job.progress.get("listing_id") == str(listing_id):
        return Completed({"listing_id": str(listing_id)})
    detail = f"It is listed already, as {listing_id}. Use update to change the listing."
    return Cancel(Problem("already-listed", detail))


def _unknown(desk: EtsyDesk, draft: ListingDraft, lost: APIError | EtsyRefusal) -> Unknown:
    evidence = {
        "operation": desk.last.operation if desk.last else None,
        "http_status": desk.last.status if desk.last else None,
        "skus": draft.skus,
    }
    return Unknown(Problem.of(lost), evidence)
