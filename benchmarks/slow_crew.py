"""A worker whose jobs take as long as a marketplace does, in a process of its own."""

import multiprocessing
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing.connection import Connection
from typing import Any

import structlog
from prometheus_client import CollectorRegistry

from backend.metrics import Meters
from backend.pools import WORKER_IN_POOL
from backend.scheduler import Scheduler, worker_name
from backend.settings import WorkerSettings
from backend.worker import Worker
from models.selling.publishing import Channel, JobAction, MarketplaceJob
from services.accounts.schedule.running import TickRunner
from services.selling.publishing.handlers import Completed, Journal, Verdict
from services.selling.publishing.lease import LeaseKeeper
from services.selling.publishing.processor import MarketplaceJobProcessor
from shared.clock import SystemClock
from shared.database import Database, EngineOptions, TenantSession, create_database_engine
from shared.database.leadership import Leadership
from shared.database.wake_ups import WakeUpListener

SHORTEST_S, LONGEST_S = 0.05, 0.2
CALLS = 3
"""A job's time is spent in so many calls, with a checkpoint after each."""

_GRACE = timedelta(seconds=20)

JobKey = tuple[int, int]
"""Number of the shop and of the job."""


@dataclass
class _Slow:
    """Waits as for answers from outside; notes when each job began."""

    began_at: dict[JobKey, float] = field(default_factory=dict)

    def prepare(self, session: TenantSession, job: MarketplaceJob) -> float:
        self.began_at[session.tenant.tenant_id, job.id] = time.perf_counter()
        return random.uniform(SHORTEST_S, LONGEST_S)

    def perform(self, command: float, journal: Journal) -> dict[str, Any]:
        for number in range(CALLS):
            time.sleep(command / CALLS)
            journal.checkpoint(f"call {number}")
        return {}

    def record(
        self, session: TenantSession, job: MarketplaceJob, result: dict[str, Any]
    ) -> Verdict:
        return Completed(result)


@dataclass(frozen=True)
class SlowCrew:
    """The maker's end."""

    pipe: Connection

    def began_at(self, shop: int, job_id: int) -> float | None:
        """When a job began, by the machine's `perf_counter`; None: not yet."""
        self.pipe.send((shop, job_id))
        found = self.pipe.recv()
        return None if found is None else float(found)


@contextmanager
def slow_crew_on(url: str, settings: WorkerSettings) -> Iterator[SlowCrew]:
    """A worker process at work; gone at the end."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_work, args=(url, settings, theirs), daemon=True)
    process.start()
    try:
        assert ours.recv() == "at work"
        yield SlowCrew(ours)
        ours.send("stop")
        process.join(_GRACE.total_seconds())
    finally:
        process.kill()
        process.join()


def _work(url: str, settings: WorkerSettings, pipe: Connection) -> None:
    # Jobs that end well are told on standard error, thousands of them.
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    options = EngineOptions(pool_size=settings.threads + WORKER_IN_POOL)
    database, slow = Database(create_database_engine(url, options)), _Slow()
    worker = _worker(database, settings, slow)
    worker.start()
    pipe.send("at work")
    while (asked := pipe.recv()) != "stop":
        pipe.send(slow.began_at.get(asked))
    worker.stop(_GRACE)


def _worker(database: Database, settings: WorkerSettings, slow: _Slow) -> Worker:
    clock, meters = SystemClock(), Meters(CollectorRegistry())
    worker = Worker(
        MarketplaceJobProcessor(
            database,
            {(channel, action): slow for channel in Channel for action in JobAction},
            LeaseKeeper(database, clock, settings.lease),
            clock,
            worker_name(),
            settings.caps,
            settings.longest_wait,
        ),
        [],
        Scheduler(
            Leadership(database.engine, worker_name(), settings.leadership),
            [],
            TickRunner(database, clock, worker_name(), meters),
            meters,
            settings.leadership,
        ),
        meters,
        threads=settings.threads,
        poll=settings.poll,
    )
    worker.listen_with(WakeUpListener(database.engine, worker.wake))
    return worker
