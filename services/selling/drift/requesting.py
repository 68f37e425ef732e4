"""A seller who does not want to wait for the next look asks here, and hears how long it takes.

Asked twice it is one job; one that nobody waited for becomes the seller's, whole and in its turn.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.selling.publishing import Channel, JobAction, MarketplaceJob
from repositories.selling.drift import ComparingJobRepository, DriftRepository
from repositories.selling.job_pace import JobPaceRepository, Kind
from repositories.selling.publishing import JobRepository, RunningCaps
from services.gateways.quotas import Quota
from services.selling.drift.comparing import BACKGROUND, CONFIRM_ENDED
from services.selling.orders.polling import PolledChannel
from services.selling.publishing.account_work import AccountWork
from services.selling.publishing.channels import USUAL_SIZE, ChannelTable, JobSize
from services.selling.publishing.estimating import (
    Load,
    Pace,
    assumed,
    estimate,
    measured,
    takes_a_place,
)
from services.selling.publishing.outlook import Estimate, Outlook, together
from services.selling.publishing.planning import Answer
from services.selling.publishing.preflight import MEASURED_AMONG, OpenSession, QuotaForecasts
from services.selling.publishing.requesting import USUAL_PRIORITY, WorkRequests
from shared.clock import Clock
from shared.database import TenantSession
from shared.errors import Conflict

_SAMPLE = 100
"""Products by whose sizes a comparison of all is estimated."""


class NothingToCompare(Conflict):
    """No account of the shop is connected whose listings could be looked at."""

    code, title = "nothing-to-compare", "No channel is connected whose listings could be compared"


@dataclass(frozen=True, slots=True)
class ComparisonJob:
    """One job; `product_id` None: all listings of the account."""

    channel: Channel
    product_id: int | None
    answer: Answer
    job_id: int | None


@dataclass(frozen=True, slots=True)
class Comparisons:
    """What was asked for, and between when and when it is done."""

    jobs: Sequence[ComparisonJob]
    estimate: Estimate | None


@dataclass(frozen=True, slots=True)
class _Work:
    """What is left to look at on a channel."""

    channel: Channel
    listings: int
    jobs: int
    size: Sequence[JobSize]
    """Of some of the listings."""
    of_account: bool
    """Whether one job looks at all of them."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a look into the shop's database found."""

    account: str
    work: Sequence[_Work]
    """On channels where it is done as soon as its calls are made."""
    loads: Sequence[Load]
    outlooks: Sequence[Outlook]
    """Of the others."""


