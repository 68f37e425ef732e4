"""Orders of one shop, what they did to the stock, and how far each channel has been read.

Locks: one order, then its products in order of id, then their variants.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DataError
from sqlalchemy.orm import selectinload

from models.selling.orders import (
    ChannelOrder,
    ChannelOrderLine,
    OrderFollowUp,
    OrderStatus,
)
from models.selling.publishing import (
    Channel,
    JobOutcome,
    JobStatus,
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

    def locked_by_id(self, order_id: int) -> ChannelOrder | None:
        """An order, locked and read anew with its lines."""
        return self._session.scalar(
            select(ChannelOrder)
            .where(ChannelOrder.id == order_id)
            .options(selectinload(ChannelOrder.lines))
            .with_for_update(of=ChannelOrder)
            .execution_options(populate_existing=True)
        )

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
