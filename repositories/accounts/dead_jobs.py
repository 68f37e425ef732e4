"""Jobs of all shops that ended where only a person can help."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from models.accounts.dead_jobs import DeadJob
from models.accounts.identity import User
from shared.database import PlatformSession, TenantSchema


@dataclass(frozen=True, slots=True)
class DeadJobFilter:
    """Which dead jobs a list shows; None means any."""

    tenant: TenantSchema | None = None
    channel: str | None = None
    problem_code: str | None = None


class DeadJobRepository:
    """Rows of `public.dead_jobs`. On a `TenantSession` only the tenant's own exist."""

    def __init__(self, session: PlatformSession) -> None:
        self._session = session

    def put(self, dead: DeadJob) -> None:
        """Store a dead job; one that died before is replaced."""
        values = {column.name: getattr(dead, column.name) for column in DeadJob.__table__.columns}
        statement = insert(DeadJob).values(values)
        later = {name: statement.excluded[name] for name in values}
        self._session.execute(
            statement.on_conflict_do_update(
                index_elements=[DeadJob.tenant_id, DeadJob.job_id], set_=later
            )
        )

    def forget(self, tenant: TenantSchema, job_ids: Collection[int]) -> None:
        """These jobs of a shop are alive again, or need nobody any more."""
        self._session.execute(
            delete(DeadJob).where(
                DeadJob.tenant_id == tenant.tenant_id, DeadJob.job_id.in_(job_ids)
            )
        )

    def forget_shop(self, tenant: TenantSchema) -> None:
        """The shop is gone, and its jobs with it."""
        self._session.execute(delete(DeadJob).where(DeadJob.tenant_id == tenant.tenant_id))

    def page(self, wanted: DeadJobFilter, limit: int) -> Sequence[tuple[DeadJob, str | None]]:
        """Those that died first, each with its owner's e-mail address."""
        columns = {
            DeadJob.tenant_id: wanted.tenant and wanted.tenant.tenant_id,
            DeadJob.channel: wanted.channel,
            DeadJob.problem_code: wanted.problem_code,
        }
        rows = self._session.execute(
            select(DeadJob, User.email)
            .outerjoin(User, User.id == DeadJob.tenant_id)
            .where(*(column == value for column, value in columns.items() if value is not None))
            .order_by(DeadJob.ended_at, DeadJob.tenant_id, DeadJob.job_id)
            .limit(limit)
        )
        return [(dead, email) for dead, email in rows]

    def counts(self) -> dict[tuple[str, str], int]:
        """How many there are by channel and outcome."""
        rows = self._session.execute(
            select(DeadJob.channel, DeadJob.outcome, func.count()).group_by(
                DeadJob.channel, DeadJob.outcome
            )
        )
        return {(channel, outcome): number for channel, outcome, number in rows}

    def shops_after(self, tenant_id: int, limit: int) -> Sequence[TenantSchema]:
        """The next shops that have dead jobs, by number."""
        ids = self._session.scalars(
            select(DeadJob.tenant_id)
            .where(DeadJob.tenant_id > tenant_id)
            .distinct()
            .order_by(DeadJob.tenant_id)
            .limit(limit)
        )
        return [TenantSchema(each) for each in ids]

    def of_shop(self, tenant: TenantSchema) -> Sequence[int]:
        """Numbers of a shop's dead jobs."""
        return self._session.scalars(
            select(DeadJob.job_id)
            .where(DeadJob.tenant_id == tenant.tenant_id)
            .order_by(DeadJob.job_id)
        ).all()
