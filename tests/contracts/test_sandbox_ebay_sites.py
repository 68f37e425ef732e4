"""eBay's sites at the sandbox: each has its language, currency, policies and categories."""

from typing import Any

import httpx
import pytest

from sandbox.ebay.catalogue import Catalogue, SiteCatalogue
from sandbox.ebay.values import SITES
from tests.contracts.ebay_shop import INVENTORY, LOCATION, SHIRTS, Sandbox, Shop, error_ids

TAXONOMY = "/commerce/taxonomy/v1"
ABROAD = [(name, site.language, site.currency) for name, site in SITES.items() if name != "EBAY_US"]


@pytest.fixture
def shop(sandbox: Sandbox) -> Shop:
    """A seller with policies on all four sites, a location and an item."""
    sandbox.control("sellers", {"name": "alice", "marketplaces": [name for name, _, _ in ABROAD]})
    shop = sandbox.shop("alice")
    shop.add_location()
    shop.put_item("SKU-1")
    return shop


def shirts_on(shop: Shop, marketplace_id: str) -> str:
    """The site's own number of the category of shirts."""
    app = shop.sandbox.application()
    query = {"marketplace_id": marketplace_id}
    tree = app.call("GET", f"{TAXONOMY}/get_default_category_tree_id", params=query).json()
    path = f"{TAXONOMY}/category_tree/{tree['categoryTreeId']}/get_category_suggestions"
    found = app.call("GET", path, params={"q": "men's t-shirt"}).json()["categorySuggestions"]
    return str(found[0]["category"]["categoryId"])


def policies_on(shop: Shop, marketplace_id: str) -> dict[str, str]:
    """Ids of the seller's policies there."""
    found = {}
    for kind in ("fulfillment", "payment", "return"):
        path = f"/sell/account/v1/{kind}_policy?marketplace_id={marketplace_id}"
        [policy] = shop.call("GET", path).json()[f"{kind}Policies"]
        found[f"{kind}PolicyId"] = policy[f"{kind}PolicyId"]
    return found


def offered(shop: Shop, marketplace_id: str, language: str, **changes: Any) -> httpx.Response:
    """Create an offer that lacks nothing there, but for `changes`."""
    body = shop.offer_body(
        "SKU-1",
        marketplaceId=marketplace_id,
        categoryId=shirts_on(shop, marketplace_id),
        listingPolicies=policies_on(shop, marketplace_id),
        merchantLocationKey=LOCATION,
        pricingSummary={
            "price": {"value": "19.99", "currency": SITES[marketplace_id].currency},
        },
    )
    return shop.write("POST", "/offer", {**body, **changes}, **{"Content-Language": language})


def published(shop: Shop, offer: httpx.Response) -> httpx.Response:
    """Publish what was offered."""
    assert offer.status_code == 201, offer.text
    return shop.post(f"/offer/{offer.json()['offerId']}/publish")


@pytest.mark.parametrize(("marketplace_id", "language", "currency"), ABROAD)
def test_a_site_lists_what_is_offered_in_its_own_terms(
    shop: Shop, marketplace_id: str, language: str, currency: str
) -> None:
    """C9: and the same item is offered on each of them once."""
    names = {"EBAY_GB": "Brand", "EBAY_FR": "Marque", "EBAY_DE": "Marke"}
    sizes = {"EBAY_GB": "Size", "EBAY_FR": "Taille", "EBAY_DE": "Größe"}
    aspects = {names[marketplace_id]: ["Acme"], sizes[marketplace_id]: ["M"]}
    shop.put_item("SKU-1", aspects=aspects)
    answer = published(shop, offered(shop, marketplace_id, language))
    assert answer.status_code == 200, answer.text
    [listing] = shop.sandbox.ledger()
    assert (listing["marketplace_id"], listing["currency"]) == (marketplace_id, currency)


@pytest.mark.parametrize(("marketplace_id", "language", "_currency"), ABROAD)
@pytest.mark.parametrize("wrong", [None, "en-US", "*", "xx"])
def test_texts_are_in_the_sites_language(
    shop: Shop, marketplace_id: str, language: str, _currency: str, wrong: str | None
) -> None:
    """C3: a missing, unknown or other language is refused before anything is stored."""
    body = shop.offer_body("SKU-1", marketplaceId=marketplace_id)
    headers = {} if wrong is None else {"Content-Language": wrong}
    answer = shop.call("POST", f"{INVENTORY}/offer", json=body, headers=headers)
    assert (answer.status_code, error_ids(answer)) == (400, [25709])
    assert offered(shop, marketplace_id, language).status_code == 201


@pytest.mark.parametrize(
    ("changes", "error_id"),
    [
        ({"pricingSummary": {"price": {"value": "9.99", "currency": "USD"}}}, 25003),
        ({"pricingSummary": {"price": {"value": "9.99", "currency": "EUR"}}}, 25003),
        ({"categoryId": SHIRTS}, 25005),
    ],
)
def test_another_sites_currency_and_categories_are_refused(
    shop: Shop, changes: dict[str, Any], error_id: int
) -> None:
    """C9, B12: nothing is converted and no number is taken for another tree's."""
    shop.put_item("SKU-1", aspects={"Brand": ["Acme"], "Size": ["M"]})
    answer = published(shop, offered(shop, "EBAY_GB", "en-GB", **changes))
    assert (answer.status_code, error_ids(answer)) == (400, [error_id])


def test_another_sites_policies_are_refused(shop: Shop) -> None:
    """C7: all three are named."""
    american = policies_on(shop, "EBAY_US")
    answer = published(shop, offered(shop, "EBAY_FR", "fr-FR", listingPolicies=american))
    assert error_ids(answer)[:3] == [25007, 25008, 25009]


def test_a_category_is_asked_about_in_its_own_tree(shop: Shop) -> None:
    """C9: the same shirt has another number there, and item specifics in German."""
    app = shop.sandbox.application()
    german = shirts_on(shop, "EBAY_DE")
    assert german != SHIRTS
    path = f"{TAXONOMY}/category_tree/77/get_item_aspects_for_category"
    known = app.call("GET", path, params={"category_id": german}).json()["aspects"]
    assert [each["localizedAspectName"] for each in known][:2] == ["Marke", "Größe"]
    for wrong_tree in ("0", "3", "71"):
        path = f"{TAXONOMY}/category_tree/{wrong_tree}/get_item_aspects_for_category"
        answer = app.call("GET", path, params={"category_id": german})
        assert error_ids(answer) == [62005]


def test_no_number_of_one_tree_is_a_number_of_another() -> None:
    """C9: on all data that comes with the sandbox."""
    home = Catalogue()
    trees = [home, *(SiteCatalogue(home, SITES[name]) for name, _, _ in ABROAD)]
    numbers = [number for tree in trees for number in (*tree.leaves, *tree.branches)]
    assert len(numbers) == len(set(numbers))
