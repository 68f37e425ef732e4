"""Receipts, as Etsy calls orders, and the parcels that are sent for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.gateways.calls import UnreadableAnswer
from services.gateways.etsy.errors import EtsyRefusal
from services.gateways.etsy.reading import (
    flag,
    money,
    number,
    optional_text,
    results,
    rows,
    text,
    whole,
)
from services.gateways.etsy.transport import EtsyRequest, EtsyTransport
from shared.errors import APIError
from shared.money import Money

MAX_PAGE = 100
MAX_OFFSET = 12_000
"""Etsy shows no row beyond."""

_NEW = (("legacy", "false"),)


@dataclass(frozen=True, slots=True)
class EtsyTransaction:
    """One line of a receipt."""

    transaction_id: int
    listing_id: int | None
    product_id: int | None
    sku: str | None
    title: str
    quantity: int | None
    """None where Etsy does not say, which is not 0."""
    total: Money | None
    shipped: bool

    @classmethod
    def of(cls, row: Any, *, shipped: bool) -> "EtsyTransaction":
        """Read it. Raises `UnreadableAnswer`."""
        price, quantity = money(row, "price"), whole(row, "quantity")
        known = price is not None and quantity is not None
        return cls(
            transaction_id=number(row, "transaction_id"),
            listing_id=whole(row, "listing_id") or None,
            product_id=whole(row, "product_id"),
            sku=optional_text(row, "sku"),
            title=optional_text(row, "title") or "",
            quantity=quantity,
            total=Money(price.minor * quantity, price.currency)
            if known and price is not None and quantity is not None
            else None,
            shipped=shipped or whole(row, "shipped_timestamp") is not None,
        )


@dataclass(frozen=True, slots=True)
class EtsyParcel:
    """A shipment that was told to Etsy, and so to the buyer."""

    carrier: str | None
    tracking: str | None


@dataclass(frozen=True, slots=True)
class EtsyReceipt:
    """A receipt in Etsy's words. Of the buyer only what a parcel needs is read."""

    receipt_id: int
    created_at: datetime
    modified_at: datetime
    status: str
    """Such as `paid`, `completed`, `payment processing`, `canceled`, `fully refunded`."""
    paid: bool
    shipped: bool
    total: Money
    goods: Money | None
    shipping: Money | None
    refunded: Money | None
    buyer: str | None
    ship_to: Mapping[str, str]
    parcels: Sequence[EtsyParcel]
    lines: Sequence[EtsyTransaction]

    @classmethod
    def of(cls, body: Any) -> "EtsyReceipt":
        """Read it. Raises `UnreadableAnswer`."""
        total = money(body, "grandtotal")
        if total is None:
            raise UnreadableAnswer("Etsy's answer lacks the total of a receipt.")
        shipped = flag(body, "is_shipped") is True
        return cls(
            receipt_id=number(body, "receipt_id"),
            created_at=_moment(body, "created_timestamp"),
            modified_at=_moment(body, "updated_timestamp"),
            status=text(body, "status").casefold(),
            paid=flag(body, "is_paid") is True,
            shipped=shipped,
            total=total,
            goods=money(body, "subtotal"),
            shipping=money(body, "total_shipping_cost"),
            refunded=_refunded(body, total.currency),
            buyer=optional_text(body, "name"),
            ship_to=_ship_to(body),
            parcels=[
                EtsyParcel(optional_text(row, "carrier_name"), optional_text(row, "tracking_code"))
                for row in rows(body, "shipments")
            ],
            lines=[EtsyTransaction.of(row, shipped=shipped) for row in rows(body, "transactions")],
        )


@dataclass(frozen=True, slots=True)
class UnreadableReceipt:
    """A receipt of a page that lacks something it must have."""

    receipt_id: str
    problem: str


@dataclass(frozen=True, slots=True)
class ReceiptPage:
    """Part of a list; `size` counts the unreadable ones too."""

    receipts: Sequence[EtsyReceipt]
    unreadable: Sequence[UnreadableReceipt]
    total: int
    """Receipts in the whole list at the moment of this answer."""

    @property
    def size(self) -> int:
        """How many rows it has."""
        return len(self.receipts) + len(self.unreadable)

    @property
    def ids(self) -> frozenset[str]:
        """Etsy's ids of all of them."""
        read = {str(receipt.receipt_id) for receipt in self.receipts}
        return frozenset(read | {row.receipt_id for row in self.unreadable})


