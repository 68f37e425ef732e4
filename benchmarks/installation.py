"""A fresh installation in a temporary folder, on the embedded PostgreSQL or on `DATABASE_URL`."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
from psycopg2 import sql

from backend.embedded import EmbeddedPostgres
from migrations.runner import migrate
from shared.database import Database, EngineOptions, create_database_engine

_GIVEN = "DATABASE_URL"


@contextmanager
def empty_installation(*, durable: bool = True) -> Iterator[Database]:
    """A migrated database without shops; gone at the end.

    `durable` off leaves out what only matters at a power cut: for what is not about writing.
    """
    with _server(durable) as url, _installation_on(url) as database:
        yield database


@contextmanager
def empty_installation_beside(database: Database) -> Iterator[Database]:
    """Another one on the same server."""
    with _installation_on(address_of(database)) as beside:
        yield beside


def address_of(database: Database) -> str:
    """What `DATABASE_URL` would be."""
    return database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


@contextmanager
def empty_database_beside(database: Database) -> Iterator[str]:
    """The address of an empty database on the same server; gone at the end."""
    url, name = address_of(database), f"stoflow_peer_{secrets.token_hex(4)}"
    _run(url, "CREATE DATABASE {}", name)
    try:
        yield _on(url, name)
    finally:
        _run(url, "DROP DATABASE {} WITH (FORCE)", name)


@contextmanager
def _installation_on(url: str) -> Iterator[Database]:
    name = f"stoflow_bench_{secrets.token_hex(4)}"
    _run(url, "CREATE DATABASE {}", name)
    engine = create_database_engine(_on(url, name), EngineOptions(pool_size=10))
    try:
        migrate(engine)
        yield Database(engine)
    finally:
        engine.dispose()
        if _GIVEN in os.environ:
            _run(url, "DROP DATABASE {} WITH (FORCE)", name)
            _drop_roles(url, name)


@contextmanager
def _server(durable: bool) -> Iterator[str]:
    given = os.environ.get(_GIVEN)
    if given:
        yield given
        return
    folder = Path(tempfile.mkdtemp(prefix="stoflow-bench-"))
    # Its memory is fitted to the machine from the second start on.
    EmbeddedPostgres(folder / "postgres", durable=durable).stop()
    server = EmbeddedPostgres(folder / "postgres", durable=durable)
    try:
        yield server.url("postgres")
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _on(url: str, database: str) -> str:
    return (
        create_database_engine(url).url.set(drivername="postgresql", database=database)
    ).render_as_string(hide_password=False)


def _run(url: str, statement: str, name: str) -> None:
    connection = psycopg2.connect(_on(url, "postgres"))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(sql.Identifier(name)))
    connection.close()


def _drop_roles(url: str, prefix: str) -> None:
    connection = psycopg2.connect(_on(url, "postgres"))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolname FROM pg_roles WHERE starts_with(rolname, %s)", (prefix,))
        for (role,) in cursor.fetchall():
            cursor.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))
    connection.close()
