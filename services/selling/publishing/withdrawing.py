"""Taking back what a parked job has asked of somebody outside, while nobody has heard of it."""

from collections.abc import Callable, Mapping

from models.selling.publishing import Channel, JobStatus, MarketplaceJob
from services.selling.publishing import transitions
from shared.clock import Clock
from shared.database import TenantSession

Withdraw = Callable[[TenantSession, MarketplaceJob], bool]
"""Takes back what a locked job waits for; False, changing nothing, when it may be under way."""

Withdrawals = Mapping[Channel, Withdraw]

NOTHING_TO_WITHDRAW: Withdrawals = {}


def cancel_unheard(
    session: TenantSession, job: MarketplaceJob, withdrawals: Withdrawals, clock: Clock
) -> bool:
    """Cancel a locked job that waits for an answer to what nobody has heard; False: it does not."""
    withdraw = withdrawals.get(job.channel)
    if job.status is not JobStatus.PARKED or withdraw is None or not withdraw(session, job):
        return False
    transitions.cancel(job, now=clock.now())
    return True
