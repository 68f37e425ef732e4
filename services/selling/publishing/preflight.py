"""Preflight: what a request would come to, before the click. Writes nothing, asks nobody outside.

The answers are those of the request itself (`planning`); what they would cost is the channel's own
declaration (`channels`), held against what is left of its quotas.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from models.selling.publishing import Channel, JobAction
from repositories.selling.job_pace import JobPaceRepository, Kind
from repositories.selling.publishing import RunningCaps
from services.gateways.quotas import Quota
from services.selling.publishing.channels import USUAL_SIZE, ChannelTable, Fee, JobSize
from services.selling.publishing.estimating import (
    Load,
    Pace,
    assumed,
    estimate,
    measured,
    takes_a_place,
)
from services.selling.publishing.outlook import Estimate, Outlook, together
from services.selling.publishing.planning import Answer, RequestedItem, WorkPlanning
from services.selling.quotas.ledger import QuotaForecast
from shared.clock import Clock
from shared.database import TenantSession

MEASURED_AMONG = 2_000
"""A shop's last jobs, of all kinds, by which its pace is told."""

OpenSession = Callable[[], AbstractContextManager[TenantSession]]
"""Opens one short transaction in the shop."""


class QuotaForecasts(Protocol):
    """Where calls are counted."""

    def forecast(self, needs: Mapping[Quota, int], account: str) -> Sequence[QuotaForecast]:
        """For each quota, when so many further calls have room in it."""
        ...


@dataclass(frozen=True, slots=True)
class PreflightItem:
    """The answer that one (product, channel) would get, and the calls of its job."""

    planned: RequestedItem
    calls: Mapping[Quota, int]


@dataclass(frozen=True, slots=True)
class QuotaOutlook:
    """A quota, and what would be taken of it."""

    forecast: QuotaForecast
    needed: int
    """By the jobs of this request."""

    @property
    def before(self) -> int:
        """By jobs that were asked for before, as far as can be said."""
        return self.forecast.calls - self.needed


@dataclass(frozen=True, slots=True)
class FeeOutlook:
    """A fee, and for how many listings it would be charged."""

    channel: Channel
    fee: Fee
    times: int


@dataclass(frozen=True, slots=True)
class Preflighted:
    """What a request would come to. Without a job to queue there is nothing to estimate."""

    items: tuple[PreflightItem, ...]
    fees: tuple[FeeOutlook, ...]
    quotas: tuple[QuotaOutlook, ...]
    jobs_before: int
    estimate: Estimate | None


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one look into the shop's database found."""

    account: str
    planned: Sequence[RequestedItem]
    sizes: Mapping[tuple[int, Channel], JobSize]
    """Of the jobs that would be queued."""
    in_front: Mapping[Kind, int]
    lately: Mapping[Kind, Sequence[float]]
    outlooks: Mapping[Channel, Outlook]
    """Of the channels that are worked on at a pace of their own, where a job would be queued."""


