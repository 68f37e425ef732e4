"""Text → rows with known columns, under both generations of Shopify's headers."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from models.reference.attributes import word_key
from services.selling.catalog.importing.decoding import unreadable
from services.selling.catalog.importing.report import Issue
from shared.text import one_line

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}

_HEADERS: Mapping[str, tuple[str, ...]] = {
    "handle": ("Handle", "URL handle"),
    "title": ("Title",),
    "description": ("Body (HTML)", "Body HTML", "Description"),
    "vendor": ("Vendor",),
    "category": ("Product Category", "Standardized Product Type", "Standard Product Type"),
    "type": ("Type", "Custom Product Type"),
    "tags": ("Tags",),
    "published": ("Published", "Published on online store"),
    "status": ("Status",),
    "option1_name": ("Option1 Name",),
    "option1_value": ("Option1 Value",),
    "option2_name": ("Option2 Name",),
    "option2_value": ("Option2 Value",),
    "option3_name": ("Option3 Name",),
    "option3_value": ("Option3 Value",),
    "sku": ("Variant SKU", "SKU"),
    "grams": ("Variant Grams", "Weight value (grams)"),
    "quantity": ("Variant Inventory Qty", "Inventory quantity"),
    "price": ("Variant Price", "Price"),
    "barcode": ("Variant Barcode", "Barcode"),
    "image": ("Image Src", "Product image URL"),
    "image_position": ("Image Position",),
    "image_alt": ("Image Alt Text",),
    "variant_image": ("Variant Image", "Variant image URL"),
    "condition": ("Google Shopping / Condition",),
    "gender": ("Google Shopping / Gender",),
    "age_group": ("Google Shopping / Age Group",),
    "mpn": ("Google Shopping / MPN",),
}
"""Our name of a column → the headers that mean it."""

_FIELDS = {word_key(header): name for name, headers in _HEADERS.items() for header in headers}
_REQUIRED = ("handle", "title", "price", "quantity")
_METAFIELD = re.compile(r"(.*?)\s*\(\s*product\.metafields\.[^.]+\.([^.)]+)\s*\)\s*", re.IGNORECASE)
_SURPLUS_OPTION = re.compile(r"option\s*\d+ (?:name|value)")
_LONGEST_CELL = 1_000_000
MAX_COLUMNS = 1_000
"""Of one file; Shopify exports some eighty and one a metafield."""
MAX_RECORDS = 100_000
"""Of one file, blank ones included: 30 MB of real products are fewer."""
csv.field_size_limit(_LONGEST_CELL)


@dataclass(frozen=True, slots=True)
class Metafield:
    """A column `Name (product.metafields.namespace.key)`."""

    index: int
    name: str
    key: str
    header: str


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the known columns are."""

    headers: tuple[str, ...]
    index: Mapping[str, int]
    metafields: tuple[Metafield, ...]
    surplus_options: tuple[int, ...]
    """Columns of a fourth option and beyond."""

    def header(self, name: str) -> str:
        """What the file calls a column; what Shopify calls it when the file has none."""
        index = self.index.get(name)
        if index is not None:
            return self.headers[index]
        return _HEADERS[name][0] if name in _HEADERS else name

    def __contains__(self, name: str) -> bool:
        return name in self.index


@dataclass(frozen=True, slots=True)
class Row:
    """A record; `number` counts records, the header is 1."""

    number: int
    cells: Sequence[str]
    columns: Columns

    def get(self, name: str) -> str:
        """The trimmed cell; "" when the row or the file has no such cell."""
        index = self.columns.index.get(name)
        return self.cells[index].strip() if index is not None and index < len(self.cells) else ""

    @property
    def is_blank(self) -> bool:
        """Whether all cells are empty."""
        return not any(cell.strip() for cell in self.cells)

    def shape_issue(self) -> Issue | None:
        """What is wrong with the number of cells, if anything."""
        expected, found = len(self.columns.headers), len(self.cells)
        if found == expected or (found > expected and not any(self.cells[expected:])):
            return None
        return Issue(
            self.number,
            "row",
            f"has {found} cells where the header has {expected}; is a quote missing?",
            "ragged-row",
            self.get("handle"),
        )


@dataclass(frozen=True, slots=True)
class Table:
    """A file's rows."""

    columns: Columns
    rows: Sequence[Row]
    delimiter: str


def read_table(text: str) -> Table:
    """Find the delimiter and the columns, and read every row. Raises `UnreadableFile`."""
    if text.lstrip()[:1] in {"<", "{", "["}:
        raise unreadable("This looks like HTML or JSON, not CSV.", "not-csv")
    delimiter = _delimiter(text)
    records = _records(text, delimiter)
    header = next(records, [])
    if len(header) > MAX_COLUMNS:
        raise unreadable(f"The file has more than {MAX_COLUMNS} columns.", "too-many-columns")
    columns = _columns(header)
    filled = [row for row in _rows(records, columns) if not row.is_blank]
    if not filled:
        raise unreadable("The file has a header and no products.", "empty-file")
    return Table(columns, filled, _DELIMITERS[delimiter])


def _rows(records: Iterator[list[str]], columns: Columns) -> Iterator[Row]:
    for number, cells in enumerate(records, start=2):
        if number > MAX_RECORDS:
            raise unreadable(
                f"The file has more than {MAX_RECORDS} rows. Import it in parts.", "too-many-rows"
            )
        yield Row(number, cells, columns)


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        yield from reader
    except csv.Error as error:
        raise unreadable(
            f"Line {reader.line_num} cannot be read as CSV: {error}.", "broken-csv"
        ) from None


def _delimiter(text: str) -> str:
    """The one under which the header names most columns that we know."""
    first = text[:_LONGEST_CELL].lstrip("\r\n").splitlines()[:1]
    return max(
        _DELIMITERS, key=lambda mark: len(_known(next(csv.reader(first, delimiter=mark), [])))
    )


def _known(header: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for index, cell in enumerate(header[:MAX_COLUMNS]):
        name = _FIELDS.get(word_key(cell))
        if name is not None:
            found.setdefault(name, index)
    return found


def _columns(header: Sequence[str]) -> Columns:
    headers = tuple(one_line(cell) for cell in header)
    index = _known(headers)
    missing = [" or ".join(_HEADERS[name]) for name in _REQUIRED if name not in index]
    if len(missing) == len(_REQUIRED):
        raise unreadable("This is not a CSV of products in Shopify's format.", "not-csv")
    if missing:
        raise unreadable(f"These columns are missing: {'; '.join(missing)}.", "missing-columns")
    for name, first in index.items():
        again = [at for at, cell in enumerate(headers) if _FIELDS.get(word_key(cell)) == name]
        if len(again) > 1 and word_key(headers[first]) == word_key(headers[again[1]]):
            raise unreadable(f"The column {headers[first]} stands twice.", "repeated-column")
    return Columns(
        headers,
        index,
        tuple(_metafields(headers)),
        tuple(
            at
            for at, cell in enumerate(headers)
            if _SURPLUS_OPTION.fullmatch(word_key(cell)) and word_key(cell) not in _FIELDS
        ),
    )


def _metafields(headers: Sequence[str]) -> Iterator[Metafield]:
    for index, header in enumerate(headers):
        match = _METAFIELD.fullmatch(header)
        if match:
            yield Metafield(index, match.group(1), match.group(2), header)
