"""`stoflow outbox`: events on their way to subscribers, and those that could not be delivered."""

from collections.abc import Mapping
from typing import Annotated

import typer

from backend.cli.terminal import AsJson, opened, say, say_json, shop_of
from backend.container import Container
from models.accounts.outbox import NO_TENANT, DeliveryState, OutboxDelivery, OutboxEvent
from repositories.accounts.outbox_review import OutboxReviewRepository
from services.accounts.outbox.reviewing import DeliveryFilter, OutboxReview
from shared.database import TenantSchema

app = typer.Typer(
    help="Events on their way to subscribers: look, try again, let go.", no_args_is_help=True
)

EventId = Annotated[int, typer.Argument(min=1, help="The event's number.")]
AnySubscriber = Annotated[
    str | None, typer.Option("--subscriber", help="On its way to this one only.")
]
AnyEmail = Annotated[str | None, typer.Option("--email", help="One shop: its owner's address.")]

NOTHING_PARKED = 1


@app.command("list")
def list_deliveries(
    state: Annotated[
        DeliveryState, typer.Option(help="Where they are; pending: not delivered yet.")
    ] = DeliveryState.PARKED,
    subscriber: AnySubscriber = None,
    email: AnyEmail = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Events that could not be delivered (parked), or those in another state, oldest first."""
    with opened() as container, container.database.platform() as session:
        outbox = OutboxReviewRepository(session)
        found = outbox.deliveries(_wanted(container, state, None, subscriber, email), limit)
        nobodys = subscriber is None and email is None and state is DeliveryState.PENDING
        unrouted = outbox.unrouted(limit) if nobodys else ()
    if as_json:
        routed = [{**_event(event), **_delivery(delivery)} for delivery, event in found]
        say_json(routed + [{**_event(event), "state": "unrouted"} for event in unrouted])
        return
    for delivery, event in found:
        say(f"{_line_of(event)}: {_standing(delivery)}")
    for event in unrouted:
        say(f"{_line_of(event)}: no relay that knows this kind has looked yet")


@app.command()
def show(event_id: EventId, as_json: AsJson = False) -> None:
    """An event: what it says, and where it is on its way to each subscriber."""
    with opened() as container, container.database.platform() as session:
        event, deliveries = OutboxReview(container.clock).story(session, event_id)
    if as_json:
        say_json(
            {
                **_event(event),
                "payload": event.payload,
                "deliveries": [_delivery(each) for each in deliveries],
            }
        )
        return
    say(_line_of(event))
    for name, value in event.payload.items():
        say(f"  {name}: {value}")
    for each in deliveries:
        say(f"  {_standing(each)}")


@app.command()
def retry(
    event_id: Annotated[int | None, typer.Argument(min=1, help="The event's number.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that are parked.")] = False,
    subscriber: AnySubscriber = None,
    email: AnyEmail = None,
    limit: Annotated[int, typer.Option(min=1, help="With --all: at most so many.")] = 1000,
    as_json: AsJson = False,
) -> None:
    """Try parked events again, one or with --all every one, with all their attempts.

    Look first with 'stoflow outbox list' and the same options. Exit code 1: nothing was parked.
    """
    if every == (event_id is not None):
        raise typer.BadParameter("say which: an event's number, or --all")
    with opened() as container, container.database.platform() as session:
        wanted = _wanted(container, DeliveryState.PARKED, event_id, subscriber, email)
        again = OutboxReview(container.clock).retry(session, wanted, limit)
    if as_json:
        say_json([{**_event(event), "subscriber": each.subscriber} for each, event in again])
    else:
        for each, event in again:
            say(f"{_line_of(event)}: {each.subscriber} is told again")
        say(f"{len(again)} on their way again")
    if not again:
        raise typer.Exit(NOTHING_PARKED)


@app.command()
def dismiss(
    event_id: EventId,
    subscriber: Annotated[str, typer.Option("--subscriber", help="Who need not be told.")],
) -> None:
    """Let go of an event that will never be delivered: one whose subscriber is gone, say."""
    with opened() as container, container.database.platform() as session:
        OutboxReview(container.clock).dismiss(session, event_id, subscriber)
    say(f"event {event_id}: {subscriber} will not be told")


def _wanted(
    container: Container,
    state: DeliveryState,
    event_id: int | None,
    subscriber: str | None,
    email: str | None,
) -> DeliveryFilter:
    shop = None if email is None else shop_of(container, email)
    return DeliveryFilter(state, event_id, subscriber, shop)


def _line_of(event: OutboxEvent) -> str:
    recorded = f"{event.recorded_at:%Y-%m-%d %H:%MZ}"
    return f"event {event.id}  {_shop(event) or '-'}  {recorded}  {event.kind}"


def _standing(delivery: OutboxDelivery) -> str:
    tried = f"{delivery.attempts} attempt{'s' * (delivery.attempts != 1)}"
    said = f"{delivery.subscriber}: {delivery.state.value}, {tried}"
    if delivery.problem_code is None:
        return said
    return f"{said}: {delivery.problem_detail} ({delivery.problem_code})"


def _shop(event: OutboxEvent) -> str | None:
    return None if event.tenant_id == NO_TENANT else TenantSchema(event.tenant_id).name


def _event(event: OutboxEvent) -> Mapping[str, object]:
    return {
        "event_id": event.id,
        "tenant": _shop(event),
        "kind": event.kind,
        "version": event.version,
        "recorded_at": event.recorded_at.isoformat(),
    }


def _delivery(delivery: OutboxDelivery) -> Mapping[str, object]:
    return {
        "subscriber": delivery.subscriber,
        "state": delivery.state.value,
        "attempts": delivery.attempts,
        "settled_at": delivery.settled_at and delivery.settled_at.isoformat(),
        "problem_code": delivery.problem_code,
        "problem_detail": delivery.problem_detail,
    }
