"""A seller says that a parcel was sent; the channel is told of it once, in the background."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.selling.orders import (
    ChannelOrder,
    OrderShipment,
    OrderStatus,
    ShipmentStatus,
)
from models.selling.publishing import JobAction
from repositories.accounts.bells import BellRepository
from repositories.selling.order_shipments import ShipmentRepository
from repositories.selling.orders import OrderRepository
from services.selling.orders.reading import OrderNotFound
from services.selling.publishing.account_work import AccountWork
from shared.clock import Clock
from shared.database import TenantSession
from shared.errors import BadInput, Conflict, FieldProblem

_NOT_TO_BE_SENT = {
    OrderStatus.AWAITING_PAYMENT: "It is not paid yet.",
    OrderStatus.CANCELLED: "It was cancelled.",
}


class OrderNotShippable(Conflict):
    """Nothing of the order is to be sent."""

    code, title = "order-not-shippable", "There is nothing to send of this order"


class ShipmentInvalid(BadInput):
    """Lines that are not the order's, or more units than are left."""

    code, title = "shipment-invalid", "This parcel cannot be of this order"


@dataclass(frozen=True, slots=True)
class Parcel:
    """What was sent; `units` None: all that was not sent yet."""

    carrier: str
    tracking: str
    units: Sequence[tuple[int, int]] | None = None
    """Pairs of line id and number."""


@dataclass(frozen=True, slots=True)
class QueuedShipment:
    """The parcel, and the job that tells the channel."""

    shipment: OrderShipment
    job_id: int


class OrderShipping:
    """Keeps parcels until their channel knows of them. One job tells of all that wait."""

    def __init__(self, clock: Clock) -> None:
        self._work = AccountWork(clock)
        self._clock = clock

    def ship(
        self, session: TenantSession, order_id: int, parcel: Parcel, requested_by: int
    ) -> QueuedShipment:
        """Store a parcel and have the channel told.

        Raises `OrderNotFound`, `OrderNotShippable`, `ShipmentInvalid`.
        """
        now = self._clock.now()
        BellRepository(session).ring(session.tenant, JobAction.SHIP.lane, now)
        order = OrderRepository(session).locked_by_id(order_id)
        if order is None:
            raise OrderNotFound
        if order.status in _NOT_TO_BE_SENT:
            raise OrderNotShippable(_NOT_TO_BE_SENT[order.status])
        shipments = ShipmentRepository(session)
        left = _left(order, shipments.of_order(order_id))
        shipment = OrderShipment(
            order_id=order.id,
            channel=order.channel,
            carrier=parcel.carrier.strip(),
            tracking=re.sub(r"[ -]", "", parcel.tracking),
            units=_units(order, parcel, left),
            status=ShipmentStatus.WAITING,
            requested_by=requested_by,
            requested_at=now,
        )
        if not shipment.tracking or not shipment.carrier:
            problem = FieldProblem("tracking", "It has no letters or digits.")
            raise ShipmentInvalid(fields=[problem])
        shipments.add(shipment)
        job = self._work.request(session, JobAction.SHIP, order.channel, requested_by)
        return QueuedShipment(shipment, job.job_id)


def _left(order: ChannelOrder, known: Sequence[OrderShipment]) -> Mapping[str, int]:
    """Units by line that are in no parcel yet."""
    sent: Counter[str] = Counter()
    for shipment in known:
        if shipment.status is not ShipmentStatus.REFUSED:
            sent.update(shipment.units)
    return {
        line.remote_line_id: 0
        if line.shipped
        else max((line.quantity or 1) - sent[line.remote_line_id], 0)
        for line in order.lines
    }


def _units(order: ChannelOrder, parcel: Parcel, left: Mapping[str, int]) -> dict[str, int]:
    if not any(left.values()):
        raise OrderNotShippable("All of it was sent, or is on the way into the channel's books.")
    if parcel.units is None:
        return {line_id: units for line_id, units in left.items() if units}
    remote = {line.id: line.remote_line_id for line in order.lines}
    found: dict[str, int] = {}
    problems = []
    for number, (line_id, units) in enumerate(parcel.units):
        name = remote.get(line_id)
        if name is None or name in found:
            message = "The order has no such line, or it is named twice."
            problems.append(FieldProblem(f"lines.{number}.line_id", message))
        elif units > left[name]:
            message = f"{left[name]} of it are left to send."
            problems.append(FieldProblem(f"lines.{number}.quantity", message))
        else:
            found[name] = units
    if problems:
        raise ShipmentInvalid(fields=problems)
    return found
