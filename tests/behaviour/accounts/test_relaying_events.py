"""Events reach every subscriber, once, in order; those that cannot are parked and seen."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from models.accounts.outbox import NO_TENANT, OutboxEvent
from models.accounts.tenants import TenantStatus
from repositories.accounts.outbox import record_event
from repositories.accounts.outbox_review import OutboxReviewRepository
from repositories.accounts.tenants import TenantRepository
from services.accounts.outbox.events import Event, EventNotUnderstood, read, written
from services.accounts.outbox.forgetting import KEPT, OutboxForgetting
from services.accounts.outbox.recording import OutboxRecorder
from services.accounts.outbox.relaying import (
    BACKOFF_CAP,
    CLOSED_PAUSE,
    DELIVERED_AT_ONCE,
    LEASE,
    MAX_ATTEMPTS,
    OutboxRelay,
)
from services.accounts.outbox.subscribing import InShop, OnPlatform, Subscriptions, Told
from shared.clock import MovableClock
from shared.database import Database, PlatformSession, TenantSchema
from shared.errors import Conflict
from tests.fakes.subscribers import Counted, NotedDeliveries, count, standing, writing, written_by

LONGEST_RETRYING = BACKOFF_CAP * MAX_ATTEMPTS

Relaying = Callable[..., OutboxRelay]


class Killed(BaseException):
    """The process ends here, as far as the relay can tell."""


@pytest.fixture
def watch() -> NotedDeliveries:
    return NotedDeliveries()


@pytest.fixture
def relaying(database: Database, clock: MovableClock, watch: NotedDeliveries) -> Relaying:
    """A relay of another process, with these subscriptions."""

    def relay(*table: Any) -> OutboxRelay:
        return OutboxRelay(database, Subscriptions(table), clock, watch)

    return relay


def work(relay: OutboxRelay, clock: MovableClock, span: timedelta = timedelta(0)) -> None:
    """Let it turn until there is nothing to do, again and again until `span` is over."""
    until = clock.now() + span
    while relay.turn():
        pass
    while clock.now() < until:
        clock.advance(min(BACKOFF_CAP, until - clock.now()))
        while relay.turn():
            pass


def events(database: Database) -> list[OutboxEvent]:
    with database.platform() as session:
        return list(session.query(OutboxEvent).order_by(OutboxEvent.id))


def failing(*numbers: int) -> Callable[[Told[Counted]], object]:
    def fail(told: Told[Counted]) -> None:
        if told.event.number in numbers:
            raise ValueError("the token is s3cret")

    return fail


# --- recording


def test_an_event_is_there_when_its_transaction_commits_and_never_else(
    database: Database, tenant: TenantSchema, clock: MovableClock
) -> None:
    """STYLE 5: written in the caller's transaction."""
    count(database, tenant, 7, clock=clock)
    with database.tenant_session(tenant) as session:
        OutboxRecorder(clock).record(session, Counted(8))
        session.rollback()
    [event] = events(database)
    assert (event.tenant_id, event.kind, event.version) == (tenant.tenant_id, "counted", 1)
    assert (event.payload, event.recorded_at) == ({"number": 7}, clock.now())


def test_a_shop_writes_events_of_its_own_and_reads_none(
    database: Database, tenant: TenantSchema, other_tenant: TenantSchema, clock: MovableClock
) -> None:
    """ST14, F9: row-level security, whatever the statement says."""
    count(database, other_tenant, 1, clock=clock)
    for number in (other_tenant.tenant_id, NO_TENANT):
        with (
            pytest.raises(ProgrammingError, match="row-level security"),
            database.tenant(tenant) as session,
        ):
            record_event(session, number, "counted", 1, {"number": 2}, clock.now())
    for statement in (
        "SELECT payload FROM public.outbox_events",
        "DELETE FROM public.outbox_events",
        "SELECT * FROM public.outbox_streams",
        "INSERT INTO public.outbox_deliveries (event_id) VALUES (1)",
        "SELECT setval('public.outbox_events_id_seq', 1)",
    ):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            database.tenant(tenant) as session,
        ):
            session.execute(text(statement))
    assert [each.tenant_id for each in events(database)] == [other_tenant.tenant_id]


