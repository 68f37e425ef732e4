"""Catalogues over the API: tables, values found while typing, the tree with its places."""

from typing import Any

import pytest
from sqlalchemy import event, text

from models.reference.attributes import VALUE_TABLES
from repositories.reference.attributes import CatalogueSearchRepository
from services.reference.attributes.browsing import CatalogueBrowsing
from shared.clock import MovableClock
from shared.database import Database, PlatformSession
from tests.factories.reference import load_catalogues
from tests.serving import Seller

ATTRIBUTES, CATEGORIES = "/api/v1/attributes", "/api/v1/categories"


@pytest.fixture(autouse=True)
def catalogues(worker_database: Database, clock: MovableClock) -> None:
    load_catalogues(worker_database, clock)


def asked(seller: Seller, path: str, **query: Any) -> list[dict[str, Any]]:
    answer = seller.http.get(path, params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def names(seller: Seller, table: str, **query: Any) -> list[str]:
    return [item["name"] for item in asked(seller, f"{ATTRIBUTES}/{table}", **query)]


def test_every_table_is_listed_with_its_size_and_credit(seller: Seller) -> None:
    """ST10."""
    tables = {item["name"]: item for item in asked(seller, ATTRIBUTES, lang="fr")}
    assert list(tables) == sorted(VALUE_TABLES)
    assert tables["brands"] == {
        "name": "brands",
        "title": "Marque",
        "values": 12_825,
        "source": "Vinted, as in vinted-rs",
        "licence": "MIT",
    }


def test_a_value_is_shown_with_its_code_and_its_sources_id(seller: Seller) -> None:
    """ST10."""
    assert asked(seller, f"{ATTRIBUTES}/colors", q="azul mar", lang="fr") == [
        {"code": "navy", "name": "Marine", "group": None, "source_id": "15"}
    ]
    size = asked(seller, f"{ATTRIBUTES}/sizes", q="xxl / 16", limit=1)
    assert size == [
        {
            "code": "womens_items_xxl_16",
            "name": "XXL / 16",
            "group": "womens_items",
            "source_id": "7",
        }
    ]


@pytest.mark.parametrize(
    ("table", "query", "found"),
    [
        ("brands", {"q": "levi's", "limit": 2}, ["Levi's", "Levi's Made & Crafted"]),
        ("brands", {"q": "SÉZANE"}, ["Sézane", "Sézane x La Redoute"]),
        ("brands", {"q": "sezane", "limit": 1}, ["Sézane"]),
        ("materials", {"q": "leather"}, ["Leather", "Faux leather", "Patent leather"]),
        ("materials", {"q": "dentel", "lang": "fr"}, ["Dentelle"]),
        ("materials", {"q": "dentel"}, ["Lace"]),
        ("seasons", {"lang": "de"}, ["Frühling", "Sommer", "Herbst", "Winter"]),
        ("seasons", {"lang": "pl"}, ["Spring", "Summer", "Fall", "Winter"]),
        ("seasons", {"limit": 2}, ["Spring", "Summer"]),
        ("colors", {"q": "no such colour"}, []),
        ("colors", {"q": "-"}, []),
        ("colors", {"q": "%"}, []),
    ],
)
def test_values_are_found_while_somebody_types(
    seller: Seller, table: str, query: dict[str, Any], found: list[str]
) -> None:
    """ST10: names that begin so before those with such a word; any language; no wildcard."""
    assert names(seller, table, **query) == found


def test_a_value_with_many_matching_names_is_shown_once(seller: Seller) -> None:
    """ST10: beige is beige in six languages."""
    assert names(seller, "colors", q="bei") == ["Beige"]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"{ATTRIBUTES}/users", "attribute-table-not-found"),
        (f"{ATTRIBUTES}/categories", "attribute-table-not-found"),
        (f"{CATEGORIES}/aa-99", "category-not-found"),
        (f"{CATEGORIES}?parent=aa-99", "category-not-found"),
    ],
)
def test_what_there_is_not_is_said(seller: Seller, path: str, code: str) -> None:
    """ST10: no other table can be read by its name."""
    answer = seller.http.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, code)


