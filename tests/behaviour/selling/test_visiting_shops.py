"""Quick jobs of a shop share a visit; whatever goes wrong with one is that one's affair."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from sqlalchemy import event, text

from models.accounts.tenants import Lane
from models.selling.publishing import Channel, JobAction, JobOutcome, JobStatus, MarketplaceJob
from repositories.accounts.news import ShopEventRepository
from repositories.selling.publishing import JobFilter, JobRepository, RunningCaps
from services.selling.publishing.attempt import ProcessedJob
from services.selling.publishing.handlers import CancelRequested, Journal, Problem, Retry, Verdict
from services.selling.publishing.lease import LeaseKeeper
from services.selling.publishing.pace import QUICK_S, Pace
from services.selling.publishing.processor import MarketplaceJobProcessor
from services.selling.publishing.steering import JobSteering
from services.selling.publishing.visiting import BELL_LEASE, LONGEST_S, MOST_JOBS
from shared.clock import MovableClock
from shared.database import Database, TenantSchema, TenantSession
from shared.errors import APITimeoutError, EbayError, Remedy
from tests.factories.selling import make_job, make_product
from tests.fakes.handlers import ScriptedHandler

LEASE = timedelta(seconds=60)
BULK = (Lane.BULK,)


class Killed(BaseException):
    """What no handler catches, as a SIGKILL."""


class Stopwatch:
    """Stands still unless a test moves it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def quick(step_s: float = 0.0, stopwatch: Stopwatch | None = None) -> Pace:
    """Every kind of job is known to take so long a step."""
    pace = Pace(stopwatch or Stopwatch())
    for kind in product(Channel, JobAction):
        pace.note(kind, step_s)
    return pace


@pytest.fixture
def handler() -> ScriptedHandler:
    return ScriptedHandler()


@pytest.fixture
def processor(
    database: Database, clock: MovableClock, handler: ScriptedHandler
) -> MarketplaceJobProcessor:
    return processor_of(database, clock, handler)


def processor_of(
    database: Database,
    clock: MovableClock,
    handler: Any,
    *,
    pace: Pace | None = None,
    owner: str = "worker-1",
    caps: RunningCaps | None = None,
) -> MarketplaceJobProcessor:
    return MarketplaceJobProcessor(
        database,
        {(Channel.EBAY, action): handler for action in JobAction},
        LeaseKeeper(database, clock, LEASE),
        clock,
        owner,
        caps or RunningCaps(),
        pace=pace or quick(),
    )


def leave(
    database: Database, shop: TenantSchema, clock: MovableClock, number: int, **changes: Any
) -> list[int]:
    with database.tenant(shop) as session:
        return [make_job(session, clock, **changes).id for _ in range(number)]


def ids(done: Sequence[ProcessedJob]) -> list[int]:
    return [each.lease.job_id for each in done]


def jobs_of(database: Database, shop: TenantSchema) -> dict[int, MarketplaceJob]:
    with database.tenant(shop) as session:
        return {job.id: job for job in JobRepository(session).page(JobFilter(), None, 200)}


def story_of(database: Database, shop: TenantSchema, job_id: int) -> list[str]:
    with database.tenant(shop) as session:
        return [step.name for step in JobRepository(session).steps(job_id)]


def test_quick_jobs_of_a_shop_are_done_in_one_visit_by_priority_and_then_in_order(
    database: Database,
    tenant: TenantSchema,
    other_tenant: TenantSchema,
    clock: MovableClock,
    processor: MarketplaceJobProcessor,
    handler: ScriptedHandler,
) -> None:
    """X3, ST24, ST28: each with its own story and its own news; another shop's wait their turn."""
    later, sooner = (
        leave(database, tenant, clock, 3, priority=200),
        leave(database, tenant, clock, 2),
    )
    clock.advance(timedelta(milliseconds=1))
    (others,) = leave(database, other_tenant, clock, 1)

    done = processor.visit_next_shop(BULK)

    assert ids(done) == [*sooner, *later]
    assert {each.lease.tenant for each in done} == {tenant}
    assert {(each.status, each.outcome, each.attempts) for each in done} == {
        (JobStatus.DONE, JobOutcome.OK, 1)
    }
    assert handler.performed == handler.recorded == [*sooner, *later]
    assert [story_of(database, tenant, job) for job in later] == [["picked up", "completed"]] * 3
    with database.tenant(tenant) as session:
        news = ShopEventRepository(session).after(tenant, 0, 100)
    assert [each.sequence for each in news] == list(range(1, 11))
    assert [each.payload["status"] for each in news] == ["running"] * 5 + ["done"] * 5
    assert [each.payload["job_id"] for each in news[5:]] == [*sooner, *later]
    assert ids(processor.visit_next_shop(BULK)) == [others]
    assert processor.visit_next_shop(BULK) == ()


