"""Inventories of the sandbox Etsy: replaced as a whole, and refused as a whole."""

from typing import Any

import pytest

from tests.contracts.etsy_calls import sizes
from tests.contracts.etsy_shop import EtsyShop, EtsySite


def inventory(shop: EtsyShop, listing_id: int, query: str = "") -> dict[str, Any]:
    """A listing's inventory."""
    answer = shop.call("GET", f"/listings/{listing_id}/inventory{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_draft_begins_with_one_product_without_a_number(etsy_sandbox: EtsySite) -> None:
    """ST26: price as money, and no property decides anything."""
    shop = etsy_sandbox.shop("bruno")
    found = inventory(shop, shop.draft())
    (product,) = found["products"]
    (offering,) = product["offerings"]
    assert product["sku"] == ""
    assert offering["price"] == {"amount": 1999, "divisor": 100, "currency_code": "EUR"}
    assert (offering["quantity"], offering["is_enabled"]) == (3, True)
    assert found["quantity_on_property"] == []


def test_a_put_replaces_every_product(etsy_sandbox: EtsySite) -> None:
    """ST26, A6: quantity is the sum, price the lowest; the old products are only remembered."""
    shop = etsy_sandbox.shop()
    listing_id = shop.listed()
    body = sizes(shop)
    body["products"][1]["offerings"][0]["price"] = 24.5
    body["price_on_property"] = [513]
    put = shop.put_inventory(listing_id, body).json()
    assert put == inventory(shop, listing_id)
    assert [one["sku"] for one in put["products"]] == ["S-1", "M-1"]
    assert [one["offerings"][0]["price"]["amount"] for one in put["products"]] == [1999, 2450]
    assert put["products"][0]["property_values"][0]["property_name"] == "Size"
    assert len(put["products"][0]["property_values"][0]["value_ids"]) == 1
    row = shop.get(listing_id)
    assert (row["quantity"], row["price"]["amount"], row["has_variations"]) == (4, 1999, True)
    assert row["skus"] == ["M-1", "S-1"]
    everything = inventory(shop, listing_id, "?show_deleted=true")["products"]
    assert [one["is_deleted"] for one in everything] == [True, False, False]
    shop.put_inventory(listing_id, {"products": [shop.product("ONE", quantity=1)]})
    row = shop.get(listing_id)
    assert (row["quantity"], row["has_variations"], row["skus"]) == (1, False, ["ONE"])


def test_numbers_of_stock_keeping_are_for_the_owner(etsy_sandbox: EtsySite) -> None:
    """ST21: buyers and other sellers see products without them."""
    alice, bruno = etsy_sandbox.shop("alice"), etsy_sandbox.shop("bruno")
    listing_id = alice.listed()
    alice.put_inventory(listing_id, {"products": [alice.product("SECRET")]})
    assert inventory(bruno, listing_id)["products"][0]["sku"] == ""
    assert etsy_sandbox.public(f"/listings/{listing_id}?includes=Inventory").json()["skus"] == []
    assert inventory(alice, listing_id)["products"][0]["sku"] == "SECRET"


def test_what_is_read_cannot_be_written_back_as_it_is(etsy_sandbox: EtsySite) -> None:
    """ST26: numbers of products and money belong to answers."""
    shop = etsy_sandbox.shop()
    listing_id = shop.draft()
    assert shop.put_inventory(listing_id, inventory(shop, listing_id)).status_code == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"quantity": 1000},
        {"quantity": -1},
        {"quantity": 0},
        {"quantity": 1.5},
        {"quantity": "3"},
        {"is_enabled": False},
        {"is_enabled": "yes"},
        {"price": 0.1},
        {"price": "19.99"},
        {"price": {"amount": 1999, "divisor": 100, "currency_code": "USD"}},
        {"readiness_state_id": 1},
        {"readiness_state_id": [1]},
        {"offering_id": 5},
    ],
    ids=str,
)
def test_an_offering_that_cannot_be_is_refused(
    etsy_sandbox: EtsySite, changes: dict[str, Any]
) -> None:
    """ST59, E9: and the old inventory stands."""
    shop = etsy_sandbox.shop()
    listing_id = shop.listed()
    before = inventory(shop, listing_id)
    refused = shop.put_inventory(listing_id, {"products": [shop.product("S-1", **changes)]})
    assert (refused.status_code, set(refused.json())) == (400, {"error"})
    assert inventory(shop, listing_id) == before


def test_every_field_of_an_offering_must_be_said(etsy_sandbox: EtsySite) -> None:
    """ST26: a processing profile may be null, but not left out."""
    shop = etsy_sandbox.shop()
    listing_id = shop.draft()
    body = {"products": [shop.product("S-1", readiness_state_id=None)]}
    assert shop.put_inventory(listing_id, body).status_code == 200
    del body["products"][0]["offerings"][0]["readiness_state_id"]
    assert shop.put_inventory(listing_id, body).status_code == 400


def test_an_active_listing_keeps_its_processing_profile(etsy_sandbox: EtsySite) -> None:
    """ST59: null is for drafts."""
    shop = etsy_sandbox.shop()
    listing_id = shop.listed()
    body = {"products": [shop.product("S-1", readiness_state_id=None)]}
    assert shop.put_inventory(listing_id, body).status_code == 400
    assert inventory(shop, listing_id)["products"][0]["sku"] == ""


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"products": []},
        {"products": {}},
        {"products": [[]]},
        {"products": [{"sku": "A", "offerings": []}]},
        {"products": [], "price": 3},
    ],
    ids=str,
)
def test_an_inventory_without_products_is_refused(
    etsy_sandbox: EtsySite, body: dict[str, Any]
) -> None:
    """ST59: whatever is in its place."""
    shop = etsy_sandbox.shop()
    assert shop.put_inventory(shop.draft(), body).status_code == 400


