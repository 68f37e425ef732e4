"""Runs several quick jobs of one shop in one visit: claimed together, settled together.

A visit is for jobs that have lately taken their handlers next to nothing; whatever speaks to a
marketplace goes alone (see `attempting`). Between the two transactions of a visit none is open,
every job is leased, and what goes wrong with one of them is settled for that one alone.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from models.selling.publishing import JobStatus, MarketplaceJob
from repositories.accounts.bells import BellRepository, RungBell
from repositories.selling.publishing import JobRepository
from services.selling.publishing.attempt import Attempt, Claimed, ProcessedJob
from services.selling.publishing.attempting import Attempts, processed
from services.selling.publishing.claiming import Claims
from services.selling.publishing.lease import LeaseKeeper
from services.selling.publishing.pace import QUICK_S, Pace
from services.selling.publishing.settling import Settlements
from services.selling.publishing.telling import StoryLine, tell
from shared.clock import Clock
from shared.database import Database, TenantSession
from shared.errors import TenantUnavailable

log = structlog.get_logger(__name__)

LONGEST_S = 2 * QUICK_S
"""What the jobs of one visit may take together, about: other shops wait for it."""

MOST_JOBS = 16

BELL_LEASE = timedelta(seconds=2)
"""How long nobody else looks into the shop: a visit that is held up holds nobody else up."""


class _NotPrepared(Exception):
    """A job could not be prepared: the claims of the whole visit are rolled back."""


class Visits:
    """What a worker does in a shop whose bell it has."""

    def __init__(
        self,
        database: Database,
        claims: Claims,
        attempts: Attempts,
        settlements: Settlements,
        leases: LeaseKeeper,
        pace: Pace,
        clock: Clock,
    ) -> None:
        self._database = database
        self._claims = claims
        self._attempts = attempts
        self._settlements = settlements
        self._leases = leases
        self._pace = pace
        self._clock = clock

    def visit(self, bell: RungBell, when_claimed: Callable[[], None]) -> Sequence[ProcessedJob]:
        """Run what is due there: several quick jobs, or one of another kind; none: nothing is."""
        begun = self._begin(bell) if self._pace.knows_quick_jobs else self._claims.claim(bell)
        if begun is None:
            return ()
        when_claimed()
        if isinstance(begun, Claimed):
            return [self._attempts.run(begun)]
        with self._leases.keeping(*(each.lease for each in begun)):
            performed = self._perform(begun)
            return self._settle(bell, performed, begun[len(performed) :])

    def _begin(self, bell: RungBell) -> Sequence[Attempt] | Claimed | None:
        try:
            with self._database.tenant(bell.tenant) as session:
                if not BellRepository(session).hold(bell, self._clock.now() + BELL_LEASE):
                    return None
                claimed = self._claims.claim_in(session, bell, MOST_JOBS, self._together)
                if claimed and self._may_go_together(claimed[0].job):
                    return [self._prepared(session, each) for each in claimed]
                self._claims.set_bell(session, bell)
                return claimed[0] if claimed else None
        except TenantUnavailable:
            self._claims.put_off(bell)
            return None
        except _NotPrepared:
            return self._claims.claim(bell)

    def _together(self, due: Sequence[MarketplaceJob]) -> Sequence[MarketplaceJob]:
        """The first, and those right behind it that are quick and of other products."""
        if not due or due[0].status is not JobStatus.PENDING:
            return due[:1]
        taken: list[MarketplaceJob] = []
        products: set[int | None] = set()
        seconds = 0.0
        for job in due:
            if job.product_id in products or not self._may_go_together(job):
                break
            seconds += self._pace.seconds(job)
            if taken and seconds > LONGEST_S:
                break
            taken.append(job)
            products.add(job.product_id)
        return taken or due[:1]

    def _may_go_together(self, job: MarketplaceJob) -> bool:
        """Quick, and nothing has to be found out about it first."""
        return job.outcome is None and self._pace.is_quick(job)

    def _prepared(self, session: TenantSession, claimed: Claimed) -> Attempt:
        try:
            return self._attempts.prepared_in(session, claimed)
        except Exception as error:
            raise _NotPrepared from error

    def _perform(self, begun: Sequence[Attempt]) -> Sequence[Attempt]:
        """One after the other, until the time of a visit is over."""
        ends_at = self._pace.stopwatch() + LONGEST_S
        performed = [self._attempts.performed(begun[0])]
        for attempt in begun[1:]:
            if self._pace.stopwatch() > ends_at:
                break
            performed.append(self._attempts.performed(attempt))
        return performed

    def _settle(
        self, bell: RungBell, performed: Sequence[Attempt], left: Sequence[Attempt]
    ) -> Sequence[ProcessedJob]:
        try:
            with self._database.tenant(bell.tenant) as session:
                BellRepository(session).lock(bell)
                told = self._settled_in(session, performed, left)
                tell(session, told, self._clock.now())
                self._claims.set_bell(session, bell)
        except Exception as error:
            # One of them, most likely: the others must not suffer for it.
            log.warning("visit.settled_one_by_one", because=type(error).__name__)
            for attempt in left:
                self._settlements.put_back(attempt.lease, bell.lane)
            return [self._attempts.conclude(attempt) for attempt in performed]
        now = {line.job.id: line.job for line in told}
        return [processed(each.lease, now.get(each.job.id, each.job)) for each in performed]

    def _settled_in(
        self, session: TenantSession, performed: Sequence[Attempt], left: Sequence[Attempt]
    ) -> Sequence[StoryLine]:
        """Those that are still ours; first whatever asks the database, then whatever changes it."""
        everything = [*performed, *left]
        held = JobRepository(session).held(
            everything[0].lease.id, [each.job.id for each in everything]
        )
        recorded = [
            self._attempts.recorded_in(session, each.with_job(held[each.job.id]))
            for each in performed
            if each.job.id in held
        ]
        now = self._clock.now()
        return [
            *(self._settlements.applied(session, each, now) for each in recorded),
            *(
                self._settlements.returned(each.lease, held[each.job.id], now)
                for each in left
                if each.job.id in held
            ),
        ]
