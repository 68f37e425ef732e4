"""Behind PgBouncer in transaction mode, where two shops share one backend by force."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg2
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from backend.app import create_app
from backend.container import build_container
from backend.settings import Settings
from models.accounts.tenants import Lane
from models.selling.catalog import Product
from repositories.accounts.bells import BellRepository
from repositories.selling.catalog import ProductRepository
from shared.clock import MovableClock
from shared.database import (
    Database,
    EngineOptions,
    TenantSchema,
    TenantSession,
    create_database_engine,
)
from tests.conftest import Run
from tests.databases import create_empty_database, drop_database
from tests.factories.catalog import create
from tests.factories.selling import make_product
from tests.passwords import CHEAP_PASSWORDS
from tests.pooler import INSTALLED, pooler
from tests.serving import Seller, client, serving, sign_up

pytestmark = pytest.mark.skipif(INSTALLED is None, reason="pgbouncer is not installed here")

THREADS = 8
REQUESTS = 10_000


def url_of(database: Database) -> str:
    return database.engine.url.render_as_string(hide_password=False)


@pytest.fixture
def shared_backend(database: Database) -> Iterator[Database]:
    """The test's database through a pooler that has one connection to it."""
    with pooler(url_of(database)) as url:
        engine = create_database_engine(url, EngineOptions(pool_size=THREADS))
        yield Database(engine, check_sentinel=True)
        engine.dispose()


@pytest.fixture
def two_shops(
    database: Database, clock: MovableClock, tenant: TenantSchema, other_tenant: TenantSchema
) -> tuple[TenantSchema, TenantSchema]:
    """Two shops with one product each, of the same number."""
    for shop in (tenant, other_tenant):
        with database.tenant(shop) as session:
            make_product(session, clock, title=f"of {shop}")
    return tenant, other_tenant


def read(session: TenantSession) -> tuple[set[int], set[str]]:
    """The backend that answers, and every title that is seen."""
    rows = session.execute(select(Product.title, func.pg_backend_pid())).all()
    return {pid for _, pid in rows}, {title for title, _ in rows}


def one_request(database: Database, shop: TenantSchema, number: int) -> tuple[set[int], set[str]]:
    """Every fourth writes and reads on after its commit; the others read."""
    with database.tenant_session(shop) as session:
        if number % 4:
            return read(session)
        product = ProductRepository(session).locked(1)
        assert product is not None
        seen = product.title
        product.title = f"of {shop}"
        product.version = number
        session.commit()
        backends, after = read(session)
        return backends, {seen, *after}


