"""How Vinted is polled: by whoever's browser is there, rarely."""

from datetime import timedelta

from models.selling.publishing import Channel
from models.selling.vinted import VintedSession
from repositories.selling.vinted import VintedAccountRepository
from services.selling.orders.polling import PollRhythm
from shared.database import TenantSession

ORDERS_EVERY = timedelta(minutes=15)
"""A page of orders each time, within the account's own budget; Vinted has none for all of us."""

_NO_COMMON_LIMIT = 10**12


class VintedPolling:
    """Satisfies `services.selling.orders.polling.PolledChannel`."""

    channel = Channel.VINTED
    rhythm = PollRhythm(ORDERS_EVERY, _NO_COMMON_LIMIT)

    def lets_us_in(self, session: TenantSession) -> bool:
        """Whether the seller's browser was signed in when it was heard of last."""
        account = VintedAccountRepository(session).get()
        return account is not None and account.session is VintedSession.SIGNED_IN
