"""What we write down about a listing on eBay."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.selling.publishing import Channel, ChannelListing, ListingStatus
from repositories.selling.publishing import ListingRepository
from services.gateways.ebay.marketplaces import SITES, Marketplace
from services.gateways.ebay.reading import at, rows
from shared.database import TenantSession

_REPRICED = frozenset({"price", "quantity"})


@dataclass(frozen=True, slots=True)
class KnownListing:
    """The remote ids of a listing, taken out of its row."""

    listing_id: str
    live: bool
    site: Marketplace | None
    """Where it is listed; None of listings that are older than the choice of a site."""
    offer_ids: Mapping[str, str]
    """By SKU."""
    group_key: str | None
    version: int
    content: str | None
    """`ListingDraft.content_hash` of what was sent last; None where that is not known."""
    page_differs: bool
    """Whether eBay last showed anything else than prices and quantities differently."""


@dataclass(frozen=True, slots=True)
class SeenListing:
    """A live listing as it was last seen."""

    listing_id: str
    site: Marketplace
    offer_ids: Mapping[str, str]
    group_key: str | None
    product_version: int
    read_back: dict[str, Any]
    content: str | None

    @property
    def url(self) -> str:
        """Where buyers see it."""
        return self.site.listing_url(self.listing_id)


def known_listing(session: TenantSession, product_id: int) -> KnownListing | None:
    """What we know of the product on eBay."""
    row = ListingRepository(session).get(product_id, Channel.EBAY)
    if row is None:
        return None
    offer_ids, group_key = at(row.remote, "offers"), at(row.remote, "group_key")
    return KnownListing(
        row.listing_id,
        row.status is ListingStatus.LIVE,
        SITES.get(str(at(row.remote, "marketplace_id"))),
        dict(offer_ids) if isinstance(offer_ids, Mapping) else {},
        str(group_key) if group_key else None,
        row.product_version,
        at(row.remote, "content"),
        _page_differs(row.read_back),
    )


def _page_differs(read_back: Mapping[str, Any]) -> bool:
    found = [*rows(read_back, "drift"), *rows(read_back, "differences")]
    return any(each.get("field") not in _REPRICED for each in found)


def write_live(
    session: TenantSession, product_id: int, seen: SeenListing, now: datetime
) -> ChannelListing:
    """Record a live listing, replacing what was known."""
    listings = ListingRepository(session)
    row = listings.get(product_id, Channel.EBAY)
    if row is None:
        row = ChannelListing(product_id=product_id, channel=Channel.EBAY)
        _write(row, seen, now)
        listings.add(row)
    else:
        _write(row, seen, now)
    return row


def write_ended(session: TenantSession, product_id: int, now: datetime) -> None:
    """Record that nothing is listed any more."""
    row = ListingRepository(session).get(product_id, Channel.EBAY)
    if row is not None and row.status is ListingStatus.LIVE:
        row.status = ListingStatus.ENDED
        row.ended_at = row.checked_at = now


def _write(row: ChannelListing, seen: SeenListing, now: datetime) -> None:
    if row.listing_id != seen.listing_id or row.status is not ListingStatus.LIVE:
        row.published_at = now
    row.status = ListingStatus.LIVE
    row.listing_id, row.url = seen.listing_id, seen.url
    row.remote = {
        "marketplace_id": seen.site.id,
        "offers": dict(seen.offer_ids),
        "group_key": seen.group_key,
        "content": seen.content,
    }
    row.product_version = seen.product_version
    row.read_back = seen.read_back
    row.checked_at, row.ended_at = now, None