def test_a_worker_finds_out_by_itself_which_jobs_are_quick(
    database: Database, tenant: TenantSchema, clock: MovableClock, handler: ScriptedHandler
) -> None:
    """G5: the first goes alone."""
    first, *others = leave(database, tenant, clock, 4)
    processor = processor_of(database, clock, handler, pace=Pace(Stopwatch()))
    assert ids(processor.visit_next_shop(BULK)) == [first]
    assert ids(processor.visit_next_shop(BULK)) == others


def test_jobs_that_take_their_time_go_alone(
    database: Database, tenant: TenantSchema, clock: MovableClock, handler: ScriptedHandler
) -> None:
    """G5: a call to a marketplace keeps nobody else's jobs from other threads."""
    jobs = leave(database, tenant, clock, 3)
    processor = processor_of(database, clock, handler, pace=quick(QUICK_S))
    assert ids(processor.visit_next_shop(BULK)) == jobs[:1]
    assert jobs_of(database, tenant)[jobs[1]].status is JobStatus.PENDING


def test_a_visit_takes_no_more_than_it_can_be_expected_to_do_in_its_time(
    database: Database, tenant: TenantSchema, clock: MovableClock, handler: ScriptedHandler
) -> None:
    """G5: nor more than so many jobs, however quick they are."""
    jobs = leave(database, tenant, clock, MOST_JOBS + 4)
    slowish = processor_of(database, clock, handler, pace=quick(LONGEST_S / 10))
    assert ids(slowish.visit_next_shop(BULK)) == jobs[:3]
    quicker = processor_of(database, clock, handler)
    assert ids(quicker.visit_next_shop(BULK)) == jobs[3 : MOST_JOBS + 3]


def test_jobs_of_one_product_never_share_a_visit(
    database: Database,
    tenant: TenantSchema,
    clock: MovableClock,
    processor: MarketplaceJobProcessor,
) -> None:
    """What the first has recorded, the second must see when it is prepared."""
    (before,) = leave(database, tenant, clock, 1)
    with database.tenant(tenant) as session:
        same = make_product(session, clock).id
        publish = make_job(session, clock, product_id=same).id
        delete = make_job(session, clock, product_id=same, action=JobAction.DELETE).id
    (after,) = leave(database, tenant, clock, 1)
    assert ids(processor.visit_next_shop(BULK)) == [before, publish]
    assert ids(processor.visit_next_shop(BULK)) == [delete, after]


def test_when_one_takes_long_for_once_the_others_are_put_back_as_if_nobody_had_taken_them(
    database: Database, tenant: TenantSchema, clock: MovableClock, handler: ScriptedHandler
) -> None:
    """G5, B5: they wait for no slow neighbour, and have lost no attempt."""
    jobs, stopwatch = leave(database, tenant, clock, 4), Stopwatch()

    def dawdle(command: int, journal: Journal) -> dict[str, Any]:
        stopwatch.seconds += LONGEST_S * 1.5
        return {}

    handler.acts = [lambda command, journal: {}, dawdle, lambda command, journal: {}]
    processor = processor_of(database, clock, handler, pace=quick(stopwatch=stopwatch))

    assert ids(processor.visit_next_shop(BULK)) == jobs[:2]

    left = [jobs_of(database, tenant)[job] for job in jobs[2:]]
    assert [(job.status, job.attempts, job.outcome, job.lease_id) for job in left] == [
        (JobStatus.PENDING, 0, None, None)
    ] * 2
    assert story_of(database, tenant, jobs[2]) == ["picked up", "put back"]
    again = processor_of(database, clock, ScriptedHandler(), owner="worker-2")
    assert ids(again.visit_next_shop(BULK)) == jobs[2:]
    assert jobs_of(database, tenant)[jobs[3]].attempts == 1


