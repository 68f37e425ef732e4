"""Jobs under every order of events that hypothesis can think of, on the real database.

A made-up channel keeps count of what is created there. Workers die, oversleep and are told to
leave, answers get lost, the channel refuses, sellers cancel and retry, time passes: whatever
happens, nothing is created twice and nothing that exists there is forgotten here.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from itertools import groupby, product
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import event, select, text

from models.accounts.tenants import Lane, TenantBell
from models.selling.publishing import (
    LIVE_STATUSES,
    Channel,
    JobAction,
    JobOutcome,
    JobStatus,
    JobStep,
    MarketplaceJob,
)
from repositories.selling.publishing import JobRepository
from services.selling.publishing.claiming import BELL_LEASE
from services.selling.publishing.handlers import (
    CancelRequested,
    Completed,
    Journal,
    Parked,
    Snooze,
    Unknown,
    Verdict,
)
from services.selling.publishing.lease import LeaseKeeper
from services.selling.publishing.pace import Pace
from services.selling.publishing.processor import MarketplaceJobProcessor
from services.selling.publishing.steering import (
    JobAlreadyEnded,
    JobBeingChecked,
    JobNotRetryable,
    JobSteering,
    JobSuperseded,
)
from services.selling.publishing.sweeping import BellSweeper
from shared.clock import MovableClock
from shared.database import Database, TenantSchema
from shared.errors import APITimeoutError, EbayError, Remedy
from tests.factories.selling import make_job, make_product

LEASE = timedelta(seconds=60)
PRODUCTS = 3
LANES = {JobAction.PUBLISH: Lane.BULK, JobAction.DELETE: Lane.REALTIME}

S = JobStatus
ALLOWED = {
    (S.PENDING, S.RUNNING),
    (S.PENDING, S.CANCELLED),
    (S.RUNNING, S.RUNNING),
    (S.RUNNING, S.PENDING),
    (S.RUNNING, S.PARKED),
    (S.RUNNING, S.DONE),
    (S.RUNNING, S.CANCELLED),
    (S.PARKED, S.PENDING),
    (S.PARKED, S.RUNNING),
    (S.PARKED, S.CANCELLED),
    (S.DONE, S.PENDING),
    (S.CANCELLED, S.PENDING),
}
"""Written down here again, so that widening the table in the product is noticed."""


class Killed(BaseException):
    """What no handler catches, as a SIGKILL."""


class Trouble(StrEnum):
    """What goes wrong in an attempt."""

    NOTHING = "nothing"
    SNOOZED = "the handler waits for the seller"
    BUG_BEFORE = "prepare has a bug"
    BUSY = "the channel is busy"
    TOLD_TO_WAIT = "the channel says when to come back"
    DATA_REFUSED = "the channel refuses the data"
    REVOKED = "the token is dead"
    DIES = "the worker is killed"
    OVERSLEEPS = "the worker sleeps until another has taken over"
    LEAVES = "the worker is told to leave"
    CANCELLED = "the seller cancels meanwhile"
    ANSWER_LOST = "the answer is lost"
    BUG = "perform has a bug"
    PARKED = "somebody else answers later"


RAISED: dict[Trouble, Callable[[], BaseException]] = {
    Trouble.DIES: Killed,
    Trouble.ANSWER_LOST: lambda: APITimeoutError("no answer"),
    Trouble.BUG: lambda: ValueError("a bug"),
}
REFUSED: dict[Trouble, Callable[[], Exception]] = {
    Trouble.BUSY: lambda: EbayError("busy"),
    Trouble.TOLD_TO_WAIT: lambda: EbayError("slow down", retry_after=30),
    Trouble.DATA_REFUSED: lambda: EbayError("no", remedy=Remedy.FIX_DATA),
    Trouble.REVOKED: lambda: EbayError("who are you", remedy=Remedy.RECONNECT),
}
"""An answer that says no: a handler has noted what it did before."""


@dataclass
class MadeUpChannel:
    """Where things are created, by job."""

    created: Counter[int] = field(default_factory=Counter)


@dataclass
class Plan:
    """How one attempt goes: the trouble, and whether it comes before or after the creation."""

    trouble: Trouble = Trouble.NOTHING
    after_creation: bool = False
    noted: bool = False
    """Whether the creation is noted before the trouble comes."""


@dataclass
class PlannedHandler:
    """Creates one thing a job, as the contract of handlers wants it done."""

    channel: MadeUpChannel
    clock: MovableClock
    plan: Plan = field(default_factory=Plan)
    oversleep: Callable[[], None] = lambda: None
    leave: Callable[[], None] = lambda: None
    cancel: Callable[[int], None] = lambda job_id: None

    def prepare(self, session: Any, job: MarketplaceJob) -> "int | Verdict":
        if self.plan.trouble is Trouble.SNOOZED:
            return Snooze(self.clock.now() + timedelta(minutes=5), "the seller to sign in")
        if self.plan.trouble is Trouble.BUG_BEFORE:
            raise ValueError("a bug")
        return job.id

    def perform(self, command: int, journal: Journal) -> "dict[str, Any] | Parked | Unknown":
        plan, self.plan = self.plan, Plan()
        found = journal.must_probe and self.channel.created[command] > 0
        if journal.must_probe and not found:
            journal.checkpoint("nothing there", certain=True)
        if not plan.after_creation:
            parked = self._suffer(plan, command)
            if parked is not None:
                return parked
        if not found:
            journal.checkpoint("about to create")
            self.channel.created[command] += 1
        if plan.noted or not plan.after_creation:
            with suppress(CancelRequested):
                journal.checkpoint("created", progress={"id": command}, certain=False)
        if plan.after_creation:
            parked = self._suffer(plan, command)
            if parked is not None:
                return parked
        return {"id": command}

    def record(self, session: Any, job: MarketplaceJob, result: dict[str, Any]) -> Verdict:
        return Completed(result)

    def _suffer(self, plan: Plan, job_id: int) -> Parked | None:
        if plan.trouble in RAISED:
            raise RAISED[plan.trouble]()
        if plan.trouble in REFUSED and not (plan.after_creation and not plan.noted):
            raise REFUSED[plan.trouble]()
        if plan.trouble is Trouble.PARKED:
            return Parked(self.clock.now() + timedelta(minutes=5), "the browser")
        if plan.trouble is Trouble.OVERSLEEPS:
            self.oversleep()
        if plan.trouble is Trouble.LEAVES:
            self.leave()
        if plan.trouble is Trouble.CANCELLED:
            self.cancel(job_id)
        return None


PLANS = st.builds(Plan, st.sampled_from(Trouble), st.booleans(), st.booleans())
MOMENTS = st.sampled_from(
    [timedelta(seconds=1), timedelta(seconds=30), LEASE, timedelta(minutes=20), timedelta(days=1)]
)


class LifeOfJobs(RuleBasedStateMachine):
    """One shop, its products, any number of workers."""

    database: Database
    tenant: TenantSchema
    clock: MovableClock
    visiting: bool
    """Whether jobs share visits."""

    def __init__(self) -> None:
        super().__init__()
        self.channel = MadeUpChannel()
        self.handler = PlannedHandler(
            self.channel, self.clock, oversleep=self._oversleep, cancel=self._cancel_running
        )
        self.workers = 0
        self.asked = 0
        self.jobs: list[int] = []
        self.moves: list[tuple[JobStatus, JobStatus]] = []
        event.listen(MarketplaceJob.status, "set", self._moved)

    @initialize()
    def open(self) -> None:
        with self.database.tenant(self.tenant) as session:
            for table in ("job_steps", "marketplace_jobs"):
                session.execute(text(f"DELETE FROM {table}"))
            session.execute(text("DELETE FROM public.tenant_bells"))
            self.products = [make_product(session, self.clock).id for _ in range(PRODUCTS)]
        for place in range(PRODUCTS):
            self.ask(place, JobAction.PUBLISH)

    def teardown(self) -> None:
        try:
            self._come_to_rest()
        finally:
            event.remove(MarketplaceJob.status, "set", self._moved)

    @rule(place=st.integers(0, PRODUCTS - 1), action=st.sampled_from(list(LANES)))
    def ask(self, place: int, action: JobAction) -> None:
        """A seller asks; what is being done already is not asked for twice."""
        with self.database.tenant(self.tenant) as session:
            product_id = self.products[place]
            if JobRepository(session).live_job(action, Channel.EBAY, product_id) is None:
                changes = {"product_id": product_id, "action": action, "lane": LANES[action]}
                self.jobs.append(make_job(session, self.clock, max_attempts=4, **changes).id)

    @precondition(lambda self: self.jobs)
    @rule(
        plans=st.lists(PLANS, min_size=3, max_size=8),
        lane=st.sampled_from((Lane.BULK, Lane.BULK, Lane.REALTIME)),
    )
    def work(self, plans: list[Plan], lane: Lane) -> None:
        """Attempt after attempt, each when it is due, each by a new worker."""
        for plan in plans:
            self._wait_for_the_bell(lane)
            self._work(plan, lane)
            self._check()

    @rule(by=MOMENTS)
    def wait(self, by: timedelta) -> None:
        """Time passes, and somebody looks whether all bells hang."""
        self.clock.advance(by)
        BellSweeper(self.database, self.clock).sweep()

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        """The seller changes their mind; what may have happened is not cancelled away."""
        job = self._job(data.draw(st.sampled_from(self.jobs)))
        if job.status is S.PENDING and data.draw(st.sampled_from((True, True, True, False))):
            return  # Most of what waits is left to run.
        expected: type[Exception] | None = None
        if job.status not in LIVE_STATUSES:
            expected = JobAlreadyEnded
        elif job.outcome is JobOutcome.UNKNOWN:
            expected = JobBeingChecked
        with _raising(expected), self.database.tenant(self.tenant) as session:
            JobSteering(self.clock).cancel(session, job.id)

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        """The seller asks for another try of what ended without success."""
        job = self._job(data.draw(st.sampled_from(self.jobs)))
        expected: type[Exception] | None = None
        if job.status in LIVE_STATUSES or job.outcome is JobOutcome.OK:
            expected = JobNotRetryable
        elif any(_same_work(job, other) for other in self._all() if other.is_live):
            expected = JobSuperseded
        with _raising(expected), self.database.tenant(self.tenant) as session:
            JobSteering(self.clock).retry(session, job.id)

    @invariant()
    def only_allowed_moves(self) -> None:
        assert set(self.moves) <= ALLOWED

    @invariant()
    def at_most_one_live_job_does_the_same(self) -> None:
        live = [(job.product_id, job.channel, job.action) for job in self._all() if job.is_live]
        assert len(live) == len(set(live))

    @invariant()
    def no_job_is_lost(self) -> None:
        assert sorted(job.id for job in self._all()) == sorted(self.jobs)

    @invariant()
    def what_is_said_of_a_job_fits_together(self) -> None:
        for job in self._all():
            ended = job.status in (S.DONE, S.CANCELLED)
            assert (job.finished_at is not None) == ended
            assert (job.status is S.RUNNING) <= (job.lease_id is not None)
            assert (job.leased_until is not None) == (job.status in (S.RUNNING, S.PARKED))
            if job.status is S.DONE:
                assert job.outcome is not None
            assert (job.outcome is JobOutcome.OK) == (job.result is not None)

    @invariant()
    def a_bell_rings_in_time_for_all_that_waits(self) -> None:
        now = self.clock.now()
        with self.database.platform() as session:
            bells = {bell.lane: bell for bell in session.scalars(select(TenantBell))}
        for job in self._all():
            due = job.due_at if job.status is S.PENDING else job.leased_until
            if job.is_live and due is not None:
                assert job.lane in bells, f"job {job.id} waits unheard"
                assert bells[job.lane].due_at <= max(due, now)
                assert (bells[job.lane].leased_until or now) <= now + BELL_LEASE

    @invariant()
    def the_story_tells_every_attempt_and_whom_it_was_taken_from(self) -> None:
        with self.database.tenant(self.tenant) as session:
            steps = session.scalars(select(JobStep).order_by(JobStep.id)).all()
        for job in self._all():
            story = [step for step in steps if step.job_id == job.id]
            owners = [step.lease_owner for step in story]
            changes = [owner for owner, _ in groupby(owners)]
            assert len(changes) == len(set(changes)), "a fenced-off worker has written"
            picked = sum(step.name in ("picked up", "taken over") for step in story)
            snoozed = sum(step.name == "snooze" for step in story)
            assert picked - snoozed >= job.attempts

    @invariant()
    def nothing_is_created_twice_and_nothing_that_exists_is_forgotten(self) -> None:
        for job in self._all():
            created = self.channel.created[job.id]
            assert created <= 1
            if job.outcome is JobOutcome.OK:
                assert created == 1
            elif not job.is_live and job.outcome is not JobOutcome.UNKNOWN:
                assert created == 0, f"job {job.id} ended {job.status}, {job.outcome}"

    def _work(self, plan: Plan, lane: Lane) -> None:
        self.workers += 1
        table = {(Channel.EBAY, action): self.handler for action in LANES}
        leases = LeaseKeeper(self.database, self.clock, LEASE)
        owner = f"worker-{self.workers}"
        processor = MarketplaceJobProcessor(
            self.database, table, leases, self.clock, owner, pace=everything_is_quick()
        )
        self.handler.plan, self.handler.leave = plan, lambda: _leave(processor)
        self.lane = lane
        try:
            with suppress(Killed):
                if self.visiting:
                    processor.visit_next_shop([lane])
                else:
                    processor.process_next_job(lane)
        finally:
            self.handler.plan = Plan()

    def _check(self) -> None:
        """The invariants, in the middle of a rule."""
        self.only_allowed_moves()
        self.what_is_said_of_a_job_fits_together()
        self.a_bell_rings_in_time_for_all_that_waits()
        self.nothing_is_created_twice_and_nothing_that_exists_is_forgotten()

    def _wait_for_the_bell(self, lane: Lane) -> None:
        with self.database.platform() as session:
            due = session.scalar(select(TenantBell.due_at).where(TenantBell.lane == lane))
        if due is not None:
            self.clock.advance(max(timedelta(0), due - self.clock.now()))

    def _oversleep(self) -> None:
        """Somebody else works on the same lane meanwhile, and has no trouble."""
        self.clock.advance(LEASE)
        self._work(Plan(), self.lane)

    def _cancel_running(self, job_id: int) -> None:
        with (
            suppress(JobBeingChecked, JobAlreadyEnded),
            self.database.tenant(self.tenant) as session,
        ):
            JobSteering(self.clock).cancel(session, job_id)

    def _come_to_rest(self) -> None:
        """Without further trouble every job ends; the bells alone say when to look."""
        for _ in range(200):
            with self.database.platform() as session:
                due = session.scalars(select(TenantBell.due_at)).all()
            if not due:
                break
            self.clock.advance(max(timedelta(0), min(due) - self.clock.now()) + BELL_LEASE)
            for lane in Lane:
                self._work(Plan(), lane)
        assert [job.id for job in self._all() if job.is_live] == []
        self.nothing_is_created_twice_and_nothing_that_exists_is_forgotten()
        self.only_allowed_moves()

    def _all(self) -> list[MarketplaceJob]:
        with self.database.tenant(self.tenant) as session:
            return list(session.scalars(select(MarketplaceJob).order_by(MarketplaceJob.id)))

    def _job(self, job_id: int) -> MarketplaceJob:
        return next(job for job in self._all() if job.id == job_id)

    def _moved(self, job: MarketplaceJob, new: JobStatus, old: Any, initiator: Any) -> None:
        if isinstance(old, JobStatus):
            self.moves.append((old, new))


def _leave(processor: MarketplaceJobProcessor) -> None:
    assert processor.hand_back_running() >= 1


def everything_is_quick() -> Pace:
    pace = Pace()
    for kind in product(Channel, JobAction):
        pace.note(kind, 0.0)
    return pace


def _same_work(one: MarketplaceJob, other: MarketplaceJob) -> bool:
    return (one.product_id, one.action) == (other.product_id, other.action)


@contextmanager
def _raising(expected: type[Exception] | None) -> Iterator[None]:
    if expected is None:
        yield
    else:
        with pytest.raises(expected):
            yield


@pytest.mark.parametrize("visiting", [False, True], ids=["alone", "in visits"])
def test_whatever_happens_nothing_is_created_twice_and_nothing_is_forgotten(
    database: Database, tenant: TenantSchema, clock: MovableClock, visiting: bool
) -> None:
    """B1, B2, B3, G1, G2, G3, G4, G6, G12, ST28: checked after every step of every life."""

    def life() -> LifeOfJobs:
        LifeOfJobs.database, LifeOfJobs.tenant, LifeOfJobs.clock = database, tenant, clock
        LifeOfJobs.visiting = visiting
        return LifeOfJobs()

    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        life,
        settings=settings(
            max_examples=30,
            stateful_step_count=12,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
