"""A database restored without its roles, renamed, or opened by another login becomes whole."""

import os
from collections.abc import Iterator
from itertools import count

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ProgrammingError

from migrations.runner import migrate
from services.accounts.tenants.clearing import TenantClearing
from shared.clock import MovableClock
from shared.database import Database, TenantSchema, create_database_engine
from shared.errors import Conflict, TenantUnavailable
from tests.databases import create_empty_database, drop_database
from tests.factories.selling import make_product
from tests.tenancy.damage import as_platform, findings, mend, open_shop, rename, troubles
from tests.tenancy.postgres_tools import copy_into

_numbers = count(1)


@pytest.fixture
def empty_database(server_url: str) -> Iterator[Database]:
    """Nothing in it."""
    name = f"stoflow_restored_{os.getpid()}_{next(_numbers)}"
    engine = create_database_engine(create_empty_database(server_url, name))
    yield Database(engine, check_sentinel=True)
    engine.dispose()
    drop_database(server_url, name)


@pytest.fixture
def humble_database(server_url: str) -> Iterator[Database]:
    """A migrated one whose login owns it and has CREATEROLE, and is no superuser."""
    name = f"stoflow_humble_{os.getpid()}_{next(_numbers)}"
    login, admin = f"login_of_{name}", create_database_engine(server_url)
    url = create_empty_database(server_url, name)
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE ROLE \"{login}\" LOGIN CREATEROLE PASSWORD 'humble'"))
        connection.execute(text(f'ALTER DATABASE "{name}" OWNER TO "{login}"'))
    of_login = create_database_engine(url).url.set(username=login, password="humble")
    engine = create_database_engine(of_login.render_as_string(hide_password=False))
    migrate(engine)
    yield Database(engine, check_sentinel=True)
    engine.dispose()
    drop_database(server_url, name)
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f'DROP ROLE "{login}"'))
    admin.dispose()


def titles_of(database: Database, tenant: TenantSchema) -> list[str]:
    """Read under the shop's own role."""
    with database.tenant(tenant) as session:
        assert session.scalar(text("SELECT current_user")) == database.role_of(tenant)
        return list(session.scalars(text("SELECT title FROM products ORDER BY id")))


def add_product(database: Database, tenant: TenantSchema, clock: MovableClock, title: str) -> None:
    with database.tenant(tenant) as session:
        make_product(session, clock, title=title)


def test_a_dump_restored_without_owners_and_rights_works_again(
    database: Database, empty_database: Database, clock: MovableClock
) -> None:
    """X2, F4: in a database of another name, by whoever restored it."""
    tenant, other = open_shop(database, clock), open_shop(database, clock)
    add_product(database, tenant, clock, "Blue shirt")
    restored = empty_database
    copy_into(database.engine, restored.engine, "--no-owner", "--no-privileges")
    with pytest.raises(TenantUnavailable):
        titles_of(restored, tenant)
    before = troubles(findings(restored, clock))
    assert {("role", tenant), ("ownership", tenant), ("access", None)} <= set(before)
    assert mend(restored).mended == [tenant, other]
    assert findings(restored, clock) == []
    assert titles_of(restored, tenant) == ["Blue shirt"]
    add_product(restored, tenant, clock, "Red shirt")
    assert titles_of(restored, tenant) == ["Blue shirt", "Red shirt"]
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        restored.tenant(other) as session,
    ):
        session.execute(text(f"SELECT * FROM {tenant.quoted}.products"))
    assert titles_of(database, tenant) == ["Blue shirt"]


def test_a_renamed_database_works_again_under_its_new_name(
    database_of_its_own: Database, server_url: str, clock: MovableClock
) -> None:
    """X2: roles carry the database's name; the former group is named for dropping."""
    tenant = open_shop(database_of_its_own, clock)
    add_product(database_of_its_own, tenant, clock, "Blue shirt")
    name = f"{database_of_its_own.name}_renamed"
    rename(database_of_its_own, name)
    url = database_of_its_own.engine.url.set(database=name).render_as_string(hide_password=False)
    renamed = Database(create_database_engine(url), check_sentinel=True)
    try:
        with pytest.raises(Conflict, match="mend"):
            TenantClearing(renamed).run(with_rows=False, dry_run=False)
        assert mend(renamed).mended == [tenant]
        assert titles_of(renamed, tenant) == ["Blue shirt"]
        left = findings(renamed, clock)
        former = f"{database_of_its_own.name}_tenants"
        assert [(each.trouble.value, each.thing) for each in left] == [("former-group", former)]
        cleared = TenantClearing(renamed).run(with_rows=False, dry_run=False)
        assert cleared.former == [database_of_its_own.role_of(tenant), former]
        assert findings(renamed, clock) == []
    finally:
        renamed.engine.dispose()
        drop_database(server_url, name)


def test_a_login_that_is_no_superuser_can_mend_as_well(
    humble_database: Database, server_url: str, clock: MovableClock
) -> None:
    """X2: as in production, where it owns the database and has CREATEROLE; also when renamed."""
    database = humble_database
    tenant = open_shop(database, clock)
    add_product(database, tenant, clock, "Blue shirt")
    role = database.role_of(tenant)
    as_platform(
        database,
        f"ALTER TABLE {tenant.quoted}.products OWNER TO CURRENT_USER",
        f'REVOKE "{database.name}_tenants" FROM "{role}"',
    )
    assert troubles(findings(database, clock)) == [("role", tenant), ("ownership", tenant)]
    assert mend(database).failed == {}
    assert findings(database, clock) == []
    assert titles_of(database, tenant) == ["Blue shirt"]
    name = f"{database.name}_renamed"
    rename(admin_of(server_url, database), name)
    of_login = database.engine.url.set(database=name)
    renamed = Database(create_database_engine(of_login.render_as_string(hide_password=False)))
    try:
        done = mend(renamed)
        assert (done.mended, done.failed) == ([tenant], {})
        assert titles_of(renamed, tenant) == ["Blue shirt"]
        cleared = TenantClearing(renamed).run(with_rows=False, dry_run=False)
        assert cleared.former == [role, f"{database.name}_tenants"]
        assert findings(renamed, clock) == []
    finally:
        renamed.engine.dispose()
        drop_database(server_url, name)


def test_an_orphan_of_another_login_is_named_with_its_owner_and_kept(
    humble_database: Database, server_url: str
) -> None:
    """X2: a login that is no superuser may neither look into it nor drop it."""
    admin = admin_of(server_url, humble_database)
    as_platform(admin, "CREATE SCHEMA user_77")
    admin.engine.dispose()
    with pytest.raises(Conflict, match=r"user_77 .* belongs to"):
        TenantClearing(humble_database).run(with_rows=True, dry_run=False)


def admin_of(server_url: str, database: Database) -> Database:
    """The same database, opened by whoever may rename it."""
    database.engine.dispose()
    url = make_url(server_url).set(database=database.name)
    return Database(create_database_engine(url.render_as_string(hide_password=False)))


def test_one_shop_copied_out_of_a_dump_is_no_drift(
    database: Database, empty_database: Database, clock: MovableClock
) -> None:
    """F7: PostgreSQL says the same condition in other words after a dump."""
    tenant = open_shop(database, clock)
    copy_into(database.engine, empty_database.engine, "--no-owner", "--no-privileges")
    as_platform(database, f"DROP SCHEMA {tenant.quoted} CASCADE")
    copy_into(
        empty_database.engine, database.engine, "-n", tenant.name, "--no-owner", "--no-privileges"
    )
    assert troubles(findings(database, clock)) == [("ownership", tenant)]
    assert mend(database).mended == [tenant]
    assert findings(database, clock) == []
