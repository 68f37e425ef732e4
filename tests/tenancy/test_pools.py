"""One budget of connections for an installation, and what happens when a pool is too small."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import event, text

from backend.app import create_app
from backend.container import build_container
from backend.pools import ConnectionBudget, ProcessKind, pool_size
from backend.settings import Settings
from shared.clock import MovableClock
from shared.database import (
    Database,
    EngineOptions,
    connections_allowed,
    create_database_engine,
)
from shared.database.pool import WatchedPool, pool_of
from shared.errors import DatabaseUnavailable, Misconfigured
from tests.factories.catalog import product_body
from tests.passwords import CHEAP_PASSWORDS
from tests.serving import Seller, Stage, assert_problem, client, serving

ROOT = Path(__file__).parents[2]
PRODUCTS = "/api/v1/products"
AT_ONCE = 200

OnAPool = Callable[[EngineOptions], AbstractContextManager[tuple[str, WatchedPool]]]
Ask = Callable[[httpx.Client, int], httpx.Response]


class HastyDatabase(Database):
    """Gives up on a statement while a test looks on."""

    statement_timeout = "2s"


@pytest.fixture
def on_a_pool(settings: Settings, database: Database, clock: MovableClock) -> OnAPool:
    """Serve the API on the test's database through a pool of its own: its address, the pool."""

    @contextmanager
    def serve(options: EngineOptions) -> Iterator[tuple[str, WatchedPool]]:
        engine = create_database_engine(url_of(database), options)
        hasty = HastyDatabase(engine, check_sentinel=True)
        container = build_container(
            settings, database=hasty, clock=clock, passwords=CHEAP_PASSWORDS
        )
        with serving(create_app(container)) as url:
            yield url, pool_of(engine)
        container.close()
        engine.dispose()

    return serve


def url_of(database: Database) -> str:
    return database.engine.url.render_as_string(hide_password=False)


def all_at_once(url: str, seller: Seller, ask: Ask) -> list[httpx.Response]:
    """Send many requests at the same moment, each over a connection of its own."""

    def send(number: int) -> httpx.Response:
        with client(url, seller.tokens["access_token"]) as http:
            return ask(http, number)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(send, range(AT_ONCE)))


def list_products(http: httpx.Client, _number: int) -> httpx.Response:
    return http.get(PRODUCTS)


def read_or_write(http: httpx.Client, number: int) -> httpx.Response:
    match number % 4:
        case 0:
            return http.post(PRODUCTS, json=product_body(title=f"shirt {number}"))
        case 1:
            return http.get(f"{PRODUCTS}/4000000")
        case 2:
            return http.get("/api/v1/me")
        case _:
            return http.get(PRODUCTS)


@pytest.mark.parametrize("connections", [10, 2])
def test_two_hundred_requests_on_few_connections_are_all_served(
    seller: Seller, on_a_pool: OnAPool, connections: int
) -> None:
    """F16: reads, writes and refusals; nobody waits for a thread with a connection in hand."""
    options = EngineOptions(pool_size=connections, pool_timeout=timedelta(seconds=50))
    with on_a_pool(options) as (url, pool):
        answers = all_at_once(url, seller, read_or_write)
        assert pool.checkedout() == 0
    quarter = AT_ONCE // 4
    counted = Counter(answer.status_code for answer in answers)
    assert counted == {201: quarter, 404: quarter, 200: 2 * quarter}


def test_behind_connections_that_are_stuck_everybody_is_told_to_come_back(
    seller: Seller, database: Database, on_a_pool: OnAPool
) -> None:
    """F16: a clear 503 with Retry-After, for the stuck ones too; then it serves again."""
    options = EngineOptions(pool_size=10, pool_timeout=timedelta(seconds=1))
    with on_a_pool(options) as (url, pool):
        with database.platform() as session:
            session.execute(text(f"LOCK TABLE {seller.tenant.quoted}.products"))
            answers = all_at_once(url, seller, list_products)
        for answer in answers:
            assert_problem(answer, 503, "database-unavailable")
            assert int(answer.headers["Retry-After"]) > 0
        assert pool.checkedout() == 0
        assert pool.figures.waiting == 0
        assert pool.figures.refused > 0
        with client(url, seller.tokens["access_token"]) as http:
            assert list_products(http, 0).status_code == 200


