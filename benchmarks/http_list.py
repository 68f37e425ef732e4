"""How fast is a list of 50 products over HTTP, signed in and isolated?

Against an endpoint written by hand on the same rows (`by_hand`) and, where they can be installed,
against django-tenants and Django REST framework without any sign-in (`peers/django_shop`).
"""

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from backend.keys import new_token_key
from benchmarks import peers
from benchmarks.answer import Answer
from benchmarks.goods import stock
from benchmarks.installation import address_of, empty_installation
from benchmarks.load import Measured, Plan, measure_load
from benchmarks.processes import free_port, running
from shared.database import Database, TenantSchema

SHOPS = 12
ROUNDS = 5
WARM_UP_S = 2.0
ROUND_S = 2.0
PATH = "/api/v1/products?limit=50"
PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Server:
    """Something that lists products."""

    name: str
    port: int
    headers: Sequence[dict[str, str]]
    """Those of each shop, in the same order for all servers."""

    def load(self, seconds: float) -> Measured:
        """Ask for all shops' lists in turn."""
        return measure_load(Plan(self.port, PATH, self.headers, seconds))

    def answers(self) -> list[httpx.Response]:
        """Each shop's list, once."""
        with httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30) as http:
            return [http.get(PATH, headers=headers) for headers in self.headers]


def measure() -> Answer:
    """Serve the same shops from all servers and ask them in turn."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stoflow-bench-")))
        database = stack.enter_context(empty_installation())
        environment = environment_of(database, folder)
        ours = _serve_ours(stack, environment, folder)
        _stock_all(database, ours)
        by_hand = _serve_by_hand(stack, environment, ours)
        _refuse_unequal(ours, by_hand)
        servers = [ours, by_hand]
        django = peers.installed()
        if django is not None:
            servers.append(_serve_django(stack, django, database, ours))
        return _answer({server.name: runs for server, runs in _in_turn(servers)})


def environment_of(database: Database, folder: Path) -> dict[str, str]:
    """What a server of this installation is started with: limits are far away."""
    return {
        **os.environ,
        "DATABASE_URL": address_of(database),
        "STOFLOW_DATA_DIR": str(folder),
        "STOFLOW_TOKEN_PRIVATE_KEY": new_token_key(),
        "STOFLOW_LIMIT_REQUESTS": "1000000000/minute",
        "STOFLOW_LIMIT_SIGN_IN": "1000/minute",
    }


def _serve_ours(stack: ExitStack, environment: Mapping[str, str], folder: Path) -> Server:
    port = free_port()
    command = [str(Path(sys.executable).with_name("stoflow")), "serve", "--port", str(port)]
    stack.enter_context(running(command, port, environment, folder))
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
        tokens = [_sign_up(http, f"seller{number}@example.com") for number in range(SHOPS)]
    headers = [{"Host": "127.0.0.1", "Authorization": f"Bearer {token}"} for token in tokens]
    return Server("ours", port, headers)


def _sign_up(http: httpx.Client, email: str) -> str:
    account = {"email": email, "password": PASSWORD, "full_name": "Bench"}
    http.post("/api/v1/auth/register", json=account).raise_for_status()
    form = {"username": email, "password": PASSWORD}
    answer = http.post("/api/v1/auth/token", data=form).raise_for_status()
    return str(answer.json()["access_token"])


def _stock_all(database: Database, ours: Server) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{ours.port}", timeout=30) as http:
        for number, headers in enumerate(ours.headers):
            profile: dict[str, Any] = http.get("/api/v1/me", headers=headers).json()
            with database.tenant(TenantSchema(int(profile["shop"]["id"]))) as session:
                stock(session.connection(), number)


def _serve_by_hand(stack: ExitStack, environment: Mapping[str, str], ours: Server) -> Server:
    port = free_port()
    options = ["--port", str(port), "--no-access-log", "--log-level", "warning"]
    command = [sys.executable, "-m", "uvicorn", "benchmarks.by_hand:app", *options]
    command += ["--no-proxy-headers", "--no-server-header"]
    stack.enter_context(running(command, port, environment, Path(__file__).parent.parent))
    return Server("by_hand", port, ours.headers)


def _serve_django(
    stack: ExitStack, django: peers.DjangoTenants, database: Database, ours: Server
) -> Server:
    port = free_port()
    shops = stack.enter_context(django.shops(database))
    hosts = shops.open_and_stock(range(SHOPS), stock)
    stack.enter_context(shops.serving(port))
    server = Server("django_tenants", port, [{"Host": host} for host in hosts])
    for mine, theirs in zip(ours.answers(), server.answers(), strict=True):
        if mine.json()["items"] != theirs.json()["items"]:
            raise RuntimeError("django-tenants lists other products than we do.")
    return server


def _refuse_unequal(ours: Server, by_hand: Server) -> None:
    for number, (mine, theirs) in enumerate(zip(ours.answers(), by_hand.answers(), strict=True)):
        mine.raise_for_status()
        items = mine.json()["items"]
        if mine.content != theirs.content:
            raise RuntimeError("The two endpoints do not answer the same.")
        if len(items) != 50 or not all(it["title"].endswith(f"shop {number}") for it in items):
            raise RuntimeError("A shop does not list its own 50 products.")


def _in_turn(servers: Sequence[Server]) -> list[tuple[Server, list[Measured]]]:
    """A B C A B C …, after an unmeasured round that warms them up."""
    for server in servers:
        server.load(WARM_UP_S)
    rounds = [[server.load(ROUND_S) for server in servers] for _ in range(ROUNDS)]
    return [(server, [each[place] for each in rounds]) for place, server in enumerate(servers)]


def _answer(runs: Mapping[str, Sequence[Measured]]) -> Answer:
    figures: dict[str, float] = {}
    for name, measured in runs.items():
        figures[f"{name}_per_second"] = round(median(run.per_second for run in measured), 1)
        figures[f"{name}_p50_ms"] = round(median(run.p50_ms for run in measured), 2)
        figures[f"{name}_p99_ms"] = round(median(run.p99_ms for run in measured), 2)
    ours = figures["ours_per_second"]
    ratios = {"to_raw": round(ours / figures["by_hand_per_second"], 3)}
    if "django_tenants_per_second" in figures:
        ratios["to_django_tenants"] = round(ours / figures["django_tenants_per_second"], 3)
    return Answer(figures, ratios)
