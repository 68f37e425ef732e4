"""Servers under test, each a process of its own."""

import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

START_TIMEOUT_S = 40.0
STOP_TIMEOUT_S = 15.0


class DidNotStart(Exception):
    """A server ended or stayed silent; says what it wrote."""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: Sequence[str], port: int, environment: Mapping[str, str], folder: Path
) -> Iterator[None]:
    """Start a server in `folder`, wait until it listens on `port`, stop it at the end.

    Raises `DidNotStart`.
    """
    with tempfile.TemporaryFile() as written:
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=written, stderr=subprocess.STDOUT
        )
        try:
            if not _listens(process, port):
                written.seek(0)
                raise DidNotStart(written.read()[-2000:].decode(errors="replace"))
            yield
        finally:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _listens(process: subprocess.Popen[bytes], port: int) -> bool:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return True
    return False