def test_more_than_may_wait_are_refused_at_once(
    seller: Seller, database: Database, on_a_pool: OnAPool
) -> None:
    """F16: threads are left for those that have a connection."""
    options = EngineOptions(pool_size=2, most_waiting=5, pool_timeout=timedelta(seconds=50))
    with on_a_pool(options) as (url, pool):
        answers = all_at_once(url, seller, read_or_write)
        counted = Counter(answer.status_code for answer in answers)
        assert set(counted) <= {200, 201, 404, 503}
        assert counted[503] == pool.figures.refused
        for answer in answers:
            if answer.status_code == 503:
                assert_problem(answer, 503, "database-unavailable")


def test_a_database_that_is_away_is_a_503(
    seller: Seller, settings: Settings, stage: Stage, clock: MovableClock
) -> None:
    """F16: not an error of ours; and nothing of the address is said."""
    nowhere = Database(create_database_engine("postgresql://nobody@127.0.0.1:1/nothing"))
    stage.app = create_app(build_container(settings, database=nowhere, clock=clock))
    answer = seller.http.get(PRODUCTS)
    problem = assert_problem(answer, 503, "database-unavailable")
    assert "127.0.0.1" not in str(problem)
    assert int(answer.headers["Retry-After"]) > 0


def test_nobody_waits_behind_a_pool_that_stands_still(database: Database) -> None:
    """F16: the timeout is waited for once, and not by one request after the other."""
    options = EngineOptions(pool_size=1, pool_timeout=timedelta(seconds=0.2))
    engine = create_database_engine(url_of(database), options)
    figures = pool_of(engine).figures
    waits: list[float] = []
    figures.on_wait = waits.append
    with engine.connect():
        for _ in range(2):
            with pytest.raises(DatabaseUnavailable):
                engine.connect()
    with engine.connect():
        pass
    engine.dispose()
    assert figures.refused == 2
    assert len(waits) == 4
    assert waits[1] >= 0.2 > waits[2]


def test_a_connection_that_was_cut_off_while_it_rested_is_not_handed_out(
    database: Database,
) -> None:
    """F16: seen without a round trip, since whoever is cut off has that to be read."""
    engine = create_database_engine(url_of(database), EngineOptions(pool_size=1))
    said: list[str] = []
    with engine.connect() as connection:
        first = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        event.listen(
            engine, "before_cursor_execute", lambda _c, _k, sql, *_: said.append(sql), retval=False
        )
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT pg_backend_pid()").scalar() == first
    assert said == ["SELECT pg_backend_pid()"]
    with database.platform() as session:
        # Waits until it has ended.
        session.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": first})
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT pg_backend_pid()").scalar() != first
    engine.dispose()


def test_a_transaction_on_the_shared_schemas_is_bounded_in_time(database: Database) -> None:
    """F16: like a shop's; what changes whole tables says so, and is not."""
    limits = text(
        "SELECT current_setting('statement_timeout'),"
        " current_setting('idle_in_transaction_session_timeout')"
    )
    with database.platform_session() as session:
        assert session.execute(limits).one() == ("30s", "1min")
        session.commit()
        assert session.execute(limits).one() == ("30s", "1min")
    with database.platform(hurried=False) as session:
        assert session.execute(limits).one() == ("0", "0")


def test_what_a_pool_does_is_shown_to_prometheus(api: httpx.Client, seller: Seller) -> None:
    """F16."""
    figures = dict(
        line.split(" ") for line in api.get("/metrics").text.splitlines() if line[0] != "#"
    )
    prefix = "stoflow_database_pool"
    assert float(figures[f"{prefix}_size"]) == 40
    assert float(figures[f"{prefix}_wait_seconds_count"]) > 0
    assert float(figures[f"{prefix}_opened_total"]) > 0
    for name in ("in_use", "waiting", "retired_total", "lost_total", "refused_total"):
        assert float(figures[f"{prefix}_{name}"]) >= 0


