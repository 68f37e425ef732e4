"""Fulfillment API: orders, and the parcels that sellers send."""

import re
from datetime import UTC, datetime
from typing import Any

from sandbox.answers import Answer
from sandbox.ebay.apis import FULFILLMENT, FULFILLMENT_READ, FULFILLMENT_WRITE
from sandbox.ebay.errors import EbayError, error
from sandbox.ebay.operations import Call, Operation
from sandbox.ebay.order_search import Search, check_field_groups, wanted_ids
from sandbox.ebay.order_views import order_view, parcel_view
from sandbox.ebay.shapes import Shape, fitted
from sandbox.ebay.state import Order, Parcel

FIRST_PARCEL = 940_550_001
SHIPMENT: Shape = {
    "lineItems": [{"lineItemId": str, "quantity": int}],
    "shippedDate": str,
    "shippingCarrierCode": str,
    "trackingNumber": str,
}
_TRACKING = re.compile(r"[A-Za-z0-9]+")
_ORDER = "/order/{orderId}"
_PARCELS = f"{_ORDER}/shipping_fulfillment"


def _list(call: Call) -> Answer:
    check_field_groups(call.query)
    ids, own = wanted_ids(call.query), _orders_of(call)
    if ids is not None:
        found = [order for order in own if order.order_id in ids]
        body = {"href": f"{FULFILLMENT.base_path}/order", "limit": len(ids), "offset": 0}
        shown = [order_view(order, alone=False) for order in found]
        return Answer(200, {**body, "total": len(found), "orders": shown})
    now = call.sandbox.clock.now()
    search = Search.asked(call.query, now)
    found = list(search.among(own, now))
    shown = [
        order_view(order, alone=False)
        for order in found[search.offset : search.offset + search.limit]
    ]
    page = {"limit": search.limit, "offset": search.offset, "total": len(found), "orders": shown}
    return Answer(200, {**search.links(call.query, len(found)), **page})


def _get(call: Call) -> Answer:
    check_field_groups(call.query)
    return Answer(200, order_view(_order_of(call, missing=404), alone=True))


def _parcels(call: Call) -> Answer:
    parcels = _order_of(call).parcels
    body = {"total": len(parcels), "fulfillments": [parcel_view(each) for each in parcels]}
    return Answer(200, body)


def _parcel(call: Call) -> Answer:
    order, wanted = _order_of(call), call.path["fulfillmentId"]
    for parcel in order.parcels:
        if parcel.fulfillment_id == wanted:
            return Answer(200, parcel_view(parcel))
    raise EbayError(404, error(32110, f"Invalid shipping fulfillment ID: {wanted}"))


def _send(call: Call) -> Answer:
    """Each call is another parcel: a repeat of the same one is not noticed."""
    order = _order_of(call)
    content = fitted(call.body, SHIPMENT)
    units = _units(order, content.get("lineItems", []))
    carrier, tracking = content.get("shippingCarrierCode"), content.get("trackingNumber")
    if (carrier is None) != (tracking is None) or not _TRACKING.fullmatch(tracking or "none"):
        raise EbayError(400, error(32300, "Invalid shipment tracking number or carrier"))
    now = call.sandbox.clock.now()
    parcel = Parcel(
        fulfillment_id=call.state.next_number("parcel", FIRST_PARCEL),
        shipped_at=_shipped_at(content.get("shippedDate"), now),
        units=units,
        carrier=carrier,
        tracking=tracking,
    )
    order.parcels.append(parcel)
    for line in order.lines:
        line.sent = min(line.quantity, line.sent + units.get(line.line_id, 0))
    order.modified_at = now
    path = f"{FULFILLMENT.base_path}/order/{order.order_id}/shipping_fulfillment"
    location = f"{call.base_url}{path}/{parcel.fulfillment_id}"
    return Answer(201, {}, {"Location": location})


def _units(order: Order, rows: list[dict[str, Any]]) -> dict[str, int]:
    if not rows:
        raise EbayError(400, error(32600, "Invalid input data"))
    known = {line.line_id: line.quantity for line in order.lines}
    units: dict[str, int] = {}
    for row in rows:
        line_id, quantity = str(row.get("lineItemId")), row.get("quantity", 0)
        if line_id not in known or not 0 < quantity <= known[line_id]:
            text = f"Invalid line item id: {line_id}"
            raise EbayError(400, error(32200, text, lineItemId=line_id))
        if line_id in units:
            raise EbayError(400, error(32210, "Duplicate line item in the request"))
        units[line_id] = quantity
    return units


def _shipped_at(text: str | None, now: datetime) -> datetime:
    if text is None:
        return now
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        moment = None
    if moment is None or moment > now:
        raise EbayError(400, error(32500, "Invalid shipped date"))
    return moment


def _orders_of(call: Call) -> list[Order]:
    return [order for order in call.state.orders.values() if order.seller == call.seller.name]


def _order_of(call: Call, missing: int = 400) -> Order:
    """The seller's own order. Raises EbayError (32100)."""
    order_id = call.path["orderId"]
    order = call.state.orders.get(order_id)
    if order is None or order.seller != call.seller.name:
        raise EbayError(missing, error(32100, f"Invalid order ID: {order_id}"))
    return order


def _read(operation_id: str, path: str, handler: Any) -> Operation:
    return Operation(operation_id, "GET", path, FULFILLMENT, FULFILLMENT_READ, handler)


FULFILLMENT_OPERATIONS = (
    _read("getOrders", "/order", _list),
    _read("getOrder", _ORDER, _get),
    _read("getShippingFulfillments", _PARCELS, _parcels),
    _read("getShippingFulfillment", f"{_PARCELS}/{{fulfillmentId}}", _parcel),
    Operation(
        "createShippingFulfillment", "POST", _PARCELS, FULFILLMENT, FULFILLMENT_WRITE, _send,
        json_body=True,
    ),
)  # fmt: skip
