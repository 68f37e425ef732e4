"""Inventory items, groups of variants, and the places goods are sent from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from services.gateways.ebay.bulk import all_well, answers
from services.gateways.ebay.errors import EbayRefusal
from services.gateways.ebay.reading import (
    at,
    optional_text,
    rows,
    text,
    text_lists,
    texts,
    whole,
)
from services.gateways.ebay.transport import EbayRequest, EbayTransport

BASE = "/sell/inventory/v1"

MAX_PAGE = 100
_NOT_FOUND = 404
_ALREADY_THERE = 25803


@dataclass(frozen=True, slots=True)
class InventoryItem:
    """What is sold under one SKU; always sent whole, because a PUT replaces."""

    sku: str
    title: str
    description: str
    """At most 4,000 characters."""
    aspects: Mapping[str, Sequence[str]]
    image_urls: Sequence[str]
    """https only, main photo first, at most 24."""
    condition: str
    """Word of the Inventory API, such as `USED_EXCELLENT`."""
    quantity: int
    weight_grams: int | None = None
    barcodes: Mapping[str, str] | None = None
    """Barcode by kind: `upc`, `ean` or `isbn`."""

    def as_body(self) -> dict[str, Any]:
        """The request body."""
        product: dict[str, Any] = {
            "title": self.title,
            "description": self.description,
            "aspects": {name: list(values) for name, values in self.aspects.items()},
            "imageUrls": list(self.image_urls),
        }
        product |= {kind: [code] for kind, code in (self.barcodes or {}).items()}
        body: dict[str, Any] = {
            "product": product,
            "condition": self.condition,
            "availability": {"shipToLocationAvailability": {"quantity": self.quantity}},
        }
        if self.weight_grams is not None:
            weight = {"value": self.weight_grams, "unit": "GRAM"}
            body["packageWeightAndSize"] = {"weight": weight}
        return body


@dataclass(frozen=True, slots=True)
class StoredItem:
    """An item as eBay has it."""

    sku: str
    title: str | None
    image_urls: tuple[str, ...]
    condition: str | None
    quantity: int | None
    aspects: Mapping[str, tuple[str, ...]]
    group_keys: tuple[str, ...]

    @classmethod
    def of(cls, sku: str, body: Any) -> "StoredItem":
        """Read an answer."""
        return cls(
            sku=sku,
            title=optional_text(body, "product", "title"),
            image_urls=texts(body, "product", "imageUrls"),
            condition=optional_text(body, "condition"),
            quantity=whole(body, "availability", "shipToLocationAvailability", "quantity"),
            aspects=text_lists(body, "product", "aspects"),
            group_keys=texts(body, "inventoryItemGroupKeys"),
        )


@dataclass(frozen=True, slots=True)
class ItemGroup:
    """Items sold as variants of one listing."""

    key: str
    title: str
    description: str
    image_urls: Sequence[str]
    aspects: Mapping[str, Sequence[str]]
    """What all variants have in common."""
    skus: Sequence[str]
    varies_by: Mapping[str, Sequence[str]]
    """Values by item specific, in the order buyers see them."""

    def as_body(self) -> dict[str, Any]:
        """The request body."""
        specifications = [
            {"name": name, "values": list(values)} for name, values in self.varies_by.items()
        ]
        return {
            "title": self.title,
            "description": self.description,
            "imageUrls": list(self.image_urls),
            "aspects": {name: list(values) for name, values in self.aspects.items()},
            "variantSKUs": list(self.skus),
            "variesBy": {"specifications": specifications},
        }


@dataclass(frozen=True, slots=True)
class StoredGroup:
    """A group as eBay has it."""

    key: str
    skus: tuple[str, ...]
    title: str | None
    image_urls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address; eBay wants the country and either a postal code or city and state."""

    country: str
    """ISO 3166-1, two letters."""
    postal_code: str | None = None
    city: str | None = None
    state: str | None = None
    line1: str | None = None

    def as_body(self) -> dict[str, str]:
        """The fields that are known."""
        found = {
            "country": self.country,
            "postalCode": self.postal_code,
            "city": self.city,
            "stateOrProvince": self.state,
            "addressLine1": self.line1,
        }
        return {name: value for name, value in found.items() if value}


@dataclass(frozen=True, slots=True)
class Location:
    """A place goods are sent from."""

    key: str
    name: str | None
    enabled: bool
    country: str | None
    postal_code: str | None
    city: str | None


