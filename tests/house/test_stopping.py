"""`stoflow serve --with-worker` ends as whoever runs it expects."""

import os
import signal
import subprocess
import sys

import pytest

from shared.database import Database


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_told_to_stop_lets_its_worker_finish(
    database: Database, number: signal.Signals
) -> None:
    """ST26: jobs that run are finished and the process ends well, not by the signal."""
    url = database.engine.url.render_as_string(hide_password=False)
    with subprocess.Popen(
        [sys.executable, "-m", "backend.cli", "serve", "--port", "0", "--with-worker"],
        env={**os.environ, "DATABASE_URL": url, "STOFLOW_LOG_FORMAT": "json"},
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stderr is not None
        said = ""
        for line in server.stderr:
            said += line
            if "Application startup complete" in line:
                server.send_signal(number)
    assert '"finished": true, "event": "worker.stopped"' in said, said
    assert server.returncode == 0
