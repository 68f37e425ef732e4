"""What goes in and out of the publishing routes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from models.accounts.tenants import Lane
from models.selling.publishing import (
    Channel,
    ChannelListing,
    JobAction,
    JobOutcome,
    JobStatus,
    JobStep,
    ListingStatus,
    MarketplaceJob,
)
from services.selling.publishing.planning import Answer, RequestedItem
from services.selling.publishing.requesting import RequestedBatch

ProductId = Annotated[int, Field(gt=0, lt=2**63)]


class PublicationIn(BaseModel):
    """Which products, on which channels, and what to do there."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"product_ids": [1, 2], "channels": ["ebay"]}]},
    )

    product_ids: list[ProductId] = Field(min_length=1, max_length=5_000)
    channels: list[Channel] = Field(min_length=1, max_length=len(Channel))
    action: Literal[JobAction.PUBLISH, JobAction.UPDATE, JobAction.DELETE] = Field(
        default=JobAction.PUBLISH,
        description="`publish` lists, `update` sends the product anew, `delete` ends the listing.",
    )


class ProblemOut(BaseModel):
    """One thing to change before it can work."""

    field: str
    message: str
    code: str
    choices: list[str] = Field(description="What would be accepted, where that is a short list.")


class RequestedItemOut(BaseModel):
    """What became of one product on one channel."""

    product_id: int
    channel: Channel
    answer: Answer
    job_id: int | None
    listing_id: str | None
    problems: list[ProblemOut]

    @classmethod
    def of(cls, item: RequestedItem) -> "RequestedItemOut":
        """Show an item."""
        return cls(
            product_id=item.product_id,
            channel=item.channel,
            answer=item.answer,
            job_id=item.job_id,
            listing_id=item.listing_id,
            problems=[ProblemOut.model_validate(each.as_json()) for each in item.problems],
        )


class PublicationOut(BaseModel):
    """The batch; `batch_id` is null when no job was needed."""

    batch_id: int | None
    items: list[RequestedItemOut]

    @classmethod
    def of(cls, batch: RequestedBatch) -> "PublicationOut":
        """Show a request's answer."""
        return cls(
            batch_id=batch.batch_id, items=[RequestedItemOut.of(item) for item in batch.items]
        )


class JobOut(BaseModel):
    """A job in a list."""

    id: int
    batch_id: int | None
    channel: Channel
    action: JobAction
    product_id: int | None
    lane: Lane
    status: JobStatus
    outcome: JobOutcome | None
    attempts: int
    max_attempts: int
    next_try_at: datetime | None
    waiting_for: str | None
    problem_code: str | None
    problem_detail: str | None
    problem_fields: list[ProblemOut]
    result: dict[str, Any] | None
    cancel_requested: bool
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, job: MarketplaceJob) -> "JobOut":
        """Show a job."""
        return cls(**_job_fields(job))


class StepOut(BaseModel):
    """One line of a job's story."""

    attempt: int
    name: str
    ran_by: str
    http_status: int | None
    request_digest: str | None
    response_digest: str | None
    detail: dict[str, Any]
    started_at: datetime
    finished_at: datetime

    @classmethod
    def of(cls, step: JobStep) -> "StepOut":
        """Show a step."""
        return cls(
            attempt=step.attempt,
            name=step.name,
            ran_by=step.lease_owner,
            http_status=step.http_status,
            request_digest=step.request_digest,
            response_digest=step.response_digest,
            detail=step.detail,
            started_at=step.started_at,
            finished_at=step.finished_at,
        )


class JobStoryOut(JobOut):
    """A job with everything that happened to it."""

    progress: dict[str, Any]
    leased_until: datetime | None
    ran_by: str | None
    steps: list[StepOut]

    @classmethod
    def told(cls, job: MarketplaceJob, steps: Sequence[JobStep]) -> "JobStoryOut":
        """Tell a job's whole story."""
        return cls(
            **_job_fields(job),
            progress=job.progress,
            leased_until=job.leased_until,
            ran_by=job.lease_owner,
            steps=[StepOut.of(step) for step in steps],
        )


class ListingOut(BaseModel):
    """What is listed where, as the channel last showed it."""

    product_id: int
    channel: Channel
    status: ListingStatus
    listing_id: str
    url: str | None
    product_version: int
    read_back: dict[str, Any]
    published_at: datetime
    checked_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, listing: ChannelListing) -> "ListingOut":
        """Show a listing."""
        return cls.model_validate(listing, from_attributes=True)


def _job_fields(job: MarketplaceJob) -> dict[str, Any]:
    same = [
        "id",
        "batch_id",
        "channel",
        "action",
        "product_id",
        "lane",
        "status",
        "outcome",
        "attempts",
        "max_attempts",
        "waiting_for",
        "problem_code",
        "problem_detail",
        "problem_fields",
        "result",
        "created_at",
        "started_at",
        "finished_at",
    ]
    fields = {name: getattr(job, name) for name in same}
    waits = job.status is JobStatus.PENDING
    return fields | {
        "next_try_at": job.due_at if waits else None,
        "cancel_requested": job.cancel_requested_at is not None,
    }
