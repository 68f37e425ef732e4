"""Access tokens of sellers: renewed before they expire, by one process at a time.

A lease column, taken under a row lock in a short transaction, says who renews; the marketplace is
asked outside of any transaction; a second short transaction stores what it gave. Whoever comes
meanwhile uses the old token as long as it is good, or looks again shortly.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar, Generic, Protocol, TypeVar

import structlog

from models.selling.channel_accounts import ChannelAccount
from models.selling.publishing import Channel
from repositories.accounts.order_polls import OrderPollRepository
from services.accounts.outbox.recording import OutboxRecorder
from services.gateways.calls import AccessGrant, TokenSource
from services.selling.publishing.connections import SPELLED, ChannelNeedsReconnecting
from services.selling.publishing.pausing import pause
from shared.clock import Clock
from shared.database import Database, TenantSchema, TenantSession
from shared.encryption import SecretBox
from shared.errors import MarketplaceError, Remedy

log = structlog.get_logger(__name__)

RENEW_BEFORE = timedelta(minutes=5)
"""A token that lives no longer than this is renewed."""

_GOOD_FOR_A_CALL = timedelta(seconds=45)
"""A token that lives longer than this may still be used while somebody renews it."""

_LOOKS = 40
_PAUSE_SECONDS = 0.05
"""Together 2 s of waiting for somebody else's renewal; a job then waits without a thread."""


class Grant(Protocol):
    """What a marketplace gives for a refresh token."""

    @property
    def token(self) -> str:
        """The new access token."""
        ...

    @property
    def expires_at(self) -> datetime:
        """Until when it is good."""
        ...


OAuthT = TypeVar("OAuthT")
AccountT = TypeVar("AccountT", bound=ChannelAccount)
GrantT = TypeVar("GrantT", bound=Grant)


@dataclass(frozen=True, slots=True)
class Mine:
    """We hold the lease until `until`."""

    until: datetime
    refresh_token: str = field(repr=False)
    scopes: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Theirs:
    """Somebody else is renewing."""


class ChannelAccess(ABC, Generic[OAuthT, AccountT, GrantT]):
    """Hands out tokens of one channel. Thread-safe; opens its own short transactions."""

    channel: ClassVar[Channel]
    lease: ClassVar[timedelta]
    """Longest a renewal may take before another process tries."""
    error: ClassVar[type[MarketplaceError]]
    ended: ClassVar[type[MarketplaceError]]
    """Raised when the marketplace does not let us into the account."""

    def __init__(
        self,
        database: Database,
        oauth: OAuthT,
        box: SecretBox,
        clock: Clock,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._database = database
        self._oauth = oauth
        self._box = box
        self._clock = clock
        self._pause = pause
        self._outbox = OutboxRecorder(clock)

    def tokens_of(self, tenant: TenantSchema) -> TokenSource:
        """The shop's tokens, for one job or one request."""
        return _ShopTokens(self.grant, tenant, self._clock)

    def grant(self, tenant: TenantSchema, rejected: str | None = None) -> AccessGrant:
        """A good token, and another one than `rejected`.

        Raises `MarketplaceError`: RECONNECT when there is no connection or the marketplace has
        ended it, WAIT when somebody else's renewal takes too long.
        """
        for _ in range(_LOOKS):
            match self._look(tenant, rejected):
                case AccessGrant() as good:
                    return good
                case Mine() as mine:
                    return self._renew(tenant, mine)
                case _Theirs():
                    self._pause(_PAUSE_SECONDS)
        raise self.error(
            f"The connection to {SPELLED[self.channel]} is being renewed; we try again.",
            remedy=Remedy.WAIT,
            retry_after=5,
        )

    @abstractmethod
    def _locked(self, session: TenantSession) -> AccountT | None:
        """The account, whatever its status."""

    @abstractmethod
    def _ask(self, mine: Mine) -> GrantT:
        """Ask the marketplace; a refusal for good is a `MarketplaceError` with RECONNECT."""

    @abstractmethod
    def _is_ours(self, account: AccountT, mine: Mine) -> bool:
        """Whether what came of the renewal is about the account as it is now."""

    @abstractmethod
    def _store(self, session: TenantSession, account: AccountT, grant: GrantT) -> None:
        """Write the new tokens down."""

    @abstractmethod
    def _end(self, account: AccountT) -> None:
        """Write down that a new consent is needed."""

    def _look(self, tenant: TenantSchema, rejected: str | None) -> AccessGrant | Mine | _Theirs:
        now = self._clock.now()
        with self._database.tenant(tenant) as session:
            account = self._locked(session)
            if account is None or not account.connected:
                raise self._reconnect()
            current = AccessGrant(self._box.open(account.access_token), account.access_expires_at)
            life = current.expires_at - now if current.token != rejected else timedelta(0)
            if life > RENEW_BEFORE:
                return current
            if account.refreshing_until is not None and account.refreshing_until > now:
                return current if life > _GOOD_FOR_A_CALL else _Theirs()
            account.refreshing_until = until = now + self.lease
            return Mine(until, self._box.open(account.refresh_token), list(account.scopes))

    def _renew(self, tenant: TenantSchema, mine: Mine) -> AccessGrant:
        try:
            grant = self._ask(mine)
        except BaseException as failure:
            self._settle(tenant, mine, partial(self._give_up, failure))
            raise
        self._settle(tenant, mine, lambda session, row: self._store(session, row, grant))
        return AccessGrant(grant.token, grant.expires_at)

    def _settle(
        self,
        tenant: TenantSchema,
        mine: Mine,
        change: Callable[[TenantSession, AccountT], None],
    ) -> None:
        with self._database.tenant(tenant) as session:
            account = self._locked(session)
            if account is None:
                return
            is_ours = self._is_ours(account, mine)
            if account.refreshing_until == mine.until:
                account.refreshing_until = None
            if is_ours:
                change(session, account)

    def _give_up(self, failure: BaseException, session: TenantSession, account: AccountT) -> None:
        """Only a refusal ends the connection, and only once: another may have been first."""
        if not isinstance(failure, MarketplaceError) or failure.remedy is not Remedy.RECONNECT:
            return
        if not account.connected:
            return
        reason = str(failure.extra.get("oauth_error", failure.code))
        self._end(account)
        OrderPollRepository(session).leave(session.tenant, self.channel)
        pause(session, self.channel, self._clock)
        self._outbox.record(
            session, ChannelNeedsReconnecting(self.channel, account.name_there, reason)
        )
        log.warning(f"{self.channel}.connection_ended", tenant=session.tenant.name, reason=reason)

    def _reconnect(self) -> MarketplaceError:
        name = SPELLED[self.channel]
        return self.ended(
            f"The shop is not connected to {name}. Connect the {name} account first.",
            remedy=Remedy.RECONNECT,
        )


class _ShopTokens:
    """Remembers the token between calls, so that not every call asks the database."""

    def __init__(
        self,
        grant: Callable[[TenantSchema, str | None], AccessGrant],
        tenant: TenantSchema,
        clock: Clock,
    ) -> None:
        self._ask = grant
        self._tenant = tenant
        self._clock = clock
        self._grant: AccessGrant | None = None

    @property
    def account(self) -> str:
        return self._tenant.name

    def current(self) -> str:
        grant = self._grant
        if grant is None or grant.expires_at - self._clock.now() <= RENEW_BEFORE:
            grant = self._grant = self._ask(self._tenant, None)
        return grant.token

    def replacing(self, rejected: str) -> str:
        self._grant = self._ask(self._tenant, rejected)
        return self._grant.token
