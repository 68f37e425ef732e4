"""Notes what it is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import event

from models.accounts.schedule import TickOutcome
from shared.database import Database


@dataclass
class NotedRuns:
    """A `TickWatch` that remembers."""

    ran: list[tuple[str, TickOutcome]] = field(default_factory=list)

    def tick_ran(self, name: str, outcome: TickOutcome, took: timedelta) -> None:
        self.ran.append((name, outcome))


@contextmanager
def statements_sent(database: Database) -> Iterator[list[str]]:
    """What is sent to the database while the block runs."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
