"""Begins an import, or goes on with the one that is there."""

from collections.abc import Callable, Mapping
from datetime import datetime

from models.selling.listing_imports import ImportStatus, ListingImport
from models.selling.publishing import Channel, JobAction
from repositories.selling.listing_imports import ImportStanding, ListingImportRepository
from services.selling.publishing.account_work import AccountWork
from shared.clock import Clock
from shared.database import TenantSession
from shared.errors import Conflict, NotFound


class NotImportable(NotFound):
    """Nothing can be imported from this channel."""

    code, title = "not-importable", "Listings cannot be imported from this channel"


class NothingToImportFrom(Conflict):
    """No account is connected whose listings could be read."""

    code, title = "nothing-to-import-from", "The channel's account is not connected"


class ListingImports:
    """Imports of one shop, as sellers ask for them."""

    def __init__(
        self, lets_us_in: Mapping[Channel, Callable[[TenantSession], bool]], clock: Clock
    ) -> None:
        """`lets_us_in` says for each channel that can be read whether the account may be asked."""
        self._lets_us_in = lets_us_in
        self._work = AccountWork(clock)
        self._clock = clock

    def start(self, session: TenantSession, channel: Channel, requested_by: int) -> ImportStanding:
        """Have a channel read; asked while it is, or after it stopped, it is the same import.

        Raises `NotImportable` and `NothingToImportFrom`.
        """
        if channel not in self._lets_us_in:
            raise NotImportable(f"Listings can be imported from {', '.join(self._lets_us_in)}.")
        if not self._lets_us_in[channel](session):
            raise NothingToImportFrom(f"Connect your {channel} account first, then import.")
        job = self._work.request(session, JobAction.IMPORT, channel, requested_by)
        started = import_of(session, channel, job.job_id, requested_by, self._clock.now())
        standing = ListingImportRepository(session).get(channel, started.id)
        assert standing is not None
        return standing


def import_of(
    session: TenantSession, channel: Channel, job_id: int, requested_by: int, now: datetime
) -> ListingImport:
    """The import that this job works on: one that is not finished goes on where it stopped."""
    imports = ListingImportRepository(session)
    current = imports.unfinished(channel)
    if current is None:
        current = ListingImport(
            channel=channel,
            status=ImportStatus.READING,
            job_id=job_id,
            next_page=0,
            page_marks=[],
            seen=0,
            requested_by=requested_by,
            created_at=now,
        )
        imports.add(current)
    current.job_id = job_id
    return current
