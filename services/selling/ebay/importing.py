"""Listings that a seller had on eBay before: how they are read, and written down as ours."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from models.selling.publishing import Channel
from repositories.reference.marketplace_mappings import EbayMappingRepository
from repositories.selling.ebay import EbayChoiceRepository
from services.gateways.calls import UnreadableAnswer
from services.gateways.ebay.marketplaces import SITES, Marketplace
from services.gateways.ebay.reading import optional_text
from services.gateways.ebay.shop_items import MAX_PAGE, ShopGroup, ShopItem, ShopOffer
from services.reference.marketplace_mappings.facts import MAPPED_SITE
from services.selling.ebay.desk import EbayDesk, EbayWorkshop
from services.selling.ebay.listings import SeenListing, write_live
from services.selling.ebay.preparing import shut_out
from services.selling.ebay.sites import site_in
from services.selling.listing_imports.places import NOWHERE, Place, derived_place
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
from shared.text import plain_text_of

_BRAND = "Brand"


class EbayImportSource:
    """One eBay account, read by one attempt: what is at the Inventory API and listed."""

    def __init__(
        self, desk: EbayDesk, site: Marketplace, conditions: Mapping[str, str], page_size: int
    ) -> None:
        self._desk = desk
        self._items = desk.apis.shop_items
        self._site = site
        self._conditions = conditions
        self._page_size = page_size

    def page(self, number: int) -> SnapshotPage:
        """See `ListingSource`: a call a page; the rows are SKUs."""
        page = self._items.page(number, self._page_size)
        named = [(optional_text(row, "sku"), row) for row in page.rows]
        entries = [Entry(sku, _row_key(sku, row), row) for sku, row in named if sku is not None]
        return SnapshotPage(entries, page.total, len(named) - len(entries), page.last)

    def look(self, entry: Entry) -> ToldListing | NotImported:
        """See `ListingSource`: a call for the offers of each SKU, two or more for a group."""
        try:
            item = ShopItem.of(entry.body)
            if item.group_key is not None:
                return self._group(item.group_key)
            return self._single(item)
        except UnreadableAnswer as broken:
            return NotImported("listing-unreadable", broken.detail)

    def note(self, name: str, **detail: Any) -> None:
        """See `ListingSource`."""
        self._desk.note(name, **detail)

    def _single(self, item: ShopItem) -> ToldListing | NotImported:
        listed = self._items.listed(item.sku)
        here = [offer for offer in listed if offer.marketplace_id == self._site.id]
        if not here:
            return _not_here(item.title, listed)
        return self._told(None, [(item, here[0])])

    def _group(self, key: str) -> ToldListing | NotImported:
        group = self._items.group(key)
        if group is None:
            return NotImported("group-gone", "eBay names a group of variants and has none.")
        items = self._items.items(group.skus)
        found: list[tuple[ShopItem, ShopOffer]] = []
        elsewhere: list[ShopOffer] = []
        for sku in group.skus:
            listed = self._items.listed(sku) if sku in items else []
            here = [offer for offer in listed if offer.marketplace_id == self._site.id]
            elsewhere += listed
            found += [(items[sku], offer) for offer in here[:1]]
        if not found:
            return _not_here(group.title, elsewhere)
        return self._told(group, found)

    def _told(
        self, group: ShopGroup | None, variants: Sequence[tuple[ShopItem, ShopOffer]]
    ) -> ToldListing | NotImported:
        item, offer = variants[0]
        title = (group.title if group else None) or item.title
        if title is None or any(each.price is None for _, each in variants):
            raise UnreadableAnswer("eBay does not say what it is called or what it costs.")
        if len({each.listing_id for _, each in variants}) > 1:
            reason = "Its variants are listed apart from each other."
            return NotImported("uneven-variants", reason, title, offer.listing_id)
        names = group.varies_by if group is not None else ()
        if any(name not in each.aspects for each, _ in variants for name in names):
            reason = "A variant does not say in what it differs from the others."
            return NotImported("uneven-variants", reason, title, offer.listing_id)
        words = offer.description or (group.description if group else None) or item.description
        urls = (group.image_urls if group else ()) or item.image_urls
        shared = {name: values for name, values in item.aspects.items() if name not in names}
        brand = shared.get(_BRAND, ())
        condition = self._conditions.get(item.condition or "")
        unclear = {} if condition else {"condition": _unclear(item.condition)}
        return ToldListing(
            listing_id=offer.listing_id,
            url=self._site.listing_url(offer.listing_id),
            title=title,
            description=plain_text_of(words or ""),
            currency=_price(offer).currency,
            variants=tuple(_variant(each, its, names) for each, its in variants),
            option_names=names,
            photos=tuple(ToldPhoto(url) for url in urls),
            brand=brand[0] if brand else None,
            condition=condition,
            remote_category=offer.category_id,
            remote={
                "marketplace_id": self._site.id,
                "group_key": group.key if group is not None else None,
                "aspects": {
                    name: list(values) for name, values in shared.items() if name != _BRAND
                },
            },
            unclear=unclear,
        )


class EbayImports:
    """eBay as an `ImportRoom`."""

    def __init__(self, shop: EbayWorkshop, page_size: int = MAX_PAGE) -> None:
        self.books = EbayImportBooks()
        self._shop = shop
        self._page_size = page_size

    def refusal(self, session: TenantSession) -> Cancel | None:
        """See `ImportRoom`."""
        return shut_out(session)

    def source(self, session: TenantSession) -> Callable[[Journal], ListingSource]:
        """See `ImportRoom`."""
        tenant, conditions = session.tenant, _conditions(session)
        site = site_in(session, self._shop.gateway.marketplace)

        def opened(journal: Journal) -> ListingSource:
            desk = self._shop.desk(tenant, journal, site)
            return EbayImportSource(desk, site, conditions, self._page_size)

        return opened


class EbayImportBooks:
    """eBay as `ImportBooks`. An offer has its SKU for ever, so ours must be that one."""

    channel = Channel.EBAY
    names_by_sku = True

    def place(self, session: TenantSession, told: ToldListing) -> Place:
        """See `ImportBooks`."""
        if told.remote["marketplace_id"] != MAPPED_SITE:
            return NOWHERE
        return derived_place(session, Channel.EBAY, told.remote_category)

    def record(self, session: TenantSession, pairing: Pairing) -> None:
        """See `ImportBooks`. Item specifics of a new product stay as they were in the listing."""
        told, product = pairing.told, pairing.product
        seen = SeenListing(
            told.listing_id,
            SITES[told.remote["marketplace_id"]],
            {each.sku or "": each.remote_id or "" for each in told.variants},
            told.remote["group_key"],
            product.version if pairing.created else 0,
            _read_back(pairing),
            content=None,
        )
        write_live(session, product.id, seen, pairing.at)
        if pairing.created:
            chosen = None if product.category_code is not None else told.remote_category
            EbayChoiceRepository(session).put(
                product.id, told.remote["marketplace_id"], chosen, told.remote["aspects"]
            )


def _conditions(session: TenantSession) -> Mapping[str, str]:
    """Our grade by eBay's word, where exactly one of ours is meant by it."""
    ours: dict[str, set[str]] = {}
    first: dict[str, set[str]] = {}
    for row in EbayMappingRepository(session).conditions():
        ours.setdefault(row.inventory_api_enum, set()).add(row.condition_code)
        if row.preference == 1:
            first.setdefault(row.inventory_api_enum, set()).add(row.condition_code)
    found = {**ours, **first}
    return {word: next(iter(codes)) for word, codes in found.items() if len(codes) == 1}