@pytest.mark.parametrize(
    ("trouble", "status", "outcome", "told"),
    [
        (EbayError("busy"), JobStatus.PENDING, None, "retry"),
        (EbayError("no", remedy=Remedy.FIX_DATA), JobStatus.DONE, JobOutcome.REJECTED, "cancel"),
        (EbayError("who", remedy=Remedy.RECONNECT), JobStatus.DONE, JobOutcome.BLOCKED, "cancel"),
        (APITimeoutError(), JobStatus.PENDING, JobOutcome.UNKNOWN, "unknown"),
        (ValueError("a bug"), JobStatus.PENDING, JobOutcome.UNKNOWN, "unknown"),
        (CancelRequested(), JobStatus.CANCELLED, None, "cancelled"),
    ],
    ids=["busy", "refused", "reconnect", "lost answer", "bug", "cancelled"],
)
def test_what_happens_to_one_job_of_a_visit_does_not_happen_to_the_others(
    database: Database,
    tenant: TenantSchema,
    clock: MovableClock,
    processor: MarketplaceJobProcessor,
    handler: ScriptedHandler,
    trouble: Exception,
    status: JobStatus,
    outcome: JobOutcome | None,
    told: str,
) -> None:
    """B5, B16, G6."""
    jobs = leave(database, tenant, clock, 3)

    def suffer(command: int, journal: Journal) -> dict[str, Any]:
        raise trouble

    handler.acts = [lambda command, journal: {}, suffer, lambda command, journal: {}]

    assert ids(processor.visit_next_shop(BULK)) == jobs

    found = jobs_of(database, tenant)
    assert [found[job].outcome for job in (jobs[0], jobs[2])] == [JobOutcome.OK] * 2
    assert (found[jobs[1]].status, found[jobs[1]].outcome) == (status, outcome)
    assert story_of(database, tenant, jobs[1]) == ["picked up", told]


def test_a_job_that_cannot_be_prepared_is_tried_again_and_the_others_are_done(
    database: Database,
    tenant: TenantSchema,
    clock: MovableClock,
    processor: MarketplaceJobProcessor,
    handler: ScriptedHandler,
) -> None:
    """B16: it goes alone then, and so does whatever stands before it."""
    jobs = leave(database, tenant, clock, 3)

    def trip(session: TenantSession, job: MarketplaceJob) -> Verdict | None:
        if job.id == jobs[1]:
            session.execute(text("SELECT 1 / 0"))
        return None

    handler.when_prepared = trip
    while processor.visit_next_shop(BULK):
        pass

    found = jobs_of(database, tenant)
    assert [found[job].status for job in jobs] == [
        JobStatus.DONE,
        JobStatus.PENDING,
        JobStatus.DONE,
    ]
    assert found[jobs[1]].problem_code == "internal-error"
    assert [found[job].attempts for job in jobs] == [1, 1, 1]


def test_a_verdict_that_comes_before_the_work_ends_only_its_own_job(
    database: Database,
    tenant: TenantSchema,
    clock: MovableClock,
    processor: MarketplaceJobProcessor,
    handler: ScriptedHandler,
) -> None:
    """B5."""
    jobs = leave(database, tenant, clock, 2)
    busy = Retry(Problem("busy", "The channel is busy."), timedelta(hours=1))
    handler.when_prepared = lambda session, job: busy if job.id == jobs[0] else None
    assert ids(processor.visit_next_shop(BULK)) == jobs
    found = jobs_of(database, tenant)
    assert found[jobs[0]].due_at == clock.now() + timedelta(hours=1)
    assert found[jobs[1]].outcome is JobOutcome.OK
    assert handler.performed == [jobs[1]]


