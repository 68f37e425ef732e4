"""Reads the news of one shop."""

from collections.abc import Sequence

from models.accounts.news import ShopEvent
from repositories.accounts.news import ShopEventRepository
from shared.database import TenantSession


class ShopNews:
    """What happened in a shop."""

    def after(
        self, session: TenantSession, sequence: int, limit: int
    ) -> tuple[Sequence[ShopEvent], int]:
        """Events beyond a number, oldest first, and the number of the newest there is."""
        events = ShopEventRepository(session)
        return events.after(session.tenant, sequence, limit), events.last_sequence(session.tenant)
