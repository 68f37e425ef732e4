"""How many sellers' browsers one API process holds, what each costs, and how fast commands go.

One API process as `stoflow serve` starts it, one of browsers (`benchmarks.extensions`), a worker of
four threads here. Its handler asks one request of Vinted and is parked until the browser has
answered. A round trip is from the moment at which a job is due to the browser's hearing that its
result is stored. Between two of them the shortest transaction in a shop is timed, as a yardstick of
how fast the machine is in this hour: a round trip has six, and some forty statements in them.
"""

import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import structlog
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from sqlalchemy import text

from backend.garbage import collect_seldom
from backend.keys import new_token_key
from benchmarks.answer import Answer, median_of
from benchmarks.browser_crew import CHECKOUT, browsers_at
from benchmarks.installation import address_of, empty_installation
from benchmarks.job_crew import GRACE, worker_with
from benchmarks.processes import free_port
from benchmarks.shops import shown
from migrations.rendering import tenant_script
from models.accounts.identity import AuthSession, Role, User
from models.accounts.tenants import Lane
from models.selling.publishing import Channel, JobAction, JobStatus, MarketplaceJob
from repositories.accounts.bells import BellRepository
from services.accounts.identity.access_tokens import AccessTokens
from services.accounts.tenants.provisioning import TenantProvisioning
from services.gateways.vinted.transport import AwaitingAnswer, VintedRequest
from services.selling.publishing.handlers import Completed, Journal, Verdict
from services.selling.vinted.commands import CommandTransport, parked
from shared.clock import SystemClock
from shared.database import Database, EngineOptions, TenantSchema, TenantSession
from shared.database.engine import create_database_engine
from shared.database.wake_ups import WakeUpSender
from shared.ids import new_uuid

SHOPS, BROWSERS_EACH = 400, 5
"""One browser of each shop executes, the others stand by."""
CLIENTS = SHOPS * BROWSERS_EACH
BEYOND = 20
ROUND_TRIPS = 300
EVERY_S = 0.25
"""Between two single jobs, so that none waits for the one before."""
REST_S = 0.05
"""Before the next of them, beside which nothing is timed."""
LOOK = VintedRequest("GET", "/api/v2/users/current")


def measure() -> Answer:
    """Connect, then single round trips, then everybody at once."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    with empty_installation() as database, tempfile.TemporaryDirectory() as folder:
        pem = new_token_key()
        shops = list(
            shown(
                "shops opened",
                (_open(database, pem, each) for each in range(SHOPS + BEYOND // BROWSERS_EACH)),
                SHOPS + BEYOND // BROWSERS_EACH,
            )
        )
        with _api(address_of(database), pem, folder) as api, _working(database):
            before = api.resident_kb()
            inside, beyond = shops[:SHOPS], shops[SHOPS:]
            with browsers_at(api.url, [each.tokens for each in inside]) as browsers:
                connected_s = browsers.connected_s()
                each_kb = (api.resident_kb() - before) / CLIENTS
                with browsers_at(api.url, [each.tokens for each in beyond]) as refused:
                    refused.connected_s()
                singles, yardsticks = _one_by_one(database, inside)
                browsers.wait_for(ROUND_TRIPS)
                all_at_once = _all_at_once(database, inside)
                busy_s = browsers.wait_for(ROUND_TRIPS + SHOPS) - all_at_once
            acked = browsers.acked
    trips = [acked[key] - due for key, due in singles.items()]
    cuts = quantiles([each * 1000 for each in trips], n=100)
    return Answer(
        {
            "clients": CLIENTS,
            "executors": SHOPS,
            "connects_per_s": round(CLIENTS / connected_s, 1),
            "kb_per_client": round(each_kb, 1),
            "round_trips": len(trips),
            "round_trip_p50_ms": median_of([each * 1000 for each in trips]),
            "round_trip_p99_ms": round(cuts[98], 1),
            "shortest_transaction_p50_ms": median_of([each * 1000 for each in yardsticks]),
            "commands_per_s": round(SHOPS / busy_s, 1),
            "beyond_the_cap": BEYOND,
            "beyond_the_cap_refused": len(refused.refused),
        },
        {
            "p99_to_allowed": round(cuts[98] / 100, 3),
            "p50_to_shortest_transaction": round(cuts[49] / 1000 / median(yardsticks), 1),
        },
    )


@dataclass(frozen=True)
class _Shop:
    tenant: TenantSchema
    tokens: Sequence[str]
    """Of its browsers."""


class _Asking:
    """A handler of one request."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def prepare(self, session: TenantSession, job: MarketplaceJob) -> tuple[TenantSchema, int]:
        return session.tenant, job.id

    def perform(self, command: tuple[TenantSchema, int], journal: Journal) -> Any:
        clock = SystemClock()
        try:
            answer = CommandTransport(self._database, clock, *command).ask("look", LOOK)
        except AwaitingAnswer:
            return parked(clock)
        return {"status": answer.status}

    def record(self, session: TenantSession, job: MarketplaceJob, result: Any) -> Verdict:
        return Completed(result)