class RecordsBadly(ScriptedHandler):
    """Its last step fails for one job."""

    def __init__(self, job_id: int) -> None:
        super().__init__()
        self._job_id = job_id

    def record(
        self, session: TenantSession, job: MarketplaceJob, result: dict[str, Any]
    ) -> Verdict:
        if job.id == self._job_id:
            session.execute(text("SELECT 1 / 0"))
        return super().record(session, job, result)


def test_a_result_that_cannot_be_recorded_is_its_own_jobs_affair(
    database: Database, tenant: TenantSchema, clock: MovableClock
) -> None:
    """B16, G6: it is *unknown*, never done; what the others did stands."""
    jobs = leave(database, tenant, clock, 3)
    processor = processor_of(database, clock, RecordsBadly(jobs[1]))

    assert ids(processor.visit_next_shop(BULK)) == jobs

    found = jobs_of(database, tenant)
    assert [found[job].outcome for job in jobs] == [
        JobOutcome.OK,
        JobOutcome.UNKNOWN,
        JobOutcome.OK,
    ]
    assert found[jobs[1]].status is JobStatus.PENDING
    assert story_of(database, tenant, jobs[0]) == ["picked up", "completed"]


def test_a_job_whose_fate_is_not_known_goes_alone(
    database: Database,
    tenant: TenantSchema,
    clock: MovableClock,
    processor: MarketplaceJobProcessor,
) -> None:
    """B2: the channel is asked about it first."""
    (unsure,) = leave(database, tenant, clock, 1, outcome=JobOutcome.UNKNOWN)
    sure = leave(database, tenant, clock, 2)
    assert ids(processor.visit_next_shop(BULK)) == [unsure]
    assert ids(processor.visit_next_shop(BULK)) == sure


def test_after_a_worker_has_died_in_a_visit_every_job_of_it_is_taken_over(
    database: Database,
    tenant: TenantSchema,
    clock: MovableClock,
    processor: MarketplaceJobProcessor,
    handler: ScriptedHandler,
) -> None:
    """G1, G2: none is lost; that something may have happened is remembered of each."""
    jobs = leave(database, tenant, clock, 3)

    def die(command: int, journal: Journal) -> dict[str, Any]:
        raise Killed

    handler.acts = [lambda command, journal: {}, die]
    with pytest.raises(Killed):
        processor.visit_next_shop(BULK)
    survivor = ScriptedHandler()
    second = processor_of(database, clock, survivor, owner="worker-2")
    clock.advance(BELL_LEASE)
    assert second.visit_next_shop(BULK) == ()

    clock.advance(LEASE)
    done = [job for _ in jobs for job in ids(second.visit_next_shop(BULK))]

    assert sorted(done) == jobs
    assert second.visit_next_shop(BULK) == ()
    assert Counter(job.outcome for job in jobs_of(database, tenant).values()) == {JobOutcome.OK: 3}
    assert story_of(database, tenant, jobs[2]) == ["picked up", "taken over", "completed"]


def test_a_late_visitor_writes_nothing_to_what_another_has_taken_over(
    database: Database,
    tenant: TenantSchema,
    clock: MovableClock,
    processor: MarketplaceJobProcessor,
    handler: ScriptedHandler,
) -> None:
    """G4: of those that are still its own it records what it did."""
    jobs = leave(database, tenant, clock, 2)
    rescuer = processor_of(database, clock, ScriptedHandler(), owner="worker-2")
    rescued: list[int] = []

    def oversleep(command: int, journal: Journal) -> dict[str, Any]:
        clock.advance(LEASE)
        rescued.extend(ids(rescuer.visit_next_shop(BULK)))
        return {"late": True}

    handler.acts = [oversleep, lambda command, journal: {}]
    processor.visit_next_shop(BULK)

    assert rescued == jobs[:1]
    found = jobs_of(database, tenant)
    assert found[jobs[0]].result == {}
    assert story_of(database, tenant, jobs[0]) == ["picked up", "taken over", "completed"]
    assert [found[job].status for job in jobs] != [JobStatus.RUNNING] * 2


