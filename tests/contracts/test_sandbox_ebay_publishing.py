"""What the sandbox eBay wants before it lists something."""

from typing import Any

import pytest

from tests.contracts.ebay_shop import Sandbox, Shop, error_ids


def publish(shop: Shop, item_changes: dict[str, Any], offer_changes: dict[str, Any]) -> Any:
    """Publish an item and an offer that differ from good ones."""
    shop.add_location()
    assert shop.put_item("SKU-1", **item_changes).status_code == 204
    offer_id = shop.add_offer("SKU-1", **offer_changes)
    return shop.post(f"/offer/{offer_id}/publish")


def test_publishing_puts_everything_in_the_ledger(sandbox: Sandbox) -> None:
    """ST26, C1: the listing shows title, price, stock, pictures in their order."""
    shop = sandbox.shop()
    pictures = [f"https://p.example/{name}.jpg" for name in "cab"]
    answer = publish(shop, {"imageUrls": pictures}, {"availableQuantity": 2})
    (row,) = sandbox.ledger()
    assert answer.json() == {"listingId": row["listing_id"]}
    assert row["seller"] == "TESTUSER_alice"
    assert row["title"] == "Blue shirt"
    assert (row["price"], row["currency"], row["quantity"]) == ("19.99", "USD", 2)
    assert row["image_urls"] == pictures
    assert (row["sku"], row["group_key"], row["status"]) == ("SKU-1", None, "ACTIVE")


def test_a_published_offer_reads_back_with_its_listing(sandbox: Sandbox) -> None:
    """B1: that is how a lost answer to publish is settled."""
    shop = sandbox.shop()
    offer_id, listing_id = shop.listed()
    offer = shop.read(f"/offer/{offer_id}").json()
    assert offer["status"] == "PUBLISHED"
    assert offer["listing"]["listingId"] == listing_id
    assert offer["listing"]["listingStatus"] == "ACTIVE"


def test_publishing_twice_is_refused_and_lists_once(sandbox: Sandbox) -> None:
    """B1: a blind retry fails; there is still one listing."""
    shop = sandbox.shop()
    offer_id, _ = shop.listed()
    again = shop.post(f"/offer/{offer_id}/publish")
    assert (again.status_code, error_ids(again)) == (400, [25002])
    assert len(sandbox.ledger()) == 1


@pytest.mark.parametrize(
    ("item_changes", "offer_changes", "error_id"),
    [
        ({"title": None}, {}, 25016),
        ({"description": None}, {"listingDescription": ""}, 25016),
        ({"imageUrls": None}, {}, 25002),
        ({"condition": "FOR_PARTS_OR_NOT_WORKING"}, {}, 25021),
        ({"quantity": 0}, {}, 25004),
        ({}, {"availableQuantity": 0}, 25004),
        ({}, {"categoryId": "90000000"}, 25005),
        ({}, {"categoryId": None}, 25005),
        ({}, {"pricingSummary": {}}, 25003),
        ({}, {"pricingSummary": {"price": {"value": "0", "currency": "USD"}}}, 25003),
        ({}, {"pricingSummary": {"price": {"value": "5", "currency": "EUR"}}}, 25003),
        ({}, {"merchantLocationKey": None}, 25002),
        ({}, {"merchantLocationKey": "nowhere"}, 25012),
        ({"aspects": {"Brand": ["Acme"]}}, {}, 25002),
        ({"aspects": {"Brand": ["Acme"], "Size": ["M", "L"]}}, {}, 25002),
        ({"aspects": {"Brand": ["Acme"], "Size": ["M"], "Fit": ["Odd"]}}, {}, 25002),
        ({"aspects": {"Brand": ["x" * 66], "Size": ["M"]}}, {}, 25002),
    ],
)
def test_what_is_missing_or_wrong_keeps_it_from_being_listed(
    sandbox: Sandbox,
    item_changes: dict[str, Any],
    offer_changes: dict[str, Any],
    error_id: int,
) -> None:
    """C6, C7: one complaint with eBay's id; nothing is listed."""
    answer = publish(sandbox.shop(), item_changes, offer_changes)
    assert (answer.status_code, error_ids(answer)) == (400, [error_id])
    assert sandbox.ledger() == []


@pytest.mark.parametrize(
    ("name", "error_id"),
    [("fulfillmentPolicyId", 25007), ("paymentPolicyId", 25008), ("returnPolicyId", 25009)],
)
def test_each_policy_is_required(sandbox: Sandbox, name: str, error_id: int) -> None:
    """C7: a missing policy and an unknown one are named by the same id."""
    shop = sandbox.shop()
    policies = shop.policies()
    for wrong in (None, "404"):
        offer = {"listingPolicies": {**policies, name: wrong}}
        answer = publish(shop, {}, offer)
        assert error_ids(answer) == [error_id]
        shop.delete("/inventory_item/SKU-1")
    assert sandbox.ledger() == []


