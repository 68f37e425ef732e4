"""Reads an archive, and believes nothing in it that was not checked."""

import errno
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from zipfile import BadZipFile, ZipFile
from zlib import error as ZlibError  # noqa: N812 - an exception

from pydantic import ValidationError

from repositories.accounts.table_shapes import SequenceState
from services.accounts.tenants.archives.manifest import (
    EXTENSIONS,
    FORMAT,
    FORMAT_VERSION,
    KNOWN_NAME,
    MANIFEST,
    OTHER_TYPE,
    SEQUENCES,
    ArchiveRefused,
    FileFacts,
    Manifest,
    Progress,
    file_of,
    silent,
)

MAX_MANIFEST_BYTES = 64_000_000
"""400,000 photos."""
MAX_LINE_BYTES = 64_000_000
MAX_PHOTO_BYTES = 64_000_000
UNSUSPICIOUS_BYTES = 1_000_000_000
"""Whatever unpacks to no more than that may be packed as tightly as it likes."""
MAX_RATIO = 100
"""Unpacked to packed: rows of JSON reach 30."""

_PIECE = 1 << 20
_CONTENT_TYPES = {extension: kind for kind, extension in EXTENSIONS.items()}
_UNREADABLE = (
    BadZipFile,
    ZlibError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
)
"""What the standard library raises on the way through a damaged file."""


class ShopArchive:
    """An archive in which every byte is what the manifest says."""

    def __init__(self, archive: ZipFile, manifest: Manifest) -> None:
        self._zip = archive
        self.manifest = manifest

    def lines(self, table: str) -> Iterator[str]:
        """The rows of a table."""
        with self._zip.open(file_of(table)) as file:
            for line in file:
                yield line.decode().removesuffix("\n")

    def sequences(self) -> dict[str, SequenceState]:
        """Where sequences stand. Raises `ArchiveRefused`."""
        with _refusing():
            states = json.loads(self._zip.read(SEQUENCES))
            return {
                name: SequenceState(int(state["last_value"]), bool(state["is_called"]))
                for name, state in states.items()
            }

    def photos(self) -> Iterator[tuple[str, str, bytes]]:
        """Key below the shop's folder, content type and bytes of each photo."""
        for name in self.manifest.files:
            if name.startswith("photos/"):
                key, _, extension = name.rpartition(".")
                yield key, _CONTENT_TYPES.get(extension, OTHER_TYPE), self._zip.read(name)


@contextmanager
def opened_archive(path: Path, progress: Progress = silent) -> Iterator[ShopArchive]:
    """Check the whole archive, then let it be read. Raises `ArchiveRefused`."""
    with _refusing():
        archive = ZipFile(path)
    with archive:
        with _refusing():
            manifest = _manifest(archive)
            _check_names(archive, manifest)
            _check_sizes(archive, manifest, path.stat().st_size)
            for number, (name, facts) in enumerate(manifest.files.items(), start=1):
                _check_file(archive, manifest, name, facts)
                progress("checking files", number, len(manifest.files))
        yield ShopArchive(archive, manifest)


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except _UNREADABLE as error:
        raise _damaged(error) from error
    except OSError as error:
        # A place before the file's beginning; whatever else fails is the disk's fault.
        if error.errno != errno.EINVAL:
            raise
        raise _damaged(error) from error


def _damaged(error: Exception) -> ArchiveRefused:
    return ArchiveRefused(f"The archive is damaged: {str(error)[:200]}")


def _manifest(archive: ZipFile) -> Manifest:
    names = archive.namelist()
    if MANIFEST not in names:
        raise ArchiveRefused("This is no archive of a shop: it has no manifest.json.")
    if archive.getinfo(MANIFEST).file_size > MAX_MANIFEST_BYTES:
        raise ArchiveRefused("The archive's manifest.json is too large.")
    document = json.loads(archive.read(MANIFEST))
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ArchiveRefused("This is no archive of a shop: manifest.json says something else.")
    if document.get("format_version") != FORMAT_VERSION:
        raise ArchiveRefused(
            f"The archive has format {document.get('format_version')!r}; "
            f"this version of StoFlow reads format {FORMAT_VERSION}."
        )
    try:
        return Manifest.model_validate(document)
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, wrong["loc"]))
        raise ArchiveRefused(f"manifest.json is damaged at {where}: {wrong['msg']}.") from None


def _check_names(archive: ZipFile, manifest: Manifest) -> None:
    names = archive.namelist()
    strange = [name for name in names if name != MANIFEST and not KNOWN_NAME.fullmatch(name)]
    if strange:
        raise ArchiveRefused(f"The archive has a file that does not belong there: {strange[0]!r}.")
    if len(set(names)) != len(names):
        raise ArchiveRefused("The archive has a file twice.")
    expected = set(manifest.files) | {MANIFEST}
    expected |= {file_of(table) for table in manifest.tables} | {SEQUENCES}
    if lost := sorted(expected.difference(names)):
        raise ArchiveRefused(f"The archive lacks {lost[0]}.")
    listed = {file_of(table) for table in manifest.tables}
    unlisted = {name for name in names if name.startswith("tables/")} - listed
    if more := sorted(set(names) - set(manifest.files) - {MANIFEST} | unlisted):
        raise ArchiveRefused(f"The archive has {more[0]}, of which its manifest says nothing.")


def _check_sizes(archive: ZipFile, manifest: Manifest, packed: int) -> None:
    for name, facts in manifest.files.items():
        if archive.getinfo(name).file_size != facts.bytes:
            raise ArchiveRefused(f"{name} does not have the size that the manifest says.")
        if name.startswith("photos/") and facts.bytes > MAX_PHOTO_BYTES:
            raise ArchiveRefused(f"{name} is too large for a photo.")
    unpacked = sum(facts.bytes for facts in manifest.files.values())
    if unpacked > max(UNSUSPICIOUS_BYTES, MAX_RATIO * packed):
        raise ArchiveRefused("The archive unpacks to so much more than it is that it is a trap.")


def _check_file(archive: ZipFile, manifest: Manifest, name: str, facts: FileFacts) -> None:
    digest = hashlib.sha256()
    table = name.removeprefix("tables/").removesuffix(".jsonl") if "tables/" in name else None
    with archive.open(name) as file:
        if table is None:
            while piece := file.read(_PIECE):
                digest.update(piece)
        else:
            _check_rows(file, manifest, table, digest)
    if digest.hexdigest() != facts.sha256:
        raise ArchiveRefused(f"{name} is damaged: it is not what the manifest says.")
    if name.startswith("photos/") and facts.sha256 not in name:
        raise ArchiveRefused(f"{name} is another photo than its name says.")


def _check_rows(file: IO[bytes], manifest: Manifest, table: str, digest: "hashlib._Hash") -> None:
    columns, rows = set(manifest.tables[table].columns), 0
    while line := file.readline(MAX_LINE_BYTES):
        digest.update(line)
        rows += 1
        if not line.endswith(b"\n") or not _is_row(line, columns):
            raise ArchiveRefused(f"{file_of(table)}, line {rows}, is not a row of the table.")
    if rows != manifest.tables[table].rows:
        raise ArchiveRefused(f"{file_of(table)} does not have the rows that the manifest says.")


def _is_row(line: bytes, columns: set[str]) -> bool:
    # Numbers stay text: PostgreSQL reads them, without a loss.
    row: Any = json.loads(line, parse_int=str, parse_float=str)
    return isinstance(row, dict) and row.keys() <= columns
