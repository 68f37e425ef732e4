"""The shop's Vinted account, as a seller's browser tells of it, and what that browser is asked."""

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import BigKey, Json, Moment, TenantBase, words


class VintedSession(StrEnum):
    """What the browser last said of its session at Vinted."""

    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    WRONG_ACCOUNT = "wrong_account"
    """Somebody else is signed in there than when the account was connected."""
    OTHER_SITE = "other_site"
    """The browser works at another site than the shop sells on."""
    CHALLENGED = "challenged"
    """Vinted wants to see a person; nothing is sent until one has been there."""
    UNREACHABLE = "unreachable"
    """The browser has no way to Vinted at the moment."""
    PAUSED = "paused"
    """The seller has paused the extension in that browser."""


class VintedAccount(TenantBase):
    """One account at Vinted. Password and cookies stay in the browser; we never see them."""

    __tablename__ = "vinted_accounts"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Always 1: a shop has one account at Vinted."""
    site: Mapped[str]
    """Host that the shop sells on, such as `www.vinted.fr`."""
    browser_site: Mapped[str | None]
    """Host that the executor works at, as it last said."""
    remote_user_id: Mapped[str | None]
    """Vinted's number of the seller, once a browser was signed in; another one is refused."""
    login: Mapped[str | None]
    session: Mapped[VintedSession] = mapped_column(words(VintedSession, "session"))
    paused_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """Set while the seller wants nothing to be done."""
    challenged_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """When Vinted stopped the browser that worked: while it is challenged no other steps in."""
    executor: Mapped[str | None]
    """Socket of the one browser that executes."""
    executor_device: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    """Sign-in of that browser: it remembers what it has done, another one does not."""
    executor_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """Until then another browser does not take its place; the process with the socket renews it.
    Without an executor, when it went."""
    next_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """Pacing: no command is sent before."""
    choices: Mapped[Json]
    """What the seller decided for all listings, such as the size of parcels."""
    connected_at: Mapped[Moment]
    checked_at: Mapped[Moment]


class CommandState(StrEnum):
    """Where a command is on its way through the browser."""

    WAITING = "waiting"
    """A row and nothing else: no browser knows of it."""
    SENT = "sent"
    """On its way to the executor, or there."""
    ANSWERED = "answered"
    NOT_SENT = "not_sent"
    """The request has not left the browser."""
    LOST = "lost"
    """It may have reached Vinted, and nobody knows."""
    WITHDRAWN = "withdrawn"
    """Taken back before any browser knew of it."""


class VintedCommand(TenantBase):
    """One request for the seller's browser to make; its answer ends up in the same row."""

    __tablename__ = "vinted_commands"
    __table_args__ = (
        UniqueConstraint("job_id", "step", "round"),
        Index("ix_vinted_commands_waiting", "job_id", postgresql_where=text("state = 'waiting'")),
        Index("ix_vinted_commands_sent", "sent_at", postgresql_where=text("state = 'sent'")),
        Index("ix_vinted_commands_created_at", "created_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("marketplace_jobs.id", ondelete="CASCADE"))
    step: Mapped[str]
    """What the handler calls it: the same step of a job is asked for once."""
    round: Mapped[int]
    """1, and one more each time that the handler asks the same anew."""
    state: Mapped[CommandState] = mapped_column(words(CommandState, "state"))
    site: Mapped[str]
    method: Mapped[str]
    path: Mapped[str]
    query: Mapped[dict[str, str]] = mapped_column(JSONB)
    body: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    photo: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    """Key, digest and form fields of a photo to upload; its signed address is made on sending."""
    executor_device: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    created_at: Mapped[Moment]
    sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """When it was sent last."""
    lost_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """From then on nobody waits for the answer; a late one is kept all the same."""
    answered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    status: Mapped[int | None]
    """HTTP status."""
    content_type: Mapped[str | None]
    retry_after: Mapped[str | None]
    answer: Mapped[str | None]
    """The answer's text."""
    truncated: Mapped[bool]
    challenged: Mapped[bool]
    """Whether the browser saw in it a check for a person."""
    asked_again: Mapped[bool]
    """Its answer is used up: the next time that the job asks, it is another command."""
    detail: Mapped[str | None]
    """What the browser said beside it."""


class VintedProductChoice(TenantBase):
    """What a seller decided for Vinted alone; what is None is left to the account's choices."""

    __tablename__ = "vinted_product_choices"

    id: Mapped[BigKey]
    product_id: Mapped[int] = mapped_column(
        ForeignKey("products.id", ondelete="CASCADE"), unique=True
    )
    catalog_id: Mapped[int | None]
    """Vinted's category."""
    size_id: Mapped[int | None]
    package_size_id: Mapped[int | None]
    color_ids: Mapped[list[int]] = mapped_column(JSONB)
