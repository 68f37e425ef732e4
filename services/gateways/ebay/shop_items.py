"""All that a seller has at eBay's Inventory API, page by page: how a shop is taken over.

Listings that were made elsewhere (on eBay's own pages, by the Trading API) are not in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from services.gateways.ebay.errors import EbayRefusal
from services.gateways.ebay.inventory import BASE
from services.gateways.ebay.offers import FIXED_PRICE
from services.gateways.ebay.reading import (
    UnreadableAnswer,
    at,
    money,
    optional_text,
    rows,
    text,
    text_lists,
    texts,
    whole,
)
from services.gateways.ebay.transport import EbayRequest, EbayTransport
from shared.money import Money

MAX_PAGE = 200
_TOGETHER = 25
_NO_OFFER = (25713, 25725)


@dataclass(frozen=True, slots=True)
class ShopItem:
    """What is sold under one SKU, as eBay has it. What eBay does not say is None."""

    sku: str
    title: str | None
    description: str | None
    condition: str | None
    quantity: int | None
    aspects: Mapping[str, tuple[str, ...]]
    image_urls: tuple[str, ...]
    group_key: str | None

    @classmethod
    def of(cls, body: Any) -> "ShopItem":
        """Read a row. Raises `UnreadableAnswer` when it has no SKU."""
        groups = texts(body, "inventoryItemGroupKeys")
        return cls(
            sku=text(body, "sku"),
            title=optional_text(body, "product", "title"),
            description=optional_text(body, "product", "description"),
            condition=optional_text(body, "condition"),
            quantity=whole(body, "availability", "shipToLocationAvailability", "quantity"),
            aspects=text_lists(body, "product", "aspects"),
            image_urls=texts(body, "product", "imageUrls"),
            group_key=groups[0] if groups else None,
        )


@dataclass(frozen=True, slots=True)
class ShopOffer:
    """A fixed-price offer that is listed."""

    offer_id: str
    listing_id: str
    marketplace_id: str | None
    price: Money | None
    quantity: int | None
    category_id: str | None
    description: str | None


@dataclass(frozen=True, slots=True)
class ShopGroup:
    """Items that are variants of one listing."""

    key: str
    title: str | None
    description: str | None
    image_urls: tuple[str, ...]
    skus: tuple[str, ...]
    varies_by: tuple[str, ...]
    """Item specifics, in the order buyers see them."""


@dataclass(frozen=True, slots=True)
class ShopItemPage:
    """Part of a seller's items, unread, as it was at the moment of the answer."""

    rows: Sequence[Mapping[str, Any]]
    total: int
    last: bool


class EbayShopItemClient:
    """Reads `/sell/inventory/v1`; changes nothing."""

    def __init__(self, transport: EbayTransport) -> None:
        self._transport = transport

    def page(self, number: int, size: int = MAX_PAGE) -> ShopItemPage:
        """Items of every SKU. eBay's `offset` is a page's number here, from 0 on."""
        params = {"limit": str(size), "offset": str(number)}
        body = self._get("getInventoryItems", f"{BASE}/inventory_item", params)
        total = whole(body, "total")
        if total is None:
            raise UnreadableAnswer("eBay does not say how many items there are.")
        found = rows(body, "inventoryItems")
        return ShopItemPage(found, total, not found or (number + 1) * size >= total)

    def items(self, skus: Sequence[str]) -> Mapping[str, ShopItem]:
        """Items by SKU, 25 a call; those that eBay does not have are left out."""
        found: dict[str, ShopItem] = {}
        for start in range(0, len(skus), _TOGETHER):
            body = {"requests": [{"sku": sku} for sku in skus[start : start + _TOGETHER]]}
            path = f"{BASE}/bulk_get_inventory_item"
            answer = self._transport.send(
                EbayRequest("bulkGetInventoryItem", "POST", path, body=body)
            )
            told = [at(row, "inventoryItem") for row in rows(answer.body, "responses")]
            found |= {item.sku: item for item in map(ShopItem.of, filter(None, told))}
        return found

    def group(self, key: str) -> ShopGroup | None:
        """A group, or None when eBay does not have it."""
        path = f"{BASE}/inventory_item_group/{quote(key, safe='')}"
        try:
            body = self._get("getInventoryItemGroup", path)
        except EbayRefusal as refused:
            if refused.http_status == 404:
                return None
            raise
        specifications = rows(body, "variesBy", "specifications")
        return ShopGroup(
            key=key,
            title=optional_text(body, "title"),
            description=optional_text(body, "description"),
            image_urls=texts(body, "imageUrls"),
            skus=texts(body, "variantSKUs"),
            varies_by=tuple(text(each, "name") for each in specifications),
        )

    def listed(self, sku: str) -> Sequence[ShopOffer]:
        """The fixed-price offers of a SKU that are listed, on whatever site."""
        params = {"sku": sku, "format": FIXED_PRICE}
        try:
            body = self._get("getOffers", f"{BASE}/offer", params)
        except EbayRefusal as refused:
            if refused.http_status == 404 or refused.mentions(*_NO_OFFER):
                return []
            raise
        return [
            ShopOffer(
                offer_id=text(row, "offerId"),
                listing_id=text(row, "listing", "listingId"),
                marketplace_id=optional_text(row, "marketplaceId"),
                price=money(row, "pricingSummary", "price"),
                quantity=whole(row, "availableQuantity"),
                category_id=optional_text(row, "categoryId"),
                description=optional_text(row, "listingDescription"),
            )
            for row in rows(body, "offers")
            if row.get("status") == "PUBLISHED"
        ]

    def _get(self, operation: str, path: str, params: Mapping[str, str] | None = None) -> Any:
        return self._transport.send(EbayRequest(operation, "GET", path, params=params or {})).body
