"""Connecting a shop's account: consent, tokens, and who the seller is.

The marketplace is asked only between transactions: each method here opens its own short ones.
"""

from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

import structlog

from models.accounts.channel_consents import ChannelConsent
from models.selling.channel_accounts import ChannelAccount
from models.selling.publishing import Channel
from repositories.accounts.order_polls import OrderPollRepository
from services.accounts.channel_consents.consents import ChannelConsents
from services.accounts.outbox.recording import OutboxRecorder
from services.selling.channel_accounts.access import Grant
from services.selling.publishing.connections import SPELLED
from shared.clock import Clock
from shared.database import Database, TenantSchema, TenantSession
from shared.encryption import SecretBox
from shared.errors import MarketplaceError

log = structlog.get_logger(__name__)

GatewayT = TypeVar("GatewayT")
AccountT = TypeVar("AccountT", bound=ChannelAccount)
AgreedT = TypeVar("AgreedT")


class FirstToken:
    """The token of a fresh consent; there is no other to be had with it. A `TokenSource`."""

    def __init__(self, token: str, refused: MarketplaceError) -> None:
        self._token = token
        self._refused = refused

    @property
    def account(self) -> str:
        """Nobody's yet."""
        return ""

    def current(self) -> str:
        """The token."""
        return self._token

    def replacing(self, rejected: str) -> str:
        """Raises what the consent ends with."""
        raise self._refused


class ChannelConnecting(ABC, Generic[GatewayT, AccountT, AgreedT]):
    """From a consent to stored tokens, and back; how it begins each channel says itself."""

    channel: ClassVar[Channel]

    def __init__(self, database: Database, gateway: GatewayT, box: SecretBox, clock: Clock) -> None:
        self._database = database
        self._gateway = gateway
        self._box = box
        self._clock = clock
        self._outbox = OutboxRecorder(clock)
        self._consents = ChannelConsents(database, self.channel, SPELLED[self.channel], clock)

    def asked_by(self, state: str) -> str:
        """The e-mail address of the account that began the consent; nothing is used up.

        Raises `ConsentStateRefused`, as `finish` would.
        """
        return self._consents.asked_by(state)

    def finish(self, state: str, code: str | None, error: str | None) -> TenantSchema:
        """Complete the consent behind `state`; returns the shop it belongs to.

        Raises `ConsentStateRefused`, `ConsentDeclined`, what the channel's room and the gateway
        raise. The state is used up in every case; nothing else changes unless all went well.
        """
        consent, agreed = self._consents.use(state, code, error)
        tenant = TenantSchema(consent.tenant_id)
        found = self._ask(consent, state, agreed)
        with self._database.tenant(tenant) as session:
            self._store(session, found)
            OrderPollRepository(session).follow(tenant, self.channel, self._clock.now())
        log.info(f"{self.channel}.connected", tenant=tenant.name, user_id=consent.user_id)
        return tenant

    def disconnect(self, tenant: TenantSchema) -> None:
        """Erase the tokens. Listings stay as they are."""
        with self._database.tenant(tenant) as session:
            account = self._locked(session)
            if account is None:
                return
            self._leave(account)
            account.access_token = account.refresh_token = ""
            account.access_expires_at = account.refresh_expires_at = self._clock.now()
            account.refreshing_until = None
            OrderPollRepository(session).leave(tenant, self.channel)

    @abstractmethod
    def _locked(self, session: TenantSession) -> AccountT | None:
        """The account, whatever its status."""

    @abstractmethod
    def _ask(self, consent: ChannelConsent, state: str, code: str) -> AgreedT:
        """Turn the code into tokens, and ask whose they are."""

    @abstractmethod
    def _store(self, session: TenantSession, agreed: AgreedT) -> None:
        """Write the account down; refuse another one than the shop's."""

    @abstractmethod
    def _leave(self, account: AccountT) -> None:
        """Write down that the seller has disconnected it."""

    def _sealed(self, access: Grant, refresh_token: str, good_until: datetime) -> dict[str, Any]:
        """Columns of the tokens that a consent gives."""
        return {
            "access_token": self._box.seal(access.token),
            "access_expires_at": access.expires_at,
            "refresh_token": self._box.seal(refresh_token),
            "refresh_expires_at": good_until,
            "refreshing_until": None,
            "connected_at": self._clock.now(),
        }
