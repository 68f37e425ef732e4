"""Writes a shop into an archive, a few rows at a time."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from repositories.accounts.table_shapes import TableShape
from repositories.accounts.tenant_rows import TenantRows
from services.accounts.tenants.archives.manifest import (
    EXTENSIONS,
    MANIFEST,
    OTHER_EXTENSION,
    README,
    README_TEXT,
    SEQUENCES,
    WITH_CIPHERTEXTS,
    WITHOUT_SECRETS,
    ArchiveRefused,
    FileFacts,
    Manifest,
    Progress,
    Purpose,
    TableFacts,
    encoded,
    facts_of,
    file_of,
    silent,
)

_TOLD_EVERY = 1_000
"""Rows."""


@dataclass
class ArchiveWriter:
    """One archive that is being written; complete once `finish` has been called."""

    path: Path
    purpose: Purpose
    made_at: datetime
    revision: str
    progress: Progress = silent
    _zip: ZipFile = field(init=False)
    _tables: dict[str, TableFacts] = field(default_factory=dict)
    _left_out: list[str] = field(default_factory=list)
    _missing: list[str] = field(default_factory=list)
    _files: dict[str, FileFacts] = field(default_factory=dict)
    photos_named: dict[str, str] = field(default_factory=dict)
    """Content types by key below the shop's folder: what an export still has to add."""

    def __post_init__(self) -> None:
        self._zip = ZipFile(self.path, "w", ZIP_DEFLATED)
        keeps_secrets = self.purpose is Purpose.HIBERNATION
        readme = README_TEXT + (WITH_CIPHERTEXTS if keeps_secrets else WITHOUT_SECRETS)
        self._add(README, [readme.encode()])

    def add_rows(self, rows: TenantRows) -> None:
        """All tables and sequences, as the caller's transaction sees them.

        Raises `ArchiveRefused` when rows name files outside the shop's own folder.
        """
        for table in rows.tables():
            self._refuse_misplaced_files(rows, table)
            if self.purpose is not Purpose.HIBERNATION:
                if table.is_secret():
                    self._left_out.append(table.name)
                    continue
                table = self._without_secrets(table)
                self.photos_named.update(rows.object_keys(table))
            self._add_table(rows, table)
        self._add(SEQUENCES, [_sequences(rows)])

    def add_photo(self, key: str, content_type: str, data: bytes) -> None:
        """The bytes behind a key."""
        extension = EXTENSIONS.get(content_type, OTHER_EXTENSION)
        # Photos are compressed as they are.
        self._add(f"{key}.{extension}", [data], ZIP_STORED)

    def miss_photo(self, key: str) -> None:
        """Rows name it and nobody has it."""
        self._missing.append(key)

    def finish(self) -> Manifest:
        """Write the manifest and close."""
        manifest = Manifest(
            purpose=self.purpose,
            made_at=self.made_at,
            revision=self.revision,
            tables=self._tables,
            left_out=self._left_out,
            missing_photos=self._missing,
            files=dict(self._files),
        )
        self._add(MANIFEST, [manifest.model_dump_json(indent=1).encode()])
        self._zip.close()
        return manifest

    def _without_secrets(self, table: TableShape) -> TableShape:
        kept = table.without_secrets()
        left = (name for name in table.columns if name not in kept.columns)
        self._left_out += [f"{table.name}.{name}" for name in left]
        return kept

    def _refuse_misplaced_files(self, rows: TenantRows, table: TableShape) -> None:
        if misplaced := rows.misplaced_files(table):
            raise ArchiveRefused(
                f"{misplaced} rows of {table.name} name files outside the shop's folder; "
                "they cannot be archived."
            )

    def _add_table(self, rows: TenantRows, table: TableShape) -> None:
        counted = _Counted(rows.lines(table), table.name, self.progress)
        self._add(file_of(table.name), encoded(counted))
        self._tables[table.name] = TableFacts(rows=counted.count, columns=list(table.columns))

    def _add(self, name: str, pieces: Iterable[bytes], compression: int = ZIP_DEFLATED) -> None:
        info = ZipInfo(name, self.made_at.timetuple()[:6])
        info.compress_type = compression
        info.external_attr = 0o600 << 16
        with self._zip.open(info, "w", force_zip64=True) as file:

            def written() -> Iterator[bytes]:
                for piece in pieces:
                    file.write(piece)
                    yield piece

            self._files[name] = facts_of(written())


class _Counted:
    """Lines on their way, counted and told of now and then."""

    def __init__(self, lines: Iterable[str], name: str, progress: Progress) -> None:
        self._lines = lines
        self._name = name
        self._progress = progress
        self.count = 0

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.count += 1
            if self.count % _TOLD_EVERY == 0:
                self._progress(self._name, self.count, None)
            yield line
        self._progress(self._name, self.count, self.count)


def facts_of_rows(rows: TenantRows) -> dict[str, FileFacts]:
    """What the files of an archive with everything would be, without writing one."""
    files = {file_of(table.name): facts_of(encoded(rows.lines(table))) for table in rows.tables()}
    return files | {SEQUENCES: facts_of([_sequences(rows)])}


def _sequences(rows: TenantRows) -> bytes:
    states = {
        name: {"last_value": state.last_value, "is_called": state.is_called}
        for name, state in rows.sequences().items()
    }
    return json.dumps(states, indent=1).encode()
