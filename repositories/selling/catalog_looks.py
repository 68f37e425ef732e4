"""What buyers see of products at a glance: which of them look the same."""

from collections.abc import Collection, Mapping

from sqlalchemy import ColumnElement, and_, func, select, union
from sqlalchemy.orm import aliased

from models.selling.catalog import Product, ProductImage
from models.selling.publishing import (
    LIVE_STATUSES,
    Channel,
    ChannelListing,
    JobAction,
    ListingStatus,
    MarketplaceJob,
)
from shared.database import TenantSession

Look = tuple[str, str]
"""A title in small letters, and the first photo's SHA-256."""


class LooksRepository:
    """Reads only what it needs, of many products at once."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def looks(self, product_ids: Collection[int]) -> Mapping[int, Look]:
        """By product id; one without photos looks like no other."""
        rows = self._session.execute(
            select(Product.id, func.lower(Product.title), ProductImage.sha256)
            .join(ProductImage, _first_photo_of(Product, ProductImage))
            .where(Product.id.in_(product_ids))
        )
        return {product_id: (title, sha256) for product_id, title, sha256 in rows}

    def twins_there(
        self, channels: Collection[Channel], product_ids: Collection[int]
    ) -> Mapping[tuple[int, Channel], int]:
        """(product, channel) → another product that looks the same and is, or is about to be,
        listed there.
        """
        there = union(
            select(ChannelListing.product_id, ChannelListing.channel).where(
                ChannelListing.status == ListingStatus.LIVE, ChannelListing.channel.in_(channels)
            ),
            select(MarketplaceJob.product_id, MarketplaceJob.channel).where(
                MarketplaceJob.status.in_(LIVE_STATUSES),
                MarketplaceJob.action == JobAction.PUBLISH,
                MarketplaceJob.channel.in_(channels),
            ),
        ).subquery()
        other, photo = aliased(Product), aliased(ProductImage)
        rows = self._session.execute(
            select(Product.id, there.c.channel, func.min(other.id))
            .join(ProductImage, _first_photo_of(Product, ProductImage))
            .join(photo, and_(photo.sha256 == ProductImage.sha256, photo.position == 1))
            .join(
                other,
                and_(
                    other.id == photo.product_id,
                    other.id != Product.id,
                    func.lower(other.title) == func.lower(Product.title),
                ),
            )
            .join(there, there.c.product_id == other.id)
            .where(Product.id.in_(product_ids))
            .group_by(Product.id, there.c.channel)
        )
        return {(product_id, Channel(channel)): twin for product_id, channel, twin in rows}


def _first_photo_of(product: type[Product], photo: type[ProductImage]) -> ColumnElement[bool]:
    return and_(photo.product_id == product.id, photo.position == 1)
