"""Who in the house hears of what: one table.

An event travels up here: whoever records it knows no subscriber. What a subscriber writes is
committed with its delivery, so it happens once; it is told again until it succeeds or is parked.
"""

from services.accounts.notifications.shop_life import ShopLifeNotices
from services.accounts.outbox.subscribing import InShop, OnPlatform, Subscriptions
from services.accounts.tenants.events import ShopOpened, ShopResumed, ShopSuspended
from services.selling.drift.news import ComparisonNotices, ListingsCompared
from services.selling.orders.returning import GoodsMayComeBack, ReturnNotices
from services.selling.publishing.connections import (
    ChannelNeedsReconnecting,
    ChannelReconnected,
    ConnectionNews,
    ConnectionNotices,
)
from services.selling.publishing.pausing import ChannelResuming
from services.selling.vinted.bridge.telling import VintedNeedsSeller, VintedNotices
from shared.clock import Clock


def subscriptions(clock: Clock) -> Subscriptions:
    """Every subscription of this installation."""
    shop_life = ShopLifeNotices(clock)
    return Subscriptions(
        (
            InShop("tell-watchers", ChannelNeedsReconnecting, ConnectionNews(clock).tell),
            OnPlatform("tell-seller", ChannelNeedsReconnecting, ConnectionNotices(clock).tell),
            OnPlatform("tell-seller", ListingsCompared, ComparisonNotices(clock).tell),
            OnPlatform("tell-seller", GoodsMayComeBack, ReturnNotices(clock).tell),
            InShop("resume-jobs", ChannelReconnected, ChannelResuming(clock).resume),
            OnPlatform("tell-seller", VintedNeedsSeller, VintedNotices(clock).tell),
            OnPlatform("tell-seller", ShopOpened, shop_life.opened),
            OnPlatform("tell-seller", ShopSuspended, shop_life.suspended),
            OnPlatform("tell-seller", ShopResumed, shop_life.resumed),
        )
    )
