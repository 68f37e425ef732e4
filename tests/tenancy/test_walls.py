"""What a shop's transaction cannot do, whatever SQL it is made to run.

Two walls: the house refuses texts that could leave the shop before they are sent, and PostgreSQL
refuses what the shop's role may not. Behind the first one, the second is tried with a cursor of the
driver, which no guard sees.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
import pytest
from sqlalchemy import Connection, Engine, make_url, text

from migrations.access import WAYS_OUT, close_ways_out, tenant_group, ways_out
from migrations.runner import migrate, tenant_script
from services.accounts.tenants.provisioning import TenantProvisioning
from shared.clock import MovableClock
from shared.database import (
    Database,
    TenantSchema,
    TenantSession,
    WrongSchema,
    create_database_engine,
)
from shared.database.statements import StatementRefused, refuse_to_leave
from tests.databases import create_empty_database, drop_database
from tests.factories.accounts import make_user
from tests.factories.selling import make_product

LEAVING = [
    "RESET ROLE",
    "reset role",
    "  RESET\n\tROLE",
    "RESET/**/ROLE",
    "RESET ALL",
    "SET ROLE none",
    "SET LOCAL ROLE postgres",
    "SET search_path TO public",
    "SET LOCAL search_path = user_1",
    "SET SESSION AUTHORIZATION DEFAULT",
    "SET stoflow.tenant_id = '2'",
    "SET statement_timeout = 0",
    "DISCARD ALL",
    "COMMIT",
    "ROLLBACK",
    "ROLLBACK AND CHAIN",
    "END",
    "ABORT",
    "BEGIN",
    "START TRANSACTION",
    "PREPARE TRANSACTION 'x'",
    "DO $$ BEGIN RESET ROLE; END $$",
    "DO 'BEGIN RESET ROLE; END'",
    "CALL somebody()",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET role = 'none' AS 'SELECT 1'",
    "CREATE PROCEDURE p() LANGUAGE sql AS 'RESET ROLE'",
    "ALTER ROLE CURRENT_USER SET search_path = public",
    "GRANT ALL ON products TO public",
    "REASSIGN OWNED BY CURRENT_USER TO postgres",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
    "LISTEN x",
    "COPY products TO PROGRAM 'true'",
    "LOAD 'plpgsql'",
    "SELECT 1; RESET ROLE",
    "SELECT 1; SELECT 2",
    "SELECT 'a' ; RESET ROLE; SELECT 'b'",
    "SELECT ''; RESET ROLE; --'",
    "SELECT 1 -- and then",
    "SELECT /* ' */ 1; RESET ROLE; SELECT ' '",
    r"SELECT E'\' ; RESET ROLE; --'",
    r"SELECT E'\'; RESET ROLE; SELECT '",
    "SELECT $$ ' $$; RESET ROLE; SELECT $$ ' $$",
    "SELECT $a$ x $a$",
    "SELECT 'never ends",
    'SELECT "never ends',
    "SELECT set_config('role', 'none', true)",
    "SELECT pg_catalog.SET_CONFIG('role', 'none', true)",
    """SELECT "set_config"('role', 'none', true)""",
    r"""SELECT U&"set\005fconfig"('role', 'none', true)""",
    r"SELECT U&'\0041'",
    "UPDATE pg_settings SET setting = 'none' WHERE name = 'role'",
    "SELECT query_to_xml('RESET ROLE', true, true, '')",
    "SELECT ts_stat('SELECT 1')",
    "SELECT pg_advisory_lock(1)",
    "SELECT lo_create(0)",
    "",
    ";",
]

ORDINARY = [
    "SELECT * FROM products WHERE title = %(title)s",
    "  (SELECT 1) UNION (SELECT 2)",
    "SELECT 1;",
    "SELECT 'it''s; -- /* $$ all text' AS \"a;b\"",
    "SELECT attributes->>'brand', tags #>> '{a}', 5 - -3 FROM products",
    "SELECT id FROM products WHERE title LIKE'shirt%%'",
    "SELECT products_status, lists_rewritten FROM somewhere",
    "SELECT pg_advisory_xact_lock(hashtextextended(%(name)s, 0))",
    "WITH a AS (SELECT 1) SELECT * FROM a",
    "INSERT INTO products (id) VALUES (%(id)s) ON CONFLICT DO NOTHING RETURNING id",
    "UPDATE products SET title = %(title)s",
    "DELETE FROM products",
    "SAVEPOINT sa_savepoint_1",
    "ROLLBACK TO SAVEPOINT sa_savepoint_1",
    "RELEASE SAVEPOINT sa_savepoint_1",
    "LOCK TABLE products",
    "EXPLAIN SELECT 1",
]


UNDERSTOOD = (
    "SELECT * ",
    "SELECT nextval",
    "UPDATE",
    "TRUNCATE",
    "LOCK",
    "DROP TABLE",
    "ALTER TABLE",
)


@pytest.fixture
def two_shops(
    database: Database, clock: MovableClock, tenant: TenantSchema, other_tenant: TenantSchema
) -> tuple[TenantSchema, TenantSchema]:
    """Two shops with a product each."""
    for shop in (tenant, other_tenant):
        with database.tenant(shop) as session:
            make_product(session, clock, title=f"of {shop}")
    return tenant, other_tenant


@contextmanager
def unguarded(session: TenantSession) -> Iterator[Any]:
    """A cursor in the shop's transaction that only PostgreSQL watches; undone at the end."""
    with session.connection().connection.cursor() as cursor:
        cursor.execute("SAVEPOINT unguarded")
        yield cursor
        cursor.execute("ROLLBACK TO SAVEPOINT unguarded")


