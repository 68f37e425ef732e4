"""Orders, and the parcels that are sent for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from services.gateways.ebay.errors import EbayRefusal
from services.gateways.ebay.reading import (
    UnreadableAnswer,
    at,
    moment,
    money,
    optional_text,
    rows,
    text,
    whole,
)
from services.gateways.ebay.transport import EbayRequest, EbayTransport
from shared.errors import APIError
from shared.money import Money

BASE = "/sell/fulfillment/v1"

MAX_PAGE = 200
MAX_IDS = 50

_INVALID_ORDER = 32100


@dataclass(frozen=True, slots=True)
class EbayOrderLine:
    """One line of an order."""

    line_id: str
    listing_id: str | None
    variation_id: str | None
    sku: str | None
    title: str
    quantity: int | None
    """None where eBay does not say, which is not 0."""
    total: Money | None
    fulfilled: bool

    @classmethod
    def of(cls, row: Any) -> "EbayOrderLine":
        """Read it. Raises `UnreadableAnswer`."""
        return cls(
            line_id=text(row, "lineItemId"),
            listing_id=optional_text(row, "legacyItemId"),
            variation_id=optional_text(row, "legacyVariationId"),
            sku=optional_text(row, "sku"),
            title=optional_text(row, "title") or "",
            quantity=whole(row, "quantity"),
            total=money(row, "lineItemCost"),
            fulfilled=optional_text(row, "lineItemFulfillmentStatus") == "FULFILLED",
        )


@dataclass(frozen=True, slots=True)
class EbayOrder:
    """An order in eBay's words. Of the buyer only what a parcel needs is read."""

    order_id: str
    created_at: datetime
    modified_at: datetime
    payment: str
    """PENDING, PAID, FAILED, PARTIALLY_REFUNDED, FULLY_REFUNDED."""
    fulfillment: str
    """NOT_STARTED, IN_PROGRESS, FULFILLED."""
    cancelled: bool
    total: Money
    goods: Money | None
    shipping: Money | None
    fee: Money | None
    refunded: Money | None
    buyer: str | None
    ship_to: Mapping[str, str]
    lines: Sequence[EbayOrderLine]

    @classmethod
    def of(cls, body: Any) -> "EbayOrder":
        """Read it. Raises `UnreadableAnswer`."""
        total = money(body, "pricingSummary", "total")
        if total is None:
            raise UnreadableAnswer("eBay's answer lacks the total of an order.")
        return cls(
            order_id=text(body, "orderId"),
            created_at=moment(body, "creationDate"),
            modified_at=moment(body, "lastModifiedDate"),
            payment=text(body, "orderPaymentStatus"),
            fulfillment=text(body, "orderFulfillmentStatus"),
            cancelled=optional_text(body, "cancelStatus", "cancelState") == "CANCELED",
            total=total,
            goods=money(body, "pricingSummary", "priceSubtotal"),
            shipping=money(body, "pricingSummary", "deliveryCost"),
            fee=money(body, "totalMarketplaceFee"),
            refunded=_refunded(body, total.currency),
            buyer=optional_text(body, "buyer", "username"),
            ship_to=_ship_to(body),
            lines=[EbayOrderLine.of(row) for row in rows(body, "lineItems")],
        )


@dataclass(frozen=True, slots=True)
class UnreadableRow:
    """An order of a page that lacks something it must have."""

    order_id: str
    problem: str


@dataclass(frozen=True, slots=True)
class OrderPage:
    """Part of a list; `size` counts the unreadable ones too."""

    orders: Sequence[EbayOrder]
    unreadable: Sequence[UnreadableRow]
    total: int
    """Orders in the whole list at the moment of this answer."""

    @property
    def size(self) -> int:
        """How many rows it has."""
        return len(self.orders) + len(self.unreadable)

    @property
    def ids(self) -> frozenset[str]:
        """eBay's ids of all of them."""
        read = {order.order_id for order in self.orders}
        return frozenset(read | {row.order_id for row in self.unreadable})


@dataclass(frozen=True, slots=True)
class EbayParcel:
    """A shipping fulfillment as eBay has it."""

    fulfillment_id: str
    tracking: str | None
    carrier: str | None
    units: Mapping[str, int]
    """By line id."""


