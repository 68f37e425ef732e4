"""What a command shows while a shop is copied: a bar on a terminal, a few lines elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from backend.cli.terminal import say
from services.accounts.tenants.archives.manifest import Progress as CopyProgress

_SECONDS_BETWEEN_LINES = 2.0


@contextmanager
def copying(*, quiet: bool) -> Iterator[CopyProgress]:
    """Show how far a copy has come; nothing between a program and its JSON."""
    if quiet:
        yield lambda _what, _done, _of: None
    elif sys.stdout.isatty():
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[count]}"),
            TimeElapsedColumn(),
            transient=True,
        ) as bar:
            task = bar.add_task("", total=None, count="")

            def draw(what: str, done: int, of: int | None) -> None:
                bar.update(task, description=what, completed=done, total=of, count=_count(done, of))

            yield draw
    else:
        yield _Lines().tell


class _Lines:
    """A line now and then."""

    def __init__(self) -> None:
        self._told_at = monotonic()

    def tell(self, what: str, done: int, of: int | None) -> None:
        """Say it, unless the last line is too fresh."""
        if monotonic() - self._told_at >= _SECONDS_BETWEEN_LINES:
            self._told_at = monotonic()
            say(f"{what} {_count(done, of)}".rstrip())


def _count(done: int, of: int | None) -> str:
    if of is not None:
        return f"{done:,} of {of:,}"
    return f"{done:,}" if done else ""
