"""Accounts, sign-ins and refresh tokens.

Lock order: account, sign-in, refresh token.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Uuid, delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from models.accounts.identity import AuthSession, RefreshToken, User
from shared.database import PlatformSession

_ENDED = text(
    "SELECT asked.id FROM unnest(CAST(:ids AS uuid[])) AS asked (id)"
    " WHERE NOT EXISTS (SELECT FROM public.auth_sessions AS held"
    " WHERE held.id = asked.id AND held.revoked_at IS NULL)"
).columns(id=Uuid)
"""Asked every few seconds about thousands, of whom hardly any has ended."""


class UserRepository:
    """Rows of `public.users`. E-mail addresses are looked up without regard to case."""

    def __init__(self, session: PlatformSession) -> None:
        self._session = session

    def add_unless_taken(self, user: User) -> User | None:
        """Store a new account; None when the address has one, also if it came a moment before.

        It keeps the number it has, which then must have been reserved.
        """
        values: dict[str, object] = {} if user.id is None else {"id": user.id}
        values |= {
            "public_id": user.public_id,
            "email": user.email,
            "password_hash": user.password_hash,
            "full_name": user.full_name,
            "role": user.role,
            "failed_sign_ins": 0,
            "created_at": user.created_at,
        }
        return self._session.scalar(
            insert(User).values(values).on_conflict_do_nothing().returning(User)
        )

    def get(self, user_id: int) -> User | None:
        """One account."""
        return self._session.get(User, user_id)

    def by_email(self, email: str) -> User | None:
        """The account of this address."""
        return self._session.scalar(select(User).where(func.lower(User.email) == func.lower(email)))

    def lock(self, user_id: int) -> User | None:
        """The account as it is now, locked until the commit."""
        return self._session.scalar(
            select(User)
            .where(User.id == user_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )


class AuthSessionRepository:
    """Rows of `public.auth_sessions` and of their `public.refresh_tokens`."""

    def __init__(self, session: PlatformSession) -> None:
        self._session = session

    def add(self, sign_in: AuthSession) -> None:
        """Store a new sign-in."""
        self._session.add(sign_in)
        self._session.flush()

    def add_refresh_token(self, token: RefreshToken) -> None:
        """Store a new refresh token."""
        self._session.add(token)
        self._session.flush()

    def lock_by_token(self, token_hash: str) -> tuple[RefreshToken, AuthSession] | None:
        """The token and its sign-in as they are now, both locked until the commit."""
        of_token = RefreshToken.token_hash == token_hash
        sign_in = self._session.scalar(
            select(AuthSession)
            .where(AuthSession.id.in_(select(RefreshToken.session_id).where(of_token)))
            .with_for_update()
        )
        token = self._session.scalar(select(RefreshToken).where(of_token).with_for_update())
        return None if sign_in is None or token is None else (token, sign_in)

    def successors(self, token: RefreshToken) -> Sequence[RefreshToken]:
        """The tokens of the same sign-in that were issued later. Lock the sign-in first."""
        return self._session.scalars(
            select(RefreshToken)
            .where(RefreshToken.session_id == token.session_id, RefreshToken.id > token.id)
            .order_by(RefreshToken.id)
            .with_for_update()
        ).all()

    def end(self, session_id: UUID, because: str, at: datetime) -> None:
        """Revoke a sign-in; one that has ended keeps its first reason."""
        self._session.execute(
            update(AuthSession)
            .where(AuthSession.id == session_id, AuthSession.revoked_at.is_(None))
            .values(revoked_at=at, revoked_because=because)
        )

    def ended(self, session_ids: Collection[UUID]) -> frozenset[UUID]:
        """Those of these sign-ins that were ended, or are no more."""
        ids = self._session.scalars(_ENDED, {"ids": [str(each) for each in session_ids]})
        return frozenset(ids)

    def forget_ended_before(self, moment: datetime, limit: int) -> int:
        """Delete up to `limit` sign-ins that ended before `moment`, with their tokens.

        The last sign-in of each account stays: it says when somebody was there.
        """
        later = aliased(AuthSession)
        superseded = (
            select(later.id)
            .where(later.user_id == AuthSession.user_id, later.created_at > AuthSession.created_at)
            .exists()
        )
        ended = (
            select(AuthSession.id)
            .where(
                or_(AuthSession.expires_at < moment, AuthSession.revoked_at < moment), superseded
            )
            .limit(limit)
        )
        gone = self._session.scalars(
            delete(AuthSession)
            .where(AuthSession.id.in_(self._session.scalars(ended).all()))
            .returning(AuthSession.id)
        )
        return len(gone.all())

    def forget_used_tokens_before(self, moment: datetime, limit: int) -> int:
        """Delete up to `limit` tokens that were used and ran out before `moment`."""
        used = (
            select(RefreshToken.id)
            .where(RefreshToken.used_at.is_not(None), RefreshToken.expires_at < moment)
            .limit(limit)
        )
        gone = self._session.scalars(
            delete(RefreshToken)
            .where(RefreshToken.id.in_(self._session.scalars(used).all()))
            .returning(RefreshToken.id)
        )
        return len(gone.all())
