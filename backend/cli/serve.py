"""`stoflow serve`."""

import socket
from contextlib import nullcontext
from datetime import timedelta
from typing import Annotated

import typer
import uvicorn
from starlette.types import ASGIApp

from backend.app import create_app
from backend.cli.terminal import opened
from backend.cli.worker import working_beside
from backend.container import Container
from shared.errors import Misconfigured

SHUTDOWN_GRACE = timedelta(seconds=10)


def serve(
    host: Annotated[str, typer.Option(envvar="STOFLOW_HOST")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="PORT", min=0, max=65535)] = 8000,
    with_worker: Annotated[
        bool, typer.Option("--with-worker", help="Run jobs in this process too.")
    ] = False,
) -> None:
    """Serve the API until stopped. Swagger is at /docs."""
    with opened() as container, working_beside(container) if with_worker else nullcontext():
        run_server(container, host, port)


def run_server(container: Container, host: str, port: int) -> None:
    """Serve in this thread until SIGINT or SIGTERM. Raises `Misconfigured` for a taken port."""
    with _listening(host, port) as listener:
        server = uvicorn.Server(server_config(create_app(container), host, port))
        server.run([listener])


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
        timeout_graceful_shutdown=int(SHUTDOWN_GRACE.total_seconds()),
    )
