"""What an import says about itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from shared.errors import BadInput, FieldProblem


@dataclass(frozen=True, slots=True)
class Issue:
    """Something about one cell, in words for the seller. `row` 1 is the header."""

    row: int
    column: str
    message: str
    code: str = "invalid"
    handle: str = ""

    def as_field(self) -> FieldProblem:
        """As part of a problem: `row 7, Variant Price`."""
        return FieldProblem(f"row {self.row}, {self.column}", self.message, self.code)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is."""

    products_done: int
    products: int
    rows_done: int
    rows: int
    images: int
    """Photos stored so far."""


ReportProgress: TypeAlias = Callable[[Progress], None]


@dataclass(slots=True)
class ImportReport:
    """How an import ended, or, of a dry run, how it would end."""

    dry_run: bool
    encoding: str
    delimiter: str
    rows: int = 0
    """Without the header."""
    products: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    images_added: int = 0
    images_missing: int = 0
    product_ids: list[int] = field(default_factory=list)
    """In the order of the file, without the failed ones; empty where a dry run would create."""
    errors: list[Issue] = field(default_factory=list)
    """Why products were left out."""
    warnings: list[Issue] = field(default_factory=list)
    """What was left out of products that came in."""


class ImportRefused(BadInput):
    """Nothing was stored; the fields name rows and columns."""

    code, title = "import-refused", "Nothing was imported"


def refused(detail: str, issues: Sequence[Issue]) -> ImportRefused:
    """The error that names every issue."""
    return ImportRefused(detail, fields=[issue.as_field() for issue in issues])
