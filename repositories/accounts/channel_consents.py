"""Consents that are under way at a marketplace."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select, update

from models.accounts.channel_consents import ChannelConsent
from shared.database import PlatformSession


class ChannelConsentRepository:
    """Rows of `public.channel_consents`."""

    def __init__(self, session: PlatformSession) -> None:
        self._session = session

    def add(self, consent: ChannelConsent) -> None:
        """Store a new consent request."""
        self._session.add(consent)
        self._session.flush()

    def unused(self, state_hash: str, channel: str) -> ChannelConsent | None:
        """A consent request without using it up; None when it is unknown or was used."""
        return self._session.scalar(
            select(ChannelConsent).where(
                ChannelConsent.state_hash == state_hash,
                ChannelConsent.channel == channel,
                ChannelConsent.used_at.is_(None),
            )
        )

    def use(self, state_hash: str, channel: str, now: datetime) -> ChannelConsent | None:
        """Use up a state; None when it is unknown or was used. Only one caller ever gets it."""
        return self._session.scalar(
            update(ChannelConsent)
            .where(
                ChannelConsent.state_hash == state_hash,
                ChannelConsent.channel == channel,
                ChannelConsent.used_at.is_(None),
            )
            .values(used_at=now)
            .returning(ChannelConsent)
        )

    def open_verifiers(self, now: datetime) -> Sequence[str]:
        """Sealed verifiers of consents that may still be completed."""
        found = self._session.scalars(
            select(ChannelConsent.sealed_verifier).where(
                ChannelConsent.used_at.is_(None),
                ChannelConsent.expires_at > now,
                ChannelConsent.sealed_verifier.is_not(None),
            )
        )
        return [verifier for verifier in found if verifier is not None]

    def forget_expired_before(self, moment: datetime) -> int:
        """Delete requests whose time ran out before `moment`."""
        gone = self._session.scalars(
            delete(ChannelConsent)
            .where(ChannelConsent.expires_at < moment)
            .returning(ChannelConsent.state_hash)
        )
        return len(gone.all())
