"""`stoflow jobs show` and `stoflow jobs cancel`."""

from api.selling.publishing.schemas import JobOut, JobStoryOut
from backend.cli.jobs.words import Email, JobId, line_of
from backend.cli.terminal import AsJson, opened, say, say_json, shop_of
from backend.handlers import withdrawals
from services.selling.publishing.reading import PublishingReading
from services.selling.publishing.steering import JobSteering


def show(job_id: JobId, email: Email, as_json: AsJson = False) -> None:
    """A job's whole story: every step, who ran it, what came back."""
    with opened() as container, container.database.tenant(shop_of(container, email)) as session:
        story = JobStoryOut.told(*PublishingReading().story(session, job_id))
    if as_json:
        say_json(story.model_dump(mode="json"))
        return
    say(line_of(story))
    if story.ran_by is not None:
        say(f"  held by {story.ran_by} until {story.leased_until:%Y-%m-%d %H:%M:%S}Z")
    for step in story.steps:
        answer = "" if step.http_status is None else f" ({step.http_status})"
        say(f"  {step.finished_at:%H:%M:%S}  attempt {step.attempt}  {step.name}{answer}")
    for field in story.problem_fields:
        say(f"  {field.field}: {field.message}")


def cancel(job_id: JobId, email: Email) -> None:
    """Stop a job: a waiting one at once, a running one before its next outside call."""
    with opened() as container, container.database.tenant(shop_of(container, email)) as session:
        job = JobOut.of(JobSteering(container.clock, withdrawals()).cancel(session, job_id))
    say(line_of(job) + (", stops at its next step" if job.cancel_requested else ""))
