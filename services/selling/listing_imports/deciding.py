"""The seller decides where a suggested listing belongs."""

from collections.abc import Mapping
from datetime import datetime

from models.selling.listing_imports import ListingImportRow, RowOutcome
from models.selling.publishing import Channel
from repositories.selling.catalog import ProductRepository
from repositories.selling.listing_imports import ListingImportRepository, ListingMatchRepository
from repositories.selling.publishing import ListingRepository
from services.selling.catalog.products import ProductNotFound
from services.selling.listing_imports.intake import ListingIntake, left_open, pictures_kept
from services.selling.listing_imports.matching import paired
from services.selling.listing_imports.starting import NotImportable
from services.selling.listing_imports.told import ImportBooks, ToldListing
from shared.clock import Clock
from shared.database import TenantSession
from shared.errors import Conflict, NotFound


class ImportRowNotFound(NotFound):
    """The import has no such row."""

    code, title = "import-row-not-found", "There is no such row in this import"


class NothingToDecide(Conflict):
    """The row is no suggestion, or was decided."""

    code, title = "nothing-to-decide", "There is nothing to decide about this row"


class ListingNotLinkable(Conflict):
    """The listing cannot be one of this product."""

    code, title = "listing-not-linkable", "The listing cannot be linked to this product"


class ImportDecisions:
    """Confirms and rejects suggestions, each in the caller's transaction; asks no channel."""

    def __init__(self, books: Mapping[Channel, ImportBooks], clock: Clock) -> None:
        self._books = books
        self._clock = clock

    def link(
        self,
        session: TenantSession,
        channel: Channel,
        import_id: int,
        row_id: int,
        product_id: int | None,
    ) -> ListingImportRow:
        """The listing is one of this product, or, with None, of the only one suggested.

        Asked again the same way, it answers the same. Raises `ImportRowNotFound`,
        `NothingToDecide`, `ProductNotFound`, `ListingNotLinkable` and `SkuInUse`.
        """
        row = self._row(session, channel, import_id, row_id)
        if product_id is None and row.outcome is RowOutcome.SUGGESTED:
            product_id = _only(row)
        if row.decided_at is not None and product_id in (None, row.product_id):
            return row
        told = self._undecided(session, channel, row)
        product = ProductRepository(session).locked(product_id or 0)
        if product is None:
            raise ProductNotFound
        live = ListingRepository(session).live([channel], [product.id])
        if live:
            raise ListingNotLinkable(
                f"The product is for sale there already, as {live[product.id, channel]}. "
                "End that listing first, or choose another product."
            )
        variants = paired(told, product)
        if variants is None:
            raise ListingNotLinkable(
                "The listing has variants that the product does not have. Add variants with the "
                f"same options or SKUs ({', '.join(_names(told))}), then confirm again."
            )
        intake = self._intake(channel)
        intake.link(session, told, product, variants, self._read_at(row))
        return self._decided(row, RowOutcome.LINKED, product.id)

    def create(
        self, session: TenantSession, channel: Channel, import_id: int, row_id: int
    ) -> ListingImportRow:
        """The suggestion is wrong: the listing is of a product of its own.

        Raises `ImportRowNotFound`, `NothingToDecide`, `ProductInvalid` and `SkuInUse`.
        """
        row = self._row(session, channel, import_id, row_id)
        if row.decided_at is not None and row.outcome is RowOutcome.CREATED:
            return row
        told = self._undecided(session, channel, row)
        pictures = pictures_kept(row.told)
        product = self._intake(channel).create(session, told, pictures, self._read_at(row))
        row.problems = [each.as_json() for each in left_open(told, pictures)]
        return self._decided(row, RowOutcome.CREATED, product.id)

    def _row(
        self, session: TenantSession, channel: Channel, import_id: int, row_id: int
    ) -> ListingImportRow:
        ProductRepository(session).wait_for_turn()
        row = ListingImportRepository(session).locked_row(channel, import_id, row_id)
        if row is None:
            raise ImportRowNotFound
        return row

    def _undecided(
        self, session: TenantSession, channel: Channel, row: ListingImportRow
    ) -> ToldListing:
        if row.outcome is not RowOutcome.SUGGESTED:
            raise NothingToDecide(f"It is {row.outcome}; only suggestions are decided.")
        told = ToldListing.from_json(row.told)
        listed = ListingMatchRepository(session).listed_as(channel, told.listing_id)
        if listed is not None and listed.ended_at is None:
            said = f"The listing belongs to product {listed.product_id} by now; import again."
            raise NothingToDecide(said)
        return told

    def _intake(self, channel: Channel) -> ListingIntake:
        books = self._books.get(channel)
        if books is None:
            raise NotImportable
        return ListingIntake(books, self._clock)

    def _read_at(self, row: ListingImportRow) -> datetime:
        """What was sold since is not in the quantity that the channel told."""
        return row.created_at

    def _decided(
        self, row: ListingImportRow, outcome: RowOutcome, product_id: int
    ) -> ListingImportRow:
        row.outcome, row.product_id = outcome, product_id
        row.decided_at = self._clock.now()
        row.candidates, row.told = [], {}
        row.code = row.reason = None
        return row


def _only(row: ListingImportRow) -> int:
    if len(row.candidates) != 1:
        raise ListingNotLinkable("Several products come into question: say which one.")
    return row.candidates[0]


def _names(told: ToldListing) -> list[str]:
    return [" / ".join(each.option_values) or each.sku or "one" for each in told.variants]
