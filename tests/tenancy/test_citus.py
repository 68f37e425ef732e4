"""The way to Citus: what the database is told, and that everything works without roles of shops.

Citus itself is not needed: a stand-in with the same names and signatures notes what it is told.
That the real one accepts it is not shown here (docs/adr/0017).
"""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from backend.migration import InstallationMigration, MigrationWish, Silent
from migrations.lines import TENANT
from migrations.rendering import head_of, revisions
from models.accounts.tenants import Lane
from models.registry import PLATFORM_METADATA
from repositories.accounts.bells import BellRepository
from repositories.accounts.citus import CitusRepository, Placement, steps_for
from repositories.accounts.tenant_overview import ShopFilter, TenantOverview
from services.accounts.tenants.sharding import CitusPreparation
from shared.clock import MovableClock
from shared.database import Database
from shared.errors import Conflict, Misconfigured
from tests.factories.selling import make_job
from tests.tenancy.damage import as_platform, findings, mend, open_shop, troubles

STAND_IN = """
CREATE TABLE pg_dist_partition
    (logicalrelid regclass, partmethod "char", repmodel "char", colocationid int);
CREATE TABLE pg_dist_schema (schemaid oid, colocationid int);
CREATE TABLE told (number serial, what text);
CREATE FUNCTION create_reference_table(table_name regclass) RETURNS void LANGUAGE sql AS $$
    INSERT INTO told (what) VALUES ('reference ' || table_name);
    INSERT INTO pg_dist_partition VALUES (table_name, 'n', 't', 1);
$$;
CREATE FUNCTION citus_add_local_table_to_metadata
    (table_name regclass, cascade_via_foreign_keys boolean DEFAULT false) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO told (what) VALUES ('local ' || table_name || ' ' || cascade_via_foreign_keys);
    INSERT INTO pg_dist_partition VALUES (table_name, 'n', 's', 0);
$$;
SET LOCAL allow_system_table_mods = on;
INSERT INTO pg_extension VALUES (424242, 'citus', 10, 11, false, '{version}', NULL, NULL);
"""


@pytest.fixture
def roleless(database_of_its_own: Database) -> Database:
    """A database as it is opened on Citus."""
    return Database(database_of_its_own.engine, tenant_roles=False, check_sentinel=True)


def install_stand_in(database: Database, version: str = "13.2-1") -> None:
    """As if Citus were there. Only a superuser can pretend that."""
    try:
        as_platform(database, STAND_IN.replace("{version}", version))
    except DBAPIError as error:
        if getattr(error.orig, "pgcode", None) == "42501":
            pytest.skip("left out: the login may not pretend that Citus is installed")
        raise


def told(database: Database) -> list[str]:
    with database.platform() as session:
        return list(session.scalars(text("SELECT what FROM told ORDER BY number")))


def test_every_shared_table_becomes_what_it_says_after_those_it_refers_to() -> None:
    """Citus rules 6 and 7."""
    steps = [step for step in steps_for("shop") if step.table is not None]
    order = [step.table for step in steps]
    assert sorted(order) == sorted(PLATFORM_METADATA.tables)
    for name, table in PLATFORM_METADATA.tables.items():
        for key in table.foreign_keys:
            assert order.index(key.column.table.fullname) < order.index(name)
    placed = {step.table: step.placement for step in steps}
    assert placed["public.tenant_bells"] is Placement.LOCAL
    assert placed["public.users"] is Placement.LOCAL
    assert placed["product_attributes.categories"] is Placement.REFERENCE


def test_citus_is_told_of_every_shared_table_once(roleless: Database) -> None:
    """Citus rules 7 and 14: and again nothing is left to tell."""
    install_stand_in(roleless)
    prepared = CitusPreparation(roleless).run()
    assert prepared.known_before == []
    kinds = [each.partition(" ")[0] for each in told(roleless)]
    assert kinds == sorted(kinds, reverse=True), "reference tables come first"
    assert len(kinds) == len(PLATFORM_METADATA.tables)
    assert "reference product_attributes.categories" in told(roleless)
    assert any(each.startswith("local ") and "tenant_bells true" in each for each in told(roleless))
    with roleless.platform() as session:
        setting = session.scalar(
            text(
                "SELECT setconfig[1] FROM pg_db_role_setting JOIN pg_database d"
                " ON d.oid = setdatabase WHERE d.datname = current_database()"
            )
        )
    assert setting == "citus.propagate_set_commands=local"
    again = CitusPreparation(roleless).run()
    assert (again.done, len(told(roleless))) == ([], len(kinds))


