"""For every operation of the sandbox eBay, a call that goes well and one that is refused."""

from collections.abc import Callable

import httpx

from tests.contracts.ebay_shop import FULFILLMENT, INVENTORY, Shop, group, item, picture

Act = Callable[[Shop], httpx.Response]
ACCOUNT = "/sell/account/v1"
TREE = "/commerce/taxonomy/v1/category_tree"
CONDITIONS = "/sell/metadata/v1/marketplace/{}/get_item_condition_policies"
MEDIA = "/commerce/media/v1_beta/image"
CATEGORY_TYPES = [{"name": "ALL_EXCLUDING_MOTORS_VEHICLES"}]
NAMED = {"name": "Mine", "marketplaceId": "EBAY_US", "categoryTypes": CATEGORY_TYPES}
US_GROUP = {"inventoryItemGroupKey": "GROUP-1", "marketplaceId": "EBAY_US"}
LOST_GROUP = {"inventoryItemGroupKey": "NONE", "marketplaceId": "EBAY_US"}


def get(path: str) -> Act:
    """A plain GET."""
    return lambda shop: shop.call("GET", path)


def post(path: str, body: object) -> Act:
    """A plain JSON POST."""
    return lambda shop: shop.call("POST", path, json=body)


def after(prepare: Callable[[Shop], object], act: Act) -> Act:
    """`act` once `prepare` is done."""

    def both(shop: Shop) -> httpx.Response:
        prepare(shop)
        return act(shop)

    return both


def upload(shop: Shop) -> httpx.Response:
    """A good picture."""
    files = {"image": ("a.jpg", picture(), "image/jpeg")}
    return shop.call("POST", f"{MEDIA}/create_image_from_file", files=files)


def upload_broken(shop: Shop) -> httpx.Response:
    """Half a picture."""
    files = {"image": ("a.jpg", picture()[:100], "image/jpeg")}
    return shop.call("POST", f"{MEDIA}/create_image_from_file", files=files)


def fetch_own(shop: Shop) -> httpx.Response:
    """A picture fetched from an address: one that the sandbox itself serves."""
    image_id = upload(shop).headers["location"].rsplit("/", 1)[1]
    url = str(shop.sandbox.http.base_url.join(f"/_sandbox/images/{image_id}"))
    return shop.call("POST", f"{MEDIA}/create_image_from_url", json={"imageUrl": url})


def bulk_items(*skus: str) -> dict[str, object]:
    """Rows of the bulk item call."""
    return {"requests": [{"sku": sku, "locale": "en_US", **item()} for sku in skus]}


def updated(shop: Shop) -> httpx.Response:
    """A live offer replaced."""
    offer_id, _ = shop.listed()
    body = shop.offer_body("SKU-1")
    kept = {k: v for k, v in body.items() if k not in ("sku", "marketplaceId", "format")}
    return shop.write("PUT", f"/offer/{offer_id}", kept)


def on_offer(prepare: Callable[[Shop], str], method: str, tail: str = "") -> Act:
    """A call on the offer that `prepare` made."""
    return lambda shop: shop.call(method, f"{INVENTORY}/offer/{prepare(shop)}{tail}")


def stocked(shop: Shop) -> str:
    """An unpublished offer."""
    return shop.stocked()


def listed(shop: Shop) -> str:
    """A live offer."""
    return shop.listed()[0]


def policy(kind: str) -> str:
    """Address of a kind of policy."""
    return f"{ACCOUNT}/{kind}_policy"


def own_policy(kind: str) -> Act:
    """The seller's policy of one kind."""
    return lambda shop: shop.call("GET", f"{policy(kind)}/{shop.policies()[f'{kind}PolicyId']}")


def lost_offer(method: str, tail: str = "") -> Act:
    """A call on an offer that is not there."""
    return lambda shop: shop.call(method, f"{INVENTORY}/offer/404{tail}")


