"""A seller who does not want to wait for the next look asks for it here."""

from collections.abc import Sequence

from models.selling.publishing import Channel, JobAction
from repositories.accounts.order_polls import OrderPollRepository
from services.selling.publishing.account_work import AccountJob, AccountWork
from shared.clock import Clock
from shared.database import TenantSession
from shared.errors import Conflict


class NothingToFollow(Conflict):
    """No account of the shop is connected whose orders could be read."""

    code, title = "nothing-to-follow", "No channel is connected whose orders could be read"


class OrderSyncing:
    """Has orders fetched at once; asked twice, it is one job."""

    def __init__(self, clock: Clock) -> None:
        self._work = AccountWork(clock)

    def sync(
        self, session: TenantSession, requested_by: int, channels: Sequence[Channel] | None = None
    ) -> Sequence[AccountJob]:
        """Ask for every channel that is followed, or for those of `channels` that are.

        Raises `NothingToFollow`.
        """
        followed = OrderPollRepository(session).followed_by(session.tenant)
        wanted = [
            Channel(name) for name in followed if channels is None or Channel(name) in channels
        ]
        if not wanted:
            raise NothingToFollow(
                "Connect the channel's account, and agree that StoFlow may read its orders."
            )
        return [
            self._work.request(session, JobAction.ORDERS, channel, requested_by)
            for channel in wanted
        ]
