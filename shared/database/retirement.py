"""Retires pooled connections before their PostgreSQL backends grow too large.

A backend keeps what it learned of every table it has touched, and nothing short of its end makes
it forget: shop after shop it grows (see docs/adr). So a connection is let go of when it has served
a number of distinct tenants. That happens where it goes back to the pool, never in a transaction,
and its successor has been opened beforehand by a thread of its own: no request waits for it.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from shared.database.tenant_schema import TenantSchema

WarmUp = Callable[[DBAPIConnection], None]

_SERVED = "tenants_served"
_ENOUGH = "tenants_enough"

_EARLIEST, _LATEST = 0.6, 0.9
"""Between which parts of the limit a connection would like to go; see `_turns`."""

_GOLDEN = 0.618033988749895
"""Multiples of it, modulo 1, fall evenly into [0, 1) however many are taken."""


def note_tenant(connection: Connection, tenant: TenantSchema) -> None:
    """Remember that this connection's backend touched a tenant's tables."""
    connection.info.setdefault(_SERVED, set()).add(tenant.tenant_id)


def tenants_served(connection: Connection) -> int:
    """How many distinct tenants this connection's backend has touched."""
    return len(connection.info.get(_SERVED, ()))


class ConnectionRetirement:
    """Bounds the tenants that one connection of an engine serves in its life.

    From its own turn on, somewhere between 60 and 90 % of `limit`, a connection is let go of as
    soon as a successor is ready; at `limit` in any case. One successor is opened at a time, so a
    process holds one connection more than its pool for moments only, and never lets go of all.
    """

    def __init__(self, engine: Engine, limit: int, warm_up: WarmUp | None = None) -> None:
        """`warm_up` is what a successor's backend is taught before it serves."""
        self._limit = limit
        self._turns = _turns(limit)
        self._successor = _Successor(warm_up)
        event.listen(engine, "connect", self._give_a_turn)
        event.listen(engine, "checkin", self._retire_when_due)
        event.listen(engine, "do_connect", self._take_successor)
        event.listen(engine, "engine_disposed", self._let_go)

    def _give_a_turn(self, _connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
        entry.info[_ENOUGH] = next(self._turns)

    def _retire_when_due(
        self, connection: DBAPIConnection | None, entry: ConnectionPoolEntry
    ) -> None:
        served = len(entry.info.get(_SERVED, ()))
        if connection is None or served < entry.info[_ENOUGH]:
            return
        if served >= self._limit or self._successor.promise():
            entry.invalidate()
        else:
            self._successor.prepare()

    def _take_successor(
        self,
        dialect: Dialect,
        _entry: ConnectionPoolEntry,
        arguments: Sequence[Any],
        options: dict[str, Any],
    ) -> DBAPIConnection | None:
        """The connection opened beforehand; None lets the pool open one."""
        return self._successor.take(partial(dialect.connect, *arguments, **options))

    def _let_go(self, _engine: Engine) -> None:
        self._successor.close()


class _Successor:
    """At most one connection, opened before it is needed."""

    def __init__(self, warm_up: WarmUp | None) -> None:
        self._warm_up = warm_up
        self._lock = threading.Lock()
        self._open: Callable[[], DBAPIConnection] | None = None
        self._opener: threading.Thread | None = None
        self._connection: DBAPIConnection | None = None
        self._promised = False

    def promise(self) -> bool:
        """Whether there is one, and nobody else goes for its sake."""
        with self._lock:
            if self._connection is None or self._promised:
                return False
            self._promised = True
            return True

    def prepare(self) -> None:
        """Begin to open one, unless that is done or under way."""
        with self._lock:
            if self._opener is None and self._connection is None:
                self._opener = threading.Thread(target=self._prepare, name="successor", daemon=True)
                self._opener.start()

    def take(self, open_connection: Callable[[], DBAPIConnection]) -> DBAPIConnection | None:
        """Hand it out, if there is one and it is alive; the next is opened the way given here."""
        with self._lock:
            self._open = open_connection
            connection, self._connection, self._promised = self._connection, None, False
        return connection if connection is not None and _answers(connection) else None

    def close(self) -> None:
        """Leave none open."""
        opener = self._opener
        if opener is not None:
            opener.join()
        connection = self._connection
        if connection is not None:
            self._connection = None
            connection.close()

    def _prepare(self) -> None:
        connection = None
        # Whoever needs a connection next meets the same trouble, and says so.
        with suppress(Exception):
            connection = None if self._open is None else self._open()
            if connection is not None and self._warm_up is not None:
                self._warm_up(connection)
                connection.rollback()
        with self._lock:
            self._connection, self._opener = connection, None


def _answers(connection: DBAPIConnection) -> bool:
    try:
        connection.rollback()
        cursor = connection.cursor()
        cursor.execute("SELECT 1")
        connection.rollback()
    except Exception:
        return False
    return True


def _turns(limit: int) -> Iterator[int]:
    """When each connection would like to go: spread evenly, so that they do not go together."""
    part = 0.0
    while True:
        yield max(1, round(limit * (_EARLIEST + (_LATEST - _EARLIEST) * part)))
        part = (part + _GOLDEN) % 1
