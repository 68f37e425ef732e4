"""Provisioning: what a shop is made of, who owns it, and that half a shop never exists."""

from typing import Any

import pytest
from sqlalchemy import text

from migrations.lines import TENANT
from migrations.rendering import SchemaScript, head_of, tenant_script
from models.accounts.tenants import TenantStatus
from repositories.accounts.tenants import TenantRepository
from services.accounts.tenants.provisioning import TenantProvisioning
from shared.clock import MovableClock
from shared.database import TEMPLATE_SCHEMA, Database, PlatformSession, TenantSchema
from shared.database.tenant_schema import quote_identifier
from shared.errors import SchemaCreationError
from tests.factories.accounts import make_user

COLUMNS = """
    SELECT table_name, column_name, ordinal_position, data_type, udt_name, is_nullable,
           character_maximum_length, replace(column_default, :schema, 'S')
    FROM information_schema.columns WHERE table_schema = :schema ORDER BY 1, 3"""
INDEXES = """
    SELECT tablename, indexname, replace(replace(indexdef, quote_ident(:schema) || '.', ''),
           :schema || '.', '')
    FROM pg_indexes WHERE schemaname = :schema ORDER BY 1, 2"""
CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, contype::text,
           replace(pg_get_constraintdef(oid), :schema || '.', '')
    FROM pg_constraint WHERE connamespace = :namespace::regnamespace AND conrelid <> 0
    ORDER BY 1, 2"""
SEQUENCES = """
    SELECT sequencename, data_type::text, start_value, increment_by, max_value, cycle
    FROM pg_sequences WHERE schemaname = :schema ORDER BY 1"""
OWNERSHIP = """
    SELECT s.relname, t.relname, a.attname
    FROM pg_depend d
    JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
    JOIN pg_class t ON t.oid = d.refobjid
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
    WHERE d.deptype = 'a' AND s.relnamespace = :namespace::regnamespace ORDER BY 1"""


def catalog_of(session: PlatformSession, schema: str) -> dict[str, list[tuple[Any, ...]]]:
    """All that PostgreSQL knows of a schema, with the schema's own name taken out."""
    queries = {
        "columns": COLUMNS,
        "indexes": INDEXES,
        "constraints": CONSTRAINTS,
        "sequences": SEQUENCES,
        "owned sequences": OWNERSHIP,
    }
    # Names inside definitions are printed without a schema where the search_path finds them.
    session.execute(text(f"SET LOCAL search_path TO {quote_identifier(schema)}"))
    names = {"schema": schema, "namespace": quote_identifier(schema)}
    found = {
        kind: [
            tuple(row)
            for row in session.execute(
                text(query.replace(":namespace::", "CAST(:namespace AS text)::")), names
            )
        ]
        for kind, query in queries.items()
    }
    session.execute(text("SET LOCAL search_path TO DEFAULT"))
    return found


def owners(session: PlatformSession, schema: str) -> set[str]:
    """Who owns the schema and everything in it."""
    return set(
        session.scalars(
            text(
                "SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = :schema"
                " UNION SELECT relowner::regrole::text FROM pg_class"
                " WHERE relnamespace = CAST(:schema AS text)::regnamespace"
            ),
            {"schema": schema},
        )
    )


def left_overs(database: Database) -> list[str]:
    """Schemas and roles of shops."""
    with database.platform() as session:
        return list(
            session.scalars(
                text(
                    r"SELECT nspname FROM pg_namespace WHERE nspname ~ '^user_\d+$' UNION ALL"
                    " SELECT rolname FROM pg_roles WHERE rolname ~ :roles"
                ),
                {"roles": rf"^{database.name}_user_\d+$"},
            )
        )


def test_a_new_shop_is_the_blueprint_to_the_last_column(
    database: Database, tenant: TenantSchema
) -> None:
    """ST12, F7, F15: columns, indexes, constraints, sequences and which column owns each."""
    with database.platform() as session:
        blueprint = catalog_of(session, TEMPLATE_SCHEMA)
        shop = catalog_of(session, tenant.name)
    assert len(blueprint["columns"]) > 100
    versions = [row for row in blueprint["columns"] if row[0] == TENANT.version_table]
    assert versions, "the blueprint says at which revision it is"
    assert shop == blueprint


