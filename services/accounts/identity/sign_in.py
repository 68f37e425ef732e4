"""Signing in with e-mail address and password.

    prepare (transaction)  →  perform (no session in reach)  →  record (transaction)

Hashing takes tens of milliseconds of one core; no connection waits for it. An unknown address
costs the same work and gets the same answer as a wrong password or a locked account.
"""

from dataclasses import dataclass
from datetime import timedelta

from models.accounts.identity import User
from repositories.accounts.identity import UserRepository
from services.accounts.identity.issuing import SignedIn, TokenIssuing
from services.accounts.identity.passwords import Passwords
from shared.clock import Clock
from shared.database import PlatformSession
from shared.errors import Unauthenticated
from shared.text import one_line

FAILURES_ALLOWED = 10
LOCKED_FOR = timedelta(minutes=15)


class WrongCredentials(Unauthenticated):
    """E-mail address or password is wrong, or the account is locked; which, is not said."""

    code = "wrong-credentials"
    title = "E-mail address or password is wrong"

    def __init__(self) -> None:
        minutes = int(LOCKED_FOR.total_seconds() // 60)
        super().__init__(
            f"E-mail address or password is wrong. After {FAILURES_ALLOWED} failures in a row "
            f"an account is locked for {minutes} minutes."
        )


@dataclass(frozen=True, slots=True)
class Attempt:
    """Whom somebody claims to be. Both are None for an unknown address."""

    user_id: int | None
    stored_hash: str | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the password was right, and its hash with today's parameters if that is newer."""

    right: bool
    new_hash: str | None = None


class SigningIn:
    """Checks passwords and counts failures."""

    def __init__(self, passwords: Passwords, issuing: TokenIssuing, clock: Clock) -> None:
        self._passwords = passwords
        self._issuing = issuing
        self._clock = clock

    def prepare(self, session: PlatformSession, email: str) -> Attempt:
        """Find the account."""
        user = UserRepository(session).by_email(one_line(email).lower())
        return Attempt(None, None) if user is None else Attempt(user.id, user.password_hash)

    def perform(self, attempt: Attempt, password: str) -> Verdict:
        """Compare the password."""
        right = self._passwords.matches(password, attempt.stored_hash)
        if right and attempt.stored_hash and self._passwords.is_outdated(attempt.stored_hash):
            return Verdict(right, self._passwords.hash(password))
        return Verdict(right)

    def record(
        self, session: PlatformSession, attempt: Attempt, verdict: Verdict
    ) -> SignedIn | WrongCredentials:
        """Issue tokens or count the failure; both have to be committed."""
        user = None
        if attempt.user_id is not None:
            user = UserRepository(session).lock(attempt.user_id)
        if user is None or self._is_locked(user):
            return WrongCredentials()
        if not verdict.right:
            self._count_failure(user)
            return WrongCredentials()
        user.failed_sign_ins = 0
        user.locked_until = None
        user.password_hash = verdict.new_hash or user.password_hash
        return self._issuing.begin(session, user)

    def _is_locked(self, user: User) -> bool:
        return user.locked_until is not None and user.locked_until > self._clock.now()

    def _count_failure(self, user: User) -> None:
        user.failed_sign_ins += 1
        if user.failed_sign_ins >= FAILURES_ALLOWED:
            user.failed_sign_ins = 0
            user.locked_until = self._clock.now() + LOCKED_FOR