def on_order(tail: str = "") -> Act:
    """A GET of something of an order that was sent."""

    def act(shop: Shop) -> httpx.Response:
        order_id = shop.bought()
        parcel = shop.ship(order_id).headers["location"].rsplit("/", 1)[1]
        path = tail.format(parcel=parcel)
        return shop.call("GET", f"{FULFILLMENT}/order/{order_id}{path}")

    return act


def on_parcel_of_nobody(shop: Shop) -> httpx.Response:
    """A GET of a parcel that an order does not have."""
    path = f"{FULFILLMENT}/order/{shop.bought()}/shipping_fulfillment/1"
    return shop.call("GET", path)


def lost_order(tail: str = "") -> Act:
    """A GET of an order that is not there."""
    return get(f"{FULFILLMENT}/order/27-404{tail}")


published_group = after(
    lambda shop: shop.grouped(),
    post(f"{INVENTORY}/offer/publish_by_inventory_item_group", US_GROUP),
)
GROUP_PATH = f"{INVENTORY}/inventory_item_group"
LOCATION_PATH = f"{INVENTORY}/location"

WELL_AND_REFUSED: dict[str, tuple[Act, Act]] = {
    "getUser": (
        get("/commerce/identity/v1/user/"),
        lambda shop: shop.sandbox.application().call("GET", "/commerce/identity/v1/user/"),
    ),
    "optInToProgram": (
        post(f"{ACCOUNT}/program/opt_in", {"programType": "OUT_OF_STOCK_CONTROL"}),
        post(f"{ACCOUNT}/program/opt_in", {"programType": "SELLING_POLICY_MANAGEMENT"}),
    ),
    "getOptedInPrograms": (
        get(f"{ACCOUNT}/program/get_opted_in_programs"),
        lambda shop: shop.sandbox.application().call(
            "GET", f"{ACCOUNT}/program/get_opted_in_programs"
        ),
    ),
    "getFulfillmentPolicies": (
        get(f"{policy('fulfillment')}?marketplace_id=EBAY_US"),
        get(policy("fulfillment")),
    ),
    "getPaymentPolicies": (
        get(f"{policy('payment')}?marketplace_id=EBAY_US"),
        get(policy("payment")),
    ),
    "getReturnPolicies": (
        get(f"{policy('return')}?marketplace_id=EBAY_US"),
        get(policy("return")),
    ),
    "getFulfillmentPolicy": (own_policy("fulfillment"), get(f"{policy('fulfillment')}/404")),
    "getPaymentPolicy": (own_policy("payment"), get(f"{policy('payment')}/404")),
    "getReturnPolicy": (own_policy("return"), get(f"{policy('return')}/404")),
    "createFulfillmentPolicy": (
        post(f"{policy('fulfillment')}/", NAMED),
        post(f"{policy('fulfillment')}/", {"name": "Mine"}),
    ),
    "createPaymentPolicy": (post(policy("payment"), NAMED), post(policy("payment"), {})),
    "createReturnPolicy": (
        post(policy("return"), {**NAMED, "returnsAccepted": False}),
        post(policy("return"), NAMED),
    ),
    "createInventoryLocation": (
        lambda shop: shop.add_location(),
        after(lambda shop: shop.add_location(), lambda shop: shop.add_location()),
    ),
    "getInventoryLocation": (
        after(lambda shop: shop.add_location(), get(f"{LOCATION_PATH}/home")),
        get(f"{LOCATION_PATH}/nowhere"),
    ),
    "getInventoryLocations": (
        after(lambda shop: shop.add_location(), get(LOCATION_PATH)),
        get(f"{LOCATION_PATH}?limit=0"),
    ),
    "deleteInventoryLocation": (
        after(lambda shop: shop.add_location(), lambda shop: shop.delete("/location/home")),
        lambda shop: shop.delete("/location/home"),
    ),
    "createOrReplaceInventoryItem": (
        lambda shop: shop.put_item("SKU-1"),
        lambda shop: shop.put_item("SKU-1", quantity=-1),
    ),
    "getInventoryItem": (
        after(lambda shop: shop.grouped(), get(f"{INVENTORY}/inventory_item/GROUP-1-S")),
        get(f"{INVENTORY}/inventory_item/NONE"),
    ),
    "deleteInventoryItem": (
        after(lambda shop: shop.listed(), lambda shop: shop.delete("/inventory_item/SKU-1")),
        lambda shop: shop.delete("/inventory_item/SKU-1"),
    ),
    "getInventoryItems": (
        after(lambda shop: shop.grouped(), get(f"{INVENTORY}/inventory_item?limit=1&offset=1")),
        get(f"{INVENTORY}/inventory_item?limit=201"),
    ),
    "bulkCreateOrReplaceInventoryItem": (
        lambda shop: shop.write(
            "POST", "/bulk_create_or_replace_inventory_item", bulk_items("A-1", "A 2")
        ),
        lambda shop: shop.write(
            "POST", "/bulk_create_or_replace_inventory_item", bulk_items("A-1", "A-1")
        ),
    ),
    "bulkGetInventoryItem": (
        after(
            lambda shop: shop.stocked(),
            post(
                f"{INVENTORY}/bulk_get_inventory_item",
                {"requests": [{"sku": "SKU-1"}, {"sku": "NONE"}]},
            ),
        ),
        post(f"{INVENTORY}/bulk_get_inventory_item", {"requests": [{"sku": "S"}] * 26}),
    ),
    "bulkUpdatePriceQuantity": (
        after(
            lambda shop: shop.listed(),
            post(
                f"{INVENTORY}/bulk_update_price_quantity",
                {
                    "requests": [
                        {"sku": "SKU-1", "shipToLocationAvailability": {"quantity": 5}},
                        {"sku": "NONE", "shipToLocationAvailability": {"quantity": 5}},
                    ]
                },
            ),
        ),
        post(f"{INVENTORY}/bulk_update_price_quantity", {"requests": []}),
    ),
    "createOrReplaceInventoryItemGroup": (
        after(
            lambda shop: shop.grouped(),
            lambda shop: shop.write(
                "PUT", "/inventory_item_group/GROUP-1", group("GROUP-1", title="Anew")
            ),
        ),
        lambda shop: shop.write("PUT", "/inventory_item_group/GROUP-1", group("GROUP-1")),
    ),
    "getInventoryItemGroup": (
        after(lambda shop: shop.grouped(), get(f"{GROUP_PATH}/GROUP-1")),
        get(f"{GROUP_PATH}/NONE"),
    ),
    "deleteInventoryItemGroup": (
        after(
            lambda shop: shop.grouped(), lambda shop: shop.delete("/inventory_item_group/GROUP-1")
        ),
        lambda shop: shop.delete("/inventory_item_group/GROUP-1"),
    ),
    "publishOfferByInventoryItemGroup": (
        published_group,
        post(f"{INVENTORY}/offer/publish_by_inventory_item_group", LOST_GROUP),
    ),
    "withdrawOfferByInventoryItemGroup": (
        after(
            published_group, post(f"{INVENTORY}/offer/withdraw_by_inventory_item_group", US_GROUP)
        ),
        after(
            lambda shop: shop.grouped(),
            post(f"{INVENTORY}/offer/withdraw_by_inventory_item_group", US_GROUP),
        ),
    ),
    "createOffer": (
        after(
            lambda shop: shop.put_item("SKU-1"),
            lambda shop: shop.write("POST", "/offer", shop.offer_body("SKU-1")),
        ),
        lambda shop: shop.write("POST", "/offer", shop.offer_body("NONE")),
    ),
    "getOffer": (on_offer(listed, "GET"), lost_offer("GET")),
    "getOffers": (
        after(stocked, get(f"{INVENTORY}/offer?sku=SKU-1")),
        get(f"{INVENTORY}/offer?sku=NONE"),
    ),
    "updateOffer": (updated, lambda shop: shop.write("PUT", "/offer/404", {})),
    "deleteOffer": (on_offer(listed, "DELETE"), lost_offer("DELETE")),
    "publishOffer": (on_offer(stocked, "POST", "/publish"), on_offer(listed, "POST", "/publish")),
    "withdrawOffer": (
        on_offer(listed, "POST", "/withdraw"),
        on_offer(stocked, "POST", "/withdraw"),
    ),
    "bulkCreateOffer": (
        after(
            lambda shop: shop.put_item("SKU-1"),
            lambda shop: shop.write(
                "POST",
                "/bulk_create_offer",
                {"requests": [shop.offer_body("SKU-1"), shop.offer_body("NONE")]},
            ),
        ),
        lambda shop: shop.write(
            "POST", "/bulk_create_offer", {"requests": [shop.offer_body("SKU-1")] * 2}
        ),
    ),
    "bulkPublishOffer": (
        lambda shop: shop.post(
            "/bulk_publish_offer",
            {"requests": [{"offerId": shop.stocked()}, {"offerId": "404"}]},
        ),
        post(f"{INVENTORY}/bulk_publish_offer", {"requests": [{"offerId": "1"}] * 2}),
    ),
    "getOrders": (
        after(
            lambda shop: shop.bought(),
            get(
                f"{FULFILLMENT}/order?limit=1&offset=0&filter=lastmodifieddate:%5B"
                "2026-01-01T00:00:00.000Z..%5D,orderfulfillmentstatus:"
                "%7BNOT_STARTED%7CIN_PROGRESS%7D"
            ),
        ),
        get(f"{FULFILLMENT}/order?limit=201"),
    ),
    "getOrder": (on_order(), lost_order()),
    "createShippingFulfillment": (
        lambda shop: shop.ship(shop.bought()),
        lambda shop: shop.ship(shop.bought(), trackingNumber="with space"),
    ),
    "getShippingFulfillments": (
        on_order("/shipping_fulfillment"),
        lost_order("/shipping_fulfillment"),
    ),
    "getShippingFulfillment": (on_order("/shipping_fulfillment/{parcel}"), on_parcel_of_nobody),
    "getDefaultCategoryTreeId": (
        get("/commerce/taxonomy/v1/get_default_category_tree_id?marketplace_id=EBAY_US"),
        get("/commerce/taxonomy/v1/get_default_category_tree_id"),
    ),
    "getCategoryTree": (get(f"{TREE}/0"), get(f"{TREE}/9")),
    "getCategorySubtree": (
        get(f"{TREE}/0/get_category_subtree?category_id=90000000"),
        get(f"{TREE}/0/get_category_subtree?category_id=1"),
    ),
    "getCategorySuggestions": (
        get(f"{TREE}/0/get_category_suggestions?q=mugs"),
        get(f"{TREE}/0/get_category_suggestions"),
    ),
    "getItemAspectsForCategory": (
        get(f"{TREE}/0/get_item_aspects_for_category?category_id=15687"),
        get(f"{TREE}/0/get_item_aspects_for_category?category_id=90000000"),
    ),
    "getItemConditionPolicies": (
        get(CONDITIONS.format("EBAY_US") + "?filter=categoryIds:%7B15687%7C20625%7D"),
        get(CONDITIONS.format("EBAY_XX")),
    ),
    "createImageFromFile": (upload, upload_broken),
    "createImageFromUrl": (
        fetch_own,
        post(f"{MEDIA}/create_image_from_url", {"imageUrl": "ftp://nowhere.example/a.jpg"}),
    ),
    "getImage": (
        lambda shop: shop.call("GET", upload(shop).headers["location"]),
        get(f"{MEDIA}/none"),
    ),
    "getRateLimits": (
        get("/developer/analytics/v1_beta/rate_limit/"),
        lambda shop: shop.call(
            "GET", "/developer/analytics/v1_beta/rate_limit/", headers={"Authorization": "Bearer x"}
        ),
    ),
}
