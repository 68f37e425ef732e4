"""What happens when the application starts and when it stops."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from fastapi import FastAPI

from backend.container import Container

_log = structlog.get_logger("stoflow")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Say that we are there. Whoever built the container closes it."""
    container: Container = app.state.container
    _log.info("started", environment=container.settings.environment.value)
    yield
    _log.info("stopped")
