"""What the Vinted room reads and answers."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from models.accounts.identity import AuthSession
from services.accounts.identity.pairing import PairingCode
from services.selling.vinted.bridge.standing import ConnectionStatus, Standing
from shared.text import one_line


def _named(name: str) -> str:
    cleaned = one_line(name)
    if not cleaned:
        raise ValueError("Say what to call this browser.")
    return cleaned


class PairingOut(BaseModel):
    """A code to type into the extension."""

    code: str = Field(description="Eight letters and digits, good once and for ten minutes.")
    expires_at: datetime

    @classmethod
    def of(cls, pairing: PairingCode) -> Self:
        """Show a code."""
        return cls(code=pairing.code, expires_at=pairing.expires_at)


class ClaimIn(BaseModel):
    """What the extension sends once."""

    model_config = ConfigDict(extra="forbid")

    code: Annotated[str, Field(min_length=1, max_length=40)]
    device: Annotated[str, Field(max_length=80), AfterValidator(_named)] = Field(
        description="How the seller knows this browser, such as `Chrome on the laptop`."
    )


class DeviceOut(BaseModel):
    """A paired browser."""

    id: UUID
    device: str
    paired_at: datetime
    expires_at: datetime = Field(description="Unless it connects before.")
    executor: bool = Field(description="Whether it is the one that works at Vinted now.")

    @classmethod
    def of(cls, sign_in: AuthSession, status: ConnectionStatus) -> Self:
        """Show a paired browser."""
        return cls(
            id=sign_in.id,
            device=sign_in.device or "",
            paired_at=sign_in.created_at,
            expires_at=sign_in.expires_at,
            executor=sign_in.id == status.device,
        )


class StatusOut(BaseModel):
    """How the account at Vinted stands."""

    state: Standing
    reason: str | None = Field(description="In the seller's words, with what to do.")
    executor: bool = Field(description="Whether a browser is there to work.")
    device: UUID | None = Field(description="Which paired browser that is.")
    site: str | None
    login: str | None
    waiting: int = Field(description="Jobs on Vinted that have not ended.")
    next_at: datetime | None = Field(description="When the account's pace allows the next request.")

    @classmethod
    def of(cls, status: ConnectionStatus) -> Self:
        """Show a status."""
        return cls(
            state=status.standing,
            reason=status.reason,
            executor=status.executor is not None,
            device=status.device,
            site=status.site,
            login=status.login,
            waiting=status.waiting,
            next_at=status.next_at,
        )


class SiteIn(BaseModel):
    """The site of Vinted's that the shop sells on."""

    model_config = ConfigDict(extra="forbid")

    site: Annotated[str, Field(min_length=1, max_length=100)] = Field(examples=["www.vinted.fr"])
