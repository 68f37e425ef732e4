"""Which channels there are, and who does what on them: one table each."""

from collections.abc import Sequence

from backend.settings import EbaySettings, EtsySettings
from models.selling.publishing import Channel, JobAction
from services.gateways.ebay.gateway import EbayGateway
from services.gateways.ebay.quotas import EbayQuotas
from services.gateways.etsy.gateway import EtsyGateway
from services.gateways.etsy.quotas import EtsyQuotas
from services.selling.drift.comparing import ListingSync
from services.selling.ebay.channel import EbayChannel
from services.selling.ebay.delete import EbayDelete
from services.selling.ebay.desk import EbayWorkshop
from services.selling.ebay.importing import EbayImports
from services.selling.ebay.link import EbayLink
from services.selling.ebay.orders import EbayOrders
from services.selling.ebay.polling import EbayPollingService
from services.selling.ebay.preflight import EbayPreflight
from services.selling.ebay.publish import EbayPublish
from services.selling.ebay.ship import EbayShip
from services.selling.ebay.sync import EbaySight
from services.selling.ebay.update import EbayUpdate
from services.selling.etsy.channel import EtsyChannel
from services.selling.etsy.delete import EtsyDelete
from services.selling.etsy.desk import EtsyWorkshop
from services.selling.etsy.importing import EtsyImports
from services.selling.etsy.link import EtsyLink
from services.selling.etsy.orders import EtsyOrders
from services.selling.etsy.polling import EtsyPollingService
from services.selling.etsy.preflight import EtsyPreflight
from services.selling.etsy.publish import EtsyPublish
from services.selling.etsy.ship import EtsyShip
from services.selling.etsy.sync import EtsySight
from services.selling.etsy.update import EtsyUpdate
from services.selling.listing_imports.importing import ImportWorkshop, ListingImportHandler
from services.selling.orders.polling import PolledChannel
from services.selling.orders.taking import OrderTaking
from services.selling.publishing.attempting import HandlerTable
from services.selling.publishing.channels import ChannelTable
from services.selling.publishing.requesting import WorkRequests
from services.selling.publishing.withdrawing import Withdrawals
from services.selling.vinted.channel import VintedChannel
from services.selling.vinted.delete import VintedDelete
from services.selling.vinted.desk import VintedWorkshop
from services.selling.vinted.link import VintedLink
from services.selling.vinted.message import VintedMessage
from services.selling.vinted.orders import VintedOrders
from services.selling.vinted.pacing import Pacing
from services.selling.vinted.polling import VintedPolling
from services.selling.vinted.preflight import VintedPreflight
from services.selling.vinted.publish import VintedPublish
from services.selling.vinted.sync import VintedSync
from services.selling.vinted.update import VintedUpdate
from services.selling.vinted.withdrawing import withdraw
from shared.clock import Clock


def channel_table(
    ebay: EbayGateway,
    ebay_quotas: EbayQuotas,
    etsy: EtsyGateway,
    vinted_pace: Pacing,
    clock: Clock,
) -> ChannelTable:
    """What publishing asks before it queues a job."""
    return {
        Channel.EBAY: EbayChannel(EbayPreflight(ebay.marketplace), ebay_quotas, clock),
        Channel.ETSY: EtsyChannel(EtsyPreflight(), etsy.quotas),
        Channel.VINTED: VintedChannel(VintedPreflight(), vinted_pace, clock),
    }


def polled_channels(
    ebay: EbaySettings, etsy: EtsySettings, etsy_quotas: EtsyQuotas
) -> Sequence[PolledChannel]:
    """What is asked for orders and for listings as they are now."""
    return (
        EbayPollingService(ebay.orders_every, ebay.daily_calls),
        EtsyPollingService(etsy_quotas, etsy.orders_every),
        VintedPolling(),
    )


def withdrawals() -> Withdrawals:
    """Where a job can be taken back that is parked and of which nobody has heard."""
    return {Channel.VINTED: withdraw}


def handler_table(
    ebay: EbayWorkshop, etsy: EtsyWorkshop, vinted: VintedWorkshop, imports: ImportWorkshop
) -> HandlerTable:
    """Who runs a job."""
    preflight = EbayPreflight(ebay.gateway.marketplace)
    channels = channel_table(ebay.gateway, EbayQuotas(), etsy.gateway, Pacing(), ebay.clock)
    requests = WorkRequests(channels, ebay.clock)
    etsy_preflight, vinted_preflight = EtsyPreflight(), VintedPreflight()
    return {
        (Channel.EBAY, JobAction.PUBLISH): EbayPublish(ebay, preflight, requests),
        (Channel.EBAY, JobAction.UPDATE): EbayUpdate(ebay, preflight),
        (Channel.EBAY, JobAction.DELETE): EbayDelete(ebay),
        (Channel.EBAY, JobAction.LINK): EbayLink(ebay),
        (Channel.EBAY, JobAction.ORDERS): EbayOrders(ebay, OrderTaking(requests, ebay.clock)),
        (Channel.EBAY, JobAction.SHIP): EbayShip(ebay),
        (Channel.EBAY, JobAction.IMPORT): ListingImportHandler(imports, EbayImports(ebay)),
        (Channel.EBAY, JobAction.SYNC): ListingSync(EbaySight(ebay), ebay.database, ebay.clock),
        (Channel.ETSY, JobAction.PUBLISH): EtsyPublish(etsy, etsy_preflight, requests),
        (Channel.ETSY, JobAction.UPDATE): EtsyUpdate(etsy, etsy_preflight),
        (Channel.ETSY, JobAction.DELETE): EtsyDelete(etsy),
        (Channel.ETSY, JobAction.SYNC): ListingSync(EtsySight(etsy), etsy.database, etsy.clock),
        (Channel.ETSY, JobAction.LINK): EtsyLink(etsy),
        (Channel.ETSY, JobAction.ORDERS): EtsyOrders(etsy, OrderTaking(requests, etsy.clock)),
        (Channel.ETSY, JobAction.SHIP): EtsyShip(etsy),
        (Channel.ETSY, JobAction.IMPORT): ListingImportHandler(imports, EtsyImports(etsy)),
        (Channel.VINTED, JobAction.PUBLISH): VintedPublish(vinted, vinted_preflight, requests),
        (Channel.VINTED, JobAction.UPDATE): VintedUpdate(vinted, vinted_preflight),
        (Channel.VINTED, JobAction.DELETE): VintedDelete(vinted),
        (Channel.VINTED, JobAction.SYNC): VintedSync(vinted),
        (Channel.VINTED, JobAction.LINK): VintedLink(vinted),
        (Channel.VINTED, JobAction.ORDERS): VintedOrders(
            vinted, OrderTaking(requests, vinted.clock)
        ),
        (Channel.VINTED, JobAction.MESSAGE): VintedMessage(vinted),
    }
