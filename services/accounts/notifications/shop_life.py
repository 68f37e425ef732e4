"""Tells sellers what became of their shop."""

from models.accounts.notifications import NotificationKind
from services.accounts.notifications.telling import Notice, SellerNotices
from services.accounts.outbox.subscribing import Told
from services.accounts.tenants.events import ShopOpened, ShopResumed, ShopSuspended
from shared.clock import Clock
from shared.database import PlatformSession


class ShopLifeNotices:
    """One method an event."""

    def __init__(self, clock: Clock) -> None:
        self._notices = SellerNotices(clock)

    def opened(self, session: PlatformSession, told: Told[ShopOpened]) -> None:
        """What to do first."""
        notice = Notice(
            NotificationKind.SHOP_OPENED,
            "Your shop is open",
            "Import your products or add the first one, then connect a channel to sell it on.",
        )
        self._notices.tell(session, told, notice)

    def suspended(self, session: PlatformSession, told: Told[ShopSuspended]) -> None:
        """What that means; the operator's reason is the operator's."""
        notice = Notice(
            NotificationKind.SHOP_SUSPENDED,
            "Your shop is suspended",
            "Nothing is published, changed or taken down until it is resumed. Your products and"
            " what is listed on channels stay as they are. Please contact us.",
        )
        self._notices.tell(session, told, notice)

    def resumed(self, session: PlatformSession, told: Told[ShopResumed]) -> None:
        """Work goes on."""
        notice = Notice(
            NotificationKind.SHOP_RESUMED,
            "Your shop is open again",
            "Work that was waiting goes on by itself.",
        )
        self._notices.tell(session, told, notice)
