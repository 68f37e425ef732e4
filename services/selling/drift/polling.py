"""The tick that has listings compared: it only asks for jobs, in shops where some are due."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from models.selling.publishing import Channel, JobAction
from repositories.accounts.bells import BellRepository
from repositories.selling.drift import ComparingJobRepository, DriftRepository
from services.selling.drift.comparing import BACKGROUND, LOOKED_AT_EVERY
from services.selling.orders.polling import PolledChannel
from services.selling.publishing.account_work import AccountWork
from shared.clock import Clock
from shared.database import Database, TenantSchema, TenantSession
from shared.errors import TenantUnavailable

SLICES_A_ROUND = 12
SMALLEST_SLICE = 500

AFTER_EVERYTHING = 200
"""Priority of the jobs: behind all that sellers asked for."""

AFTER_TROUBLE = timedelta(hours=6)
"""How long an account rests whose last comparison ended blocked or unknown."""

QUIET_KEPT = timedelta(days=2)
"""Jobs that found nothing are forgotten after this."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run did."""

    looked: int
    """Shops."""
    asked: int
    """Accounts for which a job was asked for."""
    position: int
    """Where the next slice begins; 0: at the beginning."""


class ListingPolling:
    """Asks for `sync` jobs. Safe to run twice: a job that is there is not asked for again.

    A round of twelve slices visits every open shop, so that none waits for another's listings; a
    job looks at a bounded number of them, the longest due first, and pays from the share of calls
    that is left to the background.
    """

    def __init__(
        self,
        database: Database,
        channels: Sequence[PolledChannel],
        clock: Clock,
    ) -> None:
        self._database = database
        self._channels = {each.channel: each for each in channels}
        self._work = AccountWork(clock)
        self._clock = clock

    def ask(self, after: int, go_on: Callable[[], None], *, whole: bool) -> Asked:
        """Visit the next shops behind number `after`, or all."""
        with self._database.platform() as session:
            bells = BellRepository(session)
            size = max(SMALLEST_SLICE, ceil(bells.number_of_open_shops() / SLICES_A_ROUND))
            shops = bells.open_shops() if whole else bells.open_shops(after, size)
        asked = 0
        for shop in shops:
            go_on()
            asked += self._visit(shop)
        goes_on = not whole and len(shops) == size
        return Asked(len(shops), asked, shops[-1].tenant_id if goes_on else 0)

    def _visit(self, shop: TenantSchema) -> int:
        now = self._clock.now()
        try:
            with self._database.tenant(shop) as session:
                due = DriftRepository(session).due_channels(now - LOOKED_AT_EVERY)
                return sum(self._ask(session, channel, now) for channel in due)
        except TenantUnavailable:
            return 0

    def _ask(self, session: TenantSession, channel: Channel, now: datetime) -> bool:
        polled = self._channels.get(channel)
        if polled is None or not polled.lets_us_in(session):
            return False
        jobs = ComparingJobRepository(session)
        failed_at = jobs.failed_at(channel)
        if failed_at is not None and now - failed_at < AFTER_TROUBLE:
            return False
        owner, payload = session.tenant.tenant_id, {BACKGROUND: True}
        job = self._work.request(
            session, JobAction.SYNC, channel, owner, payload, priority=AFTER_EVERYTHING
        )
        jobs.forget_quiet(channel, now - QUIET_KEPT)
        return not job.already
