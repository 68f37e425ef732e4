"""Jobs, their stories, batches and listings of one shop."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Select,
    Uuid,
    any_,
    bindparam,
    func,
    insert,
    select,
    update,
)

from models.accounts.tenants import Lane
from models.selling.publishing import (
    LIVE_STATUSES,
    Channel,
    ChannelListing,
    JobAction,
    JobOutcome,
    JobStatus,
    JobStep,
    ListingStatus,
    MarketplaceJob,
)
from repositories.selling.job_search import next_due, next_due_at
from shared.database import TenantSession


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs a list shows; None means any."""

    status: JobStatus | None = None
    outcome: JobOutcome | None = None
    channel: Channel | None = None
    action: JobAction | None = None
    product_id: int | None = None
    batch_id: int | None = None


@dataclass(frozen=True, slots=True)
class RunningCaps:
    """How many jobs of one shop may run at the same time; None means any number.

    Those that one thread does one after the other, under one lease, count as one.
    Each lane counts for itself, so that a delisting never waits for a batch of publications.
    """

    lanes: Mapping[Lane, int] = field(default_factory=dict)
    account: int | None = None
    """Of one channel account, in each lane."""


UNLIMITED = RunningCaps()


_LOCKED = (
    select(MarketplaceJob)
    .where(MarketplaceJob.id == bindparam("job_id"))
    .with_for_update()
    .execution_options(populate_existing=True)
)


_HELD = (
    select(MarketplaceJob)
    .where(
        MarketplaceJob.id == any_(bindparam("job_ids", type_=ARRAY(BigInteger))),
        MarketplaceJob.lease_id == bindparam("lease", type_=Uuid),
        MarketplaceJob.status == JobStatus.RUNNING,
    )
    .with_for_update()
    .execution_options(populate_existing=True)
)


class JobRepository:
    """Rows of `marketplace_jobs` and `job_steps`."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def insert_all(
        self, jobs: Sequence[Mapping[str, Any]]
    ) -> dict[tuple[int | None, Channel], int]:
        """Store new jobs, given by their columns; their ids by product and channel.

        All of one batch: a thousand rows a statement, in a third of the time entities take.
        """
        rows = self._session.connection().execute(
            insert(MarketplaceJob).returning(
                MarketplaceJob.product_id, MarketplaceJob.channel, MarketplaceJob.id
            ),
            [dict(job) for job in jobs],
        )
        return {(product_id, channel): job_id for product_id, channel, job_id in rows}

    def get(self, job_id: int) -> MarketplaceJob | None:
        """One job."""
        return self._session.get(MarketplaceJob, job_id)

    def locked(self, job_id: int) -> MarketplaceJob | None:
        """One job, locked and read anew."""
        return self._session.scalar(_LOCKED, {"job_id": job_id})

    def live(
        self, action: JobAction, channels: Collection[Channel], product_ids: Collection[int]
    ) -> dict[tuple[int, Channel], int]:
        """Jobs of this action that have not ended: (product, channel) → job id."""
        rows = self._session.execute(
            select(MarketplaceJob.product_id, MarketplaceJob.channel, MarketplaceJob.id).where(
                MarketplaceJob.status.in_(LIVE_STATUSES),
                MarketplaceJob.action == action,
                MarketplaceJob.channel.in_(channels),
                MarketplaceJob.product_id.in_(product_ids),
            )
        )
        return {(product_id, channel): job_id for product_id, channel, job_id in rows}

    def left_unknown(
        self, action: JobAction, channels: Collection[Channel], product_ids: Collection[int]
    ) -> set[tuple[int, Channel]]:
        """Products on channels whose last job of this action ended, and nobody knows how."""
        last = (
            select(MarketplaceJob.product_id, MarketplaceJob.channel, MarketplaceJob.outcome)
            .where(
                MarketplaceJob.status == JobStatus.DONE,
                MarketplaceJob.action == action,
                MarketplaceJob.channel.in_(channels),
                MarketplaceJob.product_id.in_(product_ids),
            )
            .distinct(MarketplaceJob.product_id, MarketplaceJob.channel)
            .order_by(MarketplaceJob.product_id, MarketplaceJob.channel, MarketplaceJob.id.desc())
            .subquery()
        )
        rows = self._session.execute(
            select(last.c.product_id, last.c.channel).where(last.c.outcome == JobOutcome.UNKNOWN)
        )
        return {(product_id, channel) for product_id, channel in rows}

    def live_job(self, action: JobAction, channel: Channel, product_id: int | None) -> int | None:
        """The job that is doing this now; `product_id` None means the channel account itself.

        Exact while the caller holds the shop's bell (see `BellRepository.ring`).
        """
        same_product = (
            MarketplaceJob.product_id.is_(None)
            if product_id is None
            else MarketplaceJob.product_id == product_id
        )
        return self._session.scalar(
            select(MarketplaceJob.id).where(
                MarketplaceJob.status.in_(LIVE_STATUSES),
                MarketplaceJob.action == action,
                MarketplaceJob.channel == channel,
                same_product,
            )
        )

    def due(
        self, lane: Lane, now: datetime, caps: RunningCaps = UNLIMITED, limit: int = 1
    ) -> Sequence[MarketplaceJob]:
        """The jobs to run now, locked: one whose worker has died, else the first that are due.

        Due jobs go by priority (smaller first), then in the order they were asked for. Jobs of
        paused batches and those above the caps are left out; taking over from a dead worker adds
        none to what runs. Exact while the caller holds the lane's bell.
        """
        found = self._session.scalars(
            next_due(lane, caps.lanes.get(lane), caps.account, limit), {"moment": now}
        ).all()
        abandoned = [job for job in found if job.status is not JobStatus.PENDING]
        return abandoned or sorted(found, key=lambda job: (job.priority, job.id))

    def next_due_at(self, lane: Lane, caps: RunningCaps = UNLIMITED) -> datetime | None:
        """When a worker must look here again; None when nothing is left that may start.

        Whoever resumes a batch, or ends a job that ran, looks anew.
        """
        return self._session.scalar(next_due_at(lane, caps.lanes.get(lane), caps.account))

    def extend_lease(self, job_id: int, lease_id: uuid.UUID, until: datetime) -> bool:
        """Heartbeat; False when the lease is somebody else's by now."""
        extended = self._session.scalar(
            update(MarketplaceJob)
            .where(
                MarketplaceJob.id == job_id,
                MarketplaceJob.lease_id == lease_id,
                MarketplaceJob.status == JobStatus.RUNNING,
            )
            .values(leased_until=until)
            .returning(MarketplaceJob.id)
        )
        return extended is not None

    def held(self, lease_id: uuid.UUID, job_ids: Collection[int]) -> dict[int, MarketplaceJob]:
        """Those of these jobs that run under this lease, by id; locked and read anew."""
        found = self._session.scalars(_HELD, {"job_ids": list(job_ids), "lease": lease_id})
        return {job.id: job for job in found}

    def add_step(self, step: JobStep) -> None:
        """Append a line to a job's story."""
        self._session.add(step)
        self._session.flush()

    def steps(self, job_id: int) -> Sequence[JobStep]:
        """A job's story in order."""
        return self._session.scalars(
            select(JobStep).where(JobStep.job_id == job_id).order_by(JobStep.id)
        ).all()

    def told_of_this_try(
        self, job_id: int, first_line: str
    ) -> tuple[datetime | None, dict[str, int]]:
        """When the present try of a job began, and how often its story has each line since.

        A try begins with a first attempt that has `first_line`; the seller's retry begins another.
        """
        began = (
            select(func.max(JobStep.id))
            .where(JobStep.job_id == job_id, JobStep.name == first_line, JobStep.attempt == 1)
            .scalar_subquery()
        )
        rows = self._session.execute(
            select(JobStep.name, func.count(), func.min(JobStep.started_at))
            .where(JobStep.job_id == job_id, JobStep.id >= began)
            .group_by(JobStep.name)
        ).all()
        since = min((began for _, _, began in rows), default=None)
        return since, {name: number for name, number, _ in rows}

    def page(self, wanted: JobFilter, before: int | None, limit: int) -> Sequence[MarketplaceJob]:
        """Newest first; `before` is the last id of the page before."""
        query = _filtered(select(MarketplaceJob), wanted)
        if before is not None:
            query = query.where(MarketplaceJob.id < before)
        return self._session.scalars(query.order_by(MarketplaceJob.id.desc()).limit(limit)).all()


