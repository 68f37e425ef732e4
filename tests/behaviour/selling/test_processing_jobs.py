"""The processor: what happens to a job, step by step, whatever goes wrong."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from models.accounts.tenants import Lane, TenantStatus
from models.selling.publishing import Channel, JobAction, JobOutcome, JobStatus, MarketplaceJob
from repositories.accounts.tenants import TenantRepository
from repositories.selling.publishing import JobRepository
from services.selling.publishing.failures import UPGRADE_PAUSE
from services.selling.publishing.handlers import (
    Journal,
    LeaseLost,
    Parked,
    Problem,
    Snooze,
    Unknown,
)
from services.selling.publishing.lease import LeaseKeeper
from services.selling.publishing.processor import MarketplaceJobProcessor
from services.selling.publishing.steering import (
    JobAlreadyEnded,
    JobBeingChecked,
    JobNotFound,
    JobNotRetryable,
    JobSteering,
    JobSuperseded,
)
from services.selling.publishing.sweeping import BellSweeper
from shared.clock import MovableClock
from shared.database import Database, TenantSchema
from shared.errors import (
    APIConnectionError,
    APITimeoutError,
    EbayError,
    FieldProblem,
    Remedy,
)
from tests.factories.selling import make_job, make_product
from tests.fakes.handlers import ScriptedHandler

LEASE = timedelta(seconds=60)


@pytest.fixture
def handler() -> ScriptedHandler:
    return ScriptedHandler()


MakeProcessor = Callable[..., MarketplaceJobProcessor]


@pytest.fixture
def make_processor(
    database: Database, clock: MovableClock, handler: ScriptedHandler
) -> MakeProcessor:
    def make(owner: str = "worker-1") -> MarketplaceJobProcessor:
        table = {(Channel.EBAY, action): handler for action in JobAction}
        return MarketplaceJobProcessor(
            database, table, LeaseKeeper(database, clock, LEASE), clock, owner
        )

    return make


@pytest.fixture
def processor(make_processor: MakeProcessor) -> MarketplaceJobProcessor:
    return make_processor()


AddJob = Callable[..., int]


@pytest.fixture
def add_job(database: Database, tenant: TenantSchema, clock: MovableClock) -> AddJob:
    def add(shop: TenantSchema = tenant, **changes: Any) -> int:
        with database.tenant(shop) as session:
            return make_job(session, clock, **changes).id

    return add


def read(database: Database, tenant: TenantSchema, job_id: int) -> MarketplaceJob:
    with database.tenant(tenant) as session:
        job = JobRepository(session).get(job_id)
    assert job is not None
    return job


def story(database: Database, tenant: TenantSchema, job_id: int) -> list[str]:
    with database.tenant(tenant) as session:
        return [step.name for step in JobRepository(session).steps(job_id)]


def bells(database: Database) -> int:
    with database.platform() as session:
        return int(session.scalar(text("SELECT count(*) FROM public.tenant_bells")) or 0)


def raising(error: Exception) -> Callable[[Any, Journal], dict[str, Any]]:
    def act(command: Any, journal: Journal) -> dict[str, Any]:
        raise error

    return act


def test_a_job_runs_through_its_three_steps(
    database: Database,
    tenant: TenantSchema,
    processor: MarketplaceJobProcessor,
    handler: ScriptedHandler,
    add_job: AddJob,
) -> None:
    """ST24, ST28, ST30."""
    handler.acts = [lambda command, journal: {"listing_id": "110"}]
    job_id = add_job()
    processed = processor.process_next_job(Lane.BULK)
    assert processed is not None
    assert processed.outcome is JobOutcome.OK
    job = read(database, tenant, job_id)
    assert (job.status, job.outcome, job.result) == (
        JobStatus.DONE,
        JobOutcome.OK,
        {"listing_id": "110"},
    )
    assert job.lease_id is None
    assert job.attempts == 1
    assert (handler.prepared, handler.performed, handler.recorded) == ([job_id],) * 3
    assert story(database, tenant, job_id) == ["picked up", "completed"]
    assert processor.process_next_job(Lane.BULK) is None
    assert bells(database) == 0


def test_nothing_is_open_while_a_handler_speaks_to_the_outside(
    database: Database,
    processor: MarketplaceJobProcessor,
    handler: ScriptedHandler,
    add_job: AddJob,
) -> None:
    """F16: no connection is checked out during perform."""
    seen: list[int] = []

    def act(command: Any, journal: Journal) -> dict[str, Any]:
        seen.append(database.engine.pool.checkedout())  # type: ignore[attr-defined]
        journal.checkpoint("something")
        seen.append(database.engine.pool.checkedout())  # type: ignore[attr-defined]
        return {}

    handler.acts = [act]
    add_job()
    processor.process_next_job(Lane.BULK)
    assert seen == [0, 0]


def test_jobs_run_by_priority_and_then_in_order(
    processor: MarketplaceJobProcessor, handler: ScriptedHandler, add_job: AddJob
) -> None:
    """X3, ST29."""
    first, second = add_job(), add_job()
    urgent = add_job(priority=1)
    while processor.process_next_job(Lane.BULK):
        pass
    assert handler.performed == [urgent, first, second]


def test_lanes_do_not_mix(
    processor: MarketplaceJobProcessor, handler: ScriptedHandler, add_job: AddJob
) -> None:
    """G5."""
    bulk = add_job()
    delist = add_job(lane=Lane.REALTIME, action=JobAction.DELETE)
    processor.process_next_job(Lane.REALTIME)
    assert handler.performed == [delist]
    assert processor.process_next_job(Lane.REALTIME) is None
    processor.process_next_job(Lane.BULK)
    assert handler.performed == [delist, bulk]


def test_shops_take_turns(
    tenant: TenantSchema,
    other_tenant: TenantSchema,
    processor: MarketplaceJobProcessor,
    handler: ScriptedHandler,
    clock: MovableClock,
    add_job: AddJob,
) -> None:
    """G5, G10: a long queue of one shop does not hold up another."""
    handler.acts = [lambda command, journal: clock.advance(timedelta(seconds=1)) or {}]
    for _ in range(5):
        add_job()
    add_job(other_tenant)
    order = []
    while (processed := processor.process_next_job(Lane.BULK)) is not None:
        order.append(processed.lease.tenant)
    assert order.index(other_tenant) <= 1
    assert len(order) == 6


def test_a_shop_that_is_not_active_gets_no_work_done(
    database: Database,
    tenant: TenantSchema,
    processor: MarketplaceJobProcessor,
    handler: ScriptedHandler,
    clock: MovableClock,
    add_job: AddJob,
) -> None:
    """ST14: and the sweeper finds the work when the shop is back."""
    job_id = add_job()
    with database.platform() as session:
        TenantRepository(session).set_status(tenant, TenantStatus.SUSPENDED, clock.now())
    assert processor.process_next_job(Lane.BULK) is None
    assert handler.performed == []
    with database.platform() as session:
        TenantRepository(session).set_status(tenant, TenantStatus.ACTIVE, clock.now())
    assert BellSweeper(database, clock).sweep().rung == 1
    assert processor.process_next_job(Lane.BULK) is not None
    assert handler.performed == [job_id]


def test_a_shop_that_is_open_by_now_keeps_its_bell(
    database: Database,
    tenant: TenantSchema,
    processor: MarketplaceJobProcessor,
    handler: ScriptedHandler,
    clock: MovableClock,
    add_job: AddJob,
) -> None:
    """G13: who opens a shop rings; a worker that was refused a moment before does not undo it."""
    job_id = add_job()
    role = database.role_of(tenant)
    for renamed in (f'"{role}" RENAME TO "{role}_lost"', f'"{role}_lost" RENAME TO "{role}"'):
        with database.platform() as session:
            session.execute(text(f"ALTER ROLE {renamed}"))
        clock.advance(UPGRADE_PAUSE)
        processor.process_next_job(Lane.BULK)
    assert handler.performed == [job_id]


def test_a_passing_failure_is_tried_again_later(
    database: Database,
    tenant: TenantSchema,
    processor: MarketplaceJobProcessor,
    handler: ScriptedHandler,
    clock: MovableClock,
    add_job: AddJob,
) -> None:
    """C8: exponential with full jitter, so within two seconds after the first try."""
    handler.acts = [raising(APIConnectionError("eBay is away")), lambda command, journal: {}]
    job_id = add_job()
    processor.process_next_job(Lane.BULK)
    job = read(database, tenant, job_id)
    assert (job.status, job.problem_code) == (JobStatus.PENDING, "outside-unreachable")
    assert clock.now() <= job.due_at <= clock.now() + timedelta(seconds=2)
    clock.advance(timedelta(seconds=2))
    processor.process_next_job(Lane.BULK)
    job = read(database, tenant, job_id)
    assert (job.status, job.outcome, job.problem_code) == (JobStatus.DONE, JobOutcome.OK, None)
    assert job.attempts == 2


def test_a_wait_that_the_marketplace_asks_for_is_kept_to_the_second(
    database: Database,
    tenant: TenantSchema,
    processor: MarketplaceJobProcessor,
    handler: ScriptedHandler,
    clock: MovableClock,
    add_job: AddJob,
) -> None:
    """E8, B5."""
    handler.acts = [raising(EbayError("slow down", retry_after=77))]
    job_id = add_job()
    processor.process_next_job(Lane.BULK)
    assert read(database, tenant, job_id).due_at == clock.now() + timedelta(seconds=77)
    clock.advance(timedelta(seconds=76))
    assert processor.process_next_job(Lane.BULK) is None


@pytest.mark.parametrize(
    ("remedy", "outcome"),
    [
        (Remedy.FIX_DATA, JobOutcome.REJECTED),
        (Remedy.RECONNECT, JobOutcome.BLOCKED),
        (Remedy.ASK_MARKETPLACE, JobOutcome.BLOCKED),
    ],
)
def test_a_refusal_that_waiting_cannot_mend_ends_the_job(
    database: Database,
    tenant: TenantSchema,
    processor: MarketplaceJobProcessor,
    handler: ScriptedHandler,
    add_job: AddJob,
    remedy: Remedy,
    outcome: JobOutcome,
) -> None:
    """G6, G13, E1."""
    error = EbayError("Brand is missing", remedy=remedy, fields=[FieldProblem("brand", "missing")])
    handler.acts = [raising(error)]
    job_id = add_job()
    processor.process_next_job(Lane.BULK)
    job = read(database, tenant, job_id)
    assert (job.status, job.outcome) == (JobStatus.DONE, outcome)
    assert job.problem_detail == "Brand is missing"
    assert job.problem_fields == [
        {"field": "brand", "message": "missing", "code": "invalid", "choices": []}
    ]
    assert bells(database) == 0


def test_a_lost_answer_is_unknown_until_the_channel_was_asked(
    database: Database,
    tenant: TenantSchema,
    processor: MarketplaceJobProcessor,
    handler: ScriptedHandler,
    clock: MovableClock,
    add_job: AddJob,
) -> None:
    """B1, B2, D8."""
    probed: list[bool] = []

    def probe(command: Any, journal: Journal) -> dict[str, Any]:
        probed.append(journal.must_probe)
        return {}

    handler.acts = [raising(APITimeoutError("no answer")), probe]
    job_id = add_job()
    processor.process_next_job(Lane.BULK)
    job = read(database, tenant, job_id)
    assert (job.status, job.outcome) == (JobStatus.PENDING, JobOutcome.UNKNOWN)
    clock.advance(timedelta(minutes=1))
    processor.process_next_job(Lane.BULK)
    assert probed == [True]
    assert read(database, tenant, job_id).outcome is JobOutcome.OK


def test_what_stays_unknown_is_never_called_a_failure(
    database: Database,
    tenant: TenantSchema,
    processor: MarketplaceJobProcessor,
    handler: ScriptedHandler,
    clock: MovableClock,
    add_job: AddJob,
) -> None:
    """G6: attempts run out, the outcome says so honestly."""
    handler.acts = [lambda command, journal: Unknown(Problem("lost", "no answer"), {"sku": "A"})]
    job_id = add_job(max_attempts=2)
    for _ in range(2):
        processor.process_next_job(Lane.BULK)
        clock.advance(timedelta(minutes=1))
    job = read(database, tenant, job_id)
    assert (job.status, job.outcome) == (JobStatus.DONE, JobOutcome.UNKNOWN)


@pytest.mark.parametrize("outside", [False, True])
def test_attempts_run_out(
    database: Database,
    tenant: TenantSchema,
    processor: MarketplaceJobProcessor,
    handler: ScriptedHandler,
    clock: MovableClock,
    add_job: AddJob,
    outside: bool,
) -> None:
    """G1, G6: nothing is tried for ever; a bug after `prepare` may have come after the deed."""

    def broken(session: Any, job: MarketplaceJob) -> None:
        raise ValueError("a bug")

    if outside:
        handler.acts = [raising(ValueError("a bug"))]
    else:
        handler.when_prepared = broken
    job_id = add_job(max_attempts=3)
    for _ in range(5):
        processor.process_next_job(Lane.BULK)
        clock.advance(timedelta(minutes=20))
    job = read(database, tenant, job_id)
    ended_as = JobOutcome.UNKNOWN if outside else JobOutcome.BLOCKED
    assert (job.status, job.outcome, job.attempts) == (JobStatus.DONE, ended_as, 3)
    assert job.problem_code == "internal-error"
    assert "a bug" not in (job.problem_detail or "")


def test_a_snooze_costs_no_attempt(
    database: Database,
    tenant: TenantSchema,
    processor: MarketplaceJobProcessor,
    handler: ScriptedHandler,
    clock: MovableClock,
    add_job: AddJob,
) -> None:
    """D5."""
    until = clock.now() + timedelta(hours=1)
    handler.when_prepared = lambda session, job: Snooze(until, "the seller to sign in")
    job_id = add_job()
    processor.process_next_job(Lane.BULK)
    job = read(database, tenant, job_id)
    assert (job.status, job.attempts, job.due_at) == (JobStatus.PENDING, 0, until)
    assert job.waiting_for == "the seller to sign in"
    assert handler.performed == []


def test_a_parked_job_costs_no_thread_and_is_probed_after_its_deadline(
    database: Database,
    tenant: TenantSchema,
    processor: MarketplaceJobProcessor,
    handler: ScriptedHandler,
    clock: MovableClock,
    add_job: AddJob,
) -> None:
    """D7."""
    deadline = clock.now() + timedelta(minutes=5)
    handler.acts = [
        lambda command, journal: Parked(deadline, "the browser"),
        lambda command, journal: {"probed": journal.must_probe},
    ]
    job_id = add_job()
    processor.process_next_job(Lane.BULK)
    assert read(database, tenant, job_id).status is JobStatus.PARKED
    assert processor.process_next_job(Lane.BULK) is None
    clock.advance(timedelta(minutes=5))
    processor.process_next_job(Lane.BULK)
    assert read(database, tenant, job_id).result == {"probed": True}


def test_a_dead_workers_job_is_rescued_and_the_late_worker_cannot_write(
    database: Database,
    tenant: TenantSchema,
    make_processor: MakeProcessor,
    handler: ScriptedHandler,
    clock: MovableClock,
    add_job: AddJob,
) -> None:
    """G1, G2, G4: fenced by the lease."""
    fenced: list[bool] = []
    rescuer = make_processor("worker-2")

    def sleeps_too_long(command: Any, journal: Journal) -> dict[str, Any]:
        clock.advance(LEASE)
        assert rescuer.process_next_job(Lane.BULK) is not None
        try:
            journal.checkpoint("late", progress={"late": True})
        except LeaseLost:
            fenced.append(True)
            raise
        return {"by": "the late one"}

    handler.acts = [sleeps_too_long, lambda command, journal: {"probe": journal.must_probe}]
    job_id = add_job()
    make_processor("worker-1").process_next_job(Lane.BULK)
    job = read(database, tenant, job_id)
    assert fenced == [True]
    assert (job.status, job.result, job.progress) == (JobStatus.DONE, {"probe": True}, {})
    assert job.attempts == 2


def test_a_job_that_costs_every_worker_its_life_is_given_up(
    database: Database,
    tenant: TenantSchema,
    processor: MarketplaceJobProcessor,
    handler: ScriptedHandler,
    clock: MovableClock,
    add_job: AddJob,
) -> None:
    """G1: rescued as often as it may be tried, then unknown, and never a false failure."""

    class Killed(BaseException):
        """What no handler catches, as a SIGKILL."""

    handler.acts = [raising(Killed())]  # type: ignore[arg-type]
    job_id = add_job(max_attempts=3)
    for _ in range(3):
        with pytest.raises(Killed):
            processor.process_next_job(Lane.BULK)
        clock.advance(LEASE)
    assert processor.process_next_job(Lane.BULK) is None
    job = read(database, tenant, job_id)
    assert (job.status, job.outcome) == (JobStatus.DONE, JobOutcome.UNKNOWN)
    assert (job.attempts, job.problem_code) == (3, "workers-died")
    assert bells(database) == 0


def test_a_heartbeat_keeps_a_slow_job(
    database: Database,
    tenant: TenantSchema,
    clock: MovableClock,
    handler: ScriptedHandler,
    add_job: AddJob,
) -> None:
    """G4."""
    keeper = LeaseKeeper(database, clock, LEASE)
    table = {(Channel.EBAY, JobAction.PUBLISH): handler}
    slow = MarketplaceJobProcessor(database, table, keeper, clock, "slow")
    quick = MarketplaceJobProcessor(
        database, table, LeaseKeeper(database, clock, LEASE), clock, "quick"
    )

    def act(command: Any, journal: Journal) -> dict[str, Any]:
        for _ in range(3):
            clock.advance(LEASE / 2)
            assert keeper.beat() == 1
            assert quick.process_next_job(Lane.BULK) is None
        return {}

    handler.acts = [act]
    job_id = add_job()
    slow.process_next_job(Lane.BULK)
    assert read(database, tenant, job_id).attempts == 1
    assert keeper.beat() == 0


def test_progress_outlives_an_attempt(
    database: Database,
    tenant: TenantSchema,
    processor: MarketplaceJobProcessor,
    handler: ScriptedHandler,
    clock: MovableClock,
    add_job: AddJob,
) -> None:
    """C4, G11: a later attempt finds what was finished; digests only are kept."""

    def first(command: Any, journal: Journal) -> dict[str, Any]:
        journal.checkpoint(
            "upload photo",
            progress={"photo": "https://photo/1"},
            request=b"secret bytes",
            response="{}",
            http_status=201,
            detail={"position": 1},
        )
        raise APIConnectionError

    handler.acts = [first, lambda command, journal: dict(journal.progress)]
    job_id = add_job()
    processor.process_next_job(Lane.BULK)
    clock.advance(timedelta(minutes=1))
    processor.process_next_job(Lane.BULK)
    assert read(database, tenant, job_id).result == {"photo": "https://photo/1"}
    with database.tenant(tenant) as session:
        steps = JobRepository(session).steps(job_id)
    assert [step.name for step in steps] == [
        "picked up",
        "upload photo",
        "retry",
        "picked up",
        "completed",
    ]
    upload = steps[1]
    assert upload.request_digest is not None
    assert len(upload.request_digest) == 64
    assert (upload.http_status, upload.detail, upload.attempt) == (201, {"position": 1}, 1)


def test_a_running_job_stops_before_its_next_call(
    database: Database,
    tenant: TenantSchema,
    processor: MarketplaceJobProcessor,
    handler: ScriptedHandler,
    clock: MovableClock,
    add_job: AddJob,
) -> None:
    """G12."""
    calls: list[str] = []

    def act(command: int, journal: Journal) -> dict[str, Any]:
        journal.checkpoint("before the first call")
        calls.append("first")
        with database.tenant(tenant) as session:
            JobSteering(clock).cancel(session, command)
        journal.checkpoint("before the second call")
        calls.append("second")
        return {}

    handler.acts = [act]
    job_id = add_job()
    processor.process_next_job(Lane.BULK)
    assert calls == ["first"]
    assert read(database, tenant, job_id).status is JobStatus.CANCELLED
    assert bells(database) == 0


def test_a_waiting_job_is_cancelled_at_once(
    database: Database,
    tenant: TenantSchema,
    processor: MarketplaceJobProcessor,
    handler: ScriptedHandler,
    clock: MovableClock,
    add_job: AddJob,
) -> None:
    """G12: and cannot be cancelled twice."""
    job_id = add_job()
    with database.tenant(tenant) as session:
        JobSteering(clock).cancel(session, job_id)
    assert processor.process_next_job(Lane.BULK) is None
    assert handler.performed == []
    with pytest.raises(JobAlreadyEnded), database.tenant(tenant) as session:
        JobSteering(clock).cancel(session, job_id)


def test_a_parked_job_is_cancelled_when_it_is_known_that_nobody_did_it(
    database: Database,
    tenant: TenantSchema,
    processor: MarketplaceJobProcessor,
    handler: ScriptedHandler,
    clock: MovableClock,
    add_job: AddJob,
) -> None:
    """G12, D7: somebody outside may be doing it at this moment."""
    deadline = clock.now() + timedelta(minutes=5)

    def probe(command: Any, journal: Journal) -> dict[str, Any]:
        journal.checkpoint("nothing there", certain=True)
        raise AssertionError("went on after the wish to cancel")

    handler.acts = [lambda command, journal: Parked(deadline, "the browser"), probe]
    job_id = add_job()
    processor.process_next_job(Lane.BULK)
    with database.tenant(tenant) as session:
        JobSteering(clock).cancel(session, job_id)
    assert read(database, tenant, job_id).status is JobStatus.PARKED
    clock.advance(timedelta(minutes=5))
    processor.process_next_job(Lane.BULK)
    assert read(database, tenant, job_id).status is JobStatus.CANCELLED


def test_what_may_have_happened_cannot_be_cancelled_away(
    database: Database, tenant: TenantSchema, clock: MovableClock, add_job: AddJob
) -> None:
    """B2."""
    job_id = add_job(outcome=JobOutcome.UNKNOWN)
    with pytest.raises(JobBeingChecked), database.tenant(tenant) as session:
        JobSteering(clock).cancel(session, job_id)
    assert read(database, tenant, job_id).status is JobStatus.PENDING


def test_an_ended_job_can_be_tried_again(
    database: Database,
    tenant: TenantSchema,
    processor: MarketplaceJobProcessor,
    handler: ScriptedHandler,
    clock: MovableClock,
    add_job: AddJob,
) -> None:
    """ST28."""
    handler.acts = [
        raising(EbayError("no", remedy=Remedy.FIX_DATA)),
        lambda command, journal: {"listing_id": "1"},
    ]
    job_id = add_job()
    processor.process_next_job(Lane.BULK)
    with database.tenant(tenant) as session:
        JobSteering(clock).retry(session, job_id)
    processor.process_next_job(Lane.BULK)
    assert read(database, tenant, job_id).outcome is JobOutcome.OK
    with pytest.raises(JobNotRetryable), database.tenant(tenant) as session:
        JobSteering(clock).retry(session, job_id)


def test_a_retry_gives_way_to_a_newer_job(
    database: Database,
    tenant: TenantSchema,
    processor: MarketplaceJobProcessor,
    handler: ScriptedHandler,
    clock: MovableClock,
    add_job: AddJob,
) -> None:
    """G3."""
    with database.tenant(tenant) as session:
        product_id = make_product(session, clock).id
    handler.acts = [raising(EbayError("no", remedy=Remedy.FIX_DATA))]
    old = add_job(product_id=product_id)
    processor.process_next_job(Lane.BULK)
    newer = add_job(product_id=product_id)
    with pytest.raises(JobSuperseded, match=str(newer)), database.tenant(tenant) as session:
        JobSteering(clock).retry(session, old)
    assert read(database, tenant, old).status is JobStatus.DONE


def test_another_shops_job_does_not_exist(
    database: Database,
    other_tenant: TenantSchema,
    tenant: TenantSchema,
    clock: MovableClock,
    add_job: AddJob,
) -> None:
    """ST14."""
    job_id = add_job()
    for act in (JobSteering(clock).cancel, JobSteering(clock).retry):
        with pytest.raises(JobNotFound), database.tenant(other_tenant) as session:
            act(session, job_id)
    assert read(database, tenant, job_id).status is JobStatus.PENDING


def test_an_action_that_is_not_offered_ends_with_a_sentence(
    database: Database, tenant: TenantSchema, processor: MarketplaceJobProcessor, add_job: AddJob
) -> None:
    """G13."""
    job_id = add_job(channel=Channel.VINTED)
    processor.process_next_job(Lane.BULK)
    job = read(database, tenant, job_id)
    assert (job.outcome, job.problem_code) == (JobOutcome.BLOCKED, "no-handler")
