"""What the extension sends, as docs/extension-protocol.yaml has it. Nothing else is taken."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.selling.vinted import VintedSession
from services.selling.vinted.bridge.dispatching import Refusal
from services.selling.vinted.bridge.executors import SessionSaid
from services.selling.vinted.bridge.results import CommandResult, Outcome


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SessionUpdate(_Sent):
    """What the browser knows of its session at Vinted."""

    state: Literal["signed_in", "signed_out", "challenged", "unreachable", "paused"]
    site: str | None = Field(default=None, max_length=100)
    vinted_user_id: str | None = Field(default=None, max_length=20)
    login: str | None = Field(default=None, max_length=100)
    holding: list[UUID] = Field(default=[], max_length=100)
    """For whoever reads along: what is waited for is sent again, whatever it holds."""

    def said(self) -> SessionSaid:
        """In the words of the bridge."""
        return SessionSaid(VintedSession(self.state), self.site, self.vinted_user_id, self.login)


class Challenge(_Sent):
    """Vinted wants to see a person."""

    command_id: UUID | None = None
    site: str | None = Field(default=None, max_length=100)
    status: int | None = None


class Result(_Sent):
    """What came of a command."""

    command_id: UUID
    lease: str = Field(max_length=8192)
    outcome: Outcome
    status: Annotated[int, Field(ge=100, le=599)] | None = None
    content_type: str | None = Field(default=None, max_length=200)
    retry_after: str | None = Field(default=None, max_length=100)
    body: str | None = Field(default=None, max_length=200_000)
    truncated: bool = False
    challenged: bool = False
    detail: str | None = Field(default=None, max_length=500)

    @model_validator(mode="after")
    def _an_answer_has_a_status(self) -> Self:
        if self.outcome is Outcome.ANSWERED and self.status is None:
            raise ValueError("an answer has a status")
        return self

    def told(self) -> CommandResult:
        """In the words of the bridge. PostgreSQL has no NUL in its texts."""
        return CommandResult(
            self.command_id,
            self.lease,
            self.outcome,
            self.status,
            _storable(self.content_type),
            _storable(self.retry_after),
            _storable(self.body),
            self.truncated,
            self.challenged,
            _storable(self.detail),
        )


class CommandAck(_Sent):
    """Whether a command was taken."""

    taken: Literal[True] | None = None
    refused: Refusal | None = None
    detail: str = Field(default="", max_length=500)


def _storable(text: str | None) -> str | None:
    if text is None:
        return None
    return text.replace("\0", "�").encode("utf-8", "replace").decode()
