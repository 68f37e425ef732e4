"""Sellers ask for work here: what can be done becomes jobs, the rest is answered at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.accounts.tenants import Lane
from models.selling.publishing import Channel, JobAction, JobBatch, JobOutcome, JobStatus
from repositories.accounts.bells import BellRepository
from repositories.selling.batches import BatchRepository
from repositories.selling.publishing import JobRepository
from services.selling.publishing.channels import ChannelTable
from services.selling.publishing.news import tell_of_batch
from services.selling.publishing.planning import Answer, RequestedItem, WorkPlanning
from shared.clock import Clock
from shared.database import TenantSession
from shared.errors import BadInput

MAX_ATTEMPTS = 12
"""With waits that double up to 15 minutes this outlasts an hour of a channel being away."""


@dataclass(frozen=True, slots=True)
class RequestedBatch:
    """What became of a request; `batch_id` is None when no job was needed."""

    batch_id: int | None
    items: tuple[RequestedItem, ...]


class NothingToDo(BadInput):
    """Every product was refused; the fields say what each still needs."""

    code, title = "nothing-publishable", "None of these can be published yet"


USUAL_PRIORITY = 100
"""Smaller goes first."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the queue a job stands."""

    lane: Lane
    priority: int


class WorkRequests:
    """Turns sellers' wishes into jobs. At most one live job a product, channel and action."""

    def __init__(self, channels: ChannelTable, clock: Clock) -> None:
        self._planning = WorkPlanning(channels)
        self._clock = clock

    def request(
        self,
        session: TenantSession,
        action: JobAction,
        product_ids: Sequence[int],
        channels: Sequence[Channel],
        requested_by: int,
        *,
        lane: Lane | None = None,
        priority: int = USUAL_PRIORITY,
    ) -> RequestedBatch:
        """Queue `action` for every product on every channel, in its own lane or another.

        Raises `BadInput` for unknown products or channels and `NothingToDo` when preflight
        refuses everything; nothing is stored then.
        """
        place = _Place(lane or action.lane, priority)
        BellRepository(session).ring(session.tenant, place.lane, self._clock.now())
        items = self._planning.plan(session, action, product_ids, channels, hold=True)
        if items and all(item.answer is Answer.REFUSED for item in items):
            raise NothingToDo(fields=[problem for item in items for problem in item.problems])
        return self._queue(session, action, items, requested_by, place)

    def _queue(
        self,
        session: TenantSession,
        action: JobAction,
        items: Sequence[RequestedItem],
        requested_by: int,
        place: _Place,
    ) -> RequestedBatch:
        wanted = [item for item in items if item.answer is Answer.QUEUED]
        if not wanted:
            return RequestedBatch(None, tuple(items))
        batch = JobBatch(action=action, requested_by=requested_by, created_at=self._clock.now())
        BatchRepository(session).add(batch)
        jobs = JobRepository(session)
        doubtful = jobs.left_unknown(
            action, {item.channel for item in wanted}, [item.product_id for item in wanted]
        )
        new = [
            self._job(action, item, batch, place, doubtful=item.key in doubtful) for item in wanted
        ]
        ids = jobs.insert_all(new)
        tell_of_batch(session, batch, self._clock.now())
        return RequestedBatch(batch.id, tuple(_with_job(item, ids) for item in items))

    def _job(
        self,
        action: JobAction,
        item: RequestedItem,
        batch: JobBatch,
        place: _Place,
        *,
        doubtful: bool,
    ) -> Mapping[str, Any]:
        """The columns of a new job; `doubtful`: a former one may have done it, so look first."""
        now = self._clock.now()
        return {
            "batch_id": batch.id,
            "channel": item.channel,
            "action": action,
            "product_id": item.product_id,
            "lane": place.lane,
            "priority": place.priority,
            "status": JobStatus.PENDING,
            "outcome": JobOutcome.UNKNOWN if doubtful else None,
            "due_at": now,
            "attempts": 0,
            "max_attempts": MAX_ATTEMPTS,
            "problem_fields": [],
            "payload": {},
            "progress": {},
            "requested_by": batch.requested_by,
            "created_at": now,
        }


def _with_job(item: RequestedItem, ids: Mapping[tuple[int | None, Channel], int]) -> RequestedItem:
    if item.answer is not Answer.QUEUED:
        return item
    return RequestedItem(
        item.product_id, item.channel, item.answer, job_id=ids[item.product_id, item.channel]
    )
