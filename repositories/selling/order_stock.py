"""Units of variants, as orders take them and give them back."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import selectinload

from models.selling.catalog import Product, ProductVariant
from models.selling.orders import StockMovement
from models.selling.publishing import Channel, ChannelListing, ListingStatus
from shared.database import TenantSession


class StockRepository:
    """Units of variants, as orders take them."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def by_channel_keys(
        self, skus: Collection[str], sold_at: datetime
    ) -> Mapping[str, tuple[int, int]]:
        """Product and variant that go by these keys on channels.

        Not what was sold under a channel's own SKU before it became our key: the stock was counted
        after that.
        """
        rows = self._session.execute(
            select(ProductVariant.channel_key, ProductVariant.product_id, ProductVariant.id).where(
                ProductVariant.channel_key.in_(skus),
                or_(
                    ProductVariant.key_adopted_at.is_(None),
                    ProductVariant.key_adopted_at <= sold_at,
                ),
            )
        )
        return {key: (product_id, variant_id) for key, product_id, variant_id in rows}

    def by_listings(
        self, channel: Channel, listing_ids: Collection[str], sold_at: datetime
    ) -> Mapping[str, tuple[int, int]]:
        """Product and variant behind listings of products that have one variant only.

        Not of what was sold before we knew the listing: the stock was counted after that.
        """
        rows = self._session.execute(
            select(
                ChannelListing.listing_id,
                ChannelListing.product_id,
                func.min(ProductVariant.id),
            )
            .join(ProductVariant, ProductVariant.product_id == ChannelListing.product_id)
            .where(
                ChannelListing.channel == channel,
                ChannelListing.listing_id.in_(listing_ids),
                ChannelListing.published_at <= sold_at,
            )
            .group_by(ChannelListing.listing_id, ChannelListing.product_id)
            .having(func.count() == 1)
        )
        return {listing: (product_id, variant_id) for listing, product_id, variant_id in rows}

    def by_listed_skus(
        self, channel: Channel, listing_ids: Collection[str], sold_at: datetime
    ) -> Mapping[tuple[str, str], tuple[int, int]]:
        """Product and variant by listing and the seller's own SKU.

        A listing that was there before us shows it until we have sent it our key. Not of what was
        sold before we knew the listing.
        """
        rows = self._session.execute(
            select(
                ChannelListing.listing_id,
                ProductVariant.sku,
                ProductVariant.product_id,
                func.min(ProductVariant.id),
            )
            .join(ProductVariant, ProductVariant.product_id == ChannelListing.product_id)
            .where(
                ChannelListing.channel == channel,
                ChannelListing.listing_id.in_(listing_ids),
                ChannelListing.published_at <= sold_at,
                ProductVariant.sku.is_not(None),
            )
            .group_by(ChannelListing.listing_id, ProductVariant.sku, ProductVariant.product_id)
            .having(func.count() == 1)
        )
        return {
            (listing, sku): (product_id, variant_id)
            for listing, sku, product_id, variant_id in rows
        }

    def lock(self, product_ids: Collection[int]) -> Mapping[int, Product]:
        """These products, deleted ones too, locked in order of id and read anew."""
        found = self._session.scalars(
            select(Product)
            .where(Product.id.in_(product_ids))
            .options(selectinload(Product.variants))
            .order_by(Product.id)
            .with_for_update(of=Product)
            .execution_options(populate_existing=True)
        )
        return {product.id: product for product in found}

    def note(self, line_id: int, event: str, units: int, at: datetime) -> bool:
        """Write a movement down; False when this event of this line has been counted before."""
        added = self._session.scalar(
            insert(StockMovement)
            .values(line_id=line_id, event=event, units=units, at=at)
            .on_conflict_do_nothing()
            .returning(StockMovement.id)
        )
        return added is not None

    def live_on(self, product_id: int) -> Sequence[Channel]:
        """Channels on which the product is for sale, as far as we know."""
        return self._session.scalars(
            select(ChannelListing.channel)
            .where(
                ChannelListing.product_id == product_id,
                ChannelListing.status == ListingStatus.LIVE,
            )
            .order_by(ChannelListing.channel)
        ).all()
