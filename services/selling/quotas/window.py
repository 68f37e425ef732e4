"""How many calls fell into the last so-and-so long: counted in slices, never too few."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

SLICES = 24
"""Pieces a window is counted in: a call is held against the quota up to one piece too long."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Spent = Sequence[Sequence[int]]
"""Pairs of slice number and calls, oldest first."""


@dataclass(frozen=True, slots=True)
class CallWindow:
    """A sliding window: in no stretch of `length` are there more than `limit` calls."""

    limit: int
    length: timedelta

    def used(self, spent: Spent, now: datetime) -> int:
        """Calls that still count at `now`."""
        return sum(calls for _, calls in self._counting(spent, now))

    def wait(self, spent: Spent, now: datetime, calls: int = 1) -> float:
        """Seconds until there is room for so many at once; 0 when there is."""
        too_many = self.used(spent, now) - self.limit + calls
        for number, calls in self._counting(spent, now):
            if too_many <= 0:
                break
            too_many -= calls
            if too_many <= 0:
                return (self._gone_at(number) - _microseconds(now)) / 1_000_000
        return 0.0

    def delay(self, calls: int, spent: Spent, now: datetime) -> float:
        """Seconds until the last of so many further calls, each made as early as it may be."""
        made = deque((self._gone_at(number), spent) for number, spent in self._counting(spent, now))
        begin = moment = _microseconds(now)
        room = self.limit - self.used(spent, now)
        while True:
            taken = max(0, min(calls, room))
            calls, room = calls - taken, room - taken
            if not calls:
                return (moment - begin) / 1_000_000
            if taken:
                made.append((self._gone_at(moment // self._slice), taken))
            moment, freed = made.popleft()
            room += freed

    def with_more(self, spent: Spent, now: datetime, calls: int = 1) -> list[list[int]]:
        """What is to be remembered after so many calls at `now`."""
        counting, current = self._counting(spent, now), _microseconds(now) // self._slice
        if counting and counting[-1][0] >= current:
            counting[-1][1] += calls
        else:
            counting.append([current, calls])
        return counting

    def with_at_least(
        self, spent: Spent, now: datetime, calls: int, since: datetime
    ) -> list[list[int]]:
        """As if at least so many counted: those that are missing as if made at `since`."""
        counting = {each[0]: each[1] for each in self._counting(spent, now)}
        missing = calls - sum(counting.values())
        if missing > 0:
            moment = min(_microseconds(since), _microseconds(now))
            begun = max(moment // self._slice, self.first_counting(now))
            counting[begun] = counting.get(begun, 0) + missing
        return [[number, made] for number, made in sorted(counting.items())]

    def first_counting(self, now: datetime) -> int:
        """The oldest slice of which calls still count."""
        return _microseconds(now) // self._slice - SLICES

    @property
    def _slice(self) -> int:
        """Microseconds a piece of the window lasts."""
        return -(-_microseconds(_EPOCH + self.length) // SLICES)

    def _gone_at(self, number: int) -> int:
        """Microsecond from which calls of this slice are older than the window, all of them."""
        return (number + 1 + SLICES) * self._slice

    def _counting(self, spent: Spent, now: datetime) -> list[list[int]]:
        moment = _microseconds(now)
        return [[number, calls] for number, calls in spent if self._gone_at(number) > moment]


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND
