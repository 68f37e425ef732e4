"""For every operation of the sandbox Etsy, a call that goes well and one that is refused."""

from collections.abc import Callable
from typing import Any

import httpx

from tests.contracts.etsy_shop import EtsyShop

Act = Callable[[EtsyShop], httpx.Response]
NO_TOKEN: dict[str, Any] = {"headers": {"Authorization": None}}
NO_KEY: dict[str, Any] = {"headers": {"x-api-key": None}}
PROFILE = {
    "title": "Abroad",
    "origin_country_iso": "US",
    "origin_postal_code": "10001",
    "destination_region": "eu",
    "primary_cost": "12.50",
    "secondary_cost": "3",
    "min_delivery_days": "5",
    "max_delivery_days": "10",
}
POLICY = {"accepts_returns": "true", "accepts_exchanges": "false", "return_deadline": "14"}
READY = {"readiness_state": "made_to_order", "min_processing_time": "1", "max_processing_time": "2"}


def on(method: str, path: str, **more: Any) -> Act:
    """A call; `{shop}` and `{user}` in the path are the caller's numbers."""
    return lambda shop: shop.call(method, path.format(shop=shop.shop_id, user=shop.user_id), **more)


def owned(kind: str, path: str) -> Act:
    """A GET of the first of the seller's own things of a kind."""
    return lambda shop: shop.call("GET", f"{shop.path}/{path}/{shop.row[kind][0]}")


def after(prepare: Callable[[EtsyShop], object], act: Act) -> Act:
    """`act` once `prepare` is done."""

    def both(shop: EtsyShop) -> httpx.Response:
        prepare(shop)
        return act(shop)

    return both


def section(shop: EtsyShop) -> httpx.Response:
    """A section, read back."""
    made = shop.call("POST", f"{shop.path}/sections", data={"title": "Shirts"}).json()
    return shop.call("GET", f"{shop.path}/sections/{made['shop_section_id']}")


SHOP = "/shops/{shop}"

WELL_AND_REFUSED: dict[str, tuple[Act, Act]] = {
    "ping": (on("GET", "/openapi-ping"), on("GET", "/openapi-ping", **NO_KEY)),
    "tokenScopes": (
        lambda shop: shop.call("POST", "/scopes", data={"token": shop.token}),
        on("POST", "/scopes", data={"token": "1.none"}),
    ),
    "getMe": (on("GET", "/users/me"), on("GET", "/users/me", **NO_TOKEN)),
    "getUser": (on("GET", "/users/{user}"), on("GET", "/users/1")),
    "getShopByOwnerUserId": (on("GET", "/users/{user}/shops"), on("GET", "/users/1/shops")),
    "getShop": (on("GET", SHOP), on("GET", "/shops/1")),
    "getSellerTaxonomyNodes": (
        on("GET", "/seller-taxonomy/nodes"),
        on("GET", "/seller-taxonomy/nodes", **NO_KEY),
    ),
    "getPropertiesByTaxonomyId": (
        on("GET", "/seller-taxonomy/nodes/432/properties"),
        on("GET", "/seller-taxonomy/nodes/999999999/properties"),
    ),
    "getShippingCarriers": (
        on("GET", "/shipping-carriers?origin_country_iso=US"),
        on("GET", "/shipping-carriers"),
    ),
    "getShopShippingProfiles": (
        on("GET", SHOP + "/shipping-profiles"),
        on("GET", "/shops/1/shipping-profiles"),
    ),
    "getShopShippingProfile": (
        owned("shipping_profiles", "shipping-profiles"),
        on("GET", SHOP + "/shipping-profiles/1"),
    ),
    "createShopShippingProfile": (
        on("POST", SHOP + "/shipping-profiles", data=PROFILE),
        on("POST", SHOP + "/shipping-profiles", data={**PROFILE, "destination_region": "none"}),
    ),
    "getShopReturnPolicies": (
        on("GET", SHOP + "/policies/return"),
        on("GET", "/shops/1/policies/return"),
    ),
    "getShopReturnPolicy": (
        owned("return_policies", "policies/return"),
        on("GET", SHOP + "/policies/return/1"),
    ),
    "createShopReturnPolicy": (
        on("POST", SHOP + "/policies/return", data=POLICY),
        on("POST", SHOP + "/policies/return", data={**POLICY, "return_deadline": "15"}),
    ),
    "getShopReadinessStateDefinitions": (
        on("GET", SHOP + "/readiness-state-definitions"),
        on("GET", SHOP + "/readiness-state-definitions?limit=0"),
    ),
    "getShopReadinessStateDefinition": (
        owned("readiness_states", "readiness-state-definitions"),
        on("GET", SHOP + "/readiness-state-definitions/1"),
    ),
    "createShopReadinessStateDefinition": (
        on("POST", SHOP + "/readiness-state-definitions", data=READY),
        after(
            on("POST", SHOP + "/readiness-state-definitions", data=READY),
            on("POST", SHOP + "/readiness-state-definitions", data=READY),
        ),
    ),
    "getShopSections": (on("GET", SHOP + "/sections"), on("GET", "/shops/1/sections")),
    "getShopSection": (section, on("GET", SHOP + "/sections/1")),
    "createShopSection": (
        on("POST", SHOP + "/sections", data={"title": "Shirts"}),
        on("POST", SHOP + "/sections", json={"title": "Shirts"}),
    ),
}
