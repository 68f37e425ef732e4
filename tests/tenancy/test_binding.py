"""The tenant is bound at every transaction begin, and PostgreSQL enforces it."""

import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DataError, ProgrammingError

from backend.container import Container
from models.accounts.tenants import TenantStatus
from models.selling.catalog import Product, ProductStatus
from repositories.accounts.tenants import TenantRepository
from shared.database import (
    Database,
    EngineOptions,
    TenantSchema,
    TenantSession,
    WrongSchema,
    create_database_engine,
)
from shared.errors import TenantUnavailable

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def product(handle: str) -> Product:
    return Product(
        handle=handle,
        title=handle,
        description="",
        status=ProductStatus.DRAFT,
        attributes={},
        tags=[],
        option_names=[],
        currency="EUR",
        version=1,
        created_at=NOW,
        updated_at=NOW,
    )


def handles(session: TenantSession) -> list[str]:
    return list(session.scalars(select(Product.handle).order_by(Product.id)))


@pytest.fixture
def two_shops(
    database: Database, tenant: TenantSchema, other_tenant: TenantSchema
) -> tuple[TenantSchema, TenantSchema]:
    """Two shops with one committed product each."""
    for shop in (tenant, other_tenant):
        with database.tenant(shop) as session:
            session.add(product(f"of {shop}"))
    return tenant, other_tenant


def test_rows_stay_home(database: Database, two_shops: tuple[TenantSchema, TenantSchema]) -> None:
    """X2, ST14, F9."""
    for shop in two_shops:
        with database.tenant(shop) as session:
            assert handles(session) == [f"of {shop}"]


def test_the_binding_survives_a_commit(
    database: Database, two_shops: tuple[TenantSchema, TenantSchema]
) -> None:
    """X2, F9: the classic failure of SET LOCAL once per request."""
    mine, _ = two_shops
    with database.tenant_session(mine) as session:
        session.add(product("second"))
        session.commit()
        assert handles(session) == [f"of {mine}", "second"]
        session.add(product("third"))
        session.commit()
        assert handles(session) == [f"of {mine}", "second", "third"]


def test_the_binding_survives_a_rollback(
    database: Database, two_shops: tuple[TenantSchema, TenantSchema]
) -> None:
    """X2, F9."""
    mine, _ = two_shops
    with database.tenant_session(mine) as session:
        session.add(product("lost"))
        session.flush()
        session.rollback()
        assert handles(session) == [f"of {mine}"]


def test_the_binding_survives_a_savepoint_rollback(
    database: Database, two_shops: tuple[TenantSchema, TenantSchema]
) -> None:
    """X2."""
    mine, _ = two_shops
    with database.tenant(mine) as session:
        with pytest.raises(DataError), session.begin_nested():
            session.execute(text("SELECT 1 / 0"))
        with session.begin_nested():
            session.add(product("kept"))
        assert handles(session) == [f"of {mine}", "kept"]


def test_a_failed_statement_and_a_new_transaction_stay_home(
    database: Database, two_shops: tuple[TenantSchema, TenantSchema]
) -> None:
    """F9."""
    mine, _ = two_shops
    with database.tenant_session(mine) as session:
        with pytest.raises(DataError):
            session.execute(text("SELECT 1 / 0"))
        session.rollback()
        assert handles(session) == [f"of {mine}"]


def test_one_pooled_connection_serves_two_shops_without_a_trace(
    database: Database, two_shops: tuple[TenantSchema, TenantSchema]
) -> None:
    """F8, F10: pool reuse, backend for backend."""
    url = database.engine.url.render_as_string(hide_password=False)
    engine = create_database_engine(url, EngineOptions(pool_size=1, max_overflow=0))
    single = Database(engine)
    backends = set()
    for shop in (*two_shops, *two_shops):
        with single.tenant(shop) as session:
            backends.add(session.scalar(text("SELECT pg_backend_pid()")))
            assert handles(session) == [f"of {shop}"]
        with single.platform() as platform:
            backends.add(platform.scalar(text("SELECT pg_backend_pid()")))
            assert platform.scalar(text("SELECT current_user = session_user"))
            assert platform.scalar(text("SHOW search_path")) == '"$user", public'
    engine.dispose()
    assert len(backends) == 1


