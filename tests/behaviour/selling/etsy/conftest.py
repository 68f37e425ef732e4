"""The sandbox Etsy beside our API: sellers who are connected, products, a worker by hand."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import select

from backend.container import Container
from backend.worker import handlers_of
from models.accounts.tenants import Lane
from models.selling.catalog import Product
from models.selling.publishing import Channel, ChannelListing, JobAction, MarketplaceJob
from repositories.selling.catalog import ProductRepository
from repositories.selling.etsy import EtsyChoiceRepository
from repositories.selling.publishing import JobRepository, ListingRepository
from sandbox.etsy.app import create_app as create_sandbox
from sandbox.server import serving
from services.gateways.etsy.gateway import HttpEtsyGateway
from services.gateways.etsy.quotas import EtsyCallBook, EtsyQuotas
from services.gateways.etsy.transport import EtsyAddresses, EtsyKeys
from services.selling.publishing.attempt import ProcessedJob
from services.selling.publishing.attempting import HandlerTable
from services.selling.publishing.lease import LeaseKeeper
from services.selling.publishing.processor import MarketplaceJobProcessor
from services.selling.publishing.steering import JobSteering
from services.selling.quotas.ledger import DatabaseLedger
from shared.clock import MovableClock
from shared.database import TenantSchema, TenantSession
from shared.http_client import outbound_client, trusted_authorities
from tests.contracts.etsy_shop import APP, EtsyShop, EtsySite
from tests.factories.ebay import make_shirt
from tests.factories.selling import make_job
from tests.serving import Seller, Stage, client, sign_in

CHANNEL = "/api/v1/channels/etsy"
SHIRTS = 449
"""Etsy's category of men's t-shirts."""
MADE = {"who_made": "someone_else", "when_made": "1990s", "is_supply": False}


@pytest.fixture(scope="session")
def etsy_url() -> Iterator[str]:
    """A sandbox Etsy on a free port."""
    with serving(create_sandbox()) as url:
        yield url


@pytest.fixture
def etsy(etsy_url: str, stage: Stage) -> Iterator[EtsySite]:
    """The sandbox, emptied; its consent page sends sellers back to our API."""
    with client(etsy_url) as http:
        site = EtsySite(http)
        site.control("reset")
        site.control("apps", {"redirect_uris": [f"{stage.url}{CHANNEL}/callback"]})
        site.control("limits", {"per_second": 1000, "per_day": 1_000_000})
        yield site


@pytest.fixture(autouse=True)
def pointed_at_the_sandbox(
    monkeypatch: pytest.MonkeyPatch, etsy: EtsySite, etsy_url: str, stage: Stage
) -> None:
    """What our installation knows of Etsy."""
    monkeypatch.setenv("STOFLOW_ETSY_AUTH_URL", etsy_url)
    monkeypatch.setenv("STOFLOW_ETSY_API_URL", etsy_url)
    monkeypatch.setenv("STOFLOW_ETSY_KEYSTRING", APP.keystring)
    monkeypatch.setenv("STOFLOW_ETSY_SHARED_SECRET", APP.shared_secret)
    monkeypatch.setenv("STOFLOW_ETSY_REDIRECT_URI", f"{stage.url}{CHANNEL}/callback")
    monkeypatch.setenv("STOFLOW_ETSY_CALLS_PER_SECOND", "1000")


def through(container: Container, transport: httpx.BaseTransport) -> None:
    """Lead all further calls to Etsy through this transport."""
    settings = container.settings.etsy
    assert settings.keystring is not None
    assert settings.shared_secret is not None
    assert settings.redirect_uri is not None
    ledger = DatabaseLedger(container.database, container.clock)
    container.etsy = HttpEtsyGateway(
        outbound_client(settings.timeout, transport=transport),
        EtsyAddresses(settings.auth_url, settings.api_url),
        EtsyKeys(
            settings.keystring, settings.shared_secret.get_secret_value(), settings.redirect_uri
        ),
        EtsyCallBook(ledger, EtsyQuotas(1000)),
        container.clock,
    )


def redirected(site: EtsySite, authorize_url: str, user: str, decision: str = "agree") -> str:
    """Go through Etsy's consent page; returns the address the browser is sent to."""
    form = {name: values[0] for name, values in parse_qs(urlsplit(authorize_url).query).items()}
    answer = site.http.post("/oauth/consent", data={**form, "user": user, "decision": decision})
    assert answer.status_code == 302, answer.text
    return str(answer.headers["location"])


def begin(seller: Seller) -> str:
    """Ask our API to connect; returns the authorize URL."""
    answer = seller.http.post(f"{CHANNEL}/connect")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["authorize_url"])


def connect(seller: Seller, site: EtsySite, user: str) -> httpx.Response:
    """The whole flow; returns our callback's answer."""
    return httpx.get(redirected(site, begin(seller), user), verify=trusted_authorities())


def sign_in_again(seller: Seller) -> None:
    """After the clock has moved past the end of the access token."""
    nobody = client(str(seller.http.base_url))
    tokens = sign_in(nobody, seller.email).json()
    seller.http.headers["Authorization"] = f"Bearer {tokens['access_token']}"


@pytest.fixture
def connected(seller: Seller, etsy: EtsySite) -> Seller:
    """A seller whose Etsy account is connected and lacks nothing."""
    assert connect(seller, etsy, "alice").status_code == 200
    answer = seller.http.put(f"{CHANNEL}/terms", json=MADE)
    assert answer.status_code == 200, answer.text
    assert answer.json()["ready"], answer.text
    return seller


