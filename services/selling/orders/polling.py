"""The tick that has orders fetched: it only asks for jobs, and only in shops that are due."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from models.selling.publishing import Channel, JobAction
from repositories.accounts.order_polls import OrderPollRepository
from repositories.selling.order_sync import OrderJobRepository
from services.gateways.quotas import DAY
from services.selling.publishing.account_work import AccountWork
from shared.clock import Clock
from shared.database import Database, TenantSchema, TenantSession
from shared.errors import TenantUnavailable

TOGETHER = 200
"""Accounts that one look finds; the next look finds the next."""

AFTER_TROUBLE = timedelta(hours=1)
"""How long an account rests whose last job ended blocked: a seller has to do something first."""

_SHOP_CLOSED = timedelta(minutes=10)

QUIET_KEPT = timedelta(hours=2)
"""Jobs that found nothing new are forgotten after this, or a quiet shop had 1,440 more a day."""


@dataclass(frozen=True, slots=True)
class PollRhythm:
    """How often an account of a channel is asked, at best, and what the channel takes in a day."""

    every: timedelta
    calls_a_day: int

    def pause(self, accounts: int) -> timedelta:
        """Between two questions to one account, so that all of them use half of the calls."""
        needed = DAY * accounts / (self.calls_a_day / 2)
        return max(self.every, needed)


class PolledChannel(Protocol):
    """A channel that tells nobody when something happened there, so that it is asked."""

    @property
    def channel(self) -> Channel:
        """Which one."""
        ...

    @property
    def rhythm(self) -> PollRhythm:
        """How often its accounts are asked for orders."""
        ...

    def lets_us_in(self, session: TenantSession) -> bool:
        """Whether the shop's account can be asked anything."""
        ...


class OrderPolling:
    """Asks for `orders` jobs. Safe to run twice: a job that is there is not asked for again."""

    def __init__(self, database: Database, channels: Sequence[PolledChannel], clock: Clock) -> None:
        self._database = database
        self._rhythms = {each.channel: each.rhythm for each in channels}
        self._work = AccountWork(clock)
        self._clock = clock

    def poll(self, go_on: Callable[[], None]) -> int:
        """Ask for a job in every account that is due; returns how many were asked for."""
        with self._database.platform() as session:
            polls = OrderPollRepository(session)
            pauses = {
                channel: rhythm.pause(polls.number_on(channel))
                for channel, rhythm in self._rhythms.items()
            }
        asked = 0
        while due := self._due():
            for shop, channel in due:
                go_on()
                asked += self._ask(shop, Channel(channel), pauses)
        return asked

    def _due(self) -> list[tuple[TenantSchema, str]]:
        with self._database.platform() as session:
            return list(OrderPollRepository(session).due(self._clock.now(), TOGETHER))

    def _ask(
        self, shop: TenantSchema, channel: Channel, pauses: Mapping[Channel, timedelta]
    ) -> int:
        now = self._clock.now()
        try:
            with self._database.tenant(shop) as session:
                jobs = OrderJobRepository(session)
                blocked_at = jobs.blocked_at(channel)
                rests = blocked_at is not None and now - blocked_at < AFTER_TROUBLE
                if not rests:
                    self._work.request(session, JobAction.ORDERS, channel, shop.tenant_id)
                pause = AFTER_TROUBLE if rests else pauses.get(channel, AFTER_TROUBLE)
                jobs.forget_quiet(channel, now - QUIET_KEPT)
                OrderPollRepository(session).put_off(shop, channel, now + pause)
                return 0 if rests else 1
        except TenantUnavailable:
            with self._database.platform() as session:
                OrderPollRepository(session).put_off(shop, channel, now + _SHOP_CLOSED)
            return 0
