"""How many connections to the database each process of an installation may hold.

PostgreSQL gives one number for all: what the server allows, less what it keeps for superusers and
what we keep for commands. Workers get what their threads need, the API processes share the rest.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from backend.settings import Settings
from shared.database import Database
from shared.database.pool import pool_of
from shared.errors import Misconfigured

FOR_COMMANDS = 10
"""Kept free for `stoflow` on the command line, and what one command takes at most."""

API_AT_MOST = 15
"""More keep a process no busier: its requests also share one interpreter."""
API_AT_LEAST = 2
API_BESIDE = 2
"""The one that listens for commands to sellers' browsers, and the successor of one that will be
retired."""

WORKER_IN_POOL = 5
"""Beside its threads: the heartbeat, the relay, two ticks, the look who leads."""
WORKER_BESIDE = 3
"""The leader's own connection, the one that listens for wake-ups, and a successor."""

_WAITS_S = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class ProcessKind(Enum):
    """What a process does."""

    API = "api"
    WORKER = "worker"
    BOTH = "api and worker"
    COMMAND = "command"

    @property
    def serves(self) -> bool:
        """Whether requests come in."""
        return self in {ProcessKind.API, ProcessKind.BOTH}

    @property
    def works(self) -> bool:
        """Whether jobs run in it."""
        return self in {ProcessKind.WORKER, ProcessKind.BOTH}


@dataclass(frozen=True, slots=True)
class ConnectionBudget:
    """The connections of one installation, and who shares them."""

    connections: int
    """For all its API and worker processes together."""
    api_processes: int
    worker_processes: int
    worker_threads: int

    @property
    def worker_pool(self) -> int:
        """What a worker needs so that no thread of it waits."""
        return self.worker_threads + WORKER_IN_POOL

    @property
    def api_pool(self) -> int:
        """What is left for each API process. Raises `Misconfigured` when that is too little."""
        workers = self.worker_processes * (self.worker_pool + WORKER_BESIDE)
        size = (self.connections - workers) // self.api_processes - API_BESIDE
        if size < API_AT_LEAST:
            needed = workers + self.api_processes * (API_AT_LEAST + API_BESIDE)
            raise Misconfigured(
                f"{self.api_processes} API and {self.worker_processes} worker processes (of"
                f" {self.worker_threads} threads) need {needed} connections to the database, and"
                f" {self.connections} may be used. Run fewer (STOFLOW_API_PROCESSES,"
                " STOFLOW_WORKER_PROCESSES, STOFLOW_WORKER_THREADS), or allow more"
                " (STOFLOW_DATABASE_CONNECTIONS, max_connections of the server)."
            )
        return min(size, API_AT_MOST)

    def pool_of(self, kind: ProcessKind) -> int:
        """Connections in the pool of one process. Raises `Misconfigured`."""
        # Whoever starts is refused when the others could not start.
        api = self.api_pool
        return api * kind.serves + self.worker_pool * kind.works


def pool_size(settings: Settings, kind: ProcessKind, server_allows: int | None) -> int:
    """The pool of this process. `server_allows` is None where the server did not say.

    Raises `Misconfigured` when the processes that were announced cannot all be served.
    """
    database = settings.database
    if database.pool_size is not None:
        return database.pool_size
    if kind is ProcessKind.COMMAND:
        return FOR_COMMANDS
    budget = ConnectionBudget(
        database.connections or _ample(server_allows),
        database.api_processes,
        max(database.worker_processes, int(kind.works)),
        settings.worker.threads,
    )
    return budget.pool_of(kind)


def _ample(server_allows: int | None) -> int:
    return 10_000 if server_allows is None else server_allows - FOR_COMMANDS


class PoolMeters(Collector):
    """How this process fares with its connections."""

    def __init__(self, database: Database, registry: CollectorRegistry) -> None:
        self._database = database
        wait = Histogram(
            "stoflow_database_pool_wait_seconds",
            "Time until a connection was to be had, or was waited for no longer.",
            buckets=_WAITS_S,
            registry=registry,
        )
        pool_of(database.engine).figures.on_wait = wait.observe
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """Asks nobody but the pool."""
        pool = pool_of(self._database.engine)
        figures = pool.figures
        gauges = {
            "size": ("Connections that this process may hold.", pool.limit),
            "in_use": ("Connections that somebody works with.", pool.in_use),
            "waiting": ("Threads that want a connection and have none.", figures.waiting),
        }
        for name, (words, number) in gauges.items():
            yield GaugeMetricFamily(f"stoflow_database_pool_{name}", words, number)
        counters = {
            "opened": ("Connections opened.", figures.opened),
            "retired": ("Connections let go of after enough shops.", figures.retired),
            "lost": ("Connections let go of because they were broken.", figures.lost),
            "refused": ("Wishes for a connection that were not met in time.", figures.refused),
        }
        for name, (words, number) in counters.items():
            yield CounterMetricFamily(f"stoflow_database_pool_{name}", words, number)
