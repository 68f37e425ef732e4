"""What the scheduler did: one row a run of a tick."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, DateTime
from sqlalchemy.orm import Mapped, mapped_column

from models.base import WRITTEN_WITH_SHOPS, Moment, PlatformBase, words


class TickOutcome(StrEnum):
    """How a run ended."""

    OK = "ok"
    FAILED = "failed"
    STOPPED = "stopped"
    """Its process was told to end; the next run goes on."""


class TickRun(PlatformBase):
    """Claims a planned run: whoever stores the row first runs the tick, nobody else does."""

    __tablename__ = "tick_runs"
    __table_args__ = ({"schema": "public", "info": WRITTEN_WITH_SHOPS},)

    name: Mapped[str] = mapped_column(primary_key=True)
    planned_at: Mapped[Moment] = mapped_column(DateTime(timezone=True), primary_key=True)
    """A multiple of the tick's interval; any other moment is a run by hand."""
    runner: Mapped[str]
    """Host and process."""
    started_at: Mapped[Moment]
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """None: it runs, or its process died."""
    outcome: Mapped[TickOutcome | None] = mapped_column(words(TickOutcome, "outcome"))
    said: Mapped[str | None]
    """What it did, or why it failed."""
    position: Mapped[int | None] = mapped_column(BigInteger)
    """How far a tick got that goes round in slices."""
