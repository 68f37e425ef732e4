"""A seller whose connection eBay has ended is told, once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from backend.container import Container
from backend.subscriptions import subscriptions
from services.accounts.outbox.relaying import OutboxRelay
from services.selling.ebay.access import EbayAccess
from shared.clock import MovableClock
from shared.errors import EbayError
from tests.behaviour.selling.ebay.conftest import connect, sign_in_again
from tests.contracts.ebay_shop import Sandbox
from tests.fakes.subscribers import NotedDeliveries
from tests.serving import Seller

LIFE = timedelta(seconds=7200)


@pytest.fixture
def access(container: Container) -> EbayAccess:
    return EbayAccess(
        container.database, container.ebay.oauth, container.secret_box, container.clock
    )


@pytest.fixture
def relay(container: Container) -> OutboxRelay:
    """As in every worker."""
    clock = container.clock
    return OutboxRelay(container.database, subscriptions(clock), clock, NotedDeliveries())


def lose_the_connection(
    access: EbayAccess, seller: Seller, ebay: Sandbox, clock: MovableClock
) -> None:
    """Eight jobs find out at the same moment."""
    ebay.control("sellers/TESTUSER_alice/revoke")
    clock.advance(LIFE)
    together = Barrier(8)

    def ask(_number: int) -> None:
        together.wait()
        with pytest.raises(EbayError):
            access.grant(seller.tenant)

    with ThreadPoolExecutor(8) as crowd:
        list(crowd.map(ask, range(8)))
    sign_in_again(seller)


def relay_all(relay: OutboxRelay) -> None:
    while relay.turn():
        pass


def told(seller: Seller) -> list[dict[str, object]]:
    """What clients that watch the shop were told of its channels."""
    news = seller.http.get("/api/v1/events").json()["items"]
    return [each["payload"] for each in news if each["kind"] == "channel_status_update"]


ENDED = {
    "channel": "ebay",
    "account": "TESTUSER_alice",
    "status": "needs_reauth",
    "reason": "invalid_grant",
}


def test_whoever_watches_the_shop_is_told_once(
    access: EbayAccess,
    relay: OutboxRelay,
    connected: Seller,
    other_seller: Seller,
    ebay: Sandbox,
    clock: MovableClock,
) -> None:
    """E1: however many jobs need the token, and however often it is relayed."""
    lose_the_connection(access, connected, ebay, clock)
    assert told(connected) == []
    for _ in range(2):
        relay_all(relay)
        clock.advance(timedelta(minutes=5))
    assert told(connected) == [ENDED]
    sign_in_again(other_seller)
    assert told(other_seller) == []


def test_who_connects_again_and_loses_it_again_is_told_again(
    access: EbayAccess,
    relay: OutboxRelay,
    connected: Seller,
    ebay: Sandbox,
    clock: MovableClock,
) -> None:
    """E1."""
    for _ in range(2):
        lose_the_connection(access, connected, ebay, clock)
        assert connect(connected, ebay, "alice").status_code == 200
    relay_all(relay)
    assert told(connected) == [ENDED, ENDED]


def test_the_seller_is_asked_once_to_connect_again(
    access: EbayAccess,
    relay: OutboxRelay,
    connected: Seller,
    ebay: Sandbox,
    clock: MovableClock,
) -> None:
    """E1: eight jobs that fail are one notification."""
    lose_the_connection(access, connected, ebay, clock)
    for _ in range(2):
        relay_all(relay)
        clock.advance(timedelta(minutes=5))
    [asked, welcome] = connected.http.get("/api/v1/notifications").json()["items"]
    assert (asked["kind"], asked["title"]) == ("channel_needs_reconnecting", "Connect eBay again")
    assert asked["data"] == {"channel": "ebay", "account": "TESTUSER_alice"}
    assert welcome["kind"] == "shop_opened"
