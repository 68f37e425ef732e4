"""Reading a channel's existing listings into the shop, and what became of each of them."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import DateTime, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import ACCOUNT_ID, BigKey, Json, Moment, TenantBase, words
from models.selling.publishing import Channel


class ImportStatus(StrEnum):
    """How far an import is, and what its snapshot is worth."""

    READING = "reading"
    CHECKING = "checking"
    """All pages were read; they are read again, to see whether they are still the same."""
    COMPLETE = "complete"
    """Every listing that the channel had was seen: what was not seen is not there."""
    PARTIAL = "partial"
    """Something may be missing; nothing is concluded from what was not seen."""


UNFINISHED = (ImportStatus.READING, ImportStatus.CHECKING)


class RowOutcome(StrEnum):
    """What became of a listing."""

    CREATED = "created"
    """A new product, with the listing as its own."""
    LINKED = "linked"
    """The listing belongs to a product that was there."""
    UNCHANGED = "unchanged"
    """It was known before."""
    SUGGESTED = "suggested"
    """It may belong to a product that was there: the seller decides."""
    FAILED = "failed"
    SKIPPED = "skipped"
    """Nothing that buyers can order."""
    ABSENT = "absent"
    """Listed as far as we know, and not in a complete snapshot."""


class ListingImport(TenantBase):
    """One reading of all that is for sale on a channel; at most one is under way a channel."""

    __tablename__ = "listing_imports"
    __table_args__ = (
        Index(
            "uq_listing_imports_unfinished",
            "channel",
            unique=True,
            postgresql_where=text("status IN ('reading', 'checking')"),
        ),
    )

    id: Mapped[BigKey]
    channel: Mapped[Channel] = mapped_column(words(Channel, "channel"))
    status: Mapped[ImportStatus] = mapped_column(words(ImportStatus, "status"))
    job_id: Mapped[int | None] = mapped_column(
        ForeignKey("marketplace_jobs.id", ondelete="SET NULL")
    )
    """The job that works on it, or did last."""
    next_page: Mapped[int]
    """Which page is read next, from 0 on; from 0 on again while it is checked."""
    page_marks: Mapped[list[list[str]]] = mapped_column(JSONB)
    """A short hash of each row of each page, by which a changed page is known."""
    announced: Mapped[int | None]
    """How many rows the channel says there are; None until it has said."""
    seen: Mapped[int]
    """Rows of the channel's list that were read, whatever became of them."""
    doubt: Mapped[str | None]
    """Why the snapshot is not to be trusted, for the seller."""
    requested_by: Mapped[int] = mapped_column(info=ACCOUNT_ID)
    created_at: Mapped[Moment]
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ListingImportRow(TenantBase):
    """One listing of an import."""

    __tablename__ = "listing_import_rows"
    __table_args__ = (
        UniqueConstraint("import_id", "remote_key"),
        Index("ix_listing_import_rows_outcome", "import_id", "outcome", "id"),
        Index("ix_listing_import_rows_product_id", "product_id"),
    )

    id: Mapped[BigKey]
    import_id: Mapped[int] = mapped_column(ForeignKey("listing_imports.id", ondelete="CASCADE"))
    remote_key: Mapped[str]
    """What the channel calls the row: a listing's id, a SKU or the key of a group of them."""
    listing_id: Mapped[str | None]
    title: Mapped[str | None]
    url: Mapped[str | None]
    outcome: Mapped[RowOutcome] = mapped_column(words(RowOutcome, "outcome"))
    product_id: Mapped[int | None] = mapped_column(ForeignKey("products.id"))
    candidates: Mapped[list[int]] = mapped_column(JSONB)
    """Products it may belong to, while it is suggested."""
    code: Mapped[str | None]
    """Stable word for why it failed, was skipped or is only suggested."""
    reason: Mapped[str | None]
    """The same for the seller."""
    problems: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    """Fields that are wrong, and photos that could not be had."""
    told: Mapped[Json]
    """The listing as the channel told it, while the seller has to decide; else empty."""
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[Moment]
