"""Staying signed in: every refresh token is good for one use."""

from datetime import timedelta

import structlog

from models.accounts.identity import AuthSession, RefreshToken
from repositories.accounts.identity import AuthSessionRepository, UserRepository
from services.accounts.identity.issuing import SignedIn, TokenIssuing, hash_of
from shared.clock import Clock
from shared.database import PlatformSession
from shared.errors import Unauthenticated

_log = structlog.get_logger("stoflow.identity")


class RefreshRefused(Unauthenticated):
    """The refresh token is unknown, expired, used before, or its sign-in was ended."""

    code, title = "refresh-refused", "Please sign in again"


class Refreshing:
    """Exchanges refresh tokens.

    A token that comes a second time was copied: by whom cannot be known, so the whole sign-in
    ends, for the thief and for the owner, who then signs in again.
    """

    def __init__(self, issuing: TokenIssuing, clock: Clock) -> None:
        self._issuing = issuing
        self._clock = clock

    def refresh(self, session: PlatformSession, refresh_token: str) -> SignedIn | RefreshRefused:
        """New tokens for an unused one. Either outcome has to be committed."""
        found = AuthSessionRepository(session).lock_by_token(hash_of(refresh_token))
        if found is None:
            return RefreshRefused()
        token, sign_in = found
        if token.used_at is not None:
            self._end_for_reuse(session, token, sign_in)
            return RefreshRefused()
        user = UserRepository(session).get(sign_in.user_id)
        if user is None or sign_in.revoked_at is not None or self._is_over(token):
            return RefreshRefused()
        token.used_at = self._clock.now()
        return self._issuing.go_on(session, user, sign_in)

    def _is_over(self, token: RefreshToken) -> bool:
        return token.expires_at <= self._clock.now()

    def _end_for_reuse(
        self, session: PlatformSession, token: RefreshToken, sign_in: AuthSession
    ) -> None:
        now = self._clock.now()
        age = now - token.used_at if token.used_at else timedelta()
        AuthSessionRepository(session).end(sign_in.id, "refresh token used twice", now)
        _log.warning(
            "refresh attempted twice",
            user_id=sign_in.user_id,
            session_id=str(sign_in.id),
            seconds_after_first_use=age.total_seconds(),
        )
