"""Jobs that only a person can help: on the operator's list from the moment they end."""

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from models.accounts.dead_jobs import DeadJob
from models.accounts.tenants import Lane, TenantStatus
from models.selling.publishing import Channel, JobAction, JobOutcome, JobStatus
from repositories.accounts.dead_jobs import DeadJobFilter, DeadJobRepository
from repositories.accounts.tenants import TenantRepository
from repositories.selling.publishing import JobRepository
from services.selling.publishing.dead_jobs import DeadJobReview, mark_if_dead
from services.selling.publishing.handlers import Cancel, Completed, Problem, Verdict
from services.selling.publishing.lease import LeaseKeeper
from services.selling.publishing.processor import MarketplaceJobProcessor
from services.selling.publishing.steering import JobSteering
from shared.clock import MovableClock
from shared.database import Database, TenantSchema
from tests.conftest import MakeTenant, Run
from tests.factories.selling import make_job, make_product
from tests.fakes.handlers import ScriptedHandler
from tests.fakes.watching import statements_sent

DEAD = {"status": JobStatus.DONE, "outcome": JobOutcome.BLOCKED}


def no_stop() -> None:
    """Nobody wants the process to end."""


@pytest.fixture
def handler() -> ScriptedHandler:
    return ScriptedHandler()


@pytest.fixture
def processor(
    database: Database, clock: MovableClock, handler: ScriptedHandler
) -> MarketplaceJobProcessor:
    table = {(Channel.EBAY, action): handler for action in JobAction}
    leases = LeaseKeeper(database, clock, timedelta(seconds=60))
    return MarketplaceJobProcessor(database, table, leases, clock, "worker-1")


def a_job(database: Database, shop: TenantSchema, clock: MovableClock, **changes: Any) -> int:
    with database.tenant(shop) as session:
        return make_job(session, clock, **changes).id


def a_dead_job(database: Database, shop: TenantSchema, clock: MovableClock, **changes: Any) -> int:
    """A job that ended blocked, and its mark."""
    with database.tenant(shop) as session:
        columns = {"finished_at": clock.now(), **DEAD, **changes}
        job = make_job(session, clock, **columns)
        mark_if_dead(session, job)
        return job.id


def listed(database: Database) -> list[tuple[TenantSchema, int]]:
    with database.platform() as session:
        found = DeadJobRepository(session).page(DeadJobFilter(), 100)
    return [(TenantSchema(dead.tenant_id), dead.job_id) for dead, _ in found]


def ending(verdict: Verdict) -> Callable[..., Verdict]:
    return lambda _session, _job: verdict


@pytest.mark.parametrize(
    ("verdict", "is_listed"),
    [
        (Completed({}), False),
        (Cancel(Problem("wrong-price", "Too low.")), False),
        (Cancel(Problem("reconnect", "eBay says no."), JobOutcome.BLOCKED), True),
        (Cancel(Problem("lost", "Nobody knows."), JobOutcome.UNKNOWN), True),
    ],
    ids=["ok", "rejected", "blocked", "unknown"],
)
def test_a_job_is_listed_in_the_transaction_that_ends_it(
    database: Database,
    tenant: TenantSchema,
    clock: MovableClock,
    processor: MarketplaceJobProcessor,
    handler: ScriptedHandler,
    verdict: Verdict,
    is_listed: bool,
) -> None:
    """G13: blocked and unknown are the operator's; rejected is the seller's, ok is nobody's."""
    handler.when_prepared = ending(verdict)
    job_id = a_job(database, tenant, clock)
    processor.process_next_job(Lane.BULK)
    assert listed(database) == ([(tenant, job_id)] if is_listed else [])


