"""Events on their way to subscribers: recorded, routed, held by a relay, settled.

Locks are taken in one order: a stream, then its delivery. A subscriber's transaction takes the
delivery alone.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, and_, delete, func, insert, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from models.accounts.outbox import (
    ROUTING_LOCK,
    DeliveryState,
    OutboxDelivery,
    OutboxEvent,
    OutboxStream,
)
from shared.database import PlatformSession
from shared.database.wake_ups import wake_relays_after

_EVENTS = cast(Table, OutboxEvent.__table__)
_DELIVERIES = cast(Table, OutboxDelivery.__table__)
_STREAMS = cast(Table, OutboxStream.__table__)
"""The tables themselves: what an entity's statement did to loaded rows is of no interest here."""


@dataclass(frozen=True, slots=True)
class StreamKey:
    """One shop's events on their way to one subscriber."""

    tenant_id: int
    subscriber: str


@dataclass(frozen=True, slots=True)
class HeldStream:
    """A stream that a relay works on until its lease runs out."""

    key: StreamKey
    lease_id: UUID


@dataclass(frozen=True, slots=True)
class HeadOfStream:
    """The first pending event of a stream."""

    event: OutboxEvent
    attempts: int


@dataclass(frozen=True, slots=True)
class Due:
    """What a look found."""

    unrouted: bool
    streams: bool


def record_event(
    session: PlatformSession,
    tenant_id: int,
    kind: str,
    version: int,
    payload: dict[str, Any],
    at: datetime,
) -> None:
    """Store an event: one statement, no lock. The commit wakes sleeping relays."""
    # Inline: a shop may write events and not read them, not even the number it was given.
    session.execute(
        insert(_EVENTS)
        .values(tenant_id=tenant_id, kind=kind, version=version, payload=payload, recorded_at=at)
        .inline()
    )
    wake_relays_after(session)


