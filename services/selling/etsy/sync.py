"""What Etsy shows of a listing, asked for by its number, and of its photos."""

from collections.abc import Sequence

from models.selling.publishing import Channel
from repositories.selling.etsy import EtsyPictureRepository
from services.gateways.quotas import Quota
from services.selling.drift.comparing import ToCompare
from services.selling.drift.seen import LiveListing, LivePhoto, LiveVariant
from services.selling.etsy.desk import EtsyDesk, EtsyWorkshop
from services.selling.etsy.preparing import shop_at_etsy
from services.selling.publishing.handlers import Cancel, Journal
from shared.database import TenantSchema, TenantSession


class EtsySight:
    """A `services.selling.drift.comparing.Sight`."""

    channel = Channel.ETSY

    def __init__(self, shop: EtsyWorkshop) -> None:
        self._shop = shop

    @property
    def quotas(self) -> Sequence[Quota]:
        """Every call counts against all."""
        return self._shop.gateway.quotas.all

    def account(self, session: TenantSession) -> int | Cancel:
        """Etsy's number of the shop."""
        return shop_at_etsy(session)

    def open(self, tenant: TenantSchema, account: int, journal: Journal) -> "EtsyEye":
        """Begin to look."""
        return EtsyEye(self._shop.desk(tenant, account, journal))


class EtsyEye:
    """A `services.selling.drift.comparing.Eye`: two calls a listing, one when it is gone."""

    def __init__(self, desk: EtsyDesk) -> None:
        self.desk = desk

    def look(self, listing: ToCompare) -> LiveListing:
        """Buyers can order what is active; what is drafted, sold out or expired has ended."""
        stored = self.desk.listings.get(int(listing.listing_id))
        if stored is None or not stored.active:
            return LiveListing(live=False)
        images = self.desk.listings.images(stored.listing_id)
        with self.desk.shop.database.tenant(self.desk.tenant) as session:
            hashes = EtsyPictureRepository(session).of_listing(stored.listing_id)
        known = {image_id: sha256 for sha256, image_id in hashes.items()}
        return LiveListing(
            live=True,
            listing_id=str(stored.listing_id),
            url=stored.url,
            title=stored.title,
            photos=[LivePhoto(str(each.image_id), known.get(each.image_id)) for each in images],
            variants={
                product.sku: LiveVariant(product.price, product.quantity)
                for product in stored.products
                if product.sku
            },
        )
