"""Importing: what comes in, what is left out and why, and the same file again."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest

from backend.container import Container
from repositories.selling.catalog import ProductRepository, RefusedByDatabase
from services.selling.catalog.importing.importer import ImportOptions, ProductImport
from services.selling.catalog.importing.report import Progress
from shared.clock import MovableClock
from shared.database import Database
from tests.factories.catalog import (
    PRODUCTS,
    create,
    more,
    row,
    send_csv,
    shopify_csv,
    stored,
)
from tests.factories.reference import load_catalogues
from tests.serving import Seller


@pytest.fixture(autouse=True)
def catalogues(worker_database: Database, clock: MovableClock) -> None:
    load_catalogues(worker_database, clock)


def imported(http: httpx.Client, *rows: dict[str, str], **form: str) -> dict[str, Any]:
    """The report of an import that was carried out."""
    answer = send_csv(http, shopify_csv(*rows), **form)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def the_product(http: httpx.Client, handle: str = "blue-shirt") -> dict[str, Any]:
    for item in http.get(PRODUCTS).json()["items"]:
        if item["handle"] == handle:
            return dict(http.get(f"{PRODUCTS}/{item['id']}").json())
    raise AssertionError(f"there is no product {handle}")


def counts(report: dict[str, Any]) -> dict[str, int]:
    return {name: report[name] for name in ("created", "updated", "unchanged", "failed")}


def test_rows_of_a_handle_become_a_product_with_variants(seller: Seller) -> None:
    """B18."""
    report = imported(
        seller.http,
        row(
            body="<p>Soft <b>cotton</b>.</p><ul><li>Washed &amp; ironed</li></ul>",
            vendor="Levi's",
            tags="denim, men , denim",
            option="Size",
            value="M",
            sku="S-M",
            grams="310",
            quantity="2",
            **{"Variant Barcode": "0012345678905"},
        ),
        more(value="L", sku="S-L", price="27.5", quantity="0"),
    )
    assert counts(report) == {"created": 1, "updated": 0, "unchanged": 0, "failed": 0}
    assert (report["rows"], report["products"], report["errors"]) == (2, 1, [])
    product = the_product(seller.http)
    assert report["product_ids"] == [product["id"]]
    assert product["description"] == "Soft cotton.\n\n- Washed & ironed"
    assert (product["brand"], product["status"]) == ("Levi's", "active")
    assert (product["tags"], product["department"]) == (["denim", "men"], "men")
    assert product["option_names"] == ["Size"]
    medium, large = product["variants"]
    assert medium["option_values"] == ["M"]
    assert (medium["sku"], medium["barcode"], medium["weight_grams"], medium["quantity"]) == (
        "S-M",
        "0012345678905",
        310,
        2,
    )
    assert large["price"] == {"amount": "27.50", "currency": "USD"}
    assert (large["quantity"], large["weight_grams"]) == (0, None)


def test_a_single_variant_has_no_option(seller: Seller) -> None:
    """B18: Shopify writes Title and Default Title where there is nothing to choose."""
    imported(seller.http, row(option="Title", value="Default Title"))
    product = the_product(seller.http)
    assert (product["option_names"], product["variants"][0]["option_values"]) == ([], [])


@pytest.mark.parametrize(
    ("cells", "status"),
    [
        ({"published": "true"}, "active"),
        ({"published": "FALSE"}, "draft"),
        ({"published": ""}, "active"),
        ({"published": "true", "Status": "draft"}, "draft"),
        ({"published": "false", "Status": "Active"}, "active"),
        ({"Status": "archived"}, "archived"),
    ],
)
def test_status_goes_before_published(seller: Seller, cells: dict[str, str], status: str) -> None:
    """B18."""
    imported(seller.http, row(**cells))
    assert the_product(seller.http)["status"] == status


def test_words_become_codes_through_known_words_alone(seller: Seller) -> None:
    """C6, C9: a full category path, a type, tags, metafields and Google's columns."""
    cells = {
        "Product Category": "Apparel & Accessories > Clothing > Clothing Tops > T-Shirts",
        "type": "Tee",
        "tags": "summer, condition:like new",
        "condition": "used",
        "Google Shopping / Gender": "Female",
        "Google Shopping / Age Group": "adult",
        "Color (product.metafields.shopify.color-pattern)": "Grey; dark blue",
        "Fabric (product.metafields.shopify.fabric)": "Cotton",
        "Outer shell material (product.metafields.custom.outer_shell_material)": "Unobtainium",
        "Moon phase (product.metafields.custom.moon_phase)": "full",
    }
    report = imported(seller.http, row(**cells))
    product = the_product(seller.http)
    assert (product["category"], product["condition"], product["department"]) == (
        "aa-1-13-8",
        "like_new",
        "women",
    )
    assert product["attributes"]["material"] == ["cotton"]
    assert product["attributes"]["color"][0] == "gray"
    assert product["attributes"]["outer_shell_material"] == ["Unobtainium"]
    assert product["attributes"]["type"] == ["Tee"]
    assert [(issue["row"], issue["column"], issue["code"]) for issue in report["warnings"]] == [
        (1, "Moon phase (product.metafields.custom.moon_phase)", "unused-column")
    ]


