"""Orders of one shop, what they did to the stock, and how far each channel has been read.

Locks: one order, then its products in order of id, then their variants.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DataError
from sqlalchemy.orm import selectinload

from models.selling.catalog import Product, ProductVariant
from models.selling.orders import (
    ChannelOrder,
    ChannelOrderLine,
    OrderCursor,
    OrderFollowUp,
    OrderStatus,
    StockMovement,
    UnreadOrder,
)
from models.selling.publishing import (
    Channel,
    ChannelListing,
    JobOutcome,
    JobStatus,
    ListingStatus,
    MarketplaceJob,
)
from repositories.selling.catalog import RefusedByDatabase
from shared.database import TenantSession


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders a list shows; None means any."""

    status: OrderStatus | None = None
    channel: Channel | None = None
    product_id: int | None = None
    oversold: bool | None = None
    placed_from: datetime | None = None
    placed_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class FollowedUp:
    """Something that an order caused, and how its job stands."""

    what: OrderFollowUp
    status: JobStatus | None
    outcome: JobOutcome | None
    finished_at: datetime | None


class OrderRepository:
    """Rows of `channel_orders` and `channel_order_lines`."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def fingerprints(self, channel: Channel, remote_ids: Collection[str]) -> Mapping[str, str]:
        """What was last told of these orders, by the channel's id of each that is known."""
        rows = self._session.execute(
            select(ChannelOrder.remote_order_id, ChannelOrder.fingerprint).where(
                ChannelOrder.channel == channel, ChannelOrder.remote_order_id.in_(remote_ids)
            )
        )
        return dict(rows.tuples().all())

    def insert_unless_there(self, values: Mapping[str, Any]) -> bool:
        """Store an order; False, changing nothing, when it is known. Waits for others who do so."""
        with _translated():
            added = self._session.scalar(
                insert(ChannelOrder)
                .values(**values)
                .on_conflict_do_nothing()
                .returning(ChannelOrder.id)
            )
        return added is not None

    def locked(self, channel: Channel, remote_order_id: str) -> ChannelOrder:
        """An order that is there, locked and read anew with its lines."""
        return self._session.scalars(
            select(ChannelOrder)
            .where(ChannelOrder.channel == channel, ChannelOrder.remote_order_id == remote_order_id)
            .options(selectinload(ChannelOrder.lines))
            .with_for_update(of=ChannelOrder)
            .execution_options(populate_existing=True)
        ).one()

    def get(self, order_id: int) -> ChannelOrder | None:
        """An order with its lines."""
        return self._session.scalar(
            select(ChannelOrder)
            .where(ChannelOrder.id == order_id)
            .options(selectinload(ChannelOrder.lines))
        )

    def add_line(self, line: ChannelOrderLine) -> None:
        """Store a new line."""
        with _translated():
            self._session.add(line)
            self._session.flush()

    def save(self) -> None:
        """Write what was changed on orders read here."""
        with _translated():
            self._session.flush()

    def page(
        self, wanted: OrderFilter, after: tuple[datetime, int] | None, limit: int
    ) -> Sequence[ChannelOrder]:
        """Newest first, beginning after the order that ended the page before."""
        conditions = list(_conditions(wanted))
        if after is not None:
            conditions.append(tuple_(ChannelOrder.placed_at, ChannelOrder.id) < after)
        return self._session.scalars(
            select(ChannelOrder)
            .where(*conditions)
            .options(selectinload(ChannelOrder.lines))
            .order_by(ChannelOrder.placed_at.desc(), ChannelOrder.id.desc())
            .limit(limit)
        ).all()

    def put_follow_up(self, values: Mapping[str, Any]) -> None:
        """Write down what an order caused; a later cause of the same kind replaces it."""
        statement = insert(OrderFollowUp).values(**values)
        changed = {name: statement.excluded[name] for name in ("action", "job_id", "problem")}
        self._session.execute(
            statement.on_conflict_do_update(
                index_elements=[
                    OrderFollowUp.order_id,
                    OrderFollowUp.product_id,
                    OrderFollowUp.channel,
                    OrderFollowUp.event,
                ],
                set_={**changed, "known_at": statement.excluded.known_at},
            )
        )

    def follow_ups(self, order_id: int) -> Sequence[FollowedUp]:
        """What an order caused, and how that stands."""
        rows = self._session.execute(
            select(
                OrderFollowUp,
                MarketplaceJob.status,
                MarketplaceJob.outcome,
                MarketplaceJob.finished_at,
            )
            .outerjoin(MarketplaceJob, MarketplaceJob.id == OrderFollowUp.job_id)
            .where(OrderFollowUp.order_id == order_id)
            .order_by(OrderFollowUp.id)
        )
        return [FollowedUp(*row) for row in rows]


