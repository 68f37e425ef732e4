"""The data files behind the catalogues: where each is, and how its cells become columns."""

import csv
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from models.base import PlatformBase
from models.reference.attributes import (
    CATEGORIES,
    LANGUAGES,
    VALUE_TABLES,
    AttributeTable,
    Category,
    Condition,
    Department,
    ValueAlias,
    search_key,
    word_key,
)
from models.reference.marketplace_mappings import (
    CategoryAudience,
    EbayAspect,
    EbayAspectValue,
    EbayCondition,
    EbayImpliedAspect,
    Platform,
    PlatformCategory,
    PlatformMappingVersion,
    PlatformNode,
    PlatformValue,
)
from shared.text import fold

_REFERENCE = Path(__file__).resolve().parent.parent

_LAYOUT = b"2"
"""Raise when the way cells become columns changes, so that unchanged files are loaded again."""

Cell = Callable[[str], Any]


def _text_or_none(cell: str) -> str | None:
    return cell or None


def _number_or_none(cell: str) -> int | None:
    return int(cell) if cell else None


def _flag(cell: str) -> bool:
    return {"0": False, "1": True}[cell]


@dataclass(frozen=True)
class CatalogueFile:
    """A CSV file whose header names the columns of one table."""

    path: Path
    model: type[PlatformBase]
    cells: Mapping[str, Cell] = field(default_factory=dict)
    """How to read a column; text as it stands where nothing is said."""
    derived: Mapping[str, tuple[str, Cell]] = field(default_factory=dict)
    """Columns computed from another one: name to (source column, function)."""
    part: Mapping[str, str] = field(default_factory=dict)
    """Columns that the file does not have and that are the same in all its rows: which part of the
    table the file fills."""
    without: frozenset[str] = frozenset()
    """Columns of the file that the table does not have."""
    purpose: str = ""
    """Tells apart two uses of one file."""
    numbered: bool = False
    """Whether a row's place in the file is its column `position`, from 1."""
    searched_as: str | None = None
    """The name under which values are found by the words of their names; None: not at all."""

    @property
    def name(self) -> str:
        """Room and file name; unique among all files."""
        folder, _, name = self.path.as_posix().rpartition("/data/")
        return f"{folder.rpartition('/')[2]}/{name}{self.purpose}"

    def content_hash(self) -> str:
        """Changes with the content and with the layout of this module."""
        return hashlib.sha256(_LAYOUT + self.path.read_bytes()).hexdigest()

    def rows(self) -> Iterator[dict[str, Any]]:
        """The file's rows as columns of the table.

        Raises `ValueError` naming file and line when a cell cannot be read.
        """
        with self.path.open(encoding="utf-8", newline="") as lines:
            reader = csv.DictReader(lines, strict=True)
            for place, cells in enumerate(reader, start=1):
                try:
                    yield self._columns(cells) | ({"position": place} if self.numbered else {})
                except (KeyError, ValueError) as error:
                    raise ValueError(f"{self.name}, line {reader.line_num}: {error!r}") from error

    def _columns(self, cells: Mapping[str, str]) -> dict[str, Any]:
        if None in cells or None in cells.values():
            raise ValueError("not as many cells as the header has")
        row: dict[str, Any] = dict(self.part)
        for name, cell in cells.items():
            if name not in self.without:
                row[name] = self.cells.get(name, str)(cell)
        for name, (source, function) in self.derived.items():
            row[name] = function(cells[source])
        return row


def search_keys(row: Mapping[str, Any]) -> dict[str, int]:
    """The keys that find a row, and each one's rank: whole names 0, their later words 1."""
    keys: dict[str, int] = {}
    names = [row[f"name_{language}"] for language in LANGUAGES]
    for words in (search_key(name).split() for name in names if name):
        for start in range(len(words)):
            key = " ".join(words[start:])
            keys[key] = min(keys.get(key, 1), int(start > 0))
    return keys


def _attributes(name: str) -> Path:
    return _REFERENCE / "attributes" / "data" / name


def _mappings(name: str) -> Path:
    return _REFERENCE / "marketplace_mappings" / "data" / name


_NAMES = {f"name_{language}": _text_or_none for language in LANGUAGES if language != "en"}

_VALUE_FILES = tuple(
    CatalogueFile(
        _attributes(f"values/{name}.csv"),
        model,
        cells={**_NAMES, "group_code": _text_or_none, "source_id": _text_or_none},
        numbered=True,
        searched_as=name,
    )
    for name, model in VALUE_TABLES.items()
)

_HEADER_OF_VALUES = frozenset(
    ["code", "group_code", "source_id", *(f"name_{language}" for language in LANGUAGES)]
)


def _values_of(platform: Platform, attribute: str) -> CatalogueFile:
    return CatalogueFile(
        _mappings(f"{platform}_{attribute}s.csv"),
        PlatformValue,
        part={"platform": platform, "attribute": attribute},
    )


_PLATFORM_FILES = (
    *(
        CatalogueFile(
            _mappings(f"{platform}_categories.csv"),
            PlatformCategory,
            cells={"with_children": _flag},
            part={"platform": platform},
            without=frozenset({"fit"}),
        )
        for platform in Platform
    ),
    *(
        CatalogueFile(
            _mappings(f"{platform}_nodes.csv"),
            PlatformNode,
            cells={"is_leaf": _flag},
            part={"platform": platform},
        )
        for platform in (Platform.ETSY, Platform.VINTED)
    ),
    _values_of(Platform.VINTED, "condition"),
    _values_of(Platform.VINTED, "color"),
    _values_of(Platform.VINTED, "material"),
    _values_of(Platform.VINTED, "size"),
    _values_of(Platform.ETSY, "decade"),
    CatalogueFile(
        _attributes("values/brands.csv"),
        PlatformValue,
        derived={
            "code": ("name_en", fold),
            "remote_id": ("source_id", str),
            "remote_name": ("name_en", str),
        },
        part={"platform": Platform.VINTED, "attribute": "brand", "scope": ""},
        without=_HEADER_OF_VALUES,
        purpose=" as Vinted's",
    ),
)

FILES = (
    *_VALUE_FILES,
    CatalogueFile(_attributes("attribute_tables.csv"), AttributeTable),
    CatalogueFile(
        _attributes("categories.csv"),
        Category,
        cells={
            **_NAMES,
            "parent_code": _text_or_none,
            "level": int,
            "google_category_id": _number_or_none,
            "is_leaf": _flag,
        },
        derived={"path_key": ("full_path", word_key)},
        searched_as=CATEGORIES,
    ),
    CatalogueFile(_attributes("conditions.csv"), Condition, cells={"rank": int}),
    CatalogueFile(_attributes("departments.csv"), Department),
    CatalogueFile(_attributes("value_aliases.csv"), ValueAlias, cells={"alias": word_key}),
    CatalogueFile(_attributes("category_audiences.csv"), CategoryAudience),
    CatalogueFile(
        _mappings("platform_mappings.csv"),
        PlatformMappingVersion,
        cells={"version": int, "checked_on": date.fromisoformat, "leaves_only": _flag},
    ),
    *_PLATFORM_FILES,
    CatalogueFile(
        _mappings("ebay_conditions.csv"),
        EbayCondition,
        cells={"preference": int, "ebay_condition_id": int},
    ),
    CatalogueFile(_mappings("ebay_aspects.csv"), EbayAspect, cells={"preference": int}),
    CatalogueFile(_mappings("ebay_aspect_values.csv"), EbayAspectValue, cells={"code": word_key}),
    CatalogueFile(_mappings("ebay_implied_aspects.csv"), EbayImpliedAspect),
)