def test_unknown_words_are_left_open_and_named(seller: Seller) -> None:
    """C6, C9: never guessed."""
    report = imported(
        seller.http,
        row(type="Thingummy", condition="splendid", **{"Google Shopping / Gender": "Female"}),
    )
    product = the_product(seller.http)
    assert (product["category"], product["condition"], product["department"]) == (None,) * 3
    assert [
        (issue["row"], issue["column"], issue["handle"], issue["code"])
        for issue in report["warnings"]
    ] == [
        (2, "Type", "blue-shirt", "unknown-category"),
        (2, "Google Shopping / Condition", "blue-shirt", "unknown-condition"),
        (2, "Google Shopping / Gender", "blue-shirt", "unknown-department"),
    ]
    assert "'Thingummy'" in report["warnings"][0]["message"]


def test_tags_that_contradict_each_other_decide_nothing(seller: Seller) -> None:
    """C6."""
    report = imported(seller.http, row(tags="men, women"))
    assert the_product(seller.http)["department"] is None
    assert [issue["code"] for issue in report["warnings"]] == ["unknown-department"]


def test_defaults_fill_what_is_not_understood(seller: Seller) -> None:
    """C6: codes or words of ours."""
    report = imported(
        seller.http,
        row(type="Thingummy"),
        row("dress", type="Dress", condition="new"),
        default_category="t-shirts",
        default_condition="very_good",
        default_department="Women's",
    )
    shirt, dress = the_product(seller.http), the_product(seller.http, "dress")
    assert (shirt["category"], shirt["condition"], shirt["department"]) == (
        "aa-1-13-8",
        "very_good",
        "women",
    )
    assert (dress["category"], dress["condition"]) == ("aa-1-4", "new")
    assert "aa-1-13-8 is taken instead" in report["warnings"][0]["message"]


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"default_condition": "splendid"}, "default_condition"),
        ({"default_category": "zz-9"}, "default_category"),
        ({"default_department": "martians"}, "default_department"),
        ({"currency": "dollars"}, "currency"),
        ({"dry_run": "perhaps"}, "dry_run"),
    ],
)
def test_a_bad_option_is_refused(
    seller: Seller, database: Database, form: dict[str, str], field: str
) -> None:
    """ST48."""
    answer = send_csv(seller.http, shopify_csv(row()), **form)
    assert answer.status_code == 422
    assert [problem["field"] for problem in answer.json()["fields"]] == [field]
    assert stored(database, seller.tenant)["products"] == []


