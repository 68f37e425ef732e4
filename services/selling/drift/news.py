"""What a comparison found that the seller should know, said once."""

from dataclasses import dataclass
from typing import ClassVar

from models.accounts.notifications import NotificationKind
from models.selling.publishing import Channel
from services.accounts.notifications.telling import Notice, SellerNotices
from services.accounts.outbox.events import Event
from services.accounts.outbox.subscribing import Told
from services.selling.publishing.connections import SPELLED
from shared.clock import Clock
from shared.database import PlatformSession


@dataclass(frozen=True, slots=True)
class ListingsCompared(Event):
    """Listings differ, have ended, or seem to."""

    kind: ClassVar[str] = "listings-compared"

    channel: Channel
    drifted: int
    """That did not differ at the look before."""
    ended: int
    held_back: int
    """That seem to have ended, too many to be believed."""


class ComparisonNotices:
    """Tells the seller."""

    def __init__(self, clock: Clock) -> None:
        self._notices = SellerNotices(clock)

    def tell(self, session: PlatformSession, told: Told[ListingsCompared]) -> None:
        """Once for each comparison that found something."""
        found = told.event
        channel = SPELLED.get(found.channel, found.channel.value)
        notice = _held(found, channel) if found.held_back else _differ(found, channel)
        self._notices.tell(session, told, notice)


def _held(found: ListingsCompared, channel: str) -> Notice:
    return Notice(
        NotificationKind.LISTINGS_HELD_BACK,
        f"Have {found.held_back} listings ended on {channel}?",
        f"{found.held_back} listings can no longer be found for sale on {channel}. That is so many"
        " that we changed nothing. Look at them, and say whether they have ended or are to go up"
        " again.",
        {"channel": found.channel, "held_back": found.held_back},
    )


def _differ(found: ListingsCompared, channel: str) -> Notice:
    what = [
        *([f"{found.drifted} differ from your record"] if found.drifted else []),
        *([f"{found.ended} have ended there"] if found.ended else []),
    ]
    return Notice(
        NotificationKind.LISTINGS_DIFFER,
        f"Listings on {channel} have changed",
        f"Of your listings on {channel}, {' and '.join(what)}. Nothing was mended by itself: say"
        " which of it is to stay.",
        {"channel": found.channel, "drifted": found.drifted, "ended": found.ended},
    )