class EbayInventoryClient:
    """`/sell/inventory/v1`: items, groups, locations. Every write here may safely be repeated."""

    def __init__(self, transport: EbayTransport) -> None:
        self._transport = transport

    def put_item(self, item: InventoryItem) -> None:
        """Create or replace an item."""
        self._transport.send(
            EbayRequest("createOrReplaceInventoryItem", "PUT", _item(item.sku), body=item.as_body())
        )

    def put_items(self, items: Sequence[InventoryItem]) -> None:
        """Create or replace up to 25 items in one call.

        Raises `EbayRefusal` when eBay refuses one of them; the others stay as they were sent.
        """
        locale = self._transport.marketplace.language.replace("-", "_")
        sent = [{"sku": item.sku, "locale": locale, **item.as_body()} for item in items]
        path = f"{BASE}/bulk_create_or_replace_inventory_item"
        all_well(answers(self._transport, "bulkCreateOrReplaceInventoryItem", path, sent))

    def item(self, sku: str) -> StoredItem | None:
        """An item, or None when eBay knows none of this SKU."""
        body = self._found(EbayRequest("getInventoryItem", "GET", _item(sku)))
        return None if body is None else StoredItem.of(sku, body)

    def delete_item(self, sku: str) -> bool:
        """Delete an item with its offers and end its listing; False when there was none."""
        return self._gone(EbayRequest("deleteInventoryItem", "DELETE", _item(sku)))

    def put_group(self, group: ItemGroup) -> None:
        """Create or replace a group."""
        self._transport.send(
            EbayRequest(
                "createOrReplaceInventoryItemGroup", "PUT", _group(group.key), body=group.as_body()
            )
        )

    def group(self, key: str) -> StoredGroup | None:
        """A group, or None."""
        body = self._found(EbayRequest("getInventoryItemGroup", "GET", _group(key)))
        if body is None:
            return None
        return StoredGroup(
            key, texts(body, "variantSKUs"), optional_text(body, "title"), texts(body, "imageUrls")
        )

    def delete_group(self, key: str) -> bool:
        """Delete a group, not its items; False when there was none."""
        return self._gone(EbayRequest("deleteInventoryItemGroup", "DELETE", _group(key)))

    def create_location(self, key: str, name: str, address: Address) -> bool:
        """Create an enabled warehouse location; False when the key was there already."""
        body = {
            "name": name,
            "location": {"address": address.as_body()},
            "locationTypes": ["WAREHOUSE"],
            "merchantLocationStatus": "ENABLED",
        }
        try:
            path = f"{BASE}/location/{quote(key, safe='')}"
            self._transport.send(EbayRequest("createInventoryLocation", "POST", path, body=body))
        except EbayRefusal as refused:
            if refused.http_status == 409 or refused.mentions(_ALREADY_THERE):
                return False
            raise
        return True

    def locations(self) -> Sequence[Location]:
        """The account's first 100 locations."""
        answer = self._transport.send(
            EbayRequest(
                "getInventoryLocations",
                "GET",
                f"{BASE}/location",
                params={"limit": str(MAX_PAGE), "offset": "0"},
            )
        )
        return [_location(row) for row in rows(answer.body, "locations")]

    def _found(self, request: EbayRequest) -> Any:
        try:
            return self._transport.send(request).body
        except EbayRefusal as refused:
            if refused.http_status == _NOT_FOUND:
                return None
            raise

    def _gone(self, request: EbayRequest) -> bool:
        try:
            self._transport.send(request)
        except EbayRefusal as refused:
            if refused.http_status == _NOT_FOUND:
                return False
            raise
        return True


def _item(sku: str) -> str:
    return f"{BASE}/inventory_item/{quote(sku, safe='')}"


def _group(key: str) -> str:
    return f"{BASE}/inventory_item_group/{quote(key, safe='')}"


def _location(row: Mapping[str, Any]) -> Location:
    address = at(row, "location", "address")
    return Location(
        key=text(row, "merchantLocationKey"),
        name=optional_text(row, "name"),
        enabled=row.get("merchantLocationStatus") == "ENABLED",
        country=optional_text(address, "country"),
        postal_code=optional_text(address, "postalCode"),
        city=optional_text(address, "city"),
    )
