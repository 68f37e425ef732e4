"""`stoflow jobs`: what sellers see of their jobs, for whoever helps them."""

from typing import Annotated

import typer

from api.selling.publishing.schemas import JobOut, JobStoryOut
from backend.cli.terminal import AsJson, opened, say, say_json, shop_of
from models.selling.publishing import JobOutcome, JobStatus
from services.selling.publishing.reading import JobFilter, PublishingReading
from services.selling.publishing.steering import JobSteering

app = typer.Typer(help="Jobs of a shop: look, try again, stop.", no_args_is_help=True)

Email = Annotated[str, typer.Option(help="Whose shop: the account's e-mail address.")]
JobId = Annotated[int, typer.Argument(min=1, help="The job's number in that shop.")]


@app.command("list")
def list_jobs(
    email: Email,
    status: Annotated[JobStatus | None, typer.Option(help="Where it is in its life.")] = None,
    outcome: Annotated[JobOutcome | None, typer.Option(help="How it ended.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """The newest jobs of a shop, and why they wait or failed."""
    wanted = JobFilter(status=status, outcome=outcome)
    with opened() as container, container.database.tenant(shop_of(container, email)) as session:
        jobs, _ = PublishingReading().jobs(session, wanted, None, limit)
        shown = [JobOut.of(job) for job in jobs]
    if as_json:
        say_json([job.model_dump(mode="json") for job in shown])
    else:
        for job in shown:
            say(_line(job))


@app.command()
def show(job_id: JobId, email: Email, as_json: AsJson = False) -> None:
    """A job's whole story: every step, who ran it, what came back."""
    with opened() as container, container.database.tenant(shop_of(container, email)) as session:
        story = JobStoryOut.told(*PublishingReading().story(session, job_id))
    if as_json:
        say_json(story.model_dump(mode="json"))
        return
    say(_line(story))
    if story.ran_by is not None:
        say(f"  held by {story.ran_by} until {story.leased_until:%Y-%m-%d %H:%M:%S}Z")
    for step in story.steps:
        answer = "" if step.http_status is None else f" ({step.http_status})"
        say(f"  {step.finished_at:%H:%M:%S}  attempt {step.attempt}  {step.name}{answer}")
    for field in story.problem_fields:
        say(f"  {field.field}: {field.message}")


@app.command()
def retry(job_id: JobId, email: Email) -> None:
    """Try an ended job again; it goes on after its last finished step."""
    with opened() as container, container.database.tenant(shop_of(container, email)) as session:
        say(_line(JobOut.of(JobSteering(container.clock).retry(session, job_id))))


@app.command()
def cancel(job_id: JobId, email: Email) -> None:
    """Stop a job: a waiting one at once, a running one before its next outside call."""
    with opened() as container, container.database.tenant(shop_of(container, email)) as session:
        job = JobOut.of(JobSteering(container.clock).cancel(session, job_id))
    say(_line(job) + (", stops at its next step" if job.cancel_requested else ""))


def _line(job: JobOut) -> str:
    state = job.status.value + ("" if job.outcome is None else f", {job.outcome.value}")
    why = job.problem_detail or (f"waits for {job.waiting_for}" if job.waiting_for else "")
    tries = f"{job.attempts} of {job.max_attempts} attempts"
    what = f"{job.action} of product {job.product_id} on {job.channel}"
    return f"job {job.id}: {what}: {state}, {tries}" + (f": {why}" if why else "")
