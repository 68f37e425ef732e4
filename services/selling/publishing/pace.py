"""How long jobs of each kind have lately taken their handlers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf
from time import perf_counter

from models.selling.publishing import Channel, JobAction, MarketplaceJob

Kind = tuple[Channel, JobAction]

QUICK_S = 0.025
"""What a job may take its handler to count as quick: a call to a marketplace takes longer."""

_WEIGHT = 0.1
"""Of what has just been seen: one slow job among many quick ones does not make them slow."""

_STEPS = 3
"""prepare, perform, record: each is timed by itself."""


class Pace:
    """Moving averages; what a process has not seen yet is not quick.

    Safe to share between threads: a figure that gets lost between two of them is seen again.
    """

    def __init__(self, stopwatch: Callable[[], float] = perf_counter) -> None:
        """`stopwatch` returns seconds since some moment."""
        self.stopwatch = stopwatch
        self._step_s: dict[Kind, float] = {}

    def note(self, kind: Kind, seconds: float) -> None:
        """A step of a job of this kind took so long."""
        before = self._step_s.get(kind, seconds)
        self._step_s[kind] = before + (seconds - before) * _WEIGHT

    @contextmanager
    def timing(self, job: MarketplaceJob) -> Iterator[None]:
        """Note how long one step of this job takes."""
        began = self.stopwatch()
        try:
            yield
        finally:
            self.note((job.channel, job.action), self.stopwatch() - began)

    def seconds(self, job: MarketplaceJob) -> float:
        """What this job may be expected to take; for ever, as far as nobody knows."""
        return self._step_s.get((job.channel, job.action), inf) * _STEPS

    def is_quick(self, job: MarketplaceJob) -> bool:
        """Whether others may well wait for it."""
        return self.seconds(job) <= QUICK_S

    @property
    def knows_quick_jobs(self) -> bool:
        """Whether jobs of any kind are quick."""
        return any(step * _STEPS <= QUICK_S for step in tuple(self._step_s.values()))
