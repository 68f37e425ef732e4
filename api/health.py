"""For those who run the service: is it alive, can it serve, what has it done."""

from fastapi import Response
from fastapi.concurrency import run_in_threadpool
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from api.dependencies.container import TheContainer
from api.policies import Policy, guarded_router

router = guarded_router("", policy=Policy.PUBLIC, tag="health", prefix="")


class Alive(BaseModel):
    """The process answers."""

    status: str = "alive"


class Ready(BaseModel):
    """Whether requests can be served."""

    ready: bool
    database: bool
    migrated: bool


@router.get("/health/live")
async def live() -> Alive:
    """The process is there; nothing else is asked."""
    return Alive()


@router.get("/health/ready", responses={503: {"model": Ready}})
async def ready(container: TheContainer, response: Response) -> Ready:
    """The database answers and is at this version's revision."""
    readiness = await run_in_threadpool(container.readiness)
    if not readiness.ready:
        response.status_code = 503
    return Ready(ready=readiness.ready, database=readiness.database, migrated=readiness.migrated)


@router.get("/metrics", response_class=Response)
async def metrics(container: TheContainer) -> Response:
    """Figures of this process in Prometheus' format."""
    figures = await run_in_threadpool(generate_latest, container.metrics)
    return Response(figures, media_type=CONTENT_TYPE_LATEST)


ROUTERS = (router,)
