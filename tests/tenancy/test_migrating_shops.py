"""Runs over all shops: each revision rendered once, a guarded transaction a shop."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event, text

from backend.migration import MigrationWish
from migrations.lines import PLATFORM, TENANT, Line
from migrations.rendering import BASE, head_of, revisions, tenant_script, tenant_steps
from models.accounts.tenants import TenantStatus
from repositories.accounts.tenants import TenantRepository
from services.accounts.tenants.migrating import Ending, Patience, ShopMigrations
from services.accounts.tenants.provisioning import TenantProvisioning
from services.accounts.tenants.waiting_line import WaitingLine
from shared.clock import MovableClock
from shared.database import (
    TEMPLATE_SCHEMA,
    Database,
    EngineOptions,
    TenantSchema,
    create_database_engine,
    may_pass,
)
from shared.errors import BadInput, NotFound
from tests.behaviour.accounts.test_opening_a_shop import catalog_of, owners
from tests.conftest import MakeTenant
from tests.factories.accounts import make_user
from tests.factories.selling import make_product
from tests.tenancy.moving import (
    HEAD,
    IMPATIENT,
    NEXT,
    SHELF,
    Listener,
    Mover,
    at,
    blueprint_of,
    columns_of,
    continued,
    revision_of,
    run_in,
)

AFTER = "tenant_9002"

FILL = """
def fill(connection):
    connection.execute(sa.text("UPDATE products SET shelf = 'box ' || title"))


def unfill(connection):
    connection.execute(sa.text("UPDATE products SET title = shelf"))
