"""Offers: an item, on one site, at a price; published, they are a listing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from services.gateways.ebay.bulk import all_well, answers, refusal_of, went_well
from services.gateways.ebay.errors import EbayRefusal
from services.gateways.ebay.inventory import BASE, MAX_PAGE
from services.gateways.ebay.reading import (
    UnreadableAnswer,
    as_money,
    money,
    optional_text,
    rows,
    text,
    whole,
)
from services.gateways.ebay.transport import EbayRequest, EbayTransport
from shared.money import Money

FIXED_PRICE = "FIXED_PRICE"

_CATCH_ALL = 25002
_NO_OFFER = (25713, 25725)


@dataclass(frozen=True, slots=True)
class SellingPolicies:
    """Ids of the seller's business policies."""

    fulfillment_id: str
    payment_id: str
    return_id: str


@dataclass(frozen=True, slots=True)
class Offer:
    """What is offered; always sent whole, because a PUT replaces."""

    sku: str
    category_id: str
    price: Money
    quantity: int
    description: str
    """HTML, at most 500,000 characters."""
    policies: SellingPolicies
    location_key: str

    def as_body(self) -> dict[str, Any]:
        """What may be replaced later."""
        return {
            "availableQuantity": self.quantity,
            "categoryId": self.category_id,
            # eBay's catalogue would overwrite the seller's own title and photos.
            "includeCatalogProductDetails": False,
            "listingDescription": self.description,
            "listingDuration": "GTC",
            "listingPolicies": {
                "fulfillmentPolicyId": self.policies.fulfillment_id,
                "paymentPolicyId": self.policies.payment_id,
                "returnPolicyId": self.policies.return_id,
            },
            "merchantLocationKey": self.location_key,
            "pricingSummary": {"price": as_money(self.price)},
        }


@dataclass(frozen=True, slots=True)
class PriceAndQuantity:
    """What is offered from now on, of an offer and of its item alike."""

    sku: str
    offer_id: str
    price: Money
    quantity: int

    def as_body(self) -> dict[str, Any]:
        """One row of the request."""
        offer = {
            "offerId": self.offer_id,
            "availableQuantity": self.quantity,
            "price": as_money(self.price),
        }
        return {
            "sku": self.sku,
            "shipToLocationAvailability": {"quantity": self.quantity},
            "offers": [offer],
        }


@dataclass(frozen=True, slots=True)
class StoredOffer:
    """An offer as eBay has it."""

    offer_id: str
    sku: str
    published: bool
    listing_id: str | None
    """Only while published."""
    listing_status: str | None
    price: Money | None
    quantity: int | None
    category_id: str | None

    @classmethod
    def of(cls, body: Any) -> "StoredOffer":
        """Read an answer."""
        return cls(
            offer_id=text(body, "offerId"),
            sku=text(body, "sku"),
            published=optional_text(body, "status") == "PUBLISHED",
            listing_id=optional_text(body, "listing", "listingId"),
            listing_status=optional_text(body, "listing", "listingStatus"),
            price=money(body, "pricingSummary", "price"),
            quantity=whole(body, "availableQuantity"),
            category_id=optional_text(body, "categoryId"),
        )


@dataclass(frozen=True, slots=True)
class CreatedOffer:
    """An offer's id; when it existed before, its content is whatever it was."""

    offer_id: str
    existed: bool


