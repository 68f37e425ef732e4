"""What is listed on Vinted, and which photos were sent there."""

import json
from collections.abc import Collection, Sequence

from sqlalchemy import select

from models.selling.publishing import Channel, ChannelListing, ListingStatus, MarketplaceJob
from models.selling.vinted import CommandState, VintedCommand
from shared.database import TenantSession


class VintedListingRepository:
    """Rows of `channel_listings` on Vinted, and of the commands that made them."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def live(self, product_ids: Collection[int] | None = None) -> Sequence[ChannelListing]:
        """Live listings, of these products or of all, by product."""
        query = select(ChannelListing).where(
            ChannelListing.channel == Channel.VINTED,
            ChannelListing.status == ListingStatus.LIVE,
        )
        if product_ids is not None:
            query = query.where(ChannelListing.product_id.in_(product_ids))
        return self._session.scalars(query.order_by(ChannelListing.product_id)).all()

    def uploaded(self, product_id: int) -> dict[str, int]:
        """Vinted's ids of photos by content hash, as the product's jobs have uploaded them lately:
        old requests are deleted. The newest upload of a photo goes before older ones.
        """
        rows = self._session.execute(
            select(VintedCommand.photo, VintedCommand.answer)
            .join(MarketplaceJob, MarketplaceJob.id == VintedCommand.job_id)
            .where(
                MarketplaceJob.product_id == product_id,
                VintedCommand.state == CommandState.ANSWERED,
                VintedCommand.status == 200,
                VintedCommand.photo.is_not(None),
            )
            .order_by(VintedCommand.created_at)
        )
        found = {photo["sha256"]: _id_in(answer) for photo, answer in rows if photo}
        return {sha256: photo_id for sha256, photo_id in found.items() if photo_id is not None}


def _id_in(answer: str | None) -> int | None:
    try:
        body = json.loads(answer or "")
    except ValueError:
        return None
    inner = body.get("photo", body) if isinstance(body, dict) else {}
    found = inner.get("id") if isinstance(inner, dict) else None
    return found if isinstance(found, int) else None
