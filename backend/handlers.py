"""Which channels there are, and who does what on them: one table each."""

from models.selling.publishing import Channel, JobAction
from services.gateways.ebay.gateway import EbayGateway
from services.gateways.ebay.quotas import EbayQuotas
from services.selling.ebay.channel import EbayChannel
from services.selling.ebay.delete import EbayDelete
from services.selling.ebay.desk import EbayWorkshop
from services.selling.ebay.link import EbayLink
from services.selling.ebay.orders import EbayOrders
from services.selling.ebay.preflight import EbayPreflight
from services.selling.ebay.publish import EbayPublish
from services.selling.ebay.update import EbayUpdate
from services.selling.orders.taking import OrderTaking
from services.selling.publishing.channels import ChannelTable
from services.selling.publishing.processor import HandlerTable
from services.selling.publishing.requesting import WorkRequests
from shared.clock import Clock


def channel_table(ebay: EbayGateway, ebay_quotas: EbayQuotas, clock: Clock) -> ChannelTable:
    """What publishing asks before it queues a job."""
    return {Channel.EBAY: EbayChannel(EbayPreflight(ebay.marketplace), ebay_quotas, clock)}


def handler_table(ebay: EbayWorkshop) -> HandlerTable:
    """Who runs a job."""
    preflight = EbayPreflight(ebay.gateway.marketplace)
    requests = WorkRequests(channel_table(ebay.gateway, EbayQuotas(), ebay.clock), ebay.clock)
    return {
        (Channel.EBAY, JobAction.PUBLISH): EbayPublish(ebay, preflight, requests),
        (Channel.EBAY, JobAction.UPDATE): EbayUpdate(ebay, preflight),
        (Channel.EBAY, JobAction.DELETE): EbayDelete(ebay),
        (Channel.EBAY, JobAction.LINK): EbayLink(ebay),
        (Channel.EBAY, JobAction.ORDERS): EbayOrders(ebay, OrderTaking(requests, ebay.clock)),
    }