"""


@pytest.fixture
def database(database_of_its_own: Database) -> Database:
    """Template and blueprint move here."""
    return database_of_its_own


@pytest.fixture
def filling(tmp_path: Path) -> Line:
    """The same with a step on rows."""
    return continued(TENANT, tmp_path, NEXT, *SHELF, FILL)


@contextmanager
def statements_of(database: Database) -> Iterator[list[str]]:
    """What is sent to the database meanwhile."""
    sent: list[str] = []

    def note(connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        if connection.engine.url.database == database.name:
            sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield sent
    event.remove(Engine, "before_cursor_execute", note)


def failure_of(database: Database, tenant: TenantSchema) -> tuple[str | None, bool]:
    """What the directory says of the last failed migration, and whether it says when."""
    with database.platform() as session:
        row = TenantRepository(session).get(tenant.tenant_id)
        assert row is not None
        return row.migration_error, row.migration_failed_at is not None


def set_status(database: Database, tenant: TenantSchema, status: TenantStatus) -> None:
    with database.platform() as session:
        row = TenantRepository(session).get(tenant.tenant_id)
        assert row is not None
        row.status = status


def titles(database: Database, tenant: TenantSchema) -> list[tuple[str, str]]:
    with database.tenant(tenant) as session:
        rows = session.execute(text("SELECT title, shelf FROM products ORDER BY id"))
        return [(title, shelf) for title, shelf in rows]


def test_a_run_reaches_every_shop_and_the_next_one_is_one_query(
    database: Database, mover: Mover, line: Line, tenant: TenantSchema, other_tenant: TenantSchema
) -> None:
    """F1, F2: and Alembic is not started for it."""
    listener = Listener()
    outcome = mover.along(line).run(listener)
    assert (outcome.shops.migrated, outcome.shops.failed, outcome.since) == (2, (), {HEAD: 2})
    assert sorted(listener.order) == [tenant, other_tenant]
    for shop in (tenant, other_tenant):
        assert revision_of(database, shop) == at(NEXT)
        assert owners_are_right(database, shop)
    with statements_of(database) as sent:
        again = mover.along(line).run(listener)
    assert again.nothing_to_do
    assert len(sent) == 1


def owners_are_right(database: Database, tenant: TenantSchema) -> bool:
    with database.platform() as session:
        return owners(session, tenant.name) == {database.role_of(tenant)}


def test_a_revision_is_rendered_once_for_all_shops(
    database: Database, mover: Mover, line: Line, make_tenant: MakeTenant
) -> None:
    """F1: and however many statements there are, they are one round trip a shop."""
    for _ in range(5):
        make_tenant()
    with statements_of(database) as sent:
        mover.along(line).run()
    added = [each for each in sent if "ADD COLUMN shelf" in each]
    assert len(added) == 1 + 5, "once in the template, once a shop"
    assert len([each for each in added if "CREATE INDEX" in each]) == 5
    assert tenant_steps(HEAD, NEXT, line)[0] is tenant_steps(HEAD, NEXT, line)[0]


def test_a_migrated_shop_a_new_one_and_the_template_are_the_same(
    database: Database, mover: Mover, line: Line, tenant: TenantSchema, make_tenant: MakeTenant
) -> None:
    """F7, F15: to the last column, index and constraint."""
    mover.along(line).run()
    new = make_tenant()
    with database.platform() as session:
        blueprint = catalog_of(session, TEMPLATE_SCHEMA)
        assert catalog_of(session, tenant.name) == blueprint
        assert catalog_of(session, new.name) == blueprint
    assert "shelf" in columns_of(database, new.name)


def test_a_shop_that_cannot_be_migrated_stays_whole_and_stops_nobody(
    database: Database, mover: Mover, line: Line, tenant: TenantSchema, other_tenant: TenantSchema
) -> None:
    """F3: left at its old revision, its error recorded until it has been mended."""
    run_in(database, tenant, "CREATE INDEX ix_products_shelf ON products (title)")
    outcome = mover.along(line).run()
    assert (outcome.shops.migrated, len(outcome.shops.failed)) == (1, 1)
    [failed] = outcome.shops.failed
    assert (failed.tenant, failed.since) == (tenant, HEAD)
    assert failed.error == 'relation "ix_products_shelf" already exists'
    assert revision_of(database, tenant) == at(HEAD)
    assert "shelf" not in columns_of(database, tenant.name), "the statement before is undone"
    assert failure_of(database, tenant) == (failed.error, True)
    assert revision_of(database, other_tenant) == at(NEXT)
    run_in(database, tenant, "DROP INDEX ix_products_shelf")
    mended = mover.along(line).run()
    assert (mended.shops.migrated, mended.shops.failed) == (1, ())
    assert revision_of(database, tenant) == at(NEXT)
    assert failure_of(database, tenant) == (None, False)


def test_an_error_is_kept_without_the_values_of_rows(
    database: Database, mover: Mover, tmp_path: Path, tenant: TenantSchema, clock: MovableClock
) -> None:
    """F3: PostgreSQL names them further down."""
    with database.tenant(tenant) as session:
        for _ in range(2):
            make_product(session, clock, brand="a secret")
    unique = 'op.create_index("uq_brand", "products", ["brand"], unique=True)'
    [failed] = mover.along(continued(TENANT, tmp_path, NEXT, unique)).run().shops.failed
    assert failed.error == 'could not create unique index "uq_brand"'


@contextmanager
def locked(database: Database, tenant: TenantSchema) -> Iterator[None]:
    """Somebody reads the shop's products in a long transaction."""
    with database.engine.connect() as connection:
        connection.execute(text(f"LOCK TABLE {tenant.quoted}.products IN ACCESS SHARE MODE"))
        yield


def test_a_busy_shop_goes_to_the_back_of_the_line(
    database: Database, mover: Mover, line: Line, tenant: TenantSchema, make_tenant: MakeTenant
) -> None:
    """F5: the only thread does the others first and comes back when the lock is gone."""
    others = [make_tenant() for _ in range(3)]
    released = threading.Event()
    with locked(database, tenant):
        listener = Listener()
        run = threading.Thread(
            target=lambda: mover.along(line).run(
                listener, jobs=1, patience=Patience(tries=50, longest_pause_s=0.1)
            )
        )
        listener.on_moved = lambda shop: released.set() if shop.tenant == others[-1] else None
        run.start()
        assert released.wait(30)
    run.join()
    assert listener.order == [*others, tenant]
    assert revision_of(database, tenant) == at(NEXT)


