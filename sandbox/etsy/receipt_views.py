"""Receipts and transactions as Etsy answers them."""

from typing import Any

from sandbox.etsy.shops import money
from sandbox.etsy.state import Receipt, Shop, Transaction

DAY_S = 86_400


def status(receipt: Receipt) -> str:
    """Etsy's word for where it stands."""
    if receipt.canceled_at is not None:
        return "canceled"
    if receipt.refunds:
        whole = receipt.refunded == receipt.goods + receipt.shipping
        return "fully refunded" if whole else "partially refunded"
    if receipt.paid_at is None:
        return "payment processing"
    return "paid" if receipt.shipped_at is None else "completed"


def receipt_view(shop: Shop, receipt: Receipt) -> dict[str, Any]:
    """Etsy's ShopReceipt; the buyer's e-mail address is given to few applications."""
    street, city, code = "1 Sandbox Street", "Sandbox City", "10001"

    def amount(cents: int) -> dict[str, Any]:
        return money(cents, shop.currency)

    return {
        "receipt_id": receipt.receipt_id,
        "receipt_type": 0,
        "seller_user_id": shop.user_id,
        "seller_email": None,
        "buyer_user_id": receipt.buyer_user_id,
        "buyer_email": None,
        "name": receipt.buyer,
        "first_line": street,
        "second_line": None,
        "city": city,
        "state": None,
        "zip": code,
        "status": status(receipt),
        "formatted_address": "\n".join((receipt.buyer, street, f"{code} {city}", receipt.country)),
        "country_iso": receipt.country,
        "payment_method": "cc",
        "payment_email": None,
        "message_from_seller": None,
        "message_from_buyer": receipt.message or None,
        "message_from_payment": None,
        "is_paid": receipt.paid_at is not None,
        "is_shipped": receipt.shipped_at is not None,
        "create_timestamp": receipt.created_at,
        "created_timestamp": receipt.created_at,
        "update_timestamp": receipt.updated_at,
        "updated_timestamp": receipt.updated_at,
        "is_gift": False,
        "gift_message": "",
        "gift_sender": "",
        "grandtotal": amount(receipt.goods + receipt.shipping),
        "subtotal": amount(receipt.goods),
        "total_price": amount(receipt.goods),
        "total_shipping_cost": amount(receipt.shipping),
        "total_tax_cost": amount(0),
        "total_vat_cost": amount(0),
        "discount_amt": amount(0),
        "gift_wrap_price": amount(0),
        "shipments": [
            {
                "receipt_shipping_id": one.shipment_id,
                "shipment_notification_timestamp": one.at,
                "carrier_name": one.carrier,
                "tracking_code": one.tracking_code,
            }
            for one in receipt.shipments
        ],
        "transactions": [transaction_view(shop, receipt, one) for one in receipt.transactions],
        "refunds": [
            {
                "amount": amount(one.amount),
                "created_timestamp": one.at,
                "reason": one.reason,
                "note_from_issuer": None,
                "status": "complete",
            }
            for one in receipt.refunds
        ],
    }


def transaction_view(shop: Shop, receipt: Receipt, bought: Transaction) -> dict[str, Any]:
    """Etsy's ShopReceiptTransaction."""
    least, most = bought.processing_days or (None, None)
    expected = None
    if most is not None and receipt.paid_at is not None:
        expected = receipt.paid_at + most * DAY_S
    return {
        "transaction_id": bought.transaction_id,
        "title": bought.title,
        "description": bought.description,
        "seller_user_id": shop.user_id,
        "buyer_user_id": receipt.buyer_user_id,
        "create_timestamp": receipt.created_at,
        "created_timestamp": receipt.created_at,
        "paid_timestamp": receipt.paid_at,
        "shipped_timestamp": receipt.shipped_at,
        "quantity": bought.quantity,
        "listing_image_id": bought.image_id,
        "receipt_id": receipt.receipt_id,
        "is_digital": bought.is_digital,
        "file_data": "",
        "listing_id": bought.listing_id,
        "transaction_type": "listing",
        "product_id": bought.product_id,
        "sku": bought.sku,
        "price": money(bought.price, shop.currency),
        "shipping_cost": money(bought.shipping_cost, shop.currency),
        "variations": [
            {
                "property_id": one["property_id"],
                "value_id": one["value_ids"][0],
                "formatted_name": one["property_name"],
                "formatted_value": one["values"][0],
                "question_id": None,
            }
            for one in bought.property_values
        ],
        "product_data": bought.property_values,
        "shipping_profile_id": bought.shipping_profile_id,
        "min_processing_days": least,
        "max_processing_days": most,
        "shipping_method": None,
        "shipping_upgrade": None,
        "expected_ship_date": expected,
        "buyer_coupon": 0,
        "shop_coupon": 0,
    }