class EbayOfferClient:
    """`/sell/inventory/v1/offer`. Only fixed prices on the transport's own marketplace."""

    def __init__(self, transport: EbayTransport) -> None:
        self._transport = transport

    def create(self, offer: Offer) -> CreatedOffer:
        """Create an offer, or find out the id of the one that was there already.

        eBay answers a second creation with its catch-all 25002 and the existing id among the
        parameters; the parameter, not the number, tells it from other refusals.
        """
        try:
            answer = self._transport.send(
                EbayRequest("createOffer", "POST", f"{BASE}/offer", body=self._created_as(offer))
            )
        except EbayRefusal as refused:
            existing = _existing(refused)
            if existing is not None:
                return existing
            raise
        return CreatedOffer(text(answer.body, "offerId"), existed=False)

    def create_all(self, offers: Sequence[Offer]) -> Mapping[str, CreatedOffer]:
        """As `create`, for up to 25 offers of different SKUs in one call; by SKU.

        Raises `EbayRefusal` when eBay refuses one of them; the others are there all the same, and
        a repeat finds them.
        """
        sent = [self._created_as(offer) for offer in offers]
        found = answers(self._transport, "bulkCreateOffer", f"{BASE}/bulk_create_offer", sent)
        created: dict[str, CreatedOffer] = {}
        refused = []
        for row in found:
            offer = _created(row)
            if offer is None:
                refused.append(row)
            else:
                created[text(row, "sku")] = offer
        if refused:
            raise refusal_of(refused)
        return created

    def get(self, offer_id: str) -> StoredOffer | None:
        """An offer, or None when eBay does not have it."""
        try:
            answer = self._transport.send(EbayRequest("getOffer", "GET", _offer(offer_id)))
        except EbayRefusal as refused:
            if refused.http_status == 404:
                return None
            raise
        return StoredOffer.of(answer.body)

    def of_sku(self, sku: str) -> Sequence[StoredOffer]:
        """The fixed-price offers of this SKU on this marketplace: none or one."""
        query = {
            "sku": sku,
            "marketplace_id": self._transport.marketplace.id,
            "format": FIXED_PRICE,
            "limit": str(MAX_PAGE),
            "offset": "0",
        }
        try:
            answer = self._transport.send(
                EbayRequest("getOffers", "GET", f"{BASE}/offer", params=query)
            )
        except EbayRefusal as refused:
            if refused.http_status == 404 or refused.mentions(*_NO_OFFER):
                return []
            raise
        return [StoredOffer.of(row) for row in rows(answer.body, "offers")]

    def update(self, offer_id: str, offer: Offer) -> None:
        """Replace an offer; a live listing follows."""
        self._transport.send(
            EbayRequest("updateOffer", "PUT", _offer(offer_id), body=offer.as_body())
        )

    def publish(self, offer_id: str) -> str:
        """List an offer; returns the listing id. Not safe to repeat without `get` first."""
        request = EbayRequest("publishOffer", "POST", f"{_offer(offer_id)}/publish")
        return _listing_id(self._transport.send(request).body)

    def publish_all(self, offer_ids: Sequence[str]) -> Mapping[str, str | EbayRefusal]:
        """List up to 25 offers in one call, each as a listing of its own.

        Of each offer the listing id, or why eBay refused it. Not safe to repeat without `get`
        first, and not for variants, which `publish_group` lists together.
        """
        sent = [{"offerId": offer_id} for offer_id in offer_ids]
        path = f"{BASE}/bulk_publish_offer"
        found = answers(self._transport, "bulkPublishOffer", path, sent)
        return {
            text(row, "offerId"): _listing_id(row) if went_well(row) else refusal_of([row])
            for row in found
        }

    def reprice(self, changes: Sequence[PriceAndQuantity]) -> None:
        """Change prices and quantities of up to 25 live offers and their items in one call.

        eBay's documents say both that a call takes one SKU and that it takes up to 25 items; their
        type, which is the more exact, is followed. Safe to repeat. Raises `EbayRefusal` when eBay
        refuses one of them; the others are changed all the same.
        """
        sent = [change.as_body() for change in changes]
        path = f"{BASE}/bulk_update_price_quantity"
        all_well(answers(self._transport, "bulkUpdatePriceQuantity", path, sent))

    def publish_group(self, group_key: str) -> str:
        """List all offers of a group as one listing; returns the listing id."""
        request = EbayRequest(
            "publishOfferByInventoryItemGroup",
            "POST",
            f"{BASE}/offer/publish_by_inventory_item_group",
            body=self._group_body(group_key),
        )
        return _listing_id(self._transport.send(request).body)

    def withdraw(self, offer_id: str) -> None:
        """End the listing; the offer stays, unpublished. Refused when it is not listed."""
        path = f"{_offer(offer_id)}/withdraw"
        self._transport.send(EbayRequest("withdrawOffer", "POST", path))

    def withdraw_group(self, group_key: str) -> None:
        """End the listing of a group. Refused when it is not listed."""
        self._transport.send(
            EbayRequest(
                "withdrawOfferByInventoryItemGroup",
                "POST",
                f"{BASE}/offer/withdraw_by_inventory_item_group",
                body=self._group_body(group_key),
            )
        )

    def _created_as(self, offer: Offer) -> dict[str, Any]:
        return {
            **offer.as_body(),
            "sku": offer.sku,
            "marketplaceId": self._transport.marketplace.id,
            "format": FIXED_PRICE,
        }

    def _group_body(self, group_key: str) -> dict[str, str]:
        return {
            "inventoryItemGroupKey": group_key,
            "marketplaceId": self._transport.marketplace.id,
        }


def _existing(refused: EbayRefusal) -> CreatedOffer | None:
    """The offer that a second creation collides with."""
    offer_id = refused.parameter("offerId")
    collides = refused.mentions(_CATCH_ALL) and offer_id is not None
    return CreatedOffer(str(offer_id), existed=True) if collides else None


def _created(row: Mapping[str, Any]) -> CreatedOffer | None:
    if went_well(row):
        return CreatedOffer(text(row, "offerId"), existed=False)
    return _existing(refusal_of([row]))


def _offer(offer_id: str) -> str:
    return f"{BASE}/offer/{quote(offer_id, safe='')}"


def _listing_id(body: Any) -> str:
    found = optional_text(body, "listingId")
    if found is None:
        raise UnreadableAnswer("eBay says it is listed but not under which number.")
    return found
