"""Items and offers at the sandbox eBay: what surprises a client that has not met eBay."""

import pytest

from tests.contracts.ebay_shop import (
    INVENTORY,
    LANGUAGE,
    Sandbox,
    error_ids,
    item,
)

ITEM = f"{INVENTORY}/inventory_item/SKU-1"


def test_a_clean_write_answers_204_without_a_body(sandbox: Sandbox) -> None:
    """ST26: there is nothing to parse after PUT of an item."""
    answer = sandbox.shop().put_item("SKU-1")
    assert (answer.status_code, answer.content) == (204, b"")
    assert "content-type" not in answer.headers


@pytest.mark.parametrize("language", [None, "*", "en-US,*;q=0.5", "english"])
def test_inventory_calls_need_an_explicit_accept_language(
    sandbox: Sandbox, language: str | None
) -> None:
    """ST26: missing or with a wildcard, the call is refused and changes nothing."""
    shop = sandbox.shop()
    headers = {**LANGUAGE, "Accept-Language": language}
    answer = shop.call("PUT", ITEM, json=item(), headers=headers)
    assert (answer.status_code, error_ids(answer)) == (400, [25709])
    assert "Accept-Language" in answer.json()["errors"][0]["message"]
    assert shop.read("/inventory_item/SKU-1").status_code == 404


@pytest.mark.parametrize("language", [None, "en_US", "xx-XX"])
def test_writing_an_item_needs_a_content_language(sandbox: Sandbox, language: str | None) -> None:
    """ST26: with a hyphen, of eBay's own list."""
    shop = sandbox.shop()
    answer = shop.call("PUT", ITEM, json=item(), headers={"Content-Language": language})
    assert (answer.status_code, error_ids(answer)) == (400, [25709])
    assert shop.read("/inventory_item/SKU-1").status_code == 404


def test_put_replaces_and_never_patches(sandbox: Sandbox) -> None:
    """E7: what the second PUT leaves out, or sets to null, is gone."""
    shop = sandbox.shop()
    shop.put_item("SKU-1")
    body = {"product": {"title": "Only a title"}, "condition": None}
    assert shop.write("PUT", "/inventory_item/SKU-1", body).status_code == 204
    assert shop.read("/inventory_item/SKU-1").json() == {
        "sku": "SKU-1",
        "locale": "en_US",
        "product": {"title": "Only a title"},
    }


@pytest.mark.parametrize(
    ("changes", "error_id"),
    [
        ({"title": "x" * 81}, 25709),
        ({"title": ""}, 25709),
        ({"description": "x" * 4001}, 25709),
        ({"quantity": -1}, 25004),
        ({"quantity": "3"}, 2004),
        ({"condition": "MINT"}, 2004),
        ({"aspects": {"Brand": "Acme"}}, 2004),
        ({"imageUrls": ["http://plain.example/1.jpg"]}, 25015),
        ({"imageUrls": [f"https://p.example/{n}.jpg" for n in range(25)]}, 25014),
    ],
)
def test_an_item_that_cannot_be_is_refused(
    sandbox: Sandbox, changes: dict[str, object], error_id: int
) -> None:
    """ST26, C6: limits of title, description, stock, words and pictures; the old item stays."""
    shop = sandbox.shop()
    shop.put_item("SKU-1")
    before = shop.read("/inventory_item/SKU-1").json()
    answer = shop.put_item("SKU-1", **changes)
    assert (answer.status_code, error_ids(answer)) == (400, [error_id])
    assert shop.read("/inventory_item/SKU-1").json() == before


@pytest.mark.parametrize("sku", ["x" * 51, "with%20space", "caf%C3%A9"])
def test_a_sku_has_at_most_50_plain_characters(sandbox: Sandbox, sku: str) -> None:
    """ST26: anything else is 25707."""
    answer = sandbox.shop().put_item(sku)
    assert (answer.status_code, error_ids(answer)) == (400, [25707])


@pytest.mark.parametrize("content", [b"{", b"[]", b"", b"\xff"])
def test_a_body_that_is_no_object_is_refused(sandbox: Sandbox, content: bytes) -> None:
    """ST59: broken JSON is the client's error, never the server's."""
    headers = {**LANGUAGE, "Content-Type": "application/json"}
    answer = sandbox.shop().call("PUT", ITEM, content=content, headers=headers)
    assert (answer.status_code, error_ids(answer)) == (400, [2004])


