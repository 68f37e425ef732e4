"""`stoflow jobs list`."""

from typing import Annotated

import typer

from api.selling.publishing.schemas import JobOut
from backend.cli.jobs.words import (
    AnyEmail,
    Dead,
    OfChannel,
    OfProblem,
    dead_jobs_wanted,
    line_of,
    line_of_dead,
)
from backend.cli.terminal import AsJson, opened, say, say_json, shop_of
from models.accounts.dead_jobs import DeadJob
from models.selling.publishing import JobOutcome, JobStatus
from repositories.accounts.dead_jobs import DeadJobRepository
from services.selling.publishing.dead_jobs import DeadJobFilter
from services.selling.publishing.reading import JobFilter, PublishingReading
from shared.database import Database, TenantSchema


def list_jobs(
    email: AnyEmail = None,
    dead: Dead = False,
    status: Annotated[JobStatus | None, typer.Option(help="Where it is in its life.")] = None,
    outcome: Annotated[JobOutcome | None, typer.Option(help="How it ended.")] = None,
    channel: OfChannel = None,
    problem: OfProblem = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """The newest jobs of a shop (--email), or the dead ones of all shops, oldest first (--dead).

    Dead are jobs that ended blocked or unknown: attempts ran out, the account must be mended, or
    nobody could find out what happened. Rejected ones are the seller's, whose data must change.
    """
    if dead:
        with opened() as container:
            wanted = dead_jobs_wanted(container, email, channel, problem)
            _say_dead(container.database, wanted, limit, as_json)
    elif email is None:
        raise typer.BadParameter("say whose jobs: --email ADDRESS, or --dead for those of all")
    else:
        _say_jobs(email, JobFilter(status=status, outcome=outcome, channel=channel), limit, as_json)


def _say_jobs(email: str, wanted: JobFilter, limit: int, as_json: bool) -> None:
    with opened() as container, container.database.tenant(shop_of(container, email)) as session:
        jobs, _ = PublishingReading().jobs(session, wanted, None, limit)
        shown = [JobOut.of(job) for job in jobs]
    if as_json:
        say_json([job.model_dump(mode="json") for job in shown])
    else:
        for job in shown:
            say(line_of(job))


def _say_dead(database: Database, wanted: DeadJobFilter, limit: int, as_json: bool) -> None:
    with database.platform() as session:
        found = DeadJobRepository(session).page(wanted, limit)
    if as_json:
        say_json([_document(dead, email) for dead, email in found])
    else:
        for dead, email in found:
            say(f"{line_of_dead(dead)}  {email or ''}".rstrip())


def _document(dead: DeadJob, email: str | None) -> dict[str, object]:
    columns = {column.name: getattr(dead, column.name) for column in DeadJob.__table__.columns}
    ended_at = dead.ended_at.isoformat()
    return {
        **columns,
        "tenant": TenantSchema(dead.tenant_id).name,
        "email": email,
        "ended_at": ended_at,
    }
