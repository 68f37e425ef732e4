"""What we write down about a listing on Etsy."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.selling.publishing import Channel, ChannelListing, ListingStatus
from repositories.selling.etsy import EtsyDraftRepository
from repositories.selling.publishing import ListingRepository
from shared.database import TenantSession


@dataclass(frozen=True, slots=True)
class KnownListing:
    """A listing, taken out of its row."""

    listing_id: int
    live: bool


@dataclass(frozen=True, slots=True)
class SeenListing:
    """A live listing as it was last seen."""

    listing_id: int
    url: str | None
    skus: tuple[str, ...]
    product_version: int
    read_back: dict[str, Any]


def known_listing(session: TenantSession, product_id: int) -> KnownListing | None:
    """What we know of the product on Etsy."""
    row = ListingRepository(session).get(product_id, Channel.ETSY)
    if row is None:
        return None
    return KnownListing(int(row.listing_id), row.status is ListingStatus.LIVE)


def write_live(
    session: TenantSession, product_id: int, seen: SeenListing, now: datetime
) -> ChannelListing:
    """Record a live listing, replacing what was known; it is no draft any more."""
    listings = ListingRepository(session)
    row = listings.get(product_id, Channel.ETSY)
    if row is None:
        row = ChannelListing(product_id=product_id, channel=Channel.ETSY)
        _write(row, seen, now)
        listings.add(row)
    else:
        _write(row, seen, now)
    EtsyDraftRepository(session).forget(product_id)
    return row


def write_ended(session: TenantSession, product_id: int, now: datetime) -> None:
    """Record that nothing is listed any more."""
    row = ListingRepository(session).get(product_id, Channel.ETSY)
    if row is not None and row.status is ListingStatus.LIVE:
        row.status = ListingStatus.ENDED
        row.ended_at = row.checked_at = now


def _write(row: ChannelListing, seen: SeenListing, now: datetime) -> None:
    listing_id = str(seen.listing_id)
    if row.listing_id != listing_id or row.status is not ListingStatus.LIVE:
        row.published_at = now
    row.status = ListingStatus.LIVE
    row.listing_id, row.url = listing_id, seen.url
    row.remote = {"skus": list(seen.skus)}
    row.product_version = seen.product_version
    row.read_back = seen.read_back
    row.checked_at, row.ended_at = now, None
