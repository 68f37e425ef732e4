"""A worker whose handlers do nothing, in a process of its own that its maker steers."""

import multiprocessing
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing.connection import Connection
from typing import Any

import structlog
from prometheus_client import CollectorRegistry
from sqlalchemy import event

from backend.metrics import Meters
from backend.pools import WORKER_IN_POOL
from backend.scheduler import Scheduler, worker_name
from backend.settings import WorkerSettings
from backend.worker import Worker
from models.selling.publishing import Channel, JobAction, MarketplaceJob
from services.accounts.schedule.running import TickRunner
from services.selling.publishing.handlers import Completed, JobHandler, Journal, Verdict
from services.selling.publishing.lease import LeaseKeeper
from services.selling.publishing.processor import MarketplaceJobProcessor
from shared.clock import SystemClock
from shared.database import Database, EngineOptions, TenantSession, create_database_engine
from shared.database.leadership import Leadership
from shared.database.wake_ups import WakeUpListener

GRACE = timedelta(seconds=20)


@dataclass
class _Nothing:
    """Does nothing; notes when jobs begin and how many have ended."""

    began_at: list[float] = field(default_factory=list)
    ended: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def prepare(self, session: TenantSession, job: MarketplaceJob) -> dict[str, Any]:
        self.began_at.append(time.perf_counter())
        return {}

    def perform(self, command: dict[str, Any], journal: Journal) -> dict[str, Any]:
        return command

    def record(
        self, session: TenantSession, job: MarketplaceJob, result: dict[str, Any]
    ) -> Verdict:
        with self.lock:
            self.ended += 1
        return Completed(result)


@dataclass(frozen=True)
class Crew:
    """The maker's end."""

    pipe: Connection

    def start(self) -> None:
        """Let the worker begin."""
        self._ask("start")

    def began_at(self) -> list[float]:
        """When each job so far began, by the machine's `perf_counter`."""
        return list(self._ask("began_at"))

    def ended(self) -> int:
        """How many jobs have ended so far."""
        return int(self._ask("ended"))

    def statements(self) -> int:
        """How many statements the worker has sent so far; BEGIN and COMMIT are none."""
        return int(self._ask("statements"))

    def _ask(self, what: str) -> Any:
        self.pipe.send(what)
        return self.pipe.recv()


@contextmanager
def crew_on(url: str, threads: int) -> Iterator[Crew]:
    """A worker process, ready to start; gone at the end."""
    fork = multiprocessing.get_context("spawn")
    ours, theirs = fork.Pipe()
    process = fork.Process(target=_work, args=(url, threads, theirs), daemon=True)
    process.start()
    try:
        assert ours.recv() == "ready"
        yield Crew(ours)
        ours.send("stop")
        process.join(GRACE.total_seconds())
    finally:
        process.kill()
        process.join()


def _work(url: str, threads: int, pipe: Connection) -> None:
    # Jobs that end well are told on standard error, thousands of them.
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    options = EngineOptions(pool_size=threads + WORKER_IN_POOL)
    database, nothing = Database(create_database_engine(url, options)), _Nothing()
    worker = worker_with(database, threads, nothing)
    sent = 0

    def count(*_: object) -> None:
        nonlocal sent
        sent += 1

    event.listen(database.engine, "before_cursor_execute", count)
    pipe.send("ready")
    while (asked := pipe.recv()) != "stop":
        if asked == "start":
            worker.start()
        answers = {"began_at": nothing.began_at, "ended": nothing.ended, "statements": sent}
        pipe.send(answers.get(asked))
    worker.stop(GRACE)


def worker_with(database: Database, threads: int, handler: JobHandler[Any, Any]) -> Worker:
    """A worker that runs this handler for every job, and no ticks."""
    clock, settings, meters = SystemClock(), WorkerSettings(), Meters(CollectorRegistry())
    leases = LeaseKeeper(database, clock, settings.lease)
    table = {(channel, action): handler for channel in Channel for action in JobAction}
    worker = Worker(
        MarketplaceJobProcessor(
            database, table, leases, clock, worker_name(), settings.caps, settings.longest_wait
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
        threads=threads,
        poll=settings.poll,
    )
    worker.listen_with(WakeUpListener(database.engine, worker.wake))
    return worker