# --- delivering


def test_every_subscriber_is_told_once_in_the_order_of_recording(
    database: Database,
    tenant: TenantSchema,
    other_tenant: TenantSchema,
    clock: MovableClock,
    relaying: Relaying,
    watch: NotedDeliveries,
) -> None:
    """X: two subscribers, two shops, events of one and of several transactions."""
    count(database, tenant, 1, 2, clock=clock)
    count(database, other_tenant, 10, clock=clock)
    count(database, tenant, 3, clock=clock)
    for _ in range(2):
        work(relaying(writing("a"), writing("b")), clock)
    for name in ("a", "b"):
        assert written_by(database, name, tenant) == [1, 2, 3]
        assert written_by(database, name, other_tenant) == [10]
    assert {each[2:] for each in standing(database)} == {("delivered", 1, None)}
    assert sorted(watch.delivered) == ["a"] * 4 + ["b"] * 4


def test_a_long_stream_lets_others_have_their_turn(
    database: Database,
    tenant: TenantSchema,
    other_tenant: TenantSchema,
    clock: MovableClock,
    relaying: Relaying,
) -> None:
    numbers = range(DELIVERED_AT_ONCE + 2)
    count(database, tenant, *numbers, clock=clock)
    count(database, other_tenant, 1, clock=clock)
    relay = relaying(writing("a", lambda _told: clock.advance(timedelta(milliseconds=1))))
    for _ in range(2):
        relay.turn()
    assert len(written_by(database, "a", tenant)) == DELIVERED_AT_ONCE
    assert written_by(database, "a", other_tenant) == [1]
    work(relay, clock)
    assert written_by(database, "a", tenant) == list(numbers)


def test_what_a_failing_subscriber_wrote_is_gone_and_the_others_are_not_disturbed(
    database: Database,
    tenant: TenantSchema,
    other_tenant: TenantSchema,
    clock: MovableClock,
    relaying: Relaying,
    watch: NotedDeliveries,
) -> None:
    """It is tried again after a while, and what comes after it waits, in this shop alone."""
    table = (writing("bad", failing(1)), writing("good"))
    count(database, tenant, 1, 2, clock=clock)
    count(database, other_tenant, 1, 3, clock=clock)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("services.accounts.outbox.relaying.full_jitter", lambda *_: LEASE)
        work(relaying(*table), clock)
        assert written_by(database, "bad", tenant) == []
        assert written_by(database, "good", tenant) == [1, 2]
        assert written_by(database, "good", other_tenant) == [1, 3]
        clock.advance(LEASE - timedelta(seconds=1))
        assert not relaying(*table).turn()
        clock.advance(timedelta(seconds=1))
        work(relaying(writing("bad"), writing("good")), clock)
    assert written_by(database, "bad", tenant) == [1, 2]
    assert written_by(database, "good", tenant) == [1, 2]
    assert watch.failed == [("bad", False)] * 2


def test_poison_is_parked_and_seen_while_everything_else_goes_on(
    database: Database,
    tenant: TenantSchema,
    other_tenant: TenantSchema,
    clock: MovableClock,
    relaying: Relaying,
    watch: NotedDeliveries,
) -> None:
    """After ten attempts; written down is what kind of error it was, not what it said."""
    relay = relaying(writing("a", failing(2)))
    count(database, tenant, 1, 2, 3, clock=clock)
    work(relay, clock)
    count(database, other_tenant, 4, clock=clock)
    work(relay, clock)
    assert written_by(database, "a", other_tenant) == [4]
    assert written_by(database, "a", tenant) == [1]
    work(relay, clock, LONGEST_RETRYING)
    assert written_by(database, "a", tenant) == [1, 3]
    parked = [each for each in standing(database) if each[2] == "parked"]
    assert [each[1:] for each in parked] == [("a", "parked", MAX_ATTEMPTS, "internal-error")]
    assert watch.failed == [("a", False)] * (MAX_ATTEMPTS - 1) + [("a", True)]
    with database.platform() as session:
        said = session.scalars(text("SELECT d::text FROM public.outbox_deliveries d")).all()
    assert [each for each in said if "s3cret" in each] == []
    assert "ValueError" in "".join(said)


