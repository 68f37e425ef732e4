"""What a sale means for the same product elsewhere: it ends, or its quantity is sent anew."""

from collections.abc import Mapping
from datetime import datetime

import structlog

from models.accounts.tenants import Lane
from models.selling.orders import ChannelOrder, StockEvent
from models.selling.publishing import Channel, JobAction
from repositories.selling.order_stock import StockRepository
from repositories.selling.order_sync import OrderJobRepository
from repositories.selling.orders import OrderRepository
from services.selling.orders.fence import SaleFence
from services.selling.publishing.planning import Answer
from services.selling.publishing.requesting import WorkRequests
from shared.database import TenantSession
from shared.errors import BadInput

log = structlog.get_logger(__name__)


class FollowingUp:
    """Asks for the jobs that an order causes, in the order's own transaction and lane realtime."""

    def __init__(self, requests: WorkRequests) -> None:
        self._requests = requests

    def follow_up(
        self, session: TenantSession, order: ChannelOrder, fence: SaleFence, now: datetime
    ) -> None:
        """End the product on the other channels when none is left, else send what is left.

        The channel that sold it has counted down by itself; after a return it is told as well.
        """
        for product_id, event in fence.moved.items():
            left = fence.product(product_id).quantity
            for channel in StockRepository(session).live_on(product_id):
                if channel is order.channel and event is StockEvent.SOLD:
                    continue
                action = JobAction.UPDATE if left else JobAction.DELETE
                asked = self._ask(session, action, product_id, channel)
                OrderRepository(session).put_follow_up(
                    {
                        "order_id": order.id,
                        "product_id": product_id,
                        "channel": channel,
                        "event": event,
                        "action": action,
                        "known_at": now,
                        **asked,
                    }
                )

    def _ask(
        self, session: TenantSession, action: JobAction, product_id: int, channel: Channel
    ) -> Mapping[str, int | str | None]:
        owner = session.tenant.tenant_id
        try:
            asked = self._requests.request(
                session, action, [product_id], [channel], owner, lane=Lane.REALTIME
            )
        except BadInput as refused:
            log.warning("order.not_followed_up", product_id=product_id, because=refused.code)
            return {"job_id": None, "problem": refused.detail}
        [item] = asked.items
        if item.answer is Answer.ALREADY_QUEUED and item.job_id is not None:
            OrderJobRepository(session).hasten(item.job_id)
        return {"job_id": item.job_id, "problem": None}
