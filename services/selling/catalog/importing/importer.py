"""Imports a file of products, a few hundred at a time.

    read the shop → fetch photos (no transaction open) → write, one transaction a chunk

A product is stored whole or not at all. The same file again finds its products by handle and
changes only what differs.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from repositories.reference.attributes import AttributeRepository
from repositories.selling.catalog import CatalogClash, RefusedByDatabase
from services.gateways.image_fetch import ImageFetcher
from services.gateways.object_store import ObjectStore
from services.reference.attributes.lookup import AttributeLookup
from services.selling.catalog.images import Transactions
from services.selling.catalog.importing.decoding import decode
from services.selling.catalog.importing.pictures import PhotoFolder, PictureSource
from services.selling.catalog.importing.products import read_products
from services.selling.catalog.importing.report import (
    ImportReport,
    Issue,
    Progress,
    ReportProgress,
    refused,
)
from services.selling.catalog.importing.storing import ChunkWriter, Outcome, Planned
from services.selling.catalog.importing.table import Table, read_table
from services.selling.catalog.importing.words import Defaults, WordReader
from shared.clock import Clock
from shared.database import TenantSchema
from shared.errors import BadInput, FieldProblem
from shared.money import Money

CHUNK = 500
"""Products written in one transaction."""

CHUNK_WITH_PHOTOS = 40
"""Fewer, so that what was fetched is soon kept."""

_ATTEMPTS = 3
"""Tries to write a chunk while others store products of the same handles."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How a file is to be taken."""

    currency: str = "USD"
    """Of every price; Shopify's files do not name it."""
    defaults: Defaults = field(default_factory=Defaults)
    dry_run: bool = False
    atomic: bool = False
    """All products or none."""
    fetch_images: bool = True
    """Off: photos named by URL are left for a later import."""
    photos: PhotoFolder | None = None
    """Where photos named by file name are."""
    time_for_photos: timedelta | None = None
    """What is not fetched by then is left for the next import of the file."""


class ProductImport:
    """Imports into one shop."""

    def __init__(
        self,
        transactions: Transactions,
        tenant: TenantSchema,
        store: ObjectStore,
        fetcher: ImageFetcher,
        clock: Clock,
    ) -> None:
        self._transactions = transactions
        self._tenant = tenant
        self._store = store
        self._fetcher = fetcher
        self._clock = clock

    def run(
        self, data: bytes, options: ImportOptions, progress: ReportProgress = lambda _: None
    ) -> ImportReport:
        """Import the file and say what became of every product.

        Raises `UnreadableFile` for the file as a whole and `ImportRefused` when no product could
        be taken, or, with `atomic`, when one could not; then nothing was stored.
        """
        _refuse_unknown_currency(options.currency)
        decoded = decode(data)
        table = read_table(decoded.text)
        report = ImportReport(options.dry_run, decoded.encoding, table.delimiter)
        report.rows = len(table.rows)
        planned = self._plan(table, options, report)
        whole = [plan for plan in planned if not plan.product.errors]
        _refuse_if_needed(planned, whole, options)
        report.products = len(planned)
        self._store_all(whole, options, report, progress)
        _sum_up(planned, report, options)
        return report

    def _plan(self, table: Table, options: ImportOptions, report: ImportReport) -> list[Planned]:
        """Every product with the meaning of its words: reads the catalogues, nothing else."""
        products = read_products(table, options.currency)
        with self._transactions() as session:
            lookup = AttributeLookup(AttributeRepository(session))
            words = WordReader(lookup, table.columns, options.defaults)
            words.learn(products)
            report.warnings += words.unused_columns()
            planned = [
                Planned(product, words.read(product), options.currency) for product in products
            ]
        for plan in planned:
            if plan.product.errors:
                plan.note_further_errors()
        return planned

    def _store_all(
        self,
        planned: Sequence[Planned],
        options: ImportOptions,
        report: ImportReport,
        progress: ReportProgress,
    ) -> None:
        pictures = self._pictures(options)
        writer = ChunkWriter(self._transactions, pictures, self._clock)
        done = rows = 0
        for chunk in self._chunks(planned, options, pictures):
            if not options.dry_run:
                writer.fetch_photos(chunk, atomic=options.atomic)
            self._write(writer, chunk, options)
            done += len(chunk)
            rows += sum(len(plan.product.rows) for plan in chunk)
            report.images_added = sum(plan.images_added for plan in planned)
            progress(Progress(done, len(planned), rows, report.rows, report.images_added))

    def _write(self, writer: ChunkWriter, chunk: Sequence[Planned], options: ImportOptions) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                writer.write(chunk, dry_run=options.dry_run, atomic=options.atomic)
            except CatalogClash:
                if attempt == _ATTEMPTS:
                    raise
            except RefusedByDatabase:
                self._write_apart(writer, chunk, options)
                return
            else:
                return

    def _write_apart(
        self, writer: ChunkWriter, chunk: Sequence[Planned], options: ImportOptions
    ) -> None:
        """One product poisons the chunk: find it by halves, so that the others come in."""
        if options.atomic:
            raise refused("The database cannot store one of the products.", [])
        if len(chunk) == 1:
            product = chunk[0].product
            product.error(product.first.number, "handle", "cannot be stored", "unstorable")
            return
        half = len(chunk) // 2
        self._write(writer, chunk[:half], options)
        self._write(writer, chunk[half:], options)

    def _chunks(
        self, planned: Sequence[Planned], options: ImportOptions, pictures: PictureSource
    ) -> Iterator[Sequence[Planned]]:
        if options.atomic:
            yield planned
            return
        fetching = any(
            pictures.wants(image.source) for plan in planned for image in plan.product.images
        )
        size = CHUNK_WITH_PHOTOS if fetching and not options.dry_run else CHUNK
        for start in range(0, len(planned), size):
            yield planned[start : start + size]

    def _pictures(self, options: ImportOptions) -> PictureSource:
        end = None
        if options.time_for_photos is not None:
            end = time.monotonic() + options.time_for_photos.total_seconds()
        fetcher = self._fetcher if options.fetch_images else None
        return PictureSource(self._tenant, self._store, fetcher, options.photos, end)


def _refuse_unknown_currency(currency: str) -> None:
    try:
        Money(0, currency)
    except ValueError:
        message = "three capital letters of ISO 4217, such as USD"
        raise BadInput(fields=[FieldProblem("currency", message)]) from None


def _refuse_if_needed(
    planned: Sequence[Planned], whole: Sequence[Planned], options: ImportOptions
) -> None:
    errors = [issue for plan in planned for issue in plan.product.errors]
    if options.dry_run or not errors:
        return
    if not whole:
        raise refused("None of the products can be imported.", errors)
    if options.atomic:
        raise refused("Not all products can be imported, so none was.", errors)


def _sum_up(planned: Sequence[Planned], report: ImportReport, options: ImportOptions) -> None:
    for plan in planned:
        report.errors += plan.product.errors
        report.warnings += plan.product.warnings
        if plan.product.errors:
            report.failed += 1
            continue
        report.created += plan.outcome is Outcome.CREATED
        report.updated += plan.outcome is Outcome.UPDATED
        report.unchanged += plan.outcome is Outcome.UNCHANGED
        report.images_missing += plan.images_missing
        if plan.product_id is not None:
            report.product_ids.append(plan.product_id)
    if report.failed == len(planned) and not options.dry_run:
        raise refused("None of the products can be imported.", report.errors)
    report.errors.sort(key=_by_row)
    report.warnings.sort(key=_by_row)


def _by_row(issue: Issue) -> int:
    return issue.row
