"""Sellers' browsers, and jobs that wait for them."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import httpx
import pytest

from backend.settings import Settings
from models.selling.publishing import Channel, JobAction, JobStatus, MarketplaceJob
from models.selling.vinted import VintedCommand
from repositories.accounts.tenants import TenantRepository
from repositories.selling.publishing import JobRepository
from repositories.selling.vinted import VintedAccountRepository, VintedCommandRepository
from services.gateways.vinted.transport import PhotoUpload, VintedRequest
from shared.clock import MovableClock
from shared.database import Database, TenantSchema
from shared.database.wake_ups import WakeUpSender
from shared.errors import TenantUnavailable
from tests.factories.selling import make_job
from tests.factories.vinted import ask, park
from tests.fakes.extension import Extension, PairedBrowser
from tests.waiting import until

MakeExtension = Callable[..., Extension]

LOOK = VintedRequest("GET", "/api/v2/users/current")


@pytest.fixture
def settings(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """No pace: what it does has tests of its own."""
    monkeypatch.setenv("STOFLOW_VINTED_SANDBOX_SITE", "sandbox.example")
    return Settings()


@pytest.fixture
def extension(api: httpx.Client, database: Database) -> Iterator[MakeExtension]:
    """Makes sockets of browsers; none is left connected. What is left wakes the bridge."""
    made: list[Extension] = []
    sender = WakeUpSender(database.engine)
    sender.start()

    def make(browser: PairedBrowser, **options: object) -> Extension:
        made.append(Extension(str(api.base_url), browser, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for each in made:
        each.drop()
    sender.close()
    # Before rows and shops are cleared away, the bridge writes down that nobody is there.
    with database.platform() as session:
        shops = TenantRepository(session).all_schemas()
    until(lambda: not any(_executes(database, shop) for shop in shops))


def _executes(database: Database, shop: TenantSchema) -> bool:
    try:
        with database.tenant(shop) as session:
            account = VintedAccountRepository(session).get()
    except TenantUnavailable:
        return False
    return account is not None and account.executor is not None


class Desk:
    """Leaves work for one shop's browser and sees what becomes of it."""

    def __init__(self, database: Database, tenant: TenantSchema, clock: MovableClock) -> None:
        self.database, self.tenant, self.clock = database, tenant, clock

    def ask(
        self,
        request: VintedRequest | None = None,
        *,
        action: JobAction = JobAction.PUBLISH,
        status: JobStatus = JobStatus.PARKED,
        step: str = "look who is there",
    ) -> int:
        """A job that has asked and is parked, unless it is to be running; returns its id. The
        browser must have been there.
        """
        with self.database.tenant(self.tenant) as session:
            job = make_job(
                session,
                self.clock,
                channel=Channel.VINTED,
                action=action,
                lane=action.lane,
                status=JobStatus.RUNNING,
                attempts=1,
                leased_until=self.clock.now() + timedelta(hours=12),
            )
        ask(self.database, self.clock, self.tenant, job.id, request or LOOK, step)
        if status is JobStatus.PARKED:
            self.park(job.id)
        return job.id

    def ask_again(
        self, job_id: int, request: VintedRequest | None = None, step: str = "look who is there"
    ) -> None:
        """Another step of a job, which is parked for it."""
        ask(self.database, self.clock, self.tenant, job_id, request or LOOK, step)
        self.park(job_id)

    def park(self, job_id: int) -> None:
        """Let a job that has asked wait for the answer."""
        park(self.database, self.clock, self.tenant, job_id)

    def job(self, job_id: int) -> MarketplaceJob:
        with self.database.tenant(self.tenant) as session:
            found = JobRepository(session).get(job_id)
        assert found is not None
        return found

    def command(self, job_id: int) -> VintedCommand:
        """The newest of a job."""
        with self.database.tenant(self.tenant) as session:
            return VintedCommandRepository(session).of_job(job_id)[-1]


PHOTO = PhotoUpload("tenants/1/a.jpg", "ab" * 32, "image/jpeg", {"photo[type]": "item"})
