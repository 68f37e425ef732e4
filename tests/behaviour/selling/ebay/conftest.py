"""The sandbox eBay beside our API: sellers who are connected, products, and a worker by hand."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import text

from backend.container import Container
from backend.worker import handlers_of
from models.accounts.tenants import Lane
from models.selling.catalog import Product
from models.selling.orders import ChannelOrder
from models.selling.publishing import (
    Channel,
    ChannelListing,
    JobAction,
    JobStep,
    MarketplaceJob,
)
from repositories.selling.catalog import ProductRepository
from repositories.selling.orders import OrderFilter, OrderRepository
from repositories.selling.publishing import JobFilter, JobRepository, ListingRepository
from sandbox.ebay.app import create_app as create_sandbox
from sandbox.server import serving
from services.gateways.ebay.gateway import HttpEbayGateway
from services.gateways.ebay.oauth import Keyset
from services.gateways.ebay.quotas import EbayQuotas
from services.gateways.ebay.transport import CallBook, EbayAddresses
from services.reference.marketplace_mappings.ebay_refresh import EbayRefresh
from services.selling.publishing.account_work import AccountWork
from services.selling.publishing.attempt import ProcessedJob
from services.selling.publishing.attempting import HandlerTable
from services.selling.publishing.lease import LeaseKeeper
from services.selling.publishing.processor import MarketplaceJobProcessor
from services.selling.quotas.ledger import DatabaseLedger
from shared.clock import MovableClock
from shared.database import Database, TenantSchema
from shared.http_client import outbound_client, trusted_authorities
from tests.contracts.ebay_shop import KEYSET, Sandbox
from tests.factories.ebay import SHIRT_CATEGORY, make_shirt
from tests.factories.reference import load_catalogues
from tests.factories.selling import make_job
from tests.serving import Seller, Stage, client, sign_in

CHANNEL = "/api/v1/channels/ebay"
FACTS = ("ebay_category_refreshes", "ebay_category_aspects", "ebay_category_conditions")


@pytest.fixture(scope="session")
def ebay_url() -> Iterator[str]:
    """A sandbox eBay with all of its categories, on a free port."""
    with serving(create_sandbox()) as url:
        yield url


@pytest.fixture
def ebay(ebay_url: str, stage: Stage) -> Iterator[Sandbox]:
    """The sandbox, emptied; its consent page sends sellers back to our API."""
    with client(ebay_url) as http:
        sandbox = Sandbox(http)
        sandbox.control("reset")
        sandbox.control("keysets", {"accepted_url": f"{stage.url}{CHANNEL}/callback"})
        yield sandbox


@pytest.fixture(autouse=True)
def pointed_at_the_sandbox(monkeypatch: pytest.MonkeyPatch, ebay: Sandbox, ebay_url: str) -> None:
    """What our installation knows of eBay."""
    for host in ("AUTH", "API", "IDENTITY", "MEDIA"):
        monkeypatch.setenv(f"STOFLOW_EBAY_{host}_URL", ebay_url)
    monkeypatch.setenv("STOFLOW_EBAY_CLIENT_ID", KEYSET.client_id)
    monkeypatch.setenv("STOFLOW_EBAY_CLIENT_SECRET", KEYSET.client_secret)
    monkeypatch.setenv("STOFLOW_EBAY_RU_NAME", KEYSET.ru_name)
    monkeypatch.setenv("STOFLOW_EBAY_TIMEOUT", "PT20S")


def through(container: Container, transport: httpx.BaseTransport) -> None:
    """Lead all further calls to eBay through this transport."""
    settings = container.settings.ebay
    container.ebay = HttpEbayGateway(
        outbound_client(settings.timeout, transport=transport),
        EbayAddresses(*(settings.api_url,) * 4),
        Keyset(KEYSET.client_id, KEYSET.client_secret, KEYSET.ru_name),
        container.ebay.marketplace,
        CallBook(DatabaseLedger(container.database, container.clock), EbayQuotas()),
        container.clock,
    )


@pytest.fixture
def catalogues(worker_database: Database, clock: MovableClock) -> Iterator[None]:
    """Our catalogues; what eBay says of categories is forgotten after the test."""
    load_catalogues(worker_database, clock)
    yield
    with worker_database.platform() as session:
        for table in FACTS:
            session.execute(text(f"DELETE FROM product_attributes.{table}"))


@pytest.fixture
def shirt_facts(container: Container, catalogues: None, ebay: Sandbox) -> None:
    """eBay has been asked about men's t-shirts; the calls for it are not counted."""
    refresh = EbayRefresh(container.database.platform, container.ebay.public, container.clock)
    refresh.run([SHIRT_CATEGORY])


