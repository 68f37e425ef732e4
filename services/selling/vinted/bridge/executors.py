"""Which of a seller's browsers executes: one for each account, chosen here.

Locks, in the order of the bridge: the account, its browser bell, the shop's counter of news.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from models.selling.vinted import VintedAccount, VintedSession
from repositories.accounts.browser_bells import BrowserBellRepository
from repositories.selling.vinted import VintedAccountRepository
from services.selling.vinted.bridge.standing import (
    ConnectionStatus,
    executes_now,
    status_of,
)
from services.selling.vinted.bridge.telling import VintedNews
from services.selling.vinted.sites import checked_site
from shared.clock import Clock
from shared.database import Database, TenantSchema, TenantSession
from shared.errors import BadInput, FieldProblem

EXECUTOR_LEASE = timedelta(minutes=2)
"""How long an executor whose process died keeps its place from other browsers; a socket that closes
in order, or the same browser on a new socket, gives it up at once. As long again the place is kept
from browsers that cannot work."""

_WAITS_FOR_A_LOCK = timedelta(seconds=1)
"""To renew a place: it is tried again soon, and others want to be renewed."""


@dataclass(frozen=True, slots=True)
class Browser:
    """One socket of a paired browser."""

    socket: str
    device: UUID
    """Its sign-in: the same browser on another socket has the same."""


@dataclass(frozen=True, slots=True)
class SessionSaid:
    """What a browser says of its session at Vinted."""

    session: VintedSession
    site: str | None = None
    remote_user_id: str | None = None
    login: str | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """How the account stands after a browser has said something."""

    status: ConnectionStatus
    replaced: str | None
    """An older socket of the same browser that executed until now: nobody is behind it any more."""


class Executors:
    """Opens its own short transactions."""

    def __init__(self, database: Database, sites: Collection[str], clock: Clock) -> None:
        """`sites` are the hosts of Vinted that there are."""
        self._database = database
        self._sites = sites
        self._clock = clock
        self._news = VintedNews(clock)

    def say(
        self, tenant: TenantSchema, browser: Browser, said: SessionSaid, *, again: bool = False
    ) -> Heard:
        """Take down what a browser says; it executes from now on when it is its turn.

        `again`: it has said so before, and may be on a newer socket now.
        Raises `BadInput` for a site that is none of Vinted's, and for a sign-in of nobody.
        """
        if said.session is VintedSession.SIGNED_IN and said.remote_user_id is None:
            field = FieldProblem("vinted_user_id", "Say who is signed in.", "missing")
            raise BadInput("Who is signed in at Vinted was not said.", fields=[field])
        site = checked_site(said.site, self._sites)
        with self._database.tenant(tenant) as session:
            account = self._account(session, site)
            if again and self._is_elsewhere(account, browser):
                return Heard(status_of(session, account, self._clock.now()), None)
            before = account.executor if account.executor_device == browser.device else None
            with self._news.telling(session, account):
                if self._is_its_turn(account, browser, said):
                    self._take_down(session, account, browser, said)
            status = status_of(session, account, self._clock.now())
        return Heard(status, None if before == browser.socket else before)

    def leave(self, tenant: TenantSchema, browser: Browser) -> None:
        """Its socket has closed; without effect unless it executed."""
        with self._database.tenant(tenant) as session:
            account = VintedAccountRepository(session).locked()
            if account is None or account.executor != browser.socket:
                return
            with self._news.telling(session, account):
                account.executor, account.executor_until = None, self._clock.now()

    def renew(self, tenant: TenantSchema, browser: Browser) -> bool:
        """Keep its place; False when it has none any more."""
        with (
            self._database.tenant_session(tenant, lock_timeout=_WAITS_FOR_A_LOCK) as session,
            session.begin(),
        ):
            until = self._clock.now() + EXECUTOR_LEASE
            return VintedAccountRepository(session).keep_place(browser.socket, until)

    def _account(self, session: TenantSession, site: str | None) -> VintedAccount:
        accounts = VintedAccountRepository(session)
        account = accounts.locked()
        if account is None:
            now = self._clock.now()
            accounts.add_unless_there(
                {
                    "site": site or next(iter(self._sites)),
                    "session": VintedSession.UNREACHABLE,
                    "choices": {},
                    "connected_at": now,
                    "checked_at": now,
                }
            )
            account = accounts.locked()
        assert account is not None
        return account

    def _is_elsewhere(self, account: VintedAccount, browser: Browser) -> bool:
        """Whether this browser executes on another socket."""
        same = account.executor_device == browser.device and account.executor != browser.socket
        return same and executes_now(account, self._clock.now())

    def _is_its_turn(self, account: VintedAccount, browser: Browser, said: SessionSaid) -> bool:
        """Whoever executes goes on, also on a new socket. Another browser takes its place when that
        one is away or cannot work, and it can itself; never that of one which Vinted has stopped.
        Where nobody comes back, whoever is there has the place.
        """
        now, until = self._clock.now(), account.executor_until
        if account.executor_device == browser.device or until is None:
            return True
        if until + EXECUTOR_LEASE <= now:
            return True
        if account.session is VintedSession.CHALLENGED and account.challenged_at is not None:
            return False
        needs_help = account.session is not VintedSession.SIGNED_IN or not executes_now(
            account, now
        )
        return needs_help and _session_of(account, said) is VintedSession.SIGNED_IN

    def _take_down(
        self,
        session: TenantSession,
        account: VintedAccount,
        browser: Browser,
        said: SessionSaid,
    ) -> None:
        now = self._clock.now()
        is_new = account.executor_device != browser.device
        worked = not is_new and account.session is VintedSession.SIGNED_IN
        if is_new:
            account.challenged_at = None
        account.executor, account.executor_device = browser.socket, browser.device
        account.executor_until, account.checked_at = now + EXECUTOR_LEASE, now
        account.session = _session_of(account, said)
        account.browser_site = said.site or account.browser_site
        if account.session is VintedSession.SIGNED_IN:
            account.remote_user_id, account.challenged_at = said.remote_user_id, None
            account.login = said.login or account.login
        elif account.session is VintedSession.CHALLENGED and worked:
            account.challenged_at = now
        session.flush()
        BrowserBellRepository(session).ring(session.tenant, now)


def _session_of(account: VintedAccount, said: SessionSaid) -> VintedSession:
    if said.session not in (VintedSession.SIGNED_IN, VintedSession.SIGNED_OUT):
        return said.session
    if said.site not in (None, account.site):
        return VintedSession.OTHER_SITE
    if said.session is VintedSession.SIGNED_OUT:
        return VintedSession.SIGNED_OUT
    if account.remote_user_id not in (None, said.remote_user_id):
        return VintedSession.WRONG_ACCOUNT
    return VintedSession.SIGNED_IN