class _Api:
    """An API process."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        self._process = process
        self.url = f"ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket"

    def resident_kb(self) -> int:
        """Memory that it holds."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        line = next(each for each in status.splitlines() if each.startswith("VmRSS"))
        return int(line.split()[1])


def _open(database: Database, pem: str, number: int) -> _Shop:
    clock, key = SystemClock(), load_pem_private_key(pem.encode(), None)
    tokens = AccessTokens(key, (), issuer="stoflow", ttl=timedelta(hours=2), clock=clock)  # type: ignore[arg-type]
    now = clock.now()
    with database.platform() as session:
        user = User(
            public_id=new_uuid(),
            email=f"seller{number}@example.com",
            password_hash="-",
            full_name="A Seller",
            role=Role.MEMBER,
            created_at=now,
        )
        session.add(user)
        session.flush()
        tenant = TenantProvisioning(database, tenant_script(), clock).provision(session, user.id)
        sign_ins = [
            AuthSession(
                id=new_uuid(),
                user_id=user.id,
                created_at=now,
                expires_at=now + timedelta(days=7),
                device=f"browser {place}",
            )
            for place in range(BROWSERS_EACH)
        ]
        session.add_all(sign_ins)
    return _Shop(
        tenant,
        [
            tokens.issue(
                user_id=user.id,
                public_id=user.public_id,
                session_id=each.id,
                role=Role.MEMBER,
                tenant_id=tenant.tenant_id,
                device=True,
            )
            for each in sign_ins
        ],
    )


@contextmanager
def _api(url: str, pem: str, folder: str) -> Iterator[_Api]:
    port = free_port()
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "STOFLOW_TOKEN_PRIVATE_KEY": pem,
        "STOFLOW_DATA_DIR": folder,
        "STOFLOW_LOG_LEVEL": "WARNING",
        "STOFLOW_SOCKETS_MOST": str(CLIENTS),
        "STOFLOW_LIMIT_REQUESTS": "1000000/minute",
        "STOFLOW_VINTED_SANDBOX_SITE": "sandbox.example",
    }
    command = [sys.executable, "-m", "backend.cli", "serve", "--port", str(port)]
    process = subprocess.Popen(command, env=environment, cwd=CHECKOUT)
    try:
        _wait_until_it_listens(port)
        yield _Api(process, port)
    finally:
        process.terminate()
        process.wait()


def _wait_until_it_listens(port: int) -> None:
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("The API did not start.")


@contextmanager
def _working(database: Database) -> Iterator[None]:
    """A worker with a pool of its own; whoever leaves jobs wakes it."""
    own = Database(create_database_engine(address_of(database), EngineOptions(pool_size=10)))
    senders = [WakeUpSender(own.engine), WakeUpSender(database.engine)]
    worker = worker_with(own, 4, _Asking(own))
    for sender in senders:
        sender.start()
    collect_seldom()
    worker.start()
    try:
        yield
    finally:
        worker.stop(GRACE)
        for sender in senders:
            sender.close()
        own.engine.dispose()


def _one_by_one(
    database: Database, shops: Sequence[_Shop]
) -> tuple[dict[str, float], Sequence[float]]:
    """When each job was due, and how many seconds transactions in between took."""
    chosen = random.Random(1).sample(range(len(shops)), ROUND_TRIPS)
    due: dict[str, float] = {}
    yardsticks: list[float] = []
    for place in chosen:
        job_id, at = _leave(database, shops[place].tenant, JobAction.SYNC)
        due[f"{place}:{job_id}"] = at
        time.sleep(EVERY_S - REST_S)
        yardsticks.append(_transaction_s(database, shops[place].tenant))
        time.sleep(REST_S)
    return due, yardsticks


def _transaction_s(database: Database, tenant: TenantSchema) -> float:
    began = time.perf_counter()
    with database.tenant(tenant) as session:
        session.execute(text("SELECT 1"))
    return time.perf_counter() - began


def _all_at_once(database: Database, shops: Sequence[_Shop]) -> float:
    """Leave a job in every shop; returns when the first was due."""
    first = time.time()
    for shop in shown("jobs left", shops, len(shops)):
        _leave(database, shop.tenant, JobAction.LINK)
    return first


def _leave(database: Database, tenant: TenantSchema, action: JobAction) -> tuple[int, float]:
    now = SystemClock().now()
    with database.tenant(tenant) as session:
        BellRepository(session).ring(tenant, Lane.BULK, now)
        job = MarketplaceJob(
            channel=Channel.VINTED,
            action=action,
            lane=Lane.BULK,
            priority=100,
            status=JobStatus.PENDING,
            due_at=now,
            attempts=0,
            max_attempts=8,
            problem_fields=[],
            payload={},
            progress={},
            requested_by=tenant.tenant_id,
            created_at=now,
        )
        session.add(job)
        session.flush()
        return job.id, now.timestamp()
