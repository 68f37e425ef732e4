"""Brings an installation up to date: shared schemas, template, every shop, catalogues."""

from backend.migration import (
    InstallationMigration,
    MigrationOutcome,
    MigrationWish,
    Silent,
    Watcher,
)
from migrations.runner import state_grants
from services.reference.attributes.loading import CatalogueLoading
from shared.clock import Clock
from shared.database import Database

FILES_BETWEEN_LINES = 20
"""Some seventy files take two seconds on a first run; a line each would tell nothing."""


def bring_up_to_date(
    database: Database,
    clock: Clock,
    wish: MigrationWish | None = None,
    watcher: Watcher | None = None,
) -> MigrationOutcome:
    """Migrate, move every shop, load catalogues. Safe to repeat.

    A shop that cannot be migrated is reported and left as it was; the others go on.
    """
    watcher = watcher or Silent()
    outcome = InstallationMigration(database, clock, wish or MigrationWish()).run(watcher)
    state_grants(database.engine)

    def progress(_name: str, done: int, total: int) -> None:
        if done % FILES_BETWEEN_LINES == 0:
            watcher.say(f"catalogues: {done} of {total} files")

    with database.platform() as session:
        loaded = CatalogueLoading(clock).load(session, progress)
    if loaded.loaded:
        watcher.say(f"catalogues: {loaded.rows:,} rows from {len(loaded.loaded)} files")
    return outcome
