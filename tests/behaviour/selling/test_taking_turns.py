"""Who runs when: lanes, priorities, turns between shops, and waits that cost no thread."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from threading import Event
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from backend.metrics import Meters
from backend.worker import Worker
from models.accounts.tenants import Lane
from models.selling.publishing import Channel, JobAction, JobStatus, MarketplaceJob
from repositories.selling.publishing import JobFilter, JobRepository
from services.selling.publishing.handlers import Journal, Parked, Problem, Retry, Snooze
from services.selling.publishing.lease import LeaseKeeper
from services.selling.publishing.processor import MarketplaceJobProcessor
from services.selling.publishing.transitions import BACKOFF_CAP, backoff
from shared.clock import Clock, MovableClock, SystemClock
from shared.database import Database, TenantSchema
from tests.factories.selling import make_job
from tests.fakes.handlers import ScriptedHandler

FEW = settings(max_examples=15, deadline=None, database=None)


def processor_of(database: Database, clock: Clock, handler: Any) -> MarketplaceJobProcessor:
    table = {(Channel.EBAY, action): handler for action in JobAction}
    leases = LeaseKeeper(database, clock, timedelta(seconds=60))
    return MarketplaceJobProcessor(database, table, leases, clock, "worker-1")


def start_over(database: Database, *shops: TenantSchema) -> None:
    for shop in shops:
        with database.tenant(shop) as session:
            for table in ("job_steps", "marketplace_jobs"):
                session.execute(text(f"DELETE FROM {table}"))
            session.execute(text("DELETE FROM public.tenant_bells"))


def test_a_lane_runs_by_priority_and_then_first_come_first_served(
    database: Database, tenant: TenantSchema, clock: MovableClock
) -> None:
    """X3, ST29: whatever was asked for in whatever order; the other lane is not touched."""
    asked = st.lists(st.tuples(st.sampled_from(Lane), st.integers(1, 3)), min_size=1, max_size=8)

    @FEW
    @given(asked, st.sampled_from(Lane))
    def in_order(wishes: list[tuple[Lane, int]], lane: Lane) -> None:
        start_over(database, tenant)
        handler = ScriptedHandler()
        with database.tenant(tenant) as session:
            jobs = [
                (wanted, priority, make_job(session, clock, lane=wanted, priority=priority).id)
                for wanted, priority in wishes
            ]
        processor = processor_of(database, clock, handler)
        while processor.process_next_job(lane):
            pass
        mine = sorted((priority, job_id) for wanted, priority, job_id in jobs if wanted is lane)
        assert handler.performed == [job_id for _, job_id in mine]

    in_order()


def test_no_shop_gets_a_second_turn_while_another_waits_for_its_first(
    database: Database, make_tenant: Callable[[], TenantSchema], clock: MovableClock
) -> None:
    """G5, G10: however long the queues are."""
    shops = [make_tenant() for _ in range(3)]

    @FEW
    @given(st.lists(st.integers(0, 5), min_size=3, max_size=3))
    def fair(queues: list[int]) -> None:
        start_over(database, *shops)
        for shop, length in zip(shops, queues, strict=True):
            with database.tenant(shop) as session:
                for _ in range(length):
                    make_job(session, clock)
            clock.advance(timedelta(milliseconds=1))
        handler = ScriptedHandler(
            acts=[lambda command, journal: clock.advance(timedelta(seconds=1)) or {}]
        )
        processor, left = (
            processor_of(database, clock, handler),
            dict(zip(shops, queues, strict=True)),
        )
        order: list[TenantSchema] = []
        while (done := processor.process_next_job(Lane.BULK)) is not None:
            shop = done.lease.tenant
            others = {each for each, number in left.items() if number and each != shop}
            if shop in order:
                last = len(order) - 1 - order[::-1].index(shop)
                assert others <= set(order[last + 1 :])
            order.append(shop)
            left[shop] -= 1
        assert Counter(order) == {shop: n for shop, n in zip(shops, queues, strict=True) if n}

    fair()


class Waits:
    """Every job of the first kind waits in its own way; the others are done at once."""

    def __init__(self, clock: Clock, waiting: set[int]) -> None:
        self._clock, self._waiting = clock, waiting

    def prepare(self, session: Any, job: MarketplaceJob) -> Any:
        later = self._clock.now() + timedelta(hours=1)
        if job.id in self._waiting and job.id % 3 == 0:
            return Snooze(later, "the seller to sign in")
        if job.id in self._waiting and job.id % 3 == 1:
            return Retry(Problem("busy", "The channel is busy."), timedelta(hours=1))
        return job.id

    def perform(self, command: int, journal: Journal) -> "dict[str, Any] | Parked":
        if command in self._waiting:
            return Parked(self._clock.now() + timedelta(hours=1), "the browser")
        return {}

    def record(self, session: Any, job: MarketplaceJob, result: dict[str, Any]) -> Any:
        return ScriptedHandler().record(session, job, result)


class NothingPlanned:
    """A scheduler without ticks."""

    def start(self) -> None:
        pass

    def ask_to_stop(self) -> None:
        pass

    def wait(self, grace: timedelta) -> None:
        pass


def worker_of(processor: MarketplaceJobProcessor) -> Worker:
    return Worker(
        processor,
        [],
        cast(Any, NothingPlanned()),
        Meters(CollectorRegistry()),
        threads=1,
        poll=timedelta(milliseconds=20),
    )


def work_until(worker: Worker, happened: Callable[[], bool]) -> None:
    worker.start()
    try:
        for _ in range(3000):
            if happened():
                return
            Event().wait(0.02)
        raise AssertionError("it did not happen")
    finally:
        worker.stop(timedelta(seconds=60))


def statuses(database: Database, shop: TenantSchema) -> Counter[JobStatus]:
    with database.tenant(shop) as session:
        return Counter(job.status for job in JobRepository(session).page(JobFilter(), None, 200))


def test_fifty_waiting_jobs_leave_the_only_thread_free(
    database: Database, tenant: TenantSchema
) -> None:
    """D5, D7, B5: snoozed, parked and told to wait for an hour; nothing sleeps in a thread."""
    clock = SystemClock()
    with database.tenant(tenant) as session:
        waiting = {make_job(session, clock, priority=1).id for _ in range(50)}
        for _ in range(5):
            make_job(session, clock, priority=2)
    worker = worker_of(processor_of(database, clock, Waits(clock, waiting)))
    work_until(worker, lambda: statuses(database, tenant)[JobStatus.DONE] == 5)
    assert statuses(database, tenant).total() == 55
    assert statuses(database, tenant)[JobStatus.RUNNING] == 0
    with database.tenant(tenant) as session:
        jobs = JobRepository(session).page(JobFilter(), None, 200)
    assert all(job.waiting_for for job in jobs if job.id in waiting)


def test_a_worker_of_one_thread_serves_the_realtime_lane_first(
    database: Database, tenant: TenantSchema, other_tenant: TenantSchema
) -> None:
    """G5: a delisting waits for the job that runs, never for the batch behind it."""
    clock, handler = SystemClock(), ScriptedHandler()
    order: list[Lane] = []
    handler.when_prepared = lambda session, job: order.append(job.lane)  # type: ignore[assignment, return-value, func-returns-value]
    for shop in (tenant, other_tenant):
        with database.tenant(shop) as session:
            for _ in range(5):
                make_job(session, clock)
            make_job(session, clock, lane=Lane.REALTIME, action=JobAction.DELETE, priority=500)
    worker = worker_of(processor_of(database, clock, handler))
    work_until(worker, lambda: len(order) == 12)
    assert order == [Lane.REALTIME] * 2 + [Lane.BULK] * 10


@given(st.integers(1, 60), st.timedeltas(timedelta(seconds=2), timedelta(days=1)))
def test_a_wait_lies_between_nothing_and_twice_the_last_limit(
    failures: int, cap: timedelta
) -> None:
    """C8: 2, 4, 8 … seconds, at most the cap; no overflow however often it failed."""
    limit = min(timedelta(seconds=2 ** min(failures, 40)), cap)
    assert timedelta(0) <= backoff(failures, cap) <= limit


def test_waits_are_spread_over_the_whole_of_their_range() -> None:
    """C8: full jitter, so that jobs that failed together do not come back together."""
    dice = random.getstate()
    random.seed(7)
    waits = [backoff(20) / BACKOFF_CAP for _ in range(4000)]
    random.setstate(dice)
    quarters = Counter(int(wait * 4) for wait in waits)
    assert set(quarters) == {0, 1, 2, 3}
    assert all(abs(number - 1000) < 150 for number in quarters.values())
