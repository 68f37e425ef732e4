"""Every change of a job's status happens here, and only along the table of allowed moves."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID

from models.selling.publishing import JobOutcome, JobStatus, MarketplaceJob
from services.selling.publishing.handlers import (
    Cancel,
    Completed,
    Parked,
    Problem,
    Retry,
    Snooze,
    Unknown,
    Verdict,
)
from shared.backoff import full_jitter, longest

ALLOWED: Mapping[JobStatus, frozenset[JobStatus]] = {
    JobStatus.PENDING: frozenset({JobStatus.RUNNING, JobStatus.CANCELLED}),
    JobStatus.RUNNING: frozenset(
        {
            JobStatus.RUNNING,
            JobStatus.PENDING,
            JobStatus.PARKED,
            JobStatus.DONE,
            JobStatus.CANCELLED,
        }
    ),
    JobStatus.PARKED: frozenset(
        {JobStatus.PENDING, JobStatus.RUNNING, JobStatus.DONE, JobStatus.CANCELLED}
    ),
    JobStatus.DONE: frozenset({JobStatus.PENDING}),
    JobStatus.CANCELLED: frozenset({JobStatus.PENDING}),
}
"""running → running is the rescue of a job whose worker died; parked → pending is the answer that
came; done or cancelled → pending is the seller's retry."""

BACKOFF_BASE = timedelta(seconds=2)
"""The first wait at most; also how long after a lost answer the channel is asked about it."""

BACKOFF_CAP = timedelta(minutes=15)

PATIENCE = timedelta(hours=24)
"""How long after its first pick-up a job may go on failing before it ends."""


class IllegalTransition(Exception):
    """A bug: somebody asked for a move that the table does not allow."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What went wrong since the seller asked, by kind: each may happen `max_attempts` times."""

    died: int = 0
    """Workers that took the job over from one that had died."""
    refused: int = 0
    """Failures in passing."""
    lost: int = 0
    """Answers that never came."""
    since: datetime | None = None
    """The first pick-up."""

    def is_out_of_patience(self, now: datetime) -> bool:
        """Whether the job has been failing for too long, however often."""
        return self.since is not None and now - self.since >= PATIENCE


def start(job: MarketplaceJob, *, lease: UUID, owner: str, now: datetime, until: datetime) -> None:
    """A worker takes the job; taking over from a dead one means that nobody knows what happened."""
    if job.status is not JobStatus.PENDING:
        job.outcome = JobOutcome.UNKNOWN
    _move(job, JobStatus.RUNNING)
    job.attempts += 1
    job.lease_id, job.lease_owner, job.leased_until = lease, owner, until
    job.started_at = job.started_at or now
    job.waiting_for = None


def settle(
    job: MarketplaceJob,
    verdict: Verdict,
    tally: Tally,
    *,
    now: datetime,
    cap: timedelta = BACKOFF_CAP,
) -> None:
    """Apply how an attempt ended; `tally` is what had gone wrong before it, `cap` the longest wait
    for a next try that nobody asked us for.
    """
    match verdict:
        case Completed(result):
            _finish(job, JobStatus.DONE, JobOutcome.OK, now)
            job.result = result
            _note(job, None)
        case Cancel(problem, outcome):
            _fail(job, problem, outcome, now)
        case Retry():
            _retry(job, verdict, tally, now, cap)
        case Unknown(problem, _):
            _recheck(job, problem, tally, now, cap)
        case Snooze(until, reason):
            _wait(job, until, reason)
            job.attempts -= 1
        case Parked(deadline, waiting_for, _):
            _move(job, JobStatus.PARKED)
            job.leased_until, job.waiting_for = deadline, waiting_for
        case _:
            assert_never(verdict)


def hand_back(job: MarketplaceJob, *, now: datetime) -> None:
    """Its worker has to leave in the middle of it; what it had sent may still be carried out."""
    _wait(job, now + BACKOFF_BASE, "another worker")
    job.outcome = JobOutcome.UNKNOWN


def put_back(job: MarketplaceJob) -> None:
    """It was claimed and never begun: as if nobody had picked it up."""
    _wait(job, job.due_at, "a worker")
    job.attempts -= 1


def answer(job: MarketplaceJob, *, now: datetime) -> None:
    """Whoever it was parked for has answered; the pick-up that parked it was no attempt."""
    _wait(job, now, "a worker")
    job.attempts -= 1