def past_the_guard(
    database: Database, shop: TenantSchema, statement: str, values: tuple[Any, ...] = ()
) -> None:
    """Run a text in a transaction of the shop that only PostgreSQL watches, and commit it."""
    with database.tenant(shop) as session:
        session.connection().connection.cursor().execute(statement, values or None)


def contents(database: Database) -> dict[str, list[str]]:
    """Every row of every table of every schema of ours, and every sequence."""
    with database.engine.connect() as connection:
        names = connection.execute(
            text(
                "SELECT quote_ident(nspname) || '.' || quote_ident(relname)"
                " FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace"
                " WHERE relkind IN ('r', 'S') AND nspname !~ '^(pg_|information_schema)'"
            )
        ).scalars()
        return {
            name: sorted(str(row) for row in connection.execute(text(f"SELECT * FROM {name}")))
            for name in names
        }


@pytest.mark.parametrize("statement", LEAVING)
def test_a_text_that_could_leave_the_shop_is_refused(statement: str) -> None:
    """F8, F11, X2: before it is sent, whatever it is wrapped in."""
    with pytest.raises(StatementRefused):
        refuse_to_leave(statement)


@pytest.mark.parametrize("statement", ORDINARY)
def test_what_the_house_writes_is_let_through(statement: str) -> None:
    """F11."""
    refuse_to_leave(statement)


def test_a_long_text_is_judged_like_a_short_one() -> None:
    """F11: those are not remembered."""
    rows = ", ".join(["(%(a)s, %(b)s)"] * 1000)
    refuse_to_leave(f"INSERT INTO products (a, b) VALUES {rows}")
    with pytest.raises(StatementRefused):
        refuse_to_leave(f"INSERT INTO products (a, b) VALUES {rows}; RESET ROLE")


def test_injected_sql_does_not_leave_the_shop(
    database: Database, two_shops: tuple[TenantSchema, TenantSchema]
) -> None:
    """F8, X2: nothing of it reaches the server, and the transaction goes on."""
    mine, other = two_shops
    before = contents(database)
    with database.tenant(mine) as session:
        for stolen in (
            f"'; RESET ROLE; DELETE FROM {other}.products; SELECT '",
            f"' UNION SELECT set_config('role', 'none', true) FROM {other}.products WHERE ''='",
            "'; COMMIT; SELECT '",
        ):
            with pytest.raises(StatementRefused):
                session.execute(text(f"SELECT id FROM products WHERE title = '{stolen}'"))
        titles = session.scalars(text("SELECT title FROM products")).all()
        assert titles == [f"of {mine}"]
    assert contents(database) == before


def test_a_platform_session_may_say_what_it_must(database: Database) -> None:
    """Provisioning and migrations bind for themselves."""
    with database.platform() as session:
        session.execute(text("SET LOCAL search_path TO public; SELECT 1"))


