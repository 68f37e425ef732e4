"""Does a shop lose or double a listing when everything around its jobs breaks?

Real workers publish on a sandbox eBay that loses answers, refuses, hangs up and lets tokens expire,
while workers are killed and PostgreSQL is stopped in the middle. At the end eBay's own ledger is
compared with the shops' tables, row by row. Its size is set by the environment: `CHAOS_PUBLISHES`,
`CHAOS_SHOPS`, `CHAOS_KILLS`, `CHAOS_OUTAGES` (of PostgreSQL), `CHAOS_WORKERS`, `CHAOS_MINUTES`.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, fields

from sqlalchemy.exc import OperationalError

from benchmarks.answer import Answer
from benchmarks.chaos.books import Books, compare
from benchmarks.chaos.crew import Crew
from benchmarks.chaos.shops import Shop, ended, open_shops
from benchmarks.chaos.site import Site, built

Say = Callable[[str], None]

_LOOK_EVERY_S = 0.2
_TELL_EVERY_S = 10.0
_AWAY_S = 1.5
"""How long PostgreSQL stays down; longer than a worker's look for work."""


@dataclass(frozen=True)
class Size:
    """How much of it."""

    publishes: int = 2000
    shops: int = 20
    kills: int = 100
    outages: int = 5
    workers: int = 3
    minutes: int = 30
    """After this what has not ended is stuck."""

    @classmethod
    def from_environment(cls) -> "Size":
        """What `CHAOS_…` says."""
        names = [each.name for each in fields(cls)]
        given = {name: os.environ.get(f"CHAOS_{name.upper()}") for name in names}
        return cls(**{name: int(value) for name, value in given.items() if value})


@dataclass(frozen=True)
class Report:
    """What was done to it, and what came of it."""

    books: Books
    kills: int
    outages: int
    faults: int
    stuck: int
    seconds: float


def measure() -> Answer:
    """The large version."""
    size = Size.from_environment()
    report = run(size, lambda line: print(line, flush=True))
    books = report.books
    for line in books.findings[:20]:
        print(f"! {line}")
    figures = {
        "publishes": size.publishes,
        "kills": report.kills,
        "outages": report.outages,
        "faults": report.faults,
        "attempts": books.attempts,
        "lost": books.lost,
        "duplicates": books.duplicates,
        "disagreements": books.disagreements,
        "stuck": report.stuck,
        "seconds": round(report.seconds, 1),
    }
    return Answer({name: float(value) for name, value in figures.items()}, {})


def run(size: Size, say: Say) -> Report:
    """Build everything in a temporary folder, break it as often as asked, look at the books."""
    with built() as site:
        shops = open_shops(site, size.shops, size.publishes)
        say(f"{size.publishes} publishes asked for by {size.shops} shops")
        site.misbehave()
        started = time.monotonic()
        with Crew(size.workers, site.environment, site.folder / "worker.log") as crew:
            storm = _Storm(size, site, crew, shops, say)
            done = storm.rage()
        seconds = time.monotonic() - started
        books = compare(site, shops)
        faults = site.faults_committed()
    return Report(books, crew.kills, storm.outages, faults, size.publishes - done, seconds)


class _Storm:
    """Kills and outages, spread evenly over the work rather than over the time."""

    def __init__(self, size: Size, site: Site, crew: Crew, shops: list[Shop], say: Say) -> None:
        self._size, self._site, self._crew, self._shops, self._say = size, site, crew, shops, say
        self._told_at = 0.0
        self._done = 0
        self.outages = 0

    def rage(self) -> int:
        """Until every job has ended or the time is up; returns how many have ended."""
        until = time.monotonic() + 60 * self._size.minutes
        while self._done < self._size.publishes and time.monotonic() < until:
            self._look()
            self._crew.replace_the_dead()
            if self._is_time_for(self._crew.kills, self._size.kills):
                self._crew.kill_the_oldest()
            if self._is_time_for(self.outages, self._size.outages):
                self._pull_the_plug()
            time.sleep(_LOOK_EVERY_S)
        return self._done

    def _is_time_for(self, times: int, wanted: int) -> bool:
        return times < wanted and self._done * (wanted + 1) >= self._size.publishes * (times + 1)

    def _pull_the_plug(self) -> None:
        self.outages += 1
        self._site.postgres.crash()
        time.sleep(_AWAY_S)
        self._site.postgres.start()

    def _look(self) -> None:
        try:
            self._done = sum(ended(self._site, shop) for shop in self._shops)
        except OperationalError:
            return
        if time.monotonic() - self._told_at >= _TELL_EVERY_S:
            self._told_at = time.monotonic()
            self._say(
                f"{self._done} of {self._size.publishes} ended, {self._crew.kills} workers killed, "
                f"{self.outages} outages of PostgreSQL"
            )
