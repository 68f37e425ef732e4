"""Events and subscribers of tests: effects are pieces of shop news, which commit or do not."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import text

from repositories.accounts.news import append_event
from repositories.accounts.outbox_review import DeliveryFilter, OutboxReviewRepository
from services.accounts.outbox.events import Event
from services.accounts.outbox.recording import OutboxRecorder
from services.accounts.outbox.subscribing import InShop, Told
from shared.clock import Clock, SystemClock
from shared.database import Database, TenantSchema, TenantSession


@dataclass(frozen=True, slots=True)
class Counted(Event):
    """Something happened for the nth time."""

    kind: ClassVar[str] = "counted"

    number: int


@dataclass
class NotedDeliveries:
    """A `RelayWatch` that remembers."""

    delivered: list[str] = field(default_factory=list)
    failed: list[tuple[str, bool]] = field(default_factory=list)

    def event_delivered(self, subscriber: str, lag: timedelta) -> None:
        self.delivered.append(subscriber)

    def delivery_failed(self, subscriber: str, *, parked: bool) -> None:
        self.failed.append((subscriber, parked))


def writing(
    name: str,
    meanwhile: Callable[[Told[Counted]], object] = lambda _told: None,
    hears: type[Event] = Counted,
) -> InShop[Any]:
    """A subscriber that writes down what it was told; then something may happen or fail."""

    def act(session: TenantSession, told: Told[Counted]) -> None:
        append_event(session, name, {"number": told.event.number}, datetime.now(UTC))
        meanwhile(told)

    return InShop(name, hears, act)


def count(
    database: Database, shop: TenantSchema, *numbers: int, clock: Clock | None = None
) -> None:
    """Record these, in one transaction of the shop."""
    recorder = OutboxRecorder(clock or SystemClock())
    with database.tenant(shop) as session:
        for number in numbers:
            recorder.record(session, Counted(number))


def written_by(database: Database, name: str, shop: TenantSchema) -> list[int]:
    """What this subscriber has written in this shop, in the order of its commits."""
    with database.platform() as session:
        return list(
            session.scalars(
                text(
                    "SELECT CAST(payload->>'number' AS bigint) FROM public.shop_events"
                    " WHERE kind = :name AND tenant_id = :shop ORDER BY sequence"
                ),
                {"name": name, "shop": shop.tenant_id},
            )
        )


def standing(database: Database) -> list[tuple[int, str, str, int, str | None]]:
    """Every delivery: event, subscriber, state, attempts, code of its problem."""
    with database.platform() as session:
        found = OutboxReviewRepository(session).deliveries(DeliveryFilter(state=None), 10_000)
        return [
            (each.event_id, each.subscriber, each.state.value, each.attempts, each.problem_code)
            for each, _event in found
        ]
