"""Publishes a product on eBay: photos, items, offers, group, listing, and a look at the result.

Nothing is ever created twice: after an attempt whose end is not known, each SKU is looked up
before anything is created, and an offer that is listed already is not listed again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from models.selling.publishing import MarketplaceJob
from services.gateways.ebay.bulk import in_packs
from services.gateways.ebay.errors import EbayRefusal
from services.gateways.ebay.offers import CreatedOffer, StoredOffer
from services.gateways.ebay.reading import UnreadableAnswer
from services.selling.ebay.desk import EbayDesk, EbayWorkshop
from services.selling.ebay.drafts import DraftVariant, ListingDraft
from services.selling.ebay.items import store_items
from services.selling.ebay.listings import KnownListing, SeenListing, known_listing, write_live
from services.selling.ebay.pictures import hosted
from services.selling.ebay.preflight import EbayPreflight
from services.selling.ebay.preparing import (
    LearnCategory,
    Learned,
    draft_for,
    go_on,
    learn,
)
from services.selling.ebay.read_back import ReadBack, read_back
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
from shared.errors import APIError, APITimeoutError

_MAY_BE_DONE = frozenset({500, 502, 504})
"""eBay may have done the work before it answered so; 503 and 429 come before any work."""

_CREATING = frozenset(
    {"createOffer", "bulkCreateOffer", "publishOffer", "publishOfferByInventoryItemGroup"}
)


@dataclass(frozen=True, slots=True)
class PublishCommand:
    """What to list, and the group that a former listing of it left behind."""

    tenant: TenantSchema
    draft: ListingDraft
    former_group: str | None


@dataclass(frozen=True, slots=True)
class Published:
    """A live listing."""

    draft: ListingDraft
    listing_id: str
    offer_ids: Mapping[str, str]
    read_back: ReadBack
    content: str


@dataclass(frozen=True, slots=True)
class _Offered:
    """An offer and, when it is listed already, under which number."""

    offer_id: str
    listing_id: str | None


class EbayPublish:
    """Handler of `publish` jobs."""

    def __init__(
        self, shop: EbayWorkshop, preflight: EbayPreflight, requests: WorkRequests
    ) -> None:
        self._shop = shop
        self._preflight = preflight
        self._requests = requests

    def prepare(
        self, session: TenantSession, job: MarketplaceJob
    ) -> PublishCommand | LearnCategory | Verdict:
        """The complete draft; refuses what is listed already and what lacks something."""
        known = known_listing(session, product_of(job))
        if known is not None and known.live:
            return _already_listed(job, known)
        draft = draft_for(self._preflight, session, job)
        if not isinstance(draft, ListingDraft):
            return draft
        left_behind = known.group_key if known is not None else None
        return PublishCommand(
            session.tenant,
            draft.in_stock(),
            left_behind if left_behind != draft.group_key else None,
        )

    def perform(
        self, command: PublishCommand | LearnCategory, journal: Journal
    ) -> Published | Learned | Unknown:
        """List it."""
        if isinstance(command, LearnCategory):
            return learn(self._shop, command)
        desk = self._shop.desk(command.tenant, journal, command.draft.site)
        try:
            return self._publish(desk, command)
        except (APITimeoutError, UnreadableAnswer) as lost:
            return _unknown(desk, command.draft, lost)
        except EbayRefusal as refused:
            operation = desk.last.operation if desk.last else ""
            if refused.http_status in _MAY_BE_DONE and operation in _CREATING:
                return _unknown(desk, command.draft, refused)
            raise

    def record(
        self, session: TenantSession, job: MarketplaceJob, result: Published | Learned
    ) -> Verdict:
        """Write the listing down."""
        if isinstance(result, Learned):
            return go_on(self._shop.clock)
        seen = SeenListing(
            result.listing_id,
            result.draft.site,
            result.offer_ids,
            result.draft.group_key,
            result.draft.product_version,
            result.read_back.as_json(),
            result.content,
        )
        write_live(session, product_of(job), seen, self._shop.clock.now())
        sent = {variant.sku: variant.quantity for variant in result.draft.variants}
        catch_up(session, self._requests, job, sent)
        return Completed(
            {
                "listing_id": seen.listing_id,
                "url": seen.url,
                "differences": len(result.read_back.differences),
            }
        )

    def _publish(self, desk: EbayDesk, command: PublishCommand) -> Published:
        draft = command.draft
        image_urls = hosted(desk, draft.photos)
        found = _looked_up(desk, draft) if desk.journal.must_probe else {}
        if command.former_group is not None:
            drop = partial(desk.apis.inventory.delete_group, command.former_group)
            desk.once(f"drop {command.former_group}", "removed the former group", drop)
        store_items(draft, desk.apis, image_urls, desk.once)
        offers = _offered(desk, draft, found)
        group = draft.group(image_urls)
        if group is not None:
            put_group = partial(desk.apis.inventory.put_group, group)
            desk.once(f"group @{draft.product_version}", "stored the group", put_group)
        listing_id = _listed(desk, draft, offers)
        offer_ids = {sku: offer.offer_id for sku, offer in offers.items()}
        seen = read_back(desk, draft, image_urls, offer_ids)
        return Published(draft, listing_id, offer_ids, seen, draft.content_hash(image_urls))


def _looked_up(desk: EbayDesk, draft: ListingDraft) -> dict[str, StoredOffer]:
    found = {}
    for sku in draft.skus:
        for offer in desk.apis.offers.of_sku(sku):
            found[sku] = offer
        desk.note("looked for an offer", sku=sku, found=sku in found)
    if not any(offer.published for offer in found.values()):
        desk.journal.checkpoint("nothing is listed yet", certain=True)
    return found


def _offered(
    desk: EbayDesk, draft: ListingDraft, found: Mapping[str, StoredOffer]
) -> Mapping[str, _Offered]:
    """An offer for each variant: those that are not there yet are created together."""
    missing = [variant for variant in draft.variants if variant.sku not in found]
    created: dict[str, CreatedOffer] = {}
    for pack in in_packs(missing):
        created |= _created(desk, draft, pack)
    return {
        variant.sku: _in_step(desk, draft, variant, found.get(variant.sku), created)
        for variant in draft.variants
    }


def _created(
    desk: EbayDesk, draft: ListingDraft, pack: Sequence[DraftVariant]
) -> Mapping[str, CreatedOffer]:
    offers = [draft.offer(variant) for variant in pack]
    if draft.group_key is None:
        created = {offer.sku: desk.apis.offers.create(offer) for offer in offers}
    else:
        created = dict(desk.apis.offers.create_all(offers))
    for sku, offer in created.items():
        desk.note("created the offer", sku=sku, offer_id=offer.offer_id)
    return created


def _in_step(
    desk: EbayDesk,
    draft: ListingDraft,
    variant: DraftVariant,
    found: StoredOffer | None,
    created: Mapping[str, CreatedOffer],
) -> _Offered:
    if found is None:
        offer = created[variant.sku]
        if not offer.existed:
            return _Offered(offer.offer_id, None)
        found = desk.apis.offers.get(offer.offer_id)
        if found is None:
            raise UnreadableAnswer("eBay names an offer that it does not have.")
    update = partial(desk.apis.offers.update, found.offer_id, draft.offer(variant))
    desk.once(_key("offer", variant, draft), "renewed the offer", update)
    return _Offered(found.offer_id, found.listing_id if found.published else None)


def _listed(desk: EbayDesk, draft: ListingDraft, offers: Mapping[str, _Offered]) -> str:
    for offer in offers.values():
        if offer.listing_id is not None:
            desk.note_done("it is listed already", offer.listing_id)
            return offer.listing_id
    if draft.group_key is not None:
        listing_id = desk.apis.offers.publish_group(draft.group_key)
    else:
        listing_id = desk.apis.offers.publish(offers[draft.variants[0].sku].offer_id)
    desk.note_done("listed", listing_id)
    return listing_id


def _key(what: str, variant: DraftVariant, draft: ListingDraft) -> str:
    return f"{what} {variant.sku} @{draft.product_version}"


def _already_listed(job: MarketplaceJob, known: KnownListing) -> Verdict:
    if job.progress.get("listing_id") == known.listing_id:
        return Completed({"listing_id": known.listing_id})
    detail = f"It is listed already, as {known.listing_id}. Use update to change the listing."
    return Cancel(Problem("already-listed", detail))


def _unknown(desk: EbayDesk, draft: ListingDraft, lost: APIError | EbayRefusal) -> Unknown:
    evidence = {
        "operation": desk.last.operation if desk.last else None,
        "http_status": desk.last.status if desk.last else None,
        "skus": draft.skus,
        "group_key": draft.group_key,
    }
    return Unknown(Problem.of(lost), evidence)
