"""Reads a channel account page by page and takes over what is for sale there.

An attempt reads one page; its rows are written one by one, and the page is behind us in the
transaction that ends the attempt. So a crash repeats a page at most, and finds its rows settled.
When all pages were read they are read once more: only a list that stayed as it was, and that has as
many rows as the channel says, shows what is not there. Nothing else is concluded from absence.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from models.selling.listing_imports import UNFINISHED, ImportStatus, ListingImportRow
from models.selling.publishing import MarketplaceJob
from repositories.selling.catalog import ImageRepository, ProductRepository
from repositories.selling.listing_imports import ListingImportRepository
from services.gateways.image_fetch import ImageFetcher
from services.gateways.object_store import ObjectStore
from services.selling.catalog.importing.pictures import Picture, PictureSource
from services.selling.listing_imports.intake import (
    ListingIntake,
    give_up,
    give_up_after,
    new_row,
    photo_urls,
)
from services.selling.listing_imports.matching import New, match_by_name
from services.selling.listing_imports.snapshot import PageSeen, advance, conclude
from services.selling.listing_imports.starting import import_of
from services.selling.listing_imports.told import (
    Entry,
    ImportRoom,
    ListingSource,
    NotImported,
    ToldListing,
)
from services.selling.publishing.handlers import Completed, Journal, Snooze, Verdict
from shared.clock import Clock
from shared.database import Database, TenantSchema, TenantSession
from shared.errors import MarketplaceError, Remedy


@dataclass(frozen=True, slots=True)
class ImportWorkshop:
    """What imports of all channels share."""

    database: Database
    store: ObjectStore
    fetcher: ImageFetcher
    clock: Clock


@dataclass(frozen=True, slots=True)
class ImportCommand:
    """Which page to read, and whether it was read before."""

    tenant: TenantSchema
    import_id: int
    number: int
    checking: bool
    open: Callable[[Journal], ListingSource] = field(repr=False)


class ListingImportHandler:
    """Handler of `import` jobs. Changes nothing on the channel."""

    def __init__(self, shop: ImportWorkshop, room: ImportRoom) -> None:
        self._shop = shop
        self._room = room
        self._channel = room.books.channel
        self._intake = ListingIntake(room.books, shop.clock)

    def prepare(self, session: TenantSession, job: MarketplaceJob) -> ImportCommand | Verdict:
        """The page after the last one that is behind us."""
        refusal = self._room.refusal(session)
        if refusal is not None:
            return refusal
        now = self._shop.clock.now()
        current = import_of(session, self._channel, job.id, job.requested_by, now)
        return ImportCommand(
            session.tenant,
            current.id,
            current.next_page,
            current.status is ImportStatus.CHECKING,
            self._room.source(session),
        )

    def perform(self, command: ImportCommand, journal: Journal) -> PageSeen:
        """Read the page, and on the first time take its listings over."""
        if journal.must_probe:
            journal.checkpoint("reading changes nothing there", certain=True)
        source = command.open(journal)
        at = self._shop.clock.now()
        page = source.page(command.number)
        if command.checking:
            source.note("looked whether a page is as it was", page=command.number)
        else:
            self._take(command, source, page.entries, at)
            source.note("took over a page", page=command.number, rows=len(page.entries))
        return PageSeen.of(command.number, page)

    def record(self, session: TenantSession, job: MarketplaceJob, result: PageSeen) -> Verdict:
        """The page is behind us; after the last one, say what the snapshot is worth."""
        imports = ListingImportRepository(session)
        current = imports.unfinished(self._channel)
        assert current is not None
        now = self._shop.clock.now()
        advance(current, result)
        if current.status in UNFINISHED:
            return Snooze(now, f"page {current.next_page + 1}")
        return Completed(conclude(session, current, now))

    def _take(
        self,
        command: ImportCommand,
        source: ListingSource,
        entries: Sequence[Entry],
        at: datetime,
    ) -> None:
        transactions = partial(self._shop.database.tenant, command.tenant)
        keys = [entry.row_key for entry in entries]
        with transactions() as session:
            settled = set(ListingImportRepository(session).settled(command.import_id, keys))
        pictures = PictureSource(command.tenant, self._shop.store, self._shop.fetcher, None)
        for entry in entries:
            if entry.row_key in settled:
                continue
            settled.add(entry.row_key)
            told = _looked_at(source, entry)
            self._settle(command, entry.row_key, told, pictures, at)

    def _settle(
        self,
        command: ImportCommand,
        row_key: str,
        told: ToldListing | NotImported,
        pictures: PictureSource,
        at: datetime,
    ) -> None:
        """Write one row, in two goes where photos have to be fetched in between."""
        match = self._write(command, row_key, partial(self._by_name, told=told, at=at))
        if match is not None and isinstance(told, ToldListing):
            had = self._photos(command.tenant, told, pictures)
            self._write(command, row_key, partial(self._by_looks, told=told, pictures=had, at=at))

    def _write(
        self,
        command: ImportCommand,
        row_key: str,
        work: Callable[[TenantSession, ListingImportRow], New | None],
    ) -> New | None:
        """Let `work` fill a row and store it, unless it has been stored meanwhile.

        What is wrong with the listing is written down, without anything that `work` had done.
        """
        row = new_row(command.import_id, row_key, self._shop.clock.now())
        try:
            return self._stored(command, row, work)
        except Exception as error:
            row = new_row(command.import_id, row_key, self._shop.clock.now())
            give_up_after(row, error)
            self._stored(command, row, lambda _session, _row: None)
            return None

    def _stored(
        self,
        command: ImportCommand,
        row: ListingImportRow,
        work: Callable[[TenantSession, ListingImportRow], New | None],
    ) -> New | None:
        with self._shop.database.tenant(command.tenant) as session:
            ProductRepository(session).wait_for_turn()
            imports = ListingImportRepository(session)
            if imports.settled(command.import_id, [row.remote_key]):
                return None
            new = work(session, row)
            if new is None:
                imports.add_rows([row])
            return new

    def _by_name(
        self,
        session: TenantSession,
        row: ListingImportRow,
        told: ToldListing | NotImported,
        at: datetime,
    ) -> New | None:
        if isinstance(told, NotImported):
            give_up(row, told)
            return None
        match = match_by_name(session, self._channel, told, at)
        if isinstance(match, New):
            return match
        self._intake.settle(session, row, told, match, at)
        return None

    def _by_looks(
        self,
        session: TenantSession,
        row: ListingImportRow,
        told: ToldListing,
        pictures: Mapping[str, Picture],
        at: datetime,
    ) -> None:
        if self._by_name(session, row, told, at) is not None:
            self._intake.create_unless_alike(session, row, told, pictures, at)

    def _photos(
        self, tenant: TenantSchema, told: ToldListing, pictures: PictureSource
    ) -> Mapping[str, Picture]:
        """Its photos, stored with us; no transaction is open while they travel."""
        urls = photo_urls([told])
        with self._shop.database.tenant(tenant) as session:
            had = dict(ImageRepository(session).by_sources(urls))
        return {**had, **pictures.get_all([url for url in urls if url not in had])}


def _looked_at(source: ListingSource, entry: Entry) -> ToldListing | NotImported:
    """What cannot be read, and what the channel refuses to show, is a row and not the end."""
    try:
        return source.look(entry)
    except MarketplaceError as refused:
        if refused.remedy is not Remedy.FIX_DATA:
            raise
        return NotImported(refused.code, refused.detail)