def test_deleting_an_item_ends_its_listing_and_offers_and_only_once(sandbox: Sandbox) -> None:
    """ST26: the listing ends, the offer is gone, the second call is 404."""
    shop = sandbox.shop()
    offer_id, listing_id = shop.listed()
    assert shop.delete("/inventory_item/SKU-1").status_code == 204
    (row,) = sandbox.ledger()
    assert (row["listing_id"], row["status"]) == (listing_id, "ENDED")
    assert row["ended_at"] is not None
    assert shop.read(f"/offer/{offer_id}").status_code == 404
    again = shop.delete("/inventory_item/SKU-1")
    assert (again.status_code, error_ids(again)) == (404, [25710])


def test_offsets_are_page_numbers(sandbox: Sandbox) -> None:
    """ST26: offset=1 is the second page, and `size` counts pages."""
    shop = sandbox.shop()
    for number in range(5):
        shop.put_item(f"SKU-{number}")
    page = shop.read("/inventory_item?limit=2&offset=1").json()
    assert [row["sku"] for row in page["inventoryItems"]] == ["SKU-2", "SKU-3"]
    assert (page["total"], page["size"], page["limit"]) == (5, 3, 2)
    assert page["next"].endswith("limit=2&offset=2")
    assert page["prev"].endswith("limit=2&offset=0")
    last = shop.read("/inventory_item?limit=2&offset=2").json()
    assert "next" not in last


def test_a_second_offer_for_the_same_item_names_the_first(sandbox: Sandbox) -> None:
    """B1, B3: 400 with 25002 and the existing offerId; still one offer."""
    shop = sandbox.shop()
    offer_id = shop.stocked()
    again = shop.write("POST", "/offer", shop.offer_body("SKU-1"))
    assert (again.status_code, error_ids(again)) == (400, [25002])
    (error,) = again.json()["errors"]
    assert error["parameters"] == [{"name": "offerId", "value": offer_id}]
    assert shop.read("/offer?sku=SKU-1").json()["total"] == 1


def test_messages_follow_accept_language_but_ids_do_not(sandbox: Sandbox) -> None:
    """ST59: whoever reads messages breaks in Germany."""
    shop = sandbox.shop()
    shop.stocked()
    body = shop.offer_body("SKU-1")
    german = shop.write("POST", "/offer", body, **{"Accept-Language": "de-DE"})
    english = shop.write("POST", "/offer", body)
    assert error_ids(german) == error_ids(english) == [25002]
    assert german.json()["errors"][0]["message"] != english.json()["errors"][0]["message"]
    assert german.json()["errors"][0]["parameters"] == english.json()["errors"][0]["parameters"]


@pytest.mark.parametrize(
    ("changes", "error_id"),
    [
        ({"sku": "NONE"}, 25702),
        ({"sku": ""}, 25709),
        ({"format": "AUCTION"}, 25709),
        ({"marketplaceId": "EBAY_FR"}, 25709),
        ({"listingDuration": "DAYS_7"}, 25709),
        ({"listingDescription": "x" * 500_001}, 25709),
        ({"availableQuantity": -1}, 25709),
        ({"pricingSummary": {"price": {"value": 19.99, "currency": "USD"}}}, 2004),
        ({"pricingSummary": {"price": {"value": "cheap", "currency": "USD"}}}, 25709),
        ({"pricingSummary": {"price": {"value": "-1", "currency": "USD"}}}, 25709),
    ],
)
def test_an_offer_that_cannot_be_is_refused(
    sandbox: Sandbox, changes: dict[str, object], error_id: int
) -> None:
    """ST26: fixed prices run GTC, money is a text, and nothing is created."""
    shop = sandbox.shop()
    shop.put_item("SKU-1")
    answer = shop.write("POST", "/offer", {**shop.offer_body("SKU-1"), **changes})
    assert (answer.status_code, error_ids(answer)) == (400, [error_id])
    assert shop.read("/offer?sku=SKU-1").status_code == 404


def test_offers_are_asked_for_by_sku(sandbox: Sandbox) -> None:
    """ST26: without a SKU 25709; a SKU without offers is 404, not an empty list."""
    shop = sandbox.shop()
    shop.put_item("SKU-1")
    assert error_ids(shop.read("/offer")) == [25709]
    none = shop.read("/offer?sku=SKU-1")
    assert (none.status_code, error_ids(none)) == (404, [25713])