def test_a_preparation_that_was_broken_off_goes_on(roleless: Database) -> None:
    """Citus rule 18: DDL needs every node up, hence resumable."""
    install_stand_in(roleless)
    first, second, third = steps_for(roleless.name)[:3]
    for step in (first, second):
        with roleless.platform() as session:
            CitusRepository(session).tell(step)
    prepared = CitusPreparation(roleless).run()
    assert prepared.known_before == [first, second]
    assert prepared.done[0] == third


def test_a_plan_says_the_statements_and_the_moves_and_tells_nothing(
    roleless: Database, clock: MovableClock
) -> None:
    """Also without Citus."""
    shop = open_shop(roleless, clock)
    plan = CitusPreparation(roleless).plan()
    assert plan.done == steps_for(roleless.name)
    assert plan.to_move == [shop]
    install_stand_in(roleless)
    assert CitusPreparation(roleless).plan().done == steps_for(roleless.name)
    assert told(roleless) == []


def test_shops_that_citus_has_already_are_not_moved_again(
    roleless: Database, clock: MovableClock
) -> None:
    """One by one, while the old server serves the rest."""
    here, there = open_shop(roleless, clock), open_shop(roleless, clock)
    install_stand_in(roleless)
    as_platform(
        roleless, f"INSERT INTO pg_dist_schema VALUES ('{here.name}'::regnamespace::oid, 2)"
    )
    assert CitusPreparation(roleless).run().to_move == [there]


def test_a_database_that_is_not_ready_is_refused_and_nothing_is_told(
    database_of_its_own: Database, roleless: Database
) -> None:
    """With what to do about it."""
    with pytest.raises(Misconfigured, match="CREATE EXTENSION citus"):
        CitusPreparation(roleless).run()
    install_stand_in(roleless)
    with pytest.raises(Misconfigured, match="STOFLOW_DATABASE_TENANT_ROLES=false"):
        CitusPreparation(database_of_its_own).run()
    as_platform(roleless, "ALTER TABLE public.tenants FORCE ROW LEVEL SECURITY")
    with pytest.raises(Conflict, match=r"public\.tenants forces row-level security"):
        CitusPreparation(roleless).run()
    as_platform(
        roleless,
        "SET LOCAL allow_system_table_mods = on",
        "UPDATE pg_extension SET extversion = '11.3-1' WHERE extname = 'citus'",
    )
    with pytest.raises(Misconfigured, match="too old"):
        CitusPreparation(roleless).run()
    assert told(roleless) == []


def test_without_roles_a_shop_is_opened_listed_worked_for_and_migrated(
    roleless: Database, clock: MovableClock
) -> None:
    """Citus rule 15: search_path isolation holds alone."""
    shop, other = open_shop(roleless, clock), open_shop(roleless, clock)
    with roleless.tenant(shop) as session:
        job = make_job(session, clock).id
    with roleless.tenant(other) as session:
        assert session.scalar(text("SELECT count(*) FROM marketplace_jobs")) == 0
    with roleless.platform() as session:
        rung = BellRepository(session).lease_next(
            [Lane.BULK], clock.now(), clock.now() + timedelta(minutes=1)
        )
        assert rung is not None
        assert rung.tenant == shop
        glances = TenantOverview(session).shops(ShopFilter())
    assert [each.tenant for each in glances] == [shop, other]
    for target in (revisions(TENANT)[0], head_of(TENANT)):
        outcome = InstallationMigration(roleless, clock, MigrationWish(to=target)).run(Silent())
        assert (outcome.shops.migrated, outcome.shops.failed) == (2, ())
    with roleless.tenant(shop) as session:
        assert session.scalars(text("SELECT id FROM marketplace_jobs")).all() == [job]
    assert findings(roleless, clock) == []


def test_without_roles_drift_and_sentinels_are_looked_at_all_the_same(
    roleless: Database, clock: MovableClock
) -> None:
    """F4, Citus rule 15."""
    shop, other = open_shop(roleless, clock), open_shop(roleless, clock)
    as_platform(
        roleless,
        f"DROP INDEX {shop.quoted}.ix_marketplace_jobs_batch_id",
        f"DELETE FROM {other.quoted}.tenant_sentinel",
    )
    assert troubles(findings(roleless, clock)) == [("drift", shop), ("sentinel-missing", other)]
    assert mend(roleless).mended == [other]
