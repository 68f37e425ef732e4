"""What eBay is asked again and again, for every shop that sells there."""

from datetime import timedelta

from models.selling.publishing import Channel
from services.gateways.ebay.quotas import DAILY
from services.selling.ebay.preparing import shut_out
from services.selling.orders.polling import PollRhythm
from shared.database import TenantSession

_ORDERS = DAILY["sell/fulfillment"]


class EbayPollingService:
    """Satisfies `services.selling.orders.polling.PolledChannel`."""

    channel = Channel.EBAY

    def __init__(self, orders_every: timedelta, daily_calls: int | None) -> None:
        """`daily_calls` limits all of eBay's APIs together."""
        self._orders_every = orders_every
        self._daily_calls = daily_calls

    @property
    def rhythm(self) -> PollRhythm:
        """Orders at best so often; all accounts together leave half of the day's calls."""
        return PollRhythm(self._orders_every, min(_ORDERS, self._daily_calls or _ORDERS))

    def lets_us_in(self, session: TenantSession) -> bool:
        """Whether the shop's account can be asked anything."""
        return shut_out(session) is None
