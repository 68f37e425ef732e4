"""Ask for work on channels, and follow it."""

from typing import Annotated

from fastapi import Query

from api.dependencies.actors import CurrentAccount
from api.dependencies.services_publishing import (
    Reading,
    Steering,
    TheBatches,
    ThePreflight,
    TheWorkRequests,
)
from api.dependencies.sessions import Tenant, TenantTransactions
from api.idempotency import keyless
from api.pages import Cursor, Page, PageSize, id_cursor, read_id_cursor
from api.policies import Policy, guarded_router
from api.problems import problems
from api.selling.publishing import batch_routes
from api.selling.publishing.batch_routes import RowId
from api.selling.publishing.batch_schemas import BatchOut
from api.selling.publishing.preflight_schemas import PreflightOut
from api.selling.publishing.schemas import (
    JobOut,
    JobStoryOut,
    ListingOut,
    PublicationIn,
    PublicationOut,
)
from models.selling.publishing import Channel, JobAction, JobOutcome, JobStatus, ListingStatus
from services.selling.publishing.batches import BatchNotFound
from services.selling.publishing.planning import ChannelNotOffered
from services.selling.publishing.reading import JobFilter
from services.selling.publishing.requesting import NothingToDo
from services.selling.publishing.steering import (
    JobAlreadyEnded,
    JobBeingChecked,
    JobNotFound,
    JobNotRetryable,
    JobSuperseded,
)
from shared.errors import BadInput

publications = guarded_router("/publications", policy=Policy.SIGNED_IN, tag="publishing")
jobs = guarded_router("/jobs", policy=Policy.SIGNED_IN, tag="publishing")
listings = guarded_router("/listings", policy=Policy.SIGNED_IN, tag="publishing")


@publications.post(
    "", status_code=202, responses=problems(BadInput, NothingToDo, ChannelNotOffered)
)
def request_publication(
    body: PublicationIn, actor: CurrentAccount, session: Tenant, requests: TheWorkRequests
) -> PublicationOut:
    """Publish, update or delist products on channels; the work is done in the background.

    Each product and channel gets an answer: queued, already queued, already listed, not listed,
    or refused with what is missing. Nothing is sent to a channel for what is refused.
    """
    return PublicationOut.of(
        requests.request(session, body.action, body.product_ids, body.channels, actor.user_id)
    )


@publications.post("/preflight", responses=problems(BadInput, ChannelNotOffered))
@keyless("it changes nothing, and whoever asks again wants to know what is true now")
def preflight_publication(
    body: PublicationIn, transactions: TenantTransactions, preflight: ThePreflight
) -> PreflightOut:
    """What the same request to `POST /publications` would answer, cost and take. Changes nothing
    and asks no channel.

    A problem names the field, the rule (`code`) and what to do about it. The estimate is a range
    with its reasons; it counts on nothing going wrong.
    """
    return PreflightOut.of(
        preflight.examine(transactions, body.action, body.product_ids, body.channels)
    )


@publications.get("/{batch_id}", responses=problems(BatchNotFound))
def show_publication(batch_id: RowId, session: Tenant, batches: TheBatches) -> BatchOut:
    """How far the batch is that a request for publication made."""
    return BatchOut.of(batches.show(session, batch_id))


@jobs.get("")
def list_jobs(
    session: Tenant,
    reading: Reading,
    cursor: Cursor = None,
    limit: PageSize = 50,
    status: JobStatus | None = None,
    outcome: JobOutcome | None = None,
    channel: Channel | None = None,
    action: JobAction | None = None,
    product_id: Annotated[int | None, Query(gt=0, lt=2**63)] = None,
    batch_id: Annotated[int | None, Query(gt=0, lt=2**63)] = None,
) -> Page[JobOut]:
    """Jobs, newest first."""
    wanted = JobFilter(status, outcome, channel, action, product_id, batch_id)
    found, more = reading.jobs(session, wanted, read_id_cursor(cursor), limit)
    return Page(
        items=[JobOut.of(job) for job in found],
        next_cursor=id_cursor(found[-1].id) if more else None,
    )


@jobs.get("/{job_id}", responses=problems(JobNotFound))
def tell_job(job_id: RowId, session: Tenant, reading: Reading) -> JobStoryOut:
    """A job's whole story: attempts, who ran it, what was sent, why it waits, what comes next."""
    return JobStoryOut.told(*reading.story(session, job_id))


@jobs.post("/{job_id}/cancel", responses=problems(JobNotFound, JobAlreadyEnded, JobBeingChecked))
def cancel_job(job_id: RowId, session: Tenant, steering: Steering) -> JobOut:
    """Stop a job: a waiting one at once, a running one before its next outside call."""
    return JobOut.of(steering.cancel(session, job_id))


@jobs.post("/{job_id}/retry", responses=problems(JobNotFound, JobNotRetryable, JobSuperseded))
def retry_job(job_id: RowId, session: Tenant, steering: Steering) -> JobOut:
    """Try an ended job again; it goes on after its last finished step."""
    return JobOut.of(steering.retry(session, job_id))


@listings.get("")
def list_listings(
    session: Tenant,
    reading: Reading,
    cursor: Cursor = None,
    limit: PageSize = 50,
    channel: Channel | None = None,
    status: ListingStatus | None = None,
) -> Page[ListingOut]:
    """What is listed where, newest first."""
    found, more = reading.listings(session, channel, status, read_id_cursor(cursor), limit)
    return Page(
        items=[ListingOut.of(listing) for listing in found],
        next_cursor=id_cursor(found[-1].id) if more else None,
    )


ROUTERS = (publications, jobs, listings, *batch_routes.ROUTERS)
