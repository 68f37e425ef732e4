"""Writes down how jobs stand: their rows, a line in each story, news for whoever watches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.selling.publishing import JobStatus, MarketplaceJob
from repositories.selling.job_changes import JobChanges
from repositories.selling.publishing import JobRepository
from services.selling.publishing import transitions
from services.selling.publishing.dead_jobs import mark_if_dead
from services.selling.publishing.handlers import Cancel, Parked, Retry, Unknown, Verdict
from services.selling.publishing.lease import Lease
from services.selling.publishing.news import tell_of_jobs
from services.selling.publishing.transitions import Tally
from shared.database import TenantSession

PICKED_UP, TAKEN_OVER, GIVEN_UP = "picked up", "taken over", "given up"
HANDED_BACK, PUT_BACK = "handed back", "put back"
ANSWERED = "answered"
TOLD_TO_WAIT, CANCELLED = "told to wait", "cancelled"
"""What the story calls what the processor itself does; failed attempts are counted by it."""


@dataclass(frozen=True, slots=True)
class StoryLine:
    """What has just become of a job."""

    lease: Lease
    job: MarketplaceJob
    name: str
    verdict: Verdict | None = None


def tell(session: TenantSession, lines: Sequence[StoryLine], now: datetime) -> None:
    """Store these jobs as they stand, and say so: a few statements, however many they are.

    Call it last in the transaction: it locks the shop's counter of news.
    """
    changes = JobChanges(session)
    changes.save([line.job for line in lines])
    changes.add_steps([_step(line, now) for line in lines])
    for line in lines:
        mark_if_dead(session, line.job)
    tell_of_jobs(session, [line.job for line in lines], now)


def tally_of(session: TenantSession, job: MarketplaceJob) -> Tally:
    """What went wrong so far, counted from the story, which misses no attempt."""
    since, told = JobRepository(session).told_of_this_try(job.id, PICKED_UP)
    return Tally(
        died=told.get(TAKEN_OVER, 0),
        refused=told.get(_word(Retry), 0),
        lost=told.get(_word(Unknown), 0) + _unanswered(told),
        since=since,
    )


def name_of(verdict: Verdict) -> str:
    """What the story calls an attempt that ended so."""
    return TOLD_TO_WAIT if transitions.was_told_to_wait(verdict) else _word(type(verdict))


def _unanswered(told: Mapping[str, int]) -> int:
    return max(0, told.get(_word(Parked), 0) - told.get(ANSWERED, 0))


def _word(kind: type[Verdict]) -> str:
    return kind.__name__.lower()


def _step(line: StoryLine, now: datetime) -> dict[str, Any]:
    return {
        "job_id": line.job.id,
        "attempt": line.job.attempts,
        "name": line.name,
        "lease_owner": line.lease.owner,
        "detail": _detail(line.job, line.verdict),
        "started_at": now,
        "finished_at": now,
    }


def _detail(job: MarketplaceJob, verdict: Verdict | None) -> dict[str, object]:
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
    return detail
