"""The engine: one pool for a process, its size chosen by whoever starts the process."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from shared.database.hearing import has_spoken
from shared.database.outages import refuse_a_shop_behind
from shared.database.pool import WatchedPool, pool_of
from shared.database.retirement import ConnectionRetirement, WarmUp
from shared.database.statements import guard
from shared.errors import DatabaseUnavailable, Misconfigured


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """Pool settings of one process.

    Connections beyond `pool_size` are closed after each use, and a new one has a cold catalog
    cache: measured at 16 clients, each list then costs PostgreSQL twice its time. So none by
    default: whoever comes when all are in use waits up to `pool_timeout`.
    """

    pool_size: int = 15
    max_overflow: int = 0
    pool_timeout: timedelta = timedelta(seconds=10)
    most_waiting: int = 250
    """Whoever comes when so many wait already is refused at once."""
    recycle: timedelta = timedelta(hours=1)
    tenants_per_connection: int = 150
    """How many shops one connection serves at most before another takes its place."""
    warm_up: WarmUp | None = None
    """What such a connection's backend is taught before it serves."""
    application_name: str = "stoflow"


_CONNECTIONS = text(
    "SELECT least("
    " current_setting('max_connections')::int"
    " - current_setting('superuser_reserved_connections')::int"
    " - coalesce(current_setting('reserved_connections', true)::int, 0),"
    " (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database()),"
    " (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user))"
)


def connections_allowed(url: str) -> int | None:
    """How many connections the server has for this login; None when it does not answer."""
    engine = create_database_engine(url, EngineOptions(pool_size=1))
    try:
        with engine.connect() as connection:
            return int(connection.execute(_CONNECTIONS).scalar_one())
    except (SQLAlchemyError, DatabaseUnavailable):
        return None
    finally:
        engine.dispose()


def create_database_engine(url: str, options: EngineOptions | None = None) -> Engine:
    """Open a pool on `url`. `postgres://` is understood; anything but PostgreSQL is refused."""
    options = options or EngineOptions()
    parsed = make_url(_with_known_scheme(url))
    if parsed.get_backend_name() != "postgresql":
        raise Misconfigured("DATABASE_URL must point at PostgreSQL 15 or newer.")
    if not parsed.database:
        raise Misconfigured("DATABASE_URL must name a database.")
    engine = create_engine(
        parsed.set(drivername="postgresql+psycopg2"),
        poolclass=WatchedPool,
        pool_size=options.pool_size,
        max_overflow=options.max_overflow,
        pool_timeout=options.pool_timeout.total_seconds(),
        pool_recycle=int(options.recycle.total_seconds()),
        # No column is an hstore, and asking for its number costs a query for each connection.
        use_native_hstore=False,
        # The connection used last is the one whose caches are warm.
        pool_use_lifo=True,
        connect_args={"application_name": options.application_name, "connect_timeout": 10},
        # A batch of thousands that is cancelled is changed a hundred rows a round trip.
        executemany_mode="values_plus_batch",
        hide_parameters=True,
    )
    event.listen(engine, "checkout", _look_whether_it_lives)
    event.listen(engine, "before_cursor_execute", guard)
    event.listen(engine, "handle_error", refuse_a_shop_behind)
    pool = pool_of(engine)
    pool.most_waiting = options.most_waiting
    pool.figures.watch(engine)
    ConnectionRetirement(engine, options.tenants_per_connection, options.warm_up)
    return engine


def _with_known_scheme(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"postgresql{separator}{rest}" if scheme == "postgres" else url


def _look_whether_it_lives(
    connection: DBAPIConnection, _entry: ConnectionPoolEntry, _proxy: Any
) -> None:
    """A connection that was cut off while it rested has its end to be read: it costs no round trip
    to see that there is nothing. Where there is something, the pool opens another if need be.
    """
    if not has_spoken(connection):
        return
    try:
        cursor = connection.cursor()
        cursor.execute("SELECT 1")
        cursor.close()
        connection.rollback()
    except Exception as error:
        raise DisconnectionError from error
