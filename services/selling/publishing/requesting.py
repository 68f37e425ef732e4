"""Sellers ask for work here: what can be done becomes jobs, the rest is answered at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import product as pairs
from typing import Any

from models.accounts.tenants import Lane
from models.selling.publishing import Channel, JobAction, JobBatch, JobOutcome, JobStatus
from repositories.accounts.bells import BellRepository
from repositories.selling.batches import BatchRepository
from repositories.selling.catalog import ProductRepository
from repositories.selling.publishing import JobRepository, ListingRepository
from services.selling.publishing.channels import ChannelTable
from services.selling.publishing.news import tell_of_batch
from shared.clock import Clock
from shared.database import TenantSession
from shared.errors import BadInput, FieldProblem

MAX_ATTEMPTS = 12
"""With waits that double up to 15 minutes this outlasts an hour of a channel being away."""

REQUESTABLE = frozenset({JobAction.PUBLISH, JobAction.UPDATE, JobAction.DELETE})


class Answer(StrEnum):
    """What became of one (product, channel) of a request."""

    QUEUED = "queued"
    ALREADY_QUEUED = "already_queued"
    ALREADY_LISTED = "already_listed"
    NOT_LISTED = "not_listed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class RequestedItem:
    """One (product, channel): its job, its listing, or why there is neither."""

    product_id: int
    channel: Channel
    answer: Answer
    job_id: int | None = None
    listing_id: str | None = None
    problems: tuple[FieldProblem, ...] = ()

    @property
    def key(self) -> tuple[int, Channel]:
        """Product and channel."""
        return self.product_id, self.channel


@dataclass(frozen=True, slots=True)
class RequestedBatch:
    """What became of a request; `batch_id` is None when no job was needed."""

    batch_id: int | None
    items: tuple[RequestedItem, ...]


class NothingToDo(BadInput):
    """Every product was refused; the fields say what each still needs."""

    code, title = "nothing-publishable", "None of these can be published yet"


class ChannelNotOffered(BadInput):
    """This installation has no such channel."""

    code, title = "channel-not-offered", "This channel is not offered here"


class WorkRequests:
    """Turns sellers' wishes into jobs. At most one live job a product, channel and action."""

    def __init__(self, channels: ChannelTable, clock: Clock) -> None:
        self._channels = channels
        self._clock = clock

    def request(
        self,
        session: TenantSession,
        action: JobAction,
        product_ids: Sequence[int],
        channels: Sequence[Channel],
        requested_by: int,
        *,
        urgent: bool = False,
    ) -> RequestedBatch:
        """Queue `action` for every product on every channel; `urgent` work waits behind no batch.

        Raises `BadInput` for unknown products or channels and `NothingToDo` when preflight
        refuses everything; nothing is stored then.
        """
        product_ids, channels = list(dict.fromkeys(product_ids)), list(dict.fromkeys(channels))
        lane = Lane.REALTIME if urgent else action.lane
        BellRepository(session).ring(session.tenant, lane, self._clock.now())
        self._refuse_unknown(session, product_ids, channels)
        items = list(self._sort_out(session, action, product_ids, channels))
        if items and all(item.answer is Answer.REFUSED for item in items):
            raise NothingToDo(fields=[problem for item in items for problem in item.problems])
        return self._queue(session, action, items, requested_by, lane)

    def _refuse_unknown(
        self, session: TenantSession, product_ids: Sequence[int], channels: Sequence[Channel]
    ) -> None:
        for position, channel in enumerate(channels):
            if channel not in self._channels:
                raise ChannelNotOffered(
                    f"This installation does not offer {channel}.",
                    fields=[FieldProblem(f"channels[{position}]", "not offered here")],
                )
        known = ProductRepository(session).kept(product_ids)
        unknown = [
            FieldProblem(f"product_ids[{position}]", f"there is no product {product_id}")
            for position, product_id in enumerate(product_ids)
            if product_id not in known
        ]
        if unknown:
            raise BadInput("Some of these products do not exist.", fields=unknown)

    def _sort_out(
        self,
        session: TenantSession,
        action: JobAction,
        product_ids: Sequence[int],
        channels: Sequence[Channel],
    ) -> Iterator[RequestedItem]:
        queued = JobRepository(session).live(action, channels, product_ids)
        listed = ListingRepository(session).live(channels, product_ids)
        gaps = self._gaps(session, action, product_ids, channels)
        for product_id, channel in pairs(product_ids, channels):
            key = (product_id, channel)
            if key in queued:
                yield RequestedItem(*key, Answer.ALREADY_QUEUED, job_id=queued[key])
            elif action is JobAction.PUBLISH and key in listed:
                yield RequestedItem(*key, Answer.ALREADY_LISTED, listing_id=listed[key])
            elif action is not JobAction.PUBLISH and key not in listed:
                yield RequestedItem(*key, Answer.NOT_LISTED)
            elif key in gaps:
                yield RequestedItem(*key, Answer.REFUSED, problems=tuple(gaps[key]))
            else:
                yield RequestedItem(*key, Answer.QUEUED)

    def _gaps(
        self,
        session: TenantSession,
        action: JobAction,
        product_ids: Sequence[int],
        channels: Sequence[Channel],
    ) -> Mapping[tuple[int, Channel], Sequence[FieldProblem]]:
        if action is JobAction.DELETE:
            return {}
        return {
            (product_id, channel): [
                replace(gap, field=f"products.{product_id}.{gap.field}") for gap in gaps
            ]
            for channel in channels
            for product_id, gaps in self._channels[channel].gaps(session, product_ids).items()
        }

    def _queue(
        self,
        session: TenantSession,
        action: JobAction,
        items: Sequence[RequestedItem],
        requested_by: int,
        lane: Lane,
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
            self._job(action, item, batch, lane, doubtful=item.key in doubtful) for item in wanted
        ]
        ids = jobs.insert_all(new)
        tell_of_batch(session, batch, self._clock.now())
        return RequestedBatch(batch.id, tuple(_with_job(item, ids) for item in items))

    def _job(
        self,
        action: JobAction,
        item: RequestedItem,
        batch: JobBatch,
        lane: Lane,
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
            "lane": lane,
            "priority": 100,
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
