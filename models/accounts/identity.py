"""Accounts, signed-in sessions and their refresh tokens."""

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, Uuid, func, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import WRITTEN_WITH_SHOPS, BigKey, Moment, PlatformBase, words


class Role(StrEnum):
    """What an account may do beside running its own shop."""

    MEMBER = "member"
    ADMIN = "admin"


class User(PlatformBase):
    """A person with an account. Addresses are compared without regard to case."""

    __tablename__ = "users"
    __table_args__ = ({"schema": "public", "info": WRITTEN_WITH_SHOPS},)

    id: Mapped[BigKey]
    public_id: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True)
    email: Mapped[str]
    password_hash: Mapped[str]
    """argon2id, with its parameters in it."""
    full_name: Mapped[str]
    role: Mapped[Role] = mapped_column(words(Role, "role"))
    failed_sign_ins: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[Moment]


Index("uq_users_email_folded", func.lower(User.email), unique=True)


class AuthSession(PlatformBase):
    """One sign-in on one device: the family that all its refresh tokens belong to."""

    __tablename__ = "auth_sessions"
    __table_args__ = ({"schema": "public", "info": WRITTEN_WITH_SHOPS},)

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    user_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("public.users.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_because: Mapped[str | None]
    device: Mapped[str | None]
    """How the seller knows the browser that was paired; None for people who signed in."""


class DevicePairing(PlatformBase):
    """A code that pairs a browser with an account, by its SHA-256; deleted when it is used."""

    __tablename__ = "device_pairings"
    __table_args__ = ({"schema": "public", "info": WRITTEN_WITH_SHOPS},)

    code_hash: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("public.users.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]


class RefreshToken(PlatformBase):
    """A refresh token, by its SHA-256; usable once."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (
        Index("ix_refresh_tokens_unused", "session_id", postgresql_where=text("used_at IS NULL")),
        Index("ix_refresh_tokens_session_id", "session_id"),
        {"schema": "public", "info": WRITTEN_WITH_SHOPS},
    )

    id: Mapped[BigKey]
    session_id: Mapped[uuid.UUID] = mapped_column(
        Uuid, ForeignKey("public.auth_sessions.id", ondelete="CASCADE")
    )
    token_hash: Mapped[str] = mapped_column(unique=True)
    issued_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    @property
    def is_void(self) -> bool:
        """Whether it was replaced before it was used: it ran out when it was issued."""
        return self.expires_at <= self.issued_at