def test_a_seller_may_cancel_what_a_visit_has_put_back(
    database: Database,
    tenant: TenantSchema,
    clock: MovableClock,
    handler: ScriptedHandler,
) -> None:
    """G12: a wish from the time when it was claimed is granted when it is put back."""
    jobs, stopwatch = leave(database, tenant, clock, 2), Stopwatch()

    def cancel_the_other(command: int, journal: Journal) -> dict[str, Any]:
        with database.tenant(tenant) as session:
            JobSteering(clock).cancel(session, jobs[1])
        stopwatch.seconds += LONGEST_S * 1.5
        return {}

    handler.acts = [cancel_the_other]
    processor = processor_of(database, clock, handler, pace=quick(stopwatch=stopwatch))
    assert ids(processor.visit_next_shop(BULK)) == jobs[:1]
    assert jobs_of(database, tenant)[jobs[1]].status is JobStatus.CANCELLED
    assert handler.performed == jobs[:1]


def test_jobs_of_a_visit_count_as_one_against_the_caps(
    database: Database, tenant: TenantSchema, clock: MovableClock, handler: ScriptedHandler
) -> None:
    """G5: one thread does them, so one runs at a time; beside it only what the caps leave room."""
    caps, seen = RunningCaps({Lane.BULK: 2}, account=2), list[list[int]]()
    leave(database, tenant, clock, 6)

    def visit_meanwhile(visitor: MarketplaceJobProcessor) -> Callable[[int, Journal], Any]:
        def act(command: int, journal: Journal) -> dict[str, Any]:
            clock.advance(BELL_LEASE)
            left = leave(database, tenant, clock, 2)
            done = ids(visitor.visit_next_shop(BULK))
            seen.append([job for job in left if job in done])
            return {}

        return act

    third = processor_of(database, clock, ScriptedHandler(), owner="worker-3", caps=caps)
    beside = ScriptedHandler(acts=[visit_meanwhile(third), lambda command, journal: {}])
    second = processor_of(database, clock, beside, owner="worker-2", caps=caps)
    handler.acts = [visit_meanwhile(second), lambda command, journal: {}]
    first = processor_of(database, clock, handler, caps=caps)

    assert len(first.visit_next_shop(BULK)) == 6
    assert [len(each) for each in seen] == [0, 2]


def test_nobody_else_looks_into_a_shop_that_is_being_visited(
    database: Database,
    tenant: TenantSchema,
    clock: MovableClock,
    processor: MarketplaceJobProcessor,
    handler: ScriptedHandler,
) -> None:
    """Unless the visit is held up: a new job then waits for two seconds and no longer."""
    leave(database, tenant, clock, 2)
    second = processor_of(database, clock, ScriptedHandler(), owner="worker-2")
    seen: list[Sequence[ProcessedJob]] = []

    def look(command: int, journal: Journal) -> dict[str, Any]:
        leave(database, tenant, clock, 1)
        seen.append(second.visit_next_shop(BULK))
        clock.advance(BELL_LEASE)
        seen.append(second.visit_next_shop(BULK))
        return {}

    handler.acts = [look, lambda command, journal: {}]
    processor.visit_next_shop(BULK)
    assert [len(each) for each in seen] == [0, 1]


def test_a_visit_of_many_jobs_asks_the_database_no_more_often_than_one_of_two(
    database: Database, tenant: TenantSchema, clock: MovableClock
) -> None:
    """B17: two transactions of the shop, whatever is done in them."""

    def statements(jobs: int) -> int:
        leave(database, tenant, clock, jobs)
        said: list[str] = []

        def listen(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            said.append(statement)

        event.listen(in_production.engine, "before_cursor_execute", listen)
        try:
            done = processor.visit_next_shop(BULK)
        finally:
            event.remove(in_production.engine, "before_cursor_execute", listen)
        assert len(done) == jobs
        return len(said)

    in_production = Database(database.engine)
    processor = processor_of(in_production, clock, ScriptedHandler())
    assert statements(2) == statements(MOST_JOBS) == 16