class EbayFulfillmentClient:
    """`/sell/fulfillment/v1`. Only `ship` changes anything, and it must not be repeated blindly."""

    def __init__(self, transport: EbayTransport) -> None:
        self._transport = transport

    def changed(
        self, since: datetime, until: datetime | None, *, offset: int, limit: int = MAX_PAGE
    ) -> OrderPage:
        """Orders that changed between two moments of eBay's clock; `until` None: up to now.

        `offset` counts orders. Raises `UnreadableAnswer` when the page itself cannot be read.
        """
        end = "" if until is None else _wire(until)
        params = {
            "filter": f"lastmodifieddate:[{_wire(since)}..{end}]",
            "limit": str(limit),
            "offset": str(offset),
        }
        return self._page(params)

    def by_ids(self, order_ids: Sequence[str]) -> OrderPage:
        """At most 50 orders by their ids; those that eBay does not know are left out."""
        return self._page({"orderIds": ",".join(order_ids)})

    def order(self, order_id: str) -> EbayOrder | None:
        """One order, or None when eBay does not know it."""
        try:
            answer = self._transport.send(EbayRequest("getOrder", "GET", _order(order_id)))
        except EbayRefusal as refused:
            if refused.http_status == 404 or refused.mentions(_INVALID_ORDER):
                return None
            raise
        return EbayOrder.of(answer.body)

    def parcels(self, order_id: str) -> Sequence[EbayParcel]:
        """Every parcel that was sent for an order."""
        request = EbayRequest("getShippingFulfillments", "GET", _parcels(order_id))
        answer = self._transport.send(request)
        return [_parcel(row) for row in rows(answer.body, "fulfillments")]

    def ship(
        self, order_id: str, units: Mapping[str, int], carrier: str, tracking: str
    ) -> str | None:
        """Say that units of these lines were sent; the parcel's id, which only a header tells.

        Each call makes another parcel: look at `parcels` before it is repeated.
        """
        body = {
            "lineItems": [
                {"lineItemId": line_id, "quantity": number} for line_id, number in units.items()
            ],
            "shippingCarrierCode": carrier,
            "trackingNumber": tracking,
        }
        request = EbayRequest("createShippingFulfillment", "POST", _parcels(order_id), body=body)
        answer = self._transport.send(request)
        return answer.headers.get("location", "").rstrip("/").rpartition("/")[2] or None

    def _page(self, params: Mapping[str, str]) -> OrderPage:
        request = EbayRequest("getOrders", "GET", f"{BASE}/order", params=params)
        body = self._transport.send(request).body
        total = whole(body, "total")
        if total is None:
            raise UnreadableAnswer("eBay's answer does not say how many orders there are.")
        orders: list[EbayOrder] = []
        unreadable: list[UnreadableRow] = []
        for number, row in enumerate(rows(body, "orders"), start=1):
            try:
                orders.append(EbayOrder.of(row))
            except APIError as wrong:
                name = optional_text(row, "orderId") or f"nameless order {number}"
                unreadable.append(UnreadableRow(name, wrong.detail))
        return OrderPage(orders, unreadable, total)


def _refunded(body: Any, currency: str) -> Money | None:
    made = [
        money(row, "amount")
        for row in rows(body, "paymentSummary", "refunds")
        if optional_text(row, "refundStatus") != "FAILED"
    ]
    amounts = [each.minor for each in made if each is not None and each.currency == currency]
    return Money(sum(amounts), currency) if amounts else None


def _ship_to(body: Any) -> Mapping[str, str]:
    steps = rows(body, "fulfillmentStartInstructions")
    contact = at(steps[0], "shippingStep", "shipTo") if steps else None
    found = {
        "name": optional_text(contact, "fullName"),
        "company": optional_text(contact, "companyName"),
        "line1": optional_text(contact, "contactAddress", "addressLine1"),
        "line2": optional_text(contact, "contactAddress", "addressLine2"),
        "city": optional_text(contact, "contactAddress", "city"),
        "state": optional_text(contact, "contactAddress", "stateOrProvince"),
        "postal_code": optional_text(contact, "contactAddress", "postalCode"),
        "country": optional_text(contact, "contactAddress", "countryCode"),
        "phone": optional_text(contact, "primaryPhone", "phoneNumber"),
    }
    return {name: value for name, value in found.items() if value}


def _parcel(row: Any) -> EbayParcel:
    units = {
        text(line, "lineItemId"): whole(line, "quantity") or 0 for line in rows(row, "lineItems")
    }
    return EbayParcel(
        fulfillment_id=text(row, "fulfillmentId"),
        tracking=optional_text(row, "shipmentTrackingNumber"),
        carrier=optional_text(row, "shippingCarrierCode"),
        units=units,
    )


def _wire(when: datetime) -> str:
    """As eBay writes moments."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03}Z"


def _order(order_id: str) -> str:
    return f"{BASE}/order/{quote(order_id, safe='')}"


def _parcels(order_id: str) -> str:
    return f"{_order(order_id)}/shipping_fulfillment"
