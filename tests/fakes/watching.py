"""Notes what it is told."""

from dataclasses import dataclass, field
from datetime import timedelta

from models.accounts.schedule import TickOutcome


@dataclass
class NotedRuns:
    """A `TickWatch` that remembers."""

    ran: list[tuple[str, TickOutcome]] = field(default_factory=list)

    def tick_ran(self, name: str, outcome: TickOutcome, took: timedelta) -> None:
        self.ran.append((name, outcome))
