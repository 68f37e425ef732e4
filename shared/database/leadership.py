"""One process of the whole installation leads: it holds an advisory lock in an open transaction.

Not a lock of the session, which a transaction-mode pooler does not keep. The transaction writes
and reads nothing, so it holds back no vacuum. PostgreSQL itself ends it, and with it the lock,
when the connection breaks or when nothing was heard for two thirds of the lease.
"""

from contextlib import suppress
from datetime import timedelta
from time import monotonic

import structlog
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from shared.database.sessions import PlatformSession
from shared.errors import StoflowError

log = structlog.get_logger(__name__)

SCHEDULING = 7_340_010
"""Key of the advisory lock of whoever runs the ticks."""

_APPLICATION = "stoflow leader "
_MAX_APPLICATION_BYTES = 63

_LEADER = text(
    "SELECT activity.application_name FROM pg_locks AS held"
    " JOIN pg_stat_activity AS activity ON activity.pid = held.pid"
    " WHERE held.locktype = 'advisory' AND held.granted AND held.objsubid = 1"
    " AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND held.classid = 0 AND held.objid = :key"
)


class Leadership:
    """A process's claim to lead. Its connection does not come out of the pool's number."""

    def __init__(self, engine: Engine, name: str, lease: timedelta, key: int = SCHEDULING) -> None:
        """`name` is what `leader_of` answers; a leader that vanished is replaced within `lease`."""
        self._engine = engine
        self._name = name
        self._key = key
        self._patience_s = lease.total_seconds() * 2 / 3
        self._connection: Connection | None = None
        self._heard_at = 0.0

    @property
    def leads(self) -> bool:
        """Whether nobody else can lead at this moment."""
        return self._connection is not None and monotonic() - self._heard_at < self._patience_s

    def hold(self) -> bool:
        """Try to lead, or say that we still do; call it at least three times a lease."""
        asked_at = monotonic()
        try:
            held = self._try() if self._connection is None else self._beat(self._connection)
        except (SQLAlchemyError, StoflowError) as error:
            log.warning("leadership.lost", led=self.leads, because=type(error).__name__)
            self.release()
            return False
        if held:
            self._heard_at = asked_at
        return held

    def release(self) -> None:
        """Let somebody else lead."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError):
                connection.close()

    def _try(self) -> bool:
        connection = self._engine.connect()
        try:
            self._bind(connection)
            held = connection.scalar(
                text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": self._key}
            )
            if held:
                connection.detach()
                self._connection = connection
        finally:
            if self._connection is None:
                connection.close()
        return bool(held)

    def _bind(self, connection: Connection) -> None:
        milliseconds = int(self._patience_s * 1000)
        name = (_APPLICATION + self._name).encode()[:_MAX_APPLICATION_BYTES]
        connection.exec_driver_sql(
            "SET LOCAL idle_in_transaction_session_timeout = %s;"
            " SET LOCAL statement_timeout = %s; SET LOCAL application_name = %s",
            (milliseconds, milliseconds, name.decode(errors="ignore")),
        )

    def _beat(self, connection: Connection) -> bool:
        connection.exec_driver_sql("SELECT 1")
        return True


def leader_of(session: PlatformSession, key: int = SCHEDULING) -> str | None:
    """Who leads, asked of PostgreSQL; None when nobody does."""
    name = session.scalar(_LEADER, {"key": key})
    return None if name is None else str(name).removeprefix(_APPLICATION)
