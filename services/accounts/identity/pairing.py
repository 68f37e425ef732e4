"""Pairing a seller's browser: a code is shown to the seller, typed into the extension, used once.

What the extension gets is a sign-in of its own, marked as a device: it can be ended alone, and its
tokens open next to nothing (`api.policies`).
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from models.accounts.identity import AuthSession, DevicePairing
from repositories.accounts.identity import UserRepository
from repositories.accounts.pairing import DeviceRepository, PairingRepository
from services.accounts.identity.issuing import SignedIn, TokenIssuing
from shared.clock import Clock
from shared.database import PlatformSession
from shared.errors import NotFound, Unauthenticated
from shared.text import one_line

CODE_TTL = timedelta(minutes=10)

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without what is mistaken for something else: 0 and O, 1, I and L."""
_LENGTH = 8


class PairingRefused(Unauthenticated):
    """The code is wrong, has expired, or was used; which, is not said."""

    code, title = "pairing-refused", "This code does not pair a browser"

    def __init__(self) -> None:
        super().__init__(
            "The code is wrong, older than 10 minutes, or was used. Ask for a new one in StoFlow."
        )


class DeviceNotFound(NotFound):
    """No such browser is paired, or it is another account's."""

    code, title = "device-not-found", "There is no such browser"


@dataclass(frozen=True, slots=True)
class PairingCode:
    """What the seller types into the extension."""

    code: str
    expires_at: datetime


class DevicePairings:
    """Works in the request's transaction on the shared schemas."""

    def __init__(self, issuing: TokenIssuing, clock: Clock) -> None:
        self._issuing = issuing
        self._clock = clock

    def offer(self, session: PlatformSession, user_id: int) -> PairingCode:
        """A new code for this account; one that was shown before is worth nothing any more."""
        now = self._clock.now()
        code = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
        pairings = PairingRepository(session)
        pairings.forget(user_id, expired_before=now)
        expires_at = now + CODE_TTL
        pairings.add(
            DevicePairing(
                code_hash=_hash_of(code), user_id=user_id, created_at=now, expires_at=expires_at
            )
        )
        return PairingCode(code, expires_at)

    def claim(self, session: PlatformSession, code: str, device: str) -> SignedIn | PairingRefused:
        """Use up a code and sign the browser in. Either outcome has to be committed."""
        user_id = PairingRepository(session).use(_hash_of(code), self._clock.now())
        user = None if user_id is None else UserRepository(session).get(user_id)
        if user is None:
            return PairingRefused()
        return self._issuing.begin(session, user, device=one_line(device))

    def list(self, session: PlatformSession, user_id: int) -> Sequence[AuthSession]:
        """The account's paired browsers, the newest first."""
        return DeviceRepository(session).of(user_id, self._clock.now())

    def unpair(self, session: PlatformSession, user_id: int, device_id: UUID) -> None:
        """End its sign-in: its socket closes within seconds. Raises `DeviceNotFound`."""
        if not DeviceRepository(session).end(user_id, device_id, self._clock.now()):
            raise DeviceNotFound


def _hash_of(code: str) -> str:
    typed = "".join(code.split()).replace("-", "").upper()
    return hashlib.sha256(typed.encode("utf-8", "surrogatepass")).hexdigest()
