"""The mapping as it ships: places that exist, for those whom they are for; nothing guessed."""

import re
from collections import Counter

import pytest

from models.reference.attributes import category_and_ancestors
from models.reference.marketplace_mappings import Platform, PlatformCategory, PlatformValue
from services.reference.attributes.files import FILES
from services.reference.marketplace_mappings.coverage import (
    AUDIENCES,
    BRANCHES,
    departments_of,
)
from services.reference.marketplace_mappings.facts import Gap, GapKind
from services.reference.marketplace_mappings.places import TABLE_OF, PlatformMapping
from services.reference.marketplace_mappings.shoe_sizes import shoe_size_code
from shared.database import PlatformSession

SHOES = {"footwear", "mens_shoes", "childrens_shoe_sizes"}

ROWS = {file.name: list(file.rows()) for file in FILES}
CATEGORIES = {row["code"]: row for row in ROWS["attributes/categories.csv"]}
MAPPED = {
    platform: ROWS[f"marketplace_mappings/{platform}_categories.csv"] for platform in Platform
}
VALUES = [
    row
    for file in FILES
    if file.model is PlatformValue and file.part["attribute"] != "brand"
    for row in ROWS[file.name]
]

OTHERS = {
    "women": r"Men|Men's|Boys?|Boys'|Girls?|Girls'|Kids|Kids'|Baby",
    "men": r"Women|Women's|Boys?|Boys'|Girls?|Girls'|Kids|Kids'|Baby",
    "unisex_adults": r"Women|Women's|Men|Men's|Boys?|Boys'|Girls?|Girls'|Kids|Kids'|Baby",
    "girls": r"Women|Women's|Men|Men's|Boys?|Boys'|Baby",
    "boys": r"Women|Women's|Men|Men's|Girls?|Girls'|Baby",
    "unisex_kids": r"Women|Women's|Men|Men's|Boys?|Boys'|Girls?|Girls'",
    "baby_girls": r"Women|Women's|Men|Men's|Boys?|Boys'",
    "baby_boys": r"Women|Women's|Men|Men's|Girls?|Girls'",
    "baby": r"Women|Women's|Men|Men's|Boys?|Boys'|Girls?|Girls'",
    "": r"Women|Women's|Boys?|Boys'|Girls?|Girls'",
}
"""Words that the path of a place for these people never has: it would be somebody else's."""

ONLY_MENS = {"137843", "10298"}
"""eBay keeps cufflinks and tie clips, whoever wears them, below men's jewelry."""


@pytest.fixture(params=list(Platform))
def platform(request: pytest.FixtureRequest) -> Platform:
    found: Platform = request.param
    return found


def test_every_place_exists_under_its_path() -> None:
    """C9: of eBay in tests/behaviour/reference/test_shipped_data.py, against its sandbox."""
    for platform in (Platform.ETSY, Platform.VINTED):
        nodes = {r["remote_id"]: r for r in ROWS[f"marketplace_mappings/{platform}_nodes.csv"]}
        for row in MAPPED[platform]:
            assert nodes[row["remote_id"]]["path"] == row["remote_path"], row


def test_every_place_is_a_leaf_where_the_marketplace_lists_in_leaves_alone() -> None:
    """C9, C11: Vinted hides what stands in a wrong place; Etsy takes any node."""
    leaves_only = {
        row["platform"]: row["leaves_only"]
        for row in ROWS["marketplace_mappings/platform_mappings.csv"]
    }
    assert leaves_only == {"ebay_us": True, "etsy": False, "vinted": True}
    leaf = {r["remote_id"] for r in ROWS["marketplace_mappings/vinted_nodes.csv"] if r["is_leaf"]}
    assert {row["remote_id"] for row in MAPPED[Platform.VINTED]} <= leaf


def test_a_place_is_never_somebody_elses(platform: Platform) -> None:
    """C9: a women's category never leads to a men's one."""
    wrong = [
        (row["category_code"], row["department"], row["remote_path"])
        for row in MAPPED[platform]
        if re.search(rf"(?<![\w'])({OTHERS[row['department']]})(?![\w'])", row["remote_path"])
        and row["remote_id"] not in ONLY_MENS
    ]
    assert wrong == []


