"""The attribute tables as they ship: one shape, unique codes, readable names, credit."""

import csv
import re
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from models.reference.attributes import VALUE_TABLES, AttributeValue, SearchKey, search_key
from services.reference.attributes.files import FILES, CatalogueFile, search_keys
from services.reference.attributes.loading import CatalogueLoading
from shared.clock import MovableClock
from shared.database import PlatformSession

BY_TABLE = {file.searched_as: file for file in FILES if file.searched_as in VALUE_TABLES}
CODES = {name: {row["code"] for row in file.rows()} for name, file in BY_TABLE.items()}
REGISTER = next(file for file in FILES if file.name == "attributes/attribute_tables.csv")
ALIASES = next(file for file in FILES if file.name == "attributes/value_aliases.csv")

TABLE_OF_ALIASES = {
    "closure": "closures",
    "color": "colors",
    "dress_length": "skirt_dress_lengths",
    "fit": "fits",
    "material": "materials",
    "neckline": "necklines",
    "pattern": "patterns",
    "rise": "waist_rises",
    "size": "alpha_sizes",
    "size_type": "size_types",
    "sleeve_length": "sleeve_lengths",
    "toe_shape": "toe_styles",
    "upper_material": "footwear_materials",
}
"""Where the values are that words of sellers mean."""

SAMPLES = re.compile(r"lorem|ipsum|\bsample\b|dummy|\bplaceholder\b", re.IGNORECASE)
CONTROL = re.compile(r"[\x00-\x1f\x7f\ufffd]")


@pytest.fixture(params=sorted(VALUE_TABLES))
def file(request: pytest.FixtureRequest) -> CatalogueFile:
    return BY_TABLE[request.param]


def test_at_least_35_tables_share_one_shape() -> None:
    """ST10."""
    shapes = {
        tuple((column.name, str(column.type), column.nullable) for column in model.__table__.c)
        for model in VALUE_TABLES.values()
    }
    assert len(VALUE_TABLES) == 57
    assert len(shapes) == 1


def test_every_table_is_registered_with_titles_and_credit() -> None:
    """ST10: the register names exactly the tables that there are."""
    rows = list(REGISTER.rows())
    assert {row["name"] for row in rows} == set(VALUE_TABLES)
    assert [row for row in rows if not all(row.values())] == []
    assert {row["licence"] for row in rows} == {"MIT", "PDDL-1.0", "StoFlow"}


def test_a_tables_codes_are_unique_and_its_names_are_clean(file: CatalogueFile) -> None:
    """ST10: no twin, no blank, no control character, nothing out of a sample file."""
    rows = list(file.rows())
    assert [code for code, times in Counter(row["code"] for row in rows).items() if times > 1] == []
    assert [row["position"] for row in rows] == list(range(1, len(rows) + 1))
    texts = [text for row in rows for text in row.values() if isinstance(text, str)]
    assert [text for text in texts if text != text.strip() or CONTROL.search(text)] == []
    assert [text for text in texts if SAMPLES.search(text)] == []
    assert [row["code"] for row in rows if not row["name_en"]] == []


def test_a_file_is_utf_8_of_a_reviewable_size(file: CatalogueFile) -> None:
    """ST10."""
    content = file.path.read_bytes()
    content.decode("utf-8")
    assert not content.startswith(b"\xef\xbb\xbf")
    assert len(content) < 512_000


def test_the_tables_hold_what_their_sources_have() -> None:
    """ST10: the values of the larger ones, counted."""
    sizes = {name: len(codes) for name, codes in CODES.items()}
    assert sum(sizes.values()) == 14_700
    wanted = {"brands": 12_825, "origins": 249, "shoe_sizes": 128, "materials": 69, "colors": 31}
    assert {name: sizes[name] for name in wanted} == wanted


def test_names_are_in_french_where_the_source_has_them() -> None:
    """ST10: but for brands, whose names are the same everywhere, and what Shopify left open."""
    counts = {
        name: sum(row["name_fr"] is not None for row in file.rows())
        for name, file in BY_TABLE.items()
    }
    assert sum(counts.values()) == 1_645
    assert sum(count == len(CODES[name]) for name, count in counts.items()) == 33
    assert counts["colors"] == len(CODES["colors"])


def test_a_brand_stands_once_whatever_the_case_of_its_letters() -> None:
    """ST10: the eight names that the source has twice stand once, under the id whose own address
    at Vinted spells the name."""
    rows = list(BY_TABLE["brands"].rows())
    names = Counter(row["name_en"].casefold() for row in rows)
    assert [name for name, times in names.items() if times > 1] == []
    ids = {row["name_en"].casefold(): row["source_id"] for row in rows}
    assert {name: ids[name] for name in _DOUBLES} == _DOUBLES


