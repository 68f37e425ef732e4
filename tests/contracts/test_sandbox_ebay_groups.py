"""Variations and bulk calls at the sandbox eBay."""

from typing import Any

import pytest

from tests.contracts.ebay_shop import Sandbox, Shop, error_ids, group, item

GROUP = "/inventory_item_group/GROUP-1"
PUBLISH = "/offer/publish_by_inventory_item_group"
WITHDRAW = "/offer/withdraw_by_inventory_item_group"
KEY = {"inventoryItemGroupKey": "GROUP-1", "marketplaceId": "EBAY_US"}


def test_a_group_becomes_one_listing_of_several_variations(sandbox: Sandbox) -> None:
    """ST26: every offer of the group carries the same listing id."""
    shop = sandbox.shop()
    offers = shop.grouped()
    listing_id = shop.post(PUBLISH, KEY).json()["listingId"]
    (row,) = sandbox.ledger()
    assert (row["listing_id"], row["group_key"], row["sku"]) == (listing_id, "GROUP-1", None)
    assert (row["title"], row["quantity"]) == ("Blue shirt in two sizes", 6)
    assert [variation["sku"] for variation in row["variations"]] == ["GROUP-1-S", "GROUP-1-M"]
    for offer_id in offers:
        assert shop.read(f"/offer/{offer_id}").json()["listing"]["listingId"] == listing_id
    item_view = shop.read("/inventory_item/GROUP-1-S").json()
    assert item_view["inventoryItemGroupKeys"] == ["GROUP-1"]


def test_a_group_is_published_once_and_withdrawn_once(sandbox: Sandbox) -> None:
    """B1: repeating either is refused."""
    shop = sandbox.shop()
    shop.grouped()
    assert shop.post(PUBLISH, KEY).status_code == 200
    assert error_ids(shop.post(PUBLISH, KEY)) == [25002]
    withdrawn = shop.post(WITHDRAW, KEY)
    assert (withdrawn.status_code, withdrawn.content) == (204, b"")
    assert error_ids(shop.post(WITHDRAW, KEY)) == [25725]
    assert [row["status"] for row in sandbox.ledger()] == ["ENDED"]


def test_a_variation_without_an_offer_is_left_out_with_a_warning(sandbox: Sandbox) -> None:
    """ST26: the others are listed."""
    shop = sandbox.shop()
    first, _ = shop.grouped()
    shop.delete(f"/offer/{first}")
    answer = shop.post(PUBLISH, KEY)
    assert answer.status_code == 200
    assert [warning["errorId"] for warning in answer.json()["warnings"]] == [25402]
    assert sandbox.ledger()[0]["quantity"] == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"variesBy": {"specifications": []}},
        {"variesBy": {"specifications": [{"name": "Color", "values": ["Blue"]}]}},
        {"variesBy": {"specifications": [{"name": "Brand", "values": ["Acme"]}]}},
    ],
)
def test_variations_must_differ_in_what_they_vary_by(
    sandbox: Sandbox, changes: dict[str, Any]
) -> None:
    """ST26: no axis, an axis a variation lacks, or two variations alike."""
    shop = sandbox.shop()
    shop.grouped()
    assert shop.write("PUT", GROUP, group("GROUP-1", **changes)).status_code == 204
    answer = shop.post(PUBLISH, KEY)
    assert answer.status_code == 400
    assert set(error_ids(answer)) == {25002}
    assert sandbox.ledger() == []


def test_membership_is_checked(sandbox: Sandbox) -> None:
    """ST26: unknown SKUs, SKUs of another group, SKUs listed on their own."""
    shop = sandbox.shop()
    shop.grouped()
    shop.listed("ALONE")
    skus = {"variantSKUs": ["GROUP-1-S", "ALONE", "NONE"]}
    answer = shop.write("PUT", "/inventory_item_group/OTHER", group("OTHER", **skus))
    assert (answer.status_code, error_ids(answer)) == (400, [25703, 25704, 25702])
    assert shop.read("/inventory_item_group/OTHER").status_code == 404


def test_a_grouped_offer_cannot_be_published_alone(sandbox: Sandbox) -> None:
    """ST26: only the group can."""
    shop = sandbox.shop()
    first, _ = shop.grouped()
    assert error_ids(shop.post(f"/offer/{first}/publish")) == [25002]
    assert sandbox.ledger() == []


