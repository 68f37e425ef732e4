"""Runs the two lines: the shared schemas, and the template that every shop looks like."""

from collections.abc import Callable

from alembic import command
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, text

from migrations.access import grant_tenant_access
from migrations.lines import PLATFORM, TENANT, Line
from migrations.rendering import head_of, revisions
from shared.database import TEMPLATE_SCHEMA
from shared.database.tenant_schema import quote_identifier

_MIGRATING = 7_340_001
"""Key of the advisory lock that lets one process migrate at a time."""


def has_reached(line: Line, revision: str | None) -> bool:
    """Whether a database at `revision` has all that this version needs.

    A revision that this version does not know is newer: during a deployment the old processes go
    on serving after the new version has migrated.
    """
    return revision is not None and (revision == head_of(line) or revision not in revisions(line))


def migrate(engine: Engine, report: Callable[[str], None] = lambda _line: None) -> None:
    """Bring shared schemas and template to their heads. Safe to run at the same time elsewhere."""
    with engine.connect() as guard:
        guard.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _MIGRATING})
        try:
            with engine.begin() as connection:
                _upgrade_platform(connection, report)
            with engine.begin() as connection:
                _upgrade_template(connection, report)
        finally:
            guard.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _MIGRATING})


def current_platform_revision(engine: Engine) -> str | None:
    """Where the shared schemas are; None before the first migration."""
    with engine.connect() as connection:
        options = {
            "version_table": PLATFORM.version_table,
            "version_table_schema": PLATFORM.version_schema,
        }
        return MigrationContext.configure(connection, opts=options).get_current_revision()


def _upgrade_platform(connection: Connection, report: Callable[[str], None]) -> None:
    connection.execute(text("CREATE SCHEMA IF NOT EXISTS product_attributes"))
    command.upgrade(PLATFORM.config(connection=connection), "head")
    database = connection.engine.url.database
    assert database is not None
    grant_tenant_access(connection, database)
    report(f"public, product_attributes: at {head_of(PLATFORM)}")


def _upgrade_template(connection: Connection, report: Callable[[str], None]) -> None:
    template = quote_identifier(TEMPLATE_SCHEMA)
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {template}"))
    connection.execute(text(f"SET LOCAL search_path TO {template}, public"))
    command.upgrade(TENANT.config(connection=connection), "head")
    report(f"{TEMPLATE_SCHEMA}: at {head_of(TENANT)}")
