"""What Etsy is asked again and again, for every shop that sells there.

Etsy tells nobody when something was bought or changed, so it is asked: for orders, and for listings
as they are now. APScheduler's ticks do it for all channels together; how often, and whom, each
channel says itself.
"""

from datetime import timedelta

from models.selling.publishing import Channel
from services.gateways.etsy.quotas import EtsyQuotas
from services.selling.etsy.preparing import shop_at_etsy
from services.selling.orders.polling import PollRhythm
from services.selling.publishing.handlers import Cancel
from shared.database import TenantSession


class EtsyPollingService:
    """Satisfies `services.selling.orders.polling.PolledChannel`."""

    channel = Channel.ETSY

    def __init__(self, quotas: EtsyQuotas, orders_every: timedelta) -> None:
        self._quotas = quotas
        self._orders_every = orders_every

    @property
    def rhythm(self) -> PollRhythm:
        """Orders at best so often; all accounts together leave half of the day's calls."""
        a_day, *_ = self._quotas.all
        return PollRhythm(self._orders_every, a_day.limit)

    def lets_us_in(self, session: TenantSession) -> bool:
        """Whether the shop's account can be asked anything."""
        return not isinstance(shop_at_etsy(session), Cancel)