class EtsyReceiptClient:
    """Receipts of one shop. Only `ship` changes anything, and each success writes to the buyer."""

    def __init__(self, transport: EtsyTransport, shop_id: int) -> None:
        self._transport = transport
        self._path = f"/shops/{shop_id}/receipts"

    def changed(
        self, since: datetime, until: datetime | None, *, offset: int, limit: int = MAX_PAGE
    ) -> ReceiptPage:
        """Receipts that changed between two moments of Etsy's clock; `until` None: up to now.

        `offset` counts receipts. Raises `UnreadableAnswer` when the page itself cannot be read.
        """
        params = [
            ("min_last_modified", str(int(since.timestamp()))),
            ("limit", str(limit)),
            ("offset", str(offset)),
            ("sort_on", "updated"),
            ("sort_order", "asc"),
            *_NEW,
        ]
        if until is not None:
            params.append(("max_last_modified", str(int(until.timestamp()))))
        body = self._transport.send(EtsyRequest("getShopReceipts", "GET", self._path, params))
        total = whole(body, "count")
        if total is None:
            raise UnreadableAnswer("Etsy's answer does not say how many receipts there are.")
        return _page(results(body), total)

    def receipt(self, receipt_id: int) -> EtsyReceipt | None:
        """One receipt with its transactions and parcels, or None when Etsy does not know it."""
        path = f"{self._path}/{receipt_id}"
        try:
            body = self._transport.send(EtsyRequest("getShopReceipt", "GET", path, _NEW))
        except EtsyRefusal as refused:
            if refused.http_status == 404:
                return None
            raise
        return EtsyReceipt.of(body)

    def transactions(self, receipt_id: int) -> Sequence[EtsyTransaction]:
        """The lines of a receipt alone."""
        path = f"{self._path}/{receipt_id}/transactions"
        request = EtsyRequest("getShopReceiptTransactionsByReceipt", "GET", path, _NEW)
        found = results(self._transport.send(request))
        return [EtsyTransaction.of(row, shipped=False) for row in found]

    def ship(self, receipt_id: int, carrier: str, tracking: str, note: str = "") -> EtsyReceipt:
        """Say that it was sent; the receipt as it is then.

        Each call that succeeds writes to the buyer: look at the receipt's `parcels` before it is
        repeated.
        """
        body: dict[str, Any] = {"carrier_name": carrier, "tracking_code": tracking}
        if note:
            body["note_to_buyer"] = note
        path = f"{self._path}/{receipt_id}/tracking"
        request = EtsyRequest("createReceiptShipment", "POST", path, _NEW, body=body)
        return EtsyReceipt.of(self._transport.send(request))


def _page(found: Sequence[Mapping[str, Any]], total: int) -> ReceiptPage:
    receipts: list[EtsyReceipt] = []
    unreadable: list[UnreadableReceipt] = []
    for place, row in enumerate(found, start=1):
        try:
            receipts.append(EtsyReceipt.of(row))
        except APIError as wrong:
            name = str(whole(row, "receipt_id") or f"nameless receipt {place}")
            unreadable.append(UnreadableReceipt(name, wrong.detail))
    return ReceiptPage(receipts, unreadable, total)


def _moment(body: Any, name: str) -> datetime:
    """Epoch seconds. Raises `UnreadableAnswer`."""
    try:
        return datetime.fromtimestamp(number(body, name), UTC)
    except (OverflowError, ValueError, OSError):
        raise UnreadableAnswer(f"Etsy's {name} is no moment.") from None


def _refunded(body: Any, currency: str) -> Money | None:
    made = [money(row, "amount") for row in rows(body, "refunds")]
    amounts = [each.minor for each in made if each is not None and each.currency == currency]
    return Money(sum(amounts), currency) if amounts else None


def _ship_to(body: Any) -> Mapping[str, str]:
    found = {
        "name": optional_text(body, "name"),
        "line1": optional_text(body, "first_line"),
        "line2": optional_text(body, "second_line"),
        "city": optional_text(body, "city"),
        "state": optional_text(body, "state"),
        "postal_code": optional_text(body, "zip"),
        "country": optional_text(body, "country_iso"),
    }
    return {name: value for name, value in found.items() if value}