def test_a_shop_that_stays_busy_is_given_up_and_named(
    database: Database, mover: Mover, line: Line, tenant: TenantSchema, other_tenant: TenantSchema
) -> None:
    """F5: a bounded number of tries, and nobody waits for it longer than a lock timeout."""
    with locked(database, tenant):
        outcome = mover.along(line).run()
    assert [each.tenant for each in outcome.shops.failed] == [tenant]
    assert outcome.shops.failed[0].error == "canceling statement due to lock timeout"
    assert revision_of(database, tenant) == at(HEAD)
    assert revision_of(database, other_tenant) == at(NEXT)


CUT_OFF = """
def fill(connection):
    pid = connection.scalar(sa.text("SELECT pg_backend_pid()"))
    table = sa.text("SELECT count(*) FROM public.cut_off")
    with connection.engine.begin() as other:
        if not other.scalar(table):
            other.execute(sa.text("INSERT INTO public.cut_off VALUES (1)"))
            other.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    connection.execute(sa.text("UPDATE products SET shelf = 'kept'"))
"""


def test_a_lost_connection_costs_a_try_and_nothing_else(
    database: Database, mover: Mover, tmp_path: Path, tenant: TenantSchema
) -> None:
    """F3, F5: PostgreSQL ends the backend in the middle of the shop's transaction."""
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE public.cut_off (times bigint)"))
    line = continued(TENANT, tmp_path, NEXT, *SHELF, CUT_OFF)
    outcome = mover.along(line).run()
    assert (outcome.shops.migrated, outcome.shops.failed) == (1, ())
    with database.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM public.cut_off")) == 1
    assert revision_of(database, tenant) == at(NEXT)


@pytest.mark.parametrize(
    ("sqlstate", "passes"),
    [
        ("55P03", True),
        ("40P01", True),
        ("40001", True),
        ("08006", True),
        ("57P01", True),
        ("42P07", False),
        ("23505", False),
        ("57014", False),
    ],
)
def test_what_is_tried_again(database: Database, sqlstate: str, passes: bool) -> None:
    """F5: locks, deadlocks, serialization and lost connections pass; everything else does not."""
    raised = f"DO $$ BEGIN RAISE 'no' USING ERRCODE = '{sqlstate}'; END $$"
    with pytest.raises(Exception, match="no") as caught, database.engine.begin() as connection:
        connection.exec_driver_sql(raised)
    assert may_pass(caught.value) is passes


def test_canaries_go_first_and_stop_the_run(
    database: Database, mover: Mover, line: Line, clock: MovableClock, make_tenant: MakeTenant
) -> None:
    """F1: no other shop is touched, and new shops are made as before."""
    first, second, *others = [make_tenant() for _ in range(5)]
    run_in(database, second, "CREATE INDEX ix_products_shelf ON products (title)")
    listener = Listener()
    outcome = mover.along(line).run(listener, canaries=2)
    assert outcome.stopped_by_canary
    assert sorted(listener.order) == [first, second]
    assert revision_of(database, first) == at(NEXT)
    assert {revision_of(database, shop) for shop in (second, *others)} == {at(HEAD)}
    assert blueprint_of(database) == HEAD
    assert revision_of(database, make_tenant()) == at(HEAD)
    run_in(database, second, "DROP INDEX ix_products_shelf")
    assert mover.along(line).run(listener, canaries=2).shops.migrated == 5
    assert blueprint_of(database) == NEXT


def test_only_the_named_shops_are_moved(
    database: Database, mover: Mover, line: Line, tenant: TenantSchema, other_tenant: TenantSchema
) -> None:
    """F1: to try a revision on one shop, or to finish one that was mended."""
    outcome = mover.along(line).run(only=(other_tenant,))
    assert outcome.shops.migrated == 1
    assert revision_of(database, tenant) == at(HEAD)
    assert revision_of(database, other_tenant) == at(NEXT)
    assert blueprint_of(database) == HEAD
    with pytest.raises(NotFound, match="user_999"):
        mover.along(line).run(only=(TenantSchema(999),))