def test_every_missing_item_specific_is_named(sandbox: Sandbox) -> None:
    """C6: one 25002 for each, the name among the parameters, whatever the language."""
    shop = sandbox.shop()
    shop.headers["Accept-Language"] = "de-DE"
    answer = publish(shop, {"aspects": {}}, {})
    assert error_ids(answer) == [25002, 25002]
    named = [error["parameters"][0]["value"] for error in answer.json()["errors"]]
    assert named == ["Brand", "Size"]
    assert sandbox.ledger() == []


def test_all_complaints_come_at_once(sandbox: Sandbox) -> None:
    """C6: price, location and specifics are not discovered one after the other."""
    wrong = {"pricingSummary": {}, "merchantLocationKey": "nowhere"}
    answer = publish(sandbox.shop(), {"aspects": {"Brand": ["Acme"]}}, wrong)
    assert sorted(error_ids(answer)) == [25002, 25003, 25012]


def test_the_most_specific_scope_decides_about_a_specific(sandbox: Sandbox) -> None:
    """C6: casual shirts do not require the size that men's clothing requires."""
    answer = publish(sandbox.shop(), {"aspects": {"Brand": ["Acme"]}}, {"categoryId": "57990"})
    assert answer.status_code == 200


def test_a_category_nothing_is_said_about_requires_a_brand(sandbox: Sandbox) -> None:
    """C6: and its conditions are the usual ones."""
    shop = sandbox.shop()
    changes = {"aspects": {}, "condition": "USED_EXCELLENT"}
    answer = publish(shop, changes, {"categoryId": "20625"})
    assert [one["parameters"][0]["value"] for one in answer.json()["errors"]] == ["Brand"]
    assert error_ids(answer) == [25002]


def test_a_change_that_would_break_a_live_listing_is_refused(sandbox: Sandbox) -> None:
    """E7: the item, the offer and the listing stay as they were."""
    shop = sandbox.shop()
    shop.listed()
    before = shop.read("/inventory_item/SKU-1").json()
    refused = shop.put_item("SKU-1", title="New name", aspects={"Brand": ["Acme"]})
    assert (refused.status_code, error_ids(refused)) == (400, [25002])
    assert shop.read("/inventory_item/SKU-1").json() == before
    assert sandbox.ledger()[0]["title"] == "Blue shirt"


def test_a_live_listing_follows_its_item(sandbox: Sandbox) -> None:
    """B13: title, pictures and stock reach the listing; the day's revisions are counted."""
    shop = sandbox.shop()
    offer_id, listing_id = shop.listed()
    shop.put_item("SKU-1", title="Red shirt", imageUrls=["https://p.example/2.jpg"], quantity=0)
    (row,) = sandbox.ledger()
    assert (row["listing_id"], row["title"], row["quantity"]) == (listing_id, "Red shirt", 0)
    assert row["image_urls"] == ["https://p.example/2.jpg"]
    assert list(row["revisions"].values()) == [1]
    offer = shop.read(f"/offer/{offer_id}").json()
    assert offer["listing"]["listingStatus"] == "OUT_OF_STOCK"


def test_an_account_that_is_not_ready_says_so(sandbox: Sandbox) -> None:
    """C7: no policies before opting in; opting in twice is a conflict."""
    sandbox.control("sellers", {"name": "new", "ready": False})
    shop = sandbox.shop("new")
    path = "/sell/account/v1/return_policy?marketplace_id=EBAY_US"
    refused = shop.call("GET", path)
    assert (refused.status_code, error_ids(refused)) == (400, [20403])
    opt_in = {"programType": "SELLING_POLICY_MANAGEMENT"}
    assert shop.call("POST", "/sell/account/v1/program/opt_in", json=opt_in).status_code == 200
    again = shop.call("POST", "/sell/account/v1/program/opt_in", json=opt_in)
    assert (again.status_code, error_ids(again)) == (409, [25803])
    assert shop.call("GET", path).json()["returnPolicies"] == []


def test_policies_are_listed_for_the_marketplace_asked_for(sandbox: Sandbox) -> None:
    """C7: a new account has one of each kind for EBAY_US and none elsewhere."""
    shop = sandbox.shop()
    for kind in ("fulfillment", "payment", "return"):
        path = f"/sell/account/v1/{kind}_policy"
        assert shop.call("GET", f"{path}?marketplace_id=EBAY_US").json()["total"] == 1
        assert shop.call("GET", f"{path}?marketplace_id=EBAY_FR").json()["total"] == 0
        missing = shop.call("GET", path)
        assert (missing.status_code, error_ids(missing)) == (400, [20401])
