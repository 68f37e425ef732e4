"""Orders over HTTP: lists in pages, one order with all it caused, and how far channels are read."""

from datetime import timedelta
from typing import Any

import pytest

from models.selling.orders import OrderStatus
from models.selling.publishing import Channel, JobAction, JobOutcome, JobStatus
from repositories.selling.order_sync import OrderCursorRepository
from repositories.selling.publishing import JobRepository
from shared.clock import MovableClock
from shared.database import Database
from tests.factories.orders import OrderedShop, told_line, told_order
from tests.fakes.channels import OpinionatedChannel
from tests.serving import Seller, assert_problem

ORDERS = "/api/v1/orders"


@pytest.fixture
def own(database: Database, seller: Seller, clock: MovableClock) -> OrderedShop:
    """The shop of whoever is signed in."""
    return OrderedShop(database, seller.tenant, clock, OpinionatedChannel())


def listed(seller: Seller, **query: Any) -> list[str]:
    answer = seller.http.get(ORDERS, params=query)
    assert answer.status_code == 200, answer.text
    return [order["remote_order_id"] for order in answer.json()["items"]]


def test_an_order_is_shown_with_amounts_as_text_and_what_shipping_needs(
    seller: Seller, own: OrderedShop
) -> None:
    """A12, C13."""
    product_id = own.piece(quantity=1)
    own.take(told_order(own.clock, [told_line(own.sku(product_id), None)], remote_order_id="27-1"))
    [order] = seller.http.get(ORDERS).json()["items"]
    assert (order["channel"], order["status"], order["oversold"]) == ("ebay", "paid", False)
    assert order["total"] == {"amount": "30.00", "currency": "USD"}
    assert order["fee"] == {"amount": "3.25", "currency": "USD"}
    assert order["ship_to"] == {"name": "Ada Buyer", "city": "Paris", "country": "FR"}
    [line] = order["lines"]
    assert (line["product_id"], line["quantity"], line["units_taken"]) == (product_id, None, 1)
    assert line["total"] == {"amount": "25.00", "currency": "USD"}


def test_orders_come_in_pages_newest_first(seller: Seller, own: OrderedShop) -> None:
    """ST3: two at the same moment are not lost between pages."""
    for number in range(5):
        placed = own.clock.now() + timedelta(minutes=number // 2)
        own.take(told_order(own.clock, [], remote_order_id=f"27-{number}", placed_at=placed))
    seen: list[str] = []
    cursor = None
    for _ in range(3):
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = seller.http.get(ORDERS, params=query).json()
        seen += [order["remote_order_id"] for order in page["items"]]
        cursor = page["next_cursor"]
    assert seen == ["27-4", "27-3", "27-2", "27-1", "27-0"]
    assert cursor is None


def test_a_list_can_be_narrowed(seller: Seller, own: OrderedShop) -> None:
    """A1, A12: by state, channel, product, moment, and to what was oversold."""
    product_id = own.piece(quantity=1)
    sku, now = own.sku(product_id), own.clock.now()
    own.take(told_order(own.clock, [told_line(sku)], remote_order_id="won"))
    own.take(told_order(own.clock, [told_line(sku)], remote_order_id="lost"), channel=Channel.ETSY)
    old = now - timedelta(days=9)
    gone = {"remote_order_id": "gone", "status": OrderStatus.CANCELLED, "placed_at": old}
    own.take(told_order(own.clock, [], **gone))
    assert listed(seller, oversold=True) == ["lost"]
    assert listed(seller, status="cancelled") == ["gone"]
    assert listed(seller, channel="etsy") == ["lost"]
    assert sorted(listed(seller, product_id=product_id)) == ["lost", "won"]
    assert sorted(listed(seller, placed_from=now.isoformat())) == ["lost", "won"]
    assert listed(seller, placed_before=now.isoformat()) == ["gone"]


def test_how_long_it_took_until_the_product_was_gone_elsewhere_is_in_the_order(
    seller: Seller, own: OrderedShop
) -> None:
    """A2, A12: measured per sale and channel, from the sale known to the job's proof."""
    product_id = own.piece(quantity=1, listed=[Channel.EBAY, Channel.ETSY])
    own.take(told_order(own.clock, [told_line(own.sku(product_id))]))
    [job] = own.jobs(JobAction.DELETE)
    [order] = own.orders()
    [waiting] = seller.http.get(f"{ORDERS}/{order.id}").json()["follow_ups"]
    assert (waiting["status"], waiting["seconds"], waiting["done_at"]) == ("pending", None, None)
    with own.database.tenant(own.tenant) as session:
        ended = JobRepository(session).locked(job.id)
        assert ended is not None
        ended.status, ended.outcome = JobStatus.DONE, JobOutcome.OK
        ended.finished_at = own.clock.now() + timedelta(milliseconds=1250)
    [done] = seller.http.get(f"{ORDERS}/{order.id}").json()["follow_ups"]
    assert (done["channel"], done["action"], done["event"]) == ("etsy", "delete", "sold")
    assert (done["job_id"], done["outcome"], done["seconds"]) == (job.id, "ok", 1.25)


def test_how_far_each_channel_is_read_is_shown_with_what_could_not_be(
    seller: Seller, other_seller: Seller, own: OrderedShop
) -> None:
    """A5, B16: a gap is shown as a gap; nobody else sees it."""
    now = own.clock.now()
    with own.database.tenant(own.tenant) as session:
        cursors = OrderCursorRepository(session)
        cursors.move(Channel.EBAY, now, now)
        cursors.move(Channel.EBAY, now - timedelta(hours=1), now + timedelta(minutes=1))
        cursors.put_unread(Channel.EBAY, "27-9", "It has no total.", now)
    found = seller.http.get(f"{ORDERS}/sync").json()
    [channel], [unread] = found["channels"], found["unread"]
    # A sync that began earlier and ended later does not move it back.
    assert channel["read_until"] == now.isoformat().replace("+00:00", "Z")
    assert (unread["remote_order_id"], unread["problem"]) == ("27-9", "It has no total.")
    nothing = {"followed": [], "channels": [], "unread": []}
    assert other_seller.http.get(f"{ORDERS}/sync").json() == nothing


@pytest.mark.parametrize(
    "query",
    [
        {"cursor": "nonsense"},
        {"cursor": "MjAyNi0wNi0wMR8x"},
        {"placed_from": "0001-01-01T00:00:00+14:00"},
        {"placed_from": "2026-06-01T00:00:00"},
        {"status": "lost"},
        {"limit": 101},
    ],
)
def test_a_question_that_makes_no_sense_is_refused(seller: Seller, query: dict[str, Any]) -> None:
    """ST48."""
    assert_problem(seller.http.get(ORDERS, params=query), 422, "invalid-input")


def test_an_order_that_is_not_there_is_not_found(seller: Seller) -> None:
    """ST59."""
    assert_problem(seller.http.get(f"{ORDERS}/{2**62}"), 404, "order-not-found")
