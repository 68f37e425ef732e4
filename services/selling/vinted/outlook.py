"""When work on Vinted would be done: the dispatcher's own rules, run ahead of the clock.

Reads what was sent on the account and what waits for its browser; writes nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from models.accounts.tenants import Lane
from models.selling.publishing import Channel, JobAction
from models.selling.vinted import VintedAccount
from repositories.accounts.stopped_channels import StoppedChannelRepository
from repositories.selling.vinted import (
    JobsInFront,
    VintedAccountRepository,
    VintedCommandRepository,
)
from services.selling.publishing.channels import JobSize, Unit
from services.selling.publishing.outlook import Estimate, Outlook, Reason, in_words
from services.selling.publishing.requesting import USUAL_PRIORITY
from services.selling.quotas.ledger import QuotaForecast, QuotaState
from services.selling.vinted.bridge.standing import hindrances
from services.selling.vinted.costs import READ_ITEM, Request, requests_of, told_of
from services.selling.vinted.pacing import (
    Kind,
    Meanwhile,
    PaceRule,
    Pacing,
    QuietHours,
    Sent,
    kinds_of,
)
from services.selling.vinted.polling import ORDERS_EVERY
from services.selling.vinted.quiet_hours import quiet_hours_of
from shared.clock import Clock
from shared.database import TenantSession

ANSWERED_IN = timedelta(seconds=30)
"""At worst, with a photo on a slow line, and a worker that is busy elsewhere."""

ORDERS_READ = Meanwhile(ORDERS_EVERY, looks=3)
"""At worst: the page of orders, and two orders that have moved."""

_WORDS = {
    Kind.REQUEST: "requests are made",
    Kind.CHANGE: "changes are made",
    Kind.LISTING: "items are put up or taken down",
    Kind.MESSAGE: "replies are sent",
}


@dataclass(frozen=True, slots=True)
class _Seen:
    """How things stand on the account."""

    now: datetime
    account: VintedAccount | None
    stopped: str | None
    history: Sequence[Sent]
    in_front: Sequence[JobsInFront]


class VintedOutlooks:
    """Works in the caller's transaction: four statements, however much there is to do."""

    def __init__(self, pacing: Pacing, clock: Clock) -> None:
        self._pacing = pacing
        self._clock = clock

    def of(
        self, session: TenantSession, action: JobAction, sizes: Sequence[JobSize], queued: int = 0
    ) -> Outlook:
        """See `services.selling.publishing.channels.Preflight.outlook`."""
        seen = self._seen(session, action, queued)
        own = [request for size in sizes for request in requests_of(action, size)]
        kinds = {kind for request in own for kind in kinds_of(*request)}
        slow = [*_before(seen.in_front, worst=True), *own]
        forecasts = [
            _forecast(rule, seen, slow)
            for rule in told_of(self._pacing.rules)
            if rule.kind in kinds
        ]
        return Outlook(
            self._estimate(action, seen, own, forecasts),
            forecasts,
            sum(each.jobs for each in seen.in_front),
        )

    def _seen(self, session: TenantSession, action: JobAction, queued: int) -> _Seen:
        now, commands = self._clock.now(), VintedCommandRepository(session)
        stopped = StoppedChannelRepository(session).get(Channel.VINTED)
        in_front = commands.in_front(urgent=_is_urgent(action), priority=USUAL_PRIORITY)
        return _Seen(
            now,
            VintedAccountRepository(session).get(),
            None if stopped is None else stopped.because,
            commands.sent_since(now - self._pacing.looks_back),
            list(_without(in_front, action, queued)),
        )

    def _estimate(
        self,
        action: JobAction,
        seen: _Seen,
        own: Sequence[Request],
        forecasts: Sequence[QuotaForecast],
    ) -> Estimate:
        quiet = None if seen.account is None else quiet_hours_of(seen.account)
        pacing, urgent = Pacing(self._pacing.rules, quiet), _is_urgent(action)
        at_best = [*_before(seen.in_front, worst=False), *own]
        at_worst = [*_before(seen.in_front, worst=True), *own]
        history, now = seen.history, seen.now
        earliest = pacing.done_at(history, now, at_best, urgent=urgent)
        latest = pacing.done_at(
            history,
            now,
            at_worst,
            urgent=urgent,
            answered_in=ANSWERED_IN,
            meanwhile=ORDERS_READ,
        )
        in_the_way = [
            Reason(f"channel-{word.replace('_', '-')}", message)
            for word, message in hindrances(seen.account, now, seen.stopped)
        ]
        return Estimate(
            earliest,
            None if in_the_way else latest,
            (
                *in_the_way,
                _about_pace(len(own)),
                *_about_the_queue(seen.in_front, len(at_worst) - len(own)),
                *_about_limits(forecasts, seen),
                *(_about_quiet(quiet, now, latest) if not urgent else ()),
            ),
        )


