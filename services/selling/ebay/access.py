"""Access tokens of sellers: renewed before they expire, by one process at a time.

A lease column, taken under a row lock in a short transaction, says who renews; eBay is asked
outside of any transaction; a second short transaction stores the token. Whoever comes meanwhile
uses the old token as long as it is good, or looks again shortly.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from models.selling.ebay import ConnectionStatus, EbayConnection
from models.selling.publishing import Channel
from repositories.accounts.order_polls import OrderPollRepository
from repositories.selling.ebay import EbayConnectionRepository
from services.accounts.outbox.recording import OutboxRecorder
from services.gateways.ebay.errors import EbayGrantRefused
from services.gateways.ebay.oauth import AccessGrant, EbayOAuth
from services.gateways.ebay.transport import TokenSource
from services.selling.publishing.connections import ChannelNeedsReconnecting
from services.selling.publishing.pausing import pause
from shared.clock import Clock
from shared.database import Database, TenantSchema, TenantSession
from shared.encryption import SecretBox
from shared.errors import EbayError, Remedy

log = structlog.get_logger(__name__)

RENEW_BEFORE = timedelta(minutes=5)
"""A token that lives no longer than this is renewed."""

_GOOD_FOR_A_CALL = timedelta(seconds=45)
"""A token that lives longer than this may still be used while somebody renews it."""

_LEASE = timedelta(seconds=30)
"""Longest a renewal may take before another process tries."""

_LOOKS = 40
_PAUSE_SECONDS = 0.05
"""Together 2 s of waiting for somebody else's renewal; a job then waits without a thread."""


@dataclass(frozen=True, slots=True)
class _Mine:
    """We hold the lease until `until`."""

    until: datetime
    refresh_token: str
    scopes: list[str]


@dataclass(frozen=True, slots=True)
class _Theirs:
    """Somebody else is renewing."""


class EbayAccess:
    """Hands out tokens. Thread-safe; opens its own short transactions."""

    def __init__(
        self,
        database: Database,
        oauth: EbayOAuth,
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
        return _ShopTokens(self, tenant, self._clock)

    def grant(self, tenant: TenantSchema, rejected: str | None = None) -> AccessGrant:
        """A good token, and another one than `rejected`.

        Raises `EbayError`: RECONNECT when there is no connection or eBay has ended it, WAIT when
        somebody else's renewal takes too long.
        """
        for _ in range(_LOOKS):
            match self._look(tenant, rejected):
                case AccessGrant() as good:
                    return good
                case _Mine() as mine:
                    return self._renew(tenant, mine)
                case _Theirs():
                    self._pause(_PAUSE_SECONDS)
        raise EbayError(
            "The connection to eBay is being renewed; we try again.",
            remedy=Remedy.WAIT,
            retry_after=5,
        )

    def _look(self, tenant: TenantSchema, rejected: str | None) -> AccessGrant | _Mine | _Theirs:
        now = self._clock.now()
        with self._database.tenant(tenant) as session:
            connection = EbayConnectionRepository(session).locked()
            if connection is None or connection.status is not ConnectionStatus.CONNECTED:
                raise _reconnect()
            current = AccessGrant(
                self._box.open(connection.access_token), connection.access_expires_at
            )
            life = current.expires_at - now if current.token != rejected else timedelta(0)
            if life > RENEW_BEFORE:
                return current
            if connection.refreshing_until is not None and connection.refreshing_until > now:
                return current if life > _GOOD_FOR_A_CALL else _Theirs()
            connection.refreshing_until = now + _LEASE
            return _Mine(
                connection.refreshing_until,
                self._box.open(connection.refresh_token),
                list(connection.scopes),
            )

    def _renew(self, tenant: TenantSchema, mine: _Mine) -> AccessGrant:
        try:
            grant = self._oauth.refresh(mine.refresh_token, mine.scopes)
        except EbayGrantRefused as refused:
            reason = refused.reason
            self._settle(tenant, mine, lambda session, row: self._end(session, row, reason))
            log.warning("ebay.connection_ended", tenant=tenant.name, reason=reason)
            raise
        except BaseException:
            self._settle(tenant, mine, lambda _session, _connection: None)
            raise
        self._settle(tenant, mine, lambda _session, row: self._store(row, grant))
        return grant

    def _settle(
        self,
        tenant: TenantSchema,
        mine: _Mine,
        change: Callable[[TenantSession, EbayConnection], None],
    ) -> None:
        with self._database.tenant(tenant) as session:
            connection = EbayConnectionRepository(session).locked()
            # Another lease means that we were too slow, or that the seller has reconnected.
            if connection is not None and connection.refreshing_until == mine.until:
                connection.refreshing_until = None
                change(session, connection)

    def _end(self, session: TenantSession, connection: EbayConnection, reason: str) -> None:
        connection.status = ConnectionStatus.NEEDS_REAUTH
        OrderPollRepository(session).leave(session.tenant, Channel.EBAY)
        pause(session, Channel.EBAY, self._clock)
        self._outbox.record(
            session,
            ChannelNeedsReconnecting(Channel.EBAY, connection.username, reason),
        )

    def _store(self, connection: EbayConnection, grant: AccessGrant) -> None:
        connection.access_token = self._box.seal(grant.token)
        connection.access_expires_at = grant.expires_at


class _ShopTokens:
    """Remembers the token between calls, so that not every call asks the database."""

    def __init__(self, access: EbayAccess, tenant: TenantSchema, clock: Clock) -> None:
        self._access = access
        self._tenant = tenant
        self._clock = clock
        self._grant: AccessGrant | None = None

    @property
    def account(self) -> str:
        return self._tenant.name

    def current(self) -> str:
        grant = self._grant
        if grant is None or grant.expires_at - self._clock.now() <= RENEW_BEFORE:
            grant = self._grant = self._access.grant(self._tenant)
        return grant.token

    def replacing(self, rejected: str) -> str:
        self._grant = self._access.grant(self._tenant, rejected)
        return self._grant.token


class EbayAccessEnded(EbayError):
    """eBay does not let us into the shop's account."""

    code, title = "ebay-access-ended", "eBay does not let us into the account"


def _reconnect() -> EbayError:
    return EbayAccessEnded(
        "The shop is not connected to eBay. Connect the eBay account first.",
        remedy=Remedy.RECONNECT,
    )
