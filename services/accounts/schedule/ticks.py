"""The shape of a tick: something short and idempotent that is done again and again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class TickStopped(Exception):
    """The process that runs the tick is to end; the next run goes on."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a run is told."""

    position: int
    """Where the last slice ended; 0 at the beginning of a round."""
    whole: bool
    """Run by hand: do all there is, not a slice."""
    go_on: Callable[[], None]
    """To be called now and then, with no transaction open. Raises `TickStopped`."""


@dataclass(frozen=True, slots=True)
class Did:
    """What a run did, in a few words, and where its slice ended."""

    said: str
    position: int | None = None


Act: TypeAlias = Callable[[Turn], Did]


@dataclass(frozen=True, slots=True)
class Tick:
    """Planned at the multiples of `every`, which are the same for every process."""

    name: str
    every: timedelta
    act: Act
    about: str
    """What it is for: one line."""

    def planned_at(self, now: datetime) -> datetime:
        """The planned moment that has come last."""
        return now - (now - _EPOCH) % self.every

    def next_after(self, now: datetime) -> datetime:
        """The planned moment that comes next."""
        return self.planned_at(now) + self.every
