"""Orders as the Fulfillment API shows them."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from sandbox.clock import wire_time
from sandbox.ebay.apis import FULFILLMENT
from sandbox.ebay.orders import fee, goods, refunded, total
from sandbox.ebay.state import Order, OrderLine, Parcel

ADDRESS = {
    "addressLine1": "1 Sandbox Street",
    "addressLine2": "Flat 2",
    "city": "Springfield",
    "stateOrProvince": "OR",
    "postalCode": "97477",
    "countryCode": "US",
}
PHONE = {"phoneNumber": "555 0100"}


def order_view(order: Order, *, alone: bool) -> dict[str, Any]:
    """One order; what only `getOrder` tells is left out of lists."""
    money = _money(order)
    view = {
        "orderId": order.order_id,
        "sellerId": order.seller.removeprefix("TESTUSER_"),
        "creationDate": wire_time(order.created_at),
        "lastModifiedDate": wire_time(order.modified_at),
        "orderFulfillmentStatus": order.sent,
        "orderPaymentStatus": _payment_status(order),
        "buyer": _buyer(order),
        "cancelStatus": _cancel_status(order, alone=alone),
        "fulfillmentHrefs": [
            f"{FULFILLMENT.base_path}/order/{order.order_id}/shipping_fulfillment/"
            f"{parcel.fulfillment_id}"
            for parcel in order.parcels
        ],
        "fulfillmentStartInstructions": [_instructions(order)],
        "lineItems": [_line(order, line) for line in order.lines],
        "paymentSummary": _payments(order),
        "pricingSummary": {
            "priceSubtotal": money(goods(order)),
            "deliveryCost": money(Decimal(order.shipping)),
            "total": money(total(order)),
        },
        "totalFeeBasisAmount": money(total(order)),
    }
    if order.paid_at is not None:
        view["totalMarketplaceFee"] = money(fee(order))
    return view


def parcel_view(parcel: Parcel) -> dict[str, Any]:
    """One shipping fulfillment: read back, the tracking number has another name."""
    view: dict[str, Any] = {
        "fulfillmentId": parcel.fulfillment_id,
        "shippedDate": wire_time(parcel.shipped_at),
        "lineItems": [
            {"lineItemId": line_id, "quantity": units} for line_id, units in parcel.units.items()
        ],
    }
    if parcel.tracking is not None:
        view["shipmentTrackingNumber"] = parcel.tracking
        view["shippingCarrierCode"] = parcel.carrier
    return view


def _money(order: Order) -> Any:
    return lambda amount: {"value": f"{amount:.2f}", "currency": order.currency}


def _payment_status(order: Order) -> str:
    if order.paid_at is None:
        return "FAILED" if order.cancelled_at else "PENDING"
    if order.refunds:
        return "FULLY_REFUNDED" if refunded(order) >= total(order) else "PARTIALLY_REFUNDED"
    return "PAID"


def _buyer(order: Order) -> dict[str, Any]:
    contact = {"fullName": f"Buyer {order.buyer}", "contactAddress": ADDRESS}
    tax = {name: ADDRESS[name] for name in ("city", "stateOrProvince", "postalCode", "countryCode")}
    return {
        "username": order.buyer,
        "taxAddress": tax,
        "buyerRegistrationAddress": {
            **contact,
            "primaryPhone": PHONE,
            "email": f"{order.buyer}@members.example",
        },
    }


def _cancel_status(order: Order, *, alone: bool) -> dict[str, Any]:
    if order.cancelled_at is None:
        return {"cancelState": "NONE_REQUESTED", "cancelRequests": []}
    moment = wire_time(order.cancelled_at)
    request = {
        "cancelRequestId": f"50{order.order_id[-5:]}",
        "cancelInitiator": "Buyer",
        "cancelReason": order.cancel_reason,
        "cancelRequestedDate": moment,
        "cancelCompletedDate": moment,
        "cancelRequestState": "COMPLETED",
    }
    return {
        "cancelState": "CANCELED",
        "cancelledDate": moment,
        "cancelRequests": [request] if alone else [],
    }


def _instructions(order: Order) -> dict[str, Any]:
    ship_to = {
        "fullName": f"Buyer {order.buyer}",
        "contactAddress": ADDRESS,
        "primaryPhone": PHONE,
        "email": f"{order.buyer}@members.example",
    }
    return {
        "fulfillmentInstructionsType": "SHIP_TO",
        "minEstimatedDeliveryDate": wire_time(order.created_at + timedelta(days=3)),
        "maxEstimatedDeliveryDate": wire_time(order.created_at + timedelta(days=6)),
        "ebaySupportedFulfillment": False,
        "shippingStep": {
            "shippingCarrierCode": "USPS",
            "shippingServiceCode": "USPSGroundAdvantage",
            "shipTo": ship_to,
        },
    }


def _line(order: Order, line: OrderLine) -> dict[str, Any]:
    money, cost = _money(order), Decimal(line.price) * line.quantity
    states = {0: "NOT_STARTED", line.quantity: "FULFILLED"}
    shipping = Decimal(order.shipping) if line is order.lines[0] else Decimal()
    view = {
        "lineItemId": line.line_id,
        "legacyItemId": line.listing_id,
        "sku": line.sku,
        "title": line.title,
        "quantity": line.quantity,
        "lineItemCost": money(cost),
        "total": money(cost + shipping),
        "deliveryCost": {"shippingCost": money(shipping)},
        "soldFormat": "FIXED_PRICE",
        "listingMarketplaceId": order.marketplace_id,
        "purchaseMarketplaceId": order.marketplace_id,
        "lineItemFulfillmentStatus": states.get(line.sent, "IN_PROGRESS"),
        "lineItemFulfillmentInstructions": {
            "minEstimatedDeliveryDate": wire_time(order.created_at + timedelta(days=3)),
            "maxEstimatedDeliveryDate": wire_time(order.created_at + timedelta(days=6)),
            "shipByDate": wire_time(order.created_at + timedelta(days=2)),
            "guaranteedDelivery": False,
        },
        "properties": {"buyerProtection": True},
        "appliedPromotions": [],
        "taxes": [],
        "refunds": [],
    }
    if line.aspects:
        view["legacyVariationId"] = f"4{line.offer_id}"
        view["variationAspects"] = [
            {"name": name, "value": value}
            for name, values in line.aspects.items()
            for value in values
        ]
    return view


def _payments(order: Order) -> dict[str, Any]:
    money = _money(order)
    payment = {
        "paymentMethod": "EBAY",
        "paymentReferenceId": f"P{order.order_id}",
        "amount": money(total(order)),
        "paymentStatus": "PAID" if order.paid_at else "PENDING",
    }
    if order.paid_at is not None:
        payment["paymentDate"] = wire_time(order.paid_at)
    refunds = [
        {
            "refundId": each.refund_id,
            "amount": money(Decimal(each.amount)),
            "refundDate": wire_time(each.made_at),
            "refundStatus": "REFUNDED",
        }
        for each in order.refunds
    ]
    due = total(order) - refunded(order) - (fee(order) if order.paid_at else Decimal())
    return {
        "totalDueSeller": money(max(due, Decimal())),
        "payments": [payment],
        "refunds": refunds,
    }
