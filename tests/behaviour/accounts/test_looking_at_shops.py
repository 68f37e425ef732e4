"""`stoflow tenants list|status|doctor|mend|drop-orphans`: what operators see and type."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import text

from backend.cli.tenants.diagnosing import COMMANDS, STATEMENTS
from models.accounts.tenants import TenantStatus
from repositories.accounts.tenant_overview import ShopFilter, Sorting, TenantOverview
from services.accounts.tenants import diagnosing
from services.accounts.tenants.diagnosing import Trouble
from shared.clock import MovableClock
from shared.database import Database, TenantSchema
from shared.ids import new_uuid
from tests.conftest import MakeTenant, Run


@pytest.fixture(autouse=True)
def dead_rows_are_no_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """The catalogs of a database whose shops come and go with every test are full of them."""
    monkeypatch.setattr(diagnosing, "BLOATED_FROM", 10**9)


def change(database: Database, *statements: str) -> None:
    with database.engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def signed_in(database: Database, clock: MovableClock, tenant: TenantSchema) -> None:
    """The owner signed in now."""
    session, now = new_uuid(), clock.now().isoformat()
    change(
        database,
        "INSERT INTO public.auth_sessions (id, user_id, created_at, expires_at)"
        f" VALUES ('{session}', {tenant.tenant_id}, '{now}', '{now}')",
        "INSERT INTO public.refresh_tokens (session_id, token_hash, issued_at, expires_at)"
        f" VALUES ('{session}', '{session}', '{now}', '{now}')",
    )


def test_the_list_says_size_activity_and_what_a_migration_said(
    run: Run, database: Database, clock: MovableClock, tenant: TenantSchema
) -> None:
    """F4: a line for people, a document for programs."""
    signed_in(database, clock, tenant)
    change(
        database,
        "UPDATE public.tenants SET migration_error = 'relation exists'",
        f"INSERT INTO {tenant.quoted}.ebay_pictures"
        " SELECT n::text, repeat('x', 900), NULL, now() FROM generate_series(1, 100) n",
        f"ANALYZE {tenant.quoted}.ebay_pictures",
    )
    shop = json.loads(run("tenants", "list", "--json").stdout)[0]
    assert shop["tenant"] == tenant.name
    assert shop["bytes"] > 90_000
    assert shop["last_active"] == clock.now().isoformat()
    assert shop["migration_error"] == "relation exists"
    lines = run("tenants", "list").stdout.splitlines()
    assert tenant.name in lines[0]
    assert "2026-06-01 12:00" in lines[0]
    assert lines[1].strip() == "relation exists"


def test_the_list_is_sorted_filtered_and_cut(
    database: Database, clock: MovableClock, make_tenant: MakeTenant
) -> None:
    """F4."""
    first, second, third = make_tenant(), make_tenant(), make_tenant()
    signed_in(database, clock, second)
    clock.advance(timedelta(days=1))
    signed_in(database, clock, first)
    change(
        database,
        f"UPDATE public.tenants SET schema_version = 'old' WHERE id = {third.tenant_id}",
        f"UPDATE public.tenants SET status = 'suspended' WHERE id = {second.tenant_id}",
    )
    with database.platform() as session:
        overview = TenantOverview(session)

        def listed(
            wanted: ShopFilter | None = None,
            sorting: Sorting = Sorting.NUMBER,
            limit: int | None = None,
        ) -> list[TenantSchema]:
            shops = overview.shops(wanted or ShopFilter(), sorting, limit)
            return [shop.tenant for shop in shops]

        head = overview.shops(ShopFilter())[0].version
        assert listed() == [first, second, third]
        assert listed(limit=2) == [first, second]
        assert listed(sorting=Sorting.ACTIVITY) == [first, second, third]
        assert listed(ShopFilter(statuses=[TenantStatus.SUSPENDED])) == [second]
        assert listed(ShopFilter(behind=head)) == [third]
        assert sorted(listed(sorting=Sorting.SIZE)) == [first, second, third]


def test_the_status_counts_states_revisions_and_failures(
    run: Run, database: Database, tenant: TenantSchema, other_tenant: TenantSchema
) -> None:
    """F4: exit code 3 while a shop is behind; one asleep, which no migration touches, is not."""
    change(
        database,
        "UPDATE public.tenants SET schema_version = 'old', migration_error = 'no'"
        f" WHERE id = {tenant.tenant_id}",
    )
    behind = run("tenants", "status", "--json")
    assert behind.exit_code == 3
    facts = json.loads(behind.stdout)
    assert (facts["behind"], facts["failed"], facts["by_version"]["old"]) == (1, 1, 1)
    assert "failed to migrate" in run("tenants", "status").stdout
    change(database, "UPDATE public.tenants SET migration_error = NULL, status_changed_at = now()")
    for status in ("hibernated", "hibernating"):
        change(
            database,
            f"UPDATE public.tenants SET status = '{status}' WHERE id = {tenant.tenant_id}",
        )
        assert run("tenants", "status").exit_code == 0
        assert json.loads(run("tenants", "list", "--behind", "--json").stdout) == []
    found = json.loads(run("tenants", "doctor", tenant.name, "--json").stdout)["findings"]
    assert Trouble.BEHIND not in {each["trouble"] for each in found}
    change(database, "UPDATE public.tenants SET status = 'active'")


def test_the_doctor_says_all_is_well(run: Run, tenant: TenantSchema) -> None:
    """F4: exit code 0."""
    healthy = run("tenants", "doctor")
    assert (healthy.exit_code, healthy.stdout) == (0, "All shops are well.\n")
    assert json.loads(run("tenants", "doctor", "--json").stdout) == {
        "healthy": True,
        "findings": [],
    }


def test_the_doctor_names_each_finding_with_its_command(
    run: Run, database: Database, tenant: TenantSchema, other_tenant: TenantSchema
) -> None:
    """F4: exit code 1; only the shops that are named are looked at."""
    change(
        database,
        f"DROP INDEX {tenant.quoted}.ix_marketplace_jobs_batch_id",
        f"ALTER TABLE {other_tenant.quoted}.products OWNER TO CURRENT_USER",
    )
    sick = run("tenants", "doctor")
    assert sick.exit_code == 1
    assert f"{tenant}: index marketplace_jobs.ix_marketplace_jobs_batch_id is missing" in (
        sick.stdout
    )
    assert 'psql "$DATABASE_URL" -c' in sick.stdout
    assert f"    stoflow tenants mend {other_tenant}\n" in sick.stdout
    assert sick.stdout.endswith("2 found\n")
    alone = json.loads(run("tenants", "doctor", other_tenant.name, "--json").stdout)
    assert [each["tenant"] for each in alone["findings"]] == [other_tenant.name]
    assert run("tenants", "doctor", "template_tenant").exit_code == 2


def test_every_trouble_has_a_command() -> None:
    """F4: a new kind of finding cannot be left without one."""
    assert {*COMMANDS, *STATEMENTS, Trouble.DRIFT} == set(Trouble)


def test_mending_says_what_it_would_do_and_does_it(
    run: Run, database: Database, tenant: TenantSchema
) -> None:
    """F4."""
    change(database, f"ALTER TABLE {tenant.quoted}.products OWNER TO CURRENT_USER")
    planned = run("tenants", "mend", "--dry-run")
    assert f'ALTER TABLE {tenant.quoted}."products" OWNER TO' in planned.stdout
    assert run("tenants", "doctor").exit_code == 1, "a plan changes nothing"
    done = json.loads(run("tenants", "mend", tenant.name, "--json").stdout)
    assert [each["tenant"] for each in done["mended"]] == [tenant.name]
    assert run("tenants", "doctor").exit_code == 0
    assert run("tenants", "mend").stdout == "0 mended, 0 could not be\n"


def test_a_shop_that_cannot_be_mended_fails_the_command(
    run: Run, database: Database, tenant: TenantSchema
) -> None:
    """F4: exit code 1, with the reason."""
    change(database, f"ALTER TABLE {tenant.quoted}.products OWNER TO CURRENT_USER")
    with database.engine.begin() as connection:
        connection.execute(text(f"LOCK TABLE {tenant.quoted}.products"))
        failed = run("tenants", "mend")
    assert failed.exit_code == 1
    assert f"{tenant}: canceling statement due to lock timeout" in failed.stdout


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_orphans_with_rows_are_kept_and_fail_the_command(
    run: Run, database: Database, form: tuple[str, ...]
) -> None:
    """F4: unless it is said that rows may go."""
    role = database.role_of(TenantSchema(4711))
    change(
        database,
        f'CREATE ROLE "{role}"',
        "CREATE SCHEMA user_4711",
        "CREATE TABLE user_4711.products AS SELECT 1 AS id",
    )
    kept = run("tenants", "drop-orphans", *form)
    assert kept.exit_code == 1
    assert "user_4711" in kept.stdout
    assert run("tenants", "drop-orphans", "--with-rows", "--dry-run", *form).exit_code == 0
    assert run("tenants", "drop-orphans", *form).exit_code == 1
    dropped = run("tenants", "drop-orphans", "--with-rows", *form)
    assert dropped.exit_code == 0
    assert "user_4711" in dropped.stdout
    assert run("tenants", "drop-orphans").stdout == "There are no orphans.\n"
    assert run("tenants", "doctor").exit_code == 0


def test_preparing_for_citus_is_refused_without_it_and_can_be_read_before(
    run: Run, tenant: TenantSchema
) -> None:
    """Citus rules 7 and 14."""
    refused = run("db", "prepare-citus")
    assert refused.exit_code == 1
    assert "CREATE EXTENSION citus" in str(refused.exception)
    planned = run("db", "prepare-citus", "--dry-run")
    assert planned.exit_code == 0
    assert "SELECT create_reference_table('product_attributes.categories');" in planned.stdout
    assert f'pg_dump -d "$OLD_DATABASE_URL" -n {tenant} --no-owner' in planned.stdout
    document = json.loads(run("db", "prepare-citus", "--dry-run", "--json").stdout)
    assert len(document["moves"]) == 1
