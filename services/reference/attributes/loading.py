"""Brings the catalogues to what the data files say."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from repositories.reference.attributes import CatalogueRepository
from services.reference.attributes.files import FILES, CatalogueFile, search_keys
from shared.clock import Clock
from shared.database import PlatformSession

Progress = Callable[[str, int, int], None]
"""Called before a file is loaded with its name, the number of files done, and of all."""


def _silent(_name: str, _done: int, _total: int) -> None:
    """Nobody is watching."""


@dataclass(frozen=True)
class LoadReport:
    """What a run did."""

    loaded: tuple[str, ...]
    """Names of the files whose content was new."""
    rows: int
    """Rows in those files."""


class CatalogueLoading:
    """Loads the files whose content changed, inside the caller's transaction.

    Safe to repeat and to run in several processes at once: a second one waits, then finds nothing
    to do. Rows that left a file leave the table; the cache of eBay's answers is not touched.
    """

    def __init__(self, clock: Clock, files: Sequence[CatalogueFile] = FILES) -> None:
        self._clock = clock
        self._files = files

    def is_complete(self, session: PlatformSession) -> bool:
        """Whether the catalogues hold exactly what the files say."""
        return not self._changed(CatalogueRepository(session))

    def load(self, session: PlatformSession, progress: Progress = _silent) -> LoadReport:
        """Load what changed; nothing at all when the hashes agree.

        Raises `ValueError` naming file and line for a malformed file; roll back then.
        """
        repository = CatalogueRepository(session)
        if not self._changed(repository):
            return LoadReport((), 0)
        repository.wait_for_turn()
        changed = self._changed(repository)
        count = 0
        for done, (file, content_hash) in enumerate(changed):
            progress(file.name, done, len(changed))
            count += self._load_file(repository, file, content_hash)
        return LoadReport(tuple(file.name for file, _hash in changed), count)

    def _changed(self, repository: CatalogueRepository) -> list[tuple[CatalogueFile, str]]:
        loaded = repository.loaded_hashes()
        hashes = ((file, file.content_hash()) for file in self._files)
        return [(file, found) for file, found in hashes if loaded.get(file.name) != found]

    def _load_file(
        self, repository: CatalogueRepository, file: CatalogueFile, content_hash: str
    ) -> int:
        rows = list(file.rows())
        repository.replace(file.model, rows, file.part)
        if file.searched_as is not None:
            keys = ((row["code"], search_keys(row)) for row in rows)
            repository.replace_search_keys(file.searched_as, keys)
        repository.record(file.name, content_hash, len(rows), self._clock.now())
        return len(rows)