def test_a_job_that_cost_every_worker_its_life_is_listed(
    database: Database,
    tenant: TenantSchema,
    clock: MovableClock,
    processor: MarketplaceJobProcessor,
    handler: ScriptedHandler,
) -> None:
    """G1, G13: given up, nobody knows what happened."""

    def die(_command: Any, _journal: Any) -> Any:
        raise SystemExit

    handler.acts = [die]
    job_id = a_job(database, tenant, clock, max_attempts=2)
    for _ in range(2):
        with pytest.raises(SystemExit):
            processor.process_next_job(Lane.BULK)
        clock.advance(timedelta(minutes=2))
    processor.process_next_job(Lane.BULK)
    assert listed(database) == [(tenant, job_id)]


def test_a_job_that_is_tried_again_is_taken_off_and_may_die_again(
    database: Database,
    tenant: TenantSchema,
    clock: MovableClock,
    processor: MarketplaceJobProcessor,
    handler: ScriptedHandler,
) -> None:
    """G13."""
    blocked = Cancel(Problem("reconnect", "eBay says no."), JobOutcome.BLOCKED)
    handler.when_prepared = ending(blocked)
    job_id = a_job(database, tenant, clock)
    for _ in range(2):
        processor.process_next_job(Lane.BULK)
        assert listed(database) == [(tenant, job_id)]
        clock.advance(timedelta(minutes=1))
        with database.tenant(tenant) as session:
            JobSteering(clock).retry(session, job_id)
        assert listed(database) == []


def test_a_shop_sees_and_changes_its_own_dead_jobs_only(
    database: Database, tenant: TenantSchema, other_tenant: TenantSchema, clock: MovableClock
) -> None:
    """X2, F9: row-level security, whatever is asked."""
    mine = a_dead_job(database, tenant, clock)
    theirs = a_dead_job(database, other_tenant, clock)
    with database.tenant(tenant) as session:
        marks = DeadJobRepository(session)
        assert [dead.job_id for dead in session.query(DeadJob)] == [mine]
        marks.forget(other_tenant, [theirs])
    assert (other_tenant, theirs) in listed(database)


def test_the_list_of_all_shops_opens_none(
    run: Run,
    database: Database,
    tenant: TenantSchema,
    other_tenant: TenantSchema,
    clock: MovableClock,
) -> None:
    """G13: oldest first, the same at ten shops and at ten thousand."""
    first = a_dead_job(database, other_tenant, clock, problem_code="reconnect")
    clock.advance(timedelta(minutes=1))
    second = a_dead_job(database, tenant, clock, problem_code="gone", problem_detail="Gone.")
    a_job(database, tenant, clock)
    shown = json.loads(run("jobs", "list", "--dead", "--json").stdout)
    assert [(job["tenant"], job["job_id"]) for job in shown] == [
        (other_tenant.name, first),
        (tenant.name, second),
    ]
    assert all("@example.com" in job["email"] for job in shown)
    plain = run("jobs", "list", "--dead", "--problem", "gone").stdout
    assert f"{tenant}  job {second}: publish of product" in plain
    assert "blocked since 2026-06-01 12:01Z: Gone. (gone)" in plain
    assert plain.count("\n") == 1
    with statements_sent(database) as sent, database.platform() as session:
        DeadJobRepository(session).page(DeadJobFilter(), 100)
    assert [each for each in sent if "search_path" in each] == []
    assert len([each for each in sent if "dead_jobs" in each]) == 1


def test_dead_jobs_of_all_shops_are_tried_again_at_once(
    run: Run,
    database: Database,
    tenant: TenantSchema,
    other_tenant: TenantSchema,
    clock: MovableClock,
) -> None:
    """G13, B1: of one channel, with a reason for each that is refused."""
    blocked = a_dead_job(database, tenant, clock)
    other = a_dead_job(database, other_tenant, clock)
    etsy = a_dead_job(database, tenant, clock, channel=Channel.ETSY)
    with database.tenant(tenant) as session:
        product_id = make_product(session, clock).id
    superseded = a_dead_job(database, tenant, clock, product_id=product_id)
    a_job(database, tenant, clock, product_id=product_id)
    done = run("jobs", "retry", "--dead", "--channel", "ebay", "--json")
    assert done.exit_code == 1
    answer = json.loads(done.stdout)
    assert (answer["queued"], answer["needless"]) == (2, 0)
    assert [(each["tenant"], each["job_id"]) for each in answer["refused"]] == [
        (tenant.name, superseded)
    ]
    assert set(listed(database)) == {(tenant, etsy), (tenant, superseded)}
    for shop, job_id in ((tenant, blocked), (other_tenant, other)):
        with database.tenant(shop) as session:
            job = JobRepository(session).get(job_id)
            assert job is not None
            assert (job.status, job.outcome) == (JobStatus.PENDING, None)


