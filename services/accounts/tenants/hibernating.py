"""Putting a shop to sleep: its rows into an archive, its schema away, its photos where they are.

    say so        (transaction)   nobody begins anything new in the shop
    wait          (no session)    for transactions that had begun
    write         (transaction)   everything as one moment saw it, into a file
    store         (no session)    and read back
    put away      (transaction)   unless anything changed since

Killed anywhere, the shop is whole: either its schema is there, or it is and was read back from the
object store. Doing it again goes on; a sign-in of the owner takes it back.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from models.accounts.tenants import Tenant, TenantStatus
from repositories.accounts.tenant_life import SchemaRemoval, TenantLifeRepository
from repositories.accounts.tenant_rows import TenantRows
from services.accounts.tenants.archives.manifest import Manifest, Progress, Purpose, silent
from services.accounts.tenants.archives.reading import opened_archive
from services.accounts.tenants.archives.shelf import ArchiveShelf
from services.accounts.tenants.archives.snapshot import ShopSnapshots
from services.accounts.tenants.standing import ShopWork, WrongStatus, locked
from shared.clock import Clock
from shared.database import Database, PlatformSession, TenantSchema
from shared.errors import Conflict

_log = structlog.get_logger("stoflow.tenants")

LOOKS = 100
PAUSE = timedelta(milliseconds=300)
"""How often, and how far apart, it is looked whether older transactions are over: 30 seconds."""

SIGNED_OUT_BECAUSE = "the shop was put to sleep"


class ShopBusy(Conflict):
    """Somebody is still working in the shop."""

    code, title = "shop-busy", "The shop is in use"


@dataclass(frozen=True, slots=True)
class Slept:
    """A shop that was put to sleep."""

    tenant: TenantSchema
    rows: int
    archive_key: str
    archive_bytes: int


class Hibernation:
    """Puts shops to sleep. `pause` waits for so long."""

    def __init__(
        self,
        database: Database,
        snapshots: ShopSnapshots,
        shelf: ArchiveShelf,
        work: ShopWork,
        clock: Clock,
        pause: Callable[[timedelta], None],
    ) -> None:
        self._database = database
        self._snapshots = snapshots
        self._shelf = shelf
        self._work = work
        self._clock = clock
        self._pause = pause

    def idle_for(self, span: timedelta) -> list[TenantSchema]:
        """Shops whose owners did not come for that long, and which have nothing to do."""
        with self._database.platform() as session:
            return [*TenantLifeRepository(session).idle_since(self._clock.now() - span)]

    def hibernate(self, tenant: TenantSchema, progress: Progress = silent) -> Slept:
        """Put one shop to sleep.

        Raises `ShopBusy` when it has jobs or is in use, `WrongStatus` when it is not active,
        `ArchiveRefused` when it could not be brought back as it is, and what the object store
        raises. After any of them the shop is open as before.
        """
        key = self._say_so(tenant)
        with self._taken_back_on_failure(tenant, key), _file() as file:
            progress("waiting for open transactions", 0, None)
            self._wait()
            manifest = self._snapshots.write(tenant, file, Purpose.HIBERNATION, progress)
            progress("storing the archive", 0, None)
            self._shelf.put(key, file)
            with opened_archive(file):
                pass
            self._put_away(tenant, key, manifest)
            size = file.stat().st_size
        _log.info("shop hibernated", tenant=tenant.name, rows=manifest.rows, archive=key)
        return Slept(tenant, manifest.rows, key, size)

    def _say_so(self, tenant: TenantSchema) -> str:
        key = self._shelf.new_key(tenant, Purpose.HIBERNATION)
        with self._database.platform() as session:
            row = locked(session, tenant, TenantStatus.ACTIVE, TenantStatus.HIBERNATING)
            self._refuse_if_at_work(session, tenant)
            left_by_another, row.archive_key = row.archive_key, key
            TenantLifeRepository(session).set_status(
                row, TenantStatus.HIBERNATING, self._clock.now()
            )
        self._shelf.remove(left_by_another)
        return key

    def _wait(self) -> None:
        with self._database.platform() as session:
            said = TenantLifeRepository(session).now()
        for _ in range(LOOKS):
            with self._database.platform() as session:
                if not TenantLifeRepository(session).transactions_older_than(said):
                    return
            self._pause(PAUSE)
        seconds = round(LOOKS * PAUSE.total_seconds())
        raise ShopBusy(f"A transaction has been open for more than {seconds} s; try again later.")

    def _put_away(self, tenant: TenantSchema, key: str, manifest: Manifest) -> None:
        with self._database.platform() as session:
            row = locked(session, tenant, TenantStatus.HIBERNATING)
            if row.archive_key != key:
                raise WrongStatus(f"{tenant} is being put to sleep by somebody else.")
            self._refuse_if_at_work(session, tenant)
            self._refuse_if_changed(session, tenant, manifest)
            SchemaRemoval(session, self._database).drop(tenant)
            life = TenantLifeRepository(session)
            life.take_down_bells(tenant)
            life.end_sign_ins(tenant, SIGNED_OUT_BECAUSE, self._clock.now())
            life.set_status(row, TenantStatus.HIBERNATED, self._clock.now())

    def _refuse_if_at_work(self, session: PlatformSession, tenant: TenantSchema) -> None:
        if jobs := self._work.unfinished(session, tenant):
            raise ShopBusy(f"{tenant} has work to do: {'; '.join(jobs)}.")

    def _refuse_if_changed(
        self, session: PlatformSession, tenant: TenantSchema, manifest: Manifest
    ) -> None:
        """With everybody else kept out until the commit."""
        rows = TenantRows(session, self._database, tenant)
        if not self._snapshots.still_holds(rows, manifest):
            raise ShopBusy(f"{tenant} was changed while it was archived; try again.")

    @contextmanager
    def _taken_back_on_failure(self, tenant: TenantSchema, key: str) -> Iterator[None]:
        try:
            yield
        except (Exception, KeyboardInterrupt):
            self._take_back(tenant, key)
            raise

    def _take_back(self, tenant: TenantSchema, key: str) -> None:
        """The archive goes only where it is certain that the shop does not need it: a commit whose
        answer was lost may have put the shop away."""
        with self._database.platform() as session:
            row = TenantLifeRepository(session).lock(tenant)
            needed = False
            if row is not None and row.archive_key == key:
                needed = row.status is not TenantStatus.HIBERNATING
                if not needed:
                    reopen(session, row, tenant, self._work, self._clock)
        if not needed:
            self._shelf.remove(key)


def reopen(
    session: PlatformSession, row: Tenant, tenant: TenantSchema, work: ShopWork, clock: Clock
) -> None:
    """Let a shop that has its schema go on."""
    row.archive_key = None
    TenantLifeRepository(session).set_status(row, TenantStatus.ACTIVE, clock.now())
    work.ring(session, tenant)


@contextmanager
def _file() -> Iterator[Path]:
    with TemporaryDirectory(prefix="stoflow-archive-") as folder:
        yield Path(folder) / "shop.zip"
