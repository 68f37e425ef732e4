"""Runs the ticks in one worker of the installation, whichever leads."""

import os
import socket
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from backend.metrics import Meters
from services.accounts.schedule.running import TickRunner
from services.accounts.schedule.ticks import Tick, TickStopped
from shared.database.leadership import Leadership

log = structlog.get_logger(__name__)

BEATS_PER_LEASE = 4
"""How often a leader is heard, and others try to lead: one beat may get lost."""

TOGETHER = 2
"""Ticks that run at the same time, so that a long one does not hold up the others."""


def worker_name() -> str:
    """Who ran a tick or a job: host and process."""
    return f"{socket.gethostname()}:{os.getpid()}"


class AtOnceThenAsPlanned(BaseTrigger):  # type: ignore[misc] # APScheduler has no types
    """Fires when a reign begins, for what was missed before it, then at each planned moment."""

    def __init__(self, tick: Tick) -> None:
        self._tick = tick

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """As APScheduler asks it."""
        return now if previous_fire_time is None else self._tick.next_after(previous_fire_time)


class Reign:
    """The time in which this process leads: APScheduler runs the ticks, each once at a time."""

    def __init__(self, ticks: Sequence[Tick], runner: TickRunner) -> None:
        self._runner = runner
        self._over = threading.Event()
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(TOGETHER)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        for tick in ticks:
            self._scheduler.add_job(self._run, AtOnceThenAsPlanned(tick), args=[tick], id=tick.name)
        self._scheduler.start()

    def end(self, *, wait: bool) -> None:
        """Begin no further run; one that is under way stops where it can."""
        self._over.set()
        self._scheduler.shutdown(wait=wait)

    def _run(self, tick: Tick) -> None:
        try:
            self._runner.run_due(tick, self._go_on)
        except TickStopped:
            return
        except Exception:
            # The database is away, most likely; the next planned moment comes.
            log.exception("tick.not_run", tick=tick.name)

    def _go_on(self) -> None:
        if self._over.is_set():
            raise TickStopped


class Scheduler:
    """A thread that tries to lead and, as long as it does, lets the ticks run."""

    def __init__(
        self,
        leadership: Leadership,
        ticks: Sequence[Tick],
        runner: TickRunner,
        meters: Meters,
        lease: timedelta,
    ) -> None:
        self._leadership = leadership
        self._ticks = ticks
        self._runner = runner
        self._meters = meters
        self._beat_s = lease.total_seconds() / BEATS_PER_LEASE
        self._reign: Reign | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="scheduler", daemon=True)

    def start(self) -> None:
        """Start the thread and return."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Let somebody else lead; a tick that runs stops where it can."""
        self._stopping.set()

    def wait(self, grace: timedelta) -> bool:
        """Wait until all has stopped; False when a tick did not in time."""
        self._thread.join(grace.total_seconds())
        return not self._thread.is_alive()

    def _follow(self) -> None:
        while not self._stopping.is_set():
            try:
                self._become(self._leadership.hold())
            except Exception:
                log.exception("scheduler.beat_failed")
            self._stopping.wait(self._beat_s)
        self._leadership.release()
        self._become(False, wait=True)

    def _become(self, leads: bool, *, wait: bool = False) -> None:
        reign = self._reign
        if leads and reign is None:
            log.info("scheduler.leads", ticks=len(self._ticks))
            self._reign = Reign(self._ticks, self._runner)
        elif not leads and reign is not None:
            log.info("scheduler.leads_no_more")
            self._reign = None
            reign.end(wait=wait)
        self._meters.leading(leads)