class OutboxRelayRepository:
    """What a relay asks and writes between deliveries."""

    def __init__(self, session: PlatformSession) -> None:
        self._session = session

    def look(self, kinds: Collection[str], subscribers: Collection[str], now: datetime) -> Due:
        """Whether there is anything to do: one query, whatever the number of shops."""
        unrouted = select(_EVENTS.c.id).where(_unrouted(kinds)).exists()
        streams = select(_STREAMS.c.tenant_id).where(_is_due(subscribers, now)).exists()
        return Due(*self._session.execute(select(unrouted, streams)).one())

    def may_route(self) -> bool:
        """Whether nobody else routes; from then on nobody does until the commit."""
        asked = text("SELECT pg_try_advisory_xact_lock(:lock)")
        return bool(self._session.scalar(asked, {"lock": ROUTING_LOCK}))

    def unrouted(self, kinds: Collection[str], limit: int) -> Sequence[tuple[int, int, str]]:
        """Number, shop and kind of events without deliveries, in the order of recording."""
        columns = (_EVENTS.c.id, _EVENTS.c.tenant_id, _EVENTS.c.kind)
        rows = self._session.execute(
            select(*columns).where(_unrouted(kinds)).order_by(_EVENTS.c.id).limit(limit)
        )
        return [(number, tenant_id, kind) for number, tenant_id, kind in rows]

    def route(
        self, events: Collection[int], deliveries: Iterable[tuple[int, StreamKey]], now: datetime
    ) -> None:
        """Make the deliveries of these events, and their streams due."""
        rows = list(deliveries)
        if rows:
            new = {"state": DeliveryState.PENDING, "attempts": 0}
            self._session.execute(
                insert(_DELIVERIES),
                [{"event_id": number, **_key(stream), **new} for number, stream in rows],
            )
            self.make_due({stream for _, stream in rows}, now)
        self._session.execute(update(_EVENTS).where(_EVENTS.c.id.in_(events)).values(routed_at=now))

    def make_due(self, streams: Collection[StreamKey], at: datetime) -> None:
        """Let relays look at these streams at `at` or earlier; the commit wakes them."""
        ordered = sorted(streams, key=lambda each: (each.tenant_id, each.subscriber))
        statement = upsert(_STREAMS).values([{**_key(each), "due_at": at} for each in ordered])
        self._session.execute(
            statement.on_conflict_do_update(
                index_elements=[_STREAMS.c.tenant_id, _STREAMS.c.subscriber],
                set_={"due_at": func.least(_STREAMS.c.due_at, statement.excluded.due_at)},
            )
        )
        wake_relays_after(self._session)

    def hold_next(
        self, subscribers: Collection[str], lease_id: UUID, now: datetime, until: datetime
    ) -> HeldStream | None:
        """Take the stream that has been due longest and that nobody works on."""
        longest = (
            select(_STREAMS.c.tenant_id, _STREAMS.c.subscriber)
            .where(_is_due(subscribers, now))
            .order_by(_STREAMS.c.due_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        found = self._session.execute(longest).one_or_none()
        if found is None:
            return None
        key = StreamKey(*found)
        self._session.execute(
            update(_STREAMS).where(_is(key)).values(leased_until=until, lease_id=lease_id)
        )
        return HeldStream(key, lease_id)

    def keep(self, held: HeldStream, until: datetime) -> bool:
        """Lock the stream until the commit and hold it on; False when somebody else has it."""
        kept = self._session.scalar(
            update(_STREAMS)
            .where(_is_held(held))
            .values(leased_until=until)
            .returning(_STREAMS.c.tenant_id)
        )
        return kept is not None

    def let_go(self, held: HeldStream, due_at: datetime) -> None:
        """Let anybody take the stream at `due_at`."""
        self._session.execute(
            update(_STREAMS)
            .where(_is_held(held))
            .values(due_at=due_at, leased_until=None, lease_id=None)
        )

    def end(self, held: HeldStream) -> None:
        """Nothing is pending any more: no stream until the next event."""
        self._session.execute(delete(_STREAMS).where(_is_held(held)))

    def first_pending(self, key: StreamKey) -> int | None:
        """Number of the earliest event that this stream still has to deliver."""
        return self._session.scalar(
            select(_DELIVERIES.c.event_id)
            .where(
                _DELIVERIES.c.tenant_id == key.tenant_id,
                _DELIVERIES.c.subscriber == key.subscriber,
                _DELIVERIES.c.state == DeliveryState.PENDING,
            )
            .order_by(_DELIVERIES.c.event_id)
            .limit(1)
        )

    def begin(self, key: StreamKey, event_id: int) -> HeadOfStream | None:
        """Count an attempt; None while somebody else is in the middle of one, or has ended it."""
        if not lock_pending(self._session, key, event_id):
            return None
        attempts = self._session.scalar(
            update(_DELIVERIES)
            .where(_is_delivery(key, event_id))
            .values(attempts=_DELIVERIES.c.attempts + 1)
            .returning(_DELIVERIES.c.attempts)
        )
        event = self._session.get(OutboxEvent, event_id)
        assert event is not None, "a delivery goes with its event"
        return HeadOfStream(event, attempts or 0)

    def uncount(self, key: StreamKey, event_id: int) -> None:
        """The attempt that was begun did not come to anything."""
        self._session.execute(
            update(_DELIVERIES)
            .where(_is_delivery(key, event_id), _DELIVERIES.c.attempts > 0)
            .values(attempts=_DELIVERIES.c.attempts - 1)
        )

    def note_failure(
        self, key: StreamKey, event_id: int, code: str, detail: str, parked_at: datetime | None
    ) -> None:
        """Write down why it failed, and that it is tried no more where `parked_at` is given."""
        values: dict[str, Any] = {"problem_code": code, "problem_detail": detail}
        if parked_at is not None:
            values |= {"state": DeliveryState.PARKED, "settled_at": parked_at}
        self._session.execute(
            update(_DELIVERIES)
            .where(_is_delivery(key, event_id), _DELIVERIES.c.state == DeliveryState.PENDING)
            .values(**values)
        )


def lock_pending(session: PlatformSession, key: StreamKey, event_id: int) -> bool:
    """Lock a delivery until the commit; False when somebody else has it, or it is settled."""
    found = session.scalar(
        select(_DELIVERIES.c.event_id)
        .where(_is_delivery(key, event_id), _DELIVERIES.c.state == DeliveryState.PENDING)
        .with_for_update(skip_locked=True)
    )
    return found is not None


def mark_delivered(session: PlatformSession, key: StreamKey, event_id: int, at: datetime) -> None:
    """In the transaction in which the subscriber did what it does."""
    session.execute(
        update(_DELIVERIES)
        .where(_is_delivery(key, event_id))
        .values(
            state=DeliveryState.DELIVERED, settled_at=at, problem_code=None, problem_detail=None
        )
    )


def _key(stream: StreamKey) -> dict[str, Any]:
    return {"tenant_id": stream.tenant_id, "subscriber": stream.subscriber}


def _unrouted(kinds: Collection[str]) -> Any:
    return and_(_EVENTS.c.routed_at.is_(None), _EVENTS.c.kind.in_(kinds))


def _is_due(subscribers: Collection[str], now: datetime) -> Any:
    return and_(
        _STREAMS.c.subscriber.in_(subscribers),
        _STREAMS.c.due_at <= now,
        or_(_STREAMS.c.leased_until.is_(None), _STREAMS.c.leased_until <= now),
    )


def _is(key: StreamKey) -> Any:
    return and_(_STREAMS.c.tenant_id == key.tenant_id, _STREAMS.c.subscriber == key.subscriber)


def _is_held(held: HeldStream) -> Any:
    return and_(_is(held.key), _STREAMS.c.lease_id == held.lease_id)


def _is_delivery(key: StreamKey, event_id: int) -> Any:
    return and_(
        _DELIVERIES.c.event_id == event_id,
        _DELIVERIES.c.subscriber == key.subscriber,
        _DELIVERIES.c.tenant_id == key.tenant_id,
    )
