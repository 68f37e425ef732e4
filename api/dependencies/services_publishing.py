"""The publishing room's services, for its routes."""

from typing import Annotated

from fastapi import Depends

from api.dependencies.container import TheContainer
from services.selling.publishing.batches import Batches
from services.selling.publishing.preflight import PublicationPreflight
from services.selling.publishing.reading import PublishingReading
from services.selling.publishing.requesting import WorkRequests
from services.selling.publishing.steering import JobSteering


async def _work_requests(container: TheContainer) -> WorkRequests:
    return container.work_requests


async def _preflight(container: TheContainer) -> PublicationPreflight:
    return container.publication_preflight


async def _steering(container: TheContainer) -> JobSteering:
    return JobSteering(container.clock, container.withdrawals)


async def _batches(container: TheContainer) -> Batches:
    return Batches(container.clock, container.withdrawals)


async def _reading() -> PublishingReading:
    return PublishingReading()


ThePreflight = Annotated[PublicationPreflight, Depends(_preflight)]
TheWorkRequests = Annotated[WorkRequests, Depends(_work_requests)]
Steering = Annotated[JobSteering, Depends(_steering)]
TheBatches = Annotated[Batches, Depends(_batches)]
Reading = Annotated[PublishingReading, Depends(_reading)]
