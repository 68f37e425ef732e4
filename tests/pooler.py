"""A real PgBouncer in front of the test server: transactions of all clients share its backends."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
from sqlalchemy.engine import URL, make_url

INSTALLED = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

_SYSTEM_USERS = ("postgres", "nobody")
"""PgBouncer does not run as root; the first of these that exists has it instead, unless the
server's socket lies in a folder of somebody's own."""

_SETTINGS = """\
[databases]
* = {server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {backends}
max_client_conn = 200
"""


@contextmanager
def pooler(database_url: str, *, backends: int = 1) -> Iterator[str]:
    """The database's address behind a pooler that has so many connections to it for everybody."""
    assert INSTALLED is not None
    url = make_url(database_url)
    folder = Path(tempfile.mkdtemp(prefix="stoflow-pooler-"))
    port = _free_port()
    settings = folder / "pgbouncer.ini"
    settings.write_text(
        _SETTINGS.format(server=_connection_string(url), port=port, backends=backends)
    )
    user = _system_user(url)
    if user is not None:
        folder.chmod(0o755)
        settings.chmod(0o600)
        shutil.chown(settings, user)
    process = subprocess.Popen(
        [INSTALLED, str(settings)],
        user=user,
        group=None if user is None else pwd.getpwnam(user).pw_gid,
        extra_groups=None if user is None else [],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    behind = url.set(host="127.0.0.1", port=port, query={}).render_as_string(hide_password=False)
    try:
        _wait_until_it_answers(behind, process)
        yield behind
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder)


def _connection_string(url: URL) -> str:
    """Where PgBouncer finds the server. It logs in as we do, whoever its client says to be."""
    query = {name: value for name, value in url.query.items() if isinstance(value, str)}
    parts = {
        "host": query.get("host", url.host),
        "port": query.get("port", url.port),
        "user": url.username,
        "password": url.password,
    }
    return " ".join(f"{name}={value}" for name, value in parts.items() if value)


def _system_user(url: URL) -> str | None:
    if os.geteuid() != 0:
        return None
    host = str(url.query.get("host", url.host))
    if host.startswith("/") and (owner := Path(host).stat().st_uid) != 0:
        return pwd.getpwuid(owner).pw_name
    known = {each.pw_name for each in pwd.getpwall()}
    return next(name for name in _SYSTEM_USERS if name in known)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_until_it_answers(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            address = url.replace("postgresql+psycopg2", "postgresql")
            psycopg2.connect(address, connect_timeout=5).close()
        except psycopg2.OperationalError:
            assert process.poll() is None, "pgbouncer did not start"
            assert time.monotonic() < deadline, "pgbouncer does not answer"
            time.sleep(0.05)
        else:
            return
