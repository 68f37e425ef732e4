"""The application itself, users, and shops as the world sees them."""

from typing import Any

from sandbox.answers import Answer
from sandbox.etsy.errors import EtsyError, invalid_token, not_found
from sandbox.etsy.fields import text
from sandbox.etsy.operations import Call, Operation
from sandbox.etsy.state import EtsyState, Shop

TOKEN = text("token", required=True)


def _ping(call: Call) -> Answer:
    return Answer(200, {"application_id": call.app.application_id})


def _scopes(call: Call) -> Answer:
    token = call.state.access_tokens.get(call.form["token"])
    if token is None or token.revoked or token.expires_at <= call.sandbox.clock.now():
        raise invalid_token()
    return Answer(200, {"scopes": token.scopes})


def _me(call: Call) -> Answer:
    shop = _signed_in(call)
    return Answer(200, {"user_id": shop.user_id, "shop_id": shop.shop_id})


def _user(call: Call) -> Answer:
    if _signed_in(call).user_id != call.path["user_id"]:
        raise not_found("User")
    return Answer(200, user_view(_signed_in(call)))


def _shop(call: Call) -> Answer:
    return Answer(200, shop_view(call.state, call.shop))


def _shop_of_user(call: Call) -> Answer:
    shop = call.state.shop_of(call.path["user_id"])
    if shop is None:
        raise not_found("Shop")
    return Answer(200, shop_view(call.state, shop))


def _signed_in(call: Call) -> Shop:
    """The caller's shop; the operations that ask for it need a token."""
    shop = call.state.shop_of(call.token.user_id) if call.token else None
    if shop is None:
        raise EtsyError(403, "The user has no shop.")
    return shop


def shop_name(shop: Shop) -> str:
    """Etsy's shop names are letters and digits."""
    return "Sandbox" + "".join(filter(str.isalnum, shop.login_name.title()))


def user_view(shop: Shop) -> dict[str, Any]:
    """Etsy's User; the e-mail address is given to few applications, and not to this one."""
    return {
        "user_id": shop.user_id,
        "primary_email": None,
        "first_name": shop.login_name.title(),
        "last_name": None,
        "image_url_75x75": None,
    }


def shop_view(state: EtsyState, shop: Shop) -> dict[str, Any]:
    """Etsy's Shop."""
    opened = int(shop.created_at.timestamp())
    nothing_said = (
        "title", "announcement", "vacation_message", "sale_message", "digital_sale_message",
        "policy_welcome", "policy_payment", "policy_shipping", "policy_refunds",
        "policy_additional", "policy_seller_info", "policy_privacy", "vacation_autoreply",
        "image_url_760x100", "icon_url_fullxfull", "review_count", "review_average",
    )  # fmt: skip
    return {
        "shop_id": shop.shop_id,
        "user_id": shop.user_id,
        "shop_name": shop_name(shop),
        "login_name": shop.login_name,
        "currency_code": shop.currency,
        "url": f"https://www.etsy.com/shop/{shop_name(shop)}",
        "create_date": opened,
        "created_timestamp": opened,
        "update_date": opened,
        "updated_timestamp": opened,
        "policy_update_date": opened,
        "listing_active_count": len(state.active_listings(shop.shop_id)),
        "digital_listing_count": 0,
        "transaction_sold_count": sum(
            len(one.transactions) for one in state.receipts.values() if one.shop_id == shop.shop_id
        ),
        "num_favorers": 0,
        "languages": ["fr" if shop.country == "FR" else "en-US"],
        "shipping_from_country_iso": shop.country,
        "shop_location_country_iso": shop.country,
        "is_shop_us_based": shop.country == "US",
        "is_vacation": False,
        "accepts_custom_requests": False,
        "policy_has_private_receipt_info": False,
        "has_unstructured_policies": False,
        "is_using_structured_policies": True,
        "has_onboarded_structured_policies": True,
        "include_dispute_form_link": False,
        "is_direct_checkout_onboarded": True,
        "is_etsy_payments_onboarded": True,
        "is_calculated_eligible": shop.country == "US",
        "is_opted_in_to_buyer_promise": False,
        **dict.fromkeys(nothing_said),
    }


PEOPLE_OPERATIONS = (
    Operation("ping", "GET", "/openapi-ping", None, _ping),
    Operation(
        "tokenScopes", "POST", "/scopes", None, _scopes, form=(text("token", required=True),)
    ),
    Operation("getMe", "GET", "/users/me", "shops_r", _me),
    Operation("getUser", "GET", "/users/{user_id}", "email_r", _user),
    Operation("getShopByOwnerUserId", "GET", "/users/{user_id}/shops", None, _shop_of_user),
    Operation("getShop", "GET", "/shops/{shop_id}", None, _shop),
)
