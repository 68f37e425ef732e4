"""What an archive says about itself."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from shared.errors import BadInput

FORMAT = "stoflow-shop"
FORMAT_VERSION = 1

README, MANIFEST, SEQUENCES = "README.txt", "manifest.json", "sequences.json"
KNOWN_NAME = re.compile(
    r"README\.txt|sequences\.json|tables/[a-z_][a-z0-9_]{0,62}\.jsonl|photos/[0-9a-f]{64}\.[a-z]{3,4}",
    re.ASCII,
)
"""Every name that an archive has, beside the manifest's own."""

EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/gif": "gif",
}
OTHER_EXTENSION, OTHER_TYPE = "bin", "application/octet-stream"

Progress = Callable[[str, int, int | None], None]
"""Told what is under way, how much of it is done, and of how much, where that is known."""


def silent(_what: str, _done: int, _of: int | None) -> None:
    """For those who need no progress."""


class ArchiveRefused(BadInput):
    """The file is no archive of a shop, is damaged, or cannot be taken here."""

    code, title = "archive-refused", "This archive cannot be used"


class Purpose(StrEnum):
    """Why an archive was made."""

    HIBERNATION = "hibernation"
    """For this installation alone: marketplace tokens are in it, as ciphertexts."""
    EXPORT = "export"
    """For a person or another installation: without secrets, with photos."""
    RETIREMENT = "retirement"
    """An export of a shop that is about to go."""


class FileFacts(BaseModel):
    """By which a file of the archive is checked."""

    model_config = ConfigDict(frozen=True)

    bytes: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class TableFacts(BaseModel):
    """What is in the file of a table."""

    rows: int = Field(ge=0)
    columns: list[str]


class Manifest(BaseModel):
    """`manifest.json`."""

    format: str = FORMAT
    format_version: int = FORMAT_VERSION
    purpose: Purpose
    made_at: datetime
    revision: str
    """Of the tenant migration line; the tables are as they were there."""
    tables: dict[str, TableFacts]
    """In an order in which no row comes before a row that it points at."""
    left_out: list[str]
    """Tables, and columns as `table.column`, that hold secrets."""
    missing_photos: list[str]
    """Photos that rows name and the object store did not have."""
    files: dict[str, FileFacts]

    @property
    def rows(self) -> int:
        """Of all tables."""
        return sum(table.rows for table in self.tables.values())

    @property
    def photos(self) -> int:
        """Photos that are in the archive."""
        return sum(name.startswith("photos/") for name in self.files)

    def has_the_rows_of(self, files: dict[str, FileFacts]) -> bool:
        """Whether tables and sequences are, to the last byte, those of `files`."""
        mine = {
            name: facts
            for name, facts in self.files.items()
            if name == SEQUENCES or name.startswith("tables/")
        }
        return mine == files


def file_of(table: str) -> str:
    """Where a table's rows are."""
    return f"tables/{table}.jsonl"


def encoded(lines: Iterable[str]) -> Iterator[bytes]:
    """Lines as they are in the file."""
    return (f"{line}\n".encode() for line in lines)


def facts_of(pieces: Iterable[bytes]) -> FileFacts:
    """Size and hash of bytes that come in pieces."""
    digest, size = hashlib.sha256(), 0
    for piece in pieces:
        digest.update(piece)
        size += len(piece)
    return FileFacts(bytes=size, sha256=digest.hexdigest())


README_TEXT = """\
One shop of StoFlow
===================

manifest.json     When and why this was made, at which revision of the tables, how many rows each
                  table has, and size and SHA-256 of every file.
tables/           A file a table, a line a row: a JSON object, its keys are the columns. A column
                  without a value is left out. Times are ISO 8601 with their offset. Numbers may
                  be larger than 2^53. Prices (price_minor) are in minor units of the product's
                  currency.
sequences.json    The numbers that were given last.
photos/           In an export: the photos as they were uploaded, named by their SHA-256, which is
                  also in tables/product_images.jsonl.

The products are in tables/products.jsonl and tables/product_variants.jsonl, their photos in
tables/product_images.jsonl, what is for sale where in tables/channel_listings.jsonl.

Nothing here names the installation or the number of the shop, so the archive can be brought into
any installation that is not older:

    stoflow tenants import <this file> --email somebody@example.com
"""

WITHOUT_SECRETS = """
An export holds no access to marketplaces: connect eBay and other channels again afterwards.
"""

WITH_CIPHERTEXTS = """
This archive is for the installation that made it: access to marketplaces is in it, encrypted with
that installation's key. For anybody else make an export.
"""
