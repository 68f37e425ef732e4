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


LOST_FOR = timedelta(minutes=10)
"""How long after its exchange a browser may come back with the same token: an answer that was lost
on a slow line or to a lid that was closed is asked for again within minutes.
"""


class Refreshing:
    """Exchanges refresh tokens.

    A token that comes a second time was copied: by whom cannot be known, so the whole sign-in
    ends, for the thief and for the owner, who then signs in again.

    A paired browser has nobody to sign in again, and an answer that is lost leaves it with a used
    token. So for `LOST_FOR`, and only while nothing that was issued since has been used, its last
    token is exchanged anew. What it was exchanged for before becomes void: whoever turns out to
    have that after all ends the sign-in, so that a copy is found out at the next exchange.
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
        if token.used_at is not None and not self._is_lost(session, token, sign_in):
            self._end_for_reuse(session, token, sign_in)
            return RefreshRefused()
        user = UserRepository(session).get(sign_in.user_id)
        if user is None or sign_in.revoked_at is not None or self._is_over(token):
            return RefreshRefused()
        token.used_at = token.used_at or self._clock.now()
        return self._issuing.go_on(session, user, sign_in)

    def _is_lost(self, session: PlatformSession, token: RefreshToken, sign_in: AuthSession) -> bool:
        """Whether the answer to a used token may have been lost; what it brought is void then."""
        now = self._clock.now()
        if sign_in.device is None or token.is_void or token.used_at is None:
            return False
        later = AuthSessionRepository(session).successors(token)
        if now - token.used_at > LOST_FOR or any(
            each.used_at for each in later if not each.is_void
        ):
            return False
        for each in later:
            each.used_at, each.expires_at = each.used_at or now, each.issued_at
        _log.info("refresh answered again", session_id=str(sign_in.id))
        return True

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
