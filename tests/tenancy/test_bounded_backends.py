"""A connection serves a bounded number of shops; its backend's memory goes with it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection

from repositories.selling.catalog_pages import (
    ProductFilter,
    ProductPageRepository,
    learn_the_list,
)
from shared.database import Database, EngineOptions, TenantSchema, create_database_engine
from shared.database.retirement import note_tenant, tenants_served

OpenEngine = Callable[..., Engine]

LIMIT = 10


@pytest.fixture
def open_engine(database: Database) -> Iterator[OpenEngine]:
    """Opens pools on the test's database."""
    url = database.engine.url.render_as_string(hide_password=False)
    with ExitStack() as stack:

        def open_one(pool_size: int = 1, limit: int = LIMIT, name: str = "bounded") -> Engine:
            options = EngineOptions(
                pool_size=pool_size, tenants_per_connection=limit, application_name=name
            )
            engine = create_database_engine(url, options)
            stack.callback(engine.dispose)
            return engine

        yield open_one


def backend_of(connection: Connection) -> int:
    return int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())


def serve(engine: Engine, *tenant_ids: int) -> int:
    """One transaction a tenant; the backend that served the last."""
    backend = 0
    for tenant_id in tenant_ids:
        with engine.begin() as connection:
            note_tenant(connection, TenantSchema(tenant_id))
            backend = backend_of(connection)
    return backend


def until(reached: Callable[[], bool]) -> None:
    """Go on as soon as it is so; fail when it is not within ten seconds."""
    deadline = time.monotonic() + 10
    while not reached():
        assert time.monotonic() < deadline, "it did not come to this"
        time.sleep(0.005)


def nobody_opens_a_successor() -> bool:
    """The one that was begun is there, not only to be seen by PostgreSQL."""
    return all(thread.name != "successor" for thread in threading.enumerate())


def test_a_backend_never_serves_more_shops_than_the_limit(open_engine: OpenEngine) -> None:
    """F12."""
    engine = open_engine()
    shops_of: dict[int, set[int]] = {}

    for tenant_id in range(1, 12 * LIMIT):
        shops_of.setdefault(serve(engine, tenant_id), set()).add(tenant_id)

    assert max(len(shops) for shops in shops_of.values()) <= LIMIT
    assert len(shops_of) >= 12


def test_the_same_shops_again_and_again_cost_no_connection(open_engine: OpenEngine) -> None:
    """F12: distinct shops count, not transactions."""
    engine = open_engine()

    backends = {serve(engine, 1 + number % 5) for number in range(20 * LIMIT)}

    assert len(backends) == 1


def test_a_shops_transactions_are_counted_where_they_begin(
    database: Database, tenant: TenantSchema, other_tenant: TenantSchema, open_engine: OpenEngine
) -> None:
    """F12: also those that are rolled back."""
    engine = open_engine()
    bounded = Database(engine, check_sentinel=True)
    for shop in (tenant, other_tenant, tenant):
        with bounded.tenant_session(shop) as session:
            session.connection()
            session.rollback()

    with engine.connect() as connection:
        assert tenants_served(connection) == 2


def test_a_connection_is_never_retired_inside_a_transaction(open_engine: OpenEngine) -> None:
    """F12: however many shops the transaction passes."""
    engine = open_engine()
    with engine.begin() as connection:
        first = backend_of(connection)
        for tenant_id in range(1, 3 * LIMIT):
            note_tenant(connection, TenantSchema(tenant_id))
            assert backend_of(connection) == first

    assert serve(engine, 1) != first


def test_the_successor_is_opened_by_a_thread_of_its_own(open_engine: OpenEngine) -> None:
    """F12: no request waits for a new connection."""
    engine = open_engine(limit=1000)
    opened_while_asked: list[str] = []

    # Asked only where the pool has no connection that was opened beforehand.
    @event.listens_for(engine, "do_connect")
    def opens(*_arguments: object) -> None:
        opened_while_asked.append(threading.current_thread().name)

    first = serve(engine, *range(1, 601))
    until(lambda: serve(engine, 1) != first)

    assert len(opened_while_asked) == 1


