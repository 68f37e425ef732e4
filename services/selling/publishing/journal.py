"""The journal of a running attempt: each checkpoint is a short transaction, fenced by the lease."""

import hashlib
from collections.abc import Mapping
from typing import Any

from models.selling.publishing import JobOutcome, JobStatus, JobStep, MarketplaceJob
from repositories.selling.publishing import JobRepository
from services.selling.publishing import transitions
from services.selling.publishing.handlers import CancelRequested, LeaseLost
from services.selling.publishing.lease import Lease
from shared.clock import Clock
from shared.database import Database, TenantSession


class JobJournal:
    """What `perform` writes to. Opens its own sessions; holds none."""

    def __init__(self, database: Database, clock: Clock, lease: Lease, job: MarketplaceJob) -> None:
        self._database = database
        self._clock = clock
        self._lease = lease
        self._attempt = job.attempts
        self._progress: dict[str, Any] = dict(job.progress)
        self._must_probe = (
            job.outcome is JobOutcome.UNKNOWN or job.attempts > 1 or bool(job.progress)
        )
        self._last = clock.now()

    @property
    def progress(self) -> Mapping[str, Any]:
        """What earlier checkpoints left."""
        return self._progress

    @property
    def must_probe(self) -> bool:
        """Whether an earlier attempt may have created something."""
        return self._must_probe

    def checkpoint(
        self,
        name: str,
        *,
        progress: Mapping[str, Any] | None = None,
        request: bytes | str | None = None,
        response: bytes | str | None = None,
        http_status: int | None = None,
        detail: Mapping[str, Any] | None = None,
        certain: bool | None = None,
    ) -> None:
        """See `services.selling.publishing.handlers.Journal`."""
        with self._database.tenant(self._lease.tenant) as session:
            job = locked_under(session, self._lease)
            if certain is not None:
                transitions.make_certain(job, certain)
            self._progress.update(progress or {})
            job.progress = dict(self._progress)
            now = self._clock.now()
            JobRepository(session).add_step(
                JobStep(
                    job_id=job.id,
                    attempt=self._attempt,
                    name=name,
                    lease_owner=self._lease.owner,
                    request_digest=digest(request),
                    response_digest=digest(response),
                    http_status=http_status,
                    detail=dict(detail or {}),
                    started_at=self._last,
                    finished_at=now,
                )
            )
            self._last = now
            cancelled = transitions.may_be_cancelled(job)
        if cancelled:
            raise CancelRequested


def locked_under(session: TenantSession, lease: Lease) -> MarketplaceJob:
    """The job of this lease, locked. Raises `LeaseLost` when somebody else holds it by now."""
    job = JobRepository(session).locked(lease.job_id)
    if job is None or job.status is not JobStatus.RUNNING or job.lease_id != lease.id:
        raise LeaseLost
    return job


def digest(body: bytes | str | None) -> str | None:
    """SHA-256 of what went over the wire: comparable, and no secret can leak from it."""
    if body is None:
        return None
    return hashlib.sha256(body.encode() if isinstance(body, str) else body).hexdigest()
