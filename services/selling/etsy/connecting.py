"""Connecting the shop's Etsy account: consent with PKCE, tokens, and who the seller is.

Etsy is asked only between transactions: each method here opens its own short ones.
"""

from dataclasses import dataclass
from typing import Any

import structlog

from models.selling.etsy import EtsyAccount, EtsyAccountStatus
from models.selling.publishing import Channel
from repositories.accounts.order_polls import OrderPollRepository
from repositories.selling.etsy import (
    EtsyAccountRepository,
    EtsyDraftRepository,
    EtsyPictureRepository,
)
from services.accounts.channel_consents.consents import (
    ChannelConsents,
    ConsentRequest,
    ConsentStateRefused,
)
from services.accounts.outbox.recording import OutboxRecorder
from services.gateways.etsy.errors import EtsyGrantRefused
from services.gateways.etsy.gateway import EtsyGateway
from services.gateways.etsy.oauth import SELLER_SCOPES, EtsyGrant, new_verifier
from services.gateways.etsy.shop import EtsyShop
from services.selling.publishing.connections import ChannelReconnected
from shared.clock import Clock
from shared.database import Database, TenantSchema, TenantSession
from shared.encryption import SecretBox
from shared.errors import Conflict, EtsyError
from shared.ids import new_secret

log = structlog.get_logger(__name__)


class OtherEtsyAccount(Conflict):
    """The consent came from another Etsy account than the shop's."""

    code, title = "other-etsy-account", "This is another Etsy account"


class NoEtsyShop(Conflict):
    """Whoever consented sells nothing at Etsy."""

    code, title = "no-etsy-shop", "This Etsy account has no shop"


@dataclass(frozen=True, slots=True)
class _Seller:
    user_id: str
    shop: EtsyShop


class _FirstToken:
    """The token of a fresh consent; there is no other to be had with it."""

    def __init__(self, token: str) -> None:
        self._token = token

    @property
    def account(self) -> str:
        return ""

    def current(self) -> str:
        return self._token

    def replacing(self, rejected: str) -> str:
        raise EtsyError("Etsy did not accept the new connection. Start again.")


class EtsyConnecting:
    """From the wish to connect to stored tokens, and back."""

    def __init__(
        self, database: Database, gateway: EtsyGateway, box: SecretBox, clock: Clock
    ) -> None:
        self._database = database
        self._gateway = gateway
        self._box = box
        self._clock = clock
        self._outbox = OutboxRecorder(clock)
        self._consents = ChannelConsents(database, Channel.ETSY, "Etsy", clock)

    def begin(self, tenant: TenantSchema, user_id: int) -> ConsentRequest:
        """Make a state and a verifier that are good once, for this shop, for 15 minutes.

        Raises `Misconfigured` when the installation has no Etsy application.
        """
        state, verifier = new_secret(), new_verifier()
        url = self._gateway.oauth.authorize_url(state, verifier)
        sealed = self._box.seal(verifier)
        return ConsentRequest(url, self._consents.begin(tenant, user_id, state, sealed))

    def asked_by(self, state: str) -> str:
        """The e-mail address of the account that began the consent; nothing is used up.

        Raises `ConsentStateRefused`, as `finish` would.
        """
        return self._consents.asked_by(state)

    def finish(self, state: str, code: str | None, error: str | None) -> TenantSchema:
        """Complete the consent behind `state`; returns the shop it belongs to.

        Raises `ConsentStateRefused`, `ConsentDeclined`, `OtherEtsyAccount`, `NoEtsyShop` and what
        the gateway raises. The state is used up in every case; nothing else changes unless all
        went well.
        """
        consent, agreed = self._consents.use(state, code, error)
        if consent.sealed_verifier is None:
            raise ConsentStateRefused("This link was not made for Etsy.")
        tenant = TenantSchema(consent.tenant_id)
        grant = self._exchange(agreed, self._box.open(consent.sealed_verifier))
        seller = self._who_is(grant)
        with self._database.tenant(tenant) as session:
            self._store(session, grant, seller)
            OrderPollRepository(session).follow(tenant, Channel.ETSY, self._clock.now())
        log.info("etsy.connected", tenant=tenant.name, user_id=consent.user_id)
        return tenant

    def disconnect(self, tenant: TenantSchema) -> None:
        """Erase the tokens. Listings on Etsy stay as they are."""
        with self._database.tenant(tenant) as session:
            account = EtsyAccountRepository(session).locked()
            if account is None:
                return
            account.status = EtsyAccountStatus.DISCONNECTED
            account.access_token = account.refresh_token = ""
            account.access_expires_at = account.refresh_expires_at = self._clock.now()
            account.refreshing_until = None
            OrderPollRepository(session).leave(tenant, Channel.ETSY)

    def _exchange(self, code: str, verifier: str) -> EtsyGrant:
        try:
            return self._gateway.oauth.exchange(code, verifier)
        except EtsyGrantRefused:
            raise ConsentStateRefused("Etsy did not accept the consent. Start again.") from None

    def _who_is(self, grant: EtsyGrant) -> _Seller:
        client = self._gateway.account(_FirstToken(grant.token))
        me = client.me()
        if str(me.user_id) != grant.user_id:
            raise EtsyError("Etsy's token is somebody else's. Start again.")
        if me.shop_id is None:
            raise NoEtsyShop("This Etsy account has no shop. Open one at Etsy and start again.")
        return _Seller(grant.user_id, client.shop(me.shop_id))

    def _store(self, session: TenantSession, grant: EtsyGrant, seller: _Seller) -> None:
        accounts = EtsyAccountRepository(session)
        values = self._values(grant, seller)
        if accounts.add_unless_there({**values, "readiness": {}, "choices": {}}):
            return
        account = accounts.locked()
        assert account is not None
        if (account.remote_user_id, account.remote_shop_id) != (
            seller.user_id,
            seller.shop.shop_id,
        ):
            _refuse_swap(account, seller, listed=accounts.has_live_listings())
            EtsyDraftRepository(session).forget_all()
            EtsyPictureRepository(session).forget_all()
            account.readiness, account.choices, account.checked_at = {}, {}, None
        if account.status is EtsyAccountStatus.NEEDS_REAUTH:
            self._outbox.record(session, ChannelReconnected(Channel.ETSY))
        for name, value in values.items():
            setattr(account, name, value)

    def _values(self, grant: EtsyGrant, seller: _Seller) -> dict[str, Any]:
        return {
            "status": EtsyAccountStatus.CONNECTED,
            "remote_user_id": seller.user_id,
            "remote_shop_id": seller.shop.shop_id,
            "shop_name": seller.shop.name,
            "access_token": self._box.seal(grant.token),
            "access_expires_at": grant.expires_at,
            "refresh_token": self._box.seal(grant.refresh_token),
            "refresh_expires_at": grant.refresh_expires_at,
            "scopes": list(SELLER_SCOPES),
            "refreshing_until": None,
            "connected_at": self._clock.now(),
        }


def _refuse_swap(account: EtsyAccount, seller: _Seller, *, listed: bool) -> None:
    if account.status is EtsyAccountStatus.DISCONNECTED and not listed:
        return
    raise OtherEtsyAccount(
        f"This shop belongs to the Etsy shop {account.shop_name}; you agreed as "
        f"{seller.shop.name}. Sign in to Etsy as the owner of {account.shop_name}, or disconnect "
        "and end all listings first."
    )
