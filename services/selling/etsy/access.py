"""Access tokens of sellers at Etsy, whose refresh tokens are good once.

So what counts is not who has the lease but which token was used: an answer is stored as long as
the token that it was got with is still the stored one, and a refusal ends the connection only if it
was about the stored one.

An answer may be lost after Etsy has replaced the token. The lease is given back and the same
token tried again later: either Etsy had not seen it and gives a pair, or it says that the token is
void, which ends the connection. Nothing is asked for ever.
"""

from datetime import timedelta

from models.selling.etsy import EtsyAccount, EtsyAccountStatus
from models.selling.publishing import Channel
from repositories.accounts.order_polls import OrderPollRepository
from repositories.selling.etsy import EtsyAccountRepository
from services.gateways.etsy.oauth import EtsyGrant, EtsyOAuth
from services.selling.channel_accounts.access import ChannelAccess, Mine
from services.selling.publishing.connections import ChannelReconnected
from shared.database import TenantSession
from shared.errors import EtsyError


class EtsyAccessEnded(EtsyError):
    """Etsy does not let us into the shop's account."""

    code, title = "etsy-access-ended", "Etsy does not let us into the account"


class EtsyAccess(ChannelAccess[EtsyOAuth, EtsyAccount, EtsyGrant]):
    """Hands out tokens. Thread-safe; opens its own short transactions."""

    channel = Channel.ETSY
    lease = timedelta(seconds=60)
    """Well beyond our longest wait for an answer, because a second try with the same token voids
    the first one's answer."""
    error, ended = EtsyError, EtsyAccessEnded

    def _locked(self, session: TenantSession) -> EtsyAccount | None:
        return EtsyAccountRepository(session).locked()

    def _ask(self, mine: Mine) -> EtsyGrant:
        return self._oauth.refresh(mine.refresh_token)

    def _is_ours(self, account: EtsyAccount, mine: Mine) -> bool:
        """Another token means that the seller has reconnected, or that somebody was faster."""
        kept = account.refresh_token
        return bool(kept) and self._box.open(kept) == mine.refresh_token

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

    def _end(self, account: EtsyAccount) -> None:
        account.status = EtsyAccountStatus.NEEDS_REAUTH
