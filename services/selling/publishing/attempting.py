"""Runs one job to the end of its attempt: each of its steps in a transaction of its own."""

from collections.abc import Mapping
from contextlib import AbstractContextManager

import structlog
from structlog.contextvars import bound_contextvars

from models.selling.publishing import Channel, JobAction, JobOutcome, MarketplaceJob
from services.selling.publishing import transitions
from services.selling.publishing.attempt import Attempt, Claimed, ProcessedJob
from services.selling.publishing.failures import verdict_on
from services.selling.publishing.handlers import (
    AnyHandler,
    Cancel,
    CancelRequested,
    LeaseLost,
    Problem,
)
from services.selling.publishing.journal import JobJournal, locked_under
from services.selling.publishing.lease import Lease, LeaseKeeper
from services.selling.publishing.pace import Pace
from services.selling.publishing.settling import Settlements, locked_after_its_bell
from shared.clock import Clock
from shared.database import Database, TenantSession
from shared.errors import TenantUnavailable

log = structlog.get_logger(__name__)

HandlerTable = Mapping[tuple[Channel, JobAction], AnyHandler]


class Attempts:
    """What a worker does with the jobs it has claimed."""

    def __init__(
        self,
        database: Database,
        handlers: HandlerTable,
        leases: LeaseKeeper,
        settlements: Settlements,
        pace: Pace,
        clock: Clock,
    ) -> None:
        self._database = database
        self._handlers = handlers
        self._leases = leases
        self._settlements = settlements
        self._pace = pace
        self._clock = clock

    def run(self, claimed: Claimed) -> ProcessedJob:
        """Prepare, perform, record; what goes wrong on the way is a verdict too."""
        with self._leases.keeping(claimed.lease):
            return self.conclude(self.performed(self._prepared(claimed)))

    def prepared_in(self, session: TenantSession, claimed: Claimed) -> Attempt:
        """The first step in the caller's transaction. Raises what the handler raises."""
        lease, job = claimed.lease, claimed.job
        handler = self._handlers.get((job.channel, job.action))
        if handler is None:
            return Attempt(lease, job, None, Cancel(_no_handler(job), JobOutcome.BLOCKED))
        with _told_in_logs(lease), self._pace.timing(job):
            return Attempt(lease, job, handler, handler.prepare(session, job))

    def performed(self, attempt: Attempt) -> Attempt:
        """The second step: whatever it raises is how the attempt stands."""
        if attempt.handler is None or not attempt.goes_on:
            return attempt
        journal = JobJournal(self._database, self._clock, attempt.lease, attempt.job)
        with _told_in_logs(attempt.lease), self._pace.timing(attempt.job):
            try:
                return attempt.at(attempt.handler.perform(attempt.stands, journal))
            except (LeaseLost, CancelRequested) as stopped:
                return attempt.at(stopped)
            except Exception as error:
                return attempt.at(verdict_on(error, outside=True))

    def recorded_in(self, session: TenantSession, attempt: Attempt) -> Attempt:
        """The last step in the caller's transaction. Raises what the handler raises."""
        if attempt.handler is None or not attempt.goes_on:
            return attempt
        with _told_in_logs(attempt.lease), self._pace.timing(attempt.job):
            verdict = attempt.handler.record(session, attempt.job, attempt.stands)
        if isinstance(verdict, Cancel):
            transitions.make_certain(attempt.job)
        return attempt.at(verdict)

    def conclude(self, attempt: Attempt) -> ProcessedJob:
        """Record and settle an attempt that was performed, in a transaction of its own."""
        settled = attempt.job
        with _told_in_logs(attempt.lease):
            try:
                settled = self._concluded(attempt)
            except LeaseLost:
                log.warning("job.lease_lost", channel=settled.channel, action=settled.action)
            except TenantUnavailable as error:
                # Nothing of this attempt can be written; it is taken over when the shop is open.
                log.warning("job.shop_closed", because=error.detail)
        return processed(attempt.lease, settled)

    def _prepared(self, claimed: Claimed) -> Attempt:
        lease, job = claimed.lease, claimed.job
        try:
            with self._database.tenant(lease.tenant) as session:
                locked = locked_under(session, lease)
                if transitions.may_be_cancelled(locked):
                    return Attempt(lease, job, None, CancelRequested())
                return self.prepared_in(session, Claimed(lease, locked)).with_job(job)
        except LeaseLost as lost:
            return Attempt(lease, job, None, lost)
        except Exception as error:
            return Attempt(lease, job, None, verdict_on(error, outside=False))

    def _concluded(self, attempt: Attempt) -> MarketplaceJob:
        lease, lane = attempt.lease, attempt.job.lane
        if not attempt.goes_on:
            return self._settlements.settle(attempt)
        try:
            with self._database.tenant(lease.tenant) as session:
                locked = locked_after_its_bell(session, lease, lane)
                recorded = self.recorded_in(session, attempt.with_job(locked))
                self._settlements.settle_in(session, recorded)
                return locked
        except LeaseLost:
            raise
        except Exception as error:
            return self._settlements.settle(attempt.at(verdict_on(error, outside=True)))


def processed(lease: Lease, job: MarketplaceJob) -> ProcessedJob:
    """What became of a job, which is said in the log as well."""
    with _told_in_logs(lease):
        log.info(
            "job.attempt_ended",
            channel=job.channel,
            action=job.action,
            status=job.status,
            outcome=job.outcome,
            problem=job.problem_code,
        )
    return ProcessedJob(lease, job.channel, job.action, job.status, job.outcome, job.attempts)


def _told_in_logs(lease: Lease) -> AbstractContextManager[None]:
    return bound_contextvars(tenant=lease.tenant.name, job_id=lease.job_id)


def _no_handler(job: MarketplaceJob) -> Problem:
    return Problem(
        "no-handler", f"This installation cannot {job.action} on {job.channel}; nothing was sent."
    )