@dataclass
class Shop:
    """A connected shop, its products, and a worker that runs when told to."""

    container: Container
    etsy: EtsySite
    tenant: TenantSchema
    clock: MovableClock
    processor: MarketplaceJobProcessor
    handlers: HandlerTable

    def shirt(self, **changes: Any) -> int:
        """Store a product that lacks nothing; returns its id."""
        with self.container.database.tenant(self.tenant) as session:
            made = make_shirt(session, self.clock, self.container.object_store, **changes).id
        self.choose(made)
        return made

    def choose(self, product_id: int, **values: Any) -> None:
        """Choose for a product as its seller would; what is not chosen is left to the account."""
        left = dict.fromkeys(("who_made", "when_made", "is_supply"))
        choice = {"taxonomy_id": SHIRTS, **left, "properties": [], **values}
        with self.container.database.tenant(self.tenant) as session:
            EtsyChoiceRepository(session).put(product_id, choice)

    def change(self, product_id: int, act: Callable[[Product, TenantSession], None]) -> None:
        """Change a product as its seller would."""
        with self.container.database.tenant(self.tenant) as session:
            product = ProductRepository(session).locked(product_id)
            assert product is not None
            act(product, session)
            product.version += 1

    def ask(self, product_id: int, action: JobAction = JobAction.PUBLISH) -> int:
        """Queue a job; returns its id."""
        job = {"product_id": product_id, "action": action, "channel": Channel.ETSY}
        with self.container.database.tenant(self.tenant) as session:
            return make_job(session, self.clock, **job).id

    def turn(self, lane: Lane = Lane.BULK) -> ProcessedJob | None:
        """One attempt of the next due job."""
        return self.processor.process_next_job(lane)

    def end(self, product_id: int) -> MarketplaceJob:
        """End the product's listing."""
        return self.finish(self.ask(product_id, JobAction.DELETE))

    def cancel(self, job_id: int) -> None:
        """As the seller would."""
        with self.container.database.tenant(self.tenant) as session:
            JobSteering(self.clock).cancel(session, job_id)

    def jobs_of(self, product_id: int) -> list[MarketplaceJob]:
        """Jobs of a product that have not ended."""
        with self.container.database.tenant(self.tenant) as session:
            question = select(MarketplaceJob).where(MarketplaceJob.product_id == product_id)
            return [job for job in session.scalars(question) if job.is_live]

    def public_listings(self) -> list[dict[str, Any]]:
        """What Etsy itself shows of all that is for sale."""
        return [self.etsy.public(f"/listings/{row['listing_id']}").json() for row in self.live()]

    def take_down(self, row: dict[str, Any]) -> None:
        """As the seller would, in Etsy's shop manager."""
        self.by_hand().call("PATCH", _path_of(row), data={"state": "inactive"})
        assert row["listing_id"] not in [each["listing_id"] for each in self.live()]

    def delete_by_hand(self, row: dict[str, Any]) -> None:
        """As the seller would, in Etsy's shop manager."""
        answer = self.by_hand().call("DELETE", f"/listings/{row['listing_id']}")
        assert answer.status_code == 204, answer.text

    def by_hand(self) -> EtsyShop:
        """The seller at Etsy itself, beside our application."""
        callback = self.container.settings.etsy.redirect_uri
        assert callback is not None
        code = self.etsy.consent("alice", redirect_uri=callback)["code"]
        token = self.etsy.exchange(code, redirect_uri=callback).json()["access_token"]
        return EtsyShop(self.etsy, token, self.etsy.read("sellers")["sellers"][0])

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

    def listing(self, product_id: int) -> ChannelListing | None:
        """What we know of a product on Etsy."""
        with self.container.database.tenant(self.tenant) as session:
            return ListingRepository(session).get(product_id, Channel.ETSY)

    def skus(self, product_id: int) -> list[str]:
        """Our keys of its variants, in order."""
        with self.container.database.tenant(self.tenant) as session:
            [product] = ProductRepository(session).by_ids([product_id])
            return [variant.channel_key for variant in product.variants]

    def hashes(self, product_id: int) -> list[str]:
        """Content hashes of its photos, in order."""
        with self.container.database.tenant(self.tenant) as session:
            [product] = ProductRepository(session).by_ids([product_id])
            return [image.sha256 for image in product.images]

    def calls_of(self, act: Callable[[], Any]) -> dict[str, int]:
        """What Etsy was asked while something happened."""
        before: dict[str, int] = self.etsy.read("calls")["calls"]
        act()
        after: dict[str, int] = self.etsy.read("calls")["calls"]
        return {
            name: number - before.get(name, 0)
            for name, number in after.items()
            if number > before.get(name, 0)
        }

    def ledger(self) -> list[dict[str, Any]]:
        """Every listing at Etsy, drafts too, as it is now."""
        rows: list[dict[str, Any]] = self.etsy.read("ledger")["listings"]
        return rows

    def live(self) -> list[dict[str, Any]]:
        """What buyers see on Etsy."""
        return [row for row in self.ledger() if row["state"] == "active"]

    def fees(self) -> list[str]:
        """What Etsy has billed the seller for."""
        return [row["kind"] for row in self.etsy.read("ledger")["fees"]]


def _path_of(row: dict[str, Any]) -> str:
    return f"/shops/{row['shop_id']}/listings/{row['listing_id']}"


@pytest.fixture
def shop(container: Container, connected: Seller, etsy: EtsySite, clock: MovableClock) -> Shop:
    """A shop that can publish."""
    handlers = handlers_of(container)
    processor = MarketplaceJobProcessor(
        container.database,
        handlers,
        LeaseKeeper(container.database, clock, timedelta(seconds=60)),
        clock,
        "worker-1",
    )
    return Shop(container, etsy, connected.tenant, clock, processor, handlers)
