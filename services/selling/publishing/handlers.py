"""The shape of a job handler, and the words in which it says how an attempt ended.

    prepare (session)  →  perform (no session in reach)  →  record (session)

`perform` is the only step that may speak to the outside, so no transaction is ever open meanwhile.
It notes each finished sub-step in its journal; the next attempt finds them in `journal.progress`
and goes on from there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeAlias, TypeVar

from models.selling.publishing import JobOutcome, MarketplaceJob
from shared.database import TenantSession
from shared.errors import FieldProblem, StoflowError


@dataclass(frozen=True, slots=True)
class Problem:
    """Why it did not work: a stable code, a sentence for the seller, the fields to change."""

    code: str
    detail: str
    fields: tuple[FieldProblem, ...] = ()

    @classmethod
    def of(cls, error: StoflowError) -> "Problem":
        """The problem an error describes."""
        return cls(error.code, error.detail, error.fields)


@dataclass(frozen=True, slots=True)
class Completed:
    """It is done and proven."""

    result: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Retry:
    """It failed in passing; costs a try. `after` None means exponential with full jitter.

    A wait of `after` that the channel itself asked for costs no try; the job's patience bounds it.
    """

    problem: Problem
    after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Snooze:
    """It cannot run now through no fault of its own; costs no attempt."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Cancel:
    """Trying again is pointless: `rejected` until data change, `blocked` until the account does."""

    problem: Problem
    outcome: JobOutcome = JobOutcome.REJECTED


@dataclass(frozen=True, slots=True)
class Parked:
    """Somebody outside will answer before `deadline`; no thread waits."""

    deadline: datetime
    waiting_for: str
    summon: Callable[[TenantSession], None] | None = None
    """Calls them, in the transaction that parks the job: they find it parked or not at all."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have happened. The next attempt asks the channel before it does anything."""

    problem: Problem
    evidence: dict[str, Any] = field(default_factory=dict)


Verdict: TypeAlias = Completed | Retry | Snooze | Cancel | Parked | Unknown


class Journal(Protocol):
    """Where `perform` notes what it did. Every call is a short transaction of its own."""

    @property
    def progress(self) -> Mapping[str, Any]:
        """What earlier checkpoints of this job left, over all attempts."""
        ...

    @property
    def must_probe(self) -> bool:
        """Whether an earlier attempt may have left something: ask before creating anything."""
        ...

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
        """Write one line of the story and merge `progress` into the job.

        Also the place where a job finds out that it must stop: raises `LeaseLost` when another
        worker has taken over and `CancelRequested` when the seller changed their mind. Call it
        before each outside call that changes something, and after it.
        Requests and responses are kept as digests only.

        `certain` False says that something was done there which is not recorded yet; True, that
        the channel was asked and earlier attempts have left nothing. In between, and after a
        worker's death or a lost answer, the job is *unknown*: a wish to cancel waits, and a
        refusal does not end it as refused.
        """
        ...


class LeaseLost(StoflowError):
    """Another worker has this job now; nothing more may be written."""

    status, code, title = 409, "lease-lost", "Another worker has taken over this job"


class CancelRequested(StoflowError):
    """The seller cancelled the job while it ran."""

    status, code, title = 409, "cancel-requested", "The job was cancelled"


CommandT = TypeVar("CommandT")
ResultT = TypeVar("ResultT")


class JobHandler(Protocol[CommandT, ResultT]):
    """Does one action on one channel. Holds no state between jobs."""

    def prepare(self, session: TenantSession, job: MarketplaceJob) -> "CommandT | Verdict":
        """Read what is needed into a command, or say at once how the attempt ends."""
        ...

    def perform(self, command: CommandT, journal: Journal) -> "ResultT | Parked | Unknown":
        """Speak to the outside. Expected refusals are raised as `MarketplaceError`."""
        ...

    def record(self, session: TenantSession, job: MarketplaceJob, result: ResultT) -> Verdict:
        """Write down what came of it."""
        ...


AnyHandler: TypeAlias = JobHandler[Any, Any]
