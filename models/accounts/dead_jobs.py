"""Jobs that ended where only a person can help, of all shops."""

from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import WRITTEN_WITH_SHOPS, Moment, PlatformBase


class DeadJob(PlatformBase):
    """Written in the transaction that ends the job, so that nobody has to look into every shop.

    The job itself, with its story, stays in its shop; what is copied here is what an operator
    sorts by.
    """

    __tablename__ = "dead_jobs"
    __table_args__ = (
        Index("ix_dead_jobs_ended_at", "ended_at"),
        {"schema": "public", "info": WRITTEN_WITH_SHOPS},
    )

    tenant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    job_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    channel: Mapped[str]
    action: Mapped[str]
    product_id: Mapped[int | None]
    outcome: Mapped[str]
    """Blocked or unknown."""
    problem_code: Mapped[str | None]
    problem_detail: Mapped[str | None]
    ended_at: Mapped[Moment]
