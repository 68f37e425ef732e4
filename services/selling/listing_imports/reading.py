"""Shows imports and their rows."""

from collections.abc import Sequence

from models.selling.listing_imports import ListingImportRow, RowOutcome
from models.selling.publishing import Channel
from repositories.selling.listing_imports import ImportStanding, ListingImportRepository
from shared.database import TenantSession
from shared.errors import NotFound


class ImportNotFound(NotFound):
    """The channel has no such import."""

    code, title = "import-not-found", "There is no such import"


class ImportReading:
    """Reads imports of one shop."""

    def show(self, session: TenantSession, channel: Channel, import_id: int) -> ImportStanding:
        """One import. Raises `ImportNotFound`."""
        found = ListingImportRepository(session).get(channel, import_id)
        if found is None:
            raise ImportNotFound
        return found

    def page(
        self, session: TenantSession, channel: Channel, before: int | None, limit: int
    ) -> Sequence[ImportStanding]:
        """Newest first; one more than `limit` where there is another page."""
        return ListingImportRepository(session).page(channel, before, limit + 1)

    def rows(
        self,
        session: TenantSession,
        channel: Channel,
        import_id: int,
        outcome: RowOutcome | None,
        after: int | None,
        limit: int,
    ) -> Sequence[ListingImportRow]:
        """In the order they were read; one more than `limit` where there is another page.

        Raises `ImportNotFound`.
        """
        self.show(session, channel, import_id)
        return ListingImportRepository(session).rows(import_id, outcome, after, limit + 1)
