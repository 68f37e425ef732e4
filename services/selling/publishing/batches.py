"""What a seller sees of a batch, and can do with it: hold it, go on, stop it, mend it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from models.selling.publishing import JobBatch, JobOutcome, JobStatus, MarketplaceJob
from repositories.accounts.bells import BellRepository, RungBell
from repositories.accounts.dead_jobs import DeadJobRepository
from repositories.selling.batches import BatchCounts, BatchRepository
from repositories.selling.publishing import JobRepository
from services.selling.publishing import transitions
from services.selling.publishing.news import tell_of_batch
from services.selling.publishing.withdrawing import (
    NOTHING_TO_WITHDRAW,
    Withdrawals,
    cancel_unheard,
)
from shared.clock import Clock
from shared.database import TenantSession
from shared.errors import Conflict, NotFound

PACE_OVER = timedelta(minutes=10)
"""The time left is what it takes at the pace of the last ten minutes."""

PACE_NEEDS = 5
"""Of fewer jobs no pace is told."""


class BatchNotFound(NotFound):
    """This shop has no such batch."""

    code, title = "batch-not-found", "There is no such batch"


class BatchAlreadyEnded(Conflict):
    """Every job of it has ended; there is nothing to hold or to stop."""

    code, title = "batch-already-ended", "The batch has already ended"


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """A batch, how far it is, and, where that can be said, how long the rest takes."""

    batch: JobBatch
    counts: BatchCounts
    seconds_left: int | None


@dataclass(frozen=True, slots=True)
class BatchSteered:
    """What an action did: jobs it changed, and jobs it could not change, and why not."""

    progress: BatchProgress
    changed: int
    left_alone: int = 0
    """Cancel: being checked on the channel, whatever comes of it. Retry: a newer job does it."""


class Batches:
    """Batches of one shop. Every action may be repeated; the second time it changes nothing."""

    def __init__(self, clock: Clock, withdrawals: Withdrawals = NOTHING_TO_WITHDRAW) -> None:
        self._clock = clock
        self._withdrawals = withdrawals

    def show(self, session: TenantSession, batch_id: int) -> BatchProgress:
        """How far a batch is. Raises `BatchNotFound`."""
        return self._progress(session, [_found(BatchRepository(session).get(batch_id))])[0]

    def refuse_unknown(self, session: TenantSession, batch_id: int) -> None:
        """Raise `BatchNotFound` unless there is such a batch."""
        _found(BatchRepository(session).get(batch_id))

    def page(
        self, session: TenantSession, before: int | None, limit: int
    ) -> tuple[Sequence[BatchProgress], bool]:
        """A page, newest first, and whether there are more."""
        found = BatchRepository(session).page(before, limit + 1)
        return self._progress(session, found[:limit]), len(found) > limit

    def pause(self, session: TenantSession, batch_id: int) -> BatchSteered:
        """Pick up no further job of it; those that run go on. Costs no worker a look meanwhile.

        Raises `BatchNotFound`, `BatchAlreadyEnded`.
        """
        batch = self._locked(session, batch_id)
        if batch.paused_at is not None:
            return self._steered(session, batch)
        held = self._refuse_ended(session, batch).waiting
        batch.paused_at = self._clock.now()
        return self._steered(session, batch, held)

    def resume(self, session: TenantSession, batch_id: int) -> BatchSteered:
        """Go on with a paused batch at once. Raises `BatchNotFound`, `BatchAlreadyEnded`."""
        batch = self._locked(session, batch_id)
        if batch.paused_at is None:
            self._refuse_ended(session, batch)
            return self._steered(session, batch)
        batch.paused_at, batch.resumed_at = None, self._clock.now()
        return self._steered(session, batch, self._counts(session, batch).waiting)

    def cancel(self, session: TenantSession, batch_id: int) -> BatchSteered:
        """Stop what waits at once, what runs before its next outside call, and what somebody
        outside was asked to do as soon as it is known whether they have.

        A job that may have succeeded is checked to the end. Raises `BatchNotFound`,
        `BatchAlreadyEnded`.
        """
        batch = self._locked(session, batch_id)
        live = BatchRepository(session).locked_live(batch_id)
        if not live and batch.cancelled_at is None:
            raise BatchAlreadyEnded
        stopped = [self._stop(session, job) for job in live]
        batch.cancelled_at, batch.paused_at = batch.cancelled_at or self._clock.now(), None
        return self._steered(session, batch, sum(stopped), len(live) - sum(stopped))

    def retry_failed(self, session: TenantSession, batch_id: int) -> BatchSteered:
        """Queue again what ended without success; each goes on after its last finished step.

        What a newer job does by now is left to that one. Raises `BatchNotFound`.
        """
        batch = self._locked(session, batch_id)
        failed = BatchRepository(session).locked_failed(batch_id)
        newer = JobRepository(session).live(
            batch.action,
            {job.channel for job in failed},
            {job.product_id for job in failed if job.product_id is not None},
        )
        again = [job for job in failed if (job.product_id, job.channel) not in newer]
        for job in again:
            transitions.reopen(job, now=self._clock.now())
        if again:
            DeadJobRepository(session).forget(session.tenant, [job.id for job in again])
        return self._steered(session, batch, len(again), len(failed) - len(again))

    def _locked(self, session: TenantSession, batch_id: int) -> JobBatch:
        """Bell, then batch, then jobs: nobody picks a job of it up until the commit."""
        batch = _found(BatchRepository(session).get(batch_id))
        BellRepository(session).ring(session.tenant, batch.action.lane, self._clock.now())
        return _found(BatchRepository(session).locked(batch_id))

    def _set_bell(self, session: TenantSession, batch: JobBatch) -> None:
        session.flush()
        lane = batch.action.lane
        due_at = JobRepository(session).next_due_at(lane)
        BellRepository(session).set(
            RungBell(session.tenant, lane), due_at and max(due_at, self._clock.now())
        )

    def _stop(self, session: TenantSession, job: MarketplaceJob) -> bool:
        if cancel_unheard(session, job, self._withdrawals, self._clock):
            return True
        if job.outcome is JobOutcome.UNKNOWN:
            return False
        if job.status is JobStatus.PENDING:
            transitions.cancel(job, now=self._clock.now())
        elif job.cancel_requested_at is None:
            # What was done here, or by somebody outside who was asked to, is found out first.
            job.cancel_requested_at = self._clock.now()
        return True

    def _refuse_ended(self, session: TenantSession, batch: JobBatch) -> BatchCounts:
        """How far it is. Raises `BatchAlreadyEnded`."""
        counts = self._counts(session, batch)
        if not counts.live:
            raise BatchAlreadyEnded
        return counts

    def _counts(self, session: TenantSession, batch: JobBatch) -> BatchCounts:
        return self._progress(session, [batch])[0].counts

    def _steered(
        self, session: TenantSession, batch: JobBatch, changed: int = 0, left_alone: int = 0
    ) -> BatchSteered:
        self._set_bell(session, batch)
        if changed:
            tell_of_batch(session, batch, self._clock.now())
        return BatchSteered(self._progress(session, [batch])[0], changed, left_alone)

    def _progress(
        self, session: TenantSession, batches: Sequence[JobBatch]
    ) -> Sequence[BatchProgress]:
        since = self._clock.now() - PACE_OVER
        counts = BatchRepository(session).counts([batch.id for batch in batches], since)
        return [
            BatchProgress(batch, counts[batch.id], self._seconds_left(batch, counts[batch.id]))
            for batch in batches
        ]

    def _seconds_left(self, batch: JobBatch, counts: BatchCounts) -> int | None:
        """At its own pace lately; None when it is held or has no pace yet."""
        if batch.paused_at is not None or not counts.live or counts.lately_ended < PACE_NEEDS:
            return None
        now = self._clock.now()
        began = max(now - PACE_OVER, batch.resumed_at or batch.created_at)
        return math.ceil((now - began).total_seconds() * counts.live / counts.lately_ended)


def _found(batch: JobBatch | None) -> JobBatch:
    if batch is None:
        raise BatchNotFound
    return batch