def test_a_step_on_rows_runs_in_the_shop_after_its_sql(
    database: Database, mover: Mover, filling: Line, tenant: TenantSchema, clock: MovableClock
) -> None:
    """F3: in the same transaction, as the shop's own role; a new shop has no rows to fill."""
    with database.tenant(tenant) as session:
        make_product(session, clock, title="Hat")
    mover.along(filling).run()
    assert titles(database, tenant) == [("Hat", "box Hat")]
    assert "fill" not in "".join(tenant_script(line=filling).statements)


def test_a_step_on_rows_is_bound_to_its_shop(
    database: Database,
    mover: Mover,
    tmp_path: Path,
    tenant: TenantSchema,
    other_tenant: TenantSchema,
) -> None:
    """X2: role and search_path are the shop's; another shop is out of its reach."""
    asks = f"""
def fill(connection):
    role, schema = connection.execute(sa.text("SELECT current_user, current_schema()")).one()
    assert role.endswith("_" + schema), (role, schema)
    connection.execute(sa.text("SELECT count(*) FROM {tenant.name}.products"))
"""
    line = continued(TENANT, tmp_path, NEXT, *SHELF, asks)
    outcome = mover.along(line).run()
    assert revision_of(database, tenant) == at(NEXT)
    [failed] = outcome.shops.failed
    assert (failed.tenant, failed.error) == (
        other_tenant,
        f"permission denied for schema {tenant}",
    )
    assert revision_of(database, other_tenant) == at(HEAD)


def test_a_step_on_rows_that_fails_leaves_the_shop_as_it_was(
    database: Database, mover: Mover, tmp_path: Path, tenant: TenantSchema
) -> None:
    """F3: with what its revision did before."""
    line = continued(TENANT, tmp_path, NEXT, *SHELF, "def fill(connection):\n    {}['x']")
    [failed] = mover.along(line).run().shops.failed
    assert failed.error == "KeyError: 'x'"
    assert "shelf" not in columns_of(database, tenant.name)
    assert failure_of(database, tenant) == ("KeyError: 'x'", True)


def test_several_revisions_are_applied_in_order_with_their_steps_on_rows(
    database: Database,
    mover: Mover,
    filling: Line,
    tmp_path: Path,
    tenant: TenantSchema,
    clock: MovableClock,
) -> None:
    """F3: the second revision needs what the first one filled."""
    with database.tenant(tenant) as session:
        make_product(session, clock, title="Hat")
    line = continued(
        filling,
        tmp_path,
        AFTER,
        'op.alter_column("products", "shelf", nullable=False)',
        'op.alter_column("products", "shelf", nullable=True)',
    )
    assert mover.along(line).run().shops.migrated == 1
    assert revision_of(database, tenant) == at(AFTER)
    assert titles(database, tenant) == [("Hat", "box Hat")]


def test_the_way_back_undoes_rows_first_and_brings_the_old_schema(
    database: Database,
    mover: Mover,
    filling: Line,
    tenant: TenantSchema,
    make_tenant: MakeTenant,
    clock: MovableClock,
) -> None:
    """F1, F15: template, new shops and all others."""
    with database.tenant(tenant) as session:
        make_product(session, clock, title="Hat")
    with database.platform() as session:
        before = catalog_of(session, tenant.name)
    mover.along(filling).run()
    outcome = mover.along(filling).run(to=HEAD)
    assert (outcome.shops.migrated, outcome.target) == (1, HEAD)
    assert revision_of(database, tenant) == at(HEAD)
    assert blueprint_of(database) == HEAD
    new = make_tenant()
    with database.platform() as session:
        assert catalog_of(session, tenant.name)["indexes"] == before["indexes"]
        assert catalog_of(session, new.name) == before
        assert catalog_of(session, TEMPLATE_SCHEMA) == before
    with database.tenant(tenant) as session:
        assert session.scalar(text("SELECT title FROM products")) == "box Hat", "by unfill"
    assert mover.along(filling).run(to=HEAD).nothing_to_do


