"""Access tokens: RS256, short-lived, verifiable by anybody who reads our JWKS."""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from jwt.algorithms import RSAAlgorithm

from models.accounts.identity import Role
from shared.clock import Clock
from shared.database import TenantSchema
from shared.errors import Unauthenticated

ALGORITHM = "RS256"
_REQUIRED = ["iss", "sub", "sid", "uid", "role", "iat", "exp"]
_REMEMBERED = 4096
"""How many verified tokens are remembered: the signature of each is computed once, its time limit
is checked every time."""


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What a genuine token says."""

    user_id: int
    public_id: UUID
    session_id: UUID
    tenant_id: int | None
    role: Role
    expires_at: datetime
    device: bool = False
    """Whether a paired browser holds it, which may do next to nothing."""


_UNREADABLE = (
    jwt.InvalidTokenError,
    AttributeError,
    KeyError,
    OverflowError,
    TypeError,
    ValueError,
)
"""What is raised on the way through a token that says something impossible."""


class AccessTokens:
    """Issues and reads access tokens.

    Claims: `iss`, `sub` (public id), `uid` (account number), `sid` (sign-in), `tid` (shop number,
    absent where there is none), `role`, `iat`, `exp`, and `dev` in those of paired browsers. The
    header's `kid` is the key's RFC 7638 thumbprint. Tokens of `previous` keys are honoured until
    they expire.
    """

    def __init__(
        self,
        key: RSAPrivateKey,
        previous: Sequence[RSAPublicKey],
        *,
        issuer: str,
        ttl: timedelta,
        clock: Clock,
    ) -> None:
        self.ttl = ttl
        self._key = key
        self._issuer = issuer
        self._clock = clock
        self._key_id = key_id(key.public_key())
        self._public = {key_id(public): public for public in (key.public_key(), *previous)}
        self._verified = lru_cache(maxsize=_REMEMBERED)(self._verify)

    def issue(
        self,
        *,
        user_id: int,
        public_id: UUID,
        session_id: UUID,
        role: Role,
        tenant_id: int | None,
        device: bool = False,
    ) -> str:
        """A token that is honoured for `ttl` from now."""
        now = self._clock.now()
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "sub": str(public_id),
            "uid": user_id,
            "sid": str(session_id),
            "role": role.value,
            "iat": int(now.timestamp()),
            "exp": int((now + self.ttl).timestamp()),
        }
        if tenant_id is not None:
            claims["tid"] = tenant_id
        if device:
            claims["dev"] = True
        return jwt.encode(claims, self._key, algorithm=ALGORITHM, headers={"kid": self._key_id})

    def read(self, token: str) -> AccessClaims:
        """What the token says. Raises `Unauthenticated` when it is forged, foreign or expired."""
        claims = self._verified(token)
        if claims.expires_at <= self._clock.now():
            raise Unauthenticated("The access token has expired.")
        return claims

    def jwks(self) -> dict[str, Any]:
        """The public keys, current one first, as a JSON Web Key Set."""
        return {"keys": [_jwk(public, kid) for kid, public in self._public.items()]}

    def _verify(self, token: str) -> AccessClaims:
        try:
            header = jwt.get_unverified_header(token)
            public = self._public[header["kid"]]
            claims = jwt.decode(
                token,
                public,
                algorithms=[ALGORITHM],
                issuer=self._issuer,
                # Time is the injected clock's business, at each reading.
                options={"require": _REQUIRED, "verify_exp": False, "verify_iat": False},
            )
            return _claims(claims)
        except _UNREADABLE:
            raise Unauthenticated("The access token is not one of ours.") from None


def key_id(public: RSAPublicKey) -> str:
    """The key's name: its RFC 7638 thumbprint."""
    jwk = RSAAlgorithm.to_jwk(public, as_dict=True)
    canonical = json.dumps(
        {name: jwk[name] for name in ("e", "kty", "n")}, separators=(",", ":"), sort_keys=True
    )
    digest = hashlib.sha256(canonical.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _jwk(public: RSAPublicKey, kid: str) -> dict[str, Any]:
    jwk = RSAAlgorithm.to_jwk(public, as_dict=True)
    return {"kty": jwk["kty"], "n": jwk["n"], "e": jwk["e"]} | {
        "kid": kid,
        "use": "sig",
        "alg": ALGORITHM,
    }


def _claims(claims: dict[str, Any]) -> AccessClaims:
    return AccessClaims(
        user_id=int(claims["uid"]),
        public_id=UUID(claims["sub"]),
        session_id=UUID(claims["sid"]),
        tenant_id=TenantSchema(claims["tid"]).tenant_id if "tid" in claims else None,
        role=Role(claims["role"]),
        expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        device="dev" in claims,
    )
