"""Deletes events that everybody was told of, in handfuls."""

from collections.abc import Callable
from datetime import timedelta

from repositories.accounts.outbox_review import OutboxReviewRepository
from shared.clock import Clock
from shared.database import Database

KEPT = timedelta(days=14)
"""Long enough to find out what was told to whom when something looks wrong."""

HANDFUL = 1000


class OutboxForgetting:
    """Parked and pending ones stay, however old: only a person lets go of them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def forget(self, go_on: Callable[[], None]) -> int:
        """Delete what is older than two weeks; returns how many events. `go_on` may raise."""
        moment, gone = self._clock.now() - KEPT, 0
        while True:
            go_on()
            with self._database.platform() as session:
                handful = OutboxReviewRepository(session).forget_before(moment, HANDFUL)
            gone += handful
            if handful < HANDFUL:
                return gone
