"""What is a CSV of products, in which encoding, and what is refused as a whole."""

import csv
import io

import pytest

from services.selling.catalog.importing.decoding import UnreadableFile, decode
from services.selling.catalog.importing.products import read_products
from services.selling.catalog.importing.table import read_table
from shared.database import Database
from tests.factories.catalog import more, row, send_csv, shopify_csv, stored
from tests.serving import Seller

FRENCH = "Pull d'été en laine vierge — taille « M », 25 €"
POLISH = "Żółta sukienka w kwiaty"
CYRILLIC = "Синее платье"


def named(title: str) -> str:
    return shopify_csv(row(title=title, tags="mode")).decode()


def title_of(data: bytes) -> str:
    return read_products(read_table(decode(data).text), "EUR")[0].title


@pytest.mark.parametrize("title", [FRENCH, POLISH, CYRILLIC, "青いシャツ 👕"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_files_are_read_with_or_without_a_mark(title: str, encoding: str) -> None:
    """B18."""
    data = named(title).encode(encoding)
    assert title_of(data) == title
    assert decode(data).encoding == encoding.removesuffix("-sig")


def test_windows_1252_is_read_when_it_can_be_nothing_else() -> None:
    """B18: what Excel saves in the west."""
    data = named(FRENCH).encode("cp1252")
    assert title_of(data) == FRENCH
    assert decode(data).encoding == "windows-1252"


@pytest.mark.parametrize(
    "data",
    [
        named(POLISH).encode("cp1250"),
        named(CYRILLIC).encode("cp1251"),
        named("Μπλε φόρεμα").encode("cp1253"),
        named("青いシャツ").encode("shift_jis"),
        named("Mac: é").encode("mac_roman"),
        named("été").encode() + named("été").encode("cp1252"),
        named(FRENCH).encode()[:-20] + b"\xc3",
        named("x").encode() + b"\x81",
    ],
    ids=["cp1250", "cp1251", "cp1253", "shift_jis", "mac", "mixed", "cut", "undefined"],
)
def test_other_encodings_are_refused_by_line_and_never_guessed(data: bytes) -> None:
    """B18."""
    with pytest.raises(UnreadableFile, match=r"not UTF-8: line \d+ holds the byte 0x"):
        decode(data)


def test_what_is_no_csv_of_products_is_refused(seller: Seller, database: Database) -> None:
    """B18: the problem says what it is instead."""
    good = shopify_csv(row()).decode()
    for data, code in (
        (b"", "empty-file"),
        (b" \r\n ", "empty-file"),
        (shopify_csv(), "empty-file"),
        (shopify_csv() + b",,,\r\n", "empty-file"),
        (b"PK\x03\x04rest", "not-csv"),
        (b"\xd0\xcf\x11\xe0rest", "not-csv"),
        (b"%PDF-1.7", "not-csv"),
        (b"\x1f\x8brest", "not-csv"),
        (b"<html><body>Sign in</body></html>", "not-csv"),
        (b'{"products": []}', "not-csv"),
        (b"GIF89a\x00\x01", "not-csv"),
        (b"hello world", "not-csv"),
        (b"a,b,c\r\n1,2,3\r\n", "not-csv"),
        (good.replace("Variant Price", "Cost").encode(), "missing-columns"),
        (good.replace("Variant Inventory Qty", "Stock").encode(), "missing-columns"),
        (good.replace("Handle", "Slug").encode(), "missing-columns"),
        (good.replace("Vendor", "Title").encode(), "repeated-column"),
        (good.encode("utf-32"), "wrong-encoding"),
        (good.encode("utf-16")[:-1], "wrong-encoding"),
        ("\n".encode("utf-16"), "not-csv"),
        (b"x" * 300_000, "not-csv"),
        (good.encode() + b'"never closed', "broken-csv"),
        (good.encode() + b'"a"b,c', "broken-csv"),
    ):
        answer = send_csv(seller.http, data)
        assert answer.status_code == 422, data[:40]
        assert answer.json()["code"] == "unreadable-file"
        problem = answer.json()["fields"][0]
        assert (problem["field"], problem["code"]) == ("file", code), (data[:40], problem)
    assert seller.http.post("/api/v1/products/import").status_code == 422
    assert stored(database, seller.tenant)["products"] == []


def test_missing_columns_are_named_in_both_generations_of_headers(seller: Seller) -> None:
    """B18."""
    data = shopify_csv(row()).decode().replace("Variant Price", "Cost").encode()
    detail = send_csv(seller.http, data).json()["detail"]
    assert detail == "These columns are missing: Variant Price or Price."


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    """B18: also where cells are full of the others."""
    data = shopify_csv(row(title="Shirt, blue; size\tM", body="<p>a,b;c</p>"), delimiter=delimiter)
    table = read_table(decode(data).text)
    assert table.rows[0].get("title") == "Shirt, blue; size\tM"
    assert table.rows[0].get("price") == "25.00"


def test_quoted_line_breaks_and_quotes_are_part_of_a_cell() -> None:
    """B18: rows are counted as a spreadsheet counts them."""
    body = 'First "line"\r\nsecond line\n\nthird'
    data = shopify_csv(row(body=body), row("other", price="x"))
    first, second = read_products(read_table(decode(data).text), "USD")
    assert first.description == body
    assert [(issue.row, issue.column) for issue in second.errors] == [(3, "Variant Price")]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_ending_is_read(ending: str) -> None:
    """B18."""
    data = shopify_csv(row(), row("other")).replace(b"\r\n", ending.encode())
    products = read_products(read_table(decode(data).text), "USD")
    assert [product.handle for product in products] == ["blue-shirt", "other"]


def test_ragged_rows_are_named_and_leave_out_their_product_alone(seller: Seller) -> None:
    """B16, B18."""
    lines = shopify_csv(row("a"), row("b"), row("c"), row("d")).decode().splitlines()
    lines[2] = ",".join(lines[2].split(",")[:6])
    lines[3] += ",more,and more"
    lines[4] += ",,"
    report = send_csv(seller.http, "\n".join(lines).encode()).json()
    assert report["created"] == 2
    assert {(issue["row"], issue["handle"]) for issue in report["errors"]} == {(3, "b"), (4, "c")}
    assert {issue["code"] for issue in report["errors"]} >= {"ragged-row"}


def test_blank_rows_are_passed_over_and_still_counted() -> None:
    """B18."""
    lines = shopify_csv(row(), more(image="a.jpg"), row("bad", price="x")).decode().splitlines()
    lines.insert(2, "," * lines[0].count(","))
    first, second = read_products(read_table("\n".join(lines)), "USD")
    assert [image.source for image in first.images] == ["a.jpg"]
    assert second.errors[0].row == 5


def test_newer_headers_mean_the_same() -> None:
    """B18: Shopify renamed its columns in 2024."""
    renamed = {
        "Handle": "URL handle",
        "Body (HTML)": "Description",
        "Variant SKU": "SKU",
        "Variant Grams": "Weight value (grams)",
        "Variant Inventory Qty": "Inventory quantity",
        "Variant Price": "Price",
        "Variant Barcode": "Barcode",
        "Image Src": "Product image URL",
        "Published": "Published on online store",
    }
    old = shopify_csv(row(body="<p>Soft</p>", sku="S", grams="300", image="a.jpg"))
    records = list(csv.reader(io.StringIO(old.decode(), newline="")))
    records[0] = [renamed.get(header, header).upper() for header in records[0]]
    text = io.StringIO(newline="")
    csv.writer(text).writerows(records)
    (was,), (now,) = (
        read_products(read_table(decode(data).text), "USD")
        for data in (old, text.getvalue().encode())
    )
    for field in ("handle", "title", "description", "status", "variants"):
        assert getattr(now, field) == getattr(was, field)
    assert now.images[0].source == was.images[0].source
