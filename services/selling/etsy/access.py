"""Access tokens of sellers: renewed before they expire, by one process at a time.

A lease column, taken under a row lock in a short transaction, says who renews; Etsy is asked
outside of any transaction; a second short transaction stores both new tokens. Etsy's refresh
tokens are good once, so what counts there is not who has the lease but which token was used: an
answer is stored as long as the token that it was got with is still the stored one, and a refusal
ends the connection only if it was about the stored one.

An answer may be lost after Etsy has replaced the token. The lease is given back and the same
token tried again later: either Etsy had not seen it and gives a pair, or it says that the token is
void, which ends the connection. Nothing is asked for ever.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from models.selling.etsy import EtsyAccount, EtsyAccountStatus
from models.selling.publishing import Channel
from repositories.accounts.order_polls import OrderPollRepository
from repositories.selling.etsy import EtsyAccountRepository
from services.accounts.outbox.recording import OutboxRecorder
from services.gateways.calls import TokenSource
from services.gateways.etsy.errors import EtsyGrantRefused
from services.gateways.etsy.oauth import EtsyGrant, EtsyOAuth
from services.selling.publishing.connections import ChannelNeedsReconnecting, ChannelReconnected
from services.selling.publishing.pausing import pause
from shared.clock import Clock
from shared.database import Database, TenantSchema, TenantSession
from shared.encryption import SecretBox
from shared.errors import EtsyError, Remedy

log = structlog.get_logger(__name__)

RENEW_BEFORE = timedelta(minutes=5)
"""A token that lives no longer than this is renewed."""

_GOOD_FOR_A_CALL = timedelta(seconds=45)
"""A token that lives longer than this may still be used while somebody renews it."""

_LEASE = timedelta(seconds=60)
"""Longest a renewal may take before another process tries: well beyond our longest wait for an
answer, because a second try with the same token voids the first one's answer."""

_LOOKS = 40
_PAUSE_SECONDS = 0.05
"""Together 2 s of waiting for somebody else's renewal; a job then waits without a thread."""


@dataclass(frozen=True, slots=True)
class _Access:
    """A token that opens Etsy until `expires_at`."""

    token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Mine:
    """We hold the lease until `until`."""

    until: datetime
    refresh_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Theirs:
    """Somebody else is renewing."""


class EtsyAccess:
    """Hands out tokens. Thread-safe; opens its own short transactions."""

    def __init__(
        self,
        database: Database,
        oauth: EtsyOAuth,
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

    def grant(self, tenant: TenantSchema, rejected: str | None = None) -> _Access:
        """A good token, and another one than `rejected`.

        Raises `EtsyError`: RECONNECT when there is no connection or Etsy has ended it, WAIT when
        somebody else's renewal takes too long.
        """
        for _ in range(_LOOKS):
            match self._look(tenant, rejected):
                case _Access() as good:
                    return good
                case _Mine() as mine:
                    return self._renew(tenant, mine)
                case _Theirs():
                    self._pause(_PAUSE_SECONDS)
        raise EtsyError(
            "The connection to Etsy is being renewed; we try again.",
            remedy=Remedy.WAIT,
            retry_after=5,
        )

    def _look(self, tenant: TenantSchema, rejected: str | None) -> _Access | _Mine | _Theirs:
        now = self._clock.now()
        with self._database.tenant(tenant) as session:
            account = EtsyAccountRepository(session).locked()
            if account is None or account.status is not EtsyAccountStatus.CONNECTED:
                raise _reconnect()
            current = _Access(self._box.open(account.access_token), account.access_expires_at)
            life = current.expires_at - now if current.token != rejected else timedelta(0)
            if life > RENEW_BEFORE:
                return current
            if account.refreshing_until is not None and account.refreshing_until > now:
                return current if life > _GOOD_FOR_A_CALL else _Theirs()
            account.refreshing_until = now + _LEASE
            return _Mine(account.refreshing_until, self._box.open(account.refresh_token))

    def _renew(self, tenant: TenantSchema, mine: _Mine) -> _Access:
        try:
            grant = self._oauth.refresh(mine.refresh_token)
        except EtsyGrantRefused as refused:
            reason = refused.reason
            self._settle(tenant, mine, lambda session, row: self._end(session, row, reason))
            log.warning("etsy.connection_ended", tenant=tenant.name, reason=reason)
            raise
        except BaseException:
            self._settle(tenant, mine, lambda _session, _account: None)
            raise
        self._settle(tenant, mine, lambda session, row: self._store(session, row, grant))
        return _Access(grant.token, grant.expires_at)

    def _settle(
        self,
        tenant: TenantSchema,
        mine: _Mine,
        change: Callable[[TenantSession, EtsyAccount], None],
    ) -> None:
        with self._database.tenant(tenant) as session:
            account = EtsyAccountRepository(session).locked()
            if account is None or not account.refresh_token:
                return
            if account.refreshing_until == mine.until:
                account.refreshing_until = None
            # Another token means that the seller has reconnected, or that somebody was faster.
            if self._box.open(account.refresh_token) == mine.refresh_token:
                change(session, account)

    def _end(self, session: TenantSession, account: EtsyAccount, reason: str) -> None:
        if account.status is EtsyAccountStatus.NEEDS_REAUTH:
            # Somebody who tried the same token was refused before us, and has said so.
            return
        account.status = EtsyAccountStatus.NEEDS_REAUTH
        OrderPollRepository(session).leave(session.tenant, Channel.ETSY)
        pause(session, Channel.ETSY, self._clock)
        ended = ChannelNeedsReconnecting(Channel.ETSY, account.shop_name, reason)
        self._outbox.record(session, ended)

    def _store(self, session: TenantSession, account: EtsyAccount, grant: EtsyGrant) -> None:
        if account.status is EtsyAccountStatus.NEEDS_REAUTH:
            # Whoever tried the same token after us was refused, and took the connection for ended.
            account.status = EtsyAccountStatus.CONNECTED
            now = self._clock.now()
            OrderPollRepository(session).follow(session.tenant, Channel.ETSY, now)
            self._outbox.record(session, ChannelReconnected(Channel.ETSY))
        account.access_token = self._box.seal(grant.token)
        account.access_expires_at = grant.expires_at
        account.refresh_token = self._box.seal(grant.refresh_token)
        account.refresh_expires_at = grant.refresh_expires_at


class _ShopTokens:
    """Remembers the token between calls, so that not every call asks the database."""

    def __init__(self, access: EtsyAccess, tenant: TenantSchema, clock: Clock) -> None:
        self._access = access
        self._tenant = tenant
        self._clock = clock
        self._kept: _Access | None = None

    @property
    def account(self) -> str:
        return self._tenant.name

    def current(self) -> str:
        kept = self._kept
        if kept is None or kept.expires_at - self._clock.now() <= RENEW_BEFORE:
            kept = self._kept = self._access.grant(self._tenant)
        return kept.token

    def replacing(self, rejected: str) -> str:
        self._kept = self._access.grant(self._tenant, rejected)
        return self._kept.token


class EtsyAccessEnded(EtsyError):
    """Etsy does not let us into the shop's account."""

    code, title = "etsy-access-ended", "Etsy does not let us into the account"


def _reconnect() -> EtsyError:
    return EtsyAccessEnded(
        "The shop is not connected to Etsy. Connect the Etsy account first.",
        remedy=Remedy.RECONNECT,
    )