def test_an_expected_failure_is_parked_under_its_own_code(
    database: Database, tenant: TenantSchema, clock: MovableClock, relaying: Relaying
) -> None:
    def refuse(_told: object) -> None:
        raise Conflict("There is one already.")

    count(database, tenant, 1, clock=clock)
    work(relaying(writing("a", refuse)), clock, LONGEST_RETRYING)
    assert [each[2:] for each in standing(database)] == [("parked", MAX_ATTEMPTS, "conflict")]


def test_a_closed_shop_is_waited_for_and_costs_no_attempt(
    database: Database, tenant: TenantSchema, clock: MovableClock, relaying: Relaying
) -> None:
    """Whoever does not need the shop to be open is told at once."""
    heard: list[int] = []

    def hear(_session: PlatformSession, told: Told[Counted]) -> None:
        assert told.tenant == tenant
        heard.append(told.event.number)

    count(database, tenant, 1, clock=clock)
    set_status(database, tenant, TenantStatus.SUSPENDED, clock)
    relay = relaying(writing("a"), OnPlatform("b", Counted, hear))
    work(relay, clock, CLOSED_PAUSE * MAX_ATTEMPTS * 2)
    assert heard == [1]
    assert [each[1:4] for each in standing(database)] == [
        ("a", "pending", 0),
        ("b", "delivered", 1),
    ]
    set_status(database, tenant, TenantStatus.ACTIVE, clock)
    work(relay, clock, CLOSED_PAUSE)
    assert written_by(database, "a", tenant) == [1]


def set_status(
    database: Database, tenant: TenantSchema, status: TenantStatus, clock: MovableClock
) -> None:
    with database.platform() as session:
        TenantRepository(session).set_status(tenant, status, clock.now())


def test_an_event_of_the_installation_has_no_shop(
    database: Database, clock: MovableClock, relaying: Relaying
) -> None:
    heard: list[Told[Counted]] = []
    with database.platform() as session:
        OutboxRecorder(clock).record_about(session, None, Counted(5))
    work(relaying(OnPlatform("a", Counted, lambda _, told: heard.append(told))), clock)
    [told] = heard
    assert (told.event, told.tenant, told.recorded_at) == (Counted(5), None, clock.now())


# --- dying


def test_a_relay_that_dies_midway_leaves_nothing_half_done_and_is_followed(
    database: Database, tenant: TenantSchema, clock: MovableClock, relaying: Relaying
) -> None:
    """After its lease; the attempt counts."""

    def die(_told: object) -> None:
        raise Killed

    count(database, tenant, 1, 2, clock=clock)
    with pytest.raises(Killed):
        relaying(writing("a", die)).turn()
    assert written_by(database, "a", tenant) == []
    follower = relaying(writing("a"))
    clock.advance(LEASE - timedelta(seconds=1))
    assert not follower.turn()
    clock.advance(timedelta(seconds=1))
    work(follower, clock)
    assert written_by(database, "a", tenant) == [1, 2]
    assert [each[2:4] for each in standing(database)] == [("delivered", 2), ("delivered", 1)]


def test_an_event_that_kills_every_relay_is_parked(
    database: Database, tenant: TenantSchema, clock: MovableClock, relaying: Relaying
) -> None:
    def die(told: Told[Counted]) -> None:
        if told.event.number == 1:
            raise Killed

    count(database, tenant, 1, 2, clock=clock)
    relay = relaying(writing("a", die))
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(Killed):
            relay.turn()
        clock.advance(LEASE)
    work(relay, clock)
    assert written_by(database, "a", tenant) == [2]
    assert standing(database)[0][2:] == ("parked", MAX_ATTEMPTS + 1, "relays-died")


