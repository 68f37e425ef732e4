"""Parcels of orders, until the channel knows of them and after."""

from collections.abc import Sequence

from sqlalchemy import exists, select

from models.selling.orders import ChannelOrder, OrderShipment, ShipmentStatus
from models.selling.publishing import Channel
from shared.database import TenantSession

_OPEN = (ShipmentStatus.WAITING, ShipmentStatus.SENDING)


class ShipmentRepository:
    """Rows of `order_shipments`."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def add(self, shipment: OrderShipment) -> None:
        """Store a parcel."""
        self._session.add(shipment)
        self._session.flush()

    def of_order(self, order_id: int) -> Sequence[OrderShipment]:
        """Every parcel of an order."""
        return self._session.scalars(
            select(OrderShipment)
            .where(OrderShipment.order_id == order_id)
            .order_by(OrderShipment.id)
        ).all()

    def open_on(self, channel: Channel) -> Sequence[tuple[OrderShipment, str]]:
        """Parcels that the channel does not know of for certain, with its id of their order."""
        rows = self._session.execute(
            select(OrderShipment, ChannelOrder.remote_order_id)
            .join(ChannelOrder, ChannelOrder.id == OrderShipment.order_id)
            .where(OrderShipment.channel == channel, OrderShipment.status.in_(_OPEN))
            .order_by(OrderShipment.id)
        )
        return [(shipment, remote_id) for shipment, remote_id in rows]

    def any_open_on(self, channel: Channel) -> bool:
        """Whether there is one."""
        question = exists().where(OrderShipment.channel == channel, OrderShipment.status.in_(_OPEN))
        return bool(self._session.scalar(select(question)))

    def locked(self, shipment_id: int) -> OrderShipment:
        """A parcel that is there, locked and read anew."""
        return self._session.get_one(
            OrderShipment, shipment_id, with_for_update=True, populate_existing=True
        )
