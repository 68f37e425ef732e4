"""What the demo shows while it works: bars on a terminal, plain lines elsewhere."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table


@dataclass(frozen=True)
class Row:
    """One product on one channel, as the demo ended."""

    product: str
    channel: str
    outcome: str
    listing_id: str
    seconds: float | None


class Showing:
    """Speaks to the console it is given; the JSON line is the caller's business."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def say(self, line: str) -> None:
        """One line of the story."""
        self._console.print(f"• {line}", highlight=False, soft_wrap=True)

    @contextmanager
    def progress(self, what: str) -> Iterator[Callable[[int, int], None]]:
        """Yields `advance(done, total)`."""
        if self._console.is_terminal:
            with self._bar(what) as advance:
                yield advance
        else:
            with self._lines(what) as advance:
                yield advance

    def table(self, rows: Sequence[Row]) -> None:
        """What became of every product."""
        table = Table(box=None, pad_edge=False)
        for heading in ("product", "channel", "outcome", "listing id"):
            table.add_column(heading, overflow="fold" if heading == "outcome" else "ellipsis")
        table.add_column("seconds", justify="right")
        for row in rows:
            seconds = "" if row.seconds is None else f"{row.seconds:.2f}"
            table.add_row(row.product, row.channel, row.outcome, row.listing_id, seconds)
        self._console.print()
        self._console.print(table)
        self._console.print()

    @contextmanager
    def _bar(self, what: str) -> Iterator[Callable[[int, int], None]]:
        columns = (
            TextColumn("• {task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self._console) as progress:
            task = progress.add_task(what, total=None)
            yield lambda done, total: progress.update(task, completed=done, total=total)

    @contextmanager
    def _lines(self, what: str) -> Iterator[Callable[[int, int], None]]:
        last = -1

        def advance(done: int, total: int) -> None:
            nonlocal last
            tenth = 10 * done // max(total, 1)
            if tenth != last:
                self.say(f"{what}: {done} of {total}")
            last = tenth

        yield advance
