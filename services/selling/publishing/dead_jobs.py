"""Jobs that only a person can help: seen over all shops without looking into each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from models.accounts.dead_jobs import DeadJob
from models.selling.publishing import JobOutcome, JobStatus, MarketplaceJob
from repositories.accounts.dead_jobs import DeadJobFilter, DeadJobRepository
from repositories.accounts.tenants import TenantRepository
from repositories.selling.job_stories import JobStoryRepository
from services.selling.publishing.steering import JobSteering
from shared.clock import Clock
from shared.database import Database, TenantSchema, TenantSession
from shared.errors import StoflowError, TenantUnavailable

__all__ = ["DeadJobFilter", "DeadJobRetry", "DeadJobReview", "mark_if_dead"]

DEAD = (JobOutcome.BLOCKED, JobOutcome.UNKNOWN)
"""A rejected job is the seller's: it says which data must change."""

SHOPS_A_REVIEW = 200


def mark_if_dead(session: TenantSession, job: MarketplaceJob) -> None:
    """Put a job that has ended blocked or unknown on the operator's list, in its transaction."""
    if job.status is not JobStatus.DONE or job.outcome not in DEAD or job.finished_at is None:
        return
    DeadJobRepository(session).put(
        DeadJob(
            tenant_id=session.tenant.tenant_id,
            job_id=job.id,
            channel=job.channel,
            action=job.action,
            product_id=job.product_id,
            outcome=job.outcome,
            problem_code=job.problem_code,
            problem_detail=job.problem_detail,
            ended_at=job.finished_at,
        )
    )


@dataclass(frozen=True, slots=True)
class Retried:
    """What came of asking for another try."""

    dead: DeadJob
    refused: StoflowError | None = None
    """Why it was not queued."""
    needless: bool = False
    """It was tried again before, or a later job has made up for it: taken off the list."""


class DeadJobRetry:
    """Queues dead jobs again, each in a transaction of its own shop."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._steering = JobSteering(clock)

    def retry(
        self, wanted: DeadJobFilter, limit: int, report: Callable[[Retried], None]
    ) -> Sequence[Retried]:
        """Try the dead jobs of this kind again, those that died first first."""
        with self._database.platform() as session:
            found = DeadJobRepository(session).page(wanted, limit)
        done = []
        for dead, _ in found:
            retried = self._retry(dead)
            report(retried)
            done.append(retried)
        return done

    def _retry(self, dead: DeadJob) -> Retried:
        try:
            with self._database.tenant(TenantSchema(dead.tenant_id)) as session:
                if not JobStoryRepository(session).still_dead([dead.job_id], DEAD):
                    DeadJobRepository(session).forget(session.tenant, [dead.job_id])
                    return Retried(dead, needless=True)
                self._steering.retry(session, dead.job_id)
        except StoflowError as refusal:
            return Retried(dead, refusal)
        return Retried(dead)


class DeadJobReview:
    """Takes jobs off the list that need nobody any more. One short transaction a shop."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def review(self, after: int, go_on: Callable[[], None]) -> tuple[int, int]:
        """Look at the next shops that have dead jobs, beginning behind number `after`.

        Returns how many jobs were taken off and where the next review begins; `go_on` is called
        between shops and may raise.
        """
        with self._database.platform() as session:
            shops = DeadJobRepository(session).shops_after(after, SHOPS_A_REVIEW)
        forgotten = 0
        for shop in shops:
            go_on()
            forgotten += self._review(shop)
        return forgotten, shops[-1].tenant_id if len(shops) == SHOPS_A_REVIEW else 0

    def _review(self, shop: TenantSchema) -> int:
        try:
            with self._database.tenant(shop) as session:
                marks = DeadJobRepository(session)
                listed = set(marks.of_shop(shop))
                alive = listed - JobStoryRepository(session).still_dead(listed, DEAD)
                if alive:
                    marks.forget(shop, alive)
                return len(alive)
        except TenantUnavailable:
            return self._forget_if_gone(shop)

    def _forget_if_gone(self, shop: TenantSchema) -> int:
        with self._database.platform() as session:
            if TenantRepository(session).get(shop.tenant_id) is not None:
                return 0
            marks = DeadJobRepository(session)
            gone = len(marks.of_shop(shop))
            marks.forget_shop(shop)
            return gone
