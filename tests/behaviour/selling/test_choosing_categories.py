"""A shop says itself where a category belongs; that goes before the mapping that ships."""

from typing import Any

import pytest

from models.reference.marketplace_mappings import PlatformCategory
from models.selling.publishing import Channel
from services.reference.marketplace_mappings.facts import Gap
from services.selling.category_choices.places import mapping_for
from shared.clock import MovableClock
from shared.database import Database
from tests.factories.reference import load_catalogues
from tests.serving import Seller

CHOICES = "/api/v1/category-choices"
BOOTS, MENS_CHELSEA_BOOTS, WOMENS_BOOTS = "aa-8-3", "2661", "1049"
INVALID = "category-choice-invalid"


@pytest.fixture(autouse=True)
def catalogues(worker_database: Database, clock: MovableClock) -> None:
    load_catalogues(worker_database, clock)


def choose(
    seller: Seller, channel: str, category: str, remote_id: str, department: str | None
) -> dict[str, Any]:
    body = {"department": department, "category_id": remote_id}
    answer = seller.http.put(f"{CHOICES}/{channel}/{category}", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def chosen(seller: Seller) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = seller.http.get(CHOICES).json()["items"]
    return found


def place(database: Database, seller: Seller, category: str, department: str) -> str | None:
    with database.tenant(seller.tenant) as session:
        found = mapping_for(session, Channel.VINTED).category(category, department)
    if isinstance(found, PlatformCategory):
        return found.remote_id
    assert isinstance(found, Gap)
    return None


def test_a_choice_holds_for_the_shop_its_category_and_department_alone(
    seller: Seller, other_seller: Seller, database: Database, clock: MovableClock
) -> None:
    """C9: what the mapping leaves open, the seller decides."""
    assert place(database, seller, BOOTS, "men") is None
    shown = choose(seller, "vinted", BOOTS, MENS_CHELSEA_BOOTS, "men")
    assert shown == {
        "channel": "vinted",
        "site": None,
        "category": BOOTS,
        "department": "men",
        "category_id": MENS_CHELSEA_BOOTS,
        "path": "Men > Shoes > Boots > Chelsea & slip-on boots",
        "chosen_at": clock.now().isoformat().replace("+00:00", "Z"),
    }
    assert chosen(seller) == [shown]
    assert place(database, seller, BOOTS, "men") == MENS_CHELSEA_BOOTS
    assert place(database, seller, BOOTS, "women") is None
    assert place(database, seller, "aa-8-7", "men") == "2659"
    assert (chosen(other_seller), place(database, other_seller, BOOTS, "men")) == ([], None)


def test_a_choice_for_anybody_holds_where_nothing_else_is_chosen(
    seller: Seller, database: Database
) -> None:
    """C9."""
    choose(seller, "vinted", BOOTS, "2618", None)
    choose(seller, "vinted", BOOTS, MENS_CHELSEA_BOOTS, "men")
    assert place(database, seller, BOOTS, "women") == "2618"
    assert place(database, seller, BOOTS, "men") == MENS_CHELSEA_BOOTS


def test_a_second_choice_replaces_the_first_and_none_brings_the_mapping_back(
    seller: Seller, database: Database
) -> None:
    """C9."""
    slippers, path = "aa-8-7", f"{CHOICES}/vinted/aa-8-7?department=men"
    choose(seller, "vinted", slippers, MENS_CHELSEA_BOOTS, "men")
    choose(seller, "vinted", slippers, "2668", "men")
    assert [each["category_id"] for each in chosen(seller)] == ["2668"]
    assert seller.http.delete(path).status_code == 204
    assert chosen(seller) == []
    assert place(database, seller, slippers, "men") == "2659"
    answer = seller.http.delete(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "category-choice-not-found")


def test_a_shop_forgets_only_its_own_choice(seller: Seller, other_seller: Seller) -> None:
    """F9."""
    choose(seller, "vinted", BOOTS, MENS_CHELSEA_BOOTS, "men")
    answer = other_seller.http.delete(f"{CHOICES}/vinted/{BOOTS}?department=men")
    assert answer.status_code == 404
    assert len(chosen(seller)) == 1


def test_etsy_takes_a_category_with_others_below_it(seller: Seller) -> None:
    """C9."""
    shown = choose(seller, "etsy", "aa-1-9", "374", "men")
    assert shown["path"] == "Clothing"


@pytest.mark.parametrize(
    ("path", "body", "status", "code", "field"),
    [
        (f"vinted/{BOOTS}", {"category_id": "99999999"}, 422, INVALID, "category_id"),
        (f"vinted/{BOOTS}", {"category_id": WOMENS_BOOTS}, 422, INVALID, "category_id"),
        (
            f"vinted/{BOOTS}",
            {"category_id": "2661", "department": "pets"},
            422,
            INVALID,
            "department",
        ),
        (f"bazaar/{BOOTS}", {"category_id": "1"}, 422, INVALID, "channel"),
        ("vinted/aa-99", {"category_id": "2661"}, 404, "category-not-found", None),
        (f"vinted/{BOOTS}", {"category_id": "boots"}, 422, "invalid-input", "category_id"),
        (f"vinted/{BOOTS}", {}, 422, "invalid-input", "category_id"),
        (f"shopify/{BOOTS}", {"category_id": "1"}, 422, "invalid-input", "channel"),
    ],
)
def test_a_choice_that_leads_nowhere_is_refused(
    seller: Seller, path: str, body: dict[str, str], status: int, code: str, field: str | None
) -> None:
    """C9, C11: nothing is kept."""
    answer = seller.http.put(f"{CHOICES}/{path}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    named = [each["field"] for each in answer.json()["fields"]]
    assert named == ([field] if field else [])
    assert chosen(seller) == []


@pytest.mark.parametrize(
    ("channel", "words", "found"),
    [
        ("vinted", "men CHELSEA", [MENS_CHELSEA_BOOTS]),
        ("vinted", "women shoes boots over-the-knee", ["2620"]),
        ("vinted", "no such thing", []),
        ("vinted", "%%", []),
        ("etsy", "shoes women's boots riding", ["1518"]),
    ],
)
def test_a_channels_own_categories_are_found_by_words(
    seller: Seller, channel: str, words: str, found: list[str]
) -> None:
    """C9: on Vinted only those that things can be listed in; no wildcard."""
    answer = seller.http.get(f"{CHOICES}/{channel}/places", params={"q": words})
    assert answer.status_code == 200, answer.text
    assert [each["category_id"] for each in answer.json()["items"]] == found


@pytest.mark.parametrize(
    ("path", "code"),
    [("ebay/places?q=boots", INVALID), ("vinted/places?q=b", "invalid-input")],
)
def test_a_search_that_cannot_be_answered_is_refused(seller: Seller, path: str, code: str) -> None:
    """K73."""
    answer = seller.http.get(f"{CHOICES}/{path}")
    assert (answer.status_code, answer.json()["code"]) == (422, code)
