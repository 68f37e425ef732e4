"""Codes that pair browsers, and the sign-ins that came of them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, or_, select, update

from models.accounts.identity import AuthSession, DevicePairing
from shared.database import PlatformSession


class PairingRepository:
    """Rows of `public.device_pairings`."""

    def __init__(self, session: PlatformSession) -> None:
        self._session = session

    def add(self, pairing: DevicePairing) -> None:
        """Store a new code."""
        self._session.add(pairing)
        self._session.flush()

    def use(self, code_hash: str, now: datetime) -> int | None:
        """Use a code up; returns whose it is, None when it is unknown, used or has expired."""
        return self._session.scalar(
            delete(DevicePairing)
            .where(DevicePairing.code_hash == code_hash, DevicePairing.expires_at > now)
            .returning(DevicePairing.user_id)
        )

    def forget(self, user_id: int, *, expired_before: datetime) -> None:
        """Delete this account's codes, and everybody's that have expired."""
        self._session.execute(
            delete(DevicePairing).where(
                or_(DevicePairing.user_id == user_id, DevicePairing.expires_at <= expired_before)
            )
        )


class DeviceRepository:
    """Those rows of `public.auth_sessions` that are paired browsers."""

    def __init__(self, session: PlatformSession) -> None:
        self._session = session

    def of(self, user_id: int, now: datetime) -> Sequence[AuthSession]:
        """An account's, the newest first."""
        return self._session.scalars(
            select(AuthSession)
            .where(
                AuthSession.user_id == user_id,
                AuthSession.device.is_not(None),
                AuthSession.revoked_at.is_(None),
                AuthSession.expires_at > now,
            )
            .order_by(AuthSession.created_at.desc())
        ).all()

    def end(self, user_id: int, session_id: UUID, at: datetime) -> bool:
        """End one of an account's; False when there is none that holds."""
        ended = self._session.scalar(
            update(AuthSession)
            .where(
                AuthSession.id == session_id,
                AuthSession.user_id == user_id,
                AuthSession.device.is_not(None),
                AuthSession.revoked_at.is_(None),
            )
            .values(revoked_at=at, revoked_because="unpaired")
            .returning(AuthSession.id)
        )
        return ended is not None
