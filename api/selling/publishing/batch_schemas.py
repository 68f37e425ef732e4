"""What the batch routes show."""

from datetime import datetime

from pydantic import BaseModel, Field

from models.selling.publishing import JobAction, JobOutcome, JobStatus
from services.selling.publishing.batches import BatchProgress, BatchSteered


class BatchOut(BaseModel):
    """How far a batch is."""

    id: int
    action: JobAction
    created_at: datetime
    total: int
    by_status: dict[JobStatus, int]
    by_outcome: dict[JobOutcome, int]
    percent: int = Field(description="Of the jobs, how many have ended; rounded down.")
    seconds_left: int | None = Field(
        description="At the pace of the last ten minutes; null when paused or not yet known."
    )
    finished: bool
    paused_at: datetime | None = Field(description="No further job is picked up since then.")
    cancelled_at: datetime | None

    @classmethod
    def of(cls, progress: BatchProgress) -> "BatchOut":
        """Add up the jobs of a batch."""
        batch, counts = progress.batch, progress.counts
        by_status: dict[JobStatus, int] = {}
        by_outcome: dict[JobOutcome, int] = {}
        for (status, outcome), number in counts.by_state.items():
            by_status[status] = by_status.get(status, 0) + number
            if outcome is not None:
                by_outcome[outcome] = by_outcome.get(outcome, 0) + number
        return cls(
            id=batch.id,
            action=batch.action,
            created_at=batch.created_at,
            total=counts.total,
            by_status=by_status,
            by_outcome=by_outcome,
            percent=100 * (counts.total - counts.live) // max(1, counts.total),
            seconds_left=progress.seconds_left,
            finished=not counts.live,
            paused_at=batch.paused_at,
            cancelled_at=batch.cancelled_at,
        )


class BatchSteeredOut(BaseModel):
    """What an action did, and how far the batch is now."""

    changed: int = Field(description="Jobs that it held, let go, stopped or queued again.")
    left_alone: int = Field(
        description="Jobs that it could not change: when cancelling, those that may have succeeded"
        " and are being checked; when retrying, those that a newer job does by now."
    )
    batch: BatchOut

    @classmethod
    def of(cls, steered: BatchSteered) -> "BatchSteeredOut":
        """Show what was done."""
        return cls(
            changed=steered.changed,
            left_alone=steered.left_alone,
            batch=BatchOut.of(steered.progress),
        )
