"""The pool of a process: it can be watched, and nobody waits behind one that stands still."""

import logging
from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import TimeoutError as WaitedInVain
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection, QueuePool

from shared.errors import DatabaseUnavailable

# SQLAlchemy names a pool's logger after its class; as talkative as its own pools.
logging.getLogger(__name__).setLevel(logging.WARNING)


class PoolFigures:
    """What happens in the pool of an engine."""

    def __init__(self) -> None:
        self.waiting = 0
        """Threads that want a connection and have none yet, at this moment."""
        self.opened = 0
        self.retired = 0
        """Let go of because they had served enough shops."""
        self.lost = 0
        """Let go of because they were broken."""
        self.refused = 0
        """Wishes for a connection that were not met in time."""
        self.on_wait: Callable[[float], object] = lambda _seconds: None
        """Called with each wait for a connection, in seconds."""
        self.moved_at = monotonic()
        self._lock = Lock()

    def arrive(self) -> None:
        """Somebody wants a connection."""
        with self._lock:
            self.waiting += 1

    def leave(self, seconds: float, *, served: bool) -> None:
        """Somebody got one, or gave up."""
        with self._lock:
            self.waiting -= 1
            self.refused += not served
        self.on_wait(seconds)

    def watch(self, engine: Engine) -> None:
        """Count what the engine's pool opens and lets go of."""
        event.listen(engine, "connect", self._opened)
        event.listen(engine, "invalidate", self._let_go)
        event.listen(engine, "checkin", self._given_back)

    def _opened(self, _connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        with self._lock:
            self.opened += 1

    def _let_go(
        self,
        _connection: DBAPIConnection,
        _entry: ConnectionPoolEntry,
        reason: BaseException | None,
    ) -> None:
        with self._lock:
            if reason is None:
                self.retired += 1
            else:
                self.lost += 1

    def _given_back(self, _connection: DBAPIConnection | None, _entry: ConnectionPoolEntry) -> None:
        self.moved_at = monotonic()


class WatchedPool(QueuePool):
    """Keeps figures, and refuses at once who would wait in vain: no hang, however many come.

    `limit + most_waiting` threads are all that it can hold up. A server with more of them always
    has one for a request that holds a connection and needs a thread to go on. And when no
    connection has moved for the whole timeout, nobody else waits for it.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.most_waiting = 0
        self.figures = PoolFigures()

    def recreate(self) -> "WatchedPool":
        """The pool that takes over when this one is disposed of."""
        successor = super().recreate()
        assert isinstance(successor, WatchedPool)
        successor.most_waiting = self.most_waiting
        successor.figures = self.figures
        return successor

    def connect(self) -> PoolProxiedConnection:
        """A connection. Raises `DatabaseUnavailable` when none becomes free in time."""
        began, served = monotonic(), False
        self.figures.arrive()
        try:
            connection = self._connect(began)
            served = True
            return connection
        finally:
            self.figures.leave(monotonic() - began, served=served)

    @property
    def in_use(self) -> int:
        """Connections that somebody works with."""
        return self.checkedout()

    @property
    def limit(self) -> int:
        """How many there may be."""
        return self.size() + self._max_overflow

    def _connect(self, now: float) -> PoolProxiedConnection:
        if self.figures.waiting > self.most_waiting or self._stands_still(now):
            raise _none_free()
        try:
            connection = super().connect()
        except WaitedInVain:
            raise _none_free() from None
        self.figures.moved_at = monotonic()
        return connection

    def _stands_still(self, now: float) -> bool:
        rest = now - self.figures.moved_at
        return rest > self.timeout() and self.checkedin() == 0 and self.in_use >= self.limit


def pool_of(engine: Engine) -> WatchedPool:
    """The engine's pool, with its figures."""
    assert isinstance(engine.pool, WatchedPool)
    return engine.pool


def _none_free() -> DatabaseUnavailable:
    return DatabaseUnavailable("All connections to the database are in use.", retry_after=2)
