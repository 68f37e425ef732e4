"""Several relays at once, killed in the middle, and every event still has its effect once."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from random import Random

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from services.accounts.outbox.recording import OutboxRecorder
from services.accounts.outbox.relaying import BACKOFF_CAP, LEASE, OutboxRelay
from services.accounts.outbox.subscribing import Subscriptions, Told
from shared.clock import MovableClock, SystemClock
from shared.database import Database, TenantSchema
from tests.conftest import MakeTenant
from tests.fakes.subscribers import (
    Counted,
    NotedDeliveries,
    count,
    standing,
    writing,
    written_by,
)
from tests.waiting import until

pytestmark = pytest.mark.timeout(240)

SHOPS, EVENTS, KILLS, LEASE_S = 5, 200, 6, 1.0


def delivered(database: Database) -> int:
    with database.platform() as session:
        done = text("SELECT count(*) FROM public.outbox_deliveries WHERE state = 'delivered'")
        return session.scalar(done) or 0


@contextmanager
def a_relay(database: Database) -> Iterator["subprocess.Popen[bytes]"]:
    url = database.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.concurrency.relay_process", url, str(LEASE_S)]
    with subprocess.Popen(command) as process:
        try:
            yield process
        finally:
            process.kill()


def test_relays_that_are_killed_in_the_middle_lose_and_double_nothing(
    database: Database, make_tenant: MakeTenant
) -> None:
    """G1, G2: SIGKILL, six times, while events are recorded; order holds in each shop."""
    shops = [make_tenant() for _ in range(SHOPS)]
    random = Random(4)
    with a_relay(database):
        for number in range(EVENTS):
            count(database, random.choice(shops), number)
            if number % (EVENTS // KILLS) == 0:
                before = delivered(database)
                with a_relay(database):
                    until(lambda before=before: delivered(database) > before)  # type: ignore[misc]
        until(lambda: delivered(database) == 2 * EVENTS)
    for name in ("a", "b"):
        told = [written_by(database, name, shop) for shop in shops]
        assert sorted(chain(*told)) == list(range(EVENTS))
        assert told == [sorted(each) for each in told]


def test_relays_share_the_work_and_none_repeats_anothers(
    database: Database, make_tenant: MakeTenant
) -> None:
    """Six threads of relays, of a process each as far as the database can tell."""
    shops = [make_tenant() for _ in range(SHOPS)]
    for number in range(40):
        count(database, shops[number % SHOPS], number)
    watches = [NotedDeliveries() for _ in range(6)]
    together = threading.Barrier(len(watches))

    def relay(watch: NotedDeliveries) -> None:
        outbox = OutboxRelay(
            database, Subscriptions([writing("a"), writing("b")]), SystemClock(), watch
        )
        together.wait()
        until(lambda: not outbox.turn() and delivered(database) == 80)

    with ThreadPoolExecutor(len(watches)) as crowd:
        list(crowd.map(relay, watches))
    for name in ("a", "b"):
        for first, shop in enumerate(shops):
            assert written_by(database, name, shop) == list(range(first, 40, SHOPS))
    assert sum(len(watch.delivered) for watch in watches) == 80
    assert {each[2] for each in standing(database)} == {"delivered"}


def test_two_relays_at_the_same_event_have_one_effect(
    database: Database, tenant: TenantSchema, clock: MovableClock
) -> None:
    """The second comes while the first, whose lease ran out, is in the middle of it."""
    begun, go_on = threading.Event(), threading.Event()

    def wait(_told: object) -> None:
        begun.set()
        assert go_on.wait(60)

    count(database, tenant, 1, 2, clock=clock)
    slow = OutboxRelay(database, Subscriptions([writing("a", wait)]), clock, NotedDeliveries())
    quick = OutboxRelay(database, Subscriptions([writing("a")]), clock, NotedDeliveries())
    with ThreadPoolExecutor(1) as one:
        turn = one.submit(slow.turn)
        assert begun.wait(60)
        clock.advance(LEASE)
        assert quick.turn()
        assert written_by(database, "a", tenant) == []
        go_on.set()
        assert turn.result(60)
    clock.advance(LEASE)
    while quick.turn():
        pass
    assert written_by(database, "a", tenant) == [1, 2]


def test_an_event_that_is_recorded_while_a_stream_ends_is_not_forgotten(
    database: Database, tenant: TenantSchema
) -> None:
    """The end of a stream and the routing of its next event pass one after the other."""
    outbox = OutboxRelay(database, Subscriptions([writing("a")]), SystemClock(), NotedDeliveries())
    recording = threading.Event()

    def record() -> None:
        for number in range(60):
            count(database, tenant, number)
        recording.set()

    with ThreadPoolExecutor(2) as crowd:
        recorded = crowd.submit(record)
        crowd.submit(until, lambda: not outbox.turn() and recording.is_set(), 120).result()
        recorded.result()
    while outbox.turn():
        pass
    assert written_by(database, "a", tenant) == list(range(60))


Step = tuple[str, int]

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["record", "record", "roll back", "turn", "turn", "turn", "wait", "kill"]),
        st.integers(0, 1),
    ),
    max_size=25,
)


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def shops(tenant: TenantSchema, other_tenant: TenantSchema) -> list[TenantSchema]:
    return [tenant, other_tenant]


@dataclass
class House:
    """Two shops and two relays, and what must come of what is done to them."""

    database: Database
    clock: MovableClock
    shops: list[TenantSchema]
    failing: set[int]
    """Steps whose event fails once at each subscriber."""
    poison: set[int]
    committed: tuple[list[int], list[int]] = field(default_factory=lambda: ([], []))
    dying: bool = False
    _failed: set[tuple[str, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        table = Subscriptions([writing(name, partial(self._act, name)) for name in ("a", "b")])
        self._relays = [
            OutboxRelay(self.database, table, self.clock, NotedDeliveries()) for _ in range(2)
        ]

    def step(self, number: int, what: str, which: int) -> None:
        """Do it, to one of the two."""
        match what:
            case "record" | "roll back":
                self._record(which, number, commits=what == "record")
            case "turn":
                self._relays[which].turn()
            case "wait":
                self.clock.advance(LEASE)
            case _:
                self.dying = True
                with suppress(Killed):
                    self._relays[which].turn()
                self.dying = False

    def come_to_rest(self) -> None:
        """One relay goes on until it owes nobody anything."""
        while self._relays[0].turn() or "pending" in self.states():
            self.clock.advance(BACKOFF_CAP)

    def states(self) -> list[str]:
        return [state for _, _, state, *_ in standing(self.database)]

    def _record(self, which: int, number: int, *, commits: bool) -> None:
        with self.database.tenant_session(self.shops[which]) as session:
            OutboxRecorder(SystemClock()).record(session, Counted(number))
            if commits:
                session.commit()
                self.committed[which].append(number)

    def _act(self, name: str, told: Told[Counted]) -> None:
        number = told.event.number
        if self.dying:
            raise Killed
        if number in self.poison or (number in self.failing and (name, number) not in self._failed):
            self._failed.add((name, number))
            raise ValueError


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS, failing=st.sets(st.integers(0, 8)), poison=st.sets(st.integers(0, 4)))
@example(steps=[("record", 0), ("kill", 0), ("record", 0), ("turn", 1)], failing={1}, poison=set())
def test_whatever_happens_every_committed_event_is_told_once_in_order_or_parked(
    database: Database,
    clock: MovableClock,
    shops: list[TenantSchema],
    steps: list[Step],
    failing: set[int],
    poison: set[int],
) -> None:
    """A model of it: what was committed, less what is poison, in the order of recording."""
    forget_all(database)
    house = House(database, clock, shops, failing, poison)
    for number, (what, which) in enumerate(steps):
        house.step(number, what, which)
    house.come_to_rest()
    for shop, numbers in zip(shops, house.committed, strict=True):
        healthy = [number for number in numbers if number not in poison]
        for name in ("a", "b"):
            assert written_by(database, name, shop) == healthy
    all_committed = set(chain(*house.committed))
    expected = {"parked": all_committed & poison, "delivered": all_committed - poison}
    for state, told in expected.items():
        assert house.states().count(state) == 2 * len(told)


def forget_all(database: Database) -> None:
    tables = ("outbox_events", "outbox_deliveries", "outbox_streams")
    news = ("shop_events", "shop_event_counters")
    names = ", ".join(f"public.{each}" for each in (*tables, *news))
    with database.platform() as session:
        session.execute(text(f"TRUNCATE {names}"))
