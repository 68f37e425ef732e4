"""Making, cleaning and dropping test databases."""

from sqlalchemy import text
from sqlalchemy.engine import make_url

from shared.database import Database, create_database_engine
from shared.database.tenant_schema import quote_identifier

_USED_SEQUENCES = """
SELECT format('public.%I', sequencename) FROM pg_sequences
WHERE schemaname = 'public' AND last_value IS NOT NULL
"""


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
        tables = connection.scalars(
            text(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
                " AND tablename NOT IN ('platform_schema_version', 'tenant_blueprints')"
            )
        ).all()
        # Truncating makes new files for a table and each of its indexes: most are empty anyway.
        names = [f"public.{quote_identifier(table)}" for table in tables]
        has_rows = [f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in names]
        filled = connection.scalars(text(" UNION ALL ".join(has_rows))).all()
        if filled:
            connection.execute(text(f"TRUNCATE {', '.join(filled)} CASCADE"))
        used = connection.scalars(text(_USED_SEQUENCES)).all()
        if used:
            restart = (f"ALTER SEQUENCE {sequence} RESTART" for sequence in used)
            connection.execute(text("; ".join(restart)))


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
