"""The doctor finds what is wrong with an installation, and mending makes right what it can."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from migrations.access import GRANTS, WAYS_OUT, tenant_group
from models.accounts.tenants import TenantStatus
from repositories.accounts.tenant_survey import TenantSurvey
from services.accounts.tenants.clearing import TenantClearing
from services.accounts.tenants.diagnosing import Trouble
from shared.clock import MovableClock
from shared.database import Database, TenantSchema
from tests.tenancy.damage import (
    as_platform,
    doctor_of,
    findings,
    mend,
    open_shop,
    troubles,
)


def test_a_healthy_installation_has_no_findings(
    database: Database, tenant: TenantSchema, clock: MovableClock
) -> None:
    """F4: and mending has nothing to do."""
    assert findings(database, clock) == []
    assert mend(database).mended == []


def test_a_shop_that_is_behind_or_failed_is_named_with_its_error(
    database: Database, tenant: TenantSchema, other_tenant: TenantSchema, clock: MovableClock
) -> None:
    """F3, F4."""
    as_platform(
        database,
        f"UPDATE {tenant.quoted}.tenant_schema_version SET version_num = 'tenant_0001'",
        f"UPDATE public.tenants SET schema_version = 'tenant_0001' WHERE id = {tenant.tenant_id}",
        "UPDATE public.tenants SET migration_error = 'relation exists'"
        f" WHERE id = {other_tenant.tenant_id}",
    )
    found = findings(database, clock)
    assert troubles(found) == [("behind", tenant), ("migration-failed", other_tenant)]
    assert "tenant_0001" in found[0].says
    assert "relation exists" in found[1].says


def test_a_row_that_says_another_revision_than_its_schema_is_corrected(
    database: Database, tenant: TenantSchema, clock: MovableClock
) -> None:
    """F3: after one schema was restored from an older backup; then migrating can go on."""
    as_platform(
        database, f"UPDATE {tenant.quoted}.tenant_schema_version SET version_num = 'tenant_0001'"
    )
    assert troubles(findings(database, clock)) == [("version-differs", tenant)]
    mend(database)
    assert troubles(findings(database, clock)) == [("behind", tenant)]


def test_a_row_without_a_schema_and_a_schema_without_a_row_are_found(
    database_of_its_own: Database, clock: MovableClock
) -> None:
    """F4: neither is touched by mending."""
    database = database_of_its_own
    lost, forgotten = open_shop(database, clock), open_shop(database, clock)
    as_platform(
        database,
        f"DROP SCHEMA {lost.quoted} CASCADE",
        f"DELETE FROM public.tenants WHERE id = {forgotten.tenant_id}",
    )
    expected = [("schema-missing", lost), ("schema-orphaned", forgotten)]
    assert troubles(findings(database, clock)) == expected
    mend(database)
    assert troubles(findings(database, clock)) == expected


def test_a_role_without_a_shop_is_found(database_of_its_own: Database, clock: MovableClock) -> None:
    """F4: of this database; roles of others on the same server are none of its business."""
    database = database_of_its_own
    as_platform(database, f'CREATE ROLE "{database.name}_user_77"')
    assert troubles(findings(database, clock)) == [("role-orphaned", TenantSchema(77))]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("REVOKE {group} FROM {role}", "is not in the group"),
        ("ALTER ROLE {role} LOGIN", "may log in"),
        ("ALTER ROLE {role} BYPASSRLS", "pass row-level security"),
        ("ALTER ROLE {role} RENAME TO {role2}", "is missing"),
    ],
)
def test_a_role_that_is_not_as_it_should_be_is_found_and_mended(
    database_of_its_own: Database, clock: MovableClock, damage: str, said: str
) -> None:
    """X2, F4: then the shop works under it again."""
    database = database_of_its_own
    tenant = open_shop(database, clock)
    role = database.role_of(tenant)
    group = tenant_group(database.name)
    as_platform(
        database, damage.format(group=f'"{group}"', role=f'"{role}"', role2=f'"{role}_former"')
    )
    found = findings(database, clock, tenant)
    assert found[0].trouble is Trouble.ROLE
    assert said in found[0].says
    assert mend(database).mended == [tenant]
    assert findings(database, clock) == []
    with database.tenant(tenant) as session:
        assert session.scalar(text("SELECT current_user")) == role


@pytest.mark.parametrize("grant", GRANTS)
def test_every_right_that_shops_need_is_looked_for(
    database_of_its_own: Database, clock: MovableClock, grant: str
) -> None:
    """X2: a grant that is added is looked for too; mending gives it back."""
    database = database_of_its_own
    open_shop(database, clock)
    names = {
        "group": f'"{tenant_group(database.name)}"',
        "database": f'"{database.name}"',
    }
    if grant.startswith("GRANT"):
        taken = grant.replace("GRANT", "REVOKE", 1).replace(" TO {group}", " FROM {group}")
        # Everybody may look into public, which is a right of the group as well.
        everybody = "REVOKE USAGE ON SCHEMA public FROM PUBLIC"
        as_platform(database, everybody, taken.format(**names))
    else:
        given = grant.replace("REVOKE", "GRANT", 1).replace(" FROM PUBLIC", " TO PUBLIC")
        as_platform(database, given.format(**names))
    assert {each.trouble for each in findings(database, clock)} == {Trouble.ACCESS}
    mend(database)
    assert findings(database, clock) == []


def test_a_way_out_of_a_shops_role_that_was_opened_again_is_found(
    database_of_its_own: Database, clock: MovableClock
) -> None:
    """X2: where the login could close it."""
    database = database_of_its_own
    function = next(name for name in WAYS_OUT if name.startswith("set_config"))
    as_platform(database, f"GRANT EXECUTE ON FUNCTION pg_catalog.{function} TO PUBLIC")
    found = findings(database, clock)
    assert [each.says for each in found] == [f"everybody may use {function}"]
    mend(database)
    assert findings(database, clock) == []


def test_a_lost_sentinel_is_made_again_and_a_wrong_one_is_left_to_a_person(
    database: Database, tenant: TenantSchema, other_tenant: TenantSchema, clock: MovableClock
) -> None:
    """X2: a wrong one may mean that two shops were mixed up."""
    as_platform(
        database,
        f"DELETE FROM {tenant.quoted}.tenant_sentinel",
        f"UPDATE {other_tenant.quoted}.tenant_sentinel SET tenant_id = {tenant.tenant_id}",
    )
    found = findings(database, clock)
    assert troubles(found) == [("sentinel-missing", tenant), ("sentinel-wrong", other_tenant)]
    assert tenant.name in found[1].says
    assert mend(database).mended == [tenant]
    assert troubles(findings(database, clock)) == [("sentinel-wrong", other_tenant)]
    with database.tenant(tenant) as session:
        assert session.scalar(text("SELECT count(*) FROM products")) == 0


def test_a_hibernation_that_stopped_half_way_is_found_after_an_hour(
    database: Database, tenant: TenantSchema, clock: MovableClock
) -> None:
    """F13: not before; it may be at work."""
    as_platform(
        database,
        f"UPDATE public.tenants SET status = '{TenantStatus.HIBERNATING}',"
        f" status_changed_at = '{clock.now().isoformat()}'",
    )
    assert findings(database, clock) == []
    clock.advance(timedelta(hours=2))
    assert troubles(findings(database, clock)) == [("hibernation-stuck", tenant)]


def test_a_retired_shop_past_its_grace_is_found(
    database: Database, tenant: TenantSchema, clock: MovableClock
) -> None:
    """F4."""
    later = clock.now() + timedelta(days=30)
    as_platform(
        database,
        f"UPDATE public.tenants SET status = '{TenantStatus.RETIRED}',"
        f" drop_after = '{later.isoformat()}'",
    )
    assert findings(database, clock) == []
    clock.advance(timedelta(days=31))
    assert troubles(findings(database, clock)) == [("overdue", tenant)]


def test_a_hibernated_shop_needs_no_schema_and_no_migration(
    database_of_its_own: Database, clock: MovableClock
) -> None:
    """F13: it is brought up to date when it wakes."""
    database = database_of_its_own
    tenant = open_shop(database, clock)
    as_platform(
        database,
        f"DROP SCHEMA {tenant.quoted} CASCADE",
        f'DROP OWNED BY "{database.role_of(tenant)}"',
        f'DROP ROLE "{database.role_of(tenant)}"',
        f"UPDATE public.tenants SET status = '{TenantStatus.HIBERNATED}', schema_version = 'old'",
    )
    assert findings(database, clock) == []


def test_shared_tables_that_do_not_hold_shops_to_their_own_rows_are_found(
    database_of_its_own: Database, clock: MovableClock
) -> None:
    """X2: row-level security switched off, or without a policy."""
    database = database_of_its_own
    as_platform(
        database,
        "ALTER TABLE public.tenant_bells DISABLE ROW LEVEL SECURITY",
        "DROP POLICY own_tenant ON public.auth_sessions",
    )
    found = findings(database, clock)
    assert [(each.trouble, each.thing) for each in found] == [
        (Trouble.ROW_SECURITY, "auth_sessions"),
        (Trouble.ROW_SECURITY, "tenant_bells"),
    ]


def test_bells_of_nobody_are_found(
    database: Database, tenant: TenantSchema, clock: MovableClock
) -> None:
    """F4."""
    as_platform(
        database, "INSERT INTO public.tenant_bells VALUES (424242, 'bulk', '2026-01-01Z', NULL)"
    )
    found = findings(database, clock)
    assert [(each.trouble, each.thing) for each in found] == [(Trouble.BELLS_ORPHANED, "424242")]
    TenantClearing(database).run(with_rows=False, dry_run=False)
    assert findings(database, clock) == []


def test_a_login_that_is_superuser_is_advised_against_in_production(
    database: Database, clock: MovableClock
) -> None:
    """X2: advice, no finding."""
    with database.platform() as session:
        superuser = session.scalar(
            text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        )
    told = [
        each
        for each in doctor_of(database, clock).of_installation(in_production=True)
        if each.trouble is Trouble.MIGHTY_LOGIN
    ]
    assert len(told) == int(bool(superuser))
    assert all(each.is_advice for each in told)


def test_dead_rows_of_catalogs_are_found(database: Database) -> None:
    """F13: many shops made and dropped, and autovacuum did not keep up."""
    columns = ", ".join(f"c{number} int" for number in range(200))
    with database.engine.begin() as connection:
        connection.execute(text("SELECT pg_stat_force_next_flush()"))
        for number in range(100):
            connection.execute(text(f"CREATE TABLE public.gone_{number} ({columns})"))
            connection.execute(text(f"DROP TABLE public.gone_{number}"))
    with database.platform() as session:
        bloated = TenantSurvey(session, database).bloated_catalogs(1_000)
    assert "pg_attribute" in [name for name, _, _ in bloated]
    assert all(dead > live for _, live, dead in bloated)


def test_a_shop_that_is_being_altered_stops_nobody(
    database: Database, tenant: TenantSchema, other_tenant: TenantSchema, clock: MovableClock
) -> None:
    """F4: a long migration in one shop, and the doctor goes on with the others."""
    with database.engine.begin() as connection:
        connection.execute(text(f"LOCK TABLE {tenant.quoted}.tenant_sentinel"))
        found = doctor_of(database, clock).of_shops()
    assert troubles(found) == [("being-altered", tenant)]
    assert found[0].is_advice


def test_orphans_are_dropped_and_rows_only_when_that_is_said(
    database_of_its_own: Database, clock: MovableClock
) -> None:
    """F4: and no shop that is one."""
    database = database_of_its_own
    live, empty, full = (open_shop(database, clock) for _ in range(3))
    as_platform(
        database,
        f"INSERT INTO {full.quoted}.ebay_pictures VALUES ('ab', 'https://x', NULL, now())",
        f"DELETE FROM public.tenants WHERE id IN ({empty.tenant_id}, {full.tenant_id})",
        f'CREATE ROLE "{database.name}_user_77"',
    )
    clearing = TenantClearing(database)
    planned = clearing.run(with_rows=False, dry_run=True)
    done = clearing.run(with_rows=False, dry_run=False)
    assert planned == done
    assert (done.schemas, done.roles) == ([empty], [TenantSchema(77)])
    assert done.kept == {full: ["ebay_pictures"]}
    assert troubles(findings(database, clock)) == [("schema-orphaned", full)]
    assert clearing.run(with_rows=True, dry_run=False).schemas == [full]
    assert findings(database, clock) == []
    with database.tenant(live) as session:
        assert session.scalar(text("SELECT count(*) FROM products")) == 0


def test_mending_one_shop_leaves_the_others(
    database: Database, tenant: TenantSchema, other_tenant: TenantSchema, clock: MovableClock
) -> None:
    """F4: and a plan changes nothing."""
    for shop in (tenant, other_tenant):
        as_platform(database, f"ALTER TABLE {shop.quoted}.products OWNER TO CURRENT_USER")
    assert mend(database, tenant).mended == [tenant]
    assert troubles(findings(database, clock)) == [("ownership", other_tenant)]


def test_a_shop_that_cannot_be_mended_is_named_and_stops_nobody(
    database: Database, tenant: TenantSchema, other_tenant: TenantSchema, clock: MovableClock
) -> None:
    """F3: a table that is held by a long transaction."""
    for shop in (tenant, other_tenant):
        as_platform(database, f"ALTER TABLE {shop.quoted}.products OWNER TO CURRENT_USER")
    with database.engine.begin() as connection:
        connection.execute(text(f"LOCK TABLE {tenant.quoted}.products"))
        done = mend(database)
    assert done.mended == [other_tenant]
    assert "lock timeout" in done.failed[tenant]
    assert mend(database).mended == [tenant]