class ListingRepository:
    """Rows of `channel_listings`."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def get(self, product_id: int, channel: Channel) -> ChannelListing | None:
        """What we know of this product on this channel."""
        return self._session.scalar(
            select(ChannelListing).where(
                ChannelListing.product_id == product_id, ChannelListing.channel == channel
            )
        )

    def add(self, listing: ChannelListing) -> None:
        """Store a new listing."""
        self._session.add(listing)
        self._session.flush()

    def live(
        self, channels: Collection[Channel], product_ids: Collection[int]
    ) -> dict[tuple[int, Channel], str]:
        """Live listings: (product, channel) → the channel's listing id."""
        rows = self._session.execute(
            select(
                ChannelListing.product_id, ChannelListing.channel, ChannelListing.listing_id
            ).where(
                ChannelListing.status == ListingStatus.LIVE,
                ChannelListing.channel.in_(channels),
                ChannelListing.product_id.in_(product_ids),
            )
        )
        return {(product_id, channel): listing_id for product_id, channel, listing_id in rows}

    def page(
        self,
        channel: Channel | None,
        status: ListingStatus | None,
        before: int | None,
        limit: int,
    ) -> Sequence[ChannelListing]:
        """Newest first; `before` is the last id of the page before."""
        query = select(ChannelListing)
        if channel is not None:
            query = query.where(ChannelListing.channel == channel)
        if status is not None:
            query = query.where(ChannelListing.status == status)
        if before is not None:
            query = query.where(ChannelListing.id < before)
        return self._session.scalars(query.order_by(ChannelListing.id.desc()).limit(limit)).all()


def _filtered(
    query: Select[tuple[MarketplaceJob]], wanted: JobFilter
) -> Select[tuple[MarketplaceJob]]:
    columns = {
        MarketplaceJob.status: wanted.status,
        MarketplaceJob.outcome: wanted.outcome,
        MarketplaceJob.channel: wanted.channel,
        MarketplaceJob.action: wanted.action,
        MarketplaceJob.product_id: wanted.product_id,
        MarketplaceJob.batch_id: wanted.batch_id,
    }
    return query.where(*(column == value for column, value in columns.items() if value is not None))
