"""Runs ticks, each planned run once in the whole installation."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from models.accounts.schedule import TickOutcome, TickRun
from repositories.accounts.schedule import TickRunRepository
from services.accounts.schedule.ticks import Did, Tick, TickStopped, Turn
from shared.clock import Clock
from shared.database import Database, reason_of

log = structlog.get_logger(__name__)

_LONGEST_SAID = 500


class TickWatch(Protocol):
    """Told of every run that ended here."""

    def tick_ran(self, name: str, outcome: TickOutcome, took: timedelta) -> None:
        """A run of `name` ended after `took`."""
        ...


class TickRunner:
    """Claims a planned run by storing it, so that even two leaders at once do not run it twice.

    A run that fails is written down and tried again at its next planned moment. Whoever was away
    for several moments runs once for all of them.
    """

    def __init__(self, database: Database, clock: Clock, runner: str, watch: TickWatch) -> None:
        """`runner` is what is written down as who ran it."""
        self._database = database
        self._clock = clock
        self._runner = runner
        self._watch = watch

    def run_due(self, tick: Tick, go_on: Callable[[], None]) -> TickOutcome | None:
        """Run the planned moment that has come last; None when it was run."""
        ended = self._run(tick, tick.planned_at(self._clock.now()), go_on, whole=False)
        return None if ended is None else ended[0]

    def run_now(self, tick: Tick, go_on: Callable[[], None]) -> tuple[TickOutcome, str]:
        """Run it whole, whatever is planned; returns how it ended and what it said."""
        ended = self._run(tick, self._clock.now(), go_on, whole=True)
        if ended is None:
            return TickOutcome.STOPPED, "somebody else has begun a run at this very moment"
        outcome, did = ended
        return outcome, did.said

    def _run(
        self, tick: Tick, planned_at: datetime, go_on: Callable[[], None], *, whole: bool
    ) -> tuple[TickOutcome, Did] | None:
        started_at = self._clock.now()
        with self._database.platform() as session:
            runs = TickRunRepository(session)
            run = TickRun(
                name=tick.name, planned_at=planned_at, runner=self._runner, started_at=started_at
            )
            if not runs.claim(run):
                return None
            turn = Turn(runs.position(tick.name) or 0, whole, go_on)
        with structlog.contextvars.bound_contextvars(tick=tick.name):
            outcome, did = _act(tick, turn)
            self._end(tick, planned_at, outcome, did)
        self._watch.tick_ran(tick.name, outcome, self._clock.now() - started_at)
        return outcome, did

    def _end(self, tick: Tick, planned_at: datetime, outcome: TickOutcome, did: Did) -> None:
        now = self._clock.now()
        log.info("tick.ended", outcome=outcome, said=did.said)
        with self._database.platform() as session:
            TickRunRepository(session).end(
                tick.name,
                planned_at,
                outcome=outcome,
                said=did.said[:_LONGEST_SAID],
                position=did.position,
                at=now,
            )


def _act(tick: Tick, turn: Turn) -> tuple[TickOutcome, Did]:
    try:
        return TickOutcome.OK, tick.act(turn)
    except TickStopped:
        return TickOutcome.STOPPED, Did("stopped with its process")
    except Exception as error:
        log.exception("tick.failed")
        return TickOutcome.FAILED, Did(reason_of(error))
