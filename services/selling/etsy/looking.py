"""Looks at what Etsy has of a product and writes it down; changes nothing on Etsy.

`sync` looks at the listing we know; `link` finds one that we do not know, by our own SKUs alone: no
listing is found by its title.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from models.selling.etsy import EtsyAccountStatus
from models.selling.publishing import MarketplaceJob
from repositories.selling.catalog import ProductRepository
from repositories.selling.etsy import EtsyAccountRepository
from services.gateways.etsy.listings import ListingState, StoredListing
from services.selling.etsy.desk import EtsyWorkshop
from services.selling.etsy.listings import (
    SeenListing,
    known_listing,
    write_checked,
    write_ended,
    write_live,
)
from services.selling.etsy.preparing import blocked, product_of
from services.selling.etsy.read_back import ReadBack, looked_at
from services.selling.etsy.readiness import account_gaps
from services.selling.publishing.handlers import Cancel, Completed, Journal, Problem, Verdict
from shared.database import TenantSchema, TenantSession


@dataclass(frozen=True, slots=True)
class SyncCommand:
    """The listing to look at."""

    tenant: TenantSchema
    shop_id: int
    listing_id: int


@dataclass(frozen=True, slots=True)
class LinkCommand:
    """The SKUs to look for. They are ours alone and never change."""

    tenant: TenantSchema
    shop_id: int
    skus: Sequence[str]


def _shop_id(session: TenantSession) -> int | Cancel:
    account = EtsyAccountRepository(session).get()
    if account is None or account.status is not EtsyAccountStatus.CONNECTED:
        return blocked(tuple(account_gaps(account)))
    return account.remote_shop_id


class EtsySync:
    """Handler of `sync` jobs. A listing that is not for sale has ended, and was not sold by that:
    what was sold is told by orders alone."""

    def __init__(self, shop: EtsyWorkshop) -> None:
        self._shop = shop

    def prepare(self, session: TenantSession, job: MarketplaceJob) -> SyncCommand | Verdict:
        """The listing that we know."""
        known, shop_id = known_listing(session, product_of(job)), _shop_id(session)
        if known is None:
            return Cancel(Problem("not-listed", "It was never listed on Etsy from here."))
        if isinstance(shop_id, Cancel):
            return shop_id
        return SyncCommand(session.tenant, shop_id, known.listing_id)

    def perform(self, command: SyncCommand, journal: Journal) -> ReadBack:
        """Look."""
        desk = self._shop.desk(command.tenant, command.shop_id, journal)
        return looked_at(desk, command.listing_id)

    def record(self, session: TenantSession, job: MarketplaceJob, result: ReadBack) -> Verdict:
        """Write down what is there."""
        now = self._shop.clock.now()
        if not result.live:
            write_ended(session, product_of(job), now)
            return Completed({"live": False})
        write_checked(session, product_of(job), result.as_json(), now)
        return Completed({"live": True})


class EtsyLink:
    """Handler of `link` jobs."""

    def __init__(self, shop: EtsyWorkshop) -> None:
        self._shop = shop

    def prepare(self, session: TenantSession, job: MarketplaceJob) -> LinkCommand | Verdict:
        """The product's SKUs."""
        product, shop_id = ProductRepository(session).get(product_of(job)), _shop_id(session)
        if product is None:
            return Cancel(Problem("product-gone", "The product is no longer there."))
        if isinstance(shop_id, Cancel):
            return shop_id
        return LinkCommand(session.tenant, shop_id, [each.channel_key for each in product.variants])

    def perform(self, command: LinkCommand, journal: Journal) -> StoredListing | None:
        """Look through what is for sale."""
        desk = self._shop.desk(command.tenant, command.shop_id, journal)
        found = desk.listings.find(command.skus, [ListingState.ACTIVE])
        desk.note("looked for a listing", found=found is not None)
        return found

    def record(
        self, session: TenantSession, job: MarketplaceJob, result: StoredListing | None
    ) -> Verdict:
        """Write the listing down. Its version is 0: an update brings it in step."""
        if result is None:
            return Cancel(Problem("nothing-to-link", "Etsy has no live listing of this product."))
        seen = SeenListing(result.listing_id, result.url, result.skus, 0, {})
        write_live(session, product_of(job), seen, self._shop.clock.now())
        return Completed({"listing_id": str(result.listing_id), "url": result.url})
