"""`stoflow worker`."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from backend.cli.terminal import opened
from backend.container import Container
from backend.garbage import collect_seldom
from backend.metrics import serve_metrics
from backend.pools import ProcessKind
from backend.worker import worker_of
from shared.errors import Misconfigured

INTERRUPTED_WORK = 1


def worker() -> None:
    """Run jobs until stopped. SIGTERM: take no new job, finish the running ones, leave.

    Exit code 1 when a job did not finish in time (STOFLOW_WORKER_SHUTDOWN_GRACE); it is handed
    back, and another worker takes it up at once.
    """
    with opened(ProcessKind.WORKER) as container:
        refuse_unmigrated(container)
        settings = container.settings.worker
        if settings.metrics_port is not None:
            serve_metrics(container.metrics, settings.metrics_host, settings.metrics_port)
        crew = worker_of(container)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda _number, _frame: crew.ask_to_stop())
        collect_seldom()
        crew.start()
        crew.wait()
        if not crew.stop(settings.shutdown_grace):
            raise typer.Exit(INTERRUPTED_WORK)


def refuse_unmigrated(container: Container) -> None:
    """Raises `Misconfigured` with what to do, rather than failing at every look for work."""
    if not container.readiness().ready:
        raise Misconfigured(
            "The database is away or older than this version: 'stoflow db migrate'."
        )


@contextmanager
def working_beside(container: Container) -> Iterator[None]:
    """A worker in this process for as long as the block runs."""
    refuse_unmigrated(container)
    crew = worker_of(container)
    crew.start()
    try:
        yield
    finally:
        crew.stop(container.settings.worker.shutdown_grace)
