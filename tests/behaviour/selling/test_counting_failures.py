"""What ends a job that goes on failing: each kind of failure has its own count."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from models.accounts.tenants import Lane
from models.selling.publishing import Channel, JobAction, JobOutcome, JobStatus, MarketplaceJob
from repositories.selling.publishing import JobRepository
from services.selling.publishing.handlers import Journal
from services.selling.publishing.lease import LeaseKeeper
from services.selling.publishing.processor import MarketplaceJobProcessor
from services.selling.publishing.steering import JobSteering
from services.selling.publishing.transitions import PATIENCE
from shared.clock import MovableClock
from shared.database import Database, TenantSchema
from shared.errors import APITimeoutError, EbayError
from tests.factories.selling import make_job
from tests.fakes.handlers import ScriptedHandler

LEASE = timedelta(seconds=60)
MOST = 3


class Killed(BaseException):
    """What no handler catches, as a SIGKILL."""


def busy() -> BaseException:
    return EbayError("busy")


def lost() -> BaseException:
    return APITimeoutError("no answer")


def told_to_wait() -> BaseException:
    return EbayError("slow down", retry_after=30)


class Failing:
    """One job, whose attempts fail as they are told to."""

    def __init__(self, database: Database, tenant: TenantSchema, clock: MovableClock) -> None:
        self.database, self.tenant, self.clock = database, tenant, clock
        self.handler = ScriptedHandler()
        with database.tenant(tenant) as session:
            self.job_id = make_job(session, clock, max_attempts=MOST).id

    def attempt(self, *failures: Callable[[], BaseException]) -> MarketplaceJob:
        """One attempt after the other, each as soon as it is due."""
        for failure in failures:
            self._wait()
            self.handler.acts = [_raising(failure)]
            self._turn()
        return self.job()

    def _wait(self) -> None:
        job = self.job()
        due = job.leased_until or job.due_at
        self.clock.advance(max(timedelta(0), due - self.clock.now()))

    def _turn(self) -> None:
        table = {(Channel.EBAY, JobAction.PUBLISH): self.handler}
        leases = LeaseKeeper(self.database, self.clock, LEASE)
        worker = MarketplaceJobProcessor(self.database, table, leases, self.clock, "worker")
        with suppress(Killed):
            worker.process_next_job(Lane.BULK)

    def job(self) -> MarketplaceJob:
        with self.database.tenant(self.tenant) as session:
            job = JobRepository(session).get(self.job_id)
        assert job is not None
        return job

    def retry(self) -> None:
        with self.database.tenant(self.tenant) as session:
            JobSteering(self.clock).retry(session, self.job_id)

    def cancel(self) -> None:
        with self.database.tenant(self.tenant) as session:
            JobSteering(self.clock).cancel(session, self.job_id)


def _raising(failure: Callable[[], BaseException]) -> Any:
    def act(command: Any, journal: Journal) -> dict[str, Any]:
        if journal.must_probe:
            journal.checkpoint("nothing there", certain=True)
        raise failure()

    return act


@pytest.fixture
def failing(database: Database, tenant: TenantSchema, clock: MovableClock) -> Failing:
    return Failing(database, tenant, clock)


def test_each_kind_of_failure_has_its_own_count(failing: Failing) -> None:
    """G1: a worker's death and a lost answer do not use up the tries of a busy channel."""
    job = failing.attempt(busy, Killed, lost, busy, Killed, lost, told_to_wait, told_to_wait)
    assert (job.status, job.attempts) == (JobStatus.PENDING, 8)
    job = failing.attempt(busy)
    assert (job.status, job.outcome, job.attempts) == (JobStatus.DONE, JobOutcome.BLOCKED, 9)


@pytest.mark.parametrize("failure", [Killed, lost])
def test_what_may_have_happened_ends_unknown(
    failing: Failing, failure: Callable[[], BaseException]
) -> None:
    """G6: deaths are noticed by the next worker, so it takes one look more."""
    failing.attempt(*[failure] * (MOST + (failure is Killed)))
    assert (failing.job().status, failing.job().outcome) == (JobStatus.DONE, JobOutcome.UNKNOWN)


def test_waits_that_the_channel_asks_for_use_up_patience_alone(failing: Failing) -> None:
    """B5, G1: a day of them, and no more."""
    job = failing.attempt(*[told_to_wait] * 20)
    assert job.status is JobStatus.PENDING
    failing.clock.advance(PATIENCE)
    job = failing.attempt(told_to_wait)
    assert (job.status, job.outcome) == (JobStatus.DONE, JobOutcome.BLOCKED)


def test_a_new_wish_begins_with_fresh_counts_and_fresh_patience(failing: Failing) -> None:
    """ST28: after it was given up, and after it was cancelled while it waited."""
    assert failing.attempt(*[busy] * MOST).outcome is JobOutcome.BLOCKED
    failing.clock.advance(PATIENCE)
    failing.retry()
    assert failing.attempt(busy, busy).status is JobStatus.PENDING
    failing.cancel()
    failing.clock.advance(PATIENCE)
    failing.retry()
    assert failing.attempt(busy, busy).status is JobStatus.PENDING
    assert failing.attempt(busy).outcome is JobOutcome.BLOCKED
