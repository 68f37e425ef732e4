"""Connecting the shop's eBay account: consent, tokens, and who the seller is.

eBay is asked only between transactions: each method here opens its own short ones.
"""

from dataclasses import dataclass
from typing import Any

from models.accounts.channel_consents import ChannelConsent
from models.selling.ebay import ConnectionStatus, EbayConnection
from models.selling.publishing import Channel
from repositories.selling.ebay import EbayConnectionRepository, EbayPictureRepository
from services.accounts.channel_consents.consents import ConsentRequest, ConsentStateRefused
from services.gateways.ebay.errors import EbayGrantRefused
from services.gateways.ebay.gateway import EbayGateway
from services.gateways.ebay.identity import EbayUser
from services.gateways.ebay.marketplaces import SITES, Marketplace
from services.gateways.ebay.oauth import SELLER_SCOPES, SellerGrant
from services.selling.channel_accounts.connecting import ChannelConnecting, FirstToken
from services.selling.ebay.readiness import move_to
from services.selling.ebay.sites import refuse_while_listed, site_in, site_of, site_wanted
from services.selling.publishing.connections import ChannelReconnected
from shared.database import TenantSchema, TenantSession
from shared.errors import Conflict, EbayError
from shared.ids import new_secret

_ON = "~"
"""Between a state and the site that was asked for with it; in neither of them."""


class OtherEbayAccount(Conflict):
    """The consent came from another eBay account than the shop's."""

    code, title = "other-ebay-account", "This is another eBay account"


@dataclass(frozen=True, slots=True)
class _Agreed:
    grant: SellerGrant
    user: EbayUser
    wanted: Marketplace | None
    """The site that was asked for."""


class EbayConnecting(ChannelConnecting[EbayGateway, EbayConnection, _Agreed]):
    """From the wish to connect to stored tokens, and back. `finish` raises `OtherEbayAccount`."""

    channel = Channel.EBAY

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

    def _wanted(self, tenant: TenantSchema, marketplace_id: str) -> Marketplace:
        wanted = site_wanted(marketplace_id)
        with self._database.tenant(tenant) as session:
            present = site_in(session, self._gateway.marketplace)
            refuse_while_listed(session, present, wanted)
        return wanted

    def _locked(self, session: TenantSession) -> EbayConnection | None:
        return EbayConnectionRepository(session).locked()

    def _leave(self, account: EbayConnection) -> None:
        account.status = ConnectionStatus.DISCONNECTED

    def _ask(self, consent: ChannelConsent, state: str, code: str) -> _Agreed:
        try:
            grant = self._gateway.oauth.exchange(code)
        except EbayGrantRefused:
            raise ConsentStateRefused("eBay did not accept the consent. Start again.") from None
        refused = EbayError("eBay did not accept the new connection. Start again.")
        tokens = FirstToken(grant.access.token, refused)
        user = self._gateway.seller(tokens, self._gateway.marketplace).identity.user()
        # A state is good as a whole or not at all, so the site in it is the one that was asked for.
        return _Agreed(grant, user, SITES.get(state.partition(_ON)[2]))

    def _store(self, session: TenantSession, agreed: _Agreed) -> None:
        connections = EbayConnectionRepository(session)
        user, wanted, values = agreed.user, agreed.wanted, self._values(agreed.grant, agreed.user)
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
            **self._sealed(grant.access, grant.refresh_token, grant.refresh_expires_at),
            "status": ConnectionStatus.CONNECTED,
            "remote_user_id": user.user_id,
            "username": user.username,
            "scopes": list(SELLER_SCOPES),
        }


def _refuse_swap(connection: EbayConnection, user: EbayUser, *, listed: bool) -> None:
    if connection.status is ConnectionStatus.DISCONNECTED and not listed:
        return
    raise OtherEbayAccount(
        f"This shop belongs to the eBay account {connection.username}; you agreed as "
        f"{user.username}. Sign in to eBay as {connection.username}, or disconnect and end all "
        "listings first."
    )
