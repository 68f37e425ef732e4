"""Deletes what was read long ago, in handfuls; what was not read stays."""

from collections.abc import Callable
from datetime import timedelta

from repositories.accounts.notifications import NotificationRepository
from shared.clock import Clock
from shared.database import Database

KEPT = timedelta(days=90)

HANDFUL = 5000


class NotificationForgetting:
    """Short transactions, as many as it takes."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def forget(self, go_on: Callable[[], None]) -> int:
        """Delete what was read 90 days ago; returns how much. `go_on` may raise."""
        moment, gone = self._clock.now() - KEPT, 0
        while True:
            go_on()
            with self._database.platform() as session:
                handful = NotificationRepository(session).forget_read_before(moment, HANDFUL)
            gone += handful
            if handful < HANDFUL:
                return gone