def test_a_transaction_that_left_its_shop_does_not_commit(
    database: Database, two_shops: tuple[TenantSchema, TenantSchema]
) -> None:
    """X2, F9: in test mode role and search_path are looked at once more before the commit."""
    mine, _ = two_shops
    before = contents(database)
    for leaving in ("RESET ROLE", "SET LOCAL search_path TO public"):
        with pytest.raises(WrongSchema):
            past_the_guard(database, mine, f"DELETE FROM products; {leaving}")
    assert contents(database) == before


FOREIGN = [
    "SELECT * FROM {other}.products",
    "SELECT count(*) FROM {other}.products",
    "TABLE {other}.tenant_sentinel",
    "INSERT INTO {other}.job_batches (action, requested_by, created_at)"
    " VALUES ('publish', 1, now())",
    "INSERT INTO products SELECT * FROM {other}.products",
    "UPDATE {other}.products SET title = 'stolen'",
    "DELETE FROM {other}.products",
    "TRUNCATE {other}.products CASCADE",
    "LOCK TABLE {other}.products IN ACCESS SHARE MODE",
    "COPY {other}.products TO STDOUT",
    "COPY {other}.products FROM STDIN",
    "SELECT nextval('{other}.products_id_seq')",
    "SELECT currval('{other}.products_id_seq')",
    "SELECT setval('{other}.products_id_seq', 1)",
    "SELECT last_value FROM {other}.products_id_seq",
    "DROP TABLE {other}.products CASCADE",
    "DROP SCHEMA {other} CASCADE",
    "ALTER TABLE {other}.products ADD COLUMN mine int",
    "ALTER SCHEMA {other} RENAME TO mine",
    "CREATE TABLE {other}.mine (id int)",
    "CREATE INDEX mine ON {other}.products (id)",
    "CREATE TABLE mine (id bigint REFERENCES {other}.products)",
    "CREATE TABLE mine (LIKE {other}.products)",
    "CREATE TABLE mine () INHERITS ({other}.products)",
    "CREATE VIEW mine AS SELECT * FROM {other}.products",
    "CREATE RULE mine AS ON SELECT TO {other}.products DO INSTEAD SELECT 1",
    "GRANT ALL ON {other}.products TO CURRENT_USER",
    "COMMENT ON TABLE {other}.products IS 'mine'",
    "SELECT * FROM template_tenant.products",
    "SELECT password_hash FROM public.users",
    "SELECT schema_version FROM public.tenants",
    "SELECT * FROM public.auth_sessions",
    "SELECT * FROM public.refresh_tokens",
    "SELECT * FROM public.channel_consents",
    "SELECT * FROM public.notifications",
    "SELECT * FROM public.outbox_streams",
    "DELETE FROM public.outbox_events",
    "INSERT INTO public.outbox_deliveries (event_id) VALUES (1)",
    "SELECT * FROM public.tenant_blueprints",
    "UPDATE public.tenants SET status = 'active'",
    "DELETE FROM public.tenants",
    "TRUNCATE public.tenant_bells",
    "DELETE FROM public.auth_sessions",
    "DELETE FROM product_attributes.categories",
    "CREATE TABLE public.mine (id int)",
    "CREATE TABLE product_attributes.mine (id int)",
    "CREATE SCHEMA mine",
    "CREATE ROLE mine",
    "CREATE TEMPORARY TABLE products (id bigint)",
    "SELECT * FROM pg_catalog.pg_authid",
    "SELECT * FROM pg_catalog.pg_shadow",
    "SELECT * FROM pg_catalog.pg_statistic",
    "SELECT pg_read_file('PG_VERSION')",
    "SELECT pg_ls_dir('.')",
    "COPY products TO PROGRAM 'true'",
    "COPY products TO '/tmp/mine'",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()",
]


@pytest.mark.parametrize("statement", FOREIGN)
def test_postgresql_refuses_what_is_not_the_shops(
    database: Database, two_shops: tuple[TenantSchema, TenantSchema], statement: str
) -> None:
    """ST14, F8, F11: named in full, past the guard; and nothing has changed anywhere."""
    mine, other = two_shops
    before = contents(database)
    with pytest.raises(psycopg2.Error, match=r"permission denied|must be "):
        past_the_guard(database, mine, statement.format(other=other.quoted))
    assert contents(database) == before