def test_every_revision_of_the_product_can_be_undone_and_done_again(
    database: Database, mover: Mover, tenant: TenantSchema
) -> None:
    """F15: to the first one and back, with the same schema in the end."""
    with database.platform() as session:
        before = catalog_of(session, tenant.name)
    first = revisions(TENANT)[0]
    assert mover.run(to=first).shops.failed == ()
    assert revision_of(database, tenant) == at(first)
    assert mover.run().shops.failed == ()
    with database.platform() as session:
        after = catalog_of(session, tenant.name)
    assert {kind: sorted_rows(rows) for kind, rows in after.items()} == {
        kind: sorted_rows(rows) for kind, rows in before.items()
    }


def sorted_rows(rows: list[tuple[object, ...]]) -> list[str]:
    """Without the positions of columns, which grow when one is dropped and added."""
    return sorted(repr([each for each in row if not isinstance(each, int)]) for row in rows)


def test_the_line_is_rendered_up_and_down_between_any_two_points(line: Line) -> None:
    """F1: and no way leads to nothing."""
    known = revisions(line)
    up = tenant_steps(BASE, NEXT, line)
    assert [step.until for step in up] == list(known)
    down = tenant_steps(NEXT, known[0], line)
    assert [step.since for step in down] == list(reversed(known[1:]))
    assert [step.until for step in down] == list(reversed(known[:-1]))
    assert tenant_steps(HEAD, HEAD, line) == ()
    assert tenant_script(BASE, HEAD, line) == tenant_script()
    for since, until in ((NEXT, BASE), ("tenant_none", HEAD)):
        with pytest.raises(ValueError, match=r"to nothing|not both"):
            tenant_steps(since, until, line)


def test_a_revision_that_nobody_knows_is_refused(database: Database, mover: Mover) -> None:
    """F1: before anything happens."""
    with pytest.raises(BadInput, match="tenant_none"):
        mover.run(to="tenant_none")


def test_an_older_version_leaves_a_newer_installation_alone(
    database: Database, mover: Mover, line: Line, tenant: TenantSchema
) -> None:
    """F1: a run of the old version, during a deployment, does not go back."""
    mover.along(line).run()
    with statements_of(database) as sent:
        assert mover.run().nothing_to_do
    assert len(sent) == 1
    assert blueprint_of(database) == NEXT
    with pytest.raises(BadInput, match="does not know"):
        mover.run(to=HEAD)
    assert revision_of(database, tenant) == at(NEXT)


def test_shops_asleep_are_left_alone_and_closed_ones_are_not(
    database: Database, mover: Mover, line: Line, make_tenant: MakeTenant
) -> None:
    """F13: an archive is upgraded when it comes back."""
    asleep, falling, retired, suspended = [make_tenant() for _ in range(4)]
    set_status(database, asleep, TenantStatus.HIBERNATED)
    set_status(database, falling, TenantStatus.HIBERNATING)
    set_status(database, retired, TenantStatus.RETIRED)
    set_status(database, suspended, TenantStatus.SUSPENDED)
    assert mover.along(line).run().shops.migrated == 2
    assert {revision_of(database, shop) for shop in (retired, suspended)} == {at(NEXT)}
    assert {revision_of(database, shop) for shop in (asleep, falling)} == {at(HEAD)}
    assert mover.along(line).run().nothing_to_do


def test_a_shop_that_somebody_else_moved_is_skipped(
    database: Database,
    mover: Mover,
    line: Line,
    tenant: TenantSchema,
    other_tenant: TenantSchema,
    clock: MovableClock,
) -> None:
    """F3: the plan may be old by the time a shop's turn comes; nothing is done twice."""
    mover.along(line).run(only=(tenant,))
    set_status(database, other_tenant, TenantStatus.HIBERNATED)
    migrations = ShopMigrations(
        database,
        clock,
        lambda since: tenant_steps(since, NEXT, line),
        jobs=2,
        patience=IMPATIENT,
    )
    listener = Listener()
    report = migrations.run([(tenant, HEAD), (other_tenant, HEAD)], listener.moved)
    assert (report.migrated, report.skipped, report.failed) == (0, 2, ())
    assert {each.ending for each in listener.shops} == {Ending.SKIPPED}
    assert revision_of(database, tenant) == at(NEXT)
    assert revision_of(database, other_tenant) == at(HEAD)


