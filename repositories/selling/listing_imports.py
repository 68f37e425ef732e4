"""Imports of a channel's listings, row by row, and what of ours a listing may belong to."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, or_, select

from models.selling.catalog import Product, ProductImage, ProductVariant
from models.selling.listing_imports import (
    UNFINISHED,
    ListingImport,
    ListingImportRow,
    RowOutcome,
)
from models.selling.publishing import (
    Channel,
    ChannelListing,
    ListingStatus,
    MarketplaceJob,
)
from shared.database import TenantSession


@dataclass(frozen=True, slots=True)
class ImportStanding:
    """An import and the job that works on it."""

    row: ListingImport
    job: MarketplaceJob | None
    outcomes: Mapping[RowOutcome, int]

    @property
    def stopped(self) -> bool:
        """Whether it is unfinished and nobody works on it any more."""
        return self.row.status in UNFINISHED and not (self.job is not None and self.job.is_live)


class ListingImportRepository:
    """Rows of `listing_imports` and `listing_import_rows`."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def unfinished(self, channel: Channel) -> ListingImport | None:
        """The import of this channel that is under way or was stopped, locked."""
        return self._session.scalar(
            select(ListingImport)
            .where(ListingImport.channel == channel, ListingImport.status.in_(UNFINISHED))
            .with_for_update()
            .execution_options(populate_existing=True)
        )

    def add(self, started: ListingImport) -> None:
        """Store a new import."""
        self._session.add(started)
        self._session.flush()

    def get(self, channel: Channel, import_id: int) -> ImportStanding | None:
        """An import with its job and what became of its rows."""
        found = self._standing(_on(channel).where(ListingImport.id == import_id))
        return found[0] if found else None

    def page(self, channel: Channel, before: int | None, limit: int) -> Sequence[ImportStanding]:
        """Imports of a channel, newest first; `before` is the last id of the page before."""
        query = _on(channel).order_by(ListingImport.id.desc()).limit(limit)
        if before is not None:
            query = query.where(ListingImport.id < before)
        return self._standing(query)

    def _standing(
        self, query: Select[tuple[ListingImport, MarketplaceJob]]
    ) -> list[ImportStanding]:
        found = self._session.execute(query).tuples().all()
        counted = self.outcomes([row.id for row, _ in found])
        return [ImportStanding(row, job, counted.get(row.id, {})) for row, job in found]

    def outcomes(self, import_ids: Collection[int]) -> Mapping[int, Mapping[RowOutcome, int]]:
        """How many rows of these imports ended how."""
        found: dict[int, dict[RowOutcome, int]] = {}
        counted = (
            select(ListingImportRow.import_id, ListingImportRow.outcome, func.count())
            .where(ListingImportRow.import_id.in_(import_ids))
            .group_by(ListingImportRow.import_id, ListingImportRow.outcome)
        )
        for import_id, outcome, number in self._session.execute(counted):
            found.setdefault(import_id, {})[outcome] = number
        return found

    def settled(self, import_id: int, row_keys: Collection[str]) -> frozenset[str]:
        """Those of the keys of which there is a row."""
        known = select(ListingImportRow.remote_key).where(
            ListingImportRow.import_id == import_id, ListingImportRow.remote_key.in_(row_keys)
        )
        return frozenset(self._session.scalars(known))

    def add_rows(self, rows: Sequence[ListingImportRow]) -> None:
        """Write down what became of listings."""
        self._session.add_all(rows)
        self._session.flush()

    def rows(
        self, import_id: int, outcome: RowOutcome | None, after: int | None, limit: int
    ) -> Sequence[ListingImportRow]:
        """Rows in the order they were read; `after` is the last id of the page before."""
        query = select(ListingImportRow).where(ListingImportRow.import_id == import_id)
        if outcome is not None:
            query = query.where(ListingImportRow.outcome == outcome)
        if after is not None:
            query = query.where(ListingImportRow.id > after)
        return self._session.scalars(query.order_by(ListingImportRow.id).limit(limit)).all()

    def locked_row(self, channel: Channel, import_id: int, row_id: int) -> ListingImportRow | None:
        """One row, locked and read anew."""
        return self._session.scalar(
            select(ListingImportRow)
            .join(ListingImport, ListingImport.id == ListingImportRow.import_id)
            .where(
                ListingImportRow.id == row_id,
                ListingImport.id == import_id,
                ListingImport.channel == channel,
            )
            .with_for_update(of=ListingImportRow)
            .execution_options(populate_existing=True)
        )

    def unseen(self, of: ListingImport) -> Sequence[tuple[ChannelListing, str]]:
        """Live listings of ours, with their products' titles, that no row of the import is of."""
        seen = select(ListingImportRow.listing_id).where(
            ListingImportRow.import_id == of.id, ListingImportRow.listing_id.is_not(None)
        )
        found = self._session.execute(
            select(ChannelListing, Product.title)
            .join(Product, Product.id == ChannelListing.product_id)
            .where(
                ChannelListing.channel == of.channel,
                ChannelListing.status == ListingStatus.LIVE,
                ChannelListing.published_at < of.created_at,
                ChannelListing.listing_id.not_in(seen),
            )
            .order_by(ChannelListing.id)
        )
        return found.tuples().all()

    def has_nameless_failures(self, import_id: int) -> bool:
        """Whether a row failed of which it is not known which listing it is."""
        first = select(ListingImportRow.id).where(
            ListingImportRow.import_id == import_id,
            ListingImportRow.outcome == RowOutcome.FAILED,
            ListingImportRow.listing_id.is_(None),
        )
        return self._session.scalar(first.limit(1)) is not None


