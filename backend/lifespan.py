"""What happens when the application starts and when it stops."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI

from backend.container import Container
from shared.database.pool import pool_of

_log = structlog.get_logger("stoflow")

SPARE_THREADS = 20
"""For what needs no connection, beside all that wait for one or have one."""


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Say that we are there. Whoever built the container closes it."""
    container: Container = app.state.container
    pool = pool_of(container.database.engine)
    threads = pool.limit + pool.most_waiting + SPARE_THREADS
    current_default_thread_limiter().total_tokens = threads
    _log.info("started", environment=container.settings.environment.value)
    yield
    _log.info("stopped")