@pytest.mark.parametrize(
    "statement", [each for each in FOREIGN if each.startswith(UNDERSTOOD) and "{other}" in each]
)
def test_the_same_statements_are_understood_where_they_belong(
    database: Database, two_shops: tuple[TenantSchema, TenantSchema], statement: str
) -> None:
    """ST14: so the refusals are about whose it is, and not about wrong words."""
    mine, _ = two_shops
    past_the_guard(database, mine, statement.format(other=mine.quoted))


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT set_config('role', 'none', true)",
        "SELECT set_config('search_path', 'public', false)",
        "UPDATE pg_settings SET setting = 'none' WHERE name = 'role'",
        "SELECT query_to_xml('SELECT set_config(''role'', ''none'', true)', true, true, '')",
        "SELECT query_to_xml('RESET ROLE', true, true, '')",
        "SELECT ts_stat('SELECT set_config(''role'', ''none'', true)::tsvector')",
        "DO $$ BEGIN RESET ROLE; END $$",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET role = 'none' AS 'SELECT 1'",
        "SELECT pg_advisory_lock(1)",
        "SELECT pg_try_advisory_lock_shared(1, 2)",
        "SELECT lo_create(0)",
    ],
)
def test_no_expression_leaves_the_role_where_the_login_could_close_the_ways(
    database: Database, two_shops: tuple[TenantSchema, TenantSchema], statement: str
) -> None:
    """X2: PostgreSQL itself, past the guard."""
    mine, _ = two_shops
    with database.engine.connect() as connection:
        if ways_out(connection):
            pytest.skip("the login of this server is no superuser")
    with pytest.raises(psycopg2.Error, match=r"permission denied|not allowed"):
        past_the_guard(database, mine, statement)


def test_reset_role_itself_cannot_be_forbidden(
    database: Database, two_shops: tuple[TenantSchema, TenantSchema]
) -> None:
    """X2: what PostgreSQL leaves open, and why there is a guard; if this fails, say so in 0018."""
    mine, _ = two_shops
    with database.tenant_session(mine) as session, unguarded(session) as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute("SELECT current_user = session_user")
        assert cursor.fetchone() == (True,)


def _granted_tables(connection: Connection, group: str) -> list[tuple[str, bool, int]]:
    """Shared tables on which shops have any right: name, row-level security, policies."""
    found = connection.execute(
        text(
            "SELECT c.oid::regclass::text, c.relrowsecurity,"
            " (SELECT count(*) FROM pg_policy WHERE polrelid = c.oid)"
            " FROM pg_class AS c WHERE c.relnamespace = 'public'::regnamespace"
            " AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND EXISTS ("
            "  SELECT FROM aclexplode(c.relacl) AS a WHERE a.grantee IN (0, :group ::regrole)"
            "  UNION ALL SELECT FROM pg_attribute AS t, aclexplode(t.attacl) AS a"
            "  WHERE t.attrelid = c.oid AND a.grantee IN (0, :group ::regrole))"
            " ORDER BY 1"
        ),
        {"group": group},
    )
    return [(name, secured, policies) for name, secured, policies in found]


def test_every_shared_table_that_shops_may_touch_shows_them_their_rows_alone(
    database: Database,
) -> None:
    """ST14: read from the catalog, so a new grant is looked at by itself."""
    with database.engine.connect() as connection:
        found = _granted_tables(connection, tenant_group(database.name))
    assert {"tenants", "tenant_bells", "auth_sessions"} <= {name for name, _, _ in found}
    assert [name for name, secured, policies in found if not (secured and policies)] == []


def test_a_shared_row_of_another_shop_can_be_neither_seen_nor_made_nor_moved(
    database: Database, two_shops: tuple[TenantSchema, TenantSchema]
) -> None:
    """ST14: each right that shops have on each shared table, tried on the other shop's rows."""
    mine, other = two_shops
    bell = "INSERT INTO public.tenant_bells (tenant_id, lane, due_at) VALUES (%s, 'bulk', now())"
    with database.platform() as session:
        for shop in two_shops:
            session.execute(text(bell.replace("%s", ":shop")), {"shop": shop.tenant_id})
    before = contents(database)
    with database.tenant(mine) as session:
        for table, column in (("tenants", "id"), ("tenant_bells", "tenant_id")):
            ids = session.scalars(text(f"SELECT {column} FROM public.{table}")).all()
            assert ids == [mine.tenant_id]
        for change in ("UPDATE public.tenant_bells SET due_at = now()", "DELETE FROM tenant_bells"):
            with unguarded(session) as cursor:
                cursor.execute(f"{change} WHERE tenant_id = %s", (other.tenant_id,))
                assert cursor.rowcount == 0
    for statement in (bell, "UPDATE public.tenant_bells SET tenant_id = %s"):
        with pytest.raises(psycopg2.Error, match="row-level security"):
            past_the_guard(database, mine, statement, (other.tenant_id,))
    assert contents(database) == before