def test_a_shop_belongs_to_a_role_of_its_own_that_cannot_log_in(
    database: Database, tenant: TenantSchema
) -> None:
    """ST14, F8."""
    role = database.role_of(tenant)
    with database.platform() as session:
        assert owners(session, tenant.name) == {role}
        login, superuser, bypass = session.execute(
            text("SELECT rolcanlogin, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = :role"),
            {"role": role},
        ).one()
    assert (login, superuser, bypass) == (False, False, False)


def test_a_new_shop_says_at_which_revision_it_is(database: Database, tenant: TenantSchema) -> None:
    """F4: centrally and in the schema itself."""
    with database.platform() as session:
        row = TenantRepository(session).get(tenant.tenant_id)
        assert row is not None
        assert (row.status, row.schema_version) == (TenantStatus.ACTIVE, head_of(TENANT))
    with database.tenant(tenant) as session:
        assert session.scalar(text(f"SELECT version_num FROM {TENANT.version_table}")) == head_of(
            TENANT
        )


def test_provisioning_again_changes_nothing(
    database: Database, tenant: TenantSchema, clock: MovableClock
) -> None:
    """F3: safe to repeat."""
    with database.platform() as session:
        before = catalog_of(session, tenant.name)
    provisioning = TenantProvisioning(database, tenant_script(), clock)
    with database.platform() as session:
        assert provisioning.provision(session, tenant.tenant_id) == tenant
    with database.platform() as session:
        assert catalog_of(session, tenant.name) == before


def test_a_failure_at_any_statement_leaves_no_schema_and_no_role(
    database: Database, clock: MovableClock
) -> None:
    """F3: tried at the first, in the middle and at the end."""
    whole = tenant_script()
    for position in (0, len(whole.statements) // 2, len(whole.statements)):
        statements = list(whole.statements)
        statements.insert(position, "SELECT 1 / 0")
        damaged = SchemaScript(whole.revision, tuple(statements))
        provisioning = TenantProvisioning(database, damaged, clock)
        with pytest.raises(SchemaCreationError), database.platform() as session:
            provisioning.provision(session, make_user(session, clock).id)
        assert left_overs(database) == []
    with database.platform() as session:
        assert session.scalar(text("SELECT count(*) FROM public.users")) == 0


def test_a_shop_whose_account_is_not_committed_does_not_exist(
    database: Database, clock: MovableClock
) -> None:
    """F3: one transaction, whoever ends it."""
    provisioning = TenantProvisioning(database, tenant_script(), clock)
    with database.platform_session() as session:
        provisioning.provision(session, make_user(session, clock).id)
        session.rollback()
    assert left_overs(database) == []


def test_a_process_of_another_version_makes_shops_as_the_current_one_does(
    database: Database, clock: MovableClock
) -> None:
    """F7, F15: what is recorded counts, not what the process was built with."""
    older = SchemaScript("tenant_0000", ("SELECT 1 / 0",))
    with database.platform() as session:
        shop = TenantProvisioning(database, older, clock).provision(
            session, make_user(session, clock).id
        )
    with database.platform() as session:
        row = TenantRepository(session).get(shop.tenant_id)
        assert row is not None
        assert row.schema_version == head_of(TENANT)
        assert catalog_of(session, shop.name) == catalog_of(session, TEMPLATE_SCHEMA)


def test_without_roles_a_shop_is_made_as_well(database: Database, clock: MovableClock) -> None:
    """Citus rule 15."""
    without_roles = Database(database.engine, tenant_roles=False)
    provisioning = TenantProvisioning(without_roles, tenant_script(), clock)
    with without_roles.platform() as session:
        shop = provisioning.provision(session, make_user(session, clock).id)
    with without_roles.platform() as session:
        assert catalog_of(session, shop.name) == catalog_of(session, TEMPLATE_SCHEMA)
    assert left_overs(database) == [shop.name]
    with database.engine.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {shop.quoted} CASCADE"))
