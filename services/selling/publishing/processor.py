"""`MarketplaceJobProcessor`: finds the next job among all shops, runs it, settles it.

It knows no channel: handlers come in a table `(channel, action) → JobHandler`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from models.accounts.tenants import Lane
from models.selling.publishing import (
    Channel,
    JobAction,
    JobOutcome,
    JobStatus,
    JobStep,
    MarketplaceJob,
)
from repositories.accounts.bells import BellRepository, RungBell
from repositories.selling.publishing import UNLIMITED, JobRepository, RunningCaps
from services.selling.publishing import transitions
from services.selling.publishing.dead_jobs import mark_if_dead
from services.selling.publishing.failures import UPGRADE_PAUSE, verdict_on
from services.selling.publishing.handlers import (
    AnyHandler,
    Cancel,
    CancelRequested,
    Completed,
    LeaseLost,
    Parked,
    Problem,
    Retry,
    Snooze,
    Unknown,
    Verdict,
)
from services.selling.publishing.journal import JobJournal, locked_under
from services.selling.publishing.lease import Lease, LeaseKeeper
from services.selling.publishing.news import tell_of_job
from services.selling.publishing.transitions import Tally
from shared.clock import Clock
from shared.database import Database, TenantSession
from shared.errors import TenantUnavailable
from shared.ids import new_uuid

log = structlog.get_logger(__name__)

HandlerTable = Mapping[tuple[Channel, JobAction], AnyHandler]

BELL_LEASE = timedelta(seconds=10)
"""How long a worker may take from a bell to a claimed job before another looks too."""

_WORKERS_DIED = Problem(
    "workers-died",
    "Our workers stopped in the middle of this each time; look on the channel before you retry.",
)

PICKED_UP, TAKEN_OVER, GIVEN_UP = "picked up", "taken over", "given up"
HANDED_BACK, TOLD_TO_WAIT = "handed back", "told to wait"
"""What the story calls what the processor itself does; failed attempts are counted by it."""

_VERDICTS = (Completed, Retry, Snooze, Cancel, Parked, Unknown)


@dataclass(frozen=True, slots=True)
class ProcessedJob:
    """What one turn of the processor did."""

    lease: Lease
    channel: Channel
    action: JobAction
    status: JobStatus
    outcome: JobOutcome | None
    attempts: int


class MarketplaceJobProcessor:
    """Runs jobs of every channel. Safe to share between threads and processes."""

    def __init__(
        self,
        database: Database,
        handlers: HandlerTable,
        leases: LeaseKeeper,
        clock: Clock,
        owner: str,
        caps: RunningCaps = UNLIMITED,
        longest_wait: timedelta = transitions.BACKOFF_CAP,
    ) -> None:
        self._database = database
        self._handlers = handlers
        self._leases = leases
        self._clock = clock
        self._owner = owner
        self._longest_wait = longest_wait
        self._caps = caps

    def process_next_job(
        self, lane: Lane, when_claimed: Callable[[], None] = lambda: None
    ) -> ProcessedJob | None:
        """Run the next due job of a lane to the end of its attempt; None when nothing is due.

        `when_claimed` is called in between: there may be more to do for somebody else.
        """
        while (bell := self._next_bell(lane)) is not None:
            claimed = self._claim(bell)
            if claimed is not None:
                when_claimed()
                return self._run(*claimed)
        return None

    def hand_back_running(self) -> int:
        """Let go of every job that still runs in this process; returns how many.

        For a process that has to end now: another worker takes them up within seconds and asks the
        channel first; whatever the threads here still come up with is fenced off.
        """
        return sum(self._hand_back(lease) for lease in self._leases.held())

    def _next_bell(self, lane: Lane) -> RungBell | None:
        now = self._clock.now()
        with self._database.platform() as session:
            return BellRepository(session).lease_next(lane, now, now + BELL_LEASE)

    def _claim(self, bell: RungBell) -> tuple[Lease, MarketplaceJob] | None:
        try:
            with self._database.tenant(bell.tenant) as session:
                return self._claim_in(session, bell)
        except TenantUnavailable:
            with self._database.platform() as session:
                BellRepository(session).put_off(bell, self._clock.now() + UPGRADE_PAUSE)
            return None

    def _claim_in(
        self, session: TenantSession, bell: RungBell
    ) -> tuple[Lease, MarketplaceJob] | None:
        bells, jobs, now = BellRepository(session), JobRepository(session), self._clock.now()
        if not bells.lock(bell):
            return None
        job = jobs.next_due(bell.lane, now, self._caps)
        claimed = None
        if job is not None:
            lease = Lease(bell.tenant, job.id, new_uuid(), self._owner)
            claimed = (lease, job) if self._start(session, lease, job) else None
        self._set_bell(session, bell)
        return claimed

    def _start(self, session: TenantSession, lease: Lease, job: MarketplaceJob) -> bool:
        """Take the job, unless it has cost too many workers already."""
        now, died = self._clock.now(), job.status is JobStatus.RUNNING
        if died and _tally(session, job).died + 1 >= job.max_attempts:
            transitions.give_up(job, _WORKERS_DIED, now=now)
            self._tell(session, lease, job, GIVEN_UP)
            return False
        until = now + self._leases.duration
        transitions.start(job, lease=lease.id, owner=lease.owner, now=now, until=until)
        self._tell(session, lease, job, TAKEN_OVER if died else PICKED_UP)
        return True

    def _set_bell(self, session: TenantSession, bell: RungBell) -> None:
        """Ring when the next job is due, but never earlier than now: shops take turns."""
        session.flush()
        due_at = JobRepository(session).next_due_at(bell.lane, self._caps)
        BellRepository(session).set(bell, due_at and max(due_at, self._clock.now()))

    def _run(self, lease: Lease, job: MarketplaceJob) -> ProcessedJob:
        context = {"tenant": lease.tenant.name, "job_id": job.id}
        with structlog.contextvars.bound_contextvars(**context), self._leases.keeping(lease):
            try:
                settled = self._attempt(lease, job)
            except LeaseLost:
                log.warning("job.lease_lost", channel=job.channel, action=job.action)
                settled = job
            except TenantUnavailable as error:
                # Nothing of this attempt can be written; it is taken over when the shop is open.
                log.warning("job.shop_closed", because=error.detail)
                settled = job
            log.info(
                "job.attempt_ended",
                channel=job.channel,
                action=job.action,
                status=settled.status,
                outcome=settled.outcome,
                problem=settled.problem_code,
            )
        return ProcessedJob(
            lease, job.channel, job.action, settled.status, settled.outcome, settled.attempts
        )

    def _attempt(self, lease: Lease, job: MarketplaceJob) -> MarketplaceJob:
        handler = self._handlers.get((job.channel, job.action))
        if handler is None:
            return self._settle(lease, job, Cancel(_no_handler(job), JobOutcome.BLOCKED))
        outside = False
        try:
            command = self._prepared(handler, lease)
            if isinstance(command, _VERDICTS):
                return self._settle(lease, job, command)
            outside = True
            return self._carried_out(handler, command, lease, job)
        except LeaseLost:
            raise
        except CancelRequested:
            return self._settle_cancelled(lease, job)
        except Exception as error:
            return self._settle(lease, job, verdict_on(error, outside=outside))

    def _prepared(self, handler: AnyHandler, lease: Lease) -> Any:
        with self._database.tenant(lease.tenant) as session:
            locked = locked_under(session, lease)
            if transitions.may_be_cancelled(locked):
                raise CancelRequested
            return handler.prepare(session, locked)

    def _carried_out(
        self, handler: AnyHandler, command: object, lease: Lease, job: MarketplaceJob
    ) -> MarketplaceJob:
        journal = JobJournal(self._database, self._clock, lease, job)
        result = handler.perform(command, journal)
        if isinstance(result, Parked | Unknown):
            return self._settle(lease, job, result)
        with self._database.tenant(lease.tenant) as session:
            locked = _locked_after_its_bell(session, lease, job.lane)
            verdict = handler.record(session, locked, result)
            if isinstance(verdict, Cancel):
                transitions.make_certain(locked)
            return self._settle_in(session, lease, locked, verdict)

    def _settle(self, lease: Lease, job: MarketplaceJob, verdict: Verdict) -> MarketplaceJob:
        with self._database.tenant(lease.tenant) as session:
            locked = _locked_after_its_bell(session, lease, job.lane)
            return self._settle_in(session, lease, locked, verdict)

    def _settle_in(
        self, session: TenantSession, lease: Lease, job: MarketplaceJob, verdict: Verdict
    ) -> MarketplaceJob:
        if transitions.may_be_cancelled(job) and isinstance(verdict, Retry | Snooze):
            transitions.cancel(job, now=self._clock.now())
        else:
            failed = isinstance(verdict, Retry | Unknown)
            tally = _tally(session, job) if failed else Tally()
            now, cap = self._clock.now(), self._longest_wait
            transitions.settle(job, verdict, tally, now=now, cap=cap)
        self._tell(session, lease, job, _name_of(verdict), verdict)
        self._set_bell(session, RungBell(lease.tenant, job.lane))
        return job

    def _settle_cancelled(self, lease: Lease, job: MarketplaceJob) -> MarketplaceJob:
        with self._database.tenant(lease.tenant) as session:
            locked = _locked_after_its_bell(session, lease, job.lane)
            transitions.cancel(locked, now=self._clock.now())
            self._tell(session, lease, locked, "cancelled")
            self._set_bell(session, RungBell(lease.tenant, job.lane))
            return locked

    def _hand_back(self, lease: Lease) -> bool:
        try:
            with self._database.tenant(lease.tenant) as session:
                found = JobRepository(session).get(lease.job_id)
                if found is None:
                    return False
                job = _locked_after_its_bell(session, lease, found.lane)
                transitions.hand_back(job, now=self._clock.now())
                self._tell(session, lease, job, HANDED_BACK)
                self._set_bell(session, RungBell(lease.tenant, job.lane))
                return True
        except LeaseLost:
            return False
        except Exception:
            log.exception("job.not_handed_back", tenant=lease.tenant.name, job_id=lease.job_id)
            return False

    def _tell(
        self,
        session: TenantSession,
        lease: Lease,
        job: MarketplaceJob,
        name: str,
        verdict: Verdict | None = None,
    ) -> None:
        mark_if_dead(session, job)
        now = self._clock.now()
        detail: dict[str, object] = {"status": job.status}
        if job.outcome is not None:
            detail["outcome"] = job.outcome
        if isinstance(verdict, Retry | Cancel | Unknown):
            detail["problem"] = verdict.problem.code
            detail["says"] = verdict.problem.detail
        if isinstance(verdict, Unknown):
            detail["evidence"] = verdict.evidence
        if job.status is JobStatus.PENDING:
            detail["next_try_at"] = job.due_at.isoformat()
        JobRepository(session).add_step(
            JobStep(
                job_id=job.id,
                attempt=job.attempts,
                name=name,
                lease_owner=lease.owner,
                detail=detail,
                started_at=now,
                finished_at=now,
            )
        )
        tell_of_job(session, job, now)


def _locked_after_its_bell(session: TenantSession, lease: Lease, lane: Lane) -> MarketplaceJob:
    """Bell before job, like everybody else, so that nobody waits in a circle."""
    BellRepository(session).lock(RungBell(lease.tenant, lane))
    return locked_under(session, lease)


def _tally(session: TenantSession, job: MarketplaceJob) -> Tally:
    """Counted from the story, which misses no attempt."""
    since, told = JobRepository(session).told_of_this_try(job.id, PICKED_UP)
    return Tally(
        died=told.get(TAKEN_OVER, 0),
        refused=told.get(_word(Retry), 0),
        lost=told.get(_word(Unknown), 0) + told.get(_word(Parked), 0),
        since=since,
    )


def _name_of(verdict: Verdict) -> str:
    return TOLD_TO_WAIT if transitions.was_told_to_wait(verdict) else _word(type(verdict))


def _word(kind: type[Verdict]) -> str:
    return kind.__name__.lower()


def _no_handler(job: MarketplaceJob) -> Problem:
    return Problem(
        "no-handler", f"This installation cannot {job.action} on {job.channel}; nothing was sent."
    )