def test_a_successor_has_learnt_the_list_before_it_serves(
    database: Database, tenant: TenantSchema
) -> None:
    """F12: on the template; and it comes out of that as clean as any."""
    url = database.engine.url.render_as_string(hide_password=False)
    taught: list[str] = []

    def teach(connection: DBAPIConnection) -> None:
        learn_the_list(connection)
        taught.append(threading.current_thread().name)

    options = EngineOptions(pool_size=1, tenants_per_connection=1000, warm_up=teach)
    engine = create_database_engine(url, options)
    try:
        first = serve(engine, *range(1, 601))
        until(lambda: serve(engine, 1) != first)
        with Database(engine, check_sentinel=True).tenant(tenant) as session:
            page = ProductPageRepository(session).page(ProductFilter(), None, 50)
    finally:
        engine.dispose()

    assert taught == ["successor"]
    assert page == []


def test_a_successor_that_cannot_learn_serves_all_the_same(database: Database) -> None:
    """F12: before the first migration there is no template."""
    url = database.engine.url.render_as_string(hide_password=False)

    def fail(connection: DBAPIConnection) -> None:
        connection.cursor().execute("SELECT 1 / 0")

    options = EngineOptions(pool_size=1, tenants_per_connection=1000, warm_up=fail)
    engine = create_database_engine(url, options)
    try:
        first = serve(engine, *range(1, 601))
        until(lambda: serve(engine, 1) != first)
    finally:
        engine.dispose()


def test_a_dead_successor_is_not_handed_out(open_engine: OpenEngine, database: Database) -> None:
    """F12, F16: the server may have cut it off meanwhile."""
    engine = open_engine(limit=1000, name="cut_off_meanwhile")
    first = serve(engine, *range(1, 601))
    others = text(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE application_name = 'cut_off_meanwhile' AND pid <> :first"
    )

    def killed() -> bool:
        with database.engine.begin() as connection:
            return bool(connection.scalars(others, {"first": first}).all())

    until(nobody_opens_a_successor)
    until(killed)

    assert serve(engine, 1) == first
    assert serve(engine, 1) not in {0, first}


def test_connections_that_aged_together_do_not_go_together(open_engine: OpenEngine) -> None:
    """F12: a busy process keeps most of its warm connections at any moment."""
    engine = open_engine(pool_size=8, limit=100)
    gone_at_once: list[int] = []
    before: set[int] = set()
    for tenant_id in range(1, 100):
        with ExitStack() as stack:
            held = [stack.enter_context(engine.begin()) for _ in range(8)]
            now = {backend_of(connection) for connection in held}
            for connection in held:
                note_tenant(connection, TenantSchema(tenant_id))
        gone_at_once.append(len(before - now))
        before = now
        until(no_successor_is_being_opened)

    assert sum(gone_at_once) >= 8
    assert max(gone_at_once) <= 2


def no_successor_is_being_opened() -> bool:
    return all(thread.name != "successor" for thread in threading.enumerate())


def test_nothing_stays_open_when_the_pool_is_closed(
    open_engine: OpenEngine, database: Database
) -> None:
    """F16: neither the pool's own nor one opened beforehand."""
    engine = open_engine(name="closed_for_good")
    serve(engine, *range(1, LIMIT))
    engine.dispose()
    mine = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'closed_for_good'")

    def gone() -> bool:
        with database.engine.begin() as connection:
            return connection.scalar(mine) == 0

    until(gone)


def test_a_pool_that_cannot_open_a_successor_says_so_when_one_is_needed(
    open_engine: OpenEngine,
) -> None:
    """F12: a failure in the background is met again, and told, by whoever needs a connection."""
    engine, server_is_full = open_engine(), threading.Event()
    connect = engine.dialect.connect

    def connect_if_there_is_room(*arguments: Any, **options: Any) -> DBAPIConnection:
        if server_is_full.is_set():
            raise ConnectionError
        return connect(*arguments, **options)

    engine.dialect.connect = connect_if_there_is_room  # type: ignore[method-assign]
    first = serve(engine, 1)
    server_is_full.set()
    serve(engine, *range(2, LIMIT + 1))
    with pytest.raises(ConnectionError):
        serve(engine, 1)
    server_is_full.clear()

    assert serve(engine, 1) != first
