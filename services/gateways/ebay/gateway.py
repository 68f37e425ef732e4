"""The door to eBay: which clients there are, and under whose token each works."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import httpx

from services.gateways.ebay.account import EbayAccountClient
from services.gateways.ebay.analytics import EbayAnalyticsClient
from services.gateways.ebay.fulfillment import EbayFulfillmentClient
from services.gateways.ebay.identity import EbayIdentityClient
from services.gateways.ebay.inventory import EbayInventoryClient
from services.gateways.ebay.marketplaces import Marketplace
from services.gateways.ebay.media import EbayMediaClient
from services.gateways.ebay.metadata import EbayMetadataClient
from services.gateways.ebay.oauth import ApplicationTokens, EbayOAuth, Keyset
from services.gateways.ebay.offers import EbayOfferClient
from services.gateways.ebay.shop_items import EbayShopItemClient
from services.gateways.ebay.taxonomy import CategoryAspect, EbayTaxonomyClient
from services.gateways.ebay.transport import (
    CallBook,
    EbayAddresses,
    EbayTransport,
    Observer,
    TokenSource,
    nobody_watches,
)
from shared.clock import Clock


@dataclass(frozen=True, slots=True)
class SellerApis:
    """What can be done in a seller's name."""

    inventory: EbayInventoryClient
    offers: EbayOfferClient
    account: EbayAccountClient
    identity: EbayIdentityClient
    media: EbayMediaClient
    fulfillment: EbayFulfillmentClient
    shop_items: EbayShopItemClient


@dataclass(frozen=True, slots=True)
class PublicApis:
    """What eBay tells the application itself about one site."""

    site: Marketplace
    taxonomy: EbayTaxonomyClient
    metadata: EbayMetadataClient
    analytics: EbayAnalyticsClient

    def aspects_of(self, category_id: str) -> Sequence[CategoryAspect]:
        """Item specifics of a leaf category."""
        return self.taxonomy.aspects_of(category_id)

    def conditions_of(self, category_ids: Collection[str]) -> Mapping[str, list[int]]:
        """Accepted condition ids by category."""
        return self.metadata.conditions_of(category_ids)


class EbayGateway(Protocol):
    """eBay, as the services see it."""

    @property
    def marketplace(self) -> Marketplace:
        """The site of accounts that chose none."""
        ...

    @property
    def oauth(self) -> EbayOAuth:
        """Consent and tokens."""
        ...

    @property
    def public(self) -> PublicApis:
        """Categories and conditions of `marketplace`."""
        ...

    def public_on(self, site: Marketplace) -> PublicApis:
        """Categories and conditions of a site."""
        ...

    def seller(
        self, tokens: TokenSource, site: Marketplace, observe: Observer = nobody_watches
    ) -> SellerApis:
        """A seller's inventory, offers, policies and photos, in the words of a site."""
        ...


class HttpEbayGateway:
    """The real one. Thread-safe; keep one for a process."""

    def __init__(
        self,
        http: httpx.Client,
        addresses: EbayAddresses,
        keyset: Keyset | None,
        marketplace: Marketplace,
        book: CallBook,
        clock: Clock,
    ) -> None:
        self._book = book
        self._http = http
        self._addresses = addresses
        self._clock = clock
        self._marketplace = marketplace
        self._oauth = EbayOAuth(http, addresses, keyset, clock)
        self._public: dict[str, PublicApis] = {}

    @property
    def marketplace(self) -> Marketplace:
        """The site of accounts that chose none."""
        return self._marketplace

    @property
    def oauth(self) -> EbayOAuth:
        """Consent and tokens."""
        return self._oauth

    @property
    def public(self) -> PublicApis:
        """Categories and conditions of `marketplace`."""
        return self.public_on(self._marketplace)

    def public_on(self, site: Marketplace) -> PublicApis:
        """Categories and conditions of a site, under the application's own token."""
        if site.id not in self._public:
            transport = self._transport(self._own_tokens, site, nobody_watches)
            self._public[site.id] = PublicApis(
                site,
                EbayTaxonomyClient(transport),
                EbayMetadataClient(transport),
                EbayAnalyticsClient(transport),
            )
        return self._public[site.id]

    def seller(
        self, tokens: TokenSource, site: Marketplace, observe: Observer = nobody_watches
    ) -> SellerApis:
        """A seller's inventory, offers, policies and photos, in the words of a site."""
        transport = self._transport(tokens, site, observe)
        return SellerApis(
            EbayInventoryClient(transport),
            EbayOfferClient(transport),
            EbayAccountClient(transport),
            EbayIdentityClient(transport),
            EbayMediaClient(transport),
            EbayFulfillmentClient(transport),
            EbayShopItemClient(transport),
        )

    @cached_property
    def _own_tokens(self) -> ApplicationTokens:
        return ApplicationTokens(self._oauth, self._clock)

    def _transport(
        self, tokens: TokenSource, site: Marketplace, observe: Observer
    ) -> EbayTransport:
        return EbayTransport(self._http, self._addresses, site, tokens, self._book, observe)