BAD_ROWS: list[tuple[list[dict[str, str]], int, str, str]] = [
    ([row(title="")], 2, "Title", "required"),
    ([row(title="x" * 300)], 2, "Title", "too-long"),
    ([row(price="-5.00")], 2, "Variant Price", "out-of-range"),
    ([row(price="0")], 2, "Variant Price", "out-of-range"),
    ([row(price="")], 2, "Variant Price", "required"),
    ([row(price="12,50 €")], 2, "Variant Price", "not-a-price"),
    ([row(price="12,50")], 2, "Variant Price", "not-a-price"),
    ([row(price="1e3")], 2, "Variant Price", "not-a-price"),
    ([row(price="NaN")], 2, "Variant Price", "not-a-price"),
    ([row(price="12.505")], 2, "Variant Price", "not-a-price"),
    ([row(quantity="many")], 2, "Variant Inventory Qty", "not-a-number"),
    ([row(quantity="1.5")], 2, "Variant Inventory Qty", "not-a-number"),
    ([row(quantity="-1")], 2, "Variant Inventory Qty", "out-of-range"),
    ([row(quantity="")], 2, "Variant Inventory Qty", "required"),
    ([row(grams="heavy")], 2, "Variant Grams", "not-a-number"),
    ([row(sku="x" * 256)], 2, "Variant SKU", "too-long"),
    ([row(published="perhaps")], 2, "Published", "invalid"),
    ([row(Status="sold")], 2, "Status", "invalid"),
    ([row("")], 2, "Handle", "required"),
    ([row("two words")], 2, "Handle", "invalid"),
    ([row(option="Size", value="")], 2, "Option1 Value", "required"),
    ([row(value="M")], 2, "Option1 Name", "required"),
    ([row(option="Size", value="M"), more(value="m", price="9")], 2, "Option1 Value", "repeated"),
    ([row(), more(price="9.00", sku="B")], 2, "Option1 Name", "required"),
    ([row(), more(title="Red shirt")], 3, "Title", "unclear"),
    ([row(), more(price="x", sku="B", quantity="1")], 3, "Variant Price", "not-a-price"),
    ([row(**{"Option4 Name": "Fit"})], 2, "Option4 Name", "unknown-option"),
    ([row(**{"Option4 Value": "Slim"})], 2, "Option4 Value", "unknown-option"),
    ([row(), row("other"), more(image="a.jpg")], 4, "Handle", "repeated-handle"),
]


def test_a_bad_product_is_left_out_whole_and_the_others_come_in(seller: Seller) -> None:
    """B16, B18, C12: the row and the column are named."""
    for number, (rows, at, column, code) in enumerate(BAD_ROWS):
        good = row(f"good-{number}")
        report = imported(seller.http, *rows, good)
        named = [(issue["row"], issue["column"], issue["code"]) for issue in report["errors"]]
        assert (at, column, code) in named, (rows, report["errors"])
        assert report["failed"] >= 1, rows
    handles = {
        item["handle"] for item in seller.http.get(PRODUCTS, params={"limit": 100}).json()["items"]
    }
    assert handles == {f"good-{number}" for number in range(len(BAD_ROWS))} | {"other"}


def test_when_nothing_can_come_in_the_answer_is_a_problem(
    seller: Seller, database: Database
) -> None:
    """B18."""
    answer = send_csv(seller.http, shopify_csv(row(price="12,50 €"), row("b", quantity="many")))
    assert answer.status_code == 422
    assert answer.json()["code"] == "import-refused"
    assert [problem["field"] for problem in answer.json()["fields"]] == [
        "row 2, Variant Price",
        "row 3, Variant Inventory Qty",
    ]
    assert stored(database, seller.tenant)["products"] == []


def test_every_mistake_of_a_product_is_told_at_once(seller: Seller) -> None:
    """B18."""
    report = imported(
        seller.http, row(title="x" * 300, price="cheap", quantity="many"), row("good")
    )
    assert [(issue["row"], issue["column"]) for issue in report["errors"]] == [
        (2, "Variant Price"),
        (2, "Variant Inventory Qty"),
        (2, "Title"),
    ]


