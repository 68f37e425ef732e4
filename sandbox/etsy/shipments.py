"""What may be said of a parcel."""

from typing import Any

from sandbox.etsy.errors import bad_request
from sandbox.etsy.state import Receipt, Shop
from sandbox.etsy.values import CARRIERS, OTHER_CARRIER

TEXTS = frozenset({"tracking_code", "carrier_name", "note_to_buyer"})
TEXTS_OR_NULL = frozenset(
    {
        "mail_class", "weight_units", "dimension_units", "shipping_label_currency",
        "revenue_eligibility", "ship_from_country", "ship_to_country", "incoterm",
        "duty_currency", "ship_date",
    }
)  # fmt: skip
NUMBERS = frozenset({"weight", "length", "width", "height", "shipping_label_cost", "duty_amount"})
CUSTOMS_FIELDS = frozenset({"country_of_origin", "declared_value", "HS_code"})
TRACKED_ABOVE = 1_000
"""Cents: within the US, orders above ten dollars need tracking."""


def check_shipment(shop: Shop, receipt: Receipt, body: dict[str, Any]) -> tuple[str, str]:
    """Carrier and tracking code, both or neither. Raises EtsyError 400."""
    _check_types(body)
    carrier, code = body.get("carrier_name", ""), body.get("tracking_code", "")
    if bool(carrier) != bool(code):
        raise bad_request("carrier_name and tracking_code go together.")
    if carrier and carrier not in {OTHER_CARRIER, *(one.key for one in CARRIERS.values())}:
        raise bad_request(f"carrier_name is not supported; {OTHER_CARRIER} always is.")
    domestic = shop.country == receipt.country == "US"
    costly = receipt.goods + receipt.shipping > TRACKED_ABOVE
    if not code and (receipt.country == "IN" or (domestic and costly)):
        raise bad_request("tracking_code and carrier_name are required for this order.")
    return carrier, code


def _check_types(body: dict[str, Any]) -> None:
    for name, value in body.items():
        if not _fits(name, value):
            raise bad_request(f"Invalid value for {name}.")


def _fits(name: str, value: Any) -> bool:
    if name == "send_bcc":
        return isinstance(value, bool)
    if name in TEXTS:
        return isinstance(value, str)
    if value is None:
        return name in TEXTS_OR_NULL | NUMBERS | {"customs_data"}
    if name in NUMBERS:
        return type(value) in (int, float)
    if name == "customs_data":
        return isinstance(value, list) and all(_is_customs(row) for row in value)
    return name in TEXTS_OR_NULL and isinstance(value, str)


def _is_customs(row: Any) -> bool:
    return isinstance(row, dict) and set(row) == CUSTOMS_FIELDS
