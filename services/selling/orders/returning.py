"""Goods that come back: the seller is asked, says what has, and may put it up again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from models.accounts.notifications import NotificationKind
from models.accounts.tenants import Lane
from models.selling.orders import ChannelOrder, ChannelOrderLine, OrderStatus, StockEvent
from models.selling.publishing import Channel, JobAction
from repositories.accounts.bells import BellRepository
from repositories.selling.order_stock import StockRepository
from repositories.selling.orders import OrderRepository
from services.accounts.notifications.telling import Notice, SellerNotices
from services.accounts.outbox.events import Event
from services.accounts.outbox.subscribing import Told
from services.selling.orders.fence import SaleFence
from services.selling.orders.following_up import FollowingUp
from services.selling.orders.news import tell_of_order
from services.selling.orders.reading import OrderNotFound
from services.selling.publishing.connections import SPELLED
from services.selling.publishing.planning import RequestedItem
from services.selling.publishing.requesting import NothingToDo, WorkRequests
from shared.clock import Clock
from shared.database import PlatformSession, TenantSession
from shared.errors import BadInput, Conflict, FieldProblem

MAY_COME_BACK = frozenset({OrderStatus.CANCELLED, OrderStatus.REFUNDED})


class OrderStands(Conflict):
    """Neither cancelled nor refunded: its goods are the buyer's."""

    code, title = "order-stands", "The order was neither cancelled nor refunded"


class ReturnInvalid(BadInput):
    """Lines that are not the order's, or more units than it took."""

    code, title = "return-invalid", "This cannot have come back from this order"


@dataclass(frozen=True, slots=True)
class GoodsMayComeBack(Event):
    """An order that took units was cancelled or refunded."""

    kind: ClassVar[str] = "goods-may-come-back"

    order_id: int
    channel: Channel
    remote_order_id: str
    status: OrderStatus
    in_stock_again: int
    """Units that came back by themselves: they were never sent."""
    perhaps: int
    """Units that may be on their way, or still here."""


class ReturnNotices:
    """Asks the seller."""

    def __init__(self, clock: Clock) -> None:
        self._notices = SellerNotices(clock)

    def tell(self, session: PlatformSession, told: Told[GoodsMayComeBack]) -> None:
        """Once for each time that an order was cancelled or refunded."""
        back = told.event
        channel = SPELLED.get(back.channel, back.channel.value)
        said = [
            *([f"{back.in_stock_again} in stock again"] if back.in_stock_again else []),
            *([f"{back.perhaps} that may come back"] if back.perhaps else []),
        ]
        notice = Notice(
            NotificationKind.GOODS_MAY_COME_BACK,
            f"Put it up again? An order on {channel} was {back.status}",
            f"Order {back.remote_order_id} on {channel} was {back.status}: {' and '.join(said)}."
            " Say what has come back, and whether it is to go up again where it was taken down.",
            {"order_id": back.order_id, "channel": back.channel, "status": back.status},
        )
        self._notices.tell(session, told, notice)


def came_back(order: ChannelOrder, lines: Iterable[ChannelOrderLine]) -> GoodsMayComeBack | None:
    """What to ask about an order that has just been cancelled or refunded, if anything."""
    own = [line for line in lines if line.product_id is not None and line.units_taken]
    if order.status not in MAY_COME_BACK or not own:
        return None
    back = sum(line.units_returned for line in own)
    perhaps = sum(line.units_taken for line in own) - back
    return GoodsMayComeBack(
        order.id, order.channel, order.remote_order_id, order.status, back, perhaps
    )


@dataclass(frozen=True, slots=True)
class TakenBack:
    """Units that are in stock again by this request, and what became of putting them up."""

    units: int
    items: Sequence[RequestedItem]


class OrderReturns:
    """Each unit comes back once, whoever says so."""

    def __init__(self, requests: WorkRequests, clock: Clock) -> None:
        self._requests = requests
        self._following_up = FollowingUp(requests)
        self._clock = clock

    def take_back(
        self,
        session: TenantSession,
        order_id: int,
        units: Sequence[tuple[int, int]] | None,
        requested_by: int,
        *,
        put_up: bool,
    ) -> TakenBack:
        """Put units (pairs of line id and number; None: all there are) back into stock, and the
        products up again where this order's sale took them down.

        Raises `OrderNotFound`, `OrderStands`, `ReturnInvalid`.
        """
        now, orders = self._clock.now(), OrderRepository(session)
        BellRepository(session).ring(session.tenant, Lane.REALTIME, now)
        order = orders.locked_by_id(order_id)
        if order is None:
            raise OrderNotFound
        if order.status not in MAY_COME_BACK and not order.refunded_minor:
            raise OrderStands("Only what was cancelled or refunded can come back.")
        products = {line.product_id for line in order.lines if line.product_id is not None}
        fence = SaleFence(session, products, now)
        wanted = _wanted(order, units)
        for line in order.lines:
            fence.take_back(line, wanted.get(line.id, 0))
        orders.save()
        self._following_up.follow_up(session, order, fence, now)
        items = self._put_up(session, order, fence, requested_by) if put_up else []
        tell_of_order(session, order, order.lines, now)
        return TakenBack(sum(wanted.values()), items)

    def _put_up(
        self, session: TenantSession, order: ChannelOrder, fence: SaleFence, requested_by: int
    ) -> Sequence[RequestedItem]:
        found: list[RequestedItem] = []
        for product_id, channels in sorted(self._taken_down(session, order).items()):
            if not fence.product(product_id).quantity or not channels:
                continue
            try:
                batch = self._requests.request(
                    session,
                    JobAction.PUBLISH,
                    [product_id],
                    sorted(channels),
                    requested_by,
                    lane=Lane.REALTIME,
                )
            except NothingToDo as nothing:
                raise ReturnInvalid(fields=nothing.fields) from None
            found += batch.items
        return found

    def _taken_down(self, session: TenantSession, order: ChannelOrder) -> dict[int, set[Channel]]:
        """Where products are not for sale any more that this order sold: on the channels that it
        had them ended on, and on its own."""
        own = {line.product_id for line in order.lines if line.product_id is not None}
        found: dict[int, set[Channel]] = {product_id: {order.channel} for product_id in own}
        for each in OrderRepository(session).follow_ups(order.id):
            if each.what.event is StockEvent.SOLD and each.what.action is JobAction.DELETE:
                found.setdefault(each.what.product_id, set()).add(each.what.channel)
        stock = StockRepository(session)
        return {
            product_id: channels - set(stock.live_on(product_id))
            for product_id, channels in found.items()
        }


def _wanted(order: ChannelOrder, units: Sequence[tuple[int, int]] | None) -> dict[int, int]:
    left = {line.id: line.units_taken - line.units_returned for line in order.lines}
    if units is None:
        return {line_id: number for line_id, number in left.items() if number > 0}
    found: dict[int, int] = {}
    problems = []
    for place, (line_id, number) in enumerate(units):
        if line_id not in left or line_id in found:
            message = "The order has no such line, or it is named twice."
            problems.append(FieldProblem(f"lines.{place}.line_id", message))
        elif number > left[line_id]:
            message = f"{left[line_id]} of it have not come back yet."
            problems.append(FieldProblem(f"lines.{place}.quantity", message))
        else:
            found[line_id] = number
    if problems:
        raise ReturnInvalid(fields=problems)
    return found