class StockRepository:
    """Units of variants, as orders take them."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def by_channel_keys(self, skus: Collection[str]) -> Mapping[str, tuple[int, int]]:
        """Product and variant that we named so on channels."""
        rows = self._session.execute(
            select(ProductVariant.channel_key, ProductVariant.product_id, ProductVariant.id).where(
                ProductVariant.channel_key.in_(skus)
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


class OrderCursorRepository:
    """Rows of `order_cursors` and `unread_orders`."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def read_until(self, channel: Channel) -> datetime | None:
        """Up to when the channel has been read; None: never."""
        return self._session.scalar(
            select(OrderCursor.read_until).where(OrderCursor.channel == channel)
        )

    def all(self) -> Sequence[OrderCursor]:
        """Every channel that was ever read."""
        return self._session.scalars(select(OrderCursor).order_by(OrderCursor.channel)).all()

    def move(self, channel: Channel, read_until: datetime, read_at: datetime) -> None:
        """Say how far it has been read; never backwards."""
        statement = insert(OrderCursor).values(
            channel=channel, read_until=read_until, read_at=read_at
        )
        self._session.execute(
            statement.on_conflict_do_update(
                index_elements=[OrderCursor.channel],
                set_={
                    "read_until": func.greatest(
                        OrderCursor.read_until, statement.excluded.read_until
                    ),
                    "read_at": statement.excluded.read_at,
                },
            )
        )

    def put_unread(
        self, channel: Channel, remote_order_id: str, problem: str, now: datetime
    ) -> None:
        """List an order that could not be taken over."""
        statement = insert(UnreadOrder).values(
            channel=channel,
            remote_order_id=remote_order_id,
            problem=problem,
            first_seen_at=now,
            tried_at=now,
        )
        self._session.execute(
            statement.on_conflict_do_update(
                index_elements=[UnreadOrder.channel, UnreadOrder.remote_order_id],
                set_={
                    "problem": statement.excluded.problem,
                    "tried_at": statement.excluded.tried_at,
                },
            )
        )

    def forget_unread(self, channel: Channel, remote_order_ids: Collection[str]) -> None:
        """They could be read after all."""
        self._session.execute(
            delete(UnreadOrder).where(
                UnreadOrder.channel == channel, UnreadOrder.remote_order_id.in_(remote_order_ids)
            )
        )

    def unread(self, channel: Channel | None = None, limit: int = 200) -> Sequence[UnreadOrder]:
        """Orders that could not be taken over, longest known first."""
        query = select(UnreadOrder)
        if channel is not None:
            query = query.where(UnreadOrder.channel == channel)
        return self._session.scalars(query.order_by(UnreadOrder.id).limit(limit)).all()


def _conditions(wanted: OrderFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.status is not None:
        yield ChannelOrder.status == wanted.status
    if wanted.channel is not None:
        yield ChannelOrder.channel == wanted.channel
    if wanted.placed_from is not None:
        yield ChannelOrder.placed_at >= wanted.placed_from
    if wanted.placed_before is not None:
        yield ChannelOrder.placed_at < wanted.placed_before
    of_order = ChannelOrderLine.order_id == ChannelOrder.id
    if wanted.product_id is not None:
        yield exists().where(of_order, ChannelOrderLine.product_id == wanted.product_id)
    if wanted.oversold is not None:
        missing = exists().where(of_order, ChannelOrderLine.units_missing > 0)
        yield missing if wanted.oversold else ~missing


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except DataError:
        raise RefusedByDatabase from None
