"""What identity reads and answers."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, EmailStr, Field, SecretStr

from models.accounts.identity import Role
from models.accounts.tenants import TenantStatus
from services.accounts.identity.issuing import SignedIn
from services.accounts.identity.passwords import MAX_LENGTH, MIN_LENGTH
from services.accounts.identity.profile import Profile
from shared.text import one_line


def _not_blank(name: str) -> str:
    cleaned = one_line(name)
    if not cleaned:
        raise ValueError("Say what to call you.")
    return cleaned


class RegistrationIn(BaseModel):
    """A new account."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "email": "mina@example.com",
                    "password": "a long sentence is best",
                    "full_name": "Mina Rossi",
                }
            ]
        },
    )

    email: Annotated[EmailStr, Field(max_length=254)]
    password: SecretStr = Field(
        description=f"{MIN_LENGTH} to {MAX_LENGTH} characters of any kind.",
        json_schema_extra={"minLength": MIN_LENGTH, "maxLength": MAX_LENGTH},
    )
    full_name: Annotated[str, Field(max_length=200), AfterValidator(_not_blank)]


class RefreshIn(BaseModel):
    """The refresh token of the last answer."""

    model_config = ConfigDict(extra="forbid")

    refresh_token: Annotated[SecretStr, Field(max_length=200)]


class TokensOut(BaseModel):
    """RFC 6749 §5.1."""

    access_token: str
    token_type: str = "bearer"  # noqa: S105 - RFC 6750
    expires_in: int = Field(description="Seconds for which the access token is honoured.")
    refresh_token: str = Field(description="Good for one use; the answer brings the next one.")

    @classmethod
    def of(cls, signed_in: SignedIn) -> "TokensOut":
        """For the client that just proved who it is."""
        return cls(
            access_token=signed_in.access_token,
            expires_in=int(signed_in.expires_in.total_seconds()),
            refresh_token=signed_in.refresh_token,
        )


class ShopOut(BaseModel):
    """The account's shop."""

    id: str = Field(description="A number, as text: it may exceed what JavaScript can count.")
    status: TenantStatus


class AccountOut(BaseModel):
    """An account, as its owner sees it."""

    id: UUID
    email: str
    full_name: str
    role: Role
    created_at: datetime
    shop: ShopOut | None

    @classmethod
    def of(cls, profile: Profile) -> "AccountOut":
        """Everything but the secrets."""
        user, tenant = profile.user, profile.tenant
        return cls(
            id=user.public_id,
            email=user.email,
            full_name=user.full_name,
            role=user.role,
            created_at=user.created_at,
            shop=None if tenant is None else ShopOut(id=str(tenant.id), status=tenant.status),
        )


class JwksOut(BaseModel):
    """RFC 7517: the public keys that access tokens are verified with."""

    keys: list[dict[str, str]]