@pytest.mark.parametrize(
    ("connections", "api", "workers", "api_pool", "worker_pool"),
    [
        (87, 1, 1, 15, 9),
        (87, 8, 2, 5, 9),
        (16, 1, 1, 2, 9),
        (17, 1, 1, 3, 9),
        (40, 2, 0, 15, 9),
    ],
)
def test_workers_get_what_their_threads_need_and_the_api_shares_the_rest(
    connections: int, api: int, workers: int, api_pool: int, worker_pool: int
) -> None:
    """F16: 4 threads, a heartbeat, two ticks and the look who leads."""
    budget = ConnectionBudget(connections, api, workers, worker_threads=4)
    assert budget.pool_of(ProcessKind.API) == api_pool
    assert budget.pool_of(ProcessKind.WORKER) == worker_pool
    assert budget.pool_of(ProcessKind.BOTH) == api_pool + worker_pool
    together = api * (api_pool + 1) + workers * (worker_pool + 3)
    assert together <= connections


@pytest.mark.parametrize(("connections", "api", "workers"), [(12, 1, 1), (30, 1, 3), (20, 7, 0)])
def test_a_budget_that_cannot_give_each_its_least_is_refused(
    connections: int, api: int, workers: int
) -> None:
    """F16: whichever of the processes starts."""
    budget = ConnectionBudget(connections, api, workers, worker_threads=4)
    for kind in (ProcessKind.API, ProcessKind.WORKER, ProcessKind.BOTH):
        with pytest.raises(Misconfigured, match=rf"{connections} may be used"):
            budget.pool_of(kind)


def test_a_size_that_somebody_chose_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """F16."""
    monkeypatch.setenv("STOFLOW_DATABASE_POOL_SIZE", "3")
    monkeypatch.setenv("STOFLOW_DATABASE_CONNECTIONS", "1")
    for kind in ProcessKind:
        assert pool_size(Settings(), kind, None) == 3


def test_what_the_server_allows_is_shared_when_nothing_is_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """F16: ten are left to commands; a server that does not say refuses nobody."""
    monkeypatch.setenv("STOFLOW_API_PROCESSES", "4")
    assert pool_size(Settings(), ProcessKind.API, 62) == 8
    assert pool_size(Settings(), ProcessKind.API, None) == 15
    assert pool_size(Settings(), ProcessKind.COMMAND, 60) == 10
    with pytest.raises(Misconfigured):
        pool_size(Settings(), ProcessKind.API, 20)


def test_the_server_is_asked_what_it_allows(database: Database) -> None:
    """F16: its own reserve is left out, and a limit of the database counts."""
    url = url_of(database)
    allowed = connections_allowed(url)
    with database.engine.connect() as connection:
        most = int(connection.scalar(text("SHOW max_connections")) or 0)
    assert allowed is not None
    assert 0 < allowed < most
    with database.engine.begin() as connection:
        connection.execute(text(f'ALTER DATABASE "{database.name}" CONNECTION LIMIT 30'))
    try:
        assert connections_allowed(url) == min(30, allowed)
    finally:
        with database.engine.begin() as connection:
            connection.execute(text(f'ALTER DATABASE "{database.name}" CONNECTION LIMIT -1'))
    assert connections_allowed("postgresql://nobody@127.0.0.1:1/nothing") is None


@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["worker"]])
def test_a_process_does_not_start_on_a_budget_that_is_too_small(
    database: Database, tmp_path: Path, command: list[str]
) -> None:
    """F16: the sentence says what to change."""
    environment = {
        **os.environ,
        "DATABASE_URL": url_of(database),
        "STOFLOW_DATABASE_CONNECTIONS": "12",
        "STOFLOW_API_PROCESSES": "2",
        "STOFLOW_DATA_DIR": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-m", "backend.cli", *command],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "need 20 connections to the database, and 12 may be used" in done.stderr
    assert "STOFLOW_DATABASE_CONNECTIONS" in done.stderr
