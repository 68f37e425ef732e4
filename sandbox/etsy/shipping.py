"""Shipping profiles and carriers."""

from decimal import Decimal
from typing import Any

from sandbox.answers import Answer
from sandbox.etsy.errors import bad_request, not_found
from sandbox.etsy.fields import integer, number, text, word
from sandbox.etsy.operations import Call, Operation, listed
from sandbox.etsy.shops import add_shipping_profile
from sandbox.etsy.values import CARRIERS, POSTAL_COUNTRIES, cents

PROFILE_FIELDS = (
    text("title", required=True),
    text("origin_country_iso", required=True),
    number("primary_cost", required=True, least=0),
    number("secondary_cost", required=True, least=0),
    integer("min_processing_time", least=1, most=10),
    integer("max_processing_time", least=1, most=10),
    word("processing_time_unit", ("business_days", "weeks")),
    text("destination_country_iso"),
    word("destination_region", ("eu", "non_eu", "none")),
    text("origin_postal_code"),
    integer("shipping_carrier_id", least=0),
    text("mail_class"),
    integer("min_delivery_days", least=1, most=45),
    integer("max_delivery_days", least=1, most=45),
)


def _profiles(call: Call) -> Answer:
    return listed(list(call.own_shop.shipping_profiles.values()))


def _profile(call: Call) -> Answer:
    profile = call.own_shop.shipping_profiles.get(call.path["shipping_profile_id"])
    if profile is None:
        raise not_found("Shipping profile")
    return Answer(200, profile)


def _create(call: Call) -> Answer:
    shop, form = call.own_shop, dict(call.form)
    _check_places(form)
    _check_delivery(form)
    for name in ("primary_cost", "secondary_cost"):
        form[name] = cents(Decimal(form[name]))
    return Answer(200, add_shipping_profile(call.state, shop, form))


def _check_places(form: dict[str, Any]) -> None:
    country, region = form.get("destination_country_iso"), form.get("destination_region", "none")
    if bool(country) == (region != "none"):
        raise bad_request("Give either destination_country_iso or destination_region.")
    for name in ("origin_country_iso", "destination_country_iso"):
        code = form.get(name)
        if code and not (len(code) == 2 and code.isascii() and code.isupper()):
            raise bad_request(f"{name} must be an ISO code of two letters.")
    if form["origin_country_iso"] in POSTAL_COUNTRIES and not form.get("origin_postal_code"):
        raise bad_request("origin_postal_code is required for this country.")


def _check_delivery(form: dict[str, Any]) -> None:
    fastest, slowest = form.get("min_delivery_days"), form.get("max_delivery_days")
    carrier = CARRIERS.get(form.get("shipping_carrier_id", 0))
    if carrier is not None and form.get("mail_class") in carrier.mail_classes:
        return
    if fastest is None or slowest is None:
        text = "Give shipping_carrier_id with mail_class, or min and max_delivery_days."
        raise bad_request(text)
    if fastest > slowest:
        raise bad_request("min_delivery_days is above max_delivery_days.")


def _carriers(call: Call) -> Answer:
    return listed(
        [
            {
                "shipping_carrier_id": carrier_id,
                "name": carrier.name,
                "domestic_classes": [_mail_class(key) for key in carrier.mail_classes],
                "international_classes": [],
            }
            for carrier_id, carrier in CARRIERS.items()
            if call.query["origin_country_iso"] in carrier.countries
        ]
    )


def _mail_class(key: str) -> dict[str, str]:
    return {"mail_class_key": key, "name": key.replace("_", " ").title()}


_PATH = "/shops/{shop_id}/shipping-profiles"

SHIPPING_OPERATIONS = (
    Operation("getShopShippingProfiles", "GET", _PATH, "shops_r", _profiles),
    Operation("createShopShippingProfile", "POST", _PATH, "shops_w", _create, form=PROFILE_FIELDS),
    Operation(
        "getShopShippingProfile", "GET", _PATH + "/{shipping_profile_id}", "shops_r", _profile
    ),
    Operation(
        "getShippingCarriers", "GET", "/shipping-carriers", None, _carriers,
        query=(text("origin_country_iso", required=True),),
    ),
)  # fmt: skip
