"""Finds a shop where work is due, and takes jobs there."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from models.accounts.tenants import Lane
from models.selling.publishing import JobStatus, MarketplaceJob
from repositories.accounts.bells import BellRepository, RungBell
from repositories.selling.publishing import JobRepository, RunningCaps
from services.selling.publishing import transitions
from services.selling.publishing.attempt import Claimed
from services.selling.publishing.failures import UPGRADE_PAUSE
from services.selling.publishing.handlers import Problem
from services.selling.publishing.lease import Lease, LeaseKeeper
from services.selling.publishing.telling import (
    GIVEN_UP,
    PICKED_UP,
    TAKEN_OVER,
    StoryLine,
    tally_of,
    tell,
)
from shared.clock import Clock
from shared.database import Database, TenantSession
from shared.errors import TenantUnavailable
from shared.ids import new_uuid

BELL_LEASE = timedelta(seconds=10)
"""How long a worker may take from a bell to a claimed job before another looks too."""

_WORKERS_DIED = Problem(
    "workers-died",
    "Our workers stopped in the middle of this each time; look on the channel before you retry.",
)

Choice = Callable[[Sequence[MarketplaceJob]], Sequence[MarketplaceJob]]
"""Which of the jobs that are due, in their order, to take."""


class Claims:
    """How one worker comes by its jobs."""

    def __init__(
        self, database: Database, leases: LeaseKeeper, clock: Clock, owner: str, caps: RunningCaps
    ) -> None:
        self._database = database
        self._leases = leases
        self._clock = clock
        self._owner = owner
        self._caps = caps

    def next_bell(self, lanes: Sequence[Lane]) -> RungBell | None:
        """The shop whose work has been due longest, in the first of these lanes in which any is;
        nobody else looks there meanwhile.
        """
        now = self._clock.now()
        with self._database.platform() as session:
            return BellRepository(session).lease_next(lanes, now, now + BELL_LEASE)

    def claim(self, bell: RungBell) -> Claimed | None:
        """Take the job that is due, and set the bell; None when there is none."""
        try:
            with self._database.tenant(bell.tenant) as session:
                if not BellRepository(session).lock(bell):
                    return None
                claimed = self.claim_in(session, bell)
                self.set_bell(session, bell)
                return claimed[0] if claimed else None
        except TenantUnavailable:
            self.put_off(bell)
            return None

    def claim_in(
        self, session: TenantSession, bell: RungBell, limit: int = 1, choose: Choice = list
    ) -> Sequence[Claimed]:
        """Take up to `limit` jobs, all under one lease. The caller holds the bell, and sets it."""
        now, lease_id = self._clock.now(), new_uuid()
        lines = [
            self._start(session, Lease(bell.tenant, job.id, lease_id, self._owner), job, now)
            for job in choose(JobRepository(session).due(bell.lane, now, self._caps, limit))
        ]
        if lines:
            tell(session, lines, now)
        return [Claimed(line.lease, line.job) for line in lines if line.name != GIVEN_UP]

    def set_bell(self, session: TenantSession, bell: RungBell) -> None:
        """Ring when the next job is due, but never earlier than now: shops take turns."""
        session.flush()
        due_at = JobRepository(session).next_due_at(bell.lane, self._caps)
        BellRepository(session).set(bell, due_at and max(due_at, self._clock.now()))

    def put_off(self, bell: RungBell) -> None:
        """Leave a shop alone that is closed or being upgraded."""
        with self._database.platform() as session:
            BellRepository(session).put_off(bell, self._clock.now() + UPGRADE_PAUSE)

    def _start(
        self, session: TenantSession, lease: Lease, job: MarketplaceJob, now: datetime
    ) -> StoryLine:
        """Take the job, unless it has cost too many workers already."""
        died = job.status is JobStatus.RUNNING
        if died and tally_of(session, job).died + 1 >= job.max_attempts:
            transitions.give_up(job, _WORKERS_DIED, now=now)
            return StoryLine(lease, job, GIVEN_UP)
        until = now + self._leases.duration
        transitions.start(job, lease=lease.id, owner=lease.owner, now=now, until=until)
        return StoryLine(lease, job, TAKEN_OVER if died else PICKED_UP)
