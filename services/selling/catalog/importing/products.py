"""Rows → products as the file wants them: grouped by handle, cells read, nothing looked up."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from models.selling.catalog import OPTION_LIMIT, ProductStatus
from services.selling.catalog.importing.report import Issue
from services.selling.catalog.importing.table import Columns, Row, Table
from shared.money import Money
from shared.text import one_line, plain_text_of

_INTEGER = re.compile(r"[+-]?\d{1,12}", re.ASCII)
_DECIMAL = re.compile(r"\d{1,9}(\.\d{1,6})?", re.ASCII)
_LONGEST_SOURCE = 2_000
_DEFAULT_OPTION = ("title", "default title")
_TRUE, _FALSE = frozenset({"true", "yes", "1"}), frozenset({"false", "no", "0"})
_STATUSES = {status.value: status for status in ProductStatus} | {"unlisted": ProductStatus.DRAFT}


@dataclass(frozen=True, slots=True)
class ImportedVariant:
    """A variant as the file has it; `quantity` None where the cell is empty."""

    row: int
    option_values: tuple[str, ...]
    price_minor: int
    quantity: int | None
    sku: str | None
    barcode: str | None
    weight_grams: int | None


@dataclass(frozen=True, slots=True)
class ImportedImage:
    """A photo by URL or file name."""

    row: int
    column: str
    source: str
    alt_text: str


@dataclass(slots=True)
class ImportedProduct:
    """A product as the file has it. With `errors` it must not be stored."""

    handle: str
    first: Row
    rows: Sequence[Row]
    columns: Columns
    title: str = ""
    description: str = ""
    brand: str | None = None
    status: ProductStatus | None = None
    tags: tuple[str, ...] = ()
    option_names: tuple[str, ...] = ()
    variants: tuple[ImportedVariant, ...] = ()
    images: tuple[ImportedImage, ...] = ()
    errors: list[Issue] = field(default_factory=list)
    warnings: list[Issue] = field(default_factory=list)

    def error(self, row: int, column: str, message: str, code: str = "invalid") -> None:
        """Note why this product cannot come in; `column` is our name of it."""
        header = self.columns.header(column)
        self.errors.append(Issue(row, header, message, code, self.handle))

    def warn(self, row: int, column: str, message: str, code: str) -> None:
        """Note what is left out of this product; `column` is the file's header."""
        self.warnings.append(Issue(row, column, message, code, self.handle))


def read_products(table: Table, currency: str) -> list[ImportedProduct]:
    """Every product of the file in its order, with what is wrong about it."""
    seen: dict[str, ImportedProduct] = {}
    products = []
    for handle, rows in _by_handle(table.rows):
        product = ImportedProduct(handle, rows[0], rows, table.columns)
        products.append(product)
        _check_rows(product, seen)
        seen.setdefault(handle.casefold(), product)
        _read_head(product)
        product.variants = tuple(_variants(product, currency))
        product.images = tuple(_images(product))
    return products


def _by_handle(rows: Sequence[Row]) -> Iterator[tuple[str, list[Row]]]:
    for handle, group in groupby(rows, key=lambda row: one_line(row.get("handle"))):
        yield handle, list(group)


def _check_rows(product: ImportedProduct, seen: dict[str, ImportedProduct]) -> None:
    if not product.handle:
        for row in product.rows:
            product.error(row.number, "handle", "is empty: to which product?", "required")
    product.errors += [issue for issue in map(Row.shape_issue, product.rows) if issue is not None]
    before = seen.get(product.handle.casefold())
    if before is not None and product.handle:
        message = f"stands at row {before.first.number} too; rows of a product stand together"
        product.error(product.first.number, "handle", message, "repeated-handle")
        before.error(
            before.first.number,
            "handle",
            f"stands at row {product.first.number} too; rows of a product stand together",
            "repeated-handle",
        )
    for row in product.rows:
        for index in product.columns.surplus_options:
            if index < len(row.cells) and row.cells[index].strip():
                header = product.columns.headers[index]
                message = f"a product has at most {OPTION_LIMIT} options"
                product.error(row.number, header, message, "unknown-option")


def _read_head(product: ImportedProduct) -> None:
    first = product.first
    product.title = one_line(first.get("title"))
    for row in product.rows[1:]:
        again = one_line(row.get("title"))
        if again and again != product.title:
            product.error(row.number, "title", "differs from the product's first row", "unclear")
    product.description = _plain(first.get("description"))
    product.brand = first.get("vendor") or None
    product.tags = tuple(tag.strip() for tag in first.get("tags").split(",") if tag.strip())
    product.status = _status(product)
    product.option_names = tuple(_option_names(product))