def test_codes_are_ours_and_stand_once(platform: Platform) -> None:
    """C9."""
    keys = Counter((row["category_code"], row["department"]) for row in MAPPED[platform])
    assert [key for key, times in keys.items() if times > 1] == []
    assert {code for code, _department in keys} <= set(CATEGORIES)
    departments = {row["code"] for row in ROWS["attributes/departments.csv"]}
    assert {department for _code, department in keys} <= departments | {""}


def test_a_category_is_split_by_department_or_it_is_not(platform: Platform) -> None:
    """C9."""
    split: dict[str, set[str]] = {}
    for row in MAPPED[platform]:
        split.setdefault(row["category_code"], set()).add(row["department"])
    assert [code for code, found in split.items() if "" in found and len(found) > 1] == []


def test_a_row_for_a_leaf_speaks_for_what_would_come_below(platform: Platform) -> None:
    """So that a category that is divided in our tree keeps its place."""
    rows = MAPPED[platform]
    leaves = [row for row in rows if CATEGORIES[row["category_code"]]["is_leaf"]]
    assert [row for row in leaves if not row["with_children"]] == []


def test_every_leaf_to_be_covered_is_made_for_somebody() -> None:
    """C9: none falls out of the count."""
    made_for: dict[str, set[str]] = {}
    for row in ROWS["attributes/category_audiences.csv"]:
        made_for.setdefault(row["category_code"], set()).add(row["department"])
    assert set(made_for) <= set(CATEGORIES)
    known = frozenset[str]().union(*AUDIENCES.values())
    assert set().union(*made_for.values()) <= known
    branches = {code for codes in BRANCHES.values() for code in codes}
    for code, row in CATEGORIES.items():
        if row["is_leaf"] and branches & set(category_and_ancestors(code)):
            assert departments_of(code, made_for), code


def test_every_mapped_value_is_one_of_ours() -> None:
    """C9."""
    codes = {
        attribute: {row["code"] for row in ROWS[f"attributes/values/{table}.csv"]}
        for attribute, table in TABLE_OF.items()
    }
    codes["condition"] = {row["code"] for row in ROWS["attributes/conditions.csv"]}
    unknown = [row for row in VALUES if row["code"] not in codes[row["attribute"]]]
    assert {row["scope"] for row in unknown} == SHOES
    for row in unknown:
        system, _, number = row["code"].partition("_")
        assert shoe_size_code(f"{system} {number.replace('_', '.')}") == row["code"]
    keys = Counter((r["platform"], r["attribute"], r["scope"], r["code"]) for r in VALUES)
    assert [key for key, times in keys.items() if times > 1] == []


@pytest.mark.parametrize(
    "word", ["8", "17", "US 9", "EU", "42 1/2", "EU 42 UK 8", "M", "-42", "142"]
)
def test_a_shoe_size_of_an_unsaid_system_is_not_guessed(word: str) -> None:
    """C9: 8 is a British and an American size, and they differ."""
    assert shoe_size_code(word) is None


def test_a_mapped_size_is_vinteds_size_of_that_group() -> None:
    """C9."""
    sizes = {row["source_id"]: row for row in ROWS["attributes/values/sizes.csv"]}
    for row in VALUES:
        if row["attribute"] == "size":
            size = sizes[row["remote_id"]]
            assert (size["group_code"], size["name_en"]) == (row["scope"], row["remote_name"])


def place(session: PlatformSession, platform: Platform, code: str, department: str | None) -> str:
    found = PlatformMapping.on(session, platform).category(code, department)
    assert isinstance(found, PlatformCategory)
    return found.remote_id


@pytest.mark.parametrize(
    ("platform", "code", "department", "remote_id"),
    [
        (Platform.ETSY, "aa-1-13-8", "women", "559"),
        (Platform.ETSY, "aa-1-13-8", "men", "449"),
        (Platform.ETSY, "aa-2-6", None, "4"),
        (Platform.ETSY, "aa-1-20-2", "men", "460"),
        (Platform.VINTED, "aa-1-10-2-13", "women", "1834"),
        (Platform.VINTED, "aa-1-18-3", "men", "1828"),
        (Platform.EBAY_US, "aa-8-3", "women", "53557"),
    ],
)
def test_a_category_has_its_place(
    session: PlatformSession,
    platform: Platform,
    code: str,
    department: str | None,
    remote_id: str,
) -> None:
    """C9: or is where the nearest category above says."""
    assert place(session, platform, code, department) == remote_id


