"""A seller asks whether eBay shows what our record says."""

from models.selling.ebay import ConnectionStatus
from models.selling.publishing import Channel, JobAction
from repositories.selling.ebay import EbayConnectionRepository
from services.selling.drift.comparing import CONFIRM_ENDED
from services.selling.ebay.account import EbayNotConnected
from services.selling.publishing.account_work import AccountJob, AccountWork
from shared.clock import Clock
from shared.database import TenantSession


class EbayComparing:
    """Has all live listings compared; asked twice, it is one job."""

    def __init__(self, clock: Clock) -> None:
        self._work = AccountWork(clock)

    def compare(
        self, session: TenantSession, requested_by: int, *, confirm_ended: bool
    ) -> AccountJob:
        """Queue it. Raises `EbayNotConnected`."""
        connection = EbayConnectionRepository(session).get()
        if connection is None or connection.status is not ConnectionStatus.CONNECTED:
            raise EbayNotConnected("Connect the eBay account first.")
        payload = {CONFIRM_ENDED: confirm_ended}
        return self._work.request(session, JobAction.SYNC, Channel.EBAY, requested_by, payload)
