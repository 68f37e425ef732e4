"""Who in the house hears of what: one table.

An event travels up here: whoever records it knows no subscriber. What a subscriber writes is
committed with its delivery, so it happens once; it is told again until it succeeds or is parked.
"""

from services.accounts.outbox.subscribing import InShop, Subscriptions
from services.selling.publishing.connections import ChannelNeedsReconnecting, ConnectionNews
from shared.clock import Clock


def subscriptions(clock: Clock) -> Subscriptions:
    """Every subscription of this installation."""
    return Subscriptions(
        (InShop("tell-watchers", ChannelNeedsReconnecting, ConnectionNews(clock).tell),)
    )