def test_a_job_that_a_later_one_made_up_for_is_not_tried_again(
    run: Run, database: Database, tenant: TenantSchema, clock: MovableClock
) -> None:
    """B1: an old publish does not follow a newer one that succeeded."""
    with database.tenant(tenant) as session:
        product_id = make_product(session, clock).id
    old = a_dead_job(database, tenant, clock, product_id=product_id)
    ended = {"status": JobStatus.DONE, "outcome": JobOutcome.OK, "finished_at": clock.now()}
    a_job(database, tenant, clock, product_id=product_id, **ended)
    done = run("jobs", "retry", "--dead")
    assert done.exit_code == 0
    assert done.stdout.endswith("0 queued again, 1 needed nobody any more, 0 refused\n")
    assert listed(database) == []
    with database.tenant(tenant) as session:
        job = JobRepository(session).get(old)
        assert job is not None
        assert job.outcome is JobOutcome.BLOCKED


def test_what_is_asked_for_has_to_be_said(run: Run) -> None:
    """Exit code 2: wrong usage."""
    assert run("jobs", "list").exit_code == 2
    assert run("jobs", "retry").exit_code == 2
    assert run("jobs", "retry", "1").exit_code == 2
    assert run("jobs", "retry", "1", "--dead").exit_code == 2


def review(database: Database) -> int:
    return DeadJobReview(database).review(0, no_stop)[0]


def test_the_review_takes_off_what_needs_nobody_any_more(
    database: Database, tenant: TenantSchema, other_tenant: TenantSchema, clock: MovableClock
) -> None:
    """G13: jobs that live again, that were made up for, and those of a shop that is gone."""
    stays = a_dead_job(database, tenant, clock)
    lives = a_dead_job(database, tenant, clock)
    with database.tenant(tenant) as session:
        session.execute(
            text("UPDATE marketplace_jobs SET status = 'pending' WHERE id = :id"), {"id": lives}
        )
    suspended = a_dead_job(database, other_tenant, clock)
    with database.platform() as session:
        TenantRepository(session).set_status(other_tenant, TenantStatus.SUSPENDED, clock.now())
        session.add(gone_shops_job(clock))
    assert review(database) == 2
    assert set(listed(database)) == {(tenant, stays), (other_tenant, suspended)}
    assert review(database) == 0


def gone_shops_job(clock: MovableClock) -> DeadJob:
    return DeadJob(
        tenant_id=987_654_321,
        job_id=1,
        channel="ebay",
        action="publish",
        outcome="blocked",
        ended_at=clock.now(),
    )


def test_the_review_goes_round_in_slices(
    database: Database,
    clock: MovableClock,
    make_tenant: MakeTenant,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """G13: however many shops have dead jobs, a run stays short."""
    monkeypatch.setattr("services.selling.publishing.dead_jobs.SHOPS_A_REVIEW", 2)
    shops: Sequence[TenantSchema] = [make_tenant() for _ in range(3)]
    for shop in shops:
        a_dead_job(database, shop, clock)
    seen: list[int] = []
    _, position = DeadJobReview(database).review(0, lambda: seen.append(1))
    assert (len(seen), position) == (2, shops[1].tenant_id)
    _, position = DeadJobReview(database).review(position, lambda: seen.append(1))
    assert (len(seen), position) == (3, 0)