def test_without_roles_shops_are_migrated_statement_by_statement(
    database: Database, clock: MovableClock, line: Line
) -> None:
    """Citus rules 4, 15."""
    without_roles = Database(database.engine, tenant_roles=False)
    with without_roles.platform() as session:
        shop = TenantProvisioning(without_roles, tenant_script(), clock).provision(
            session, make_user(session, clock).id
        )
    wish = MigrationWish(line=line, patience=IMPATIENT)
    with statements_of(database) as sent:
        outcome = Mover(without_roles, clock, wish).run()
    assert (outcome.shops.migrated, outcome.shops.failed) == (1, ())
    assert revision_of(database, shop) == at(NEXT)
    assert not [each for each in sent if "CREATE INDEX" in each and "ALTER TABLE" in each]


def test_no_backend_touches_more_shops_than_it_may(
    database: Database, clock: MovableClock, tmp_path: Path, make_tenant: MakeTenant
) -> None:
    """F12: connections are let go of as they are when requests are served."""
    limit, shops = 4, [make_tenant() for _ in range(12)]
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE public.backends (pid bigint)"))
        connection.execute(text("GRANT INSERT ON public.backends TO PUBLIC"))
    noting = """
def fill(connection):
    connection.execute(sa.text("INSERT INTO public.backends VALUES (pg_backend_pid())"))
"""
    line = continued(TENANT, tmp_path, NEXT, *SHELF, noting)
    Mover(database, clock).along(line).run(jobs=2, shops_per_connection=limit)
    with database.engine.connect() as connection:
        served = connection.scalars(text("SELECT count(*) FROM public.backends GROUP BY pid")).all()
    assert sum(served) == len(shops)
    assert max(served) <= limit


def test_a_run_brings_connections_of_its_own(
    database: Database, clock: MovableClock, line: Line, make_tenant: MakeTenant
) -> None:
    """F16: it never waits for a pool that is smaller than its jobs."""
    for _ in range(6):
        make_tenant()
    url = database.engine.url.render_as_string(hide_password=False)
    engine = create_database_engine(url, EngineOptions(pool_size=2))
    try:
        assert Mover(Database(engine), clock).along(line).run(jobs=8).shops.migrated == 6
    finally:
        engine.dispose()


def test_a_line_sleeps_only_when_nothing_else_can_be_done() -> None:
    """F5: what was put back waits behind the rest, and the line ends when all is done."""
    line = WaitingLine(["a", "b"])
    assert line.take() == "a"
    line.put_back("a", seconds=0.05)
    assert line.take() == "b"
    line.done()
    assert line.take() == "a"
    line.done()
    assert line.take() is None


def test_a_closed_line_hands_out_nothing() -> None:
    """F3: an interrupted run begins no other shop."""
    line = WaitingLine(["a", "b"])
    assert line.take() == "a"
    line.close()
    line.done()
    assert line.take() is None


def test_an_interrupted_run_finishes_what_it_has_in_hand(
    database: Database, mover: Mover, line: Line, make_tenant: MakeTenant
) -> None:
    """F3: and the next run does the rest."""
    shops = [make_tenant() for _ in range(4)]

    def interrupt(_shop: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mover.along(line).run(Listener(on_moved=interrupt), jobs=1)
    moved = [shop for shop in shops if revision_of(database, shop) == at(NEXT)]
    assert moved == shops[:1]
    assert mover.along(line).run().shops.migrated == 3


def test_the_shared_schemas_come_first_and_a_newer_one_stays(
    database: Database, mover: Mover, line: Line, tenant: TenantSchema
) -> None:
    """F5: and alone, before any shop."""
    listener = Listener()
    mover.along(line).run(listener)
    assert listener.lines == [
        f"public, product_attributes: at {head_of(PLATFORM)}",
        f"{TEMPLATE_SCHEMA}: at {NEXT}",
        f"new shops: at {NEXT}",
        "1 shops",
    ]
    with database.engine.begin() as connection:
        connection.execute(
            text(f"UPDATE public.{PLATFORM.version_table} SET version_num = 'platform_9999'")
        )
    assert mover.along(line).run(listener, to=HEAD).shops.migrated == 1
    assert listener.lines[4] == "public, product_attributes: at platform_9999"
