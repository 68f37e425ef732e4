"""Connecting the shop's eBay account: consent, tokens, and who the seller is.

eBay is asked only between transactions: each method here opens its own short ones.
"""

from typing import Any

import structlog

from models.selling.ebay import ConnectionStatus, EbayConnection
from models.selling.publishing import Channel
from repositories.accounts.order_polls import OrderPollRepository
from repositories.selling.ebay import EbayConnectionRepository, EbayPictureRepository
from services.accounts.channel_consents.consents import (
    ChannelConsents,
    ConsentRequest,
    ConsentStateRefused,
)
from services.accounts.outbox.recording import OutboxRecorder
from services.gateways.ebay.errors import EbayGrantRefused
from services.gateways.ebay.gateway import EbayGateway
from services.gateways.ebay.identity import EbayUser
from services.gateways.ebay.marketplaces import SITES, Marketplace
from services.gateways.ebay.oauth import SELLER_SCOPES, SellerGrant
from services.selling.ebay.readiness import move_to
from services.selling.ebay.sites import refuse_while_listed, site_in, site_of, site_wanted
from services.selling.publishing.connections import ChannelReconnected
from shared.clock import Clock
from shared.database import Database, TenantSchema, TenantSession
from shared.encryption import SecretBox
from shared.errors import Conflict, EbayError
from shared.ids import new_secret

_ON = "~"
"""Between a state and the site that was asked for with it; in neither of them."""

log = structlog.get_logger(__name__)


class OtherEbayAccount(Conflict):
    """The consent came from another eBay account than the shop's."""

    code, title = "other-ebay-account", "This is another eBay account"


class _FirstToken:
    """The token of a fresh consent; there is no other to be had with it."""

    def __init__(self, token: str, refused: EbayError) -> None:
        self._token = token
        self._refused = refused

    @property
    def account(self) -> str:
        return ""

    def current(self) -> str:
        return self._token

    def replacing(self, rejected: str) -> str:
        raise self._refused


class EbayConnecting:
    """From the wish to connect to stored tokens, and back."""

    def __init__(
        self, database: Database, gateway: EbayGateway, box: SecretBox, clock: Clock
    ) -> None:
        self._database = database
        self._gateway = gateway
        self._box = box
        self._clock = clock
        self._outbox = OutboxRecorder(clock)
        self._consents = ChannelConsents(database, Channel.EBAY, "eBay", clock)

    def begin(
        self, tenant: TenantSchema, user_id: int, marketplace_id: str | None = None
    ) -> ConsentRequest:
        """Make a state that is good once, for this shop and site, for 15 minutes.

        Raises `Misconfigured` when the installation has no eBay keyset, `EbaySiteUnknown`, and
        `EbaySiteInUse` when the shop's listings are on another site.
        """
        state = new_secret()
        if marketplace_id is not None:
            state = f"{state}{_ON}{self._wanted(tenant, marketplace_id).id}"
        url = self._gateway.oauth.authorize_url(state)
        return ConsentRequest(url, self._consents.begin(tenant, user_id, state))

    def asked_by(self, state: str) -> str:
        """The e-mail address of the account that began the consent; nothing is used up.

        Raises `ConsentStateRefused`, as `finish` would.
        """
        return self._consents.asked_by(state)

    def finish(self, state: str, code: str | None, error: str | None) -> TenantSchema:
        """Complete the consent behind `state`; returns the shop it belongs to.

        Raises `ConsentStateRefused`, `ConsentDeclined`, `OtherEbayAccount` and what the gateway
        raises. The state is used up in every case; nothing else changes unless all went well.
        """
        consent, agreed = self._consents.use(state, code, error)
        tenant = TenantSchema(consent.tenant_id)
        grant = self._exchange(agreed)
        user = self._who_is(grant)
        # A state is good as a whole or not at all, so the site in it is the one that was asked for.
        wanted = SITES.get(state.partition(_ON)[2])
        with self._database.tenant(tenant) as session:
            self._store(session, grant, user, wanted)
            OrderPollRepository(session).follow(tenant, Channel.EBAY, self._clock.now())
        log.info("ebay.connected", tenant=tenant.name, user_id=consent.user_id)
        return tenant

    def disconnect(self, tenant: TenantSchema) -> None:
        """Erase the tokens. Listings on eBay stay as they are."""
        with self._database.tenant(tenant) as session:
            connection = EbayConnectionRepository(session).locked()
            if connection is None:
                return
            connection.status = ConnectionStatus.DISCONNECTED
            connection.access_token = connection.refresh_token = ""
            connection.access_expires_at = connection.refresh_expires_at = self._clock.now()
            connection.refreshing_until = None
            OrderPollRepository(session).leave(tenant, Channel.EBAY)

    def _wanted(self, tenant: TenantSchema, marketplace_id: str) -> Marketplace:
        wanted = site_wanted(marketplace_id)
        with self._database.tenant(tenant) as session:
            present = site_in(session, self._gateway.marketplace)
            refuse_while_listed(session, present, wanted)
        return wanted

    def _exchange(self, code: str) -> SellerGrant:
        try:
            return self._gateway.oauth.exchange(code)
        except EbayGrantRefused:
            raise ConsentStateRefused("eBay did not accept the consent. Start again.") from None

    def _who_is(self, grant: SellerGrant) -> EbayUser:
        refused = EbayError("eBay did not accept the new connection. Start again.")
        tokens = _FirstToken(grant.access.token, refused)
        return self._gateway.seller(tokens, self._gateway.marketplace).identity.user()

    def _store(
        self,
        session: TenantSession,
        grant: SellerGrant,
        user: EbayUser,
        wanted: Marketplace | None,
    ) -> None:
        connections = EbayConnectionRepository(session)
        values = self._values(grant, user)
        site = wanted or self._gateway.marketplace
        first = {**values, "marketplace_id": site.id, "readiness": {}}
        if connections.add_unless_there(first):
            return
        connection = connections.locked()
        assert connection is not None
        if connection.remote_user_id != user.user_id:
            _refuse_swap(connection, user, listed=connections.has_live_listings())
            EbayPictureRepository(session).forget_all()
            connection.readiness, connection.checked_at = {}, None
        if connection.status is ConnectionStatus.NEEDS_REAUTH:
            self._outbox.record(session, ChannelReconnected(Channel.EBAY))
        if wanted is not None and wanted.id != connection.marketplace_id:
            refuse_while_listed(session, site_of(connection, site), wanted)
            move_to(connection, wanted)
        for name, value in values.items():
            setattr(connection, name, value)

    def _values(self, grant: SellerGrant, user: EbayUser) -> dict[str, Any]:
        return {
            "status": ConnectionStatus.CONNECTED,
            "remote_user_id": user.user_id,
            "username": user.username,
            "access_token": self._box.seal(grant.access.token),
            "access_expires_at": grant.access.expires_at,
            "refresh_token": self._box.seal(grant.refresh_token),
            "refresh_expires_at": grant.refresh_expires_at,
            "scopes": list(SELLER_SCOPES),
            "refreshing_until": None,
            "connected_at": self._clock.now(),
        }


def _refuse_swap(connection: EbayConnection, user: EbayUser, *, listed: bool) -> None:
    if connection.status is ConnectionStatus.DISCONNECTED and not listed:
        return
    raise OtherEbayAccount(
        f"This shop belongs to the eBay account {connection.username}; you agreed as "
        f"{user.username}. Sign in to eBay as {connection.username}, or disconnect and end all "
        "listings first."
    )