class ComparisonRequests:
    """Queues `sync` jobs and estimates them."""

    def __init__(
        self,
        channels: ChannelTable,
        polled: Sequence[PolledChannel],
        quotas: QuotaForecasts,
        caps: RunningCaps,
        clock: Clock,
    ) -> None:
        self._channels = channels
        self._polled = {each.channel: each for each in polled}
        self._requests = WorkRequests(channels, clock)
        self._account_work = AccountWork(clock)
        self._quotas = quotas
        self._caps = caps
        self._clock = clock

    def all_of(
        self,
        open_session: OpenSession,
        requested_by: int,
        channels: Sequence[Channel] | None,
        *,
        confirm_ended: bool,
    ) -> Comparisons:
        """Compare every live listing of these channels, or of all. Raises `NothingToCompare`."""
        with open_session() as session:
            jobs = [
                self._account(session, channel, requested_by, confirm_ended=confirm_ended)
                for channel in self._open_channels(session, channels)
            ]
            work = [self._work_of_account(session, job) for job in jobs]
            seen = self._look(session, work)
        return Comparisons(jobs, self._estimate(seen))

    def some_of(
        self,
        open_session: OpenSession,
        requested_by: int,
        product_ids: Sequence[int],
        channels: Sequence[Channel] | None,
    ) -> Comparisons:
        """Compare the listings of these products. Raises `NothingToCompare` and `BadInput`."""
        with open_session() as session:
            wanted = self._open_channels(session, channels)
            batch = self._requests.request(
                session, JobAction.SYNC, product_ids, wanted, requested_by
            )
            jobs = [
                ComparisonJob(item.channel, item.product_id, item.answer, item.job_id)
                for item in batch.items
            ]
            work = [self._work_of_products(session, channel, jobs) for channel in wanted]
            seen = self._look(session, [each for each in work if each.jobs])
        return Comparisons(jobs, self._estimate(seen))

    def _open_channels(
        self, session: TenantSession, channels: Sequence[Channel] | None
    ) -> Sequence[Channel]:
        wanted = self._polled if channels is None else dict.fromkeys(channels)
        found = [
            channel
            for channel in wanted
            if channel in self._polled and self._polled[channel].lets_us_in(session)
        ]
        if not found:
            raise NothingToCompare("Connect the channel's account first.")
        return sorted(found)

    def _account(
        self, session: TenantSession, channel: Channel, requested_by: int, *, confirm_ended: bool
    ) -> ComparisonJob:
        payload = {CONFIRM_ENDED: True} if confirm_ended else {}
        asked = self._account_work.request(session, JobAction.SYNC, channel, requested_by, payload)
        if asked.already:
            job = JobRepository(session).locked(asked.job_id)
            if job is not None:
                job.payload = {**job.payload, BACKGROUND: False, **payload}
                job.priority = min(job.priority, USUAL_PRIORITY)
        answer = Answer.ALREADY_QUEUED if asked.already else Answer.QUEUED
        return ComparisonJob(channel, None, answer, asked.job_id)

    def _work_of_account(self, session: TenantSession, asked: ComparisonJob) -> _Work:
        rows = DriftRepository(session).live(asked.channel)
        ids = [row.product_id for row in rows[:_SAMPLE]]
        job = JobRepository(session).get(asked.job_id or 0)
        left = max(0, len(rows) - _looked_at(job))
        sizes = self._sizes(session, asked.channel, ids)
        return _Work(asked.channel, left, 1, sizes, of_account=True)

    def _work_of_products(
        self, session: TenantSession, channel: Channel, jobs: Sequence[ComparisonJob]
    ) -> _Work:
        ids = [
            each.product_id
            for each in jobs
            if each.channel is channel and each.job_id is not None and each.product_id is not None
        ]
        sizes = self._sizes(session, channel, ids[:_SAMPLE])
        return _Work(channel, len(ids), len(ids), sizes, of_account=False)

    def _sizes(
        self, session: TenantSession, channel: Channel, product_ids: Sequence[int]
    ) -> Sequence[JobSize]:
        found = self._channels[channel].sizes(session, JobAction.SYNC, product_ids)
        return list(found.values()) or [USUAL_SIZE]

    def _look(self, session: TenantSession, work: Sequence[_Work]) -> _Seen:
        outlooks = {each.channel: self._outlook(session, each) for each in work}
        unpaced = [each for each in work if outlooks[each.channel] is None]
        return _Seen(
            session.tenant.name,
            unpaced,
            self._loads(session, unpaced),
            [each for each in outlooks.values() if each is not None],
        )

    def _outlook(self, session: TenantSession, work: _Work) -> Outlook | None:
        channel = self._channels[work.channel]
        looks = work.listings
        if work.of_account:
            looks = max(1, -(-looks // channel.capabilities.shown_together))
        sizes = [work.size[0]] * looks
        return channel.outlook(session, JobAction.SYNC, sizes, queued=work.jobs)

    def _loads(self, session: TenantSession, work: Sequence[_Work]) -> Sequence[Load]:
        jobs, lately = ComparingJobRepository(session), JobPaceRepository(session)
        own = [
            Load(each.channel, JobAction.SYNC, each.jobs, self._pace(jobs, each))
            for each in work
            if each.jobs
        ]
        seconds = lately.seconds_lately(MEASURED_AMONG)
        in_front = Counter(lately.in_front(JobAction.SYNC.lane, self._clock.now()))
        in_front.subtract({(each.channel, JobAction.SYNC): each.jobs for each in work})
        before = [
            Load(*kind, number, self._pace_of(kind, seconds), waits=True)
            for kind, number in in_front.items()
            if number > 0 and takes_a_place(self._channels, kind[0])
        ]
        return [*own, *before] if own else []

    def _pace(self, jobs: ComparingJobRepository, work: _Work) -> Pace:
        """Of one job: as many listings as it has, each as long as one took lately."""
        capabilities = self._channels[work.channel].capabilities
        one = measured(jobs.seconds_a_listing(work.channel)) or assumed(
            capabilities, JobAction.SYNC, work.size
        )
        listings = work.listings / work.jobs
        return Pace(one.usual * listings, one.slow * listings, one.jobs)

    def _pace_of(self, kind: Kind, seconds: Mapping[Kind, Sequence[float]]) -> Pace:
        channel, action = kind
        found = measured(seconds.get(kind, ()))
        return found or assumed(self._channels[channel].capabilities, action, [USUAL_SIZE])

    def _estimate(self, seen: _Seen) -> Estimate | None:
        found = [outlook.estimate for outlook in seen.outlooks]
        if seen.loads:
            forecasts = self._quotas.forecast(self._calls(seen.work), seen.account)
            lane, now = JobAction.SYNC.lane, self._clock.now()
            found.insert(0, estimate(seen.loads, forecasts, self._caps, lane, now))
        return together(found) if found else None

    def _calls(self, work: Sequence[_Work]) -> Counter[Quota]:
        """Each listing taken as the average of those that were looked into."""
        needed: Counter[Quota] = Counter()
        for each in work:
            capabilities = self._channels[each.channel].capabilities
            of_some: Counter[Quota] = Counter()
            for size in each.size:
                of_some.update(capabilities.quota_use(JobAction.SYNC, size))
            for quota, calls in of_some.items():
                needed[quota] += -(-calls * each.listings // len(each.size))
        return needed


def _looked_at(job: MarketplaceJob | None) -> int:
    """How many of all listings a job that runs has looked at."""
    progress = job.progress.get("all", {}) if job is not None else {}
    return int(progress.get("looked", 0))