class PublicationPreflight:
    """Says beforehand what `WorkRequests.request` would answer, and how long the work may take."""

    def __init__(
        self, channels: ChannelTable, quotas: QuotaForecasts, caps: RunningCaps, clock: Clock
    ) -> None:
        self._channels = channels
        self._planning = WorkPlanning(channels)
        self._quotas = quotas
        self._caps = caps
        self._clock = clock

    def examine(
        self,
        open_session: OpenSession,
        action: JobAction,
        product_ids: Sequence[int],
        channels: Sequence[Channel],
    ) -> Preflighted:
        """Raises `BadInput` for unknown products and `ChannelNotOffered`, as the request does."""
        with open_session() as session:
            seen = self._seen(session, action, product_ids, channels)
        use = {
            key: self._channels[key[1]].capabilities.quota_use(action, size)
            for key, size in seen.sizes.items()
        }
        needed = sum(use.values(), Counter[Quota]())
        forecasts = self._forecasts(seen, use)
        told = [each for outlook in seen.outlooks.values() for each in outlook.forecasts]
        return Preflighted(
            items=tuple(PreflightItem(each, use.get(each.key, {})) for each in seen.planned),
            fees=tuple(self._fees(action, seen)),
            quotas=tuple(
                QuotaOutlook(each, needed[each.state.quota]) for each in (*forecasts, *told)
            ),
            jobs_before=sum(seen.in_front.values())
            + sum(each.jobs_before for each in seen.outlooks.values()),
            estimate=self._estimate(action, seen, forecasts),
        )

    def _estimate(
        self, action: JobAction, seen: _Seen, forecasts: Sequence[QuotaForecast]
    ) -> Estimate | None:
        found = [outlook.estimate for outlook in seen.outlooks.values()]
        if any(channel not in seen.outlooks for _, channel in seen.sizes):
            loads, now = self._loads(action, seen), self._clock.now()
            found.insert(0, estimate(loads, forecasts, self._caps, action.lane, now))
        return together(found) if found else None

    def _forecasts(
        self, seen: _Seen, use: Mapping[tuple[int, Channel], Counter[Quota]]
    ) -> Sequence[QuotaForecast]:
        """Of the quotas that all processes count together."""
        needed = sum(
            (calls for (_, channel), calls in use.items() if channel not in seen.outlooks),
            Counter[Quota](),
        )
        return self._quotas.forecast(needed + self._used_before(seen, needed), seen.account)

    def _seen(
        self,
        session: TenantSession,
        action: JobAction,
        product_ids: Sequence[int],
        channels: Sequence[Channel],
    ) -> _Seen:
        planned = self._planning.plan(session, action, product_ids, channels, hold=False)
        wanted: dict[Channel, list[int]] = {}
        for item in planned:
            if item.answer is Answer.QUEUED:
                wanted.setdefault(item.channel, []).append(item.product_id)
        sizes = {
            (product_id, channel): size
            for channel, ids in wanted.items()
            for product_id, size in self._channels[channel].sizes(session, action, ids).items()
        }
        outlooks = self._outlooks(session, action, sizes)
        pace = JobPaceRepository(session)
        in_front = pace.in_front(action.lane, self._clock.now())
        return _Seen(
            session.tenant.name,
            planned,
            sizes,
            {kind: jobs for kind, jobs in in_front.items() if kind[0] not in outlooks},
            pace.seconds_lately(MEASURED_AMONG),
            outlooks,
        )

    def _outlooks(
        self,
        session: TenantSession,
        action: JobAction,
        sizes: Mapping[tuple[int, Channel], JobSize],
    ) -> Mapping[Channel, Outlook]:
        by_channel: dict[Channel, list[JobSize]] = {}
        for (_, channel), size in sizes.items():
            by_channel.setdefault(channel, []).append(size)
        found = {
            channel: self._channels[channel].outlook(session, action, each)
            for channel, each in by_channel.items()
        }
        return {channel: each for channel, each in found.items() if each is not None}

    def _fees(self, action: JobAction, seen: _Seen) -> Iterator[FeeOutlook]:
        listings = Counter(channel for _, channel in seen.sizes)
        for channel, times in listings.items():
            for fee in self._channels[channel].capabilities.fees.get(action, ()):
                yield FeeOutlook(channel, fee, times)

    def _used_before(self, seen: _Seen, needed: Counter[Quota]) -> Counter[Quota]:
        """Of the quotas that this request needs too, each job in front taken as a usual one."""
        used: Counter[Quota] = Counter()
        for (channel, action), jobs in seen.in_front.items():
            if channel in self._channels:
                each = self._channels[channel].capabilities.quota_use(action, USUAL_SIZE)
                used.update({quota: calls * jobs for quota, calls in each.items()})
        return Counter({quota: calls for quota, calls in used.items() if quota in needed})

    def _loads(self, action: JobAction, seen: _Seen) -> Sequence[Load]:
        sizes: dict[Channel, list[JobSize]] = {}
        for (_, channel), size in seen.sizes.items():
            if channel not in seen.outlooks:
                sizes.setdefault(channel, []).append(size)
        asked = [
            Load(channel, action, len(each), self._pace(seen, (channel, action), each))
            for channel, each in sizes.items()
        ]
        before = [
            Load(*kind, jobs, self._pace(seen, kind, [USUAL_SIZE]), waits=True)
            for kind, jobs in seen.in_front.items()
            if takes_a_place(self._channels, kind[0])
        ]
        return [*asked, *before]

    def _pace(self, seen: _Seen, kind: Kind, sizes: Sequence[JobSize]) -> Pace:
        channel, action = kind
        found = measured(seen.lately.get(kind, ()))
        return found or assumed(self._channels[channel].capabilities, action, sizes)
