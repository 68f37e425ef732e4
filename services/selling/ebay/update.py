"""Brings a live listing in step with its product: whole objects, every time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from models.selling.publishing import MarketplaceJob
from services.gateways.ebay.bulk import in_packs
from services.gateways.ebay.errors import EbayRefusal
from services.gateways.ebay.offers import PriceAndQuantity
from services.selling.ebay.desk import EbayDesk, EbayWorkshop
from services.selling.ebay.drafts import ListingDraft
from services.selling.ebay.items import revise_items
from services.selling.ebay.listings import (
    KnownListing,
    SeenListing,
    known_listing,
    write_ended,
    write_live,
)
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

_NOT_LISTED = Problem("not-listed", "It is not listed on eBay; publish it first.")
_ENDED = Problem(
    "listing-ended", "The listing is no longer live on eBay. Publish the product again."
)
_OTHER_SHAPE = Problem(
    "listing-shape-changed",
    "eBay cannot turn a listing with variants into one without, or the other way round. "
    "End the listing and publish the product again.",
)

_OTHER_SITE = Problem(
    "listed-on-other-site",
    "It is listed on another eBay site than the account sells on now. End the listing and publish "
    "the product again.",
)


@dataclass(frozen=True, slots=True)
class UpdateCommand:
    """The product as it is now, and the listing it has."""

    tenant: TenantSchema
    draft: ListingDraft
    """Only the variants that the listing has."""
    known: KnownListing
    removed: Sequence[str]
    """SKUs that the listing has and the product no longer."""
    left_out: Sequence[str]
    """SKUs that the product has and the listing never had."""

    def is_repriced(self, content: str) -> bool:
        """Whether only prices and quantities differ from what was sent and shown last.

        Who asks again for what was sent already wants all of it sent.
        """
        return (
            content == self.known.content
            and self.draft.product_version > self.known.version
            and not (self.removed or self.known.page_differs)
        )


@dataclass(frozen=True, slots=True)
class Updated:
    """The listing after the change; `listing_id` is None when it turned out to have ended."""

    draft: ListingDraft
    offer_ids: Mapping[str, str]
    listing_id: str | None
    read_back: ReadBack | None
    left_out: Sequence[str]
    content: str


class EbayUpdate:
    """Handler of `update` jobs. Every write replaces, so a repeated attempt does no harm."""

    def __init__(self, shop: EbayWorkshop, preflight: EbayPreflight) -> None:
        self._shop = shop
        self._preflight = preflight

    def prepare(
        self, session: TenantSession, job: MarketplaceJob
    ) -> UpdateCommand | LearnCategory | Verdict:
        """The complete draft of what is listed."""
        known = known_listing(session, product_of(job))
        if known is None or not known.live:
            return Cancel(_NOT_LISTED)
        draft = draft_for(self._preflight, session, job)
        if not isinstance(draft, ListingDraft):
            return draft
        if known.site not in (None, draft.site):
            return Cancel(_OTHER_SITE)
        kept = [variant for variant in draft.variants if variant.sku in known.offer_ids]
        if (draft.group_key is None) != (known.group_key is None) or not kept:
            return Cancel(_OTHER_SHAPE)
        return UpdateCommand(
            session.tenant,
            replace(draft, variants=kept, group_key=known.group_key),
            known,
            removed=[sku for sku in known.offer_ids if sku not in draft.skus],
            left_out=[sku for sku in draft.skus if sku not in known.offer_ids],
        )

    def perform(
        self, command: UpdateCommand | LearnCategory, journal: Journal
    ) -> Updated | Learned:
        """Send everything anew and look at the result."""
        if isinstance(command, LearnCategory):
            return learn(self._shop, command)
        if journal.must_probe:
            journal.checkpoint("every write replaces what was sent before", certain=True)
        draft = command.draft
        desk = self._shop.desk(command.tenant, journal, draft.site)
        offer_ids = {sku: command.known.offer_ids[sku] for sku in draft.skus}
        image_urls = hosted(desk, draft.photos)
        content = draft.content_hash(image_urls)
        repriced = command.is_repriced(content)
        sent = _repriced(desk, command) if repriced else _sent(desk, command, image_urls)
        if not sent:
            return Updated(draft, offer_ids, None, None, command.left_out, content)
        seen = read_back(desk, draft, image_urls, offer_ids)
        return Updated(draft, offer_ids, seen.listing_id, seen, command.left_out, content)

    def record(
        self, session: TenantSession, job: MarketplaceJob, result: Updated | Learned
    ) -> Verdict:
        """Write down what is live now."""
        if isinstance(result, Learned):
            return go_on(self._shop.clock)
        now = self._shop.clock.now()
        if result.listing_id is None or result.read_back is None:
            write_ended(session, product_of(job), now)
            return Cancel(_ENDED)
        seen = SeenListing(
            result.listing_id,
            result.draft.site,
            result.offer_ids,
            result.draft.group_key,
            result.draft.product_version,
            result.read_back.as_json(),
            result.content,
        )
        write_live(session, product_of(job), seen, now)
        if is_newer(session, product_of(job), result.draft.product_version):
            return Snooze(now, "a change that was made meanwhile")
        return Completed(
            {
                "listing_id": seen.listing_id,
                "url": seen.url,
                "differences": len(result.read_back.differences),
                "variants_left_out": list(result.left_out),
            }
        )


def _sent(desk: EbayDesk, command: UpdateCommand, image_urls: Sequence[str]) -> bool:
    """False when eBay no longer has one of the offers."""
    draft, version = command.draft, command.draft.product_version
    revise = partial(desk.revise_once, command.known.listing_id)
    revise_items(draft, desk.apis, image_urls, revise)
    for variant in draft.variants:
        offer_id = command.known.offer_ids[variant.sku]
        update = partial(desk.apis.offers.update, offer_id, draft.offer(variant))
        try:
            revise(f"offer {variant.sku} @{version}", "renewed the offer", update)
        except EbayRefusal as refused:
            if refused.http_status == 404:
                desk.note("the offer is gone", sku=variant.sku)
                return False
            raise
    group = draft.group(image_urls)
    if group is not None:
        put_group = partial(desk.apis.inventory.put_group, group)
        revise(f"group @{version}", "stored the group", put_group)
    for sku in command.removed:
        delete = partial(desk.apis.inventory.delete_item, sku)
        revise(f"remove {sku}", "removed a variant", delete)
    return True


def _repriced(desk: EbayDesk, command: UpdateCommand) -> bool:
    """Send prices and quantities alone; False when eBay no longer has one of the offers."""
    draft, offer_ids = command.draft, command.known.offer_ids
    for pack in in_packs(draft.variants):
        changes = [
            PriceAndQuantity(each.sku, offer_ids[each.sku], each.price, each.quantity)
            for each in pack
        ]
        key = f"prices {pack[0].sku} and {len(pack) - 1} more @{draft.product_version}"
        reprice = partial(desk.apis.offers.reprice, changes)
        try:
            desk.revise_once(
                command.known.listing_id, key, "changed prices and quantities", reprice, len(pack)
            )
        except EbayRefusal as refused:
            if refused.http_status == 404:
                desk.note("an offer is gone")
                return False
            raise
    return True
