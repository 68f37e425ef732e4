"""The product list: pages that hold still, filters, and one statement however much is shown."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from shared.clock import MovableClock
from shared.database import Database
from shared.ids import encode_cursor
from tests.factories.catalog import PRODUCTS, create, photo, price, sized
from tests.factories.reference import load_catalogues
from tests.serving import Seller


@pytest.fixture(autouse=True)
def catalogues(worker_database: Database, clock: MovableClock) -> None:
    load_catalogues(worker_database, clock)


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """What is sent to the database, without the binding at the begin of a transaction."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith("SET LOCAL"):
            seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def titles(http: httpx.Client, **query: Any) -> list[str]:
    answer = http.get(PRODUCTS, params=query)
    assert answer.status_code == 200, answer.text
    return [item["title"] for item in answer.json()["items"]]


def pages(http: httpx.Client, limit: int, **query: Any) -> Iterator[list[str]]:
    cursor = None
    while True:
        asked = {"limit": limit, **query} | ({"cursor": cursor} if cursor else {})
        answer = http.get(PRODUCTS, params=asked).json()
        yield [item["title"] for item in answer["items"]]
        cursor = answer["next_cursor"]
        if cursor is None:
            return


def test_a_line_says_what_a_table_shows(seller: Seller) -> None:
    """ST48, ST55."""
    fields = sized("M", "L")
    fields["variants"][1]["price"] = price("31.50")
    product = create(seller.http, brand="Levi's", status="active", **fields)
    image = seller.http.post(
        f"{PRODUCTS}/{product['id']}/images", files={"file": ("a.jpg", photo())}
    ).json()
    assert seller.http.get(PRODUCTS).json() == {
        "items": [
            {
                "id": product["id"],
                "handle": "blue-shirt",
                "title": "Blue shirt",
                "status": "active",
                "brand": "Levi's",
                "currency": "USD",
                "price_from": {"amount": "25.00", "currency": "USD"},
                "price_to": {"amount": "31.50", "currency": "USD"},
                "quantity": 4,
                "sku": "SHIRT-M",
                "image_url": image["url"],
                "version": 2,
                "created_at": "2026-06-01T12:00:00Z",
                "updated_at": "2026-06-01T12:00:00Z",
            }
        ],
        "next_cursor": None,
    }


def test_pages_come_newest_first_and_hold_every_product_once(
    seller: Seller, clock: MovableClock
) -> None:
    """ST55: also when several were made in the same moment."""
    made = []
    for number in range(7):
        made.append(create(seller.http, title=f"Product {number}")["title"])
        if number % 3 == 2:
            clock.advance(timedelta(seconds=1))
    assert list(pages(seller.http, 3)) == [made[6:3:-1], made[3:0:-1], made[:1]]


def test_new_products_do_not_shift_the_pages_that_follow(seller: Seller) -> None:
    """ST55."""
    made = [create(seller.http, title=f"Product {number}")["title"] for number in range(4)]
    reading = pages(seller.http, 2)
    assert next(reading) == [made[3], made[2]]
    create(seller.http, title="Newcomer")
    assert next(reading) == [made[1], made[0]]


def test_filters_narrow_the_list(seller: Seller) -> None:
    """ST48."""
    create(seller.http, title="Blue 100% shirt", brand="Levi's", status="active")
    create(seller.http, title="Red dress", category="aa-1-4", condition="good", **sized("M"))
    create(seller.http, title="Maxi_dress", category="aa-1-13-8", condition="new", brand="ACME")
    everything = ["Maxi_dress", "Red dress", "Blue 100% shirt"]
    asked: list[tuple[dict[str, str], list[str]]] = [
        ({}, everything),
        ({"status": "active"}, ["Blue 100% shirt"]),
        ({"q": "DRESS"}, ["Maxi_dress", "Red dress"]),
        ({"q": "shirt-m"}, ["Red dress"]),
        ({"q": "100%"}, ["Blue 100% shirt"]),
        ({"q": "%"}, ["Blue 100% shirt"]),
        ({"q": "_"}, ["Maxi_dress"]),
        ({"q": "\\"}, []),
        ({"q": "'; DROP TABLE products; --"}, []),
        ({"q": "a\x00b"}, []),
        ({"q": "  "}, everything),
        ({"brand": "levi's"}, ["Blue 100% shirt"]),
        ({"category": "aa-1"}, ["Maxi_dress", "Red dress"]),
        ({"category": "aa-1-4"}, ["Red dress"]),
        ({"category": "aa-1-1"}, []),
        ({"category": "%"}, []),
        ({"condition": "new"}, ["Maxi_dress"]),
        ({"condition": "new", "brand": "acme", "q": "maxi", "status": "draft"}, ["Maxi_dress"]),
    ]
    for query, expected in asked:
        assert titles(seller.http, **query) == expected, query
        assert list(itertools.chain(*pages(seller.http, 1, **query))) == expected, query


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"limit": "x"}, "limit"),
        ({"status": "sold"}, "status"),
        ({"q": "x" * 256}, "q"),
        ({"cursor": "x"}, "cursor"),
        ({"cursor": encode_cursor(5)}, "cursor"),
        ({"cursor": encode_cursor("2026-06-01T12:00:00", 5)}, "cursor"),
        ({"cursor": encode_cursor("yesterday", 5)}, "cursor"),
        ({"cursor": encode_cursor("2026-06-01T12:00:00+00:00", "x")}, "cursor"),
        ({"cursor": encode_cursor("2026-06-01T12:00:00+00:00", 2**63)}, "cursor"),
    ],
)
def test_a_bad_question_is_refused(seller: Seller, query: dict[str, Any], field: str) -> None:
    """ST48."""
    answer = seller.http.get(PRODUCTS, params=query)
    assert answer.status_code == 422
    assert [problem["field"] for problem in answer.json()["fields"]] == [field]


def test_a_list_is_one_statement_and_a_product_four(seller: Seller, database: Database) -> None:
    """ST55: whatever the number of products, variants and photos."""
    for number in range(5):
        product = create(seller.http, title=f"Product {number}", **sized("S", "M", "L"))
    with statements(database) as listed:
        assert len(titles(seller.http)) == 5
    assert len(listed) == 1
    with statements(database) as shown:
        seller.http.get(f"{PRODUCTS}/{product['id']}")
    assert len(shown) == 4
    with statements(database) as not_sent:
        seller.http.get(f"{PRODUCTS}/{product['id']}", headers={"If-None-Match": '"1"'})
    assert len(not_sent) == 1
