"""Many jobs of one shop leave room for others, and many requests for one thing make one job."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.accounts.tenants import Lane
from models.selling.publishing import Channel, ChannelListing, JobAction, JobStatus, ListingStatus
from repositories.accounts.bells import BellRepository
from repositories.selling.publishing import (
    JobFilter,
    JobRepository,
    ListingRepository,
    RunningCaps,
)
from services.selling.publishing.handlers import Completed, Journal, Verdict
from services.selling.publishing.lease import LeaseKeeper
from services.selling.publishing.planning import Answer
from services.selling.publishing.processor import MarketplaceJobProcessor
from services.selling.publishing.requesting import WorkRequests
from shared.clock import Clock, MovableClock, SystemClock
from shared.database import Database, TenantSchema
from tests.conftest import MakeTenant
from tests.factories.selling import make_job, make_product
from tests.fakes.channels import OpinionatedChannel

THREADS = 16
CAPS = RunningCaps({Lane.REALTIME: 3, Lane.BULK: 2}, account=2)


def worker(
    database: Database, clock: Clock, handler: Any, caps: RunningCaps = CAPS
) -> MarketplaceJobProcessor:
    keeper = LeaseKeeper(database, clock, timedelta(seconds=60))
    table = {(channel, action): handler for channel in Channel for action in JobAction}
    return MarketplaceJobProcessor(database, table, keeper, clock, "worker", caps)


def together(number: int, act: Callable[[int], Any]) -> list[Any]:
    """Do it in so many threads at the same moment; what each returned or raised."""
    answers: list[Any] = [None] * number
    barrier = threading.Barrier(number)

    def run(place: int) -> None:
        barrier.wait()
        try:
            answers[place] = act(place)
        except Exception as error:
            answers[place] = error

    threads = [threading.Thread(target=run, args=(place,)) for place in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@dataclass
class Held:
    """A handler whose jobs stay in `perform` until they are let go."""

    started: list[tuple[str, int]] = field(default_factory=list)
    running: Counter[str] = field(default_factory=Counter)
    most: Counter[str] = field(default_factory=Counter)
    go: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def prepare(self, session: Any, job: Any) -> tuple[str, int, str]:
        return session.tenant.name, job.id, job.lane

    def perform(self, command: tuple[str, int, str], journal: Journal) -> tuple[str, int, str]:
        name = f"{command[0]} {command[2]}"
        with self.lock:
            self.started.append(command[:2])
            self.running[name] += 1
            self.most[name] = max(self.most[name], self.running[name])
        assert self.go.wait(60)
        with self.lock:
            self.running[name] -= 1
        return command

    def record(self, session: Any, job: Any, result: Any) -> Verdict:
        return Completed({})


@contextmanager
def busy(
    processor: MarketplaceJobProcessor, handler: Held, lane: Lane, threads: int
) -> Iterator[None]:
    """So many threads look for jobs of the lane until the handler lets go."""

    def work() -> None:
        while not handler.go.is_set():
            if processor.process_next_job(lane) is None:
                handler.go.wait(0.01)

    crew = [threading.Thread(target=work) for _ in range(threads)]
    for thread in crew:
        thread.start()
    try:
        yield
    finally:
        handler.go.set()
        for thread in crew:
            thread.join()


def put(
    database: Database, shop: TenantSchema, clock: Clock, number: int, **columns: Any
) -> list[int]:
    with database.tenant(shop) as session:
        return [make_job(session, clock, **columns).id for _ in range(number)]


def until(true: Callable[[], bool]) -> None:
    """Wait for something that other threads are bound to do."""
    pause = threading.Event()
    for _ in range(3_000):
        if true():
            return
        pause.wait(0.01)
    raise AssertionError("it did not happen within 30 s")


def listing_of(product_id: int, clock: Clock) -> ChannelListing:
    return ChannelListing(
        product_id=product_id,
        channel=Channel.EBAY,
        status=ListingStatus.LIVE,
        listing_id="110",
        remote={},
        product_version=1,
        read_back={},
        published_at=clock.now(),
        checked_at=clock.now(),
    )


@pytest.mark.parametrize("action", [JobAction.PUBLISH, JobAction.DELETE])
def test_sixteen_requests_at_once_queue_one_job(
    database: Database, tenant: TenantSchema, action: JobAction
) -> None:
    """B3, B4: one is told queued, the others already queued, and all name the same job."""
    clock = SystemClock()
    requests = WorkRequests({Channel.EBAY: OpinionatedChannel()}, clock)
    with database.tenant(tenant) as session:
        product_id = make_product(session, clock).id
    if action is JobAction.DELETE:
        with database.tenant(tenant) as session:
            ListingRepository(session).add(listing_of(product_id, clock))

    def ask(_: int) -> tuple[Answer, int | None]:
        with database.tenant(tenant) as session:
            batch = requests.request(session, action, [product_id], [Channel.EBAY], 1)
            return batch.items[0].answer, batch.items[0].job_id

    answers = together(THREADS, ask)
    job_ids = {job_id for _, job_id in answers}
    assert Counter(answer for answer, _ in answers) == {
        Answer.QUEUED: 1,
        Answer.ALREADY_QUEUED: THREADS - 1,
    }
    assert len(job_ids) == 1
    with database.tenant(tenant) as session:
        assert len(JobRepository(session).page(JobFilter(), None, 100)) == 1


def test_a_shop_never_runs_more_than_its_share_however_many_threads_there_are(
    database: Database, tenant: TenantSchema, clock: MovableClock
) -> None:
    """G5: sixteen threads look at the same moment, two of them get a job, none gets more."""
    put(database, tenant, clock, 10)
    handler = Held()
    processor = worker(database, clock, handler)
    with busy(processor, handler, Lane.BULK, THREADS):
        until(lambda: len(handler.started) == 2)
        assert processor.process_next_job(Lane.BULK) is None
        assert len(handler.started) == 2
    assert handler.most == {f"{tenant.name} bulk": 2}


def test_a_shop_at_its_limit_rings_no_bell_until_a_job_ends(
    database: Database, tenant: TenantSchema, clock: MovableClock
) -> None:
    """G5, G10: threads do not look again and again at work that may not start."""
    put(database, tenant, clock, 4)
    handler = Held()
    processor = worker(database, clock, handler)
    with busy(processor, handler, Lane.BULK, 2):
        until(lambda: len(handler.started) == 2)
        with database.platform() as session:
            bells = BellRepository(session)
            assert bells.lease_next([Lane.BULK], clock.now(), clock.now()) is None
    while processor.process_next_job(Lane.BULK) is not None:
        pass
    assert len(set(handler.started)) == len(handler.started) == 4


def test_a_batch_of_one_shop_does_not_keep_anothers_delisting_or_publication_waiting(
    database: Database, tenant: TenantSchema, other_tenant: TenantSchema, clock: MovableClock
) -> None:
    """G5: both start although no job of the batch has ended, and so does the shop's own delisting.

    Four threads serve publications, two of them delistings as well: the batch gets two.
    """
    put(database, tenant, clock, 50)
    handler = Held()
    processor = worker(database, clock, handler)
    with (
        busy(processor, handler, Lane.BULK, 4),
        busy(processor, handler, Lane.REALTIME, 2),
    ):
        until(lambda: len(handler.started) == 2)
        [later] = put(database, other_tenant, clock, 1)
        delist = {"action": JobAction.DELETE, "lane": Lane.REALTIME}
        [urgent] = put(database, other_tenant, clock, 1, **delist)
        [own] = put(database, tenant, clock, 1, **delist)
        until(lambda: len(handler.started) == 5)
        assert set(handler.started[2:]) == {
            (other_tenant.name, later),
            (other_tenant.name, urgent),
            (tenant.name, own),
        }
    assert handler.most[f"{tenant.name} bulk"] == 2


def test_an_account_has_a_share_of_its_own(
    database: Database, tenant: TenantSchema, clock: MovableClock
) -> None:
    """G5: the shop may run four; eBay takes two of them, the next goes to another channel."""
    ebay = put(database, tenant, clock, 3)
    [etsy] = put(database, tenant, clock, 1, channel=Channel.ETSY)
    handler = Held()
    processor = worker(database, clock, handler, RunningCaps({Lane.BULK: 4}, account=2))
    with busy(processor, handler, Lane.BULK, 4):
        until(lambda: len(handler.started) == 3)
        assert sorted(job_id for _, job_id in handler.started) == sorted([*ebay[:2], etsy])


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    sizes=st.lists(st.integers(1, 6), min_size=1, max_size=3),
    caps=st.tuples(st.integers(1, 3), st.integers(1, 3)),
)
def test_every_job_runs_once_and_no_cap_is_ever_exceeded(
    database: Database,
    make_tenant: MakeTenant,
    clock: MovableClock,
    sizes: Sequence[int],
    caps: tuple[int, int],
) -> None:
    """G5: any number of shops and jobs, any caps, eight threads."""
    shops = [make_tenant() for _ in sizes]
    for shop, size in zip(shops, sizes, strict=True):
        put(database, shop, clock, size)
    handler = Held()
    handler.go.set()
    processor = worker(database, clock, handler, RunningCaps({Lane.BULK: caps[0]}, caps[1]))

    def work(_: int) -> None:
        while len(handler.started) < sum(sizes):
            processor.process_next_job(Lane.BULK)

    assert together(8, work) == [None] * 8
    while processor.process_next_job(Lane.BULK):
        pass
    assert Counter(name for name, _ in handler.started) == {
        shop.name: size for shop, size in zip(shops, sizes, strict=True)
    }
    assert len(set(handler.started)) == sum(sizes)
    assert max(handler.most.values()) <= min(caps)
    for shop in shops:
        with database.tenant(shop) as session:
            jobs = JobRepository(session).page(JobFilter(), None, 100)
        assert {job.status for job in jobs} == {JobStatus.DONE}