_DOUBLES = {
    "boîte à malices": "174008",
    "costes": "40883",
    "jean pascale": "160052",
    "papillon": "39381",
    "pocopiano": "179682",
    "sergent major": "3921",
    "wassyl": "1302024",
    "women's selection": "72064",
}


def test_a_size_belongs_to_a_size_group() -> None:
    """ST10: no broken parent."""
    groups = {name: {row["group_code"] for row in BY_TABLE[name].rows()} for name in BY_TABLE}
    assert groups.pop("sizes") == CODES["size_groups"]
    assert set().union(*groups.values()) == {None}


def test_what_a_word_means_is_a_value_of_its_table() -> None:
    """ST10, C9: aliases lead to canonical values."""
    lost = [
        row
        for row in ALIASES.rows()
        if row["attribute"] in TABLE_OF_ALIASES
        and row["code"] not in CODES[TABLE_OF_ALIASES[row["attribute"]]]
    ]
    assert lost == []
    known = {row["attribute"] for row in ALIASES.rows()}
    assert known - set(TABLE_OF_ALIASES) == {"attribute", "category", "condition", "department"}


def test_the_category_tree_has_no_broken_branch() -> None:
    """ST10: parents exist, levels count, and what has nothing below it is a leaf."""
    with next(f for f in FILES if f.name == "attributes/categories.csv").path.open(
        encoding="utf-8", newline=""
    ) as lines:
        rows = list(csv.DictReader(lines))
    paths = {row["code"]: row["full_path"] for row in rows}
    parents = {row["parent_code"] for row in rows}
    assert len(paths) == len(rows)
    for row in rows:
        above = f"{paths[row['parent_code']]} > " if row["parent_code"] else ""
        assert row["full_path"] == above + row["name_en"]
        assert int(row["level"]) == row["full_path"].count(" > ")
        assert (row["is_leaf"] == "1") == (row["code"] not in parents)
    assert sum(1 for row in rows if row["name_fr"]) == 620


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Levi's", "levi s"),
        ("Été  indien", "ete indien"),
        ("GROSSE GRÖSSE", "grosse grosse"),
        ("Straße", "strasse"),
        ("Łódź", "lodz"),
        ("!M?ERFECT", "m erfect"),
        ("½ sleeve", "1 2 sleeve"),
        ("—", ""),
    ],
)
def test_names_are_compared_without_case_accents_and_punctuation(name: str, key: str) -> None:
    """ST10."""
    assert search_key(name) == key


def test_a_value_is_found_from_each_of_its_words_on() -> None:
    """ST10."""
    blank = dict.fromkeys([f"name_{each}" for each in ("de", "es", "it", "nl", "pl", "pt")])
    row = {"name_en": "Light blue", "name_fr": "Bleu clair", **blank}
    assert search_keys(row) == {"light blue": 0, "blue": 1, "bleu clair": 0, "clair": 1}
    row = {"name_en": "Rose rose", "name_fr": "Rose", **blank}
    assert search_keys(row) == {"rose rose": 0, "rose": 0}


def test_search_keys_follow_a_changed_file(
    session: PlatformSession, clock: MovableClock, tmp_path: Path
) -> None:
    """ST10: loading again leaves no key of a value that is gone, and adds none twice."""
    shipped = BY_TABLE["seasons"]
    path = tmp_path / "attributes" / "data" / "values" / "seasons.csv"
    path.parent.mkdir(parents=True)
    lines = shipped.path.read_text("utf-8").splitlines(keepends=True)
    assert _keys(session, "seasons")["summer"] == "summer"
    path.write_text("".join(lines[:2]), "utf-8")
    changed = CatalogueFile(
        path, shipped.model, shipped.cells, numbered=True, searched_as="seasons"
    )
    for _ in range(2):
        CatalogueLoading(clock, [changed]).load(session)
        assert set(_keys(session, "seasons").values()) == {"spring"}
    assert [row.code for row in _values(session, "seasons")] == ["spring"]


def _keys(session: PlatformSession, attribute: str) -> dict[str, str]:
    rows = select(SearchKey.key, SearchKey.code).where(SearchKey.attribute == attribute)
    return dict(session.execute(rows).tuples().all())


def _values(session: PlatformSession, name: str) -> list[AttributeValue]:
    return list(session.scalars(select(VALUE_TABLES[name])))
