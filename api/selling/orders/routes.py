"""Orders of all channels."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Body, Path, Query
from pydantic import AwareDatetime

from api.dependencies.actors import CurrentAccount
from api.dependencies.services_orders import Reading, Returns, Shipping, Syncing
from api.dependencies.sessions import Tenant
from api.pages import Cursor, Page, PageSize, read_cursor
from api.policies import Policy, guarded_router
from api.problems import problems
from api.selling.orders.return_schemas import ReturnIn, TakenBackOut
from api.selling.orders.schemas import (
    HowFarOut,
    OrderOut,
    OrderStoryOut,
    ShipmentIn,
    ShipmentQueuedOut,
    SyncIn,
    SyncOut,
)
from models.selling.orders import OrderStatus
from models.selling.publishing import Channel
from services.selling.orders.reading import OrderFilter, OrderNotFound
from services.selling.orders.returning import OrderStands, ReturnInvalid
from services.selling.orders.shipping import OrderNotShippable, ShipmentInvalid
from services.selling.orders.syncing import NothingToFollow
from shared.errors import BadInput, FieldProblem
from shared.ids import encode_cursor

router = guarded_router("/orders", policy=Policy.SIGNED_IN, tag="orders")

ROUTERS = (router,)

OrderId = Annotated[int, Path(gt=0, lt=2**63)]


@router.get("", responses=problems(BadInput))
def list_orders(
    session: Tenant,
    reading: Reading,
    cursor: Cursor = None,
    limit: PageSize = 50,
    status: OrderStatus | None = None,
    channel: Channel | None = None,
    product_id: Annotated[int | None, Query(gt=0, lt=2**63)] = None,
    oversold: Annotated[
        bool | None, Query(description="Only those that sold more than there was, or only others.")
    ] = None,
    placed_from: AwareDatetime | None = None,
    placed_before: AwareDatetime | None = None,
) -> Page[OrderOut]:
    """Orders, newest first."""
    wanted = OrderFilter(
        status, channel, product_id, oversold, _in_utc(placed_from), _in_utc(placed_before)
    )
    found, more = reading.page(session, wanted, _position(cursor), limit)
    last = found[-1] if more else None
    return Page(
        items=[OrderOut.of(order) for order in found],
        next_cursor=encode_cursor(last.placed_at.isoformat(), last.id) if last else None,
    )


@router.get("/sync")
def show_sync(session: Tenant, reading: Reading) -> HowFarOut:
    """Up to when each channel's orders are known, and which orders could not be read."""
    return HowFarOut.of(reading.how_far(session))


@router.post("/sync", status_code=202, responses=problems(NothingToFollow))
def request_sync(
    actor: CurrentAccount,
    session: Tenant,
    syncing: Syncing,
    body: Annotated[SyncIn | None, Body()] = None,
) -> SyncOut:
    """Fetch orders now instead of at the next look. Asked twice, it is one job."""
    channels = None if body is None else body.channels
    return SyncOut.of(syncing.sync(session, actor.user_id, channels))


@router.get("/{order_id}", responses=problems(OrderNotFound))
def show_order(order_id: OrderId, session: Tenant, reading: Reading) -> OrderStoryOut:
    """An order, and how long it took until the product was gone from the other channels."""
    return OrderStoryOut.told(reading.story(session, order_id))


@router.post(
    "/{order_id}/shipments",
    status_code=202,
    responses=problems(OrderNotFound, OrderNotShippable, ShipmentInvalid, BadInput),
)
def ship_order(
    order_id: OrderId, body: ShipmentIn, actor: CurrentAccount, session: Tenant, shipping: Shipping
) -> ShipmentQueuedOut:
    """Say that a parcel was sent; the channel is told in the background, once."""
    return ShipmentQueuedOut.queued(shipping.ship(session, order_id, body.parcel(), actor.user_id))


@router.post(
    "/{order_id}/returns",
    status_code=202,
    responses=problems(OrderNotFound, OrderStands, ReturnInvalid, BadInput),
)
def take_goods_back(
    order_id: OrderId, body: ReturnIn, actor: CurrentAccount, session: Tenant, returns: Returns
) -> TakenBackOut:
    """Say what has come back of an order that was cancelled or refunded. Live listings are told;
    with `put_up` the products also go up again where this order's sale took them down.
    """
    return TakenBackOut.of(
        returns.take_back(session, order_id, body.units(), actor.user_id, put_up=body.put_up)
    )


def _position(cursor: str | None) -> tuple[datetime, int] | None:
    values = read_cursor(cursor, 2)
    if values is None:
        return None
    try:
        moment, order_id = datetime.fromisoformat(values[0]), int(values[1])
        if moment.tzinfo is None or not 0 < order_id < 2**63:
            raise ValueError
        return moment.astimezone(UTC), order_id
    except (ValueError, OverflowError):
        problem = FieldProblem("cursor", "This is not a cursor of this list.")
        raise BadInput(fields=[problem]) from None


def _in_utc(moment: datetime | None) -> datetime | None:
    """PostgreSQL does not know every offset that Python reads. Raises `BadInput`."""
    try:
        return None if moment is None else moment.astimezone(UTC)
    except OverflowError:
        raise BadInput("This moment is too far away.") from None