def test_threads_do_not_mix(
    database: Database, two_shops: tuple[TenantSchema, TenantSchema]
) -> None:
    """ST14, F9: many threads, one pool, two shops, real commits."""
    seen: list[tuple[TenantSchema, list[str]]] = []

    def work(shop: TenantSchema, number: int) -> None:
        for turn in range(10):
            with database.tenant(shop) as session:
                session.add(product(f"of {shop} {number}-{turn}"))
            with database.tenant(shop) as session:
                seen.append((shop, handles(session)))

    threads = [
        threading.Thread(target=work, args=(shop, number))
        for number in range(4)
        for shop in two_shops
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 80
    assert all(handle.startswith(f"of {shop}") for shop, found in seen for handle in found)
    for shop in two_shops:
        with database.tenant(shop) as session:
            assert len(handles(session)) == 41


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM {other}.products",
        "INSERT INTO {other}.job_batches (action, requested_by, created_at) "
        "VALUES ('publish', 1, now())",
        "UPDATE {other}.products SET title = 'stolen'",
        "DELETE FROM {other}.products",
        "DROP TABLE {other}.products CASCADE",
        "CREATE TABLE {other}.mine (id int)",
        "CREATE TABLE public.mine (id int)",
        "SELECT password_hash FROM public.users",
        "SELECT schema_version FROM public.tenants",
        "UPDATE public.tenants SET status = 'active'",
        "SELECT * FROM template_tenant.products",
        "DELETE FROM product_attributes.categories",
    ],
)
def test_another_shops_table_named_in_full_is_refused(
    database: Database, two_shops: tuple[TenantSchema, TenantSchema], statement: str
) -> None:
    """ST14, F8, F11: PostgreSQL itself refuses, and nothing has changed."""
    mine, other = two_shops
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        database.tenant(mine) as session,
    ):
        session.execute(text(statement.format(other=other.quoted)))
    with database.tenant(other) as session:
        assert handles(session) == [f"of {other}"]
        assert session.scalar(text("SELECT count(*) FROM job_batches")) == 0


def test_a_shop_leaves_no_temporary_table_behind(
    database: Database, two_shops: tuple[TenantSchema, TenantSchema]
) -> None:
    """F8: it would stay with the pooled connection and hide the next shop's own table."""
    mine, _ = two_shops
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        database.tenant(mine) as session,
    ):
        session.execute(text("CREATE TEMPORARY TABLE products (id bigint, handle text)"))


def test_a_temporary_table_hides_nothing(
    database: Database, two_shops: tuple[TenantSchema, TenantSchema]
) -> None:
    """F8, F10: whoever made it, in whatever connection of the pool."""
    url = database.engine.url.render_as_string(hide_password=False)
    engine = create_database_engine(url, EngineOptions(pool_size=1, max_overflow=0))
    single = Database(engine)
    with single.platform() as session:
        session.execute(text("CREATE TEMPORARY TABLE products (id bigint, handle text)"))
        session.execute(text("GRANT ALL ON products TO public"))
    for shop in two_shops:
        with single.tenant(shop) as session:
            assert handles(session) == [f"of {shop}"]
    engine.dispose()


def test_shared_rows_of_another_shop_do_not_exist(
    database: Database, two_shops: tuple[TenantSchema, TenantSchema]
) -> None:
    """ST14: row-level security on the shared tables that a tenant's transaction touches."""
    mine, other = two_shops
    with database.tenant(mine) as session:
        assert session.scalars(text("SELECT id FROM public.tenants")).all() == [mine.tenant_id]
    with (
        pytest.raises(ProgrammingError, match="row-level security"),
        database.tenant(mine) as session,
    ):
        session.execute(
            text(
                "INSERT INTO public.tenant_bells (tenant_id, lane, due_at)"
                " VALUES (:other, 'bulk', now())"
            ),
            {"other": other.tenant_id},
        )
    with database.platform() as platform:
        assert platform.scalar(text("SELECT count(*) FROM public.tenant_bells")) == 0


