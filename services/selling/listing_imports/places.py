"""From a channel's category back to ours, only where no other of ours comes into question."""

from models.reference.marketplace_mappings import PlatformCategory
from models.selling.publishing import Channel
from repositories.reference.marketplace_mappings import PlatformMappingRepository
from services.selling.category_choices.places import PLATFORM_OF, mapping_for
from shared.database import TenantSession

Place = tuple[str | None, str | None]
"""Our category and department."""

NOWHERE: Place = (None, None)


def derived_place(session: TenantSession, channel: Channel, remote_id: str | None) -> Place:
    """Our category and department that lead to the channel's category, and nothing else does.

    The way there is tried, so that a product is never sent to another category than it was in.
    """
    if remote_id is None:
        return NOWHERE
    rows = PlatformMappingRepository(session, PLATFORM_OF[channel]).leading_to(remote_id)
    if len(rows) != 1:
        return NOWHERE
    code, department = rows[0].category_code, rows[0].department or None
    there = mapping_for(session, channel).category(code, department)
    if not isinstance(there, PlatformCategory) or there.remote_id != remote_id:
        return NOWHERE
    return code, department
