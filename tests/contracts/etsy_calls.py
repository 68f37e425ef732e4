"""For every operation of the sandbox Etsy, a call that goes well and one that is refused."""

from collections.abc import Callable
from typing import Any

import httpx

from tests.contracts.etsy_shop import BASE, SHIRTS, EtsyShop

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


def sizes(shop: EtsyShop) -> dict[str, Any]:
    """An inventory of two sizes."""
    return {
        "products": [shop.product("S-1", "S"), shop.product("M-1", "M", quantity=1)],
        "price_on_property": [],
        "quantity_on_property": [513],
        "sku_on_property": [513],
    }


def varied(shop: EtsyShop) -> int:
    """A listing for sale in two sizes."""
    listing_id = shop.listed()
    answer = shop.put_inventory(listing_id, sizes(shop))
    assert answer.status_code == 200, answer.text
    return listing_id


def product(shop: EtsyShop) -> httpx.Response:
    """One product, read by its number."""
    path = f"/listings/{varied(shop)}/inventory"
    found = shop.call("GET", path).json()["products"][0]
    return shop.call("GET", f"{path}/products/{found['product_id']}")


def pictured(shop: EtsyShop) -> tuple[int, int]:
    """A draft with a picture: both numbers."""
    listing_id = shop.draft()
    return listing_id, shop.upload(listing_id).json()["listing_image_id"]


def colour(shop: EtsyShop, listing_id: int, **changes: Any) -> httpx.Response:
    """Say that a listing is blue."""
    rows = shop.call("GET", f"/seller-taxonomy/nodes/{SHIRTS}/properties").json()["results"]
    values = next(row["possible_values"] for row in rows if row["property_id"] == 200)
    blue = next(row["value_id"] for row in values if row["name"] == "Blue")
    path = f"{shop.path}/listings/{listing_id}/properties/200"
    return shop.call("PUT", path, data={"value_ids": blue, "values": "Blue", **changes})


def coloured(shop: EtsyShop) -> int:
    """A listing for sale that is blue."""
    listing_id = shop.listed()
    assert colour(shop, listing_id).status_code == 200
    return listing_id


def coloured_path(shop: EtsyShop) -> str:
    """The address of a blue listing's properties."""
    return f"{shop.path}/listings/{coloured(shop)}/properties"


def translated(shop: EtsyShop, language: str = "fr") -> httpx.Response:
    """A listing translated."""
    path = f"{shop.path}/listings/{shop.listed()}/translations/{language}"
    return shop.call("POST", path, data=FRENCH)


def bought(shop: EtsyShop) -> dict[str, Any]:
    """Somebody bought a size."""
    listing_id = varied(shop)
    row: dict[str, Any] = shop.site.control("orders", {"listing_id": listing_id, "sku": "S-1"})
    return row


def receipt(shop: EtsyShop) -> str:
    """The address of a paid receipt."""
    return f"{shop.path}/receipts/{bought(shop)['receipt_id']}"


def full_receipt(shop: EtsyShop) -> str:
    """The address of one that was shipped and in part paid back."""
    path = receipt(shop)
    assert shop.call("POST", f"{path}/tracking", json=TRACKING).status_code == 200
    shop.site.control(f"orders/{path.rsplit('/', 1)[1]}/refund", {"amount": "1.00"})
    return path


