"""What we sign for a seller's browser: leases of single commands, links to single photos.

RS256 like access tokens and with the same keys. Each kind has an audience of its own, which access
tokens have not: none of the three passes for another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from models.accounts.tenants import Lane
from services.accounts.identity.access_tokens import ALGORITHM, key_id
from shared.clock import Clock
from shared.database import TenantSchema
from shared.errors import Forbidden

_UNREADABLE = (jwt.InvalidTokenError, AttributeError, KeyError, TypeError, ValueError)
_LEASE, _PHOTO = "vinted-command", "photo"


class LeaseRefused(Forbidden):
    """The lease was not signed here, or for another command or shop."""

    code, title = "lease-refused", "This lease is not one of ours"


@dataclass(frozen=True, slots=True)
class CommandLease:
    """Which request a browser may make, for which shop, until when."""

    tenant: TenantSchema
    command_id: UUID
    method: str
    path: str
    site: str
    lane: Lane
    """Of its job: whoever brings the lease back is believed."""
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PhotoLink:
    """Which photo may be fetched by whoever has the link."""

    object_key: str
    content_type: str


class Signatures:
    """Signs claims for one audience and reads them back."""

    def __init__(
        self, key: RSAPrivateKey, previous: Sequence[RSAPublicKey], issuer: str, clock: Clock
    ) -> None:
        self._key = key
        self._issuer = issuer
        self._clock = clock
        self._key_id = key_id(key.public_key())
        self._public = {key_id(public): public for public in (key.public_key(), *previous)}

    def sign(self, audience: str, claims: Mapping[str, Any], expires_at: datetime) -> str:
        """A token for this audience."""
        issued = int(self._clock.now().timestamp())
        times = {"iat": issued, "exp": int(expires_at.timestamp())}
        head = {"iss": self._issuer, "aud": audience}
        return jwt.encode(
            {**head, **claims, **times},
            self._key,
            algorithm=ALGORITHM,
            headers={"kid": self._key_id},
        )

    def read(self, audience: str, token: str) -> dict[str, Any]:
        """The claims of a token of ours, also of one that has expired. Raises ValueError."""
        try:
            public = self._public[jwt.get_unverified_header(token)["kid"]]
            claims: dict[str, Any] = jwt.decode(
                token,
                public,
                algorithms=[ALGORITHM],
                issuer=self._issuer,
                audience=audience,
                options={"require": ["exp"], "verify_exp": False, "verify_iat": False},
            )
        except _UNREADABLE:
            raise ValueError("not a token of ours") from None
        return claims

    def is_over(self, claims: Mapping[str, Any]) -> bool:
        """Whether its time is up."""
        return datetime.fromtimestamp(claims["exp"], UTC) <= self._clock.now()


class CommandLeases:
    """Leases as `Lease` of docs/extension-protocol.yaml describes them."""

    def __init__(self, signatures: Signatures) -> None:
        self._signatures = signatures

    def sign(self, lease: CommandLease) -> str:
        """What is sent with the command and comes back with its result."""
        claims = {
            "tid": lease.tenant.tenant_id,
            "command": str(lease.command_id),
            "method": lease.method,
            "path": lease.path,
            "site": lease.site,
            "lane": lease.lane.value,
        }
        return self._signatures.sign(_LEASE, claims, lease.expires_at)

    def lane_of(self, token: str, tenant: TenantSchema, command_id: UUID) -> Lane:
        """The lane of the job that a command is of. It may be over: what was begun in time counts,
        however late the answer is.

        Raises `LeaseRefused` unless we signed it for this shop's command.
        """
        try:
            claims = self._signatures.read(_LEASE, token)
            if claims["tid"] == tenant.tenant_id and claims["command"] == str(command_id):
                return Lane(claims["lane"])
        except _UNREADABLE:
            pass
        raise LeaseRefused("The lease is not the one that was sent with this command.")


class SignedPhotoLinks:
    """Links to a route of our own, for object stores that sign none."""

    def __init__(self, signatures: Signatures, address: str) -> None:
        """`address` is that of the route, up to where the token begins."""
        self._signatures = signatures
        self._address = address

    def link(self, photo: PhotoLink, until: datetime) -> str:
        """An address that is good until then, for whoever has it."""
        claims = {"key": photo.object_key, "type": photo.content_type}
        return self._address + self._signatures.sign(_PHOTO, claims, until)

    def is_ours(self, token: str) -> bool:
        """Whether it is good."""
        return self.read(token) is not None

    def read(self, token: str) -> PhotoLink | None:
        """The photo behind a token; None when it is not ours or its time is up."""
        try:
            claims = self._signatures.read(_PHOTO, token)
        except ValueError:
            return None
        if self._signatures.is_over(claims):
            return None
        return PhotoLink(claims["key"], claims["type"])
