"""How commands name jobs, and the options that they share."""

from typing import Annotated

import typer

from api.selling.publishing.schemas import JobOut
from backend.cli.terminal import shop_of
from backend.container import Container
from models.accounts.dead_jobs import DeadJob
from models.selling.publishing import Channel
from services.selling.publishing.dead_jobs import DeadJobFilter
from shared.database import TenantSchema

Email = Annotated[str, typer.Option(help="Whose shop: the account's e-mail address.")]
AnyEmail = Annotated[str | None, typer.Option("--email", help="One shop: its owner's address.")]
JobId = Annotated[int, typer.Argument(min=1, help="The job's number in that shop.")]
Dead = Annotated[
    bool, typer.Option("--dead", help="Jobs of all shops that only a person can help.")
]
OfChannel = Annotated[Channel | None, typer.Option("--channel", help="With --dead: of a channel.")]
OfProblem = Annotated[
    str | None, typer.Option("--problem", help="With --dead: with this problem's code.")
]


def dead_jobs_wanted(
    container: Container, email: str | None, channel: Channel | None, problem: str | None
) -> DeadJobFilter:
    """What the options ask for. Raises `NotFound` for an address without a shop."""
    shop = None if email is None else shop_of(container, email)
    return DeadJobFilter(shop, None if channel is None else channel.value, problem)


def line_of(job: JobOut) -> str:
    """A job in a line."""
    state = job.status.value + ("" if job.outcome is None else f", {job.outcome.value}")
    why = job.problem_detail or (f"waits for {job.waiting_for}" if job.waiting_for else "")
    tries = f"{job.attempts} of {job.max_attempts} attempts"
    what = f"{job.action} of product {job.product_id} on {job.channel}"
    return f"job {job.id}: {what}: {state}, {tries}" + (f": {why}" if why else "")


def line_of_dead(dead: DeadJob) -> str:
    """A dead job in a line."""
    name = f"{TenantSchema(dead.tenant_id)}  job {dead.job_id}"
    what = f"{dead.action} of product {dead.product_id} on {dead.channel}"
    why = f": {dead.problem_detail} ({dead.problem_code})" if dead.problem_code else ""
    return f"{name}: {what}: {dead.outcome} since {dead.ended_at:%Y-%m-%d %H:%M}Z{why}"
