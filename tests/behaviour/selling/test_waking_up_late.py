"""A worker that slept while another took its job over: whatever it does then, nothing is written.

Its own outside calls cannot be taken back; that is why handlers write a checkpoint before each.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.accounts.tenants import Lane
from models.selling.publishing import Channel, JobAction, JobOutcome, JobStatus, MarketplaceJob
from repositories.selling.publishing import JobRepository
from services.selling.publishing.handlers import Journal, LeaseLost, Parked, Problem, Unknown
from services.selling.publishing.lease import LeaseKeeper
from services.selling.publishing.processor import MarketplaceJobProcessor
from shared.clock import MovableClock
from shared.database import Database, TenantSchema
from shared.errors import APITimeoutError, EbayError, Remedy
from tests.factories.selling import make_job
from tests.fakes.handlers import ScriptedHandler

LEASE = timedelta(seconds=60)

Act = Callable[[Journal], "dict[str, Any] | Parked | Unknown"]


def raises(error: Exception) -> Act:
    def act(journal: Journal) -> dict[str, Any]:
        raise error

    return act


def checkpoint(journal: Journal) -> dict[str, Any]:
    with pytest.raises(LeaseLost):
        journal.checkpoint("late", progress={"late": True}, certain=True)
    return {"late": True}


LATE: dict[str, Act] = {
    "checkpoint": checkpoint,
    "result": lambda journal: {"late": True},
    "unknown": lambda journal: Unknown(Problem("lost", "no answer")),
    "parked": lambda journal: Parked(datetime(2027, 1, 1, tzinfo=UTC), "the browser"),
    "refusal": raises(EbayError("no", remedy=Remedy.FIX_DATA)),
    "busy": raises(EbayError("busy")),
    "timeout": raises(APITimeoutError("no answer")),
    "bug": raises(ValueError("a bug")),
}


@pytest.fixture
def handler() -> ScriptedHandler:
    return ScriptedHandler()


def worker(
    database: Database, clock: MovableClock, handler: ScriptedHandler, owner: str
) -> tuple[MarketplaceJobProcessor, LeaseKeeper]:
    leases = LeaseKeeper(database, clock, LEASE)
    table = {(Channel.EBAY, JobAction.PUBLISH): handler}
    return MarketplaceJobProcessor(database, table, leases, clock, owner), leases


def as_it_stands(database: Database, tenant: TenantSchema, job_id: int) -> dict[str, Any]:
    with database.tenant(tenant) as session:
        job = JobRepository(session).get(job_id)
        steps = JobRepository(session).steps(job_id)
    assert job is not None
    columns = {each.name: getattr(job, each.name) for each in MarketplaceJob.__table__.columns}
    return {**columns, "story": [(step.lease_owner, step.name) for step in steps]}


@pytest.mark.parametrize("what", LATE)
def test_nothing_that_a_late_worker_says_is_written(
    database: Database,
    tenant: TenantSchema,
    clock: MovableClock,
    handler: ScriptedHandler,
    what: str,
) -> None:
    """G1, G4, B1: the other has finished meanwhile."""
    second, _ = worker(database, clock, handler, "second")
    afterwards: list[dict[str, Any]] = []

    def sleeps(command: int, journal: Journal) -> "dict[str, Any] | Parked | Unknown":
        clock.advance(LEASE)
        assert second.process_next_job(Lane.BULK) is not None
        afterwards.append(as_it_stands(database, tenant, command))
        return LATE[what](journal)

    handler.acts = [sleeps, lambda command, journal: {"by": "the second"}]
    with database.tenant(tenant) as session:
        job_id = make_job(session, clock).id
    worker(database, clock, handler, "first")[0].process_next_job(Lane.BULK)
    assert [as_it_stands(database, tenant, job_id)] == afterwards
    assert (afterwards[0]["status"], afterwards[0]["outcome"]) == (JobStatus.DONE, JobOutcome.OK)
    assert afterwards[0]["result"] == {"by": "the second"}


def test_a_late_worker_can_neither_prolong_its_lease_nor_hand_the_job_back(
    database: Database, tenant: TenantSchema, clock: MovableClock, handler: ScriptedHandler
) -> None:
    """G1, G4: while the other is still at it."""
    first, leases = worker(database, clock, handler, "first")
    second, _ = worker(database, clock, handler, "second")
    seen: list[object] = []

    def sleeps(command: int, journal: Journal) -> dict[str, Any]:
        clock.advance(LEASE)
        second.process_next_job(Lane.BULK)
        return {}

    def busy(command: int, journal: Journal) -> dict[str, Any]:
        before = as_it_stands(database, tenant, command)
        seen.extend([leases.beat(), first.hand_back_running()])
        assert as_it_stands(database, tenant, command) == before
        return {}

    handler.acts = [sleeps, busy]
    with database.tenant(tenant) as session:
        make_job(session, clock)
    first.process_next_job(Lane.BULK)
    assert seen == [0, 0]


def test_a_job_that_is_handed_back_is_taken_up_within_seconds_and_asks_the_channel_first(
    database: Database, tenant: TenantSchema, clock: MovableClock, handler: ScriptedHandler
) -> None:
    """G1, B1: not only when its lease has run out."""
    first, _ = worker(database, clock, handler, "first")
    second, _ = worker(database, clock, handler, "second")
    probes: list[bool] = []

    def leaves(command: int, journal: Journal) -> dict[str, Any]:
        assert first.hand_back_running() == 1
        return {"late": True}

    def goes_on(command: int, journal: Journal) -> dict[str, Any]:
        probes.append(journal.must_probe)
        return {"by": "the second"}

    handler.acts = [leaves, goes_on]
    with database.tenant(tenant) as session:
        job_id = make_job(session, clock).id
    first.process_next_job(Lane.BULK)
    waiting = as_it_stands(database, tenant, job_id)
    assert (waiting["status"], waiting["outcome"]) == (JobStatus.PENDING, JobOutcome.UNKNOWN)
    clock.advance(timedelta(seconds=2))
    assert second.process_next_job(Lane.BULK) is not None
    assert probes == [True]
    done = as_it_stands(database, tenant, job_id)
    assert (done["status"], done["result"]) == (JobStatus.DONE, {"by": "the second"})
    assert done["story"][:3] == [
        ("first", "picked up"),
        ("first", "handed back"),
        ("second", "picked up"),
    ]
