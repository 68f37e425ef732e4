"""`stoflow serve`."""

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
    """Serve in this thread until SIGINT or SIGTERM."""
    uvicorn.Server(server_config(create_app(container), host, port)).run()


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
