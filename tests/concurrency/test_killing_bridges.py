"""Two API processes hold sellers' sockets; killing either loses nothing."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from benchmarks.processes import free_port, running
from models.selling.publishing import Channel, JobStatus
from models.selling.vinted import CommandState, VintedCommand
from services.gateways.vinted.transport import VintedRequest
from shared.clock import SystemClock
from shared.database import Database, TenantSchema
from shared.database.wake_ups import WakeUpSender
from tests.factories.selling import make_job
from tests.factories.vinted import ask, park
from tests.fakes.extension import Extension, Memory, fine, pair
from tests.paths import CHECKOUT
from tests.serving import client, sign_up

COMMANDS = 24
REDIS = shutil.which("redis-server")


class Server:
    """An API process that can be killed."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "backend.cli", "serve", "--port", str(self.port)]
        self._process = subprocess.Popen(
            command,
            env=environment,
            cwd=CHECKOUT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/ready").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


@contextmanager
def redis(wanted: bool) -> Iterator[dict[str, str]]:
    """A real one, where it is asked for."""
    if not wanted:
        yield {}
        return
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = [str(REDIS), "--port", str(port), "--save", "", "--dir", folder]
        with running(command, port, dict(os.environ), Path(folder)):
            yield {"REDIS_URL": f"redis://127.0.0.1:{port}/0"}


def wait_for(holds: Callable[[], bool], seconds: float = 40) -> None:
    pause, waited = threading.Event(), 0.0
    while not holds():
        assert waited < seconds
        pause.wait(0.05)
        waited += 0.05


def leave(database: Database, shop: TenantSchema, number: int) -> None:
    """As a worker does, in a process of its own."""
    clock = SystemClock()
    with database.tenant(shop) as session:
        job_id = make_job(
            session,
            clock,
            channel=Channel.VINTED,
            status=JobStatus.RUNNING,
            attempts=1,
        ).id
    ask(database, clock, shop, job_id, VintedRequest("POST", f"/api/v2/items/{number}/delete"))
    park(database, clock, shop, job_id)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("with_redis", [False, True], ids=["alone", "redis"])
def test_killing_either_of_two_api_processes_loses_nothing(
    database: Database, token_key: str, tmp_path: Path, with_redis: bool
) -> None:
    """ST31, ST37: the command reaches the socket wherever it is, and is carried out once."""
    if with_redis and REDIS is None:
        pytest.skip("left out: there is no redis-server on this machine")
    done: Counter[str] = Counter()

    def vinted(request: dict[str, Any]) -> dict[str, Any]:
        done[request["path"]] += 1
        threading.Event().wait(0.05)
        return fine(request)

    with redis(with_redis) as more, closing(_waking(database)):
        environment = {
            **os.environ,
            **more,
            "DATABASE_URL": database.engine.url.render_as_string(hide_password=False),
            "STOFLOW_TOKEN_PRIVATE_KEY": token_key,
            "STOFLOW_DATA_DIR": str(tmp_path),
            "STOFLOW_DATABASE_POOL_SIZE": "5",
            "STOFLOW_VINTED_SANDBOX_SITE": "sandbox.example",
        }
        servers = [Server(environment), Server(environment)]
        try:
            wait_for(lambda: all(each.is_ready() for each in servers))
            with client(servers[0].url) as nobody:
                seller = sign_up(nobody)
            laptop, memory = pair(seller.http), Memory()

            def connected(server: Server) -> Extension:
                browser = Extension(server.url, laptop, vinted=vinted, memory=memory).connect()
                browser.say(holding=list(memory.done)[-1:])
                return browser

            browser = connected(servers[0])
            for number in range(COMMANDS):
                leave(database, seller.tenant, number)
            wait_for(lambda: len(done) >= COMMANDS // 3)
            servers[0].kill()
            browser = connected(servers[1])
            wait_for(lambda: len(done) >= 2 * COMMANDS // 3)
            servers.append(Server(environment))
            wait_for(servers[2].is_ready)
            servers[1].kill()
            browser = connected(servers[2])
            wait_for(lambda: _states(database, seller.tenant) == {CommandState.ANSWERED: COMMANDS})
            browser.drop()
        finally:
            for each in servers:
                each.kill()
    assert set(done.values()) == {1}
    assert len(done) == COMMANDS


def _waking(database: Database) -> WakeUpSender:
    sender = WakeUpSender(database.engine)
    sender.start()
    return sender


def _states(database: Database, shop: TenantSchema) -> Counter[CommandState]:
    with database.tenant(shop) as session:
        return Counter(session.scalars(select(VintedCommand.state)))
