"""Live listings as they are compared with their channel, how they differ, and what was decided."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, extract, func, select

from models.selling.drift import DriftDecision
from models.selling.publishing import (
    Channel,
    ChannelListing,
    JobAction,
    JobOutcome,
    JobStatus,
    ListingStatus,
    MarketplaceJob,
)
from shared.database import TenantSession

ENDED_THERE = "ended_there"
"""In `read_back` of a listing that a comparison found ended, not a job of ours."""

_DRIFT = ChannelListing.read_back["drift"]


class DriftRepository:
    """Rows of `channel_listings`, compared, and of `drift_decisions`."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def live(self, channel: Channel) -> Sequence[ChannelListing]:
        """What is for sale on a channel, in order of product."""
        return self._session.scalars(
            select(ChannelListing)
            .where(ChannelListing.channel == channel, ChannelListing.status == ListingStatus.LIVE)
            .order_by(ChannelListing.product_id)
        ).all()

    def number_live(self, channel: Channel) -> int:
        """How many listings are for sale on a channel."""
        return self._count(channel, ListingStatus.LIVE)

    def number_held(self, channel: Channel) -> int:
        """How many wait for the seller to say that they have ended."""
        return self._count(channel, ListingStatus.LIVE, _DRIFT.contains([{"field": "status"}]))

    def not_looked_at_since(
        self, channel: Channel, since: datetime, limit: int
    ) -> Sequence[ChannelListing]:
        """Live listings whose last look is longer ago, the longest first chosen; by product."""
        found = self._session.scalars(
            select(ChannelListing)
            .where(
                ChannelListing.channel == channel,
                ChannelListing.status == ListingStatus.LIVE,
                ChannelListing.checked_at < since,
            )
            .order_by(ChannelListing.checked_at)
            .limit(limit)
        ).all()
        return sorted(found, key=lambda row: row.product_id)

    def due_channels(self, since: datetime) -> Sequence[Channel]:
        """Channels with live listings that were not looked at since then."""
        return self._session.scalars(
            select(ChannelListing.channel)
            .where(ChannelListing.status == ListingStatus.LIVE, ChannelListing.checked_at < since)
            .distinct()
            .order_by(ChannelListing.channel)
        ).all()

    def ended_there_since(self, channel: Channel, since: datetime) -> int:
        """How many listings comparisons have found ended."""
        return self._count(
            channel,
            ListingStatus.ENDED,
            ChannelListing.ended_at >= since,
            ChannelListing.read_back[ENDED_THERE].as_boolean(),
        )

    def locked(self, product_id: int, channel: Channel) -> ChannelListing | None:
        """What we know of a product on a channel, locked and read anew."""
        return self._session.scalar(
            select(ChannelListing)
            .where(ChannelListing.product_id == product_id, ChannelListing.channel == channel)
            .with_for_update()
            .execution_options(populate_existing=True)
        )

    def drifted(
        self, channel: Channel | None, before: int | None, limit: int
    ) -> Sequence[ChannelListing]:
        """Those that differed when they were last compared, newest first."""
        query = select(ChannelListing).where(
            ChannelListing.status == ListingStatus.LIVE, func.jsonb_array_length(_DRIFT) > 0
        )
        if channel is not None:
            query = query.where(ChannelListing.channel == channel)
        if before is not None:
            query = query.where(ChannelListing.id < before)
        return self._session.scalars(query.order_by(ChannelListing.id.desc()).limit(limit)).all()

    def put_decision(self, decision: DriftDecision) -> None:
        """Write one down."""
        self._session.add(decision)
        self._session.flush()

    def decisions(
        self, product_id: int | None, before: int | None, limit: int
    ) -> Sequence[DriftDecision]:
        """What was decided, newest first."""
        query = select(DriftDecision)
        if product_id is not None:
            query = query.where(DriftDecision.product_id == product_id)
        if before is not None:
            query = query.where(DriftDecision.id < before)
        return self._session.scalars(query.order_by(DriftDecision.id.desc()).limit(limit)).all()

    def _count(self, channel: Channel, status: ListingStatus, *further: ColumnElement[bool]) -> int:
        question = select(func.count()).where(
            ChannelListing.channel == channel, ChannelListing.status == status, *further
        )
        return self._session.scalar(question) or 0


class ComparingJobRepository:
    """Rows of `marketplace_jobs` that compare all listings of an account."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def failed_at(self, channel: Channel) -> datetime | None:
        """When the last one ended, if it did not end well."""
        last = self._session.execute(
            select(MarketplaceJob.outcome, MarketplaceJob.finished_at)
            .where(*_account_work(channel), MarketplaceJob.status == JobStatus.DONE)
            .order_by(MarketplaceJob.id.desc())
            .limit(1)
        ).one_or_none()
        return last[1] if last is not None and last[0] is not JobOutcome.OK else None

    def seconds_a_listing(self, channel: Channel) -> Sequence[float]:
        """How long a listing took in each of the last 50 jobs that went through at once."""
        looked = MarketplaceJob.result["looked"].as_integer()
        took = extract("epoch", MarketplaceJob.finished_at - MarketplaceJob.started_at)
        rows = self._session.execute(
            select(took, looked)
            .where(
                MarketplaceJob.action == JobAction.SYNC,
                MarketplaceJob.channel == channel,
                MarketplaceJob.outcome == JobOutcome.OK,
                MarketplaceJob.attempts == 1,
                looked > 0,
            )
            .order_by(MarketplaceJob.id.desc())
            .limit(50)
        )
        return [float(seconds) / number for seconds, number in rows]

    def forget_quiet(self, channel: Channel, before: datetime) -> None:
        """Delete those that nobody asked for and that found nothing."""
        nothing = {"drifted": 0, "unread": 0, "ended": 0, "held_back": 0}
        self._session.execute(
            delete(MarketplaceJob)
            .where(
                *_account_work(channel),
                MarketplaceJob.outcome == JobOutcome.OK,
                MarketplaceJob.finished_at < before,
                MarketplaceJob.payload.contains({"background": True}),
                MarketplaceJob.result.contains(nothing),
            )
            .execution_options(synchronize_session=False)
        )


def _account_work(channel: Channel) -> tuple[ColumnElement[bool], ...]:
    return (
        MarketplaceJob.product_id.is_(None),
        MarketplaceJob.action == JobAction.SYNC,
        MarketplaceJob.channel == channel,
    )
