"""The facts that ship with the product agree with each other, and the demo shop can be listed."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from models.reference.attributes import category_and_ancestors, word_key
from sandbox.ebay.catalogue import Catalogue
from services.reference.attributes.files import FILES
from services.reference.attributes.lookup import AttributeLookup
from services.reference.marketplace_mappings.ebay import EbayMapping
from services.reference.marketplace_mappings.ebay_refresh import EbayRefresh
from services.reference.marketplace_mappings.facts import ProductFacts
from shared.database import PlatformSession

DEMO = Path(__file__).resolve().parents[3] / "backend" / "demo" / "data"
EBAY = Catalogue()
ROWS = {file.path.name: list(file.rows()) for file in FILES}
METAFIELD = re.compile(r".+ \(product\.metafields\.\w+\.([\w-]+)\)$")

Row = Mapping[str, Any]


def column(file: str, name: str) -> set[Any]:
    return {row[name] for row in ROWS[file]}


def test_every_mapped_ebay_category_exists_under_its_path() -> None:
    """C9."""
    wrong = [
        row
        for row in ROWS["ebay_us_categories.csv"]
        if EBAY.leaves.get(row["remote_id"]) != row["remote_path"]
    ]
    assert wrong == []


def test_the_mapping_covers_what_ordinary_shops_sell() -> None:
    """C9: a floor under the coverage of the mapping."""
    tops = Counter(row["remote_path"].split(" > ")[0] for row in ROWS["ebay_us_categories.csv"])
    assert tops["Clothing, Shoes & Accessories"] >= 150
    assert tops["Home & Garden"] >= 30


def test_every_code_in_the_mapping_is_one_of_ours() -> None:
    """C9."""
    categories, departments = column("categories.csv", "code"), column("departments.csv", "code")
    conditions = column("conditions.csv", "code")
    assert column("ebay_us_categories.csv", "category_code") <= categories
    assert column("ebay_implied_aspects.csv", "category_code") <= categories
    assert column("ebay_us_categories.csv", "department") <= departments | {""}
    assert column("ebay_conditions.csv", "condition_code") == conditions


def test_a_category_is_split_by_department_or_it_is_not() -> None:
    """C9: a row for anybody beside rows for departments would make a choice arbitrary."""
    for code, rows in groupby(ROWS["ebay_us_categories.csv"], lambda row: row["category_code"]):
        departments = [row["department"] for row in rows]
        assert departments == [""] or "" not in departments, code


def test_conditions_are_those_that_ebay_knows() -> None:
    """C9."""
    for row in ROWS["ebay_conditions.csv"]:
        known = EBAY.conditions[str(row["ebay_condition_id"])]
        assert known.inventory_api_enum == row["inventory_api_enum"]


def test_every_mapped_category_accepts_a_used_or_new_item() -> None:
    """C9: no mapped category is one where nothing of ours could be listed."""
    usable = {str(row["ebay_condition_id"]) for row in ROWS["ebay_conditions.csv"]}
    for ebay_id in column("ebay_us_categories.csv", "remote_id"):
        assert usable & {c.condition_id for c in EBAY.allowed_conditions(ebay_id)}, ebay_id


def test_ebays_word_for_a_department_is_accepted_where_it_is_mapped() -> None:
    """C6: the Department aspect is a closed list."""
    words = {
        row["code"]: row["value"]
        for row in ROWS["ebay_aspect_values.csv"]
        if row["attribute"] == "department"
    }
    refused = []
    for row in ROWS["ebay_us_categories.csv"]:
        for aspect in EBAY.aspects(row["remote_id"]):
            if aspect.name == "Department" and row["department"]:
                word = words[word_key(row["department"])]
                if word not in aspect.values:
                    refused.append((row["remote_path"], word))
    assert refused == []


def test_every_aspect_that_we_fill_is_known_somewhere() -> None:
    """C6: a misspelled aspect would silently never be sent."""
    known = {aspect.name for ebay_id in EBAY.leaves for aspect in EBAY.aspects(ebay_id)}
    assert column("ebay_implied_aspects.csv", "aspect_name") <= known
    assert column("ebay_aspects.csv", "aspect_name") <= known


def test_every_required_aspect_can_be_filled() -> None:
    """C6: for each thing that eBay asks for there is an attribute that feeds it."""
    ids = column("ebay_us_categories.csv", "remote_id")
    required = {a.name for ebay_id in ids for a in EBAY.aspects(ebay_id) if a.required}
    assert required <= column("ebay_aspects.csv", "aspect_name")


def test_every_word_means_one_thing_and_that_thing_exists() -> None:
    """ST10, C9."""
    rows = ROWS["value_aliases.csv"]
    keys = Counter((row["attribute"], row["alias"]) for row in rows)
    assert [key for key, count in keys.items() if count > 1] == []
    catalogues = {
        "category": column("categories.csv", "code"),
        "condition": column("conditions.csv", "code"),
        "department": column("departments.csv", "code"),
    }
    lost = [r for r in rows if r["code"] not in catalogues.get(r["attribute"], {r["code"]})]
    assert lost == []


def test_every_value_that_ebay_calls_otherwise_can_be_said() -> None:
    """C6: a code that no word means would never be used."""
    codes = {(row["attribute"], word_key(row["code"])) for row in ROWS["value_aliases.csv"]}
    codes |= {("department", word_key(code)) for code in column("departments.csv", "code")}
    words = {(row["attribute"], row["code"]) for row in ROWS["ebay_aspect_values.csv"]}
    assert words - codes == set()


def test_a_categorys_ancestors_are_the_beginnings_of_its_code() -> None:
    """ST10."""
    codes = column("categories.csv", "code")
    for row in ROWS["categories.csv"]:
        own, *above = category_and_ancestors(row["code"])
        assert (own, row["parent_code"]) == (row["code"], above[0] if above else None)
        assert set(above) <= codes


def demo_products() -> Iterator[list[dict[str, str]]]:
    with (DEMO / "products.csv").open(encoding="utf-8", newline="") as lines:
        for _handle, rows in groupby(csv.DictReader(lines), lambda row: row["Handle"]):
            yield list(rows)


def facts_of(rows: list[dict[str, str]], lookup: AttributeLookup) -> ProductFacts:
    """What the file says of one product, by the words that the catalogues know."""
    first = rows[0]
    attributes: dict[str, list[str]] = {}
    for header, cell in first.items():
        named = METAFIELD.match(header)
        if named and cell:
            attribute = lookup.attribute(named[1])
            assert attribute, header
            attributes[attribute] = [word.strip() for word in cell.split(";")]
    gender, age = attributes.pop("gender", [""])[0], attributes.pop("age_group", [""])[0]
    category = lookup.category(first["Product Category"])
    options = [first["Option1 Name"]] if first["Option1 Name"] != "Title" else []
    values = [[row["Option1 Value"]] for row in rows if row["Variant Price"]]
    return ProductFacts(
        category_code=category.code if category else None,
        condition_code=lookup.condition(attributes.pop("condition", [""])[0]),
        department_code=lookup.department_of(gender, age),
        brand=first["Vendor"],
        attributes=attributes,
        option_names=options,
        variants=values if options else [[]],
    )


@pytest.mark.parametrize("rows", list(demo_products()), ids=lambda rows: rows[0]["Handle"])
def test_each_demo_product_can_be_listed_on_ebay(
    rows: list[dict[str, str]],
    session: PlatformSession,
    lookup: AttributeLookup,
    refresh: EbayRefresh,
) -> None:
    """C6, C9: nothing is missing, optional values included."""
    product = facts_of(rows, lookup)
    category = EbayMapping.on(session).resolve(product).category_id
    assert category is not None
    refresh.run([category])
    again = EbayMapping.on(session).resolve(product)
    assert again.gaps == ()
    assert len(again.variant_aspects) == (len(product.variants) if product.option_names else 0)


def test_the_demo_file_keeps_ebays_limits() -> None:
    """The demo's products are within title, SKU and picture limits."""
    skus = []
    for rows in demo_products():
        assert len(rows[0]["Title"]) <= 80
        skus += [row["Variant SKU"] for row in rows if row["Variant SKU"]]
        assert [row["Image Src"] for row in rows if row["Image Src"]]
    assert len(skus) == len(set(skus))
    assert all(sku.isalnum() and len(sku) <= 50 for sku in skus)


def test_each_demo_photo_is_there_and_none_is_left_over() -> None:
    """Photos are decodable and at least 500 pixels on the longer side, as eBay asks."""
    named = {row["Image Src"] for rows in demo_products() for row in rows if row["Image Src"]}
    photos = {path.name: path for path in (DEMO / "photos").iterdir()}
    assert named == set(photos)
    for path in photos.values():
        with Image.open(path) as picture:
            picture.load()
            assert max(picture.size) >= 500
            assert not picture.getexif()
