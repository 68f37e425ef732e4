"""What a job handler works with: Etsy in the seller's name, and the story that it tells."""

from dataclasses import dataclass

from services.gateways.etsy.gateway import EtsyGateway
from services.selling.etsy.access import EtsyAccess
from services.selling.publishing.desk import JobDesk, PhotoStore
from services.selling.publishing.handlers import Journal
from shared.clock import Clock
from shared.database import Database, TenantSchema


@dataclass(frozen=True, slots=True)
class EtsyWorkshop:
    """What all handlers of this room share."""

    database: Database
    gateway: EtsyGateway
    access: EtsyAccess
    photos: PhotoStore
    clock: Clock

    def desk(self, tenant: TenantSchema, shop_id: int, journal: Journal) -> "EtsyDesk":
        """A place to do one job."""
        return EtsyDesk(self, tenant, shop_id, journal)


class EtsyDesk(JobDesk):
    """One attempt at one job. Every call to Etsy goes through its clients and is remembered."""

    def __init__(
        self, shop: EtsyWorkshop, tenant: TenantSchema, shop_id: int, journal: Journal
    ) -> None:
        super().__init__(tenant, journal)
        self.shop = shop
        tokens = shop.access.tokens_of(tenant)
        apis = shop.gateway.seller(tokens, shop_id, self.watch)
        self.listings, self.receipts = apis.listings, apis.receipts
        self.shop_listings = apis.shop_listings
