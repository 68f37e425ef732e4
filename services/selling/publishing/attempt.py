"""An attempt at a job: how far it is, and what it came to in the end."""

from dataclasses import dataclass, replace
from typing import Any

from models.selling.publishing import Channel, JobAction, JobOutcome, JobStatus, MarketplaceJob
from services.selling.publishing.handlers import (
    AnyHandler,
    Cancel,
    CancelRequested,
    Completed,
    LeaseLost,
    Parked,
    Retry,
    Snooze,
    Unknown,
)
from services.selling.publishing.lease import Lease

_VERDICTS = (Completed, Retry, Snooze, Cancel, Parked, Unknown)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job that is ours while the lease is kept."""

    lease: Lease
    job: MarketplaceJob


@dataclass(frozen=True, slots=True)
class Attempt:
    """How far an attempt is."""

    lease: Lease
    job: MarketplaceJob
    handler: AnyHandler | None
    stands: Any
    """What its last step came to: a command, then a result, either of them perhaps a verdict; or
    why it may not go on, which is `LeaseLost` or `CancelRequested`.
    """

    @property
    def goes_on(self) -> bool:
        """Whether its handler has more to do."""
        return self.handler is not None and not isinstance(
            self.stands, (*_VERDICTS, LeaseLost, CancelRequested)
        )

    def at(self, stands: object) -> "Attempt":
        """The same, a step later."""
        return replace(self, stands=stands)

    def with_job(self, job: MarketplaceJob) -> "Attempt":
        """The same, its job as another session has it."""
        return replace(self, job=job)


@dataclass(frozen=True, slots=True)
class ProcessedJob:
    """What an attempt came to."""

    lease: Lease
    channel: Channel
    action: JobAction
    status: JobStatus
    outcome: JobOutcome | None
    attempts: int
