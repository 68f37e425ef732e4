"""What an operator sees of the schedule."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from models.accounts.schedule import TickRun
from repositories.accounts.schedule import TickRunRepository
from services.accounts.schedule.ticks import Tick
from shared.clock import Clock
from shared.database import PlatformSession
from shared.database.leadership import leader_of


@dataclass(frozen=True, slots=True)
class TickState:
    """A tick, its last run and its next."""

    tick: Tick
    last: TickRun | None
    next_at: datetime


@dataclass(frozen=True, slots=True)
class Schedule:
    """All ticks, and who runs them; `leader` None: nobody does."""

    leader: str | None
    ticks: Sequence[TickState]


class ScheduleOverview:
    """Two cheap queries."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def of(self, session: PlatformSession, ticks: Sequence[Tick]) -> Schedule:
        """Look at these ticks."""
        last = {run.name: run for run in TickRunRepository(session).latest()}
        now = self._clock.now()
        return Schedule(
            leader_of(session),
            [TickState(tick, last.get(tick.name), tick.next_after(now)) for tick in ticks],
        )
