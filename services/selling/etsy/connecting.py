"""Connecting the shop's Etsy account: consent with PKCE, tokens, and who the seller is.

Etsy is asked only between transactions: each method here opens its own short ones.
"""

from dataclasses import dataclass
from typing import Any

from models.accounts.channel_consents import ChannelConsent
from models.selling.etsy import EtsyAccount, EtsyAccountStatus
from models.selling.publishing import Channel
from repositories.selling.etsy import (
    EtsyAccountRepository,
    EtsyDraftRepository,
    EtsyPictureRepository,
)
from services.accounts.channel_consents.consents import ConsentRequest, ConsentStateRefused
from services.gateways.etsy.errors import EtsyGrantRefused
from services.gateways.etsy.gateway import EtsyGateway
from services.gateways.etsy.oauth import SELLER_SCOPES, EtsyGrant, new_verifier
from services.gateways.etsy.shop import EtsyShop
from services.selling.channel_accounts.connecting import ChannelConnecting, FirstToken
from services.selling.publishing.connections import ChannelReconnected
from shared.database import TenantSchema, TenantSession
from shared.errors import Conflict, EtsyError
from shared.ids import new_secret


class OtherEtsyAccount(Conflict):
    """The consent came from another Etsy account than the shop's."""

    code, title = "other-etsy-account", "This is another Etsy account"


class NoEtsyShop(Conflict):
    """Whoever consented sells nothing at Etsy."""

    code, title = "no-etsy-shop", "This Etsy account has no shop"


@dataclass(frozen=True, slots=True)
class _Agreed:
    grant: EtsyGrant
    shop: EtsyShop


class EtsyConnecting(ChannelConnecting[EtsyGateway, EtsyAccount, _Agreed]):
    """From the wish to connect to stored tokens, and back.

    `finish` raises `OtherEtsyAccount` and `NoEtsyShop`.
    """

    channel = Channel.ETSY

    def begin(self, tenant: TenantSchema, user_id: int) -> ConsentRequest:
        """Make a state and a verifier that are good once, for this shop, for 15 minutes.

        Raises `Misconfigured` when the installation has no Etsy application.
        """
        state, verifier = new_secret(), new_verifier()
        url = self._gateway.oauth.authorize_url(state, verifier)
        sealed = self._box.seal(verifier)
        return ConsentRequest(url, self._consents.begin(tenant, user_id, state, sealed))

    def _locked(self, session: TenantSession) -> EtsyAccount | None:
        return EtsyAccountRepository(session).locked()

    def _leave(self, account: EtsyAccount) -> None:
        account.status = EtsyAccountStatus.DISCONNECTED

    def _ask(self, consent: ChannelConsent, state: str, code: str) -> _Agreed:
        if consent.sealed_verifier is None:
            raise ConsentStateRefused("This link was not made for Etsy.")
        try:
            grant = self._gateway.oauth.exchange(code, self._box.open(consent.sealed_verifier))
        except EtsyGrantRefused:
            raise ConsentStateRefused("Etsy did not accept the consent. Start again.") from None
        refused = EtsyError("Etsy did not accept the new connection. Start again.")
        client = self._gateway.account(FirstToken(grant.token, refused))
        me = client.me()
        if str(me.user_id) != grant.user_id:
            raise EtsyError("Etsy's token is somebody else's. Start again.")
        if me.shop_id is None:
            raise NoEtsyShop("This Etsy account has no shop. Open one at Etsy and start again.")
        return _Agreed(grant, client.shop(me.shop_id))

    def _store(self, session: TenantSession, agreed: _Agreed) -> None:
        accounts, values = EtsyAccountRepository(session), self._values(agreed)
        if accounts.add_unless_there({**values, "readiness": {}, "choices": {}}):
            return
        account = accounts.locked()
        assert account is not None
        there = (agreed.grant.user_id, agreed.shop.shop_id)
        if (account.remote_user_id, account.remote_shop_id) != there:
            _refuse_swap(account, agreed.shop, listed=accounts.has_live_listings())
            EtsyDraftRepository(session).forget_all()
            EtsyPictureRepository(session).forget_all()
            account.readiness, account.choices, account.checked_at = {}, {}, None
        if account.status is EtsyAccountStatus.NEEDS_REAUTH:
            self._outbox.record(session, ChannelReconnected(Channel.ETSY))
        for name, value in values.items():
            setattr(account, name, value)

    def _values(self, agreed: _Agreed) -> dict[str, Any]:
        grant, shop = agreed.grant, agreed.shop
        return {
            **self._sealed(grant, grant.refresh_token, grant.refresh_expires_at),
            "status": EtsyAccountStatus.CONNECTED,
            "remote_user_id": grant.user_id,
            "remote_shop_id": shop.shop_id,
            "shop_name": shop.name,
            "scopes": list(SELLER_SCOPES),
        }


def _refuse_swap(account: EtsyAccount, shop: EtsyShop, *, listed: bool) -> None:
    if account.status is EtsyAccountStatus.DISCONNECTED and not listed:
        return
    raise OtherEtsyAccount(
        f"This shop belongs to the Etsy shop {account.shop_name}; you agreed as "
        f"{shop.name}. Sign in to Etsy as the owner of {account.shop_name}, or disconnect "
        "and end all listings first."
    )
