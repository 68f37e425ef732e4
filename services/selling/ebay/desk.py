"""What a job handler works with: eBay in the seller's name, and the story that it tells."""

from collections.abc import Callable
from dataclasses import dataclass, field

from services.gateways.ebay.gateway import EbayGateway, SellerApis
from services.gateways.ebay.marketplaces import Marketplace
from services.gateways.ebay.quotas import REVISIONS, EbayQuotas, listing_account
from services.selling.ebay.access import EbayAccess
from services.selling.ebay.sites import site_in
from services.selling.publishing.desk import JobDesk, PhotoStore
from services.selling.publishing.handlers import Journal
from services.selling.quotas.ledger import DatabaseLedger
from shared.clock import Clock
from shared.database import Database, TenantSchema


@dataclass(frozen=True, slots=True)
class EbayWorkshop:
    """What all handlers of this room share."""

    database: Database
    gateway: EbayGateway
    access: EbayAccess
    photos: PhotoStore
    clock: Clock
    quotas: EbayQuotas = field(default_factory=EbayQuotas)
    """Against what calls count."""

    def desk(
        self, tenant: TenantSchema, journal: Journal, site: Marketplace | None = None
    ) -> "EbayDesk":
        """A place to do one job on a site: the shop's present one, unless the job names another."""
        if site is None:
            with self.database.tenant(tenant) as session:
                site = site_in(session, self.gateway.marketplace)
        return EbayDesk(self, tenant, journal, site)


class EbayDesk(JobDesk):
    """One attempt at one job. Every call to eBay goes through `apis` and is remembered."""

    def __init__(
        self, shop: EbayWorkshop, tenant: TenantSchema, journal: Journal, site: Marketplace
    ) -> None:
        super().__init__(tenant, journal)
        self.site = site
        self.shop = shop
        tokens = shop.access.tokens_of(tenant)
        self.apis: SellerApis = shop.gateway.seller(tokens, site, self.watch)

    def revise_once(
        self, listing_id: str, key: str, name: str, act: Callable[[], object], changes: int = 1
    ) -> None:
        """As `once`, for changes of a live listing: eBay takes 250 of each in a day.

        Raises `QuotaSpent`, and eBay is not asked, when they are used up.
        """

        def paid() -> None:
            account = listing_account(self.tenant.name, listing_id)
            DatabaseLedger(self.shop.database, self.shop.clock).pay([REVISIONS], account, changes)
            act()

        self.once(key, name, paid)
