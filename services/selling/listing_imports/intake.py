"""Makes rows of listings: the product is created or linked, and the listing is in our books.

A transaction a listing, so that one that cannot be had stops no other. Whoever writes waits for
other imports into the shop, so that two never make the same product.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import structlog

from models.selling.catalog import IMAGE_LIMIT, MissingImage, Product
from models.selling.listing_imports import ListingImportRow, RowOutcome
from repositories.selling.catalog import ProductRepository, StoredPhoto
from services.selling.catalog.images import append_photo
from services.selling.catalog.importing.pictures import Missing, Picture
from services.selling.catalog.products import ProductCatalog
from services.selling.listing_imports.keys import adopt_all, adopt_usable
from services.selling.listing_imports.matching import (
    Belongs,
    Known,
    Match,
    MayBelong,
    New,
    Pairs,
    match_by_looks,
)
from services.selling.listing_imports.told import ImportBooks, NotImported, Pairing, ToldListing
from shared.clock import Clock
from shared.database import TenantSession
from shared.database.outages import outage_in
from shared.errors import DatabaseError, FieldProblem, StoflowError

log = structlog.get_logger(__name__)


class ListingIntake:
    """Takes listings of one channel over."""

    def __init__(self, books: ImportBooks, clock: Clock) -> None:
        self._books = books
        self._clock = clock

    def settle(
        self,
        session: TenantSession,
        row: ListingImportRow,
        told: ToldListing,
        match: Match,
        at: datetime,
    ) -> None:
        """Do what the match says, unless photos have to be had first, and note it in the row.

        `match` is not `New`. Raises what `link` raises.
        """
        row.listing_id, row.title, row.url = told.listing_id, told.title, told.url
        match match:
            case Known(product_id):
                row.outcome, row.product_id = RowOutcome.UNCHANGED, product_id
            case Belongs(product, variants):
                self.link(session, told, product, variants, at)
                row.outcome, row.product_id = RowOutcome.LINKED, product.id
            case MayBelong(candidates, code, reason):
                row.outcome, row.candidates = RowOutcome.SUGGESTED, list(candidates)
                row.code, row.reason, row.told = code, reason, told.as_json()
            case NotImported():
                give_up(row, match)

    def create_unless_alike(
        self,
        session: TenantSession,
        row: ListingImportRow,
        told: ToldListing,
        pictures: Mapping[str, Picture],
        at: datetime,
    ) -> None:
        """Make a product of it, or leave it to the seller when it looks like one of theirs."""
        first = pictures.get(told.photos[0].url) if told.photos else None
        sha256 = first.sha256 if isinstance(first, StoredPhoto) else None
        match = match_by_looks(session, self._books.channel, told, sha256)
        if isinstance(match, New):
            row.listing_id, row.title, row.url = told.listing_id, told.title, told.url
            product = self.create(session, told, pictures, at)
            row.outcome, row.product_id = RowOutcome.CREATED, product.id
            row.problems = [each.as_json() for each in left_open(told, pictures)]
        else:
            self.settle(session, row, told, match, at)
            row.told = {**row.told, "pictures": _kept(pictures)}

    def create(
        self,
        session: TenantSession,
        told: ToldListing,
        pictures: Mapping[str, Picture],
        at: datetime,
    ) -> Product:
        """A new product with its photos; the listing is its own.

        Raises `ProductInvalid` and `SkuInUse`.
        """
        category, department = self._books.place(session, told)
        product = ProductCatalog(session, self._clock).create(told.draft(category, department))
        variants = list(zip(told.variants, product.variants, strict=True))
        if self._books.names_by_sku:
            adopt_all(session, self._books.channel, product, variants, at)
        else:
            adopt_usable(session, variants, at)
        self._add_photos(product, told, pictures)
        ProductRepository(session).save()
        photos = {url: each for url, each in pictures.items() if isinstance(each, StoredPhoto)}
        self._books.record(session, Pairing(told, product, variants, photos, True, at))
        return product

    def link(
        self,
        session: TenantSession,
        told: ToldListing,
        product: Product,
        variants: Pairs,
        at: datetime,
    ) -> None:
        """The listing is one of this product, whose record stays as it is. Raises `SkuInUse`."""
        if self._books.names_by_sku:
            adopt_all(session, self._books.channel, product, variants, at)
            ProductRepository(session).save()
        self._books.record(session, Pairing(told, product, variants, {}, False, at))

    def _add_photos(
        self, product: Product, told: ToldListing, pictures: Mapping[str, Picture]
    ) -> None:
        hashes: set[str] = set()
        for photo in told.photos:
            picture = pictures.get(photo.url)
            if isinstance(picture, Missing):
                gone = MissingImage(
                    source=photo.url, problem=picture.problem, tried_at=self._clock.now()
                )
                product.missing_images.append(gone)
            elif picture is not None and picture.sha256 not in hashes and len(hashes) < IMAGE_LIMIT:
                hashes.add(picture.sha256)
                append_photo(product, picture, alt_text=photo.alt_text, source=photo.url)


def new_row(import_id: int, remote_key: str, now: datetime) -> ListingImportRow:
    """A row of which nothing is known yet."""
    return ListingImportRow(
        import_id=import_id,
        remote_key=remote_key,
        outcome=RowOutcome.FAILED,
        candidates=[],
        problems=[],
        told={},
        created_at=now,
    )


def give_up(row: ListingImportRow, why: NotImported) -> None:
    """Note why it is no product."""
    row.outcome = RowOutcome.SKIPPED if why.skipped else RowOutcome.FAILED
    row.listing_id, row.title = why.listing_id or row.listing_id, why.title or row.title
    row.code, row.reason = why.code, why.reason


def give_up_after(row: ListingImportRow, error: Exception) -> None:
    """The same of what went wrong; raises it again when it is no fault of the listing's."""
    if isinstance(error, DatabaseError) or outage_in(error) is not None:
        raise error
    row.outcome, row.product_id = RowOutcome.FAILED, None
    if isinstance(error, StoflowError) and error.status < 500:
        row.code, row.reason = error.code, error.detail
        row.problems = [field.as_json() for field in error.fields]
        return
    log.exception("listing_import.row_failed", remote_key=row.remote_key)
    row.code, row.reason = "internal-error", "Something went wrong on our side; import it again."


def pictures_kept(told: Mapping[str, object]) -> Mapping[str, Picture]:
    """The photos that were had when the seller was asked."""
    kept = told.get("pictures", {})
    assert isinstance(kept, Mapping)
    return {
        url: Missing(each["problem"]) if "problem" in each else StoredPhoto(**each)
        for url, each in kept.items()
    }


def _kept(pictures: Mapping[str, Picture]) -> dict[str, dict[str, object]]:
    return {
        url: {"problem": each.problem}
        if isinstance(each, Missing)
        else {name: getattr(each, name) for name in StoredPhoto.__slots__}
        for url, each in pictures.items()
    }


def left_open(told: ToldListing, pictures: Mapping[str, Picture]) -> Iterator[FieldProblem]:
    """What a product made of the listing lacks."""
    for name, why in told.unclear.items():
        yield FieldProblem(name, why, "not-derivable")
    for place, photo in enumerate(told.photos):
        picture = pictures.get(photo.url)
        if isinstance(picture, Missing):
            yield FieldProblem(f"images.{place}", picture.problem, "image-missing")


def photo_urls(told: Sequence[ToldListing]) -> list[str]:
    """Every photo of these listings, once."""
    return list(dict.fromkeys(photo.url for each in told for photo in each.photos))