TRACKING = {"tracking_code": "9400", "carrier_name": "usps", "note_to_buyer": "Thank you"}
FRENCH = {"title": "Chemise bleue", "description": "Une chemise.", "tags": "bleu,chemise"}
INCLUDES = "Shipping,Images,Shop,User,Translations,Inventory,Videos,Personalization,BuyerPrice"
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
    "createDraftListing": (
        lambda shop: shop.call("POST", f"{shop.path}/listings", data=shop.draft_form()),
        lambda shop: shop.call("POST", f"{shop.path}/listings", json=shop.draft_form()),
    ),
    "updateListing": (
        lambda shop: shop.patch(shop.listed(), title="Red shirt", tags=["red", "shirt"]),
        lambda shop: shop.patch(shop.draft(), state="active"),
    ),
    "deleteListing": (
        lambda shop: shop.call("DELETE", f"/listings/{shop.draft()}"),
        on("DELETE", "/listings/1"),
    ),
    "getListing": (
        lambda shop: shop.call("GET", f"/listings/{varied(shop)}?includes={INCLUDES}"),
        on("GET", "/listings/1"),
    ),
    "getListingsByShop": (
        after(varied, on("GET", SHOP + f"/listings?includes={INCLUDES}&limit=5")),
        on("GET", SHOP + "/listings?state=edit"),
    ),
    "findAllActiveListingsByShop": (
        after(varied, on("GET", SHOP + "/listings/active?keywords=shirt")),
        on("GET", "/shops/1/listings/active"),
    ),
    "getListingsByListingIds": (
        lambda shop: shop.call("GET", f"/listings/batch?listing_ids={varied(shop)},1"),
        on("GET", "/listings/batch"),
    ),
    "getListingInventory": (
        lambda shop: shop.call("GET", f"/listings/{varied(shop)}/inventory?includes=Listing"),
        on("GET", "/listings/1/inventory"),
    ),
    "updateListingInventory": (
        lambda shop: shop.put_inventory(shop.draft(), sizes(shop)),
        lambda shop: shop.put_inventory(shop.draft(), {"products": []}),
    ),
    "getListingProduct": (
        product,
        lambda shop: shop.call("GET", f"/listings/{shop.draft()}/inventory/products/1"),
    ),
    "uploadListingImage": (
        lambda shop: shop.upload(shop.draft(), rank="1", alt_text="Front"),
        lambda shop: shop.call("POST", f"{shop.path}/listings/{shop.draft()}/images"),
    ),
    "getListingImages": (
        lambda shop: shop.call("GET", f"/listings/{shop.listed()}/images"),
        on("GET", "/listings/1/images"),
    ),
    "getListingImage": (
        lambda shop: shop.call("GET", "/listings/{}/images/{}".format(*pictured(shop))),
        lambda shop: shop.call("GET", f"/listings/{shop.listed()}/images/1"),
    ),
    "deleteListingImage": (
        lambda shop: shop.call(
            "DELETE", shop.path + "/listings/{}/images/{}".format(*pictured(shop))
        ),
        lambda shop: shop.call("DELETE", f"{shop.path}/listings/{shop.draft()}/images/1"),
    ),
    "getListingProperties": (
        lambda shop: shop.call("GET", coloured_path(shop)),
        on("GET", SHOP + "/listings/1/properties"),
    ),
    "getListingProperty": (
        lambda shop: shop.call("GET", f"/listings/{coloured(shop)}/properties/200"),
        lambda shop: shop.call("GET", f"/listings/{shop.draft()}/properties/200"),
    ),
    "updateListingProperty": (
        lambda shop: colour(shop, shop.draft()),
        lambda shop: colour(shop, shop.draft(), values="Mauve"),
    ),
    "deleteListingProperty": (
        lambda shop: shop.call("DELETE", f"{coloured_path(shop)}/200"),
        lambda shop: shop.call("DELETE", f"{shop.path}/listings/{shop.draft()}/properties/200"),
    ),
    "getListingTranslation": (
        lambda shop: shop.call("GET", translated(shop).request.url.path.removeprefix(BASE)),
        lambda shop: shop.call("GET", f"{shop.path}/listings/{shop.draft()}/translations/fr"),
    ),
    "createListingTranslation": (
        lambda shop: translated(shop),
        lambda shop: translated(shop, language="xx"),
    ),
    "updateListingTranslation": (
        lambda shop: shop.call(
            "PUT", translated(shop).request.url.path.removeprefix(BASE), data=FRENCH
        ),
        lambda shop: shop.call(
            "PUT", f"{shop.path}/listings/{shop.draft()}/translations/fr", data=FRENCH
        ),
    ),
    "getShopReceipts": (
        after(bought, on("GET", SHOP + "/receipts?was_paid=true&was_canceled=false&limit=5")),
        on("GET", SHOP + "/receipts?min_created=1"),
    ),
    "getShopReceipt": (
        lambda shop: shop.call("GET", full_receipt(shop)),
        on("GET", SHOP + "/receipts/1"),
    ),
    "updateShopReceipt": (
        lambda shop: shop.call("PUT", receipt(shop), data={"was_shipped": "true"}),
        lambda shop: shop.call("PUT", receipt(shop), data={"was_shipped": "perhaps"}),
    ),
    "createReceiptShipment": (
        lambda shop: shop.call("POST", receipt(shop) + "/tracking", json=TRACKING),
        lambda shop: shop.call("POST", receipt(shop) + "/tracking", data=TRACKING),
    ),
    "getShopReceiptTransactionsByReceipt": (
        lambda shop: shop.call("GET", receipt(shop) + "/transactions"),
        on("GET", SHOP + "/receipts/1/transactions"),
    ),
    "getShopReceiptTransactionsByShop": (
        after(bought, on("GET", SHOP + "/transactions")),
        on("GET", "/shops/1/transactions"),
    ),
    "getShopReceiptTransactionsByListing": (
        lambda shop: shop.call(
            "GET",
            shop.path + f"/listings/{bought(shop)['transactions'][0]['listing_id']}/transactions",
        ),
        on("GET", "/shops/1/listings/1/transactions"),
    ),
    "getShopReceiptTransaction": (
        lambda shop: shop.call(
            "GET",
            f"{shop.path}/transactions/{bought(shop)['transactions'][0]['transaction_id']}",
        ),
        on("GET", SHOP + "/transactions/1"),
    ),
}
