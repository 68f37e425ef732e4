"""What sellers are told: once, until they have read it, also while their shop is closed."""

from datetime import timedelta

import pytest

from backend.container import Container
from backend.subscriptions import subscriptions
from models.accounts.notifications import Notification
from services.accounts.notifications.forgetting import KEPT, NotificationForgetting
from services.accounts.outbox.relaying import OutboxRelay
from shared.clock import MovableClock
from shared.database import Database
from tests.factories.accounts import make_notification
from tests.fakes.subscribers import NotedDeliveries
from tests.serving import Seller, assert_problem

LIST = "/api/v1/notifications"


@pytest.fixture
def relay(container: Container) -> OutboxRelay:
    """As in every worker."""
    clock = container.clock
    return OutboxRelay(container.database, subscriptions(clock), clock, NotedDeliveries())


def relay_all(relay: OutboxRelay) -> None:
    while relay.turn():
        pass


def tell(database: Database, clock: MovableClock, *sellers: Seller) -> list[int]:
    """One notification to each; returns their numbers."""
    with database.platform() as session:
        return [make_notification(session, clock, each.tenant.tenant_id).id for each in sellers]


def news_of(seller: Seller) -> list[tuple[str, dict[str, object]]]:
    events = seller.http.get("/api/v1/events").json()["items"]
    return [(each["kind"], each["payload"]) for each in events]


def kinds_of(seller: Seller) -> list[str]:
    return [each["kind"] for each in seller.http.get(LIST).json()["items"]]


def row(database: Database, number: int) -> Notification:
    with database.platform() as session:
        return session.get_one(Notification, number)


def test_who_registers_is_welcomed_once(
    seller: Seller, other_seller: Seller, relay: OutboxRelay, clock: MovableClock
) -> None:
    """And whoever watches the shop hears of it; each shop of its own."""
    registered_at = clock.now()
    clock.advance(timedelta(seconds=3))
    for _ in range(2):
        relay_all(relay)
    shown = seller.http.get(LIST).json()
    [item] = shown["items"]
    assert item == {
        "id": item["id"],
        "kind": "shop_opened",
        "title": "Your shop is open",
        "message": "Import your products or add the first one, then connect a channel to sell it"
        " on.",
        "data": {},
        "created_at": registered_at.isoformat().replace("+00:00", "Z"),
        "read_at": None,
    }
    assert (shown["unread"], shown["next_cursor"]) == (1, None)
    told = {"notification_id": item["id"], "kind": "shop_opened", "title": "Your shop is open"}
    assert news_of(seller) == [("notification", told)]
    assert kinds_of(other_seller) == ["shop_opened"]


def test_who_is_locked_out_can_read_why(
    container: Container, seller: Seller, other_seller: Seller, relay: OutboxRelay
) -> None:
    """F13: the shop's own routes are refused; the operator's reason is not told."""
    suspension = container.shop_life.suspension
    for _ in range(2):
        with container.database.platform() as session:
            suspension.suspend(session, seller.tenant, "chargebacks of a s3cret kind")
    relay_all(relay)
    assert_problem(seller.http.get("/api/v1/products"), 403, "tenant-unavailable")
    assert kinds_of(seller) == ["shop_suspended", "shop_opened"]
    assert "s3cret" not in seller.http.get(LIST).text
    with container.database.platform() as session:
        suspension.resume(session, seller.tenant)
    relay_all(relay)
    assert kinds_of(seller) == ["shop_resumed", "shop_suspended", "shop_opened"]
    assert kinds_of(other_seller) == ["shop_opened"]


def test_reading_one_again_changes_nothing_and_disturbs_nobody(
    seller: Seller, database: Database, clock: MovableClock
) -> None:
    """X8, I1, I2: read_at is the truth, and only what changed is told."""
    first, second = tell(database, clock, seller, seller)
    read_at = clock.now()
    shown = seller.http.put(f"{LIST}/{first}/read").json()
    assert (shown["id"], shown["read_at"]) == (first, read_at.isoformat().replace("+00:00", "Z"))
    clock.advance(timedelta(minutes=1))
    assert seller.http.put(f"{LIST}/{first}/read").json() == shown
    assert row(database, first).read_at == read_at
    assert row(database, second).read_at is None
    assert seller.http.get(LIST).json()["unread"] == 1
    unread = seller.http.get(LIST, params={"unread": True}).json()["items"]
    assert [each["id"] for each in unread] == [second]
    assert news_of(seller) == [("notifications_read", {"first": first, "last": first, "number": 1})]


def test_what_came_after_the_last_one_that_was_seen_stays_unread(
    seller: Seller, other_seller: Seller, database: Database, clock: MovableClock
) -> None:
    """I1: nobody marks what they have not seen, nor what is another's."""
    first, others, second, third = tell(database, clock, seller, other_seller, seller, seller)
    body = {"up_to": second}
    assert seller.http.put(f"{LIST}/read", json=body).json() == {"marked": 2, "unread": 1}
    assert seller.http.put(f"{LIST}/read", json=body).json() == {"marked": 0, "unread": 1}
    assert row(database, first).read_at == row(database, second).read_at == clock.now()
    assert row(database, third).read_at is row(database, others).read_at is None
    told = {"first": first, "last": second, "number": 2}
    assert news_of(seller) == [("notifications_read", told)]


@pytest.mark.parametrize("words", ["{0}/read", "read"])
def test_anothers_notification_is_not_there(
    seller: Seller, other_seller: Seller, database: Database, clock: MovableClock, words: str
) -> None:
    """ST14."""
    mine, others = tell(database, clock, seller, other_seller)
    path = f"{LIST}/{words.format(others)}"
    assert_problem(seller.http.put(path, json={"up_to": others}), 404, "notification-not-found")
    assert row(database, mine).read_at is row(database, others).read_at is None


def test_notifications_come_in_pages_newest_first(
    seller: Seller, database: Database, clock: MovableClock
) -> None:
    """K79: the count is of all."""
    numbers = tell(database, clock, *[seller] * 5)
    found: list[int] = []
    asked: dict[str, object] = {"limit": 2}
    while asked.get("cursor", "") is not None:
        page = seller.http.get(LIST, params=asked).json()
        assert page["unread"] == 5
        found += [each["id"] for each in page["items"]]
        asked["cursor"] = page["next_cursor"]
    assert found == numbers[::-1]
    assert_problem(seller.http.get(LIST, params={"cursor": "nonsense"}), 422, "invalid-input")


def test_what_was_read_is_forgotten_after_90_days_and_what_was_not_never(
    seller: Seller, database: Database, clock: MovableClock
) -> None:
    first, second = tell(database, clock, seller, seller)
    seller.http.put(f"{LIST}/{first}/read")
    forgetting = NotificationForgetting(database, clock)
    clock.advance(KEPT)
    assert forgetting.forget(lambda: None) == 0
    clock.advance(timedelta(seconds=1))
    assert forgetting.forget(lambda: None) == 1
    with database.platform() as session:
        assert [each.id for each in session.query(Notification)] == [second]
