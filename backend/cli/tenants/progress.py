"""How a run over all shops is shown: a bar on a terminal, a line now and then elsewhere."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from backend.cli.terminal import say
from backend.migration import Silent, Watcher
from services.accounts.tenants.migrating import Ending, ShopMoved

LINE_EVERY_S = 2.0


@contextmanager
def watching(*, quiet: bool) -> Iterator[Watcher]:
    """What fits the place that the output goes to."""
    if quiet:
        yield Silent()
    elif sys.stdout.isatty():
        with Progress(
            TextColumn("shops"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[pace]}"),
            TimeRemainingColumn(),
        ) as bar:
            yield Bar(bar)
    else:
        yield Lines(say)


class Pace:
    """Counts shops and knows how fast they go."""

    def __init__(self, shops: int) -> None:
        self._shops = shops
        self._began = monotonic()
        self._done = 0
        self._failed = 0

    def count(self, shop: ShopMoved) -> None:
        """One more."""
        self._done += 1
        self._failed += shop.ending is Ending.FAILED

    @property
    def per_second(self) -> float:
        """Shops a second since the beginning."""
        return self._done / max(monotonic() - self._began, 0.001)

    @property
    def failures(self) -> str:
        """Empty while all goes well."""
        return f" · {self._failed:,} failed" if self._failed else ""

    @property
    def rate(self) -> str:
        """In words: a slow run is not one that stands still."""
        return f"{self.per_second:.{0 if self.per_second >= 10 else 1}f}/s"

    def __str__(self) -> str:
        left = (self._shops - self._done) / max(self.per_second, 0.001)
        return f"{self._done:,} of {self._shops:,} · {self.rate} · {left:.0f} s left{self.failures}"


class Lines:
    """A line every two seconds at most."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._lock = threading.Lock()
        self._pace = Pace(0)
        self._said_at = monotonic()

    def say(self, line: str) -> None:
        """At once."""
        self._say(line)

    def begins(self, shops: int) -> None:
        """Count anew."""
        self._pace, self._said_at = Pace(shops), monotonic()

    def moved(self, shop: ShopMoved) -> None:
        """Count it, and say so when it is time."""
        with self._lock:
            self._pace.count(shop)
            if monotonic() - self._said_at >= LINE_EVERY_S:
                self._said_at = monotonic()
                self._say(str(self._pace))


class Bar:
    """A bar with the pace beside it."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._lock = threading.Lock()
        self._pace = Pace(0)
        self._task = bar.add_task("shops", total=None, pace="", visible=False)

    def say(self, line: str) -> None:
        """Above the bar."""
        self._bar.console.print(line, markup=False, highlight=False)

    def begins(self, shops: int) -> None:
        """A bar of that length."""
        self._pace = Pace(shops)
        self._bar.reset(self._task, total=shops, pace="", visible=True)

    def moved(self, shop: ShopMoved) -> None:
        """One further."""
        with self._lock:
            self._pace.count(shop)
            pace = f"{self._pace.rate}{self._pace.failures}"
            self._bar.update(self._task, advance=1, pace=pace)
