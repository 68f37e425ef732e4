"""Listings that differ from our record, as they were last compared."""

from collections.abc import Sequence

from models.selling.publishing import Channel, ChannelListing
from repositories.selling.listing_drift import ListingDriftRepository
from shared.database import TenantSession


class DriftReading:
    """Answers what differs; changes nothing. An `update` mends a listing, on request."""

    def page(
        self, session: TenantSession, channel: Channel | None, before: int | None, limit: int
    ) -> tuple[Sequence[ChannelListing], bool]:
        """A page, newest first, and whether there are more."""
        found = ListingDriftRepository(session).drifted(channel, before, limit + 1)
        return found[:limit], len(found) > limit
