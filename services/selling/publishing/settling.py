"""Writes down how attempts ended, fenced by their leases."""

from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from models.accounts.tenants import Lane
from models.selling.publishing import MarketplaceJob
from repositories.accounts.bells import BellRepository, RungBell
from repositories.selling.publishing import JobRepository
from services.selling.publishing import transitions
from services.selling.publishing.attempt import Attempt
from services.selling.publishing.claiming import Claims
from services.selling.publishing.handlers import (
    CancelRequested,
    LeaseLost,
    Parked,
    Retry,
    Snooze,
    Unknown,
)
from services.selling.publishing.journal import locked_under
from services.selling.publishing.lease import Lease
from services.selling.publishing.telling import (
    CANCELLED,
    HANDED_BACK,
    PUT_BACK,
    StoryLine,
    name_of,
    tally_of,
    tell,
)
from services.selling.publishing.transitions import Tally
from shared.clock import Clock
from shared.database import Database, TenantSession
from shared.errors import TenantUnavailable

log = structlog.get_logger(__name__)


class Settlements:
    """Settles jobs that this process holds."""

    def __init__(
        self, database: Database, claims: Claims, clock: Clock, longest_wait: timedelta
    ) -> None:
        self._database = database
        self._claims = claims
        self._clock = clock
        self._longest_wait = longest_wait

    def settle(self, attempt: Attempt) -> MarketplaceJob:
        """Apply how an attempt stands in a transaction of its own. Raises `LeaseLost`."""
        if isinstance(attempt.stands, LeaseLost):
            raise attempt.stands
        lease = attempt.lease
        with self._database.tenant(lease.tenant) as session:
            job = locked_after_its_bell(session, lease, attempt.job.lane)
            self.settle_in(session, attempt.with_job(job))
            return job

    def settle_in(self, session: TenantSession, attempt: Attempt) -> None:
        """The same in the caller's transaction, which holds bell and job."""
        self._finish(session, self.applied(session, attempt, self._clock.now()))

    def applied(self, session: TenantSession, attempt: Attempt, now: datetime) -> StoryLine:
        """Move the job as its verdict says; the caller tells of it."""
        lease, job, verdict = attempt.lease, attempt.job, attempt.stands
        if isinstance(verdict, CancelRequested):
            transitions.cancel(job, now=now)
            return StoryLine(lease, job, CANCELLED)
        if transitions.may_be_cancelled(job) and isinstance(verdict, Retry | Snooze):
            transitions.cancel(job, now=now)
        else:
            failed = isinstance(verdict, Retry | Unknown)
            tally = tally_of(session, job) if failed else Tally()
            transitions.settle(job, verdict, tally, now=now, cap=self._longest_wait)
            if isinstance(verdict, Parked) and verdict.summon is not None:
                verdict.summon(session)
        return StoryLine(lease, job, name_of(verdict), verdict)

    def returned(self, lease: Lease, job: MarketplaceJob, now: datetime) -> StoryLine:
        """Put back a job that was claimed and never begun; the caller tells of it."""
        if transitions.may_be_cancelled(job):
            transitions.cancel(job, now=now)
            return StoryLine(lease, job, CANCELLED)
        transitions.put_back(job)
        return StoryLine(lease, job, PUT_BACK)

    def put_back(self, lease: Lease, lane: Lane) -> None:
        """The same in a transaction of its own; nothing to do for a job that is not ours."""
        with suppress(LeaseLost, TenantUnavailable), self._database.tenant(lease.tenant) as session:
            job = locked_after_its_bell(session, lease, lane)
            self._finish(session, self.returned(lease, job, self._clock.now()))

    def hand_back(self, lease: Lease) -> bool:
        """Let another worker have a job that is still running; False when it is not ours."""
        try:
            with self._database.tenant(lease.tenant) as session:
                found = JobRepository(session).get(lease.job_id)
                if found is None:
                    return False
                job = locked_after_its_bell(session, lease, found.lane)
                transitions.hand_back(job, now=self._clock.now())
                self._finish(session, StoryLine(lease, job, HANDED_BACK))
                return True
        except LeaseLost:
            return False
        except Exception:
            log.exception("job.not_handed_back", tenant=lease.tenant.name, job_id=lease.job_id)
            return False

    def _finish(self, session: TenantSession, line: StoryLine) -> None:
        tell(session, [line], self._clock.now())
        self._claims.set_bell(session, RungBell(line.lease.tenant, line.job.lane))


def locked_after_its_bell(session: TenantSession, lease: Lease, lane: Lane) -> MarketplaceJob:
    """Bell before job, like everybody else, so that nobody waits in a circle."""
    BellRepository(session).lock(RungBell(lease.tenant, lane))
    return locked_under(session, lease)
