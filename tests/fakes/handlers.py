"""Handlers whose every step a test can choose."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from models.selling.publishing import MarketplaceJob
from services.selling.publishing.handlers import Completed, Journal, Parked, Unknown, Verdict
from shared.database import TenantSession

Perform = Callable[[Any, Journal], "dict[str, Any] | Parked | Unknown"]


@dataclass
class ScriptedHandler:
    """Calls `acts` one after the other, one an attempt; the last one is repeated."""

    acts: list[Perform] = field(default_factory=lambda: [lambda command, journal: {}])
    prepared: list[int] = field(default_factory=list)
    performed: list[int] = field(default_factory=list)
    recorded: list[int] = field(default_factory=list)
    when_prepared: Callable[[TenantSession, MarketplaceJob], Verdict | None] = field(
        default=lambda session, job: None
    )

    def prepare(self, session: TenantSession, job: MarketplaceJob) -> "int | Verdict":
        self.prepared.append(job.id)
        return self.when_prepared(session, job) or job.id

    def perform(self, command: int, journal: Journal) -> "dict[str, Any] | Parked | Unknown":
        act = self.acts[min(len(self.performed), len(self.acts) - 1)]
        self.performed.append(command)
        return act(command, journal)

    def record(
        self, session: TenantSession, job: MarketplaceJob, result: dict[str, Any]
    ) -> Verdict:
        self.recorded.append(job.id)
        return Completed(result)
