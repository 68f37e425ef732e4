"""Any number of workers, one of which runs the ticks; when it goes, another does."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from shared.database import Database, EngineOptions, create_database_engine
from shared.database.leadership import Leadership, leader_of

PROCESSES = 4
LEASE_S = 6.0
PATIENCE_S = 60.0
"""How long a test waits for what must come; never reached when it comes."""

Processes = dict[str, "subprocess.Popen[bytes]"]


@pytest.fixture
def counted(database: Database) -> Iterator[None]:
    """Where the processes' tick counts its runs."""
    with database.engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA counted"))
        connection.execute(text("CREATE TABLE counted.runs (id bigserial, runner text)"))
    yield
    with database.engine.begin() as connection:
        connection.execute(text("DROP SCHEMA counted CASCADE"))


@pytest.fixture
def processes(database: Database, counted: None) -> Iterator[Processes]:
    """Four processes that would all like to lead, by the name under which they lead."""
    url = database.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.concurrency.scheduler_process", url, str(LEASE_S)]
    started = [subprocess.Popen(command) for _ in range(PROCESSES)]
    yield {f"{socket.gethostname()}:{each.pid}": each for each in started}
    for each in started:
        with suppress(ProcessLookupError):
            os.kill(each.pid, signal.SIGCONT)
        each.kill()
        each.wait()


def rows(database: Database, question: str) -> list[Any]:
    with database.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(question))]


def leader(database: Database) -> str | None:
    with database.platform() as session:
        return leader_of(session)


def wait_for(happened: Callable[[], object]) -> None:
    """Look until it has happened."""
    pause = threading.Event()
    for _ in range(int(PATIENCE_S / 0.05)):
        if happened():
            return
        pause.wait(0.05)
    pytest.fail("it did not happen")


def runs_of(database: Database, runner: str) -> list[tuple[datetime]]:
    return rows(
        database,
        f"SELECT planned_at FROM public.tick_runs WHERE runner = '{runner}' ORDER BY planned_at",
    )


def wait_for_runs(database: Database, runner: str, number: int) -> None:
    wait_for(lambda: len(runs_of(database, runner)) >= number)


def another_leader(database: Database, than: str | None) -> str:
    wait_for(lambda: leader(database) not in (None, than))
    found = leader(database)
    assert found is not None
    return found


def assert_each_planned_moment_was_run_once(database: Database) -> None:
    """What the tick counted itself is what was claimed; a killed run may have claimed only."""
    claimed = dict(rows(database, "SELECT runner, count(*) FROM public.tick_runs GROUP BY runner"))
    done = dict(rows(database, "SELECT runner, count(*) FROM counted.runs GROUP BY runner"))
    unended = dict(
        rows(
            database,
            "SELECT runner, count(*) FROM public.tick_runs"
            " WHERE finished_at IS NULL GROUP BY runner",
        )
    )
    assert set(done) <= set(claimed)
    for runner, number in claimed.items():
        assert number - unended.get(runner, 0) <= done[runner] <= number
    assert sum(unended.values()) <= PROCESSES


def test_of_four_processes_one_runs_every_tick_and_a_killed_one_is_replaced(
    database: Database, processes: Processes
) -> None:
    """G8: SIGKILL, three times; counted in the database by the tick itself."""
    led: list[str] = []
    for _ in range(PROCESSES - 1):
        name = another_leader(database, led[-1] if led else None)
        wait_for_runs(database, name, 5)
        assert leader(database) == name
        led.append(name)
        processes[name].kill()
        processes[name].wait()
    last = another_leader(database, led[-1])
    wait_for_runs(database, last, 5)
    assert len({*led, last}) == PROCESSES
    for before, after in zip(led, [*led[1:], last], strict=True):
        gap = runs_of(database, after)[0][0] - runs_of(database, before)[-1][0]
        assert timedelta() < gap <= timedelta(seconds=LEASE_S)
    assert_each_planned_moment_was_run_once(database)


def test_a_leader_that_falls_silent_loses_its_lead_and_repeats_nothing_when_it_wakes(
    database: Database, processes: Processes
) -> None:
    """G8: its machine stands still or its network is gone: PostgreSQL itself takes the lock."""
    silent = another_leader(database, None)
    wait_for_runs(database, silent, 3)
    processes[silent].send_signal(signal.SIGSTOP)
    follower = another_leader(database, silent)
    wait_for_runs(database, follower, 5)
    processes[silent].send_signal(signal.SIGCONT)
    runs = len(runs_of(database, follower))
    wait_for_runs(database, follower, runs + 10)
    assert leader(database) == follower
    assert_each_planned_moment_was_run_once(database)


def test_a_leader_gives_way_when_it_stops(database: Database) -> None:
    """G8: at once, not after a lease."""
    first = Leadership(database.engine, "first", timedelta(seconds=60))
    second = Leadership(database.engine, "second", timedelta(seconds=60))
    assert (first.hold(), second.hold()) == (True, False)
    assert (first.hold(), first.leads, second.leads) == (True, True, False)
    assert leader(database) == "first"
    first.release()
    assert (second.hold(), first.leads, leader(database)) == (True, False, "second")
    second.release()
    assert leader(database) is None


def test_leading_takes_no_connection_out_of_the_pool(database: Database) -> None:
    """G8, F16: nor does somebody who tries in vain."""
    url = database.engine.url.render_as_string(hide_password=False)
    engine = create_database_engine(url, EngineOptions(pool_size=1, max_overflow=0))
    first = Leadership(engine, "first", timedelta(seconds=60))
    assert first.hold()
    second = Leadership(engine, "second", timedelta(seconds=60))
    assert [second.hold() for _ in range(3)] == [False] * 3
    assert leader(Database(engine)) == "first"
    first.release()
    engine.dispose()


def test_a_leader_whose_connection_is_cut_tries_again(database: Database) -> None:
    """G8: a restarted PostgreSQL, or a proxy that closes what is old."""
    leadership = Leadership(database.engine, "worker", timedelta(seconds=60))
    assert leadership.hold()
    with database.engine.begin() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'stoflow leader worker'"
                " AND datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    assert leadership.hold() is False
    assert leadership.leads is False
    wait_for(leadership.hold)
    assert leader(database) == "worker"
    leadership.release()


def test_a_silent_leader_does_not_believe_that_it_leads(database: Database) -> None:
    """G8: PostgreSQL ends its transaction, and it knows by its own watch that it must have."""
    leadership = Leadership(database.engine, "worker", timedelta(seconds=0.3))
    assert leadership.hold()
    wait_for(lambda: leader(database) is None)
    wait_for(lambda: not leadership.leads)
    assert leadership.hold() is False
    leadership.release()
