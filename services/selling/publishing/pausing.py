"""A channel whose account no longer lets us in rests; its jobs go on once it is connected again.

Nothing is lost by it, and nobody has to try anything again: what waits keeps its place, and what
found out, or was asked for meanwhile, is taken up as well.
"""

from datetime import timedelta

from models.selling.publishing import Channel
from repositories.accounts.bells import BellRepository
from repositories.accounts.dead_jobs import DeadJobRepository
from repositories.selling.job_pauses import LANES, JobPauseRepository
from services.accounts.outbox.subscribing import Told
from services.selling.publishing import transitions
from services.selling.publishing.connections import SPELLED, ChannelReconnected
from services.selling.publishing.news import tell_of_jobs
from shared.clock import Clock
from shared.database import TenantSession

LONGEST = timedelta(days=365)
"""A seller who has not come back by then hears of each job that it is blocked."""

TAKEN_UP = timedelta(days=30)
"""Jobs that ended blocked longer ago are left to the seller."""

_SHUT_OUT = ("ebay-grant-refused", "ebay-access-ended", "etsy-grant-refused", "etsy-access-ended")
_NEEDS_REAUTH = "needs-reauth"
"""Code of the gap that a job's handler names when the account has ended."""


def pause(session: TenantSession, channel: Channel, clock: Clock) -> None:
    """Let the channel's jobs wait, in the transaction that writes down that its access ended."""
    JobPauseRepository(session).put_off(channel, clock.now() + LONGEST, _reason(channel))


class ChannelResuming:
    """Lets the jobs go on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def resume(self, session: TenantSession, told: Told[ChannelReconnected]) -> None:
        """What waited, and what ended blocked for want of access."""
        now, channel = self._clock.now(), told.event.channel
        for lane in LANES:
            BellRepository(session).ring(session.tenant, lane, now)
        pauses = JobPauseRepository(session)
        waiting = pauses.put_off_with(channel, _reason(channel))
        for job in waiting:
            job.due_at, job.waiting_for = now, None
        blocked = pauses.blocked_with(channel, _SHUT_OUT, _NEEDS_REAUTH, now - TAKEN_UP)
        for job in blocked:
            transitions.reopen(job, now=now)
        DeadJobRepository(session).forget(session.tenant, [job.id for job in blocked])
        tell_of_jobs(session, [*waiting, *blocked], now)


def _reason(channel: Channel) -> str:
    return f"{SPELLED.get(channel, channel.value)} to be connected again"
