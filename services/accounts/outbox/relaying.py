"""Relays events to subscribers: at least once each, with an effect of once in the database.

Any number of relays share the work. One at a time routes new events: makes their deliveries, in
the order of recording. A stream, one shop's events to one subscriber, is held by one relay, which
delivers them in that order; a relay that dies is followed by another when its lease is over.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog

from models.accounts.outbox import NO_TENANT
from repositories.accounts.outbox import (
    HeadOfStream,
    HeldStream,
    OutboxRelayRepository,
    StreamKey,
    lock_pending,
    mark_delivered,
)
from services.accounts.outbox.events import EventNotUnderstood, read
from services.accounts.outbox.subscribing import InShop, Subscriptions, Told
from shared.backoff import full_jitter
from shared.clock import Clock
from shared.database import Database, TenantSchema
from shared.errors import ShopBeingUpgraded, StoflowError, TenantUnavailable
from shared.ids import new_uuid

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)
"""Renewed at each event; longer than any statement may take."""

MAX_ATTEMPTS = 10
BACKOFF_BASE = timedelta(seconds=2)
BACKOFF_CAP = timedelta(minutes=10)
"""Nine waits of at most 2, 4 … 512 s: an event is parked within 17 minutes, about 9 on average."""

ELSEWHERE_PAUSE = timedelta(seconds=1)
"""When a relay that lost its lease is still in the middle of the event."""
UPGRADE_PAUSE = timedelta(seconds=30)
CLOSED_PAUSE = timedelta(minutes=15)
"""After which a shop that is closed is looked at again; costs no attempt."""

ROUTED_AT_ONCE = 500
DELIVERED_AT_ONCE = 50
"""Of one stream, before others have their turn."""

_LONGEST_DETAIL = 500


class RelayWatch(Protocol):
    """Told of what this relay did."""

    def event_delivered(self, subscriber: str, lag: timedelta) -> None:
        """Delivered `lag` after it was recorded."""
        ...

    def delivery_failed(self, subscriber: str, *, parked: bool) -> None:
        """An attempt failed; `parked`: and was the last."""
        ...


@dataclass(frozen=True, slots=True)
class _Failure:
    code: str
    detail: str
    again_after: timedelta | None = None
    """The shop is closed: no failure of the subscriber, and not counted."""


_RELAYS_DIED = _Failure("relays-died", "Its relay's process died in the middle of it each time.")


class OutboxRelay:
    """Safe to share between threads and processes. Opens its own short transactions."""

    def __init__(
        self, database: Database, subscriptions: Subscriptions, clock: Clock, watch: RelayWatch
    ) -> None:
        self._database = database
        self._subscriptions = subscriptions
        self._clock = clock
        self._watch = watch

    def turn(self, go_on: Callable[[], bool] = lambda: True) -> bool:
        """Route what is new and work on one stream; False when there was nothing to do.

        `go_on` is asked between two events.
        """
        now = self._clock.now()
        with self._database.platform() as session:
            due = OutboxRelayRepository(session).look(
                self._subscriptions.kinds, self._subscriptions.names, now
            )
        routed = self._route() if due.unrouted else 0
        held = self._hold_next() if routed or due.streams else None
        if held is not None:
            self._work_on(held, go_on)
        return bool(routed) or held is not None

    def _route(self) -> int:
        """Returns how many events were routed; 0 also when somebody else is routing."""
        with self._database.platform() as session:
            outbox = OutboxRelayRepository(session)
            if not outbox.may_route():
                return 0
            found = outbox.unrouted(self._subscriptions.kinds, ROUTED_AT_ONCE)
            deliveries = [
                (number, StreamKey(tenant_id, name))
                for number, tenant_id, kind in found
                for name in self._subscriptions.of(kind)
            ]
            if found:
                numbers = [number for number, _, _ in found]
                outbox.route(numbers, deliveries, self._clock.now())
            return len(found)

    def _hold_next(self) -> HeldStream | None:
        now = self._clock.now()
        with self._database.platform() as session:
            return OutboxRelayRepository(session).hold_next(
                self._subscriptions.names, new_uuid(), now, now + LEASE
            )

    def _work_on(self, held: HeldStream, go_on: Callable[[], bool]) -> None:
        for _ in range(DELIVERED_AT_ONCE):
            if not go_on():
                break
            head = self._begin(held)
            if head is None or not self._follow(held, head):
                return
        with self._database.platform() as session:
            OutboxRelayRepository(session).let_go(held, self._clock.now())

    def _begin(self, held: HeldStream) -> HeadOfStream | None:
        """The next event of the stream, counted; None: leave the stream, it is seen to."""
        now = self._clock.now()
        with self._database.platform() as session:
            outbox = OutboxRelayRepository(session)
            if not outbox.keep(held, now + LEASE):
                return None
            event_id = outbox.first_pending(held.key)
            if event_id is None:
                # The stream is locked: whoever routes the next event makes a new one.
                outbox.end(held)
                return None
            head = outbox.begin(held.key, event_id)
            if head is None:
                outbox.let_go(held, now + ELSEWHERE_PAUSE)
            return head

    def _follow(self, held: HeldStream, head: HeadOfStream) -> bool:
        context = {"event_id": head.event.id, "subscriber": held.key.subscriber}
        with structlog.contextvars.bound_contextvars(**context):
            if head.attempts > MAX_ATTEMPTS:
                self._settle_failure(held, head, _RELAYS_DIED)
                return False
            return self._attempt(held, head)

    def _attempt(self, held: HeldStream, head: HeadOfStream) -> bool:
        """Returns whether the stream may go on."""
        try:
            delivered = self._deliver(held.key, head)
        except Exception as error:
            self._settle_failure(held, head, _failure(error))
            return False
        if not delivered:
            with self._database.platform() as session:
                later = self._clock.now() + ELSEWHERE_PAUSE
                OutboxRelayRepository(session).let_go(held, later)
            return False
        self._watch.event_delivered(held.key.subscriber, self._clock.now() - head.event.recorded_at)
        return True

    def _deliver(self, key: StreamKey, head: HeadOfStream) -> bool:
        """Have the subscriber act, and say so in the same transaction; False: somebody else did."""
        row = head.event
        subscription = self._subscriptions.find(row.kind, key.subscriber)
        tenant = None if row.tenant_id == NO_TENANT else TenantSchema(row.tenant_id)
        told: Told[Any] = Told(
            read(subscription.hears, row.version, row.payload), row.id, tenant, row.recorded_at
        )
        if isinstance(subscription, InShop):
            if tenant is None:
                raise EventNotUnderstood(f"{row.kind} was recorded of no shop.")
            with self._database.tenant(tenant) as session:
                if not lock_pending(session, key, row.id):
                    return False
                subscription.act(session, told)
                mark_delivered(session, key, row.id, self._clock.now())
            return True
        with self._database.platform() as shared:
            if not lock_pending(shared, key, row.id):
                return False
            subscription.act(shared, told)
            mark_delivered(shared, key, row.id, self._clock.now())
        return True

    def _settle_failure(self, held: HeldStream, head: HeadOfStream, failure: _Failure) -> None:
        now = self._clock.now()
        with self._database.platform() as session:
            outbox = OutboxRelayRepository(session)
            if not outbox.keep(held, now):
                # Too slow: whoever holds the stream now tries again, or has done.
                return
            if failure.again_after is not None:
                outbox.uncount(held.key, head.event.id)
                outbox.let_go(held, now + failure.again_after)
                return
            parked = head.attempts >= MAX_ATTEMPTS
            outbox.note_failure(
                held.key, head.event.id, failure.code, failure.detail, now if parked else None
            )
            outbox.let_go(held, now if parked else _next_try(head.attempts, now))
        if parked:
            log.error("outbox.event_parked", kind=head.event.kind, problem=failure.code)
        self._watch.delivery_failed(held.key.subscriber, parked=parked)


def _next_try(failures: int, now: datetime) -> datetime:
    return now + full_jitter(failures, BACKOFF_BASE, BACKOFF_CAP)


def _failure(error: Exception) -> _Failure:
    """What may be written down of an error: codes and our own sentences, no values."""
    match error:
        case ShopBeingUpgraded():
            return _Failure(error.code, error.detail, UPGRADE_PAUSE)
        case TenantUnavailable():
            return _Failure(error.code, error.detail, CLOSED_PAUSE)
        case StoflowError():
            log.warning("outbox.delivery_failed", problem=error.code)
            return _Failure(error.code, error.detail[:_LONGEST_DETAIL])
        case _:
            log.exception("outbox.delivery_failed")
            return _Failure("internal-error", type(error).__name__)
