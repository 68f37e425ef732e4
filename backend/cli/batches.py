"""`stoflow batches`: what sellers see of their batches, for whoever helps them."""

from collections.abc import Callable
from typing import Annotated

import typer

from api.selling.publishing.batch_schemas import BatchOut, BatchSteeredOut
from backend.cli.terminal import AsJson, opened, say, say_json, shop_of
from backend.handlers import withdrawals
from services.selling.publishing.batches import Batches, BatchSteered
from shared.database import TenantSession

app = typer.Typer(
    help="Batches of jobs of a shop: look, hold, go on, stop, try again.", no_args_is_help=True
)

Email = Annotated[str, typer.Option(help="Whose shop: the account's e-mail address.")]
BatchId = Annotated[int, typer.Argument(min=1, help="The batch's number in that shop.")]


@app.command("list")
def list_batches(
    email: Email,
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """The newest batches of a shop and how far they are."""
    with opened() as container, container.database.tenant(shop_of(container, email)) as session:
        found, _ = Batches(container.clock).page(session, None, limit)
        shown = [BatchOut.of(each) for each in found]
    if as_json:
        say_json([batch.model_dump(mode="json") for batch in shown])
    else:
        for batch in shown:
            say(_line(batch))


@app.command()
def show(batch_id: BatchId, email: Email, as_json: AsJson = False) -> None:
    """How far a batch is. Its jobs: 'stoflow jobs list --email …'."""
    with opened() as container, container.database.tenant(shop_of(container, email)) as session:
        batch = BatchOut.of(Batches(container.clock).show(session, batch_id))
    if as_json:
        say_json(batch.model_dump(mode="json"))
    else:
        say(_line(batch))


@app.command()
def pause(batch_id: BatchId, email: Email) -> None:
    """Pick up no further job of it; running ones finish."""
    _steer(email, lambda batches, session: batches.pause(session, batch_id), "held")


@app.command()
def resume(batch_id: BatchId, email: Email) -> None:
    """Go on with a paused batch."""
    _steer(email, lambda batches, session: batches.resume(session, batch_id), "let go")


@app.command()
def cancel(batch_id: BatchId, email: Email) -> None:
    """Stop waiting jobs at once and running ones before their next outside call."""
    _steer(email, lambda batches, session: batches.cancel(session, batch_id), "stopped")


@app.command("retry-failed")
def retry_failed(batch_id: BatchId, email: Email) -> None:
    """Queue again what ended without success."""
    _steer(email, lambda batches, session: batches.retry_failed(session, batch_id), "queued again")


def _steer(email: str, act: Callable[[Batches, TenantSession], BatchSteered], done: str) -> None:
    with opened() as container, container.database.tenant(shop_of(container, email)) as session:
        steered = BatchSteeredOut.of(act(Batches(container.clock, withdrawals()), session))
    left = f", {steered.left_alone} left alone" if steered.left_alone else ""
    say(f"{steered.changed} {done}{left}; {_line(steered.batch)}")


def _line(batch: BatchOut) -> str:
    outcomes = [f"{number} {outcome.value}" for outcome, number in batch.by_outcome.items()]
    statuses = [
        f"{number} {status.value}"
        for status, number in batch.by_status.items()
        if status.value != "done"
    ]
    paused = ", paused" if batch.paused_at is not None else ""
    left = "" if batch.seconds_left is None else f", about {batch.seconds_left} s left"
    counted = ", ".join([*outcomes, *statuses])
    total = f"{batch.percent} % of {batch.total}"
    return f"batch {batch.id}: {batch.action.value}, {total}: {counted}{paused}{left}"
