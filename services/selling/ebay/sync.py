"""What eBay shows of a listing: its offers, each asked for by its id, its title and its photos."""

from collections.abc import Sequence

from models.selling.publishing import Channel
from repositories.selling.ebay import EbayPictureRepository
from services.gateways.ebay.reading import at
from services.gateways.quotas import Quota
from services.selling.drift.comparing import ToCompare
from services.selling.drift.seen import LiveListing, LivePhoto, LiveVariant
from services.selling.ebay.desk import EbayDesk, EbayWorkshop
from services.selling.ebay.preparing import shut_out
from services.selling.publishing.handlers import Cancel, Journal
from shared.database import TenantSchema, TenantSession


class EbaySight:
    """A `services.selling.drift.comparing.Sight`."""

    channel = Channel.EBAY

    def __init__(self, shop: EbayWorkshop) -> None:
        self._shop = shop

    @property
    def quotas(self) -> Sequence[Quota]:
        """Those of the inventory."""
        return self._shop.quotas.of("GET", "/sell/inventory")

    def account(self, session: TenantSession) -> Cancel | None:
        """Whether eBay lets us in."""
        return shut_out(session)

    def open(self, tenant: TenantSchema, account: None, journal: Journal) -> "EbayEye":
        """Begin to look."""
        return EbayEye(self._shop, self._shop.desk(tenant, journal))


class EbayEye:
    """A `services.selling.drift.comparing.Eye`: one call a variant, and one for the page."""

    def __init__(self, shop: EbayWorkshop, desk: EbayDesk) -> None:
        self._shop = shop
        self.desk = desk

    def look(self, listing: ToCompare) -> LiveListing:
        """Listed is what has a published offer."""
        offers = {
            sku: offer
            for sku, offer_id in (at(listing.remote, "offers") or {}).items()
            if (offer := self.desk.apis.offers.get(offer_id)) is not None
        }
        published = [offer for offer in offers.values() if offer.published]
        if not published:
            return LiveListing(live=False)
        listing_id = published[0].listing_id
        title, urls = self._page(listing, next(iter(offers)))
        return LiveListing(
            live=True,
            listing_id=listing_id,
            url=self.desk.site.listing_url(listing_id) if listing_id else None,
            title=title,
            photos=self._photos(listing, urls),
            variants={
                sku: LiveVariant(offer.price, offer.quantity, offer.published)
                for sku, offer in offers.items()
            },
        )

    def _page(self, listing: ToCompare, sku: str) -> tuple[str | None, Sequence[str]]:
        group_key = at(listing.remote, "group_key")
        if group_key:
            group = self.desk.apis.inventory.group(str(group_key))
            return (group.title, group.image_urls) if group else (None, ())
        item = self.desk.apis.inventory.item(sku)
        return (item.title, item.image_urls) if item else (None, ())

    def _photos(self, listing: ToCompare, urls: Sequence[str]) -> Sequence[LivePhoto]:
        """eBay keeps the address of a photo that has been uploaded anew for another listing."""
        with self._shop.database.tenant(self.desk.tenant) as session:
            known = EbayPictureRepository(session).hashes(urls)
        return [LivePhoto(url, listing.photos.get(url) or known.get(url)) for url in urls]
