"""Access tokens of sellers at eBay. The refresh token stays what it is; the lease decides."""

from datetime import timedelta

from models.selling.ebay import ConnectionStatus, EbayConnection
from models.selling.publishing import Channel
from repositories.selling.ebay import EbayConnectionRepository
from services.gateways.calls import AccessGrant
from services.gateways.ebay.oauth import EbayOAuth
from services.selling.channel_accounts.access import ChannelAccess, Mine
from shared.database import TenantSession
from shared.errors import EbayError


class EbayAccessEnded(EbayError):
    """eBay does not let us into the shop's account."""

    code, title = "ebay-access-ended", "eBay does not let us into the account"


class EbayAccess(ChannelAccess[EbayOAuth, EbayConnection, AccessGrant]):
    """Hands out tokens. Thread-safe; opens its own short transactions."""

    channel = Channel.EBAY
    lease = timedelta(seconds=30)
    error, ended = EbayError, EbayAccessEnded

    def _locked(self, session: TenantSession) -> EbayConnection | None:
        return EbayConnectionRepository(session).locked()

    def _ask(self, mine: Mine) -> AccessGrant:
        return self._oauth.refresh(mine.refresh_token, mine.scopes)

    def _is_ours(self, account: EbayConnection, mine: Mine) -> bool:
        """Another lease means that we were too slow, or that the seller has reconnected."""
        return account.refreshing_until == mine.until

    def _store(self, session: TenantSession, account: EbayConnection, grant: AccessGrant) -> None:
        account.access_token = self._box.seal(grant.token)
        account.access_expires_at = grant.expires_at

    def _end(self, account: EbayConnection) -> None:
        account.status = ConnectionStatus.NEEDS_REAUTH
