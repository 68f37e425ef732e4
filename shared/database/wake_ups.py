"""Wake-ups: a commit that leaves work behind tells workers that sleep, in whatever process.

A convenience and nothing more: whoever listens also looks by itself now and then, so a wake-up may
get lost. It is sent after the commit, outside its transaction, since a NOTIFY makes commits queue
behind one lock of the server; and at most once an interval, however many commits there are.
"""

import select
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

import structlog
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import SQLAlchemyError

from shared.database.sessions import PlatformSession
from shared.errors import StoflowError

log = structlog.get_logger(__name__)

INTERVAL_S = 0.01
"""Between two wake-ups that one process sends."""

TRY_AGAIN_S = 5.0
"""After a connection could not be had, or broke."""

_CHANNEL = "stoflow_work"
_WANTED = "wake workers"
_HEARD_WITHIN_S = 0.5
"""How soon a listener notices that it shall end."""


def wake_workers_after(session: PlatformSession) -> None:
    """Have workers woken when this transaction has committed, if the process sends wake-ups."""
    session.info[_WANTED] = True


_SENDERS: "WeakKeyDictionary[Engine, WakeUpSender]" = WeakKeyDictionary()


class WakeUpSender:
    """Sends the wake-ups of one engine's sessions, in a thread of its own."""

    def __init__(self, engine: Engine, interval_s: float = INTERVAL_S) -> None:
        self._engine = engine
        self._interval_s = interval_s
        self._wanted, self._closed = threading.Event(), threading.Event()
        self.sent = 0
        self._thread = threading.Thread(target=self._send_all, name="wake-ups", daemon=True)

    def start(self) -> None:
        """From now on the commits of this engine's sessions are told."""
        _SENDERS[self._engine] = self
        self._thread.start()

    def want(self) -> None:
        """Send one soon; returns at once."""
        self._wanted.set()

    def close(self) -> None:
        """Send no more."""
        _SENDERS.pop(self._engine, None)
        self._closed.set()
        self._wanted.set()
        self._thread.join()

    def _send_all(self) -> None:
        while True:
            self._wanted.wait()
            if self._closed.is_set():
                return
            self._wanted.clear()
            self._closed.wait(self._interval_s if self._sent() else TRY_AGAIN_S)

    def _sent(self) -> bool:
        try:
            with self._engine.connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT")
                connection.exec_driver_sql(f"NOTIFY {_CHANNEL}")
        except (SQLAlchemyError, StoflowError) as error:
            log.warning("wake_up.not_sent", because=type(error).__name__)
            return False
        self.sent += 1
        return True


class WakeUpListener:
    """Calls back at each wake-up, from a thread and a connection of its own beside the pool."""

    def __init__(self, engine: Engine, heard: Callable[[], None]) -> None:
        self._engine = engine
        self._heard = heard
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._listen_on, name="listener", daemon=True)

    def start(self) -> None:
        """Listen until closed; a connection that breaks is replaced."""
        self._thread.start()

    def close(self) -> None:
        """Listen no more."""
        self._closed.set()

    def wait(self) -> None:
        """Until the thread has ended; at most half a second after `close`."""
        self._thread.join()

    def _listen_on(self) -> None:
        while not self._closed.is_set():
            try:
                self._listen()
            except Exception as error:
                # The database is away, most likely.
                log.warning("wake_up.not_listening", because=type(error).__name__)
                self._closed.wait(TRY_AGAIN_S)

    def _listen(self) -> None:
        connection = self._engine.connect()
        try:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.detach()
            connection.exec_driver_sql(f"LISTEN {_CHANNEL}")
            # What came before is not heard any more, and somebody may have looked in vain.
            self._heard()
            while not self._closed.is_set():
                if _has_heard(connection):
                    self._heard()
        finally:
            with suppress(SQLAlchemyError):
                connection.close()


def _has_heard(connection: Connection) -> bool:
    """Wait a moment for wake-ups; several are one."""
    driver: Any = connection.connection.dbapi_connection
    select.select([driver], [], [], _HEARD_WITHIN_S)
    driver.poll()
    heard = bool(driver.notifies)
    driver.notifies.clear()
    return heard


@event.listens_for(PlatformSession, "after_commit", propagate=True)
def _tell(session: PlatformSession) -> None:
    if session.in_nested_transaction() or not session.info.pop(_WANTED, False):
        return
    sender = _SENDERS.get(session.get_bind())  # type: ignore[arg-type]
    if sender is not None:
        sender.want()


@event.listens_for(PlatformSession, "after_soft_rollback", propagate=True)
def _forget(session: PlatformSession, _transaction: object) -> None:
    if not session.in_nested_transaction():
        session.info.pop(_WANTED, None)
