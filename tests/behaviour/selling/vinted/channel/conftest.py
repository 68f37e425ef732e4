"""The sandbox Vinted and a shop that sells there: a browser that is signed in, a worker by hand."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select, text

from backend.container import Container
from backend.handlers import handler_table
from backend.worker import ebay_workshop_of, etsy_workshop_of
from models.accounts.tenants import Lane
from models.selling.catalog import Product
from models.selling.publishing import Channel, ChannelListing, JobAction, MarketplaceJob
from models.selling.vinted import VintedAccount
from repositories.selling.catalog import ProductRepository
from repositories.selling.publishing import JobRepository, ListingRepository
from repositories.selling.vinted import VintedAccountRepository
from sandbox.server import serving
from sandbox.vinted.app import create_app
from services.selling.listing_imports.importing import ImportWorkshop
from services.selling.publishing.attempt import ProcessedJob
from services.selling.publishing.attempting import HandlerTable
from services.selling.publishing.lease import LeaseKeeper
from services.selling.publishing.processor import MarketplaceJobProcessor
from services.selling.publishing.steering import JobSteering
from services.selling.vinted.desk import TransportOf, VintedWorkshop
from services.selling.vinted.halting import VintedHalts
from shared.clock import MovableClock
from shared.database import Database, TenantSchema, TenantSession
from tests.contracts.vinted_site import VintedBrowser, VintedSite
from tests.factories.ebay import make_shirt
from tests.factories.reference import load_catalogues
from tests.factories.selling import make_job
from tests.factories.vinted import make_vinted_account
from tests.fakes.vinted_transport import RowsAnsweredAtOnce, SignedInBrowser
from tests.serving import client

SELLER = "camille"


@pytest.fixture(scope="session")
def vinted_url() -> Iterator[str]:
    """A sandbox Vinted on a free port."""
    with serving(create_app()) as url:
        yield url


@pytest.fixture
def site(vinted_url: str) -> Iterator[VintedSite]:
    """The sandbox, emptied."""
    with client(vinted_url) as http:
        http.post("/_sandbox/reset").raise_for_status()
        yield VintedSite(http)


@pytest.fixture
def catalogues(worker_database: Database, clock: MovableClock) -> None:
    """What we know of Vinted's categories and words."""
    load_catalogues(worker_database, clock)


@pytest.fixture
def seller(site: VintedSite) -> VintedBrowser:
    """The seller at their own browser."""
    return site.member(SELLER)


@pytest.fixture
def browser(seller: VintedBrowser, container: Container) -> SignedInBrowser:
    """The same browser, doing what it is asked to."""
    token = seller.csrf()
    return SignedInBrowser(seller.http, lambda: token, container.object_store)


