"""Live listings as they are compared with their channel, and how they differ."""

from collections.abc import Sequence

from sqlalchemy import func, select

from models.selling.publishing import Channel, ChannelListing, ListingStatus
from shared.database import TenantSession


class ListingDriftRepository:
    """Rows of `channel_listings` that are live."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def live(self, channel: Channel, product_id: int | None = None) -> Sequence[ChannelListing]:
        """What is for sale on a channel, of one product or of all, in order of product."""
        query = select(ChannelListing).where(
            ChannelListing.channel == channel, ChannelListing.status == ListingStatus.LIVE
        )
        if product_id is not None:
            query = query.where(ChannelListing.product_id == product_id)
        return self._session.scalars(query.order_by(ChannelListing.product_id)).all()

    def locked(self, product_id: int, channel: Channel) -> ChannelListing | None:
        """One that is live, locked and read anew."""
        return self._session.scalar(
            select(ChannelListing)
            .where(
                ChannelListing.product_id == product_id,
                ChannelListing.channel == channel,
                ChannelListing.status == ListingStatus.LIVE,
            )
            .with_for_update()
            .execution_options(populate_existing=True)
        )

    def drifted(
        self, channel: Channel | None, before: int | None, limit: int
    ) -> Sequence[ChannelListing]:
        """Those that differed when they were last compared, newest first."""
        query = select(ChannelListing).where(
            ChannelListing.status == ListingStatus.LIVE,
            func.jsonb_array_length(ChannelListing.read_back["drift"]) > 0,
        )
        if channel is not None:
            query = query.where(ChannelListing.channel == channel)
        if before is not None:
            query = query.where(ChannelListing.id < before)
        return self._session.scalars(query.order_by(ChannelListing.id.desc()).limit(limit)).all()
