"""How long it takes a worker to find and take the one job that is due in some shop."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from benchmarks.installation import address_of
from benchmarks.shops import leave_job
from models.accounts.tenants import Lane
from models.selling.publishing import Channel, JobAction, MarketplaceJob
from services.selling.publishing.handlers import Completed, Journal, Verdict
from services.selling.publishing.lease import LeaseKeeper
from services.selling.publishing.processor import MarketplaceJobProcessor
from shared.clock import SystemClock
from shared.database import (
    Database,
    EngineOptions,
    TenantSchema,
    TenantSession,
    create_database_engine,
)

_LEASE = timedelta(seconds=60)
_PRODUCT = 2
"""Not the one whose job is due in a year."""


@dataclass
class _Handler:
    """Does nothing, and notes when it was first asked to."""

    began_at: float = 0.0

    def prepare(self, session: TenantSession, job: MarketplaceJob) -> dict[str, Any]:
        self.began_at = time.perf_counter()
        return {}

    def perform(self, command: dict[str, Any], journal: Journal) -> dict[str, Any]:
        return command

    def record(
        self, session: TenantSession, job: MarketplaceJob, result: dict[str, Any]
    ) -> Verdict:
        return Completed(result)


class PickUps:
    """A worker of one thread with a pool of its own."""

    def __init__(self, database: Database, shops: Database) -> None:
        self._shops = shops
        self._clock = SystemClock()
        self._handler = _Handler()
        self._processor = MarketplaceJobProcessor(
            database,
            {(Channel.EBAY, JobAction.PUBLISH): self._handler},
            LeaseKeeper(database, self._clock, _LEASE),
            self._clock,
            "benchmark",
        )

    def milliseconds(self, shop: TenantSchema) -> float:
        """From looking for work to the begin of the job's first step.

        The job is left there beforehand, through the seller's pool; all other bells are set too.
        """
        with self._shops.tenant(shop) as session:
            leave_job(session, _PRODUCT, self._clock.now())
        started = time.perf_counter()
        processed = self._processor.process_next_job(Lane.BULK)
        if processed is None or processed.lease.tenant != shop:
            raise RuntimeError(f"The worker did not find the job of {shop}.")
        return (self._handler.began_at - started) * 1000


@contextmanager
def worker_for(database: Database) -> Iterator[PickUps]:
    """A worker with connections of its own."""
    engine = create_database_engine(address_of(database), EngineOptions(pool_size=1))
    try:
        yield PickUps(Database(engine), database)
    finally:
        engine.dispose()
