"""The pair of tokens that a signed-in client holds."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from models.accounts.identity import AuthSession, RefreshToken, User
from models.accounts.tenants import ASLEEP
from repositories.accounts.identity import AuthSessionRepository
from repositories.accounts.tenants import TenantRepository
from services.accounts.identity.access_tokens import AccessTokens
from shared.clock import Clock
from shared.database import PlatformSession, TenantSchema
from shared.ids import new_secret, new_uuid


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What the client is given; the refresh token is stored only as its SHA-256."""

    access_token: str
    refresh_token: str
    expires_in: timedelta
    """How long the access token is honoured."""
    asleep: TenantSchema | None = None
    """The account's shop, when it has to be woken before the tokens are of use."""


class TokenIssuing:
    """Begins sign-ins and goes on with them."""

    def __init__(self, access_tokens: AccessTokens, refresh_ttl: timedelta, clock: Clock) -> None:
        self._access_tokens = access_tokens
        self._refresh_ttl = refresh_ttl
        self._clock = clock

    def begin(self, session: PlatformSession, user: User, *, device: str | None = None) -> SignedIn:
        """A new sign-in with its first tokens; `device` names the browser that it is for."""
        now = self._clock.now()
        sign_in = AuthSession(
            id=new_uuid(),
            user_id=user.id,
            created_at=now,
            expires_at=now + self._refresh_ttl,
            device=device,
        )
        AuthSessionRepository(session).add(sign_in)
        return self.go_on(session, user, sign_in)

    def go_on(self, session: PlatformSession, user: User, sign_in: AuthSession) -> SignedIn:
        """The next tokens of a sign-in, which lasts longer for it."""
        now = self._clock.now()
        refresh_token = new_secret()
        sign_in.expires_at = now + self._refresh_ttl
        AuthSessionRepository(session).add_refresh_token(
            RefreshToken(
                session_id=sign_in.id,
                token_hash=hash_of(refresh_token),
                issued_at=now,
                expires_at=sign_in.expires_at,
            )
        )
        tenant = TenantRepository(session).get(user.id)
        access_token = self._access_tokens.issue(
            user_id=user.id,
            public_id=user.public_id,
            session_id=sign_in.id,
            role=user.role,
            tenant_id=None if tenant is None else tenant.id,
            device=sign_in.device is not None,
        )
        asleep = None
        if tenant is not None and tenant.status in ASLEEP:
            asleep = TenantSchema(tenant.id)
        return SignedIn(access_token, refresh_token, self._access_tokens.ttl, asleep)


def hash_of(refresh_token: str) -> str:
    """The form in which refresh tokens are stored: 256 random bits need no slow hash."""
    return hashlib.sha256(refresh_token.encode("utf-8", "surrogatepass")).hexdigest()
