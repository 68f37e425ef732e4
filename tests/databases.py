"""Making, cleaning and dropping test databases."""

from functools import cache

from sqlalchemy import text
from sqlalchemy.engine import make_url

from models.registry import PLATFORM_METADATA
from shared.database import Database, create_database_engine
from shared.database.tenant_schema import quote_identifier

_USED_SEQUENCES = """
SELECT format('public.%I', sequencename) FROM pg_sequences
WHERE schemaname = 'public' AND last_value IS NOT NULL
"""

_KEPT = {"platform_schema_version", "tenant_blueprints"}


def create_empty_database(server_url: str, name: str, like: str = "template0") -> str:
    """Create a database, replacing a leftover, and return its address.

    `like` names one to copy, which nobody may be connected to.
    """
    drop_database(server_url, name)
    names = quote_identifier(name), quote_identifier(like)
    _on_server(server_url, "CREATE DATABASE {} TEMPLATE {}".format(*names))
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


def drop_database(server_url: str, name: str) -> None:
    """Drop the database and the roles that belong to it."""
    _on_server(server_url, f"DROP DATABASE IF EXISTS {quote_identifier(name)} WITH (FORCE)")
    pattern = name.replace("_", r"\_") + r"\_%"
    for role in _roles_like(server_url, pattern):
        _on_server(server_url, f"DROP ROLE IF EXISTS {quote_identifier(role)}")


def remove_everything(database: Database) -> None:
    """Drop every shop and empty every shared table but versions, blueprints and catalogues."""
    with database.engine.begin() as connection:
        schemas = connection.scalars(
            text(r"SELECT nspname FROM pg_namespace WHERE nspname ~ '^user_\d+$'")
        ).all()
        for schema in schemas:
            role = quote_identifier(f"{database.name}_{schema}")
            drop = f"DROP SCHEMA {quote_identifier(schema)} CASCADE"
            connection.execute(text(f"{drop}; DROP OWNED BY {role}; DROP ROLE {role}"))
        connection.execute(text(_emptying_shared_tables()))
        used = connection.scalars(text(_USED_SEQUENCES)).all()
        if used:
            restart = (f"ALTER SEQUENCE {sequence} RESTART" for sequence in used)
            connection.execute(text("; ".join(restart)))


@cache
def _emptying_shared_tables() -> str:
    """Truncating makes new files for a table, each of its indexes and all that point to it.

    As it would, this waits for whoever still writes.
    """
    children_first = [
        f"public.{quote_identifier(table.name)}"
        for table in reversed(PLATFORM_METADATA.sorted_tables)
        if table.schema == "public" and table.name not in _KEPT
    ]
    deletes = (f"DELETE FROM {table}" for table in children_first)
    return "; ".join([f"LOCK TABLE {', '.join(children_first)}", *deletes])


def _on_server(server_url: str, statement: str) -> None:
    engine = create_database_engine(
        make_url(server_url).set(database="postgres").render_as_string(hide_password=False)
    )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(statement))
    engine.dispose()


def _roles_like(server_url: str, pattern: str) -> list[str]:
    engine = create_database_engine(
        make_url(server_url).set(database="postgres").render_as_string(hide_password=False)
    )
    with engine.connect() as connection:
        roles = connection.scalars(
            text("SELECT rolname FROM pg_roles WHERE rolname LIKE :pattern"), {"pattern": pattern}
        ).all()
    engine.dispose()
    return list(roles)
