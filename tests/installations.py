"""A whole installation as somebody would run it: processes that can be killed, sellers over HTTP.

Its database is the embedded one, in a data folder of its own.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from sandbox.server import serving as serving_vinted
from sandbox.vinted.app import create_app as create_vinted
from tests.conftest import SERVER_FOLDER
from tests.contracts.etsy_shop import picture
from tests.contracts.vinted_site import VintedSite
from tests.paths import CHECKOUT
from tests.serving import Seller, client
from tests.waiting import until

PATIENCE_S = 120.0
"""How long a test waits for what must come; never reached when it comes."""
STOP_WITHIN_S = 30.0

LOOK_EVERY_S = 0.1
"""Whoever looks asks a server, which has something else to do."""


def eventually(holds: Callable[[], Any]) -> None:
    """Look until it does; a server that is not there at the moment is asked again."""
    until(lambda: _holds(holds), PATIENCE_S, LOOK_EVERY_S)


def _holds(holds: Callable[[], Any]) -> bool:
    try:
        return bool(holds())
    except httpx.TransportError:
        return False


class Process:
    """One `stoflow` process; what it says is added to its log."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self._words, self._environment, self._log = words, environment, log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, for the first time or again."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "backend.cli", *self._words],
                env=self._environment,
                cwd=CHECKOUT,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def kill(self) -> None:
        """SIGKILL: it does not notice."""
        assert self._process is not None
        assert self._process.poll() is None, f"it had ended by itself, see {self._log}"
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """SIGTERM; SIGKILL where it does not end."""
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Api(Process):
    """`stoflow serve`, always on the same port."""

    def __init__(
        self, port: int, options: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> None:
        super().__init__(["serve", "--port", str(port), *options], environment, log)
        self._url = f"http://127.0.0.1:{port}"

    def wait_until_ready(self) -> None:
        """Until it answers."""
        with client(self._url) as http:
            eventually(lambda: http.get("/health/ready").status_code == httpx.codes.OK)


class Installation:
    """All processes that share a data folder."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = {**_without_settings(os.environ), **settings}
        self._processes: list[Process] = []

    def serve(self, port: int, *options: str) -> Api:
        """Start an API."""
        api = Api(port, options, self._environment, self._log())
        self._run(api)
        return api

    def work(self) -> Process:
        """Start a worker."""
        worker = Process(["worker"], self._environment, self._log())
        self._run(worker)
        return worker

    def stop(self) -> None:
        """Everything, the newest first; the last one stops the database."""
        for process in reversed(self._processes):
            process.stop()

    def _log(self) -> Path:
        return self._folder / f"{len(self._processes)}.log"

    def _run(self, process: Process) -> None:
        self._processes.append(process)
        process.start()


def _without_settings(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith("STOFLOW_") and name not in {"DATABASE_URL", "REDIS_URL"}
    }


@contextmanager
def data_folder() -> Iterator[Path]:
    """A new one, which the embedded server can reach; gone at the end."""
    folder = Path(os.environ[SERVER_FOLDER]) / f"installation-{uuid.uuid4().hex[:8]}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def installed(folder: Path, vinted: VintedSite, **settings: str) -> Iterator[Installation]:
    """An installation whose Vinted is a sandbox; `settings` are more variables of it."""
    local = {
        "STOFLOW_DATA_DIR": str(folder),
        "STOFLOW_VINTED_SANDBOX_SITE": vinted.http.base_url.netloc.decode(),
        "STOFLOW_LIMIT_REQUESTS": "100000/minute",
        "STOFLOW_WORKER_LEASE": "PT3S",
        "STOFLOW_WORKER_POLL": "PT0.1S",
        "STOFLOW_DATABASE_CHECK_SENTINEL": "true",
    }
    installation = Installation(folder, {**local, **settings})
    try:
        yield installation
    finally:
        installation.stop()
    assert not (folder / "postgres" / "postmaster.pid").exists(), "the database still runs"


@contextmanager
def empty_vinted() -> Iterator[VintedSite]:
    """A sandbox Vinted, over HTTP."""
    with (
        serving_vinted(create_vinted()) as url,
        client(url) as http,
    ):
        yield VintedSite(http)


@contextmanager
def balancing(port: int, servers: Sequence[int]) -> Iterator[None]:
    """On `port` every connection is passed on to the first of `servers`, ports too, that is up."""
    loop, ready = asyncio.new_event_loop(), threading.Event()

    async def listen() -> None:
        server = await asyncio.start_server(_passing_on(servers), "127.0.0.1", port)
        ready.set()
        with suppress(asyncio.CancelledError):
            await server.serve_forever()

    task = loop.create_task(listen())
    thread = threading.Thread(target=loop.run_until_complete, args=(task,))
    thread.start()
    assert ready.wait(PATIENCE_S)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()
        loop.close()


def _passing_on(servers: Sequence[int]) -> Callable[..., Any]:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for port in servers:
            try:
                there = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                continue
            await asyncio.gather(_pass_on(reader, there[1]), _pass_on(there[0], writer))
            return
        writer.close()

    return connected


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@dataclass(frozen=True)
class Goods:
    """What a seller wants to have on Vinted."""

    product_id: int
    title: str
    photos: tuple[str, ...]
    """Their SHA-256, as the API says them."""


def stock(seller: Seller, title: str, photos: Sequence[bytes] = ()) -> Goods:
    """A shirt that lacks nothing for Vinted, with a picture of its own where none is given."""
    shirt = {
        "title": title,
        "description": "A blue t-shirt, worn twice.",
        "status": "active",
        "brand": "Patagonia",
        "category": "aa-1-13-8",
        "condition": "good",
        "department": "men",
        "attributes": {"color": ["Blue"], "size": ["M"], "size_type": ["Regular"]},
        "variants": [{"price": {"amount": "25.00", "currency": "EUR"}, "quantity": 1}],
    }
    product_id = _told(seller.http.post("/api/v1/products", json=shirt))["id"]
    digests = []
    for photo in photos or [picture(f"#{product_id:06x}", size=(640, 640))]:
        files = {"file": ("photo.jpg", photo, "image/jpeg")}
        kept = _told(seller.http.post(f"/api/v1/products/{product_id}/images", files=files))
        digests.append(kept["sha256"])
    return Goods(product_id, title, tuple(digests))


def publish(seller: Seller, goods: Sequence[Goods]) -> None:
    """Ask for all of them on Vinted."""
    wanted = {"product_ids": [each.product_id for each in goods], "channels": ["vinted"]}
    asked = _told(seller.http.post("/api/v1/publications", json=wanted))
    assert {each["answer"] for each in asked["items"]} == {"queued"}, asked


def publications(seller: Seller) -> list[Any]:
    """All jobs that publish."""
    found = _told(seller.http.get("/api/v1/jobs", params={"action": "publish", "limit": 100}))
    jobs: list[Any] = found["items"]
    return jobs


def standing(seller: Seller) -> Any:
    """How the shop's account at Vinted stands."""
    return _told(seller.http.get("/api/v1/vinted/status"))


def pairing_code(seller: Seller) -> str:
    """What is typed into a browser."""
    return str(_told(seller.http.post("/api/v1/vinted/pairings"))["code"])


def agree_on_terms(seller: Seller) -> None:
    """What listings need beside the product; a browser must have been there."""
    _told(seller.http.put("/api/v1/vinted/terms", json={"package_size_id": 1}))


def assert_published_once(
    seller: Seller, vinted: VintedSite, login: str, goods: Sequence[Goods]
) -> None:
    """All jobs have ended well, and the sandbox's ledger has each product of the account once."""
    jobs = publications(seller)
    ended = {(job["status"], job["outcome"], job["result"]["differences"]) for job in jobs}
    assert ended == {("done", "ok", 0)}
    rows = [row for row in vinted.items() if row["login"] == login]
    assert sorted((row["title"], row["state"], tuple(row["photos"])) for row in rows) == sorted(
        (each.title, "active", each.photos) for each in goods
    )
    listed = sorted(str(job["result"]["listing_id"]) for job in jobs)
    assert listed == sorted(str(row["item_id"]) for row in rows)


def _told(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json()
