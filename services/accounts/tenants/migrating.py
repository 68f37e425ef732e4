"""Moves existing shops to another revision: several at a time, a transaction each."""

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum, auto
from time import monotonic

import structlog

from repositories.accounts.tenant_migrations import SchemaStep, TenantMigrationRepository
from services.accounts.tenants.waiting_line import WaitingLine
from shared.clock import Clock
from shared.database import Database, TenantSchema, may_pass, reason_of

log = structlog.get_logger(__name__)

LONGEST_REASON = 300
"""Characters of an error that are kept."""


class Ending(Enum):
    """How it went with one shop."""

    MIGRATED = auto()
    FAILED = auto()
    SKIPPED = auto()
    """It had moved already, fell asleep or is gone."""


@dataclass(frozen=True, slots=True)
class ShopMoved:
    """One shop is dealt with."""

    tenant: TenantSchema
    since: str
    ending: Ending
    error: str = ""
    """The first line of what went wrong."""


Watch = Callable[[ShopMoved], None]
Shops = Sequence[tuple[TenantSchema, str]]


@dataclass(frozen=True)
class MigrationReport:
    """How a run over shops ended."""

    migrated: int = 0
    skipped: int = 0
    failed: tuple[ShopMoved, ...] = ()
    """Left at their old revision."""
    seconds: float = 0.0

    def plus(self, other: "MigrationReport") -> "MigrationReport":
        """Both, one after the other."""
        return MigrationReport(
            self.migrated + other.migrated,
            self.skipped + other.skipped,
            self.failed + other.failed,
            self.seconds + other.seconds,
        )


@dataclass(frozen=True, slots=True)
class Patience:
    """What is done about a shop whose tables are locked or whose connection was lost."""

    tries: int = 10
    first_pause_s: float = 0.1
    longest_pause_s: float = 5.0

    def pause_s(self, tries: int) -> float:
        """Full jitter: anything from nothing to 0.1, 0.2, 0.4 … 5 seconds."""
        longest = min(self.first_pause_s * 2 ** (tries - 1), self.longest_pause_s)
        return random.uniform(0, longest)  # noqa: S311 - no secret


@dataclass(slots=True)
class _Shop:
    tenant: TenantSchema
    since: str
    tries: int = 0


@dataclass
class _Tally:
    endings: list[ShopMoved] = field(default_factory=list)

    def report(self, seconds: float) -> MigrationReport:
        failed = [each for each in self.endings if each.ending is Ending.FAILED]
        skipped = sum(each.ending is Ending.SKIPPED for each in self.endings)
        migrated = len(self.endings) - skipped - len(failed)
        ordered = tuple(sorted(failed, key=lambda each: each.tenant))
        return MigrationReport(migrated, skipped, ordered, round(seconds, 3))


class ShopMigrations:
    """`steps_from(revision)` gives the way from a revision to the target, rendered once."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        steps_from: Callable[[str], Sequence[SchemaStep]],
        *,
        jobs: int,
        patience: Patience,
    ) -> None:
        self._database = database
        self._clock = clock
        self._steps_from = steps_from
        self._jobs = jobs
        self._patience = patience

    def run(self, shops: Shops, watch: Watch) -> MigrationReport:
        """Move these shops; a failing one is left as it was and does not stop the others.

        `watch` hears of each shop, from several threads. When it raises, or the run is
        interrupted, the shops in hand are finished and no other is begun.
        """
        began, tally = monotonic(), _Tally()
        line = WaitingLine([_Shop(tenant, since) for tenant, since in shops])
        # Rendered here and once, not by each thread.
        ways = {since: self._steps_from(since) for since in {since for _, since in shops}}
        with ThreadPoolExecutor(self._jobs, thread_name_prefix="migrate") as threads:
            working = [
                threads.submit(self._work, line, ways, tally, watch) for _ in range(self._jobs)
            ]
            try:
                for each in working:
                    each.result()
            finally:
                line.close()
        return tally.report(monotonic() - began)

    def _work(
        self,
        line: WaitingLine[_Shop],
        ways: dict[str, Sequence[SchemaStep]],
        tally: _Tally,
        watch: Watch,
    ) -> None:
        try:
            while (shop := line.take()) is not None:
                moved = self._try(shop, ways[shop.since])
                if moved is None:
                    line.put_back(shop, self._patience.pause_s(shop.tries))
                    continue
                line.done()
                tally.endings.append(moved)
                watch(moved)
        finally:
            line.close()

    def _try(self, shop: _Shop, way: Sequence[SchemaStep]) -> ShopMoved | None:
        """None: the shop was busy and is worth another try."""
        shop.tries += 1
        try:
            with self._database.platform(hurried=False) as session:
                moved = TenantMigrationRepository(session, self._database).move(shop.tenant, way)
        except Exception as error:
            if may_pass(error) and shop.tries < self._patience.tries:
                return None
            return self._failed(shop, error)
        return ShopMoved(shop.tenant, shop.since, Ending.MIGRATED if moved else Ending.SKIPPED)

    def _failed(self, shop: _Shop, error: Exception) -> ShopMoved:
        reason = reason_of(error)[:LONGEST_REASON]
        try:
            with self._database.platform() as session:
                TenantMigrationRepository(session, self._database).note_failure(
                    shop.tenant, shop.since, reason, self._clock.now()
                )
        except Exception:
            log.exception("migration.failure_not_recorded", tenant=shop.tenant.name)
        return ShopMoved(shop.tenant, shop.since, Ending.FAILED, reason)
