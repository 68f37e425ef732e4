"""Writes down that Vinted wants a person, where the answer to a request said so."""

from datetime import datetime

import structlog

from models.selling.vinted import VintedSession
from repositories.selling.vinted import VintedAccountRepository
from services.selling.vinted.bridge.telling import VintedNews
from shared.clock import Clock
from shared.database import Database, TenantSchema

log = structlog.get_logger(__name__)


class VintedHalts:
    """Opens a short transaction of its own."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._news = VintedNews(clock)

    def halt(self, tenant: TenantSchema, answered_at: datetime | None, *, challenged: bool) -> None:
        """Send nothing more before the browser is signed in again, and tell the seller once.

        What the browser itself has said since then goes before an answer that is read late.
        """
        session_is = VintedSession.CHALLENGED if challenged else VintedSession.SIGNED_OUT
        with self._database.tenant(tenant) as session:
            account = VintedAccountRepository(session).locked()
            if account is None or account.session is not VintedSession.SIGNED_IN:
                return
            if answered_at is not None and account.checked_at > answered_at:
                return
            with self._news.telling(session, account):
                account.session = session_is
                if challenged:
                    account.challenged_at = self._clock.now()
        log.warning("vinted.halted", session=session_is)
