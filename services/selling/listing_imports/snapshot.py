"""What a reading proves: all of it, read twice alike and as much as announced, or nothing."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from models.selling.listing_imports import ImportStatus, ListingImport, RowOutcome
from repositories.selling.listing_imports import ListingImportRepository
from services.selling.listing_imports.intake import new_row
from services.selling.listing_imports.told import SnapshotPage
from shared.database import TenantSession


@dataclass(frozen=True, slots=True)
class PageSeen:
    """What of a page decides over the snapshot."""

    number: int
    marks: list[str]
    total: int
    nameless: int
    last: bool
    out_of_reach: bool

    @classmethod
    def of(cls, number: int, page: SnapshotPage) -> "PageSeen":
        """Of a page that was read."""
        marks = sorted(_mark(entry.key) for entry in page.entries)
        return cls(number, marks, page.total, page.nameless, page.last, page.out_of_reach)


def advance(current: ListingImport, page: PageSeen) -> None:
    """Put a page behind us."""
    if current.status is ImportStatus.CHECKING:
        _check(current, page)
    else:
        _read(current, page)


def conclude(session: TenantSession, current: ListingImport, now: datetime) -> dict[str, Any]:
    """End an import: list what is not there any more, if that is proven; the job's result."""
    imports = ListingImportRepository(session)
    current.finished_at = now
    if current.status is ImportStatus.COMPLETE and not imports.has_nameless_failures(current.id):
        absent = []
        for listing, title in imports.unseen(current):
            row = new_row(current.id, f"absent {listing.listing_id}", now)
            row.outcome, row.product_id = RowOutcome.ABSENT, listing.product_id
            row.listing_id, row.title, row.url = listing.listing_id, title, listing.url
            row.code = "not-for-sale"
            row.reason = "We believe it to be for sale there, and the channel does not show it."
            absent.append(row)
        imports.add_rows(absent)
    counted = imports.outcomes([current.id]).get(current.id, {})
    return {
        "import_id": current.id,
        "status": current.status.value,
        **{outcome.value: counted.get(outcome, 0) for outcome in RowOutcome},
    }


def _read(current: ListingImport, page: PageSeen) -> None:
    if current.announced not in (None, page.total):
        _doubt(current, "The number of listings changed while they were read.")
    if page.nameless:
        _doubt(current, "The channel sent rows that do not say which listing they are.")
    if page.out_of_reach:
        _doubt(current, "The channel shows only the first of so many listings.")
    current.announced = page.total
    current.page_marks = [*current.page_marks, page.marks]
    current.seen += len(page.marks) + page.nameless
    current.next_page = page.number + 1
    if not page.last:
        return
    distinct = len(set(chain.from_iterable(current.page_marks)))
    if distinct != page.total or current.seen != page.total:
        said = f"The channel speaks of {page.total} listings and showed {distinct}."
        _doubt(current, said)
    if current.doubt is not None:
        current.status = ImportStatus.PARTIAL
    elif len(current.page_marks) == 1:
        current.status = ImportStatus.COMPLETE
    else:
        current.status, current.next_page = ImportStatus.CHECKING, 0


def _check(current: ListingImport, page: PageSeen) -> None:
    as_before = current.page_marks[page.number] == page.marks
    if not as_before or page.total != current.announced:
        _doubt(current, f"Page {page.number + 1} changed while the listings were read.")
        current.status = ImportStatus.PARTIAL
        return
    current.next_page = page.number + 1
    if current.next_page == len(current.page_marks):
        current.status = ImportStatus.COMPLETE


def _doubt(current: ListingImport, why: str) -> None:
    current.doubt = current.doubt or f"{why} Import again to see all of them."


def _mark(key: str) -> str:
    return hashlib.blake2b(key.encode(), digest_size=6).hexdigest()