def test_an_unmapped_category_is_named_and_never_its_neighbour(session: PlatformSession) -> None:
    """C9."""
    found = PlatformMapping.on(session, Platform.VINTED).category("aa-8-3", "men")
    assert isinstance(found, Gap)
    assert (found.kind, found.field) == (GapKind.CATEGORY_NOT_MAPPED, "category")
    assert "“Apparel & Accessories > Shoes > Boots”" in found.message
    assert "Vinted" in found.message
    found = PlatformMapping.on(session, Platform.VINTED).category("aa-1-4", "girls")
    assert isinstance(found, Gap)
    assert (found.field, found.choices) == ("department", ("women",))
    assert "Dresses" in found.message


@pytest.mark.parametrize(
    ("attribute", "word", "scope", "remote_id"),
    [
        ("color", "Navy", "", "27"),
        ("color", "grey", "", "3"),
        ("color", "Bordeaux", "", "23"),
        ("color", "bleu clair", "", "26"),
        ("material", "Faux leather", "", "447"),
        ("material", "Dentelle", "", "455"),
        ("size", "XXL", "womens_items", "7"),
        ("size", "M", "mens_sizes", "208"),
        ("size", "EU 44,5", "mens_shoes", "789"),
        ("size", "uk 9.5", "mens_shoes", "787"),
        ("size", "38", "footwear", "58"),
        ("size", "EU 24", "childrens_shoe_sizes", "593"),
    ],
)
def test_vinteds_values_are_found_by_sellers_words(
    session: PlatformSession, attribute: str, word: str, scope: str, remote_id: str
) -> None:
    """C9: by known words, or by a value's whole name in any language."""
    found = PlatformMapping.on(session, Platform.VINTED).value(attribute, word, scope)
    assert isinstance(found, PlatformValue)
    assert found.remote_id == remote_id


@pytest.mark.parametrize(
    ("attribute", "word"), [("color", "Bronze"), ("color", "bluish"), ("size", "M")]
)
def test_an_unmapped_value_is_named(session: PlatformSession, attribute: str, word: str) -> None:
    """C9: bronze is none of Vinted's colours; M means nothing without its size group."""
    found = PlatformMapping.on(session, Platform.VINTED).value(attribute, word)
    assert isinstance(found, Gap)
    assert (found.kind, found.field) == (GapKind.VALUE_NOT_MAPPED, f"attributes.{attribute}")
    assert f"“{word}”" in found.message


@pytest.mark.parametrize(
    ("name", "remote_id"), [("NIKE", "53"), ("sergent major", "3921"), ("Womens Selection", None)]
)
def test_a_brand_is_vinteds_by_its_exact_name_alone(
    session: PlatformSession, name: str, remote_id: str | None
) -> None:
    """C9: whatever its case; of a name that is there twice, the one whose address spells it."""
    found = PlatformMapping.on(session, Platform.VINTED).brand(name)
    assert (found.remote_id if isinstance(found, PlatformValue) else None) == remote_id


def test_a_grade_is_a_condition_that_promises_no_more(session: PlatformSession) -> None:
    """C9: something new with a flaw has no truthful word on Vinted."""
    mapping = PlatformMapping.on(session, Platform.VINTED)
    grades = [row["code"] for row in ROWS["attributes/conditions.csv"]]
    found = {grade: mapping.condition(grade) for grade in grades}
    ids = {g: v.remote_id for g, v in found.items() if isinstance(v, PlatformValue)}
    assert list(ids.values()) == ["6", "1", "2", "2", "2", "3", "4"]
    assert set(grades) - set(ids) == {"new_with_defects", "for_parts"}
    assert isinstance(mapping.condition(None), Gap)


def test_a_decade_is_etsys_when_made(session: PlatformSession) -> None:
    """C9."""
    found = PlatformMapping.on(session, Platform.ETSY).value("decade", "1990s")
    assert isinstance(found, PlatformValue)
    assert found.remote_id == "1990s"
