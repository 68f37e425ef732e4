"""Several workers at once: every job runs, none runs twice."""

import threading
from collections import Counter
from datetime import timedelta
from typing import Any

from models.accounts.tenants import Lane
from models.selling.publishing import Channel, JobAction, JobOutcome, JobStatus
from repositories.selling.publishing import JobFilter, JobRepository
from services.selling.publishing.handlers import Completed, Journal, Verdict
from services.selling.publishing.lease import LeaseKeeper
from services.selling.publishing.processor import MarketplaceJobProcessor
from shared.clock import SystemClock
from shared.database import Database, TenantSchema
from shared.errors import EbayError
from tests.factories.selling import make_job

JOBS_A_SHOP = 25


class CountingHandler:
    """Notes which shop's job it was given, and by which schema it could be seen."""

    def __init__(self) -> None:
        self.runs: Counter[tuple[str, int]] = Counter()
        self._lock = threading.Lock()

    def prepare(self, session: Any, job: Any) -> tuple[str, int]:
        return session.tenant.name, job.id

    def perform(self, command: tuple[str, int], journal: Journal) -> tuple[str, int]:
        with self._lock:
            self.runs[command] += 1
            times = self.runs[command]
        journal.checkpoint("did it", detail={"shop": command[0]})
        if times == 1 and command[1] % 5 == 0:
            raise EbayError("busy", retry_after=0)
        return command

    def record(self, session: Any, job: Any, result: tuple[str, int]) -> Verdict:
        assert result == (session.tenant.name, job.id)
        return Completed({"shop": session.tenant.name})


def test_eight_workers_share_two_shops_without_doubling_or_losing_a_job(
    database: Database, tenant: TenantSchema, other_tenant: TenantSchema
) -> None:
    """ST14, G1, F9: real threads, real commits, two tenants."""
    clock, handler = SystemClock(), CountingHandler()
    for shop in (tenant, other_tenant):
        with database.tenant(shop) as session:
            for _ in range(JOBS_A_SHOP):
                make_job(session, clock)
    table = {(Channel.EBAY, JobAction.PUBLISH): handler}
    keeper = LeaseKeeper(database, clock, timedelta(seconds=60))

    processors = [
        MarketplaceJobProcessor(database, table, keeper, clock, f"worker-{number}")
        for number in range(8)
    ]
    threads = [threading.Thread(target=drain, args=(processor,)) for processor in processors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for shop in (tenant, other_tenant):
        assert_all_done_at_home(database, shop)
    expected = {key: 2 if key[1] % 5 == 0 else 1 for key in handler.runs}
    assert dict(handler.runs) == expected
    assert len(handler.runs) == 2 * JOBS_A_SHOP


def assert_all_done_at_home(database: Database, shop: TenantSchema) -> None:
    with database.tenant(shop) as session:
        jobs = JobRepository(session).page(JobFilter(), None, 100)
        steps = [step for job in jobs for step in JobRepository(session).steps(job.id)]
    assert len(jobs) == JOBS_A_SHOP
    assert {(job.status, job.outcome) for job in jobs} == {(JobStatus.DONE, JobOutcome.OK)}
    assert [job.result for job in jobs] == [{"shop": shop.name}] * JOBS_A_SHOP
    assert {step.detail["shop"] for step in steps if "shop" in step.detail} == {shop.name}


def drain(processor: MarketplaceJobProcessor) -> None:
    """Work until it has been quiet for a while."""
    quiet = 0
    while quiet < 20:
        quiet = 0 if processor.process_next_job(Lane.BULK) else quiet + 1
        if quiet:
            threading.Event().wait(0.02)
