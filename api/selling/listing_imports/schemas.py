"""Imports of a channel's listings, as clients see them."""

from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, Field

from models.selling.listing_imports import ListingImportRow, RowOutcome
from models.selling.publishing import Channel
from repositories.selling.listing_imports import ImportStanding


class ImportOut(BaseModel):
    """How far an import is, and what came of it."""

    id: int
    channel: Channel
    status: str = Field(
        description="`reading`, `checking` (all is read and looked at once more), `stopped` (see"
        " `problem`; asking again goes on), `complete` or `partial` (see `doubt`)."
    )
    job_id: int | None = Field(description="The job that works on it; it can be cancelled.")
    announced: int | None = Field(description="Listings that the channel speaks of.")
    seen: int = Field(description="Listings that were read.")
    pages_read: int
    pages_checked: int
    outcomes: dict[RowOutcome, int] = Field(description="How many rows ended how.")
    doubt: str | None = Field(
        description="Why it is only partial. Nothing is concluded from what it did not see."
    )
    waiting_for: str | None
    problem: str | None = Field(description="What its job ran into last.")
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, standing: ImportStanding) -> Self:
        """Show an import."""
        row, job = standing.row, standing.job
        checked = row.next_page if row.status == "checking" else len(row.page_marks)
        checked = 0 if row.status == "reading" else checked
        return cls(
            id=row.id,
            channel=row.channel,
            status="stopped" if standing.stopped else row.status.value,
            job_id=row.job_id,
            announced=row.announced,
            seen=row.seen,
            pages_read=len(row.page_marks),
            pages_checked=checked,
            outcomes=dict(standing.outcomes),
            doubt=row.doubt,
            waiting_for=job.waiting_for if job is not None and job.is_live else None,
            problem=job.problem_detail if job is not None else None,
            created_at=row.created_at,
            finished_at=row.finished_at,
        )


class ImportRowOut(BaseModel):
    """What became of one listing."""

    id: int
    outcome: RowOutcome
    listing_id: str | None
    title: str | None
    url: str | None
    product_id: int | None
    candidates: list[int] = Field(description="Products it may belong to; you decide.")
    code: str | None = Field(description="Stable word for why.")
    reason: str | None
    problems: list[dict[str, Any]] = Field(
        description="Fields that are wrong and photos that could not be had."
    )
    decided_at: datetime | None

    @classmethod
    def of(cls, row: ListingImportRow) -> Self:
        """Show a row."""
        return cls(
            id=row.id,
            outcome=row.outcome,
            listing_id=row.listing_id,
            title=row.title,
            url=row.url,
            product_id=row.product_id,
            candidates=row.candidates,
            code=row.code,
            reason=row.reason,
            problems=row.problems,
            decided_at=row.decided_at,
        )


class LinkIn(BaseModel):
    """Which product the listing is of."""

    product_id: int | None = Field(
        default=None, gt=0, lt=2**63, description="Left out: the only one that was suggested."
    )