def test_an_inventory_is_json_and_nothing_else(etsy_sandbox: EtsySite) -> None:
    """ST59: a form is refused here."""
    shop = etsy_sandbox.shop()
    path = f"/listings/{shop.draft()}/inventory"
    assert shop.call("PUT", path, data={"products": "[]"}).status_code == 400
    headers = {"content-type": "application/json"}
    unbounded = b'{"products": [{"offerings": [{"price": NaN, "quantity": 1, "is_enabled": true, '
    unbounded += b'"readiness_state_id": null}]}]}'
    for content in (b"{", b"[]", b"\xff", unbounded):
        answer = shop.call("PUT", path, content=content, headers=headers)
        assert answer.status_code == 400


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("price_on_property", {"price": 30.0}),
        ("quantity_on_property", {"quantity": 7}),
        ("sku_on_property", {}),
        ("readiness_state_on_property", {"readiness_state_id": None}),
    ],
)
def test_what_differs_must_be_said_to_differ(
    etsy_sandbox: EtsySite, name: str, changes: dict[str, Any]
) -> None:
    """ST26: price, quantity, number and processing profile each have their list."""
    shop = etsy_sandbox.shop()
    listing_id = shop.draft()
    every = ("price", "quantity", "sku", "readiness_state")
    body = {
        "products": [shop.product("S-1", "S"), shop.product("M-1", "M", **changes)],
        **{f"{one}_on_property": [513] for one in every},
    }
    assert shop.put_inventory(listing_id, body).status_code == 200
    refused = shop.put_inventory(listing_id, {**body, name: []})
    assert (refused.status_code, name in refused.json()["error"]) == (400, True)
    assert shop.put_inventory(listing_id, {**body, name: [514]}).status_code == 400


def test_variations_are_of_one_kind_and_no_two_alike(etsy_sandbox: EtsySite) -> None:
    """ST59: the same properties in every product, two at most, values without parentheses."""
    shop = etsy_sandbox.shop()
    listing_id = shop.draft()
    good = shop.product("S-1", "S")
    value = good["property_values"][0]
    blue = {**value, "property_id": 514, "property_name": "Colour", "values": ["Blue"]}
    tall = {**value, "property_id": 200, "values": ["Red"]}
    wrong = {
        "alike": [good, shop.product("S-1", "S")],
        "mixed": [good, shop.product("S-1")],
        "three": [{**good, "property_values": [value, blue, tall]}],
        "twice": [{**good, "property_values": [value, value]}],
        "bracket": [shop.product("S-1", "S (small)")],
        "nameless": [{**good, "property_values": [{**value, "property_name": ""}]}],
        "strange": [{**good, "property_values": [{**value, "property_id": 7}]}],
        "scaled": [{**good, "property_values": [{**value, "scale_id": 3}]}],
        "untold": [{**good, "property_values": [{"property_id": 513}]}],
    }
    for name, products in wrong.items():
        answer = shop.put_inventory(listing_id, {"products": products})
        assert answer.status_code == 400, name
    two = {"products": [{**good, "property_values": [value, blue]}]}
    assert shop.put_inventory(listing_id, two).status_code == 200


def test_a_third_variation_must_be_asked_for(etsy_sandbox: EtsySite) -> None:
    """ST26: with max_variations_supported."""
    shop = etsy_sandbox.shop()
    listing_id = shop.draft()
    good = shop.product("S-1", "S")
    value = good["property_values"][0]
    values = [
        value,
        {**value, "property_id": 514, "property_name": "Cut"},
        {**value, "property_id": 200, "values": ["Red"]},
    ]
    body = {"products": [{**good, "property_values": values}]}
    assert shop.put_inventory(listing_id, body).status_code == 400
    path = f"/listings/{listing_id}/inventory?max_variations_supported=3"
    assert shop.call("PUT", path, json=body).status_code == 200


def test_all_variants_together_stay_below_a_thousand(etsy_sandbox: EtsySite) -> None:
    """E9: 999 units a listing; what buyers cannot see does not count."""
    shop = etsy_sandbox.shop()
    listing_id = shop.draft()
    body = sizes(shop)
    body["products"][0]["offerings"][0]["quantity"] = 999
    assert shop.put_inventory(listing_id, body).status_code == 400
    body["products"][1]["offerings"][0] |= {"quantity": 0, "is_enabled": False}
    assert shop.put_inventory(listing_id, body).status_code == 200
    assert shop.get(listing_id)["quantity"] == 999


def test_price_and_quantity_are_not_changed_by_patching(etsy_sandbox: EtsySite) -> None:
    """ST26: they belong to the inventory."""
    shop = etsy_sandbox.shop()
    listing_id = shop.draft()
    for form in ({"price": "5"}, {"quantity": "2"}):
        assert shop.patch(listing_id, **form).status_code == 400
    row = shop.get(listing_id)
    assert (row["price"]["amount"], row["quantity"]) == (1999, 3)


def test_listings_are_found_by_the_numbers_of_stock_keeping(etsy_sandbox: EtsySite) -> None:
    """A4: the judge of duplicates sees two listings of one number."""
    shop = etsy_sandbox.shop()
    twins = [shop.draft(), shop.draft()]
    for listing_id in twins:
        shop.put_inventory(listing_id, {"products": [shop.product("S-1")]})
    found = etsy_sandbox.read("listings")["listings"]
    assert [row["listing_id"] for row in found["S-1"]] == twins
    shop.call("DELETE", f"/listings/{twins[0]}")
    found = etsy_sandbox.read("listings")["listings"]
    assert [row["listing_id"] for row in found["S-1"]] == twins[1:]