def redirected(sandbox: Sandbox, authorize_url: str, user: str, decision: str = "agree") -> str:
    """Go through eBay's consent page; returns the address the browser is sent to."""
    form = {name: values[0] for name, values in parse_qs(urlsplit(authorize_url).query).items()}
    answer = sandbox.http.post("/oauth2/consent", data={**form, "user": user, "decision": decision})
    assert answer.status_code == 302, answer.text
    return str(answer.headers["location"])


def begin(seller: Seller) -> str:
    """Ask our API to connect; returns the authorize URL."""
    answer = seller.http.post(f"{CHANNEL}/connect")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["authorize_url"])


def connect(seller: Seller, sandbox: Sandbox, user: str) -> httpx.Response:
    """The whole flow; returns our callback's answer."""
    return httpx.get(redirected(sandbox, begin(seller), user), verify=trusted_authorities())


def sign_in_again(seller: Seller) -> None:
    """After the clock has moved past the end of the access token."""
    nobody = client(str(seller.http.base_url))
    tokens = sign_in(nobody, seller.email).json()
    seller.http.headers["Authorization"] = f"Bearer {tokens['access_token']}"


@pytest.fixture
def connected(seller: Seller, ebay: Sandbox) -> Seller:
    """A seller whose eBay account is connected and lacks nothing."""
    assert connect(seller, ebay, "alice").status_code == 200
    place = {"country": "US", "postal_code": "94103"}
    answer = seller.http.put(f"{CHANNEL}/location", json=place)
    assert answer.status_code == 200, answer.text
    assert answer.json()["ready"], answer.text
    return seller