def was_told_to_wait(verdict: Verdict) -> bool:
    """Whether the channel itself said when to come back, which is no failure of the job."""
    return isinstance(verdict, Retry) and bool(verdict.after)


def may_be_cancelled(job: MarketplaceJob) -> bool:
    """Whether the seller's wish to cancel can be granted: not before it is known what happened."""
    return job.cancel_requested_at is not None and job.outcome is not JobOutcome.UNKNOWN


def make_certain(job: MarketplaceJob, certain: bool = True) -> None:
    """Whether all that the job may have done on the channel is known by now."""
    job.outcome = None if certain else JobOutcome.UNKNOWN


def give_up(job: MarketplaceJob, problem: Problem, *, now: datetime) -> None:
    """Its workers died every time: nobody knows what happened, and nobody else should try."""
    _finish(job, JobStatus.DONE, JobOutcome.UNKNOWN, now)
    _note(job, problem)


def cancel(job: MarketplaceJob, *, now: datetime) -> None:
    """The seller changed their mind."""
    _finish(job, JobStatus.CANCELLED, None, now)
    job.waiting_for = None


def reopen(job: MarketplaceJob, *, now: datetime) -> None:
    """The seller asks for another try of a job that ended without success."""
    _move(job, JobStatus.PENDING)
    job.attempts, job.due_at = 0, now
    job.finished_at = job.cancel_requested_at = None
    if job.outcome is not JobOutcome.UNKNOWN:
        job.outcome = None
    _note(job, None)


def backoff(attempts: int, cap: timedelta = BACKOFF_CAP) -> timedelta:
    """Exponential with full jitter: anything from nothing to 2, 4, 8 … seconds, at most `cap`."""
    return full_jitter(attempts, BACKOFF_BASE, cap)


def _retry(
    job: MarketplaceJob, verdict: Retry, tally: Tally, now: datetime, cap: timedelta
) -> None:
    refused = tally.refused + (not was_told_to_wait(verdict))
    if refused >= job.max_attempts or tally.is_out_of_patience(now):
        _fail(job, verdict.problem, JobOutcome.BLOCKED, now)
        return
    after = backoff(refused, cap) if verdict.after is None else verdict.after
    _wait(job, now + after, "the next try")
    _note(job, verdict.problem)


def _recheck(
    job: MarketplaceJob, problem: Problem, tally: Tally, now: datetime, cap: timedelta
) -> None:
    lost = tally.lost + 1
    if lost >= job.max_attempts or tally.is_out_of_patience(now):
        _finish(job, JobStatus.DONE, JobOutcome.UNKNOWN, now)
    else:
        _wait(job, now + longest(lost, BACKOFF_BASE, cap), "the channel to be asked what happened")
        job.outcome = JobOutcome.UNKNOWN
    _note(job, problem)


def _fail(job: MarketplaceJob, problem: Problem, outcome: JobOutcome, now: datetime) -> None:
    """What may have happened stays unknown, whatever the last attempt ran into."""
    unknown = job.outcome is JobOutcome.UNKNOWN
    _finish(job, JobStatus.DONE, JobOutcome.UNKNOWN if unknown else outcome, now)
    _note(job, problem)


def _wait(job: MarketplaceJob, until: datetime, waiting_for: str) -> None:
    _move(job, JobStatus.PENDING)
    job.due_at, job.waiting_for = until, waiting_for
    _release(job)


def _finish(
    job: MarketplaceJob, status: JobStatus, outcome: JobOutcome | None, now: datetime
) -> None:
    _move(job, status)
    job.outcome, job.finished_at = outcome, now
    _release(job)


def _release(job: MarketplaceJob) -> None:
    job.lease_id = job.lease_owner = job.leased_until = None


def _note(job: MarketplaceJob, problem: Problem | None) -> None:
    job.problem_code = problem.code if problem else None
    job.problem_detail = problem.detail if problem else None
    job.problem_fields = [field.as_json() for field in (problem.fields if problem else ())]


def _move(job: MarketplaceJob, to: JobStatus) -> None:
    if to not in ALLOWED[job.status]:
        raise IllegalTransition(f"job {job.id}: {job.status} → {to}")
    job.status = to
