"""Which channels there are, and who does what on them: one table each."""

from models.selling.publishing import Channel
from services.gateways.ebay.gateway import EbayGateway
from services.selling.ebay.preflight import EbayPreflight
from services.selling.publishing.channels import ChannelTable


def channel_table(ebay: EbayGateway) -> ChannelTable:
    """What publishing asks before it queues a job."""
    return {Channel.EBAY: EbayPreflight(ebay.marketplace)}
