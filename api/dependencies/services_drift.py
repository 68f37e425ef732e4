"""The drift room's services, for its routes."""

from typing import Annotated

from fastapi import Depends

from api.dependencies.container import TheContainer
from services.selling.drift.mending import DriftMending
from services.selling.drift.reading import DriftReading
from services.selling.drift.requesting import ComparisonRequests


async def _reading() -> DriftReading:
    return DriftReading()


async def _mending(container: TheContainer) -> DriftMending:
    return DriftMending(container.work_requests, container.clock)


async def _comparisons(container: TheContainer) -> ComparisonRequests:
    return container.comparisons


Reading = Annotated[DriftReading, Depends(_reading)]
Mending = Annotated[DriftMending, Depends(_mending)]
TheComparisons = Annotated[ComparisonRequests, Depends(_comparisons)]
