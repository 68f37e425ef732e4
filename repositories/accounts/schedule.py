"""Runs of ticks."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from models.accounts.schedule import TickOutcome, TickRun
from shared.database import PlatformSession


class TickRunRepository:
    """Rows of `public.tick_runs`."""

    def __init__(self, session: PlatformSession) -> None:
        self._session = session

    def claim(self, run: TickRun) -> bool:
        """Store a run that begins; False when this one, or a later one, began before."""
        latest = self._session.scalar(
            select(func.max(TickRun.planned_at)).where(TickRun.name == run.name)
        )
        if latest is not None and latest >= run.planned_at:
            return False
        statement = insert(TickRun).values(
            name=run.name,
            planned_at=run.planned_at,
            runner=run.runner,
            started_at=run.started_at,
        )
        claimed = self._session.scalar(
            statement.on_conflict_do_nothing().returning(TickRun.planned_at)
        )
        return claimed is not None

    def end(
        self,
        name: str,
        planned_at: datetime,
        *,
        outcome: TickOutcome,
        said: str,
        position: int | None,
        at: datetime,
    ) -> None:
        """Write down how a run ended."""
        self._session.execute(
            update(TickRun)
            .where(TickRun.name == name, TickRun.planned_at == planned_at)
            .values(outcome=outcome, said=said, position=position, finished_at=at)
        )

    def position(self, name: str) -> int | None:
        """How far the last slice got."""
        return self._session.scalar(
            select(TickRun.position)
            .where(TickRun.name == name, TickRun.position.is_not(None))
            .order_by(TickRun.planned_at.desc())
            .limit(1)
        )

    def latest(self, outcome: TickOutcome | None = None) -> Sequence[TickRun]:
        """The last run of each tick, or the last that ended so."""
        query = select(TickRun).distinct(TickRun.name)
        if outcome is not None:
            query = query.where(TickRun.outcome == outcome)
        return self._session.scalars(query.order_by(TickRun.name, TickRun.planned_at.desc())).all()

    def forget_before(self, moment: datetime) -> int:
        """Delete runs that were planned before `moment`, but the last of each tick."""
        last = (
            select(TickRun.name, func.max(TickRun.planned_at).label("planned_at"))
            .group_by(TickRun.name)
            .subquery()
        )
        kept = (
            select(last.c.name)
            .where(last.c.name == TickRun.name, last.c.planned_at == TickRun.planned_at)
            .exists()
        )
        gone = self._session.scalars(
            delete(TickRun).where(TickRun.planned_at < moment, ~kept).returning(TickRun.planned_at)
        )
        return len(gone.all())
