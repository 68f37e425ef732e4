"""Commands that cannot work say why, and what to do."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.databases import create_empty_database, drop_database


def refusal_of(database_url: str, folder: Path, *words: str) -> str:
    """Run a command that must be refused; what it says."""
    ended = subprocess.run(
        [sys.executable, "-m", "backend.cli", *words],
        env={**os.environ, "DATABASE_URL": database_url, "STOFLOW_DATA_DIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1, ended.stderr
    assert "Traceback" not in ended.stderr
    return ended.stderr


def test_a_taken_port_is_named(server_url: str, tmp_path: Path) -> None:
    """ST52: exit code 1, one line, and how to choose another."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = refusal_of(server_url, tmp_path, "serve", "--port", port)
    assert f"port {port}" in said
    assert "--port" in said


@pytest.mark.parametrize("words", [["worker"], ["serve", "--with-worker", "--port", "0"]])
def test_a_worker_refuses_a_database_that_is_not_migrated(
    server_url: str, tmp_path: Path, words: list[str]
) -> None:
    """F15: it says which command helps, rather than failing at every look for work."""
    name = f"stoflow_unmigrated_{os.getpid()}"
    url = create_empty_database(server_url, name)
    try:
        assert "stoflow db migrate" in refusal_of(url, tmp_path, *words)
    finally:
        drop_database(server_url, name)
