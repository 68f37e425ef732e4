"""A shop's own choices beside the mapping that ships."""

from collections.abc import Mapping

from models.reference.marketplace_mappings import Platform, PlatformCategory
from models.selling.publishing import Channel
from repositories.selling.category_choices import CategoryChoiceRepository
from services.reference.marketplace_mappings.places import OwnPlaces, PlatformMapping
from shared.database import TenantSession

PLATFORM_OF: Mapping[Channel, Platform] = {
    Channel.EBAY: Platform.EBAY_US,
    Channel.ETSY: Platform.ETSY,
    Channel.VINTED: Platform.VINTED,
}
"""The channels whose categories are mapped."""


def own_places(session: TenantSession, channel: Channel, site: str = "") -> OwnPlaces:
    """What the shop chose for a channel, in the form of mapping rows that are never stored.

    `site` is eBay's, whose numbers they are.
    """
    return {
        (choice.category_code, choice.department): PlatformCategory(
            platform=PLATFORM_OF[channel],
            category_code=choice.category_code,
            department=choice.department,
            remote_id=choice.remote_id,
            remote_path=choice.remote_path,
            with_children=False,
        )
        for choice in CategoryChoiceRepository(session).of(channel, site)
    }


def mapping_for(session: TenantSession, channel: Channel) -> PlatformMapping:
    """The mapping to a channel as it holds for this shop."""
    return PlatformMapping.on(session, PLATFORM_OF[channel], own_places(session, channel))
