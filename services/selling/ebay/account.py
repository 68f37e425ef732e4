"""The shop's eBay account as the seller sees it: status, readiness, where goods are sent from."""

import hashlib
from collections.abc import Callable
from typing import TypeAlias

from models.selling.ebay import ConnectionStatus, EbayConnection
from repositories.selling.ebay import EbayConnectionRepository
from services.gateways.ebay.errors import EbayRefusal
from services.gateways.ebay.gateway import EbayGateway, SellerApis
from services.gateways.ebay.inventory import Address
from services.selling.channel_accounts.desk import AccountDesk, AccountView
from services.selling.ebay.readiness import (
    account_gaps,
    move_to,
    preferred_location,
    read_readiness,
)
from services.selling.ebay.sites import refuse_while_listed, site_of, site_wanted
from shared.database import TenantSchema, TenantSession
from shared.errors import APIError, BadInput, Conflict, MarketplaceError, Remedy


class EbayNotConnected(Conflict):
    """The shop has no working eBay connection."""

    code, title = "ebay-not-connected", "The shop is not connected to eBay"


class LocationRefused(BadInput):
    """eBay does not take the address."""

    code, title = "location-refused", "eBay does not accept this address"


EbayAccountView: TypeAlias = AccountView[EbayConnection]


class EbayAccountDesk(AccountDesk[EbayGateway, EbayConnection]):
    """Reads and mends the account's settings. Opens its own short transactions."""

    def _known(self, session: TenantSession) -> EbayAccountView:
        return _view_of(EbayConnectionRepository(session).get())

    def check(self, tenant: TenantSchema, *, opt_in: bool = False) -> EbayAccountView:
        """Read policies and location anew; with `opt_in` switch on business policies first.

        Raises `EbayNotConnected` and what the gateway raises.
        """

        def mend(apis: SellerApis) -> str | None:
            if opt_in:
                apis.account.opt_in_to_policies()
            return None

        return self._read_after(tenant, mend)

    def set_location(self, tenant: TenantSchema, name: str, address: Address) -> EbayAccountView:
        """Make goods be sent from this address. Safe to repeat: an address has one key.

        Raises `EbayNotConnected`, `LocationRefused` and what the gateway raises.
        """

        def mend(apis: SellerApis) -> str:
            key = _location_key(name, address)
            try:
                apis.inventory.create_location(key, name, address)
            except EbayRefusal as refused:
                if refused.remedy is Remedy.FIX_DATA:
                    raise LocationRefused(refused.detail, fields=refused.fields) from None
                raise
            return key

        return self._read_after(tenant, mend)

    def choose_site(self, tenant: TenantSchema, marketplace_id: str) -> EbayAccountView:
        """Sell on another of eBay's sites from now on; its policies are read at once.

        When eBay cannot be asked now, the site is chosen all the same, and the view says that the
        account is to be checked. Raises `EbaySiteUnknown`, `EbayNotConnected`, `EbaySiteInUse`.
        """
        wanted = site_wanted(marketplace_id)
        with self._database.tenant(tenant) as session:
            connection = EbayConnectionRepository(session).locked()
            if connection is None or connection.status is ConnectionStatus.DISCONNECTED:
                raise EbayNotConnected("Connect the eBay account first.")
            present = site_of(connection, self._gateway.marketplace)
            if wanted == present:
                return _view_of(connection)
            refuse_while_listed(session, present, wanted)
            move_to(connection, wanted)
        try:
            return self.check(tenant)
        except (APIError, MarketplaceError, EbayNotConnected):
            return self.view(tenant)

    def _read_after(
        self, tenant: TenantSchema, mend: Callable[[SellerApis], str | None]
    ) -> EbayAccountView:
        connection = self.view(tenant).account
        if connection is None or not connection.connected:
            raise EbayNotConnected("Connect the eBay account first.")
        site = site_of(connection, self._gateway.marketplace)
        apis = self._gateway.seller(self._access.tokens_of(tenant), site)
        wanted = mend(apis) or preferred_location(connection)
        found = read_readiness(apis, wanted)
        with self._database.tenant(tenant) as session:
            stored = EbayConnectionRepository(session).locked()
            asked = (connection.remote_user_id, connection.marketplace_id)
            if stored is None or (stored.remote_user_id, stored.marketplace_id) != asked:
                raise EbayNotConnected("The eBay account was changed meanwhile. Check again.")
            stored.readiness = found.as_json()
            stored.checked_at = self._clock.now()
        return _view_of(stored)


def _location_key(name: str, address: Address) -> str:
    """A location at eBay cannot change its address, so another address is another location."""
    described = "|".join((name, *(f"{k}={v}" for k, v in sorted(address.as_body().items()))))
    return f"stoflow-{hashlib.sha256(described.encode()).hexdigest()[:16]}"


def _view_of(account: EbayConnection | None) -> EbayAccountView:
    return AccountView(account, tuple(account_gaps(account)))
