"""Live listings as they are compared with their channel, how they differ, and what was decided."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select

from models.selling.drift import DriftDecision
from models.selling.publishing import Channel, ChannelListing, ListingStatus
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

    def ended_there_since(self, channel: Channel, since: datetime) -> int:
        """How many listings comparisons have found ended."""
        return (
            self._session.scalar(
                select(func.count())
                .select_from(ChannelListing)
                .where(
                    ChannelListing.channel == channel,
                    ChannelListing.status == ListingStatus.ENDED,
                    ChannelListing.ended_at >= since,
                    ChannelListing.read_back[ENDED_THERE].as_boolean(),
                )
            )
            or 0
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
