"""Listings that a seller had on Etsy before: how they are read, and written down as ours."""

from collections.abc import Callable, Mapping
from typing import Any

from models.selling.publishing import Channel
from repositories.selling.etsy import (
    EtsyChoiceRepository,
    EtsyPictureRepository,
)
from services.gateways.calls import UnreadableAnswer
from services.gateways.etsy.listings import MAX_PAGE
from services.gateways.etsy.reading import optional_text, whole
from services.gateways.etsy.shop_listings import ShopListing, ShopVariant
from services.selling.etsy.desk import EtsyDesk, EtsyWorkshop
from services.selling.etsy.listings import SeenListing, write_live
from services.selling.etsy.preparing import shop_at_etsy
from services.selling.listing_imports.places import Place, derived_place
from services.selling.listing_imports.told import (
    Entry,
    ListingSource,
    NotImported,
    Pairing,
    SnapshotPage,
    ToldListing,
    ToldPhoto,
    ToldVariant,
)
from services.selling.publishing.handlers import Cancel, Journal
from shared.database import TenantSession
from shared.money import Money


class EtsyImportSource:
    """One Etsy shop, read by one attempt. What is for sale; drafts and what has ended are not."""

    def __init__(self, desk: EtsyDesk, page_size: int) -> None:
        self._desk = desk
        self._page_size = page_size

    def page(self, number: int) -> SnapshotPage:
        """See `ListingSource`: a call a page, with photos and inventory."""
        page = self._desk.shop_listings.active(number * self._page_size, self._page_size)
        named = [(whole(row, "listing_id"), row) for row in page.rows]
        entries = [
            Entry(str(listing_id), str(listing_id), row)
            for listing_id, row in named
            if listing_id is not None
        ]
        nameless = len(named) - len(entries)
        return SnapshotPage(entries, page.total, nameless, page.last, page.out_of_reach)

    def look(self, entry: Entry) -> ToldListing | NotImported:
        """See `ListingSource`: everything is in the page."""
        title = optional_text(entry.body, "title")
        try:
            return _told(ShopListing.of(entry.body))
        except UnreadableAnswer as broken:
            return NotImported("listing-unreadable", broken.detail, title, entry.key)

    def note(self, name: str, **detail: Any) -> None:
        """See `ListingSource`."""
        self._desk.note(name, **detail)


class EtsyImports:
    """Etsy as an `ImportRoom`."""

    def __init__(self, shop: EtsyWorkshop, page_size: int = MAX_PAGE) -> None:
        self.books = EtsyImportBooks()
        self._shop = shop
        self._page_size = page_size

    def refusal(self, session: TenantSession) -> Cancel | None:
        """See `ImportRoom`. Listings are read even where the shop cannot list anything new."""
        shop_id = shop_at_etsy(session)
        return shop_id if isinstance(shop_id, Cancel) else None

    def source(self, session: TenantSession) -> Callable[[Journal], ListingSource]:
        """See `ImportRoom`."""
        tenant, shop_id = session.tenant, shop_at_etsy(session)
        assert not isinstance(shop_id, Cancel)

        def opened(journal: Journal) -> ListingSource:
            return EtsyImportSource(self._shop.desk(tenant, shop_id, journal), self._page_size)

        return opened


class EtsyImportBooks:
    """Etsy as `ImportBooks`. A listing there keeps its id, whatever its SKUs become."""

    channel = Channel.ETSY
    names_by_sku = False

    def place(self, session: TenantSession, told: ToldListing) -> Place:
        """See `ImportBooks`."""
        return derived_place(session, Channel.ETSY, told.remote_category)

    def record(self, session: TenantSession, pairing: Pairing) -> None:
        """See `ImportBooks`. What only Etsy asks for stays as it was in the listing."""
        told, product = pairing.told, pairing.product
        listing_id = int(told.listing_id)
        seen = SeenListing(
            listing_id,
            told.url,
            tuple(told.skus),
            product.version if pairing.created else 0,
            _read_back(told),
        )
        write_live(session, product.id, seen, pairing.at)
        pictures = EtsyPictureRepository(session)
        for photo in told.photos:
            stored = pairing.photos.get(photo.url)
            if stored is not None and photo.remote_id is not None:
                pictures.put(listing_id, stored.sha256, int(photo.remote_id), pairing.at)
        choices = EtsyChoiceRepository(session)
        if pairing.created or product.id not in choices.by_products([product.id]):
            choices.put(product.id, _choice(pairing))


def _choice(pairing: Pairing) -> Mapping[str, Any]:
    """The category is chosen only where it does not follow from ours."""
    told = pairing.told
    derived = pairing.created and pairing.product.category_code is not None
    taxonomy_id = None if derived or told.remote_category is None else int(told.remote_category)
    return {"taxonomy_id": taxonomy_id, "properties": [], **told.remote}


def _told(listing: ShopListing) -> ToldListing | NotImported:
    refused = _refusal(listing)
    if refused is not None:
        code, reason = refused
        return NotImported(code, reason, listing.title, str(listing.listing_id))
    names = tuple(listing.variants[0].values)
    return ToldListing(
        listing_id=str(listing.listing_id),
        url=listing.url,
        title=listing.title,
        description=listing.description,
        currency=listing.variants[0].offerings[0].price.currency,
        variants=tuple(_variant(variant, names) for variant in listing.variants),
        option_names=names,
        photos=tuple(
            ToldPhoto(image.url, image.alt_text, str(image.image_id)) for image in listing.images
        ),
        tags=listing.tags,
        remote_category=None if listing.taxonomy_id is None else str(listing.taxonomy_id),
        remote={
            "who_made": listing.who_made,
            "when_made": listing.when_made,
            "is_supply": listing.is_supply,
        },
    )


def _refusal(listing: ShopListing) -> tuple[str, str] | None:
    """Why a listing is no product of ours: a stable word and a sentence."""
    if listing.digital:
        return "digital-listing", "It is a download; StoFlow keeps things that are sent."
    if any(len(variant.offerings) != 1 for variant in listing.variants):
        return "several-offerings", "A variant is offered at several prices at once."
    if len({frozenset(variant.values) for variant in listing.variants}) > 1:
        return "uneven-variants", "Its variants do not all differ in the same things."
    return None


def _variant(variant: ShopVariant, names: tuple[str, ...]) -> ToldVariant:
    """What is not enabled is not for sale, whatever its number."""
    [offering] = variant.offerings
    return ToldVariant(
        sku=variant.sku,
        price_minor=offering.price.minor,
        quantity=offering.quantity if offering.enabled else 0,
        option_values=tuple(variant.values[name] for name in names),
    )


def _read_back(told: ToldListing) -> dict[str, Any]:
    return {
        "listing_id": told.listing_id,
        "state": "active",
        "title": told.title,
        "image_ids": [int(photo.remote_id) for photo in told.photos if photo.remote_id],
        "variants": {
            variant.sku or "": {
                "price": str(Money(variant.price_minor, told.currency)),
                "quantity": variant.quantity,
            }
            for variant in told.variants
        },
        "differences": [],
    }