@pytest.mark.parametrize("bad", [row("b", price="x"), row("b", title="x" * 300)])
def test_atomic_means_all_or_none(seller: Seller, database: Database, bad: dict[str, str]) -> None:
    """B18: also for what only shows when the product is put together."""
    create(seller.http, handle="c")
    before = stored(database, seller.tenant)
    data = shopify_csv(row("a"), bad, row("c", title="Changed"))
    answer = send_csv(seller.http, data, atomic="true")
    assert (answer.status_code, answer.json()["code"]) == (422, "import-refused")
    assert answer.json()["fields"][0]["field"].startswith("row 3, ")
    assert stored(database, seller.tenant) == before
    report = imported(seller.http, row("a"), row("c", title="Changed"), atomic="true")
    assert counts(report) == {"created": 1, "updated": 1, "unchanged": 0, "failed": 0}


def test_a_dry_run_tells_and_stores_nothing(seller: Seller, database: Database) -> None:
    """B18."""
    imported(seller.http, row("same"), row("other"))
    before = stored(database, seller.tenant)
    report = imported(
        seller.http,
        row("same"),
        row("other", title="Changed"),
        row("new"),
        row("bad", price="x"),
        dry_run="true",
    )
    assert report["dry_run"] is True
    assert counts(report) == {"created": 1, "updated": 1, "unchanged": 1, "failed": 1}
    assert [issue["handle"] for issue in report["errors"]] == ["bad"]
    assert stored(database, seller.tenant) == before


def test_the_same_file_again_changes_nothing(seller: Seller, database: Database) -> None:
    """B18: no new version, no new row."""
    rows = (
        row(option="Size", value="M", sku="S-M", tags="men", type="Shirt"),
        more(value="L", sku="S-L", price="27.50", quantity="1"),
        row("vest", body="<p>Warm</p>"),
    )
    first = imported(seller.http, *rows)
    before = stored(database, seller.tenant)
    again = imported(seller.http, *rows)
    assert counts(again) == {"created": 0, "updated": 0, "unchanged": 2, "failed": 0}
    assert again["product_ids"] == first["product_ids"]
    assert stored(database, seller.tenant) == before


def test_a_changed_file_changes_what_differs(seller: Seller) -> None:
    """B18: variants keep the name that channels know them by."""
    imported(
        seller.http,
        row(option="Size", value="M", sku="S-M"),
        more(value="L", sku="S-L", price="25.00", quantity="1"),
        more(value="XL", price="25.00", quantity="1"),
        row("vest"),
    )
    medium, large, extra = the_product(seller.http)["variants"]
    report = imported(
        seller.http,
        row(option="Size", value="XL", price="30.00"),
        more(value="Large", sku="S-L", price="25.00", quantity="7"),
        more(value="S", sku="S-S", price="25.00", quantity="1"),
        row("vest"),
    )
    assert counts(report) == {"created": 0, "updated": 1, "unchanged": 1, "failed": 0}
    product = the_product(seller.http)
    assert product["version"] == 2
    assert the_product(seller.http, "vest")["version"] == 1
    keys = [variant["channel_key"] for variant in product["variants"]]
    assert keys[:2] == [extra["channel_key"], large["channel_key"]]
    assert keys[2] not in {medium["channel_key"], large["channel_key"], extra["channel_key"]}
    assert [variant["quantity"] for variant in product["variants"]] == [1, 7, 1]


def test_what_the_file_does_not_say_stays(seller: Seller) -> None:
    """C12: absent is not empty, and empty is not zero."""
    body = create(
        seller.http,
        handle="blue-shirt",
        description="By hand",
        status="draft",
        brand="Levi's",
        category="aa-1-4",
        condition="good",
        attributes={"color": ["blue"]},
        variants=[
            {
                "price": {"amount": "20.00", "currency": "USD"},
                "quantity": 5,
                "sku": "OWN",
                "weight_grams": 300,
            }
        ],
    )
    header = ("Handle", "Title", "Variant Price", "Variant Inventory Qty", "Type")
    cells = {
        "Handle": "blue-shirt",
        "Title": "Blue shirt",
        "Variant Price": "21.00",
        "Type": "Thingummy",
    }
    answer = send_csv(seller.http, shopify_csv(cells, header=header))
    assert counts(answer.json()) == {"created": 0, "updated": 1, "unchanged": 0, "failed": 0}
    product = the_product(seller.http)
    variant = product["variants"][0]
    assert variant["price"]["amount"] == "21.00"
    assert variant == body["variants"][0] | {"price": variant["price"]}
    assert product["attributes"] == {"color": ["blue"], "type": ["Thingummy"]}
    for field in ("description", "status", "brand", "category", "condition"):
        assert product[field] == body[field]