@pytest.mark.parametrize("query", [{"lang": "xx"}, {"limit": 0}, {"limit": 101}, {"q": "x" * 101}])
def test_a_question_out_of_bounds_is_refused(seller: Seller, query: dict[str, Any]) -> None:
    """K73."""
    answer = seller.http.get(f"{ATTRIBUTES}/colors", params=query)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")


def test_the_tree_is_walked_from_its_roots(seller: Seller) -> None:
    """ST10."""
    roots = asked(seller, CATEGORIES, lang="fr")
    assert len(roots) == 25
    apparel = next(item for item in roots if item["code"] == "aa")
    assert (apparel["name"], apparel["is_leaf"]) == ("Vêtements et accessoires", False)
    below = asked(seller, CATEGORIES, parent="aa-1-19")
    assert below == [
        {
            "code": code,
            "name": name,
            "path": f"Apparel & Accessories > Clothing > Suits > {name}",
            "parent": "aa-1-19",
            "is_leaf": True,
        }
        for code, name in [
            ("aa-1-19-1", "Pant Suits"),
            ("aa-1-19-2", "Skirt Suits"),
            ("aa-1-19-3", "Tuxedos"),
        ]
    ]
    assert asked(seller, CATEGORIES, parent="aa-1-19-3") == []


@pytest.mark.parametrize(
    ("words", "language", "name"),
    [("robes", "fr", "Robes"), ("kleider", "de", "Kleider"), ("dresses", "en", "Dresses")],
)
def test_a_category_is_found_in_any_language(
    seller: Seller, words: str, language: str, name: str
) -> None:
    """ST10."""
    found = {item["code"]: item["name"] for item in asked(seller, CATEGORIES, q=words)}
    assert found["aa-1-4"] == "Dresses"
    found = {c["code"]: c["name"] for c in asked(seller, CATEGORIES, q=words, lang=language)}
    assert found["aa-1-4"] == name


def test_a_category_shows_where_marketplaces_keep_it(seller: Seller) -> None:
    """C9: and leaves out where nothing is known."""
    shown = seller.http.get(f"{CATEGORIES}/aa-1-12-4").json()
    assert (shown["code"], shown["name"], shown["parent"]) == ("aa-1-12-4", "Jeans", "aa-1-12")
    places = {(each["platform"], each["department"]): each for each in shown["places"]}
    assert list(places) == sorted(places)
    assert places["etsy", "men"] == {
        "platform": "etsy",
        "department": "men",
        "category_id": "2826",
        "path": "Clothing > Men's Clothing > Jeans",
    }
    assert ("vinted", "women") in places
    assert ("vinted", "men") not in places
    belt = seller.http.get(f"{CATEGORIES}/aa-2-6").json()["places"]
    assert {each["department"] for each in belt if each["platform"] == "etsy"} == {None}


@pytest.mark.parametrize("words", ["a", "ni", "nike", "rose"])
def test_typing_asks_an_index(
    session: PlatformSession, worker_database: Database, words: str
) -> None:
    """ST10: what begins so is a range of the key, however many values there are."""
    session.execute(text("ANALYZE product_attributes.search_keys"))
    asked: list[tuple[str, Any]] = []

    def listen(_c: object, _cursor: object, statement: str, given: Any, *_rest: object) -> None:
        asked.append((statement, given))

    event.listen(worker_database.engine, "before_cursor_execute", listen)
    try:
        CatalogueBrowsing(CatalogueSearchRepository(session)).values("brands", words, 20)
    finally:
        event.remove(worker_database.engine, "before_cursor_execute", listen)
    ((statement, given),) = asked
    explained = session.connection().exec_driver_sql(f"EXPLAIN {statement}", given)
    plan = "\n".join(row[0] for row in explained)
    assert "pk_search_keys" in plan
    assert "Seq Scan on search_keys" not in plan
    assert "Seq Scan on brands" not in plan
    assert f"key >= '{words}'" in plan