def test_a_relay_that_lost_its_lease_midway_is_not_overtaken(
    database: Database, tenant: TenantSchema, clock: MovableClock, relaying: Relaying
) -> None:
    """Neither is the effect repeated, nor does a later event come first."""
    other = relaying(writing("a"))

    def lose_the_lease(told: Told[Counted]) -> None:
        if told.event.number == 1:
            clock.advance(LEASE)
            assert other.turn()
            assert written_by(database, "a", tenant) == []

    count(database, tenant, 1, 2, clock=clock)
    slow = relaying(writing("a", lose_the_lease))
    slow.turn()
    assert written_by(database, "a", tenant) == [1]
    work(slow, clock, LEASE)
    assert written_by(database, "a", tenant) == [1, 2]


# --- versions


@dataclass(frozen=True, slots=True)
class Renamed(Event):
    """A later version of `counted`."""

    kind: ClassVar[str] = "counted"
    version: ClassVar[int] = 2

    number: int
    unit: str

    @classmethod
    def upgraded(cls, version: int, payload: dict[str, Any]) -> dict[str, Any]:
        return {**payload, "unit": "times"} if version == 1 else payload


def test_a_later_version_reads_what_an_earlier_one_wrote(
    database: Database, tenant: TenantSchema, clock: MovableClock, relaying: Relaying
) -> None:
    heard: list[Event] = []
    count(database, tenant, 1, clock=clock)
    table = InShop("a", Renamed, lambda _, told: heard.append(told.event))
    work(relaying(table), clock)
    assert heard == [Renamed(1, "times")]


def test_an_event_that_cannot_be_read_is_parked_without_its_values(
    database: Database, tenant: TenantSchema, clock: MovableClock, relaying: Relaying
) -> None:
    """One of a later version, and one that somebody damaged."""
    with database.tenant(tenant) as session:
        record_event(session, tenant.tenant_id, "counted", 2, {"number": 1}, clock.now())
        record_event(session, tenant.tenant_id, "counted", 1, {"number": "s3cret"}, clock.now())
    work(relaying(writing("a")), clock, LONGEST_RETRYING * 2)
    assert [each[2:] for each in standing(database)] == [
        ("parked", MAX_ATTEMPTS, "event-not-understood")
    ] * 2
    with database.platform() as session:
        said = session.scalars(
            text("SELECT problem_detail FROM public.outbox_deliveries ORDER BY event_id")
        ).all()
    assert said == ["counted of version 2 cannot be read.", "counted: number cannot be read."]


@pytest.mark.parametrize("payload", [{}, {"number": "1"}, {"number": 1, "more": 1}])
def test_a_payload_is_checked_strictly(payload: dict[str, Any]) -> None:
    with pytest.raises(EventNotUnderstood):
        read(Counted, 1, payload)


def test_what_was_written_is_read_back() -> None:
    assert read(Counted, 1, written(Counted(2**53 + 1))) == Counted(2**53 + 1)


def test_a_kind_that_nobody_here_knows_is_left_to_a_version_that_does(
    database: Database, tenant: TenantSchema, clock: MovableClock, relaying: Relaying
) -> None:
    """During a deployment; until then it is seen to wait."""
    with database.tenant(tenant) as session:
        record_event(session, tenant.tenant_id, "newer", 1, {}, clock.now())
    recorded_at = clock.now()
    work(relaying(writing("a")), clock, LEASE)
    with database.platform() as session:
        review = OutboxReviewRepository(session)
        assert review.due_since(clock.now()) == recorded_at
        assert [each.kind for each in review.unrouted(10)] == ["newer"]
    assert standing(database) == []


# --- forgetting


def test_relayed_events_are_forgotten_after_two_weeks_and_owed_ones_never(
    database: Database, tenant: TenantSchema, clock: MovableClock, relaying: Relaying
) -> None:
    count(database, tenant, 1, 2, clock=clock)
    work(relaying(writing("a", failing(2))), clock, LONGEST_RETRYING)
    count(database, tenant, 3, clock=clock)
    work(relaying(writing("a")), clock)
    clock.advance(KEPT - LONGEST_RETRYING)
    forgetting = OutboxForgetting(database, clock)
    assert forgetting.forget(lambda: None) == 0
    clock.advance(timedelta(seconds=1))
    assert forgetting.forget(lambda: None) == 1
    assert [each.payload["number"] for each in events(database)] == [2, 3]
    assert [each[2] for each in standing(database)] == ["parked", "delivered"]
