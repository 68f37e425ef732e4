"""Tables: where they live, what they may point at, and that the migrations make just them."""

from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import (
    BigInteger,
    Column,
    Computed,
    Engine,
    ForeignKeyConstraint,
    Identity,
    Integer,
    Table,
    text,
)

from migrations.lines import PLATFORM, TENANT, Line
from models import registry
from models.base import PlatformBase, TenantBase
from models.registry import PLATFORM_METADATA, TENANT_METADATA
from shared.database import TEMPLATE_SCHEMA

SCHEMA_OF_WING = {
    "accounts": "public",
    "reference": "product_attributes",
    "selling": None,
    "bazaar": "bazaar",
}

PLATFORM_TABLES = list(PLATFORM_METADATA.tables.values())
TENANT_TABLES = list(TENANT_METADATA.tables.values())
ALL_TABLES = PLATFORM_TABLES + TENANT_TABLES


def mapped_classes() -> Iterator[tuple[str, Table]]:
    """Each wing with the tables that its modules declare."""
    for base in (PlatformBase, TenantBase):
        for mapper in base.registry.mappers:
            table = mapper.local_table
            assert isinstance(table, Table)
            yield mapper.class_.__module__.split(".")[1], table


def columns_of(tables: list[Table]) -> list[Column[object]]:
    return [column for table in tables for column in table.columns]


def test_names_are_disjoint() -> None:
    """X2, F9: a missing tenant table can never resolve to a shared one."""
    assert {each.name for each in TENANT_TABLES} & {each.name for each in PLATFORM_TABLES} == set()


def test_every_table_is_in_its_wings_schema() -> None:
    """Schema per wing."""
    misplaced = [
        table.fullname for wing, table in mapped_classes() if table.schema != SCHEMA_OF_WING[wing]
    ]
    assert misplaced == []


def test_the_registry_knows_every_module() -> None:
    """Else migrations would not see its tables."""
    known = {module.__name__ for module in registry.MODULES}
    declared = {
        mapper.class_.__module__
        for base in (PlatformBase, TenantBase)
        for mapper in base.registry.mappers
    }
    assert declared == known


@pytest.mark.parametrize("table", ALL_TABLES, ids=lambda table: table.fullname)
def test_a_table_obeys_the_rules_of_citus(table: Table) -> None:
    """Rules 1, 2, 6 and 18: 64-bit serial keys, no identity, names for every constraint."""
    assert list(table.primary_key.columns)
    for column in table.columns:
        assert column.identity is None
        assert not isinstance(column.server_default, Identity | Computed)
        assert isinstance(column.type, BigInteger) or not isinstance(column.type, Integer)
    assert all(constraint.name for constraint in table.constraints)


@pytest.mark.parametrize("table", TENANT_TABLES, ids=lambda table: table.fullname)
def test_a_tenants_table_points_only_at_the_tenants_own_or_at_catalogues(table: Table) -> None:
    """Rule 6."""
    for constraint in table.constraints:
        if isinstance(constraint, ForeignKeyConstraint):
            assert constraint.elements[0].column.table.schema in {None, "product_attributes"}


@pytest.mark.parametrize("table", PLATFORM_TABLES, ids=lambda table: table.fullname)
def test_no_shared_table_points_into_a_tenant(table: Table) -> None:
    """Rule 6."""
    for key in table.foreign_keys:
        assert key.column.table.schema is not None


def test_every_moment_has_a_time_zone_and_no_amount_is_a_float() -> None:
    """ST3: UTC everywhere, minor units for money."""
    for column in columns_of(ALL_TABLES):
        kind = str(column.type.compile()) if column.type.__class__.__name__ != "JSONB" else ""
        assert "FLOAT" not in kind
        assert "DOUBLE" not in kind
        assert getattr(column.type, "timezone", True), column


@pytest.mark.parametrize(
    ("line", "search_path"),
    [(PLATFORM, "pg_catalog"), (TENANT, TEMPLATE_SCHEMA)],
    ids=["platform", "tenant"],
)
def test_the_migrations_make_exactly_the_models(
    engine: Engine, line: Line, search_path: str
) -> None:
    """F15, S59: autogenerate finds nothing to do."""
    with engine.connect() as connection:
        connection.execute(text(f"SET LOCAL search_path TO {search_path}"))
        # Alembic takes the default schema from the dialect, which asked before the line above.
        connection.dialect.default_schema_name = search_path
        context = MigrationContext.configure(
            connection,
            opts={
                "version_table": line.version_table,
                "version_table_schema": line.version_schema,
                "include_schemas": line.schemas is not None,
                "include_name": line.includes,
                "compare_type": True,
                "compare_server_default": True,
            },
        )
        try:
            assert compare_metadata(context, line.metadata) == []
        finally:
            connection.dialect.default_schema_name = "public"


def test_a_table_that_no_migration_makes_would_be_noticed(engine: Engine) -> None:
    """F15: the check above does look."""
    with engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE {TEMPLATE_SCHEMA}.products DROP COLUMN title"))
        connection.execute(text(f"SET LOCAL search_path TO {TEMPLATE_SCHEMA}"))
        connection.dialect.default_schema_name = TEMPLATE_SCHEMA
        context = MigrationContext.configure(
            connection,
            opts={"version_table": TENANT.version_table, "include_name": TENANT.includes},
        )
        try:
            found = compare_metadata(context, TENANT.metadata)
        finally:
            connection.dialect.default_schema_name = "public"
            connection.rollback()
    assert [(each[0], each[2], each[3].name) for each in found] == [
        ("add_column", "products", "title")
    ]


def test_each_line_has_one_head() -> None:
    """F15, S61."""
    from alembic.script import ScriptDirectory

    for line in (PLATFORM, TENANT):
        assert len(ScriptDirectory.from_config(line.config()).get_heads()) == 1
