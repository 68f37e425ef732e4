"""How a shop's next job is found.

Each job asks several times, so the statements are built once for each lane and its caps: building
costs more than PostgreSQL's answer.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    DateTime,
    Select,
    any_,
    bindparam,
    distinct,
    func,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.orm import aliased

from models.accounts.tenants import Lane
from models.selling.publishing import JobBatch, JobStatus, MarketplaceJob


@cache
def next_due(
    lane: Lane, most: int | None, most_of_account: int | None, limit: int
) -> Select[tuple[MarketplaceJob]]:
    """One whose worker has died before `moment`, and the first that are due; locked."""
    now = bindparam("moment", type_=DateTime(timezone=True))
    abandoned = (
        select(MarketplaceJob.id)
        .where(
            MarketplaceJob.lane == lane,
            MarketplaceJob.status.in_((JobStatus.RUNNING, JobStatus.PARKED)),
            MarketplaceJob.leased_until <= now,
        )
        .order_by(MarketplaceJob.leased_until)
    )
    due = (
        select(MarketplaceJob.id)
        .where(*_may_start(lane, most, most_of_account), MarketplaceJob.due_at <= now)
        .order_by(MarketplaceJob.priority, MarketplaceJob.id)
    )
    return (
        select(MarketplaceJob)
        .where(MarketplaceJob.id == any_(_unlocked(abandoned, 1).concat(_unlocked(due, limit))))
        # Its newest version, which may be newer than what the search has seen.
        .with_for_update()
        .execution_options(populate_existing=True)
    )


@cache
def next_due_at(
    lane: Lane, most: int | None, most_of_account: int | None
) -> Select[tuple[datetime | None]]:
    """When there is something to do again, or nothing."""
    pending = select(func.min(MarketplaceJob.due_at)).where(
        *_may_start(lane, most, most_of_account)
    )
    held = select(func.min(MarketplaceJob.leased_until)).where(
        MarketplaceJob.lane == lane,
        MarketplaceJob.status.in_((JobStatus.RUNNING, JobStatus.PARKED)),
    )
    # What is absent does not count.
    return select(func.least(pending.scalar_subquery(), held.scalar_subquery()))


def _unlocked(ids: Select[tuple[int]], limit: int) -> ColumnElement[Sequence[int]]:
    found = ids.limit(limit).with_for_update(skip_locked=True, of=MarketplaceJob)
    return type_coerce(func.array(found.scalar_subquery()), ARRAY(BigInteger))


def _may_start(
    lane: Lane, most: int | None, most_of_account: int | None
) -> list[ColumnElement[bool]]:
    """Pending, of no paused batch, and no more than may run. The subqueries run once each."""
    paused = select(JobBatch.id).where(JobBatch.paused_at.is_not(None))
    conditions = [
        MarketplaceJob.lane == lane,
        MarketplaceJob.status == JobStatus.PENDING,
        or_(MarketplaceJob.batch_id.is_(None), MarketplaceJob.batch_id.not_in(paused)),
    ]
    running = aliased(MarketplaceJob)
    in_lane = (running.lane == lane) & (running.status == JobStatus.RUNNING)
    if most is not None:
        number = select(func.count(distinct(running.lease_id))).where(in_lane).scalar_subquery()
        conditions.append(number < most)
    if most_of_account is not None:
        busy = (
            select(running.channel)
            .where(in_lane)
            .group_by(running.channel)
            .having(func.count(distinct(running.lease_id)) >= most_of_account)
        )
        conditions.append(MarketplaceJob.channel.not_in(busy))
    return conditions
