"""The `state` of an OAuth redirect: which shop asked, once, for 15 minutes, on which channel."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.accounts.channel_consents import ChannelConsent
from repositories.accounts.channel_consents import ChannelConsentRepository
from repositories.accounts.identity import UserRepository
from shared.clock import Clock
from shared.database import Database, TenantSchema
from shared.errors import MalformedRequest

CONSENT_TTL = timedelta(minutes=15)
"""How long a seller may take on a marketplace's consent page."""

_KEEP_USED = timedelta(days=1)


class ConsentStateRefused(MalformedRequest):
    """The state of a redirect was not made here, has expired, or was used."""

    code, title = "consent-state-refused", "This consent can no longer be completed"


class ConsentDeclined(MalformedRequest):
    """The seller did not agree."""

    code, title = "consent-declined", "The account was not connected"


@dataclass(frozen=True, slots=True)
class ConsentRequest:
    """Where the seller agrees, and until when."""

    authorize_url: str
    expires_at: datetime


class ChannelConsents:
    """States of one channel. Opens its own short transactions."""

    def __init__(self, database: Database, channel: str, name: str, clock: Clock) -> None:
        """`name` is the marketplace's own, for sentences."""
        self._database = database
        self._channel = channel
        self._name = name
        self._clock = clock

    def begin(
        self,
        tenant: TenantSchema,
        user_id: int,
        state: str,
        sealed_verifier: str | None = None,
    ) -> datetime:
        """Store that this shop asked, by a hash of `state`; returns until when it may be used."""
        now = self._clock.now()
        expires_at = now + CONSENT_TTL
        with self._database.platform() as session:
            consents = ChannelConsentRepository(session)
            consents.forget_expired_before(now - _KEEP_USED)
            consents.add(
                ChannelConsent(
                    state_hash=_hash_of(state),
                    channel=self._channel,
                    sealed_verifier=sealed_verifier,
                    tenant_id=tenant.tenant_id,
                    user_id=user_id,
                    created_at=now,
                    expires_at=expires_at,
                )
            )
        return expires_at

    def asked_by(self, state: str) -> str:
        """The e-mail address of the account that began the consent; nothing is used up.

        Raises `ConsentStateRefused`, as `use` would.
        """
        with self._database.platform() as session:
            found = ChannelConsentRepository(session).unused(_hash_of(state), self._channel)
            consent = _good(found, self._clock.now())
            user = UserRepository(session).get(consent.user_id)
        if user is None:
            raise ConsentStateRefused("The account that asked for this is gone.")
        return user.email

    def use(self, state: str, code: str | None, error: str | None) -> tuple[ChannelConsent, str]:
        """Use up a state, in every case; returns what is behind it, and the code.

        Raises `ConsentStateRefused` and, when the seller did not agree, `ConsentDeclined`.
        """
        now = self._clock.now()
        with self._database.platform() as session:
            found = ChannelConsentRepository(session).use(_hash_of(state), self._channel, now)
        consent = _good(found, now)
        if error or not code:
            raise ConsentDeclined(
                f"You did not agree on {self._name}'s page, so nothing was connected. "
                "Start again whenever you like."
                if error in (None, "", "access_denied")
                else f"{self._name} ended the consent without connecting. Start again."
            )
        return consent, code


def _good(consent: ChannelConsent | None, now: datetime) -> ChannelConsent:
    if consent is None:
        raise ConsentStateRefused("This link was not made here or was used already.")
    if consent.expires_at <= now:
        raise ConsentStateRefused("This link has expired. Start again.")
    return consent


def _hash_of(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()
