"""Accounts at marketplaces that no longer let us in: said once, and told to whoever watches."""

from dataclasses import dataclass
from typing import ClassVar

from models.accounts.notifications import NotificationKind
from models.selling.publishing import Channel
from repositories.accounts.news import append_event
from services.accounts.notifications.telling import Notice, SellerNotices
from services.accounts.outbox.events import Event
from services.accounts.outbox.subscribing import Told
from shared.clock import Clock
from shared.database import PlatformSession, TenantSession

CHANNEL_STATUS_UPDATE = "channel_status_update"

SPELLED = {Channel.EBAY: "eBay", Channel.ETSY: "Etsy", Channel.VINTED: "Vinted"}
"""Channels as sellers write them."""


@dataclass(frozen=True, slots=True)
class ChannelNeedsReconnecting(Event):
    """The marketplace has ended our access: only the seller can renew it."""

    kind: ClassVar[str] = "channel-needs-reconnecting"

    channel: Channel
    account: str
    """As the seller knows it: the user name there."""
    reason: str
    """The marketplace's word for it, such as `invalid_grant`."""


@dataclass(frozen=True, slots=True)
class ChannelReconnected(Event):
    """The seller has agreed anew after the marketplace had ended our access."""

    kind: ClassVar[str] = "channel-reconnected"

    channel: Channel


class ConnectionNews:
    """Shows ended connections to clients that watch the shop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def tell(self, session: TenantSession, told: Told[ChannelNeedsReconnecting]) -> None:
        """Say that the channel has to be connected again."""
        ended = told.event
        payload = {
            "channel": ended.channel,
            "account": ended.account,
            "status": "needs_reauth",
            "reason": ended.reason,
        }
        append_event(session, CHANNEL_STATUS_UPDATE, payload, self._clock.now())


class ConnectionNotices:
    """Asks the seller to connect again."""

    def __init__(self, clock: Clock) -> None:
        self._notices = SellerNotices(clock)

    def tell(self, session: PlatformSession, told: Told[ChannelNeedsReconnecting]) -> None:
        """Once for each time that the connection ended."""
        ended = told.event
        channel = SPELLED.get(ended.channel, ended.channel.value)
        notice = Notice(
            NotificationKind.CHANNEL_NEEDS_RECONNECTING,
            f"Connect {channel} again",
            f"{channel} no longer accepts our connection to {ended.account}. Nothing is published"
            " or changed there until you connect the same account again.",
            {"channel": ended.channel, "account": ended.account},
        )
        self._notices.tell(session, told, notice)
