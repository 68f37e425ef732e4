"""The shop's account at Vinted as the seller steers it: look, pause, resume, choose the site."""

from collections.abc import Collection
from uuid import UUID

from models.selling.vinted import VintedAccount, VintedSession
from repositories.accounts.browser_bells import BrowserBellRepository
from repositories.selling.vinted import VintedAccountRepository
from services.selling.vinted.bridge.standing import ConnectionStatus, status_of
from services.selling.vinted.bridge.telling import VintedNews
from services.selling.vinted.sites import checked_site
from shared.clock import Clock
from shared.database import TenantSession
from shared.errors import Conflict


class VintedNotPaired(Conflict):
    """No browser has been paired with this shop yet."""

    code, title = "vinted-not-paired", "No browser is paired for Vinted"


class VintedAccountDesk:
    """Works in the request's transaction."""

    def __init__(self, sites: Collection[str], clock: Clock) -> None:
        self._sites = sites
        self._clock = clock
        self._news = VintedNews(clock)

    def status(self, session: TenantSession) -> ConnectionStatus:
        """How the account stands."""
        account = VintedAccountRepository(session).get()
        return status_of(session, account, self._clock.now())

    def pause(self, session: TenantSession) -> ConnectionStatus:
        """Send nothing more; what is on its way is finished. Raises `VintedNotPaired`."""
        account = self._locked(session)
        with self._news.telling(session, account):
            account.paused_at = account.paused_at or self._clock.now()
        return status_of(session, account, self._clock.now())

    def resume(self, session: TenantSession) -> ConnectionStatus:
        """Go on. Raises `VintedNotPaired`."""
        account = self._locked(session)
        with self._news.telling(session, account):
            account.paused_at = None
            BrowserBellRepository(session).ring(session.tenant, self._clock.now())
        return status_of(session, account, self._clock.now())

    def let_go(self, session: TenantSession, device: UUID) -> None:
        """Free the place of a browser that is no longer paired, for the others."""
        account = VintedAccountRepository(session).locked()
        if account is None or account.executor_device != device:
            return
        with self._news.telling(session, account):
            account.executor = account.executor_until = None

    def choose_site(self, session: TenantSession, site: str) -> ConnectionStatus:
        """Sell on this site of Vinted's from now on. Raises `UnknownVintedSite`."""
        checked_site(site, self._sites)
        now = self._clock.now()
        accounts = VintedAccountRepository(session)
        accounts.add_unless_there(
            {
                "site": site,
                "session": VintedSession.UNREACHABLE,
                "choices": {},
                "connected_at": now,
                "checked_at": now,
            }
        )
        account = self._locked(session)
        with self._news.telling(session, account):
            if account.site != site:
                # Who is signed in there, is heard anew of the browser.
                account.site, account.session = site, VintedSession.UNREACHABLE
                account.remote_user_id = account.login = None
                BrowserBellRepository(session).ring(session.tenant, now)
        return status_of(session, account, now)

    def _locked(self, session: TenantSession) -> VintedAccount:
        account = VintedAccountRepository(session).locked()
        if account is None:
            raise VintedNotPaired("Pair a browser first: POST /api/v1/vinted/pairings.")
        return account