def test_a_deleted_product_comes_back_as_a_new_one(seller: Seller) -> None:
    """ST56."""
    first = imported(seller.http, row())["product_ids"][0]
    seller.http.delete(f"{PRODUCTS}/{first}", headers={"If-Match": "*"})
    report = imported(seller.http, row())
    assert counts(report)["created"] == 1
    assert report["product_ids"] != [first]


def test_currency_is_that_of_the_request(seller: Seller) -> None:
    """ST48."""
    imported(seller.http, row(price="2500"), currency="JPY")
    assert the_product(seller.http)["variants"][0]["price"] == {
        "amount": "2500",
        "currency": "JPY",
    }


def test_another_shop_is_not_touched(
    seller: Seller, other_seller: Seller, database: Database
) -> None:
    """ST12."""
    imported(other_seller.http, row(title="Theirs"))
    before = stored(database, other_seller.tenant)
    assert counts(imported(seller.http, row()))["created"] == 1
    assert stored(database, other_seller.tenant) == before


def test_the_same_file_from_many_at_once_makes_each_product_once(seller: Seller) -> None:
    """B16: in whatever order the rows of the two files stand."""
    rows = [row(f"shirt-{number}") for number in range(30)]
    files = [shopify_csv(*rows), shopify_csv(*reversed(rows))] * 2
    start, reports = threading.Barrier(len(files)), []

    def send(data: bytes) -> None:
        start.wait()
        reports.append(send_csv(seller.http, data).json())

    threads = [threading.Thread(target=send, args=(data,)) for data in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(report["created"] for report in reports) == 30
    assert sum(report["unchanged"] for report in reports) == 90
    assert len(seller.http.get(PRODUCTS, params={"limit": 100}).json()["items"]) == 30


@pytest.fixture
def importing(container: Container, seller: Seller) -> ProductImport:
    return ProductImport(
        partial(container.database.tenant, seller.tenant),
        seller.tenant,
        container.object_store,
        container.image_fetcher,
        container.clock,
    )


def test_a_large_file_comes_in_by_chunks_and_says_how_far_it_is(
    importing: ProductImport, database: Database, seller: Seller
) -> None:
    """B16."""
    rows = [line for n in range(1_100) for line in (row(f"p-{n}"), more(f"p-{n}", image="a.jpg"))]
    seen: list[Progress] = []
    report = importing.run(shopify_csv(*rows), ImportOptions(fetch_images=False), seen.append)
    assert (report.created, report.rows) == (1_100, 2_200)
    assert seen[-1] == Progress(1_100, 1_100, 2_200, 2_200, 0)
    assert len(seen) > 1
    assert [now.products_done for now in seen] == sorted(now.products_done for now in seen)
    assert len(stored(database, seller.tenant)["products"]) == 1_100


def test_one_poisonous_product_does_not_keep_the_others_out(
    importing: ProductImport, monkeypatch: pytest.MonkeyPatch, seller: Seller
) -> None:
    """B16: even when only the database finds it."""
    insert_all: Callable[..., dict[str, int]] = ProductRepository.insert_all

    def refusing(self: ProductRepository, products: Any) -> dict[str, int]:
        if any(product.columns["handle"] == "p-7" for product in products):
            raise RefusedByDatabase
        return insert_all(self, products)

    monkeypatch.setattr(ProductRepository, "insert_all", refusing)
    rows = [row(f"p-{number}") for number in range(20)]
    report = importing.run(shopify_csv(*rows), ImportOptions())
    assert (report.created, report.failed) == (19, 1)
    assert [(issue.row, issue.handle, issue.code) for issue in report.errors] == [
        (9, "p-7", "unstorable")
    ]
    assert len(seller.http.get(PRODUCTS).json()["items"]) == 19