@dataclass
class Shop:
    """A shop with an account at Vinted, its products, and a worker that runs when told to."""

    container: Container
    site: VintedSite
    browser: SignedInBrowser
    tenant: TenantSchema
    clock: MovableClock
    handlers: HandlerTable

    def shirt(self, **changes: Any) -> int:
        """Store a product that lacks nothing; returns its id."""
        with self.container.database.tenant(self.tenant) as session:
            changes = {"currency": "EUR", **changes}
            return make_shirt(session, self.clock, self.container.object_store, **changes).id

    def change(self, product_id: int, act: Callable[[Product, TenantSession], None]) -> None:
        """Change a product as its seller would."""
        with self.container.database.tenant(self.tenant) as session:
            product = ProductRepository(session).locked(product_id)
            assert product is not None
            act(product, session)
            product.version += 1

    def ask(
        self, product_id: int | None, action: JobAction = JobAction.PUBLISH, **more: Any
    ) -> int:
        """Queue a job; returns its id."""
        job = {"product_id": product_id, "action": action, "channel": Channel.VINTED, **more}
        with self.container.database.tenant(self.tenant) as session:
            return make_job(session, self.clock, lane=action.lane, **job).id

    def turn(self, lane: Lane = Lane.BULK, who: str = "worker-1") -> ProcessedJob | None:
        """One attempt of the next due job, by a new worker."""
        return MarketplaceJobProcessor(
            self.container.database,
            self.handlers,
            LeaseKeeper(self.container.database, self.clock, timedelta(seconds=60)),
            self.clock,
            who,
        ).process_next_job(lane)

    def run(
        self, product_id: int | None, action: JobAction = JobAction.PUBLISH, **more: Any
    ) -> MarketplaceJob:
        """Queue a job and work until it has ended."""
        return self.finish(self.ask(product_id, action, **more))

    def finish(self, job_id: int) -> MarketplaceJob:
        """Work, moving the clock over waits, until a job has ended."""
        for _ in range(30):
            job = self.job(job_id)
            if not job.is_live:
                return job
            self.clock.advance(max(timedelta(0), job.due_at - self.clock.now()))
            self.turn(job.lane)
        raise AssertionError(f"job {job_id} does not end: {self.story(job_id)}")

    def cancel(self, job_id: int) -> None:
        """As the seller would."""
        with self.container.database.tenant(self.tenant) as session:
            JobSteering(self.clock).cancel(session, job_id)

    def job(self, job_id: int) -> MarketplaceJob:
        """A job as it stands."""
        with self.container.database.tenant(self.tenant) as session:
            job = JobRepository(session).get(job_id)
        assert job is not None
        return job

    def story(self, job_id: int) -> list[str]:
        """The names of its steps."""
        with self.container.database.tenant(self.tenant) as session:
            return [step.name for step in JobRepository(session).steps(job_id)]

    def jobs(self, action: JobAction) -> list[MarketplaceJob]:
        """Jobs of an action that have not ended."""
        with self.container.database.tenant(self.tenant) as session:
            question = select(MarketplaceJob).where(MarketplaceJob.action == action)
            return [job for job in session.scalars(question) if job.is_live]

    def account(self) -> VintedAccount:
        """The account as it stands."""
        with self.container.database.tenant(self.tenant) as session:
            account = VintedAccountRepository(session).get()
        assert account is not None
        return account

    def set_account(self, **columns: Any) -> None:
        """Change the account."""
        with self.container.database.tenant(self.tenant) as session:
            account = VintedAccountRepository(session).locked()
            for name, value in columns.items():
                setattr(account, name, value)

    def unpair(self) -> None:
        """As if no browser had ever been paired."""
        with self.container.database.tenant(self.tenant) as session:
            session.execute(text("DELETE FROM vinted_accounts"))

    def listing(self, product_id: int) -> ChannelListing | None:
        """What we know of a product on Vinted."""
        with self.container.database.tenant(self.tenant) as session:
            return ListingRepository(session).get(product_id, Channel.VINTED)

    def product(self, product_id: int) -> Product:
        """A product as it stands."""
        with self.container.database.tenant(self.tenant) as session:
            [product] = ProductRepository(session).by_ids([product_id])
            return product

    def items(self, product_id: int) -> list[dict[str, Any]]:
        """Every item of the product that ever was, by its photos: no two products share any."""
        wanted = {image.sha256 for image in self.product(product_id).images}
        return [row for row in self.site.items() if wanted & set(row["photos"])]

    def live(self, product_id: int) -> list[dict[str, Any]]:
        """What buyers can have of it."""
        return [row for row in self.items(product_id) if row["state"] == "active"]

    def calls_of(self, act: Callable[[], Any]) -> dict[str, int]:
        """What Vinted was asked while something happened."""
        before: dict[str, int] = self.site.read("calls")["calls"]
        act()
        after: dict[str, int] = self.site.read("calls")["calls"]
        return {
            name: number - before.get(name, 0)
            for name, number in after.items()
            if number > before.get(name, 0)
        }


@pytest.fixture
def transport_of(
    container: Container, clock: MovableClock, browser: SignedInBrowser
) -> TransportOf:
    """The road to Vinted that handlers take: answered while they ask."""
    return partial(RowsAnsweredAtOnce, container.database, clock, browser.perform)


@pytest.fixture
def shop(
    container: Container,
    catalogues: None,
    site: VintedSite,
    seller: VintedBrowser,
    browser: SignedInBrowser,
    tenant: TenantSchema,
    clock: MovableClock,
    transport_of: TransportOf,
) -> Shop:
    """A shop that can publish."""
    user_id = str(seller.user_id())
    with container.database.tenant(tenant) as session:
        choices = {"package_size_id": 1}
        make_vinted_account(session, clock, remote_user_id=user_id, login=SELLER, choices=choices)
    workshop = VintedWorkshop(
        container.database, transport_of, VintedHalts(container.database, clock), clock
    )
    imports = ImportWorkshop(
        container.database, container.object_store, container.image_fetcher, clock
    )
    handlers = handler_table(
        ebay_workshop_of(container), etsy_workshop_of(container), workshop, imports
    )
    return Shop(container, site, browser, tenant, clock, handlers)
