"""The processes of the demo: sandboxes, API and worker, each with a log file of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from shared.errors import StoflowError
from shared.http_client import trusted_authorities

CURRENCY = "USD"
"""Of all prices in the demo."""

START_TIMEOUT_S = 40.0
STOP_TIMEOUT_S = 15.0
_LOOK_EVERY_S = 0.05


class StageError(StoflowError):
    """A process of the demo did not come up."""

    code, title = "demo-process-failed", "A process of the demo did not start"


@dataclass(frozen=True)
class Addresses:
    """Where the processes of the demo listen."""

    api: str
    ebay: str
    etsy: str
    vinted: str

    @classmethod
    def free(cls) -> "Addresses":
        """The usual ports where they are free, others where they are not."""
        return cls(*(f"http://127.0.0.1:{_free_port(port)}" for port in (8000, 8701, 8702, 8703)))


class Stage:
    """Starts the processes side by side, waits for each when told to, stops them in reverse."""

    def __init__(self, folder: Path, database_url: str, addresses: Addresses) -> None:
        self.addresses = addresses
        self.logs = folder / "logs"
        self._folder = folder
        self._environment = {**os.environ, **environment_of(folder, database_url, addresses)}
        self._stack = ExitStack()
        self._health: dict[str, tuple[subprocess.Popen[bytes], str]] = {}

    def __enter__(self) -> Self:
        self.logs.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def wait_for(self, name: str) -> None:
        """Until a process answers, such as `ebay`. Raises `StageError`."""
        process, url = self._health[name]
        _wait_until_healthy(name, process, url, self._log(name))

    def start_ebay(self) -> None:
        """The sandbox, remembering its listings from one demo to the next."""
        state = self._folder / "ebay.json"
        callback = f"{self.addresses.api}/api/v1/channels/ebay/callback"
        command = ["sandbox", "ebay", "--port", _port(self.addresses.ebay)]
        command += ["--state", str(state), "--accepted-url", callback]
        self._start("ebay", command, f"{self.addresses.ebay}/_sandbox/clock")

    def start_etsy(self) -> None:
        """As above."""
        state = self._folder / "etsy.json"
        callback = f"{self.addresses.api}/api/v1/channels/etsy/callback"
        command = ["sandbox", "etsy", "--port", _port(self.addresses.etsy)]
        command += ["--state", str(state), "--redirect-uri", callback]
        self._start("etsy", command, f"{self.addresses.etsy}/_sandbox/clock")

    def start_vinted(self) -> None:
        """As above; its prices are in dollars, like those of the other two."""
        command = ["sandbox", "vinted", "--port", _port(self.addresses.vinted)]
        command += ["--state", str(self._folder / "vinted.json"), "--currency", CURRENCY]
        self._start("vinted", command, f"{self.addresses.vinted}/_sandbox/clock")

    def start_api(self) -> None:
        """The REST API."""
        command = ["backend.cli", "serve", "--port", _port(self.addresses.api)]
        self._start("api", command, f"{self.addresses.api}/health/ready")

    def start_worker(self) -> None:
        """The process that runs the jobs."""
        self._start("worker", ["backend.cli", "worker"], None)

    def _start(self, name: str, command: Sequence[str], health_url: str | None) -> None:
        with self._log(name).open("w") as output:
            process = subprocess.Popen(  # noqa: S603 - our own modules
                [sys.executable, "-m", *command],
                env=self._environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._stack.callback(_stop, process)
        if health_url is not None:
            self._health[name] = process, health_url

    def _log(self, name: str) -> Path:
        return self.logs / f"{name}.log"


def environment_of(folder: Path, database_url: str, addresses: Addresses) -> Mapping[str, str]:
    """Settings that make an installation of the demo: everything local, sandboxes outside."""
    ebay = {
        f"STOFLOW_EBAY_{host}_URL": addresses.ebay for host in ("AUTH", "API", "IDENTITY", "MEDIA")
    }
    etsy = {f"STOFLOW_ETSY_{host}_URL": addresses.etsy for host in ("AUTH", "API")}
    return {
        "STOFLOW_ENVIRONMENT": "development",
        "STOFLOW_DATA_DIR": str(folder),
        "STOFLOW_PUBLIC_URL": addresses.api,
        "STOFLOW_EBAY_CLIENT_ID": "StoFlow-Sandbox-ClientId",
        "STOFLOW_EBAY_CLIENT_SECRET": "StoFlow-Sandbox-CertId",
        "STOFLOW_EBAY_RU_NAME": "StoFlow-Sandbox-RuName",
        "STOFLOW_ETSY_KEYSTRING": "stoflowsandboxkeystring1",
        "STOFLOW_ETSY_SHARED_SECRET": "sandboxsec",
        "STOFLOW_ETSY_CALLS_PER_SECOND": "150",
        "STOFLOW_ETSY_CALLS_PER_DAY": "100000",
        "STOFLOW_VINTED_SANDBOX_SITE": addresses.vinted.removeprefix("http://"),
        "STOFLOW_WORKER_POLL": "PT0.1S",
        # The demo's seller types faster than any person.
        "STOFLOW_LIMIT_REQUESTS": "6000/minute",
        "DATABASE_URL": database_url,
        **ebay,
        **etsy,
    }


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise StageError("No free port was found on this machine.")


def _port(address: str) -> str:
    return address.rpartition(":")[2]


def _wait_until_healthy(name: str, process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    with httpx.Client(timeout=2, verify=trusted_authorities()) as http:
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise StageError(f"The {name} process ended at once; see {log}.")
            with suppress(httpx.TransportError):
                if http.get(url).status_code == httpx.codes.OK:
                    return
            time.sleep(_LOOK_EVERY_S)
    raise StageError(f"The {name} process did not answer in time; see {log}.")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
