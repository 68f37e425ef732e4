"""Wake-ups: a commit that leaves work or events behind tells those that sleep, in any process.

A convenience and nothing more: whoever listens also looks by itself now and then, so a wake-up may
get lost. It is sent after the commit, outside its transaction, since a NOTIFY makes commits queue
behind one lock of the server; and at most once an interval, however many commits there are.
"""

import threading
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from enum import StrEnum
from typing import Any
from weakref import WeakKeyDictionary

import structlog
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import SQLAlchemyError

from shared.database.hearing import has_spoken
from shared.database.sessions import PlatformSession
from shared.database.tenant_schema import TenantSchema
from shared.errors import StoflowError

log = structlog.get_logger(__name__)

INTERVAL_S = 0.01
"""Between two wake-ups that one process sends."""

TRY_AGAIN_S = 5.0
"""After a connection could not be had, or broke."""

_CHANNEL = "stoflow_work"
_WANTED = "wake up"
_HEARD_WITHIN_S = 0.5
"""How soon a listener notices that it shall end."""


class Left(StrEnum):
    """What a transaction left behind: the text of its wake-up, or the first word of it."""

    JOBS = ""
    EVENTS = "events"
    COMMANDS = "commands"


def wake_workers_after(session: PlatformSession) -> None:
    """Have workers woken when this transaction has committed, if the process sends wake-ups."""
    session.info.setdefault(_WANTED, set()).add(Left.JOBS)


def wake_relays_after(session: PlatformSession) -> None:
    """Likewise whoever relays events."""
    session.info.setdefault(_WANTED, set()).add(Left.EVENTS)


def wake_bridges_after(session: PlatformSession, tenant: TenantSchema) -> None:
    """Likewise whoever holds the sockets of this shop's browsers."""
    session.info.setdefault(_WANTED, set()).add(f"{Left.COMMANDS} {tenant.tenant_id}")


Shops = Collection[TenantSchema] | None
"""Where somebody left commands; None: perhaps anywhere."""

_SENDERS: "WeakKeyDictionary[Engine, WakeUpSender]" = WeakKeyDictionary()


class WakeUpSender:
    """Sends the wake-ups of one engine's sessions, in a thread of its own."""

    def __init__(self, engine: Engine, interval_s: float = INTERVAL_S) -> None:
        self._engine = engine
        self._interval_s = interval_s
        self._wanted, self._closed = threading.Event(), threading.Event()
        self._left: set[str] = set()
        self._lock = threading.Lock()
        self.sent = 0
        self._thread = threading.Thread(target=self._send_all, name="wake-ups", daemon=True)

    def start(self) -> None:
        """From now on the commits of this engine's sessions are told."""
        _SENDERS[self._engine] = self
        self._thread.start()

    def want(self, left: Collection[str]) -> None:
        """Send these soon; returns at once."""
        with self._lock:
            self._left.update(left)
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
            with self._lock:
                left, self._left = self._left, set()
            self._closed.wait(self._interval_s if self._told(left) else TRY_AGAIN_S)

    def _told(self, left: Collection[str]) -> bool:
        try:
            with self._engine.connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT")
                for each in left:
                    connection.exec_driver_sql(f"NOTIFY {_CHANNEL}, '{each}'")
        except (SQLAlchemyError, StoflowError) as error:
            log.warning("wake_up.not_sent", because=type(error).__name__)
            return False
        self.sent += len(left)
        return True


class WakeUpListener:
    """Calls back at each wake-up, from a thread and a connection of its own beside the pool."""

    def __init__(
        self,
        engine: Engine,
        heard: Callable[[], None],
        heard_of_events: Callable[[], None] = lambda: None,
        heard_of_commands: Callable[[Shops], None] = lambda _shops: None,
    ) -> None:
        """`heard` is called when somebody left jobs, the others when events or commands."""
        self._engine = engine
        self._heard = {Left.JOBS: heard, Left.EVENTS: heard_of_events}
        self._heard_of_commands = heard_of_commands
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
            self._pass_on(set(Left))
            while not self._closed.is_set():
                self._pass_on(_heard_on(connection))
        finally:
            with suppress(SQLAlchemyError):
                connection.close()

    def _pass_on(self, texts: Collection[str]) -> None:
        for left, heard in self._heard.items():
            if left in texts:
                heard()
        commands = [each for each in texts if each.startswith(Left.COMMANDS)]
        if commands:
            self._heard_of_commands(_shops_in(commands))


def _shops_in(texts: Sequence[str]) -> Shops:
    if Left.COMMANDS in texts:
        return None
    return frozenset(TenantSchema(int(each.partition(" ")[2])) for each in texts)


def _heard_on(connection: Connection) -> set[str]:
    """Wait a moment for wake-ups; several of a kind are one."""
    driver: Any = connection.connection.dbapi_connection
    has_spoken(driver, _HEARD_WITHIN_S)
    driver.poll()
    heard = {each.payload for each in driver.notifies}
    driver.notifies.clear()
    return heard


@event.listens_for(PlatformSession, "after_commit", propagate=True)
def _tell(session: PlatformSession) -> None:
    if session.in_nested_transaction() or not (left := session.info.pop(_WANTED, None)):
        return
    sender = _SENDERS.get(session.get_bind())  # type: ignore[arg-type]
    if sender is not None:
        sender.want(left)


@event.listens_for(PlatformSession, "after_soft_rollback", propagate=True)
def _forget(session: PlatformSession, _transaction: object) -> None:
    if not session.in_nested_transaction():
        session.info.pop(_WANTED, None)