def test_a_tenants_tables_do_not_resolve_on_a_platform_session(
    database: Database, two_shops: tuple[TenantSchema, TenantSchema]
) -> None:
    """F9: forgetting the tenant fails loudly."""
    with pytest.raises(ProgrammingError, match="does not exist"), database.platform() as session:
        session.execute(select(Product.id))


def test_an_unknown_tenant_is_refused(database: Database) -> None:
    """ST14."""
    with pytest.raises(TenantUnavailable), database.tenant(TenantSchema(4_000_000_000)) as session:
        handles(session)


@pytest.mark.parametrize("status", [TenantStatus.RETIRED, TenantStatus.SUSPENDED])
def test_a_shop_that_is_not_active_is_refused_at_once(
    database: Database,
    two_shops: tuple[TenantSchema, TenantSchema],
    status: TenantStatus,
) -> None:
    """ST14: even for a session that was opened before."""
    mine, other = two_shops
    with database.tenant_session(mine) as session:
        assert handles(session) == [f"of {mine}"]
        session.commit()
        with database.platform() as platform:
            assert TenantRepository(platform).set_status(mine, status, NOW)
        with pytest.raises(TenantUnavailable, match=status.value):
            handles(session)
    with database.tenant(other) as session:
        assert handles(session) == [f"of {other}"]


def test_a_refused_session_leaves_a_clean_connection(
    database: Database, two_shops: tuple[TenantSchema, TenantSchema]
) -> None:
    """F16: nothing stays checked out."""
    before = database.engine.pool.checkedout()  # type: ignore[attr-defined]
    for _ in range(20):
        with pytest.raises(TenantUnavailable), database.tenant(TenantSchema(10**12)) as session:
            handles(session)
    assert database.engine.pool.checkedout() == before  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "name", ["user_0", "user_01", "user_1; DROP", "USER_1", "public", "user_-1"]
)
def test_only_well_formed_schema_names_exist(name: str) -> None:
    """F11."""
    with pytest.raises(ValueError, match="not a tenant schema"):
        TenantSchema.parse(name)


@pytest.mark.parametrize("number", [0, -1, 2**63, True, "1", 1.0])
def test_only_positive_64_bit_numbers_are_tenants(number: object) -> None:
    """F11."""
    with pytest.raises(ValueError, match="not a tenant id"):
        TenantSchema(number)  # type: ignore[arg-type]


def test_roles_can_be_switched_off(
    database: Database, two_shops: tuple[TenantSchema, TenantSchema]
) -> None:
    """Citus rule 15: search_path isolation alone still keeps rows home."""
    mine, _ = two_shops
    without_roles = Database(database.engine, tenant_roles=False)
    with without_roles.tenant(mine) as session:
        assert handles(session) == [f"of {mine}"]
        assert session.scalar(text("SELECT current_user = session_user"))


def test_a_schema_that_says_it_is_anothers_is_refused(
    database: Database, two_shops: tuple[TenantSchema, TenantSchema]
) -> None:
    """X2, F8: the sentinel, checked at every begin in test mode."""
    mine, other = two_shops
    with database.platform() as session:
        session.execute(text(f"UPDATE {mine}.tenant_sentinel SET tenant_id = {other.tenant_id}"))
    with database.tenant(mine) as session, pytest.raises(WrongSchema):
        handles(session)
    with database.tenant(other) as session:
        assert handles(session) == [f"of {other}"]


def test_every_tenant_session_of_the_tests_checks_the_sentinel(
    database: Database, container: Container
) -> None:
    """X2: the check is on in whatever the tests drive."""
    assert database.check_sentinel
    assert container.database is database