class ListingMatchRepository:
    """What of ours a channel's listing may belong to. Deleted products are left out."""

    def __init__(self, session: TenantSession) -> None:
        self._session = session

    def listed_as(self, channel: Channel, listing_id: str) -> ChannelListing | None:
        """What we know of a listing by the channel's own id, the live one first."""
        return self._session.scalar(
            select(ChannelListing)
            .join(Product, Product.id == ChannelListing.product_id)
            .where(
                ChannelListing.channel == channel,
                ChannelListing.listing_id == listing_id,
                Product.deleted_at.is_(None),
            )
            .order_by(ChannelListing.status != ListingStatus.LIVE, ChannelListing.id)
            .limit(1)
        )

    def with_skus(self, skus: Collection[str]) -> Sequence[int]:
        """Products with a variant that has one of these SKUs, the seller's or ours."""
        return self._session.scalars(
            select(Product.id)
            .join(ProductVariant, ProductVariant.product_id == Product.id)
            .where(
                Product.deleted_at.is_(None),
                or_(ProductVariant.sku.in_(skus), ProductVariant.channel_key.in_(skus)),
            )
            .distinct()
            .order_by(Product.id)
        ).all()

    def looking_like(self, channel: Channel, title: str, first_photo: str | None) -> Sequence[int]:
        """Products of the same title, whatever its case, or with the same main photo.

        Only those that are not for sale on the channel.
        """
        same_photo = select(ProductImage.product_id).where(
            ProductImage.position == 1, ProductImage.sha256 == first_photo
        )
        for_sale = select(ChannelListing.product_id).where(
            ChannelListing.channel == channel, ChannelListing.status == ListingStatus.LIVE
        )
        return self._session.scalars(
            select(Product.id)
            .where(
                Product.deleted_at.is_(None),
                or_(func.lower(Product.title) == func.lower(title), Product.id.in_(same_photo)),
                Product.id.not_in(for_sale),
            )
            .order_by(Product.id)
        ).all()

    def holders_of(self, keys: Collection[str]) -> Mapping[str, ProductVariant]:
        """Variants, of deleted products too, that channels know by these keys."""
        found = self._session.scalars(
            select(ProductVariant).where(ProductVariant.channel_key.in_(keys))
        )
        return {variant.channel_key: variant for variant in found}

    def is_deleted(self, product_id: int) -> bool:
        """Whether a product was deleted."""
        deleted_at = select(Product.deleted_at).where(Product.id == product_id)
        return self._session.scalar(deleted_at) is not None

    def live_elsewhere(self, product_id: int, channel: Channel) -> Sequence[ChannelListing]:
        """Where else a product is for sale."""
        return self._session.scalars(
            select(ChannelListing).where(
                ChannelListing.product_id == product_id,
                ChannelListing.channel != channel,
                ChannelListing.status == ListingStatus.LIVE,
            )
        ).all()


def _on(channel: Channel) -> Select[tuple[ListingImport, MarketplaceJob]]:
    return (
        select(ListingImport, MarketplaceJob)
        .outerjoin(MarketplaceJob, MarketplaceJob.id == ListingImport.job_id)
        .where(ListingImport.channel == channel)
    )
