"""What `stoflow` says when the installation itself is wrong: one sentence, no traceback."""

import os
import subprocess
import sys

import pytest


def stoflow(*words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "backend.cli", *words],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_setting_that_cannot_be_read_is_named() -> None:
    """E6: by the variable, without its value."""
    done = stoflow("db", "status", STOFLOW_WORKER_THREADS="secret", REDIS_URL="")
    assert done.returncode == 1
    assert done.stderr.startswith("STOFLOW_WORKER_THREADS: ")
    assert "secret" not in done.stderr


def test_a_database_that_does_not_answer_is_said_in_a_sentence() -> None:
    """E6: the password stays where it was."""
    done = stoflow("db", "status", DATABASE_URL="postgresql://shop:secret@127.0.0.1:1/shop")
    assert done.returncode == 1
    assert done.stderr.startswith("The database does not answer.")
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [("tenants", "list"), ("keys", "rotate")])
def test_a_database_that_was_never_migrated_says_what_to_do(
    server_url: str, words: tuple[str, ...]
) -> None:
    """E6, F15."""
    done = stoflow(*words, DATABASE_URL=server_url)
    assert done.returncode == 1
    assert done.stderr == "The database is not at this version. Run 'stoflow db migrate'.\n"
