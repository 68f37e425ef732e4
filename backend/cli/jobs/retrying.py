"""`stoflow jobs retry`."""

from collections.abc import Sequence
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
from services.selling.publishing.dead_jobs import DeadJobRetry, Retried
from services.selling.publishing.steering import JobSteering
from shared.database import TenantSchema

REFUSED = 1


def retry(
    job_id: Annotated[
        int | None, typer.Argument(min=1, help="The job's number in that shop.")
    ] = None,
    email: AnyEmail = None,
    dead: Dead = False,
    channel: OfChannel = None,
    problem: OfProblem = None,
    limit: Annotated[int, typer.Option(min=1, help="With --dead: at most so many.")] = 1000,
    as_json: AsJson = False,
) -> None:
    """Try an ended job again, or with --dead all dead ones; each goes on after its last step.

    Look first with 'stoflow jobs list --dead' and the same options. Exit code 1: some were
    refused, each with its reason.
    """
    if dead and job_id is None:
        with opened() as container:
            wanted = dead_jobs_wanted(container, email, channel, problem)
            retrying = DeadJobRetry(container.database, container.clock)
            done = retrying.retry(wanted, limit, _ignore if as_json else _say_retried)
        _sum_up(done, as_json)
    elif dead or job_id is None or email is None:
        raise typer.BadParameter("say which: a job's number and --email, or --dead")
    else:
        with opened() as container, container.database.tenant(shop_of(container, email)) as session:
            job = JobOut.of(JobSteering(container.clock).retry(session, job_id))
        say_json(job.model_dump(mode="json")) if as_json else say(line_of(job))


def _sum_up(done: Sequence[Retried], as_json: bool) -> None:
    refused = [each for each in done if each.refused is not None]
    needless = sum(each.needless for each in done)
    queued = len(done) - len(refused) - needless
    if as_json:
        said = [{**_name(each), "because": str(each.refused)} for each in refused]
        say_json({"queued": queued, "needless": needless, "refused": said})
    else:
        say(f"{queued} queued again, {needless} needed nobody any more, {len(refused)} refused")
    if refused:
        raise typer.Exit(REFUSED)


def _ignore(_retried: Retried) -> None:
    """One document at the end."""


def _say_retried(retried: Retried) -> None:
    if retried.refused is not None:
        say(f"{line_of_dead(retried.dead)}\n  refused: {retried.refused.detail}")
    else:
        say(f"{line_of_dead(retried.dead)}\n  {'taken off' if retried.needless else 'queued'}")


def _name(retried: Retried) -> dict[str, object]:
    return {"tenant": TenantSchema(retried.dead.tenant_id).name, "job_id": retried.dead.job_id}
