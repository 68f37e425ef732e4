"""The door to Etsy: which clients there are, and under whose token each works."""

from dataclasses import dataclass
from typing import Protocol

import httpx

from services.gateways.calls import Observer, TokenSource, nobody_watches
from services.gateways.etsy.listings import EtsyListingClient
from services.gateways.etsy.oauth import EtsyOAuth
from services.gateways.etsy.quotas import EtsyCallBook, EtsyQuotas
from services.gateways.etsy.receipts import EtsyReceiptClient
from services.gateways.etsy.shop import EtsyShopClient
from services.gateways.etsy.shop_listings import EtsyShopListingClient
from services.gateways.etsy.transport import EtsyAddresses, EtsyKeys, EtsyTransport
from shared.clock import Clock


@dataclass(frozen=True, slots=True)
class EtsyApis:
    """What can be done in a seller's name, in one shop."""

    shop: EtsyShopClient
    listings: EtsyListingClient
    receipts: EtsyReceiptClient
    shop_listings: EtsyShopListingClient


class EtsyGateway(Protocol):
    """Etsy, as the services see it."""

    @property
    def oauth(self) -> EtsyOAuth:
        """Consent and tokens."""
        ...

    @property
    def quotas(self) -> EtsyQuotas:
        """What Etsy lets this installation ask."""
        ...

    def account(self, tokens: TokenSource) -> EtsyShopClient:
        """Who a seller is and what their shop has."""
        ...

    def seller(
        self, tokens: TokenSource, shop_id: int, observe: Observer = nobody_watches
    ) -> EtsyApis:
        """A seller's shop with its listings and receipts."""
        ...


class HttpEtsyGateway:
    """The real one. Thread-safe; keep one for a process."""

    def __init__(
        self,
        http: httpx.Client,
        addresses: EtsyAddresses,
        keys: EtsyKeys | None,
        book: EtsyCallBook,
        clock: Clock,
    ) -> None:
        self._http = http
        self._addresses = addresses
        self._keys = keys
        self._book = book
        self._oauth = EtsyOAuth(http, addresses, keys, clock)

    @property
    def oauth(self) -> EtsyOAuth:
        """Consent and tokens."""
        return self._oauth

    @property
    def quotas(self) -> EtsyQuotas:
        """What Etsy lets this installation ask."""
        return self._book.quotas

    def account(self, tokens: TokenSource) -> EtsyShopClient:
        """Who a seller is and what their shop has."""
        return EtsyShopClient(self._transport(tokens, nobody_watches))

    def seller(
        self, tokens: TokenSource, shop_id: int, observe: Observer = nobody_watches
    ) -> EtsyApis:
        """A seller's shop with its listings."""
        transport = self._transport(tokens, observe)
        return EtsyApis(
            EtsyShopClient(transport),
            EtsyListingClient(transport, shop_id),
            EtsyReceiptClient(transport, shop_id),
            EtsyShopListingClient(transport, shop_id),
        )

    def _transport(self, tokens: TokenSource, observe: Observer) -> EtsyTransport:
        return EtsyTransport(self._http, self._addresses, self._keys, tokens, self._book, observe)
