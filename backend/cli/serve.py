"""`stoflow serve`."""

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from types import FrameType
from typing import Annotated

import typer
import uvicorn
from starlette.types import ASGIApp

from backend.app import create_app
from backend.cli.terminal import opened
from backend.cli.worker import working_beside
from backend.container import Container
from backend.garbage import collect_seldom
from backend.pools import ProcessKind
from shared.errors import Misconfigured

SHUTDOWN_GRACE = timedelta(seconds=10)

_STOPS = (signal.SIGINT, signal.SIGTERM)


def serve(
    host: Annotated[str, typer.Option(envvar="STOFLOW_HOST")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="PORT", min=0, max=65535)] = 8000,
    with_worker: Annotated[
        bool, typer.Option("--with-worker", help="Run jobs in this process too.")
    ] = False,
) -> None:
    """Serve the API until stopped. Swagger is at /docs."""
    kind = ProcessKind.BOTH if with_worker else ProcessKind.API
    with opened(kind) as container, working_beside(container) if with_worker else nullcontext():
        run_server(container, host, port)


def run_server(container: Container, host: str, port: int) -> None:
    """Serve in the main thread until SIGINT or SIGTERM, then return.

    Raises `Misconfigured` for a taken port.
    """
    with _listening(host, port) as listener, _stopping_in_order():
        server = uvicorn.Server(server_config(create_app(container), host, port))
        collect_seldom()
        server.run([listener])


@contextmanager
def _stopping_in_order() -> Iterator[None]:
    """uvicorn stops in order and then raises the signal again.

    That would end the process before the worker has finished its jobs and the embedded database
    is stopped.
    """
    before = {number: signal.signal(number, _heeded) for number in _STOPS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _heeded(_number: int, _frame: FrameType | None) -> None:
    """The server has stopped for it already."""


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise Misconfigured(
            f"Cannot listen on {host}, port {port}: {error.strerror}. Choose another --port."
        ) from None


def server_config(app: ASGIApp, host: str, port: int) -> uvicorn.Config:
    """How uvicorn serves us."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        # X-Forwarded-For is read in api.limits, which knows how many proxies are ours.
        proxy_headers=False,
        # Engine.IO pings every client itself, over either transport.
        ws_ping_interval=None,
        timeout_graceful_shutdown=int(SHUTDOWN_GRACE.total_seconds()),
    )
