"""How fast a seller's account may be worked on: by how a person works, not by what Vinted bears.

Vinted publishes no limits. What is known is when accounts and addresses were stopped, and the
budget below stays well under that. The same numbers are the quotas that preflight tells of.
"""

from collections import deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from services.gateways.quotas import DAY, Quota

Sent = tuple[datetime, str, str]
"""A request that was sent: when, method, path."""

HOUR = timedelta(hours=1)


class Kind(StrEnum):
    """What a request is to whoever watches the account; one may be several."""

    REQUEST = "request"
    CHANGE = "change"
    """Not a GET."""
    LISTING = "listing"
    """Something goes up or comes down, which is what accounts were restricted for."""
    MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class PaceRule:
    """At most `limit` requests of a kind in any `window`."""

    kind: Kind
    limit: int
    window: timedelta

    @property
    def quota(self) -> Quota:
        """The same, as preflight counts it."""
        return Quota(f"vinted.{self.kind}", self.limit, self.window, per_shop=True)


BUDGET: Sequence[PaceRule] = (
    # Steady calls were stopped after ten minutes or more, at twenty calls in four to five minutes
    # (Vinted-Discord-Notifications #15, vinted_scraper #59). A person who edits a listing makes
    # bursts of this size, and pauses.
    PaceRule(Kind.REQUEST, 1, timedelta(seconds=2)),
    PaceRule(Kind.REQUEST, 12, timedelta(minutes=5)),
    PaceRule(Kind.REQUEST, 100, HOUR),
    PaceRule(Kind.CHANGE, 1, timedelta(seconds=5)),
    # Accounts were restricted for 96 to 318 of these in an hour or a day.
    PaceRule(Kind.LISTING, 10, HOUR),
    PaceRule(Kind.LISTING, 50, DAY),
    # Five users who did not ask are too many by Vinted's conditions; replies are answers.
    PaceRule(Kind.MESSAGE, 1, timedelta(seconds=30)),
    PaceRule(Kind.MESSAGE, 20, HOUR),
)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """When nothing is sent that can wait, by the clock on the seller's wall."""

    begins: time
    ends: time
    """Earlier than `begins` when midnight lies between."""
    zone: ZoneInfo

    def over_at(self, moment: datetime) -> datetime:
        """`moment`, or the end of the quiet hours that it falls into."""
        local = moment.astimezone(self.zone)
        clock = local.time().replace(tzinfo=None)
        if self.begins <= self.ends:
            quiet, day = self.begins <= clock < self.ends, local.date()
        else:
            quiet = clock >= self.begins or clock < self.ends
            day = local.date() + timedelta(days=clock >= self.begins)
        if not quiet:
            return moment
        return datetime.combine(day, self.ends, self.zone).astimezone(moment.tzinfo)

    def touch(self, since: datetime, until: datetime) -> bool:
        """Whether any of them lie between two moments."""
        local = since.astimezone(self.zone)
        day = local.date() + timedelta(days=local.time() >= self.begins)
        begin = datetime.combine(day, self.begins, self.zone)
        return self.over_at(since) != since or begin < until


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """What an account is asked beside the work that is looked at."""

    every: timedelta
    looks: int
    """GETs each time."""


class Pacing:
    """When the next request may be sent. Pure: the caller brings the history and the clock."""

    def __init__(self, rules: Sequence[PaceRule] = BUDGET, quiet: QuietHours | None = None) -> None:
        """Without rules everything may be sent at once."""
        self.rules = rules
        self._quiet = quiet

    @property
    def looks_back(self) -> timedelta:
        """How far back the history must reach."""
        return max((rule.window for rule in self.rules), default=timedelta(0))

    def next_allowed(
        self,
        history: Sequence[Sent],
        now: datetime,
        method: str,
        path: str,
        *,
        urgent: bool = False,
    ) -> datetime:
        """`now`, or the first later moment at which the request is within the budget.

        `history` is in order, the oldest first. `urgent` is what must not wait for the morning:
        a listing that was sold elsewhere has to come down.
        """
        allowed = _Counting(self.rules, history).free_at(kinds_of(method, path), now)
        return self._awake(allowed, urgent=urgent)

    def done_at(
        self,
        history: Sequence[Sent],
        now: datetime,
        requests: Iterable[tuple[str, str]],
        *,
        urgent: bool = False,
        answered_in: timedelta = timedelta(0),
        meanwhile: Meanwhile | None = None,
    ) -> datetime:
        """When the last of these requests (method, path) is answered, each sent as soon as it may
        be and the one before is answered.
        """
        sent, moment, asked_at = _Counting(self.rules, history), now, now
        for method, path in requests:
            if meanwhile is not None and asked_at <= moment:
                for _ in range(meanwhile.looks):
                    moment = sent.send(_LOOK, sent.free_at(_LOOK, moment))
                asked_at = moment + meanwhile.every
            kinds = kinds_of(method, path)
            allowed = self._awake(sent.free_at(kinds, moment), urgent=urgent)
            moment = sent.send(kinds, allowed) + answered_in
        return moment

    def _awake(self, moment: datetime, *, urgent: bool) -> datetime:
        return moment if urgent or self._quiet is None else self._quiet.over_at(moment)


class _Counting:
    """Of each rule the last requests that count, as many as it allows."""

    def __init__(self, rules: Sequence[PaceRule], history: Sequence[Sent]) -> None:
        self._last = [(rule, deque[datetime](maxlen=rule.limit)) for rule in rules]
        for sent_at, method, path in history:
            self.send(kinds_of(method, path), sent_at)

    def free_at(self, kinds: Collection[Kind], now: datetime) -> datetime:
        """`now`, or when the oldest of a rule that is full does not count any more."""
        full = (
            last[0] + rule.window
            for rule, last in self._last
            if rule.kind in kinds and len(last) == rule.limit
        )
        return max((now, *full))

    def send(self, kinds: Collection[Kind], moment: datetime) -> datetime:
        """Count a request; returns its moment."""
        for rule, last in self._last:
            if rule.kind in kinds:
                last.append(moment)
        return moment


@lru_cache(maxsize=4_096)
def kinds_of(method: str, path: str) -> frozenset[Kind]:
    """Of which kinds a request is."""
    if method == "GET":
        return frozenset({Kind.REQUEST})
    kinds = {Kind.REQUEST, Kind.CHANGE}
    if path.endswith(("/completion", "/delete", "/item_upload/items")):
        kinds.add(Kind.LISTING)
    if path.endswith("/replies"):
        kinds.add(Kind.MESSAGE)
    return frozenset(kinds)


_LOOK = kinds_of("GET", "")


def hurried(times: int) -> Sequence[PaceRule]:
    """The budget so many times over: for sandboxes, where nobody can be locked out."""
    return [PaceRule(rule.kind, rule.limit, rule.window / times) for rule in BUDGET]
