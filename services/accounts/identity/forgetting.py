"""Deletes what is no longer needed of sign-ins that are over."""

from collections.abc import Callable
from datetime import timedelta

from repositories.accounts.identity import AuthSessionRepository
from shared.clock import Clock
from shared.database import Database, PlatformSession

SIGN_INS_KEPT = timedelta(days=30)
"""After their end: long enough to find out who was there when something looks wrong."""

_TOGETHER = 1000
"""Rows a transaction, so that nobody who signs in waits long."""


class SignInForgetting:
    """Short transactions, as many as it takes."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def forget(self, go_on: Callable[[], None] = lambda: None) -> tuple[int, int]:
        """Delete; returns how many sign-ins and how many refresh tokens. `go_on` may raise."""
        moment = self._clock.now() - SIGN_INS_KEPT

        def sign_ins(session: PlatformSession) -> int:
            return AuthSessionRepository(session).forget_ended_before(moment, _TOGETHER)

        def tokens(session: PlatformSession) -> int:
            return AuthSessionRepository(session).forget_used_tokens_before(moment, _TOGETHER)

        return self._all(sign_ins, go_on), self._all(tokens, go_on)

    def _all(self, some: Callable[[PlatformSession], int], go_on: Callable[[], None]) -> int:
        total = 0
        while True:
            go_on()
            with self._database.platform() as session:
                gone = some(session)
            total += gone
            if gone < _TOGETHER:
                return total