def test_an_offer_reads_back_with_defaults_and_the_items_stock(sandbox: Sandbox) -> None:
    """C13: eBay fills in what was left out; an unpublished offer has no listing."""
    shop = sandbox.shop()
    offer_id = shop.stocked()
    offer = shop.read(f"/offer/{offer_id}").json()
    assert offer["status"] == "UNPUBLISHED"
    assert "listing" not in offer
    assert offer["includeCatalogProductDetails"] is True
    assert offer["availableQuantity"] == 3
    assert offer["pricingSummary"]["price"] == {"value": "19.99", "currency": "USD"}


def test_replacing_a_live_offer_needs_its_description_again(sandbox: Sandbox) -> None:
    """E7: 25016 without it, and the listing keeps its price."""
    shop = sandbox.shop()
    offer_id, _ = shop.listed()
    body = shop.offer_body("SKU-1", pricingSummary={"price": {"value": "9.00", "currency": "USD"}})
    del body["listingDescription"]
    refused = shop.write("PUT", f"/offer/{offer_id}", body)
    assert (refused.status_code, error_ids(refused)) == (400, [25016])
    assert sandbox.ledger()[0]["price"] == "19.99"
    body["listingDescription"] = "Again."
    assert shop.write("PUT", f"/offer/{offer_id}", body).status_code == 204
    assert sandbox.ledger()[0]["price"] == "9.00"


def test_withdrawing_keeps_the_offer_and_relisting_gives_a_new_listing(sandbox: Sandbox) -> None:
    """ST26: withdraw, withdraw again (25713), publish again."""
    shop = sandbox.shop()
    offer_id, first = shop.listed()
    ended = shop.post(f"/offer/{offer_id}/withdraw")
    assert (ended.status_code, ended.json()) == (200, {"listingId": first})
    again = shop.post(f"/offer/{offer_id}/withdraw")
    assert (again.status_code, error_ids(again)) == (400, [25713])
    second = shop.post(f"/offer/{offer_id}/publish").json()["listingId"]
    assert second != first
    assert [row["status"] for row in sandbox.ledger()] == ["ENDED", "ACTIVE"]


def test_deleting_a_live_offer_ends_the_listing_and_works_once(sandbox: Sandbox) -> None:
    """ST26: 204, then 404 with 25713; the item stays."""
    shop = sandbox.shop()
    offer_id, _ = shop.listed()
    assert shop.delete(f"/offer/{offer_id}").status_code == 204
    again = shop.delete(f"/offer/{offer_id}")
    assert (again.status_code, error_ids(again)) == (404, [25713])
    assert sandbox.ledger()[0]["status"] == "ENDED"
    assert shop.read("/inventory_item/SKU-1").status_code == 200


def test_a_listing_can_be_revised_250_times_a_day(sandbox: Sandbox) -> None:
    """E7: the 251st revision is refused and changes nothing; the next day goes on."""
    shop = sandbox.shop()
    shop.listed()
    row = {"sku": "SKU-1", "shipToLocationAvailability": {"quantity": 1}}
    for _ in range(250):
        assert shop.post("/bulk_update_price_quantity", {"requests": [row]}).status_code == 200
    refused = shop.put_item("SKU-1", quantity=9)
    assert (refused.status_code, error_ids(refused)) == (400, [25002])
    assert sandbox.ledger()[0]["quantity"] == 1
    tokens = sandbox.tokens("alice")
    sandbox.control("clock/advance", {"seconds": 86_400})
    answer = sandbox.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    shop.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    assert shop.put_item("SKU-1", quantity=9).status_code == 204
    assert sandbox.ledger()[0]["quantity"] == 9


def test_sellers_see_only_their_own_inventory(sandbox: Sandbox) -> None:
    """ST26: two accounts may use the same SKU."""
    alice, bob = sandbox.shop("alice"), sandbox.shop("bob")
    offer_id, _ = alice.listed()
    assert bob.read("/inventory_item/SKU-1").status_code == 404
    assert bob.read(f"/offer/{offer_id}").status_code == 404
    assert bob.delete(f"/offer/{offer_id}").status_code == 404
    assert bob.put_item("SKU-1").status_code == 204
    assert sandbox.ledger()[0]["status"] == "ACTIVE"


def test_an_existing_location_key_is_a_conflict(sandbox: Sandbox) -> None:
    """C7: 409, and keys have at most 36 characters."""
    shop = sandbox.shop()
    assert shop.add_location().status_code == 204
    again = shop.add_location()
    assert (again.status_code, error_ids(again)) == (409, [25803])
    assert error_ids(shop.add_location("x" * 37)) == [25800]
    address = {"location": {"address": {"country": "US"}}}
    assert error_ids(shop.post("/location/second", address)) == [25801]
    assert shop.read("/location").json()["total"] == 1
