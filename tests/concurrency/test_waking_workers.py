"""A commit in one process wakes a worker that sleeps in another; else that one looks by itself."""

import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from sqlalchemy import text

from backend.settings import Settings
from models.selling.publishing import Channel, JobStatus
from repositories.accounts.bells import BellRepository
from repositories.accounts.browser_bells import BrowserBellRepository
from repositories.accounts.notifications import NotificationRepository
from repositories.selling.publishing import JobRepository
from services.accounts.outbox.recording import OutboxRecorder
from services.accounts.tenants.events import ShopResumed
from shared.clock import SystemClock
from shared.database import Database, EngineOptions, TenantSchema, create_database_engine
from shared.database.wake_ups import Shops, WakeUpListener, WakeUpSender
from tests.factories.selling import make_job
from tests.waiting import until

pytestmark = pytest.mark.timeout(120)

LONG, SHORT = "PT600S", "PT0.2S"
_LISTENERS = (
    "SELECT pid FROM pg_stat_activity"
    " WHERE datname = current_database() AND query = 'LISTEN stoflow_work'"
)


@pytest.fixture
def telling(database: Database) -> Iterator[Database]:
    """The database of a process that sends wake-ups."""
    sender = WakeUpSender(database.engine)
    sender.start()
    yield database
    sender.close()


@contextmanager
def at_work(database: Database, **settings: str) -> Iterator[None]:
    """A worker process; what it is asked for on Etsy, it ends at once: nobody can do it."""
    url = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    given = {f"STOFLOW_WORKER_{name.upper()}": value for name, value in settings.items()}
    with subprocess.Popen(
        [sys.executable, "-m", "backend.cli", "worker"],
        env={**os.environ, "DATABASE_URL": url, **given},
    ) as worker:
        try:
            yield
        finally:
            worker.terminate()
            worker.wait(60)


def leave(database: Database, shop: TenantSchema) -> int:
    with database.tenant(shop) as session:
        return make_job(session, SystemClock(), channel=Channel.ETSY).id


def ended(database: Database, shop: TenantSchema, job_id: int) -> bool:
    with database.tenant(shop) as session:
        job = JobRepository(session).get(job_id)
        return job is not None and job.status is JobStatus.DONE


def unread(database: Database, shop: TenantSchema) -> int:
    with database.platform() as session:
        return NotificationRepository(session).unread(shop.tenant_id)


def listeners(database: Database) -> list[int]:
    with database.platform() as session:
        return list(session.scalars(text(_LISTENERS)))


def test_a_sleeping_worker_takes_what_another_process_leaves(
    telling: Database, tenant: TenantSchema, settings: Settings
) -> None:
    """G9, G10: it would have slept for ten minutes more, each time."""
    with at_work(telling, poll=LONG):
        until(lambda: bool(listeners(telling)))
        for _ in range(4):
            job_id = leave(telling, tenant)
            until(lambda job_id=job_id: ended(telling, tenant, job_id))  # type: ignore[misc]


def test_a_sleeping_relay_tells_what_another_process_records(
    telling: Database, tenant: TenantSchema, settings: Settings
) -> None:
    """G9: a worker relays, and it too would have slept for ten minutes more, each time."""
    recorder = OutboxRecorder(SystemClock())
    with at_work(telling, poll=LONG):
        until(lambda: bool(listeners(telling)))
        for number in range(1, 4):
            with telling.platform() as session:
                recorder.record_about(session, tenant, ShopResumed())
            until(lambda number=number: unread(telling, tenant) == number)  # type: ignore[misc]


def test_a_worker_that_hears_nothing_looks_by_itself(
    telling: Database, tenant: TenantSchema, settings: Settings
) -> None:
    """G9: it may not listen, as behind a pooler, and polling is the truth."""
    with at_work(telling, poll=SHORT, listen="false"):
        for _ in range(2):
            job_id = leave(telling, tenant)
            until(lambda job_id=job_id: ended(telling, tenant, job_id))  # type: ignore[misc]
        assert listeners(telling) == []


def test_a_listener_that_is_cut_off_hears_again_and_work_does_not_wait_for_it(
    telling: Database, tenant: TenantSchema, settings: Settings
) -> None:
    """G9."""
    with at_work(telling, poll=SHORT):
        until(lambda: bool(listeners(telling)))
        [first] = listeners(telling)
        with telling.platform() as session:
            session.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": first})
        job_id = leave(telling, tenant)
        until(lambda: ended(telling, tenant, job_id))
        until(lambda: bool(set(listeners(telling)) - {first}))


def test_commits_that_come_together_are_one_wake_up(
    database: Database, tenant: TenantSchema
) -> None:
    """G9: the first is told at once, all others of the interval by a second one."""
    heard = threading.Semaphore(0)
    listener = WakeUpListener(database.engine, heard.release)
    sender = WakeUpSender(database.engine, interval_s=60)
    listener.start()
    assert heard.acquire(timeout=60)
    sender.start()
    try:
        for _ in range(20):
            leave(database, tenant)
        assert heard.acquire(timeout=60)
    finally:
        sender.close()
        listener.close()
        listener.wait()
    assert sender.sent == 1


def test_a_process_with_thousands_of_sockets_is_woken(database: Database) -> None:
    """G9: also one that connects to the database anew when it has them."""
    heard = threading.Semaphore(0)
    with ExitStack() as stack:
        files = resource.getrlimit(resource.RLIMIT_NOFILE)
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, files)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, files[1]), files[1]))
        for _ in range(1100):
            stack.enter_context(open(os.devnull))
        fresh = create_database_engine(
            database.engine.url.render_as_string(hide_password=False), EngineOptions()
        )
        stack.callback(fresh.dispose)
        listener = WakeUpListener(fresh, heard.release)
        listener.start()
        stack.callback(listener.wait)
        stack.callback(listener.close)
        # Told of itself when it has begun to listen.
        assert heard.acquire(timeout=10)
        with fresh.connect() as connection:
            assert connection.connection.dbapi_connection.fileno() > 1024
            connection.exec_driver_sql("NOTIFY stoflow_work, ''")
            connection.commit()
        assert heard.acquire(timeout=10)


def test_what_is_rolled_back_wakes_nobody(database: Database, tenant: TenantSchema) -> None:
    """G9."""
    heard = threading.Semaphore(0)
    sender = WakeUpSender(database.engine, interval_s=0)
    listener = WakeUpListener(database.engine, heard.release)
    listener.start()
    assert heard.acquire(timeout=60)
    sender.start()
    try:
        with database.platform() as session:
            BellRepository(session).waiting(SystemClock().now())
        with database.tenant_session(tenant) as session:
            make_job(session, SystemClock())
            session.rollback()
            session.commit()
        leave(database, tenant)
        assert heard.acquire(timeout=60)
    finally:
        sender.close()
        listener.close()
        listener.wait()
    assert sender.sent == 1


def test_whoever_leaves_a_command_says_in_which_shop(
    database: Database, tenant: TenantSchema
) -> None:
    """ST31: other shops are not looked at; at first, and after a break, it may be anywhere."""
    heard: list[Shops] = []
    sender = WakeUpSender(database.engine, interval_s=0)
    listener = WakeUpListener(database.engine, lambda: None, heard_of_commands=heard.append)
    listener.start()
    sender.start()
    try:
        until(lambda: heard)
        with database.tenant(tenant) as session:
            BrowserBellRepository(session).ring(tenant, SystemClock().now())
        until(lambda: len(heard) > 1)
    finally:
        sender.close()
        listener.close()
        listener.wait()
    assert heard == [None, {tenant}]