@pytest.mark.timeout(400)
def test_ten_thousand_requests_of_two_shops_on_one_backend_do_not_leak(
    shared_backend: Database, two_shops: tuple[TenantSchema, TenantSchema]
) -> None:
    """F8, F9, X2: interleaved, from several threads, each answer looked at."""

    def work(thread: int) -> tuple[set[int], set[str]]:
        backends: set[int] = set()
        leaks: set[str] = set()
        for number in range(REQUESTS // THREADS):
            shop = two_shops[(thread + number // 3) % 2]
            served_by, seen = one_request(shared_backend, shop, number)
            assert seen
            backends |= served_by
            leaks |= seen - {f"of {shop}"}
        return backends, leaks

    with ThreadPoolExecutor(THREADS) as threads:
        ended = list(threads.map(work, range(THREADS)))
    assert set().union(*(leaks for _, leaks in ended)) == set()
    assert len(set().union(*(backends for backends, _ in ended))) == 1


def test_a_search_path_of_the_session_does_leak_here(
    database: Database, two_shops: tuple[TenantSchema, TenantSchema]
) -> None:
    """F8: what the test above would notice; the classic mistake, in the same set-up."""
    mine, other = two_shops
    with pooler(url_of(database)) as url:
        address = url.replace("postgresql+psycopg2", "postgresql")
        sellers = {shop: psycopg2.connect(address) for shop in two_shops}
        for shop, connection in sellers.items():
            connection.autocommit = True
            connection.cursor().execute(f"SET search_path TO {shop.quoted}")
        cursor = sellers[mine].cursor()
        cursor.execute("SELECT title FROM products")
        assert cursor.fetchall() == [(f"of {other}",)]
        for connection in sellers.values():
            connection.close()


def test_nothing_stays_on_the_shared_backend(
    shared_backend: Database, two_shops: tuple[TenantSchema, TenantSchema]
) -> None:
    """F8: after a commit, a rollback and an error, the next transaction begins clean."""
    mine, _ = two_shops
    state = text(
        "SELECT current_user = session_user, current_setting('search_path'),"
        " current_setting('stoflow.tenant_id', true), current_setting('statement_timeout')"
    )
    with shared_backend.engine.connect() as connection:
        clean = connection.execute(state).one()
    with shared_backend.tenant_session(mine) as session:
        session.scalars(select(Product.id)).all()
        session.commit()
        session.scalars(select(Product.id)).all()
        session.rollback()
        with pytest.raises(DBAPIError, match="division by zero"):
            session.execute(text("SELECT 1 / 0"))
    with shared_backend.engine.connect() as connection:
        after = connection.execute(state).one()
    assert clean[:2] == after[:2] == (True, '"$user", public')
    assert clean[2] in {None, ""}
    assert after[2] in {None, ""}
    assert clean[3] == after[3]


def test_the_api_serves_two_sellers_on_one_backend(
    settings: Settings, shared_backend: Database, clock: MovableClock
) -> None:
    """F8, F9: registering, signing in, writing and reading over HTTP, interleaved."""
    container = build_container(
        settings, database=shared_backend, clock=clock, passwords=CHEAP_PASSWORDS
    )
    with serving(create_app(container)) as url, client(url) as nobody:
        sellers = [sign_up(nobody) for _ in range(2)]

        def trade(thread: int) -> list[set[str]]:
            return [trade_once(sellers[(thread + turn) % 2], turn) for turn in range(10)]

        with ThreadPoolExecutor(THREADS) as threads:
            leaks = [leak for ended in threads.map(trade, range(THREADS)) for leak in ended]
        assert leaks == [set()] * THREADS * 10
        for seller in sellers:
            seller.http.close()
    container.close()


def trade_once(seller: Seller, turn: int) -> set[str]:
    """Write a product and list: what the list has of somebody else."""
    http: httpx.Client = seller.http
    create(http, title=f"{seller.email} {turn}")
    listed = http.get("/api/v1/products", params={"limit": 100})
    assert listed.status_code == 200, listed.text
    titles = {item["title"] for item in listed.json()["items"]}
    assert titles
    return {title for title in titles if not title.startswith(seller.email)}


def test_bells_of_all_shops_ring_through_the_pooler(
    shared_backend: Database, two_shops: tuple[TenantSchema, TenantSchema], clock: MovableClock
) -> None:
    """F8: a worker's look for due work, beside a shop's transaction."""
    mine, other = two_shops
    for shop in two_shops:
        with shared_backend.tenant(shop) as session:
            BellRepository(session).ring(shop, Lane.BULK, clock.now())
    found = []
    for _ in two_shops:
        with shared_backend.platform() as platform:
            bell = BellRepository(platform).lease_next([Lane.BULK], clock.now(), clock.now())
            assert bell is not None
            BellRepository(platform).set(bell, None)
            found.append(bell.tenant)
    assert sorted(found) == [mine, other]


def test_an_installation_is_migrated_through_the_pooler(
    server_url: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F8: a new database, and again; nothing hangs on a lock of the session."""
    name = f"stoflow_test_pooler_{os.getpid()}"
    url = create_empty_database(server_url, name)
    try:
        with pooler(url, backends=3) as behind:
            monkeypatch.setenv("DATABASE_URL", behind)
            for words in (("db", "migrate"), ("db", "migrate"), ("db", "status")):
                done = run(*words)
                assert done.exit_code == 0, done.output
    finally:
        drop_database(server_url, name)
