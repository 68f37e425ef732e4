"""Asks a server as fast as it answers: `python -m benchmarks.load`, a process of its own.

Reads a `Plan` as JSON from standard input and prints a `Measured` as JSON. Raw HTTP/1.1 on
connections that stay open, each asking for the next answer when it has one.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import cycle
from typing import cast

import uvloop

CONNECTIONS = 16


@dataclass(frozen=True)
class Plan:
    """Requests that go round among the connections, headers by name."""

    port: int
    path: str
    headers: Sequence[dict[str, str]]
    """One entry a shop."""
    seconds: float
    connections: int = CONNECTIONS


@dataclass(frozen=True)
class Measured:
    """What came back in time."""

    per_second: float
    p50_ms: float
    p99_ms: float


def measure_load(plan: Plan) -> Measured:
    """Run the plan in a process of its own."""
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"],
        input=json.dumps(asdict(plan)),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=plan.seconds + 30,
    )
    return Measured(**json.loads(finished.stdout))


class _Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, requests: Sequence[bytes], first: int, ends_at: float) -> None:
        self.milliseconds: list[float] = []
        self.finished = asyncio.get_running_loop().create_future()
        self._requests = cycle([*requests[first:], *requests[:first]])
        self._ends_at = ends_at
        self._received = b""
        self._asked_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator or len(body) < _content_length(head):
            return
        self._received = b""
        now = time.perf_counter()
        if head.split(b" ", 2)[1] != b"200":
            self._fail(head.decode("latin-1"))
        elif now < self._ends_at:
            self.milliseconds.append((now - self._asked_at) * 1000)
            self._ask()
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if time.perf_counter() < self._ends_at:
            self._fail(f"the server hung up: {error}")
        elif not self.finished.done():
            self.finished.set_result(None)

    def _ask(self) -> None:
        self._asked_at = time.perf_counter()
        self._transport.write(next(self._requests))

    def _fail(self, because: str) -> None:
        if not self.finished.done():
            self.finished.set_exception(RuntimeError(because))
        self._transport.close()


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line[:15].lower() == b"content-length:":
            return int(line[15:])
    raise RuntimeError(f"an answer without a length: {head!r}")


async def _run(plan: Plan) -> Measured:
    requests = [_request(plan.path, headers) for headers in plan.headers]
    ends_at = time.perf_counter() + plan.seconds
    loop = asyncio.get_running_loop()
    clients = []
    for number in range(plan.connections):
        first = number * len(requests) // plan.connections
        connect = partial(_Client, requests, first, ends_at)
        _, client = await loop.create_connection(connect, "127.0.0.1", plan.port)
        clients.append(client)
    await asyncio.gather(*(client.finished for client in clients))
    times = sorted(each for client in clients for each in client.milliseconds)
    return Measured(
        per_second=round(len(times) / plan.seconds, 1),
        p50_ms=round(times[len(times) // 2], 2),
        p99_ms=round(times[len(times) * 99 // 100], 2),
    )


def _request(path: str, headers: dict[str, str]) -> bytes:
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


if __name__ == "__main__":
    print(json.dumps(asdict(uvloop.run(_run(Plan(**json.load(sys.stdin)))))))