def _is_urgent(action: JobAction) -> bool:
    return action.lane is Lane.REALTIME


def _without(
    in_front: Sequence[JobsInFront], action: JobAction, queued: int
) -> Iterator[JobsInFront]:
    """Those that are not the work itself that is asked about."""
    for each in in_front:
        own = min(queued, each.jobs) if each.action is action and not each.sent else 0
        queued -= own
        if each.jobs > own:
            yield replace(each, jobs=each.jobs - own)


def _before(in_front: Sequence[JobsInFront], *, worst: bool) -> Iterator[Request]:
    """What jobs in front still send. Photos of an update are new at worst."""
    for each in in_front:
        new = each.photos if worst or each.action is JobAction.PUBLISH else 0
        left = list(requests_of(each.action, {Unit.LISTING: 1, Unit.PHOTO: new}))[each.sent :]
        left += [READ_ITEM] * (each.waiting - len(left))
        for _ in range(each.jobs):
            yield from left


def _forecast(rule: PaceRule, seen: _Seen, requests: Sequence[Request]) -> QuotaForecast:
    """By this rule alone."""
    pacing, now = Pacing([rule]), seen.now
    counted = [each for each in requests if rule.kind in kinds_of(*each)]
    used = sum(
        sent_at > now - rule.window and rule.kind in kinds_of(method, path)
        for sent_at, method, path in seen.history
    )
    opens = pacing.done_at(seen.history, now, counted[:1])
    enough = pacing.done_at(seen.history, now, counted)
    state = QuotaState(rule.quota, used, opens if opens > now else None)
    return QuotaForecast(state, len(counted), enough if enough > now else None)


def _about_pace(requests: int) -> Reason:
    message = (
        f"Requests that your browser makes on Vinted: {requests}, one after the other and no "
        "faster than a person; it has to stay open."
    )
    return Reason("pace-kept", message)


def _about_the_queue(in_front: Sequence[JobsInFront], requests: int) -> Iterator[Reason]:
    jobs = sum(each.jobs for each in in_front)
    if jobs:
        message = (
            f"Jobs on Vinted that were asked for before: {jobs}, with up to {requests} requests."
        )
        yield Reason("jobs-before", message)


def _about_limits(forecasts: Sequence[QuotaForecast], seen: _Seen) -> Iterator[Reason]:
    """Those that are used up, and the one that takes longest."""
    for each in forecasts:
        if each.state.open_at is not None:
            yield Reason(
                "quota-opens",
                f"{_limit(each)}; {each.state.used} were, the next can be "
                f"at {in_words(each.state.open_at)}.",
            )
    last = max(forecasts, key=lambda each: each.enough_at or seen.now, default=None)
    if last is not None and last.enough_at is not None:
        yield Reason(
            "quota-fills",
            f"{_limit(last)}; {last.state.used} were, the last of {last.calls} more can be "
            f"at {in_words(last.enough_at)}.",
        )


def _limit(forecast: QuotaForecast) -> str:
    quota = forecast.state.quota
    minutes = int(quota.window.total_seconds()) // 60
    span = f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"
    kind = Kind(quota.name.removeprefix("vinted."))
    return f"At most {quota.limit} {_WORDS[kind]} on Vinted in {span}"


def _about_quiet(quiet: QuietHours | None, now: datetime, latest: datetime) -> Iterator[Reason]:
    if quiet is not None and quiet.touch(now, latest):
        yield Reason(
            "quiet-hours",
            f"Nothing is sent to Vinted between {quiet.begins:%H:%M} and {quiet.ends:%H:%M} "
            f"({quiet.zone.key}), as you chose.",
        )