def _plain(body: str) -> str:
    return plain_text_of(body) if "<" in body or "&" in body else body


def _status(product: ImportedProduct) -> ProductStatus | None:
    word = product.first.get("status").casefold()
    if word:
        if word not in _STATUSES:
            message = f"unknown status {word[:40]!r}; write active, draft or archived"
            product.error(product.first.number, "status", message)
        return _STATUSES.get(word)
    published = product.first.get("published").casefold()
    if published and published not in _TRUE | _FALSE:
        message = f"{published[:40]!r} is neither true nor false"
        product.error(product.first.number, "published", message)
    if not published:
        return None
    return ProductStatus.ACTIVE if published in _TRUE else ProductStatus.DRAFT


def _option_names(product: ImportedProduct) -> Iterator[str]:
    first = product.first
    names = [first.get(f"option{number}_name") for number in range(1, OPTION_LIMIT + 1)]
    while names and not names[-1]:
        names.pop()
    default = (names[0].casefold(), first.get("option1_value").casefold()) if names else None
    if default == _DEFAULT_OPTION and len(names) == 1:
        return
    for number, name in enumerate(names, start=1):
        if not name:
            product.error(first.number, f"option{number}_name", "is empty", "required")
        yield name


def _variants(product: ImportedProduct, currency: str) -> Iterator[ImportedVariant]:
    for row in product.rows:
        if row is product.first or _is_variant(row):
            yield ImportedVariant(
                row=row.number,
                option_values=_option_values(product, row),
                price_minor=_price(product, row, currency),
                quantity=_quantity(product, row),
                sku=row.get("sku") or None,
                barcode=row.get("barcode") or None,
                weight_grams=_weight(product, row),
            )


def _is_variant(row: Row) -> bool:
    return any(
        row.get(name)
        for name in ("option1_value", "option2_value", "option3_value", "price", "sku")
    )


def _option_values(product: ImportedProduct, row: Row) -> tuple[str, ...]:
    values = []
    for number in range(1, OPTION_LIMIT + 1):
        value, named = row.get(f"option{number}_value"), number <= len(product.option_names)
        if named:
            values.append(value)
            if not value:
                product.error(row.number, f"option{number}_value", "is empty", "required")
        elif value and not (number == 1 and value.casefold() == _DEFAULT_OPTION[1]):
            product.error(row.number, f"option{number}_name", "this option has no name", "required")
    return tuple(values)


def _price(product: ImportedProduct, row: Row, currency: str) -> int:
    text = row.get("price")
    if not text:
        product.error(row.number, "price", "is empty", "required")
        return 1
    try:
        return Money.parse(text, currency).minor
    except ValueError:
        message = f"{text[:40]!r} is not a price in {currency}; write it like 12.50"
        product.error(row.number, "price", message, "not-a-price")
        return 1


def _quantity(product: ImportedProduct, row: Row) -> int | None:
    text = row.get("quantity")
    if not text:
        return None
    if not _INTEGER.fullmatch(text):
        message = f"{text[:40]!r} is not a whole number"
        product.error(row.number, "quantity", message, "not-a-number")
        return 0
    return int(text)


def _weight(product: ImportedProduct, row: Row) -> int | None:
    text = row.get("grams")
    if text and not _DECIMAL.fullmatch(text):
        product.error(row.number, "grams", f"{text[:40]!r} is not a weight", "not-a-number")
        return None
    # Shopify writes 0 where no weight was entered.
    return (round(float(text)) or None) if text else None


def _images(product: ImportedProduct) -> Iterator[ImportedImage]:
    named = [(row, "image") for row in product.rows if row.get("image")]
    named.sort(key=lambda entry: _position(product, entry[0]))
    named += [(row, "variant_image") for row in product.rows if row.get("variant_image")]
    seen = set()
    for row, column in named:
        source = _source(row.get(column))
        if len(source) > _LONGEST_SOURCE:
            header = product.columns.header(column)
            product.warn(row.number, header, f"{source[:80]}…: is too long", "image-missing")
        elif source not in seen:
            seen.add(source)
            alt_text = row.get("image_alt") if column == "image" else ""
            yield ImportedImage(row.number, product.columns.header(column), source, alt_text)


def _position(product: ImportedProduct, row: Row) -> int:
    text = row.get("image_position")
    if text and not _INTEGER.fullmatch(text):
        header = product.columns.header("image_position")
        product.warn(row.number, header, f"{text[:40]!r} is not a position", "ignored")
        return len(product.rows)
    return int(text) if text else len(product.rows)


def _source(text: str) -> str:
    return f"https:{text}" if text.startswith("//") else text
