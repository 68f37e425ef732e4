"""`stoflow jobs tail`."""

import time
from datetime import timedelta
from typing import Annotated, Any

import typer

from backend.cli.jobs.words import AnyEmail
from backend.cli.terminal import AsJson, opened, say, say_json, shop_of
from services.selling.publishing.following import StoryFollower, StoryLine

_EVERY_S = 1.0


def tail(
    email: AnyEmail = None,
    since: Annotated[
        float, typer.Option(min=0, help="Begin with what was written so many minutes ago.")
    ] = 1,
    as_json: AsJson = False,
) -> None:
    """Follow the stories of all shops, or of one, a line a step, until Ctrl-C.

    Only shops that have news are read, however many there are.
    """
    with opened() as container:
        only = None if email is None else shop_of(container, email)
        began = container.clock.now() - timedelta(minutes=since)
        follower = StoryFollower(container.database, container.clock, began, only)
        try:
            while True:
                for line in follower.look():
                    say_json(_document(line)) if as_json else say(_line(line))
                time.sleep(_EVERY_S)
        except KeyboardInterrupt:
            return


def _line(line: StoryLine) -> str:
    job, step = line.job, line.step
    name = f"{step.finished_at:%H:%M:%S}  {line.tenant}  job {job.id}"
    what = f"{job.action} of product {job.product_id} on {job.channel}"
    answer = "" if step.http_status is None else f" ({step.http_status})"
    why = f": {step.detail['says']}" if "says" in step.detail else ""
    return f"{name}  {what}  attempt {step.attempt}  {step.name}{answer}{why}"


def _document(line: StoryLine) -> dict[str, Any]:
    job, step = line.job, line.step
    return {
        "at": step.finished_at.isoformat(),
        "tenant": line.tenant.name,
        "job_id": job.id,
        "channel": job.channel.value,
        "action": job.action.value,
        "product_id": job.product_id,
        "attempt": step.attempt,
        "step": step.name,
        "http_status": step.http_status,
        "ran_by": step.lease_owner,
        "detail": step.detail,
    }