def _unclear(word: str | None) -> str:
    if word is None:
        return "eBay does not say what condition it is in; say it before you update it."
    return f"eBay says {word}, which fits several grades; say which before you update it."


def _row_key(sku: str, row: Mapping[str, Any]) -> str:
    """All variants of a listing are one row."""
    try:
        group_key = ShopItem.of(row).group_key
    except UnreadableAnswer:
        group_key = None
    return sku if group_key is None else f"group {group_key}"


def _not_here(title: str | None, listed: Sequence[ShopOffer]) -> NotImported:
    if listed:
        reason = f"It is listed on {listed[0].marketplace_id}, not on the site you sell on here."
        return NotImported("other-site", reason, title, listed[0].listing_id, skipped=True)
    return NotImported("not-listed", "It is in the inventory and not listed.", title, skipped=True)


def _price(offer: ShopOffer) -> Money:
    assert offer.price is not None
    return offer.price


def _variant(item: ShopItem, offer: ShopOffer, names: Sequence[str]) -> ToldVariant:
    """Buyers can have what the offer says, at most what the item has."""
    known = [number for number in (item.quantity, offer.quantity) if number is not None]
    if not known:
        raise UnreadableAnswer("eBay does not say how many there are.")
    return ToldVariant(
        sku=item.sku,
        price_minor=_price(offer).minor,
        quantity=min(known),
        option_values=tuple(", ".join(item.aspects[name]) for name in names),
        remote_id=offer.offer_id,
    )


def _read_back(pairing: Pairing) -> dict[str, Any]:
    told = pairing.told
    return {
        "listing_id": told.listing_id,
        "title": told.title,
        "image_urls": [photo.url for photo in told.photos],
        "photos": {url: stored.sha256 for url, stored in pairing.photos.items()},
        "variants": {
            each.sku or "": {
                "offer_id": each.remote_id,
                "price": str(Money(each.price_minor, told.currency)),
                "quantity": each.quantity,
                "published": True,
            }
            for each in told.variants
        },
        "differences": [],
    }
