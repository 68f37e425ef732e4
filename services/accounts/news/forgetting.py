"""Deletes old news, in handfuls."""

from collections.abc import Callable
from datetime import timedelta

from repositories.accounts.news import ShopEventRepository
from shared.clock import Clock
from shared.database import Database

KEPT = timedelta(days=7)

HANDFUL = 5000


class NewsForgetting:
    """Numbers go on where they were: a client that was away longer can tell by the gap."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def forget(self, go_on: Callable[[], None]) -> int:
        """Delete what is older than a week, a short transaction a handful; returns how much."""
        moment, gone = self._clock.now() - KEPT, 0
        while True:
            go_on()
            with self._database.platform() as session:
                handful = ShopEventRepository(session).delete_before(moment, HANDFUL)
            gone += handful
            if handful < HANDFUL:
                return gone