@dataclass
class Shop:
    """A connected shop, its products, and a worker that runs when told to."""

    container: Container
    ebay: Sandbox
    tenant: TenantSchema
    clock: MovableClock
    processor: MarketplaceJobProcessor
    handlers: HandlerTable

    def shirt(self, **changes: Any) -> int:
        """Store a product that lacks nothing; returns its id."""
        with self.container.database.tenant(self.tenant) as session:
            return make_shirt(session, self.clock, self.container.object_store, **changes).id

    def rebuilt(self) -> "Shop":
        """The same shop, worked by handlers of the container's present gateway."""
        return _shop(self.container, self.ebay, self.tenant, self.clock)

    def change(self, product_id: int, act: Callable[[Product], None]) -> None:
        """Change a product as its seller would."""
        with self.container.database.tenant(self.tenant) as session:
            product = ProductRepository(session).locked(product_id)
            assert product is not None
            act(product)
            product.version += 1

    def ask(self, product_id: int, action: JobAction = JobAction.PUBLISH) -> int:
        """Queue a job; returns its id."""
        with self.container.database.tenant(self.tenant) as session:
            return make_job(session, self.clock, product_id=product_id, action=action).id

    def turn(self, lane: Lane = Lane.BULK) -> ProcessedJob | None:
        """One attempt of the next due job of a lane."""
        return self.processor.process_next_job(lane)

    def run(self, product_id: int, action: JobAction = JobAction.PUBLISH) -> MarketplaceJob:
        """Queue a job and work until it has ended."""
        return self.finish(self.ask(product_id, action))

    def finish(self, job_id: int) -> MarketplaceJob:
        """Work, moving the clock over waits, until a job has ended."""
        for _ in range(30):
            job = self.job(job_id)
            if not job.is_live:
                return job
            self.clock.advance(max(timedelta(0), job.due_at - self.clock.now()))
            self.turn(job.lane)
        raise AssertionError(f"job {job_id} does not end: {self.story(job_id)}")

    def fetch_orders(self) -> MarketplaceJob:
        """Ask for orders as the tick does, and work until they are there."""
        with self.container.database.tenant(self.tenant) as session:
            work = AccountWork(self.clock)
            owner = self.tenant.tenant_id
            asked = work.request(session, JobAction.ORDERS, Channel.EBAY, owner)
        return self.finish(asked.job_id)

    def orders(self, **wanted: Any) -> Sequence[ChannelOrder]:
        """Orders in our books, newest first."""
        with self.container.database.tenant(self.tenant) as session:
            return OrderRepository(session).page(OrderFilter(**wanted), None, 100)

    def stock(self, product_id: int) -> int:
        """Units of a product in our books."""
        with self.container.database.tenant(self.tenant) as session:
            product = ProductRepository(session).get(product_id)
        assert product is not None
        return product.quantity

    def jobs(self, action: JobAction) -> Sequence[MarketplaceJob]:
        """What was asked for, newest first."""
        with self.container.database.tenant(self.tenant) as session:
            return JobRepository(session).page(JobFilter(action=action), None, 100)

    def job(self, job_id: int) -> MarketplaceJob:
        """A job as it stands."""
        with self.container.database.tenant(self.tenant) as session:
            job = JobRepository(session).get(job_id)
        assert job is not None
        return job

    def steps(self, job_id: int) -> list[JobStep]:
        """A job's story."""
        with self.container.database.tenant(self.tenant) as session:
            return list(JobRepository(session).steps(job_id))

    def story(self, job_id: int) -> list[str]:
        """The names of its steps."""
        return [step.name for step in self.steps(job_id)]

    def listing(self, product_id: int) -> ChannelListing | None:
        """What we know of a product on eBay."""
        with self.container.database.tenant(self.tenant) as session:
            return ListingRepository(session).get(product_id, Channel.EBAY)

    def lose_an_answer(self, operation: str) -> None:
        """The next call of this operation is carried out and the line cut before the answer."""
        self.spoil(operation, "timeout_after_success")

    def spoil(self, operation: str, kind: str, **more: Any) -> None:
        """Let the next call of this operation go wrong, without waiting for a timeout."""
        self.ebay.fault(operation, kind, **{"delay_s": 0, **more})

    def calls(self) -> dict[str, int]:
        """How often eBay was asked what."""
        found: dict[str, int] = self.ebay.control("calls", method="GET")["calls"]
        return found

    def calls_of(self, act: Callable[[], Any]) -> dict[str, int]:
        """What eBay was asked while something happened."""
        before = self.calls()
        act()
        return {
            name: number - before.get(name, 0)
            for name, number in self.calls().items()
            if number > before.get(name, 0)
        }

    def live(self) -> list[dict[str, Any]]:
        """What buyers see on eBay."""
        return [row for row in self.ebay.ledger() if row["status"] == "ACTIVE"]


@pytest.fixture
def shop(
    container: Container,
    connected: Seller,
    ebay: Sandbox,
    shirt_facts: None,
    clock: MovableClock,
) -> Shop:
    """A shop that can publish."""
    return _shop(container, ebay, connected.tenant, clock)


def _shop(container: Container, ebay: Sandbox, tenant: TenantSchema, clock: MovableClock) -> Shop:
    handlers = handlers_of(container)
    processor = MarketplaceJobProcessor(
        container.database,
        handlers,
        LeaseKeeper(container.database, clock, timedelta(seconds=60)),
        clock,
        "worker-1",
    )
    return Shop(container, ebay, tenant, clock, processor, handlers)
