"""Batches: what was asked for together is followed, held, stopped and mended together."""

from typing import Annotated

from fastapi import Path

from api.dependencies.services_publishing import Reading, TheBatches
from api.dependencies.sessions import Tenant
from api.pages import Cursor, Page, PageSize, id_cursor, read_id_cursor
from api.policies import Policy, guarded_router
from api.problems import problems
from api.selling.publishing.batch_schemas import BatchOut, BatchSteeredOut
from api.selling.publishing.schemas import JobOut
from models.selling.publishing import JobOutcome, JobStatus
from services.selling.publishing.batches import BatchAlreadyEnded, BatchNotFound
from services.selling.publishing.reading import JobFilter

router = guarded_router("/batches", policy=Policy.SIGNED_IN, tag="publishing")

ROUTERS = (router,)

RowId = Annotated[int, Path(gt=0, lt=2**63)]

_STOPPABLE = problems(BatchNotFound, BatchAlreadyEnded)


@router.get("")
def list_batches(
    session: Tenant, batches: TheBatches, cursor: Cursor = None, limit: PageSize = 20
) -> Page[BatchOut]:
    """Batches with their progress, newest first."""
    found, more = batches.page(session, read_id_cursor(cursor), limit)
    return Page(
        items=[BatchOut.of(each) for each in found],
        next_cursor=id_cursor(found[-1].batch.id) if more else None,
    )


@router.get("/{batch_id}", responses=problems(BatchNotFound))
def show_batch(batch_id: RowId, session: Tenant, batches: TheBatches) -> BatchOut:
    """How far a batch is, and how long the rest takes where that can be said."""
    return BatchOut.of(batches.show(session, batch_id))


@router.get("/{batch_id}/jobs", responses=problems(BatchNotFound))
def list_jobs_of_batch(
    batch_id: RowId,
    session: Tenant,
    batches: TheBatches,
    reading: Reading,
    cursor: Cursor = None,
    limit: PageSize = 50,
    status: JobStatus | None = None,
    outcome: JobOutcome | None = None,
) -> Page[JobOut]:
    """What came of its jobs so far, newest first."""
    batches.refuse_unknown(session, batch_id)
    wanted = JobFilter(status=status, outcome=outcome, batch_id=batch_id)
    found, more = reading.jobs(session, wanted, read_id_cursor(cursor), limit)
    return Page(
        items=[JobOut.of(job) for job in found],
        next_cursor=id_cursor(found[-1].id) if more else None,
    )


@router.post("/{batch_id}/pause", responses=_STOPPABLE)
def pause_batch(batch_id: RowId, session: Tenant, batches: TheBatches) -> BatchSteeredOut:
    """Pick up no further job of it until it is resumed; running ones finish."""
    return BatchSteeredOut.of(batches.pause(session, batch_id))


@router.post("/{batch_id}/resume", responses=_STOPPABLE)
def resume_batch(batch_id: RowId, session: Tenant, batches: TheBatches) -> BatchSteeredOut:
    """Go on with a paused batch."""
    return BatchSteeredOut.of(batches.resume(session, batch_id))


@router.post("/{batch_id}/cancel", responses=_STOPPABLE)
def cancel_batch(batch_id: RowId, session: Tenant, batches: TheBatches) -> BatchSteeredOut:
    """Stop waiting jobs at once and running ones before their next outside call.

    A job that may have succeeded is checked on its channel to the end.
    """
    return BatchSteeredOut.of(batches.cancel(session, batch_id))


@router.post("/{batch_id}/retry-failed", responses=problems(BatchNotFound))
def retry_failed_jobs(batch_id: RowId, session: Tenant, batches: TheBatches) -> BatchSteeredOut:
    """Queue again what ended without success; what was cancelled stays cancelled."""
    return BatchSteeredOut.of(batches.retry_failed(session, batch_id))
