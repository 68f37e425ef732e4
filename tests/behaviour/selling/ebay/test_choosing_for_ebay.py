"""What a seller sees and decides of a product for eBay alone."""

from typing import Any

import pytest

from models.selling.publishing import JobOutcome
from tests.behaviour.selling.ebay.conftest import CHANNEL, Shop
from tests.factories.ebay import SHIRT_CATEGORY
from tests.serving import Seller

HOODIES = "155183"
"""eBay's id for men's hoodies and sweatshirts."""


def path_of(product_id: int) -> str:
    return f"/api/v1/products/{product_id}/channels/ebay"


def show(seller: Seller, product_id: int) -> dict[str, Any]:
    answer = seller.http.get(path_of(product_id))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_product_is_shown_as_it_would_go_to_ebay(shop: Shop, connected: Seller) -> None:
    """C6: category, condition and item specifics, without asking eBay."""
    product_id = shop.shirt()
    calls = shop.calls()
    shown = show(connected, product_id)
    assert shop.calls() == calls
    assert (shown["ready"], shown["missing"], shown["asks_ebay_first"]) == (True, [], False)
    assert (shown["category_id"], shown["condition"]) == (SHIRT_CATEGORY, "USED_EXCELLENT")
    assert shown["aspects"]["Brand"] == ["Patagonia"]
    assert (shown["chosen_category_id"], shown["chosen_aspects"]) == (None, {})


def test_what_is_missing_is_named_with_a_remedy(shop: Shop, connected: Seller) -> None:
    """C6."""
    shown = show(connected, shop.shirt(condition_code=None, title="y" * 90))
    assert not shown["ready"]
    by_rule = {gap["rule"]: gap for gap in shown["missing"]}
    assert set(by_rule) == {"condition-missing", "title-too-long"}
    assert "by 10" in by_rule["title-too-long"]["mend"]


def test_a_choice_goes_before_the_mapping(shop: Shop, connected: Seller) -> None:
    """C6: eBay is asked once about the category; the job lists there."""
    product_id = shop.shirt()
    body = {"category_id": HOODIES, "aspects": {"Style": ["Pullover"], "Color": ["Red"]}}
    answer = connected.http.put(path_of(product_id), json=body)
    assert answer.status_code == 200, answer.text
    chosen = answer.json()
    assert (chosen["category_id"], chosen["chosen_category_id"]) == (HOODIES, HOODIES)
    assert (chosen["aspects"]["Style"], chosen["aspects"]["Color"]) == (["Pullover"], ["Red"])
    assert chosen == show(connected, product_id)
    calls = shop.calls_of(lambda: connected.http.put(path_of(product_id), json=body))
    assert calls == {}
    assert shop.run(product_id).outcome is JobOutcome.OK
    offer = shop.ebay.shop("alice").read(f"/offer?sku={shop.live()[0]['sku']}").json()["offers"][0]
    assert offer["categoryId"] == HOODIES
    back = connected.http.put(path_of(product_id), json={}).json()
    assert (back["category_id"], back["chosen_aspects"]) == (SHIRT_CATEGORY, {})


@pytest.mark.parametrize("category", ["1", "90000001"])
def test_a_category_that_ebay_does_not_list_in_is_refused(
    shop: Shop, connected: Seller, category: str
) -> None:
    """C6: unknown, or with sub-categories; nothing changes."""
    product_id = shop.shirt()
    before = show(connected, product_id)
    answer = connected.http.put(path_of(product_id), json={"category_id": category})
    assert (answer.status_code, answer.json()["code"]) == (422, "ebay-choice-invalid")
    assert answer.json()["fields"][0]["field"] == "category_id"
    assert show(connected, product_id) == before


@pytest.mark.parametrize(
    "body",
    [
        {"category_id": "shirts"},
        {"category_id": 15687},
        {"category_id": "9" * 13},
        {"aspects": {"Style": []}},
        {"aspects": {"Style": ["x" * 66]}},
        {"aspects": {"": ["x"]}},
        {"aspects": {"Style": ["a\u0000b"]}},
        {"aspects": {"Style": "Pullover"}},
        {"aspects": {f"A{number}": ["x"] for number in range(61)}},
        {"price": "1"},
        [],
    ],
)
def test_a_choice_that_is_none_is_refused(shop: Shop, connected: Seller, body: object) -> None:
    """C6: eBay is not asked, nothing changes."""
    product_id = shop.shirt()
    before, calls = show(connected, product_id), shop.calls()
    answer = connected.http.put(path_of(product_id), json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")
    assert show(connected, product_id) == before
    assert shop.calls() == calls


def test_products_of_others_do_not_exist(
    shop: Shop, connected: Seller, other_seller: Seller
) -> None:
    """A9: neither to read nor to choose for."""
    product_id = shop.shirt()
    for answer in (
        other_seller.http.get(path_of(product_id)),
        other_seller.http.put(path_of(product_id), json={}),
        connected.http.get(path_of(product_id + 1000)),
        connected.http.put(path_of(product_id + 1000), json={}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "product-not-found")


def test_ebay_suggests_categories(connected: Seller, catalogues: None) -> None:
    """C6."""
    answer = connected.http.get(f"{CHANNEL}/category-suggestions", params={"q": "mens hoodie"})
    assert answer.status_code == 200, answer.text
    assert HOODIES in [each["category_id"] for each in answer.json()]
    assert all(len(each["path"]) > 1 for each in answer.json())


@pytest.mark.parametrize("q", ["", "   ", "x" * 351, "a\u0000b"])
def test_words_that_are_none_get_no_suggestion(connected: Seller, q: str) -> None:
    """C6."""
    answer = connected.http.get(f"{CHANNEL}/category-suggestions", params={"q": q})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")


def test_an_unmapped_category_blocks_with_its_name_until_the_seller_chooses(
    shop: Shop, connected: Seller
) -> None:
    """C9: nothing is guessed; what the shop chose for the category counts for all its products."""
    product_id = shop.shirt(category_code="lb-5")
    gap = next(each for each in show(connected, product_id)["missing"])
    assert gap["rule"] == "category-not-mapped"
    assert "“Luggage & Bags > Dry Boxes”" in str(gap)

    path = "/api/v1/category-choices/ebay/lb-5"
    calls = shop.calls_of(
        lambda: connected.http.put(path, json={"department": "men", "category_id": HOODIES})
    )
    assert calls
    shown = show(connected, product_id)
    assert (shown["category_id"], shown["chosen_category_id"]) == (HOODIES, None)
    assert "category-not-mapped" not in {each["rule"] for each in shown["missing"]}

    own = connected.http.put(path_of(product_id), json={"category_id": SHIRT_CATEGORY}).json()
    assert own["category_id"] == SHIRT_CATEGORY, "a product's own choice goes before the shop's"


def test_ebay_is_asked_whether_it_lists_in_a_chosen_category(shop: Shop, connected: Seller) -> None:
    """C9: what it refuses is not kept."""
    shop.shirt()
    answer = connected.http.put("/api/v1/category-choices/ebay/aa-1-9", json={"category_id": "1"})
    assert (answer.status_code, answer.json()["code"]) == (422, "category-choice-invalid")
    assert connected.http.get("/api/v1/category-choices").json()["items"] == []
