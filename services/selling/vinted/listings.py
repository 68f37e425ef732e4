"""What we write down about an item on Vinted."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.selling.publishing import Channel, ChannelListing, ListingStatus
from repositories.accounts.order_polls import OrderPollRepository
from repositories.selling.publishing import ListingRepository
from repositories.selling.vinted_listings import VintedListingRepository
from shared.database import TenantSession


@dataclass(frozen=True, slots=True)
class KnownListing:
    """A listing, taken out of its row."""

    item_id: int
    live: bool
    photos: Mapping[str, int]
    """Vinted's ids of photos by our content hash, of those that we uploaded."""


@dataclass(frozen=True, slots=True)
class SeenListing:
    """A live listing as it was last seen."""

    item_id: int
    url: str | None
    photos: Mapping[str, int]
    product_version: int
    read_back: Mapping[str, Any]


def known_listing(session: TenantSession, product_id: int) -> KnownListing | None:
    """What we know of the product on Vinted."""
    row = ListingRepository(session).get(product_id, Channel.VINTED)
    if row is None:
        return None
    live = row.status is ListingStatus.LIVE
    return KnownListing(int(row.listing_id), live, dict(row.remote.get("photos", {})))


def known_photos(
    session: TenantSession, product_ids: Collection[int]
) -> Mapping[int, frozenset[str]]:
    """Content hashes of the photos that live listings have, by product."""
    listed = VintedListingRepository(session).live(product_ids)
    return {row.product_id: frozenset(row.remote.get("photos", {})) for row in listed}


def write_live(
    session: TenantSession, product_id: int, seen: SeenListing, now: datetime
) -> ChannelListing:
    """Record a live listing, replacing what was known."""
    listings = ListingRepository(session)
    row = listings.get(product_id, Channel.VINTED)
    if row is None:
        row = ChannelListing(product_id=product_id, channel=Channel.VINTED)
        _write(row, seen, now)
        listings.add(row)
    else:
        _write(row, seen, now)
    return row


def follow_orders(session: TenantSession, now: datetime) -> None:
    """Ask for orders from now on: there is something that can be bought."""
    OrderPollRepository(session).follow(session.tenant, Channel.VINTED, now)


def write_ended(session: TenantSession, product_id: int, now: datetime) -> None:
    """Record that nothing is listed any more."""
    row = ListingRepository(session).get(product_id, Channel.VINTED)
    if row is not None and row.status is ListingStatus.LIVE:
        row.status = ListingStatus.ENDED
        row.ended_at = row.checked_at = now


def write_checked(
    session: TenantSession, product_id: int, read_back: dict[str, Any], now: datetime
) -> None:
    """Record what was seen of an item that is there, whatever we believed of it."""
    row = ListingRepository(session).get(product_id, Channel.VINTED)
    if row is not None:
        row.status, row.ended_at = ListingStatus.LIVE, None
        row.read_back, row.checked_at = {**row.read_back, **read_back}, now


def _write(row: ChannelListing, seen: SeenListing, now: datetime) -> None:
    listing_id = str(seen.item_id)
    if row.listing_id != listing_id or row.status is not ListingStatus.LIVE:
        row.published_at = now
    row.status = ListingStatus.LIVE
    row.listing_id, row.url = listing_id, seen.url
    row.remote = {"photos": dict(seen.photos)}
    row.product_version = seen.product_version
    row.read_back = dict(seen.read_back)
    row.checked_at, row.ended_at = now, None
