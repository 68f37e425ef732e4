"""Ending a sign-in: its access token is refused from the commit on."""

from uuid import UUID

from repositories.accounts.identity import AuthSessionRepository
from shared.clock import Clock
from shared.database import PlatformSession


class SigningOut:
    """Ends sign-ins."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def sign_out(self, session: PlatformSession, session_id: UUID) -> None:
        """End this sign-in; its refresh tokens are worth nothing any more."""
        AuthSessionRepository(session).end(session_id, "signed out", self._clock.now())