def test_deleting_a_variations_item_takes_it_out_of_the_listing(sandbox: Sandbox) -> None:
    """ST26: the listing lives on with the rest and ends with the last."""
    shop = sandbox.shop()
    shop.grouped()
    shop.post(PUBLISH, KEY)
    shop.delete("/inventory_item/GROUP-1-S")
    (row,) = sandbox.ledger()
    assert (row["status"], row["quantity"]) == ("ACTIVE", 3)
    assert shop.read(GROUP).json()["variantSKUs"] == ["GROUP-1-M"]
    shop.delete("/inventory_item/GROUP-1-M")
    assert sandbox.ledger()[0]["status"] == "ENDED"


def test_deleting_a_group_ends_its_listing_and_keeps_items_and_offers(sandbox: Sandbox) -> None:
    """ST26: 204, then 25705."""
    shop = sandbox.shop()
    offers = shop.grouped()
    shop.post(PUBLISH, KEY)
    assert shop.delete(GROUP).status_code == 204
    assert error_ids(shop.delete(GROUP)) == [25705]
    assert sandbox.ledger()[0]["status"] == "ENDED"
    assert shop.read(f"/offer/{offers[0]}").json()["status"] == "UNPUBLISHED"


def rows(shop: Shop, path: str, requests: list[dict[str, Any]]) -> tuple[int, list[Any]]:
    """A bulk call's status and the statuses of its rows."""
    answer = shop.write("POST", path, {"requests": requests})
    return answer.status_code, [row["statusCode"] for row in answer.json()["responses"]]


def test_bulk_rows_succeed_and_fail_on_their_own(sandbox: Sandbox) -> None:
    """B5, B16: 200 when all is well, 207 otherwise; good rows stand."""
    shop = sandbox.shop()
    shop.add_location()
    path = "/bulk_create_or_replace_inventory_item"
    good = [{"sku": sku, "locale": "en_US", **item()} for sku in ("A", "B")]
    bad = {"sku": "C", "locale": "en_US", **item(quantity=-1)}
    assert rows(shop, path, good) == (200, [201, 201])
    assert rows(shop, path, [good[0], bad]) == (207, [200, 400])
    offers = [shop.offer_body("A"), shop.offer_body("C")]
    assert rows(shop, "/bulk_create_offer", offers) == (207, [200, 400])
    assert rows(shop, "/bulk_create_offer", offers[:1]) == (207, [400])
    offer_id = shop.read("/offer?sku=A").json()["offers"][0]["offerId"]
    listed = [{"offerId": offer_id}, {"offerId": "404"}]
    assert rows(shop, "/bulk_publish_offer", listed) == (207, [200, 404])
    assert len(sandbox.ledger()) == 1


@pytest.mark.parametrize(
    ("path", "error_id"),
    [
        ("/bulk_create_or_replace_inventory_item", 25727),
        ("/bulk_get_inventory_item", 25727),
        ("/bulk_create_offer", 25730),
        ("/bulk_publish_offer", 25730),
        ("/bulk_update_price_quantity", 25709),
    ],
)
def test_a_bulk_call_takes_25_rows(sandbox: Sandbox, path: str, error_id: int) -> None:
    """E7: 26 rows are refused as a whole, and so are none."""
    shop = sandbox.shop()
    row = {"sku": "A", "locale": "en_US", "offerId": "1"}
    many = shop.write("POST", path, {"requests": [row] * 26})
    assert (many.status_code, error_ids(many)) == (400, [error_id])
    none = shop.write("POST", path, {"requests": []})
    assert (none.status_code, error_ids(none)) == (400, [25709])


def test_price_and_stock_change_without_replacing_anything(sandbox: Sandbox) -> None:
    """B13: the listing follows, and the item keeps its other fields."""
    shop = sandbox.shop()
    offer_id, _ = shop.listed()
    change = {"offerId": offer_id, "price": {"value": "15.00", "currency": "USD"}}
    row = {"sku": "SKU-1", "shipToLocationAvailability": {"quantity": 7}, "offers": [change]}
    assert rows(shop, "/bulk_update_price_quantity", [row]) == (200, [200])
    (listing,) = sandbox.ledger()
    assert (listing["price"], listing["quantity"]) == ("15.00", 7)
    assert shop.read("/inventory_item/SKU-1").json()["product"]["title"] == "Blue shirt"


def test_a_wrong_price_changes_nothing_in_its_row(sandbox: Sandbox) -> None:
    """C12: not the stock either."""
    shop = sandbox.shop()
    offer_id, _ = shop.listed()
    change = {"offerId": offer_id, "price": {"value": "0", "currency": "USD"}}
    row = {"sku": "SKU-1", "shipToLocationAvailability": {"quantity": 7}, "offers": [change]}
    assert rows(shop, "/bulk_update_price_quantity", [row]) == (207, [400])
    (listing,) = sandbox.ledger()
    assert (listing["price"], listing["quantity"]) == ("19.99", 3)