@pytest.mark.parametrize(
    "name",
    [
        "user_0",
        "user_-1",
        "user_+1",
        "user_01",
        "user_1 ",
        " user_1",
        "user_1\n",
        "user_\uff11",
        "user_\u0661",
        "user_1_000",
        "user_1e3",
        "user_0x1",
        f"user_{2**63}",
        "user_" + "9" * 400,
        "user_",
        "user_1.products",
        'user_1"; DROP SCHEMA user_2 CASCADE; --',
        "user_1'; RESET ROLE; --",
        "user_1, user_2",
        '"user_1"',
        "User_1",
        "\u0075ser_\u0031\u0301",
        "template_tenant",
        "pg_catalog",
        "",
        "user_1\x00",
    ],
)
def test_a_forged_schema_name_is_no_name(name: str) -> None:
    """F11."""
    with pytest.raises(ValueError, match="not a tenant"):
        TenantSchema.parse(name)


@pytest.fixture
def plain_login(server_url: str) -> Iterator[Engine]:
    """A database of its own whose login owns it and may make roles, and is no superuser."""
    name, login = f"stoflow_test_plain_{os.getpid()}", f"stoflow_plain_login_{os.getpid()}"
    url = make_url(create_empty_database(server_url, name))
    admin = create_database_engine(url.render_as_string(hide_password=False))
    with admin.begin() as connection:
        connection.execute(text(f"CREATE ROLE {login} LOGIN CREATEROLE PASSWORD 'plain'"))
        connection.execute(text(f"ALTER DATABASE {name} OWNER TO {login}"))
    admin.dispose()
    own = url.set(username=login, password="plain").render_as_string(hide_password=False)
    engine = create_database_engine(own)
    yield engine
    engine.dispose()
    drop_database(server_url, name)
    admin = create_database_engine(server_url)
    with admin.begin() as connection:
        connection.execute(text(f"DROP ROLE {login}"))
    admin.dispose()


def _open_a_shop(database: Database, clock: MovableClock) -> TenantSchema:
    with database.platform() as session:
        user = make_user(session, clock)
        return TenantProvisioning(database, tenant_script(), clock).provision(session, user.id)


def test_a_login_that_is_no_superuser_works_and_leaves_the_ways_as_they_are(
    plain_login: Engine, clock: MovableClock
) -> None:
    """F8: migrations, sign-up and a shop's transaction; its guard is the house's own."""
    migrate(plain_login)
    database = Database(plain_login, check_sentinel=True)
    shops = [_open_a_shop(database, clock) for _ in range(2)]
    with plain_login.connect() as connection:
        assert ways_out(connection) == list(WAYS_OUT)
    with database.tenant(shops[0]) as session:
        make_product(session, clock)
    with pytest.raises(psycopg2.Error, match="permission denied"):
        past_the_guard(database, shops[1], f"SELECT * FROM {shops[0].quoted}.products")
    with pytest.raises(StatementRefused), database.tenant(shops[1]) as session:
        session.execute(text("SELECT set_config('role', 'none', true)"))


def test_an_owner_that_is_no_superuser_works_after_a_superuser_has_closed_the_ways(
    plain_login: Engine, server_url: str, clock: MovableClock
) -> None:
    """F8: the login keeps what shops lose; pg_dump, for one, begins with set_config."""
    migrate(plain_login)
    database = Database(plain_login, check_sentinel=True)
    admin = create_database_engine(
        make_url(server_url).set(database=database.name).render_as_string(hide_password=False)
    )
    with admin.begin() as connection:
        close_ways_out(connection)
        assert ways_out(connection) == []
    admin.dispose()
    migrate(plain_login)
    shop = _open_a_shop(database, clock)
    with plain_login.connect() as connection:
        connection.execute(text("SELECT set_config('search_path', '', false)"))
        connection.execute(text("DO $$ BEGIN NULL; END $$"))
    with database.tenant(shop) as session:
        make_product(session, clock)
