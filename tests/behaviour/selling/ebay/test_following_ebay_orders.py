"""Orders of eBay: fetched by themselves, each once, and the product is gone elsewhere at once."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from backend.ticks import ticks_of
from models.accounts.tenants import Lane
from models.selling.catalog import Product
from models.selling.ebay import EbayConnection
from models.selling.orders import OrderStatus
from models.selling.publishing import Channel, JobAction, JobOutcome, JobStatus
from repositories.selling.order_sync import OrderCursorRepository
from services.accounts.schedule.ticks import Turn
from services.selling.ebay.desk import EbayWorkshop
from services.selling.ebay.orders import EbayOrders
from services.selling.orders.polling import PollRhythm
from services.selling.orders.taking import OrderTaking
from services.selling.publishing.account_work import AccountWork
from services.selling.publishing.attempting import HandlerTable
from services.selling.publishing.requesting import WorkRequests
from tests.behaviour.selling.ebay.conftest import (
    CHANNEL,
    Shop,
    connect,
    sign_in_again,
    through,
)
from tests.factories.orders import told_line, told_order
from tests.fakes.channels import OpinionatedChannel
from tests.serving import Seller, assert_problem

ORDERS = "/api/v1/orders"


def listed(shop: Shop, quantity: int = 1, **more: Any) -> tuple[int, str]:
    """A live listing with so many units; its product and listing id."""
    product_id = shop.shirt(**more)
    shop.change(product_id, lambda product: setattr(product.variants[0], "quantity", quantity))
    job = shop.run(product_id)
    assert job.result is not None, job.problem_detail
    return product_id, job.result["listing_id"]


def sku_of(shop: Shop, product_id: int) -> str:
    found: list[str] = []
    shop.change(product_id, lambda product: found.append(product.variants[0].channel_key))
    return found[0]


def tick(shop: Shop, name: str = "follow-orders") -> str:
    [found] = [each for each in ticks_of(shop.container) if each.name == name]
    return found.act(Turn(0, False, lambda: None)).said


def polls(shop: Shop) -> list[tuple[int, str]]:
    with shop.container.database.platform() as session:
        rows = session.execute(text("SELECT tenant_id, channel FROM public.order_polls"))
        return [(tenant, channel) for tenant, channel in rows]


def test_a_sale_on_ebay_is_in_the_books_with_what_a_parcel_needs(
    shop: Shop, connected: Seller, other_seller: Seller
) -> None:
    """A1, ST26: one order, one unit less, and nothing in anybody else's shop."""
    product_id, listing_id = listed(shop, quantity=2)
    order_id = shop.ebay.buy(listing_id, buyer="ada")["order_id"]
    job = shop.fetch_orders()
    assert (job.outcome, job.lane) == (JobOutcome.OK, Lane.REALTIME)
    assert job.result == {"read": 1, "changed": 1, "unread": 0}
    assert shop.stock(product_id) == 1
    [order] = connected.http.get(ORDERS).json()["items"]
    assert (order["remote_order_id"], order["status"], order["buyer"]) == (order_id, "paid", "ada")
    assert order["total"] == {"amount": "29.51", "currency": "USD"}
    assert order["ship_to"] == {
        "name": "Buyer ada",
        "line1": "1 Sandbox Street",
        "line2": "Flat 2",
        "city": "Springfield",
        "state": "OR",
        "postal_code": "97477",
        "country": "US",
        "phone": "555 0100",
    }
    [line] = order["lines"]
    assert (line["product_id"], line["quantity"], line["listing_id"]) == (product_id, 1, listing_id)
    assert "members.example" not in json.dumps(order), "no e-mail address is kept"
    assert other_seller.http.get(ORDERS).json()["items"] == []


def test_a_sale_on_another_channel_ends_the_listing_on_ebay_before_any_batch(
    shop: Shop, connected: Seller
) -> None:
    """A2, A3, A12: proven by reading back, and the time it took stands in the order."""
    product_id, _ = listed(shop)
    waiting = [shop.ask(shop.shirt()) for _ in range(3)]
    taking = OrderTaking(shop.container.work_requests, shop.clock)
    told = told_order(shop.clock, [told_line(sku_of(shop, product_id))])
    with shop.container.database.tenant(shop.tenant) as session:
        taking.take_one(session, Channel.ETSY, told)
    shop.clock.advance(timedelta(milliseconds=1500))
    done = shop.turn(Lane.REALTIME)
    assert done is not None
    assert (done.action, done.outcome) == (JobAction.DELETE, JobOutcome.OK)
    assert shop.live() == []
    assert [shop.job(each).status for each in waiting] == [JobStatus.PENDING] * 3
    [order] = connected.http.get(ORDERS).json()["items"]
    [followed] = connected.http.get(f"{ORDERS}/{order['id']}").json()["follow_ups"]
    assert (followed["channel"], followed["action"], followed["seconds"]) == ("ebay", "delete", 1.5)


def test_fetching_again_brings_nothing_twice(shop: Shop) -> None:
    """A9, G7: the overlap is read again, and known orders cost no change."""
    product_id, listing_id = listed(shop, quantity=3)
    shop.ebay.buy(listing_id)
    shop.fetch_orders()
    again = shop.fetch_orders()
    assert again.result == {"read": 1, "changed": 0, "unread": 0}
    assert len(shop.orders()) == 1
    assert shop.stock(product_id) == 2


def test_what_becomes_of_an_order_on_ebay_becomes_of_it_here(shop: Shop) -> None:
    """A8: unpaid, paid, partly refunded, cancelled; the unit comes back once."""
    product_id, listing_id = listed(shop, quantity=2)
    order_id = shop.ebay.buy(listing_id, paid=False)["order_id"]
    told: list[OrderStatus] = []
    for step in (None, "pay", "refund", "cancel"):
        if step is not None:
            body = {"amount": "1.00"} if step == "refund" else {}
            shop.ebay.control(f"orders/{order_id}/{step}", body)
        shop.fetch_orders()
        told.append(shop.orders()[0].status)
    assert told == [
        OrderStatus.AWAITING_PAYMENT,
        OrderStatus.PAID,
        OrderStatus.PAID,
        OrderStatus.CANCELLED,
    ]
    shop.fetch_orders()
    assert shop.stock(product_id) == 2
    # eBay does not count up by itself: it is told, ahead of every batch.
    [job] = shop.jobs(JobAction.UPDATE)
    assert (job.channel, job.lane) == (Channel.EBAY, Lane.REALTIME)
    assert shop.finish(job.id).outcome is JobOutcome.OK
    assert [row["quantity"] for row in shop.live()] == [2]


def test_orders_of_a_disconnected_time_are_read_afterwards(shop: Shop, connected: Seller) -> None:
    """A5: the cursor survives; nothing is asked meanwhile."""
    product_id, listing_id = listed(shop, quantity=3)
    shop.ebay.buy(listing_id)
    shop.fetch_orders()
    assert connected.http.delete(CHANNEL).status_code == 204
    assert polls(shop) == []
    assert tick(shop) == "0 accounts are asked for orders"
    shop.ebay.buy(listing_id)
    shop.clock.advance(timedelta(days=3))
    sign_in_again(connected)
    assert connect(connected, shop.ebay, "alice").status_code == 200
    assert tick(shop) == "1 accounts are asked for orders"
    shop.turn(Lane.REALTIME)
    assert len(shop.orders()) == 2
    assert shop.stock(product_id) == 1


def test_only_shops_that_are_due_are_looked_into(shop: Shop, connected: Seller) -> None:
    """A7: each minute a job and no second one; no other shop is opened."""
    assert polls(shop) == [(shop.tenant.tenant_id, "ebay")]
    assert tick(shop) == "1 accounts are asked for orders"
    assert tick(shop) == "0 accounts are asked for orders"
    shop.clock.advance(timedelta(minutes=1))
    assert tick(shop) == "1 accounts are asked for orders"
    assert len(shop.jobs(JobAction.ORDERS)) == 1, "the one that waits is not asked for twice"


def test_accounts_are_asked_less_often_when_they_are_many() -> None:
    """E8: all of them together use half of the day's calls."""
    rhythm = PollRhythm(timedelta(minutes=1), 100_000)
    assert rhythm.pause(1) == timedelta(minutes=1)
    assert rhythm.pause(1_000) == timedelta(seconds=1_728)


def test_quiet_jobs_are_forgotten_and_others_are_kept(shop: Shop) -> None:
    """F14: a shop would have half a million of them after a year."""
    _, listing_id = listed(shop, quantity=3)
    shop.ebay.buy(listing_id)
    busy = shop.fetch_orders().id
    quiet = shop.fetch_orders().id
    shop.clock.advance(timedelta(hours=3))
    tick(shop)
    left = [job.id for job in shop.jobs(JobAction.ORDERS)]
    assert busy in left
    assert quiet not in left


def test_an_account_that_ebay_has_ended_is_not_asked_again(shop: Shop) -> None:
    """E1: until the seller has connected anew."""
    shop.ebay.control("sellers/TESTUSER_alice/revoke")
    job = shop.fetch_orders()
    assert (job.status, job.outcome) == (JobStatus.DONE, JobOutcome.BLOCKED)
    assert polls(shop) == []


def test_a_connection_without_the_scope_of_orders_says_what_helps(shop: Shop) -> None:
    """E4: eBay is not asked; the account rests for an hour."""
    with shop.container.database.tenant(shop.tenant) as session:
        connection = session.get_one(EbayConnection, 1)
        connection.scopes = [each for each in connection.scopes if "fulfillment" not in each]
    asked = shop.calls_of(shop.fetch_orders)
    assert asked == {}
    [job] = shop.jobs(JobAction.ORDERS)
    assert (job.outcome, job.problem_code) == (JobOutcome.BLOCKED, "orders-not-agreed")
    assert tick(shop) == "0 accounts are asked for orders"
    shop.clock.advance(timedelta(hours=1))
    assert tick(shop) == "1 accounts are asked for orders"


def test_a_seller_who_does_not_want_to_wait_asks_and_twice_is_once(
    shop: Shop, connected: Seller, other_seller: Seller
) -> None:
    """A7."""
    first = connected.http.post(f"{ORDERS}/sync")
    assert first.status_code == 202, first.text
    [item] = first.json()["items"]
    assert (item["channel"], item["already"]) == ("ebay", False)
    [again] = connected.http.post(f"{ORDERS}/sync", json={"channels": ["ebay"]}).json()["items"]
    assert (again["job_id"], again["already"]) == (item["job_id"], True)
    assert shop.finish(item["job_id"]).outcome is JobOutcome.OK
    assert connected.http.get(f"{ORDERS}/sync").json()["followed"] == ["ebay"]
    refused = other_seller.http.post(f"{ORDERS}/sync")
    assert_problem(refused, 409, "nothing-to-follow")
    refused = connected.http.post(f"{ORDERS}/sync", json={"channels": ["etsy"]})
    assert_problem(refused, 409, "nothing-to-follow")


class Tampered(httpx.BaseTransport):
    """The sandbox, with answers to getOrders changed on the way."""

    def __init__(self, change: Callable[[dict[str, Any]], None]) -> None:
        self._inner = httpx.HTTPTransport()
        self._change = change
        self.asked: list[httpx.URL] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._inner.handle_request(request)
        if not request.url.path.endswith("/fulfillment/v1/order"):
            return answer
        self.asked.append(request.url)
        body = json.loads(answer.read())
        self._change(body)
        return httpx.Response(answer.status_code, json=body)


@pytest.fixture
def handlers_through(shop: Shop) -> Callable[..., HandlerTable]:
    """The shop's handlers with another road to eBay, and pages of a chosen size."""

    def make(transport: httpx.BaseTransport, page_size: int = 200) -> HandlerTable:
        through(shop.container, transport)
        old = shop.handlers[Channel.EBAY, JobAction.DELETE]
        workshop = replace(old._shop, gateway=shop.container.ebay)  # noqa: SLF001 - rewired
        requests = WorkRequests({Channel.EBAY: OpinionatedChannel()}, shop.clock)
        handler = EbayOrders(workshop, OrderTaking(requests, shop.clock), page_size)
        table = shop.handlers
        assert isinstance(table, dict)
        table[Channel.EBAY, JobAction.ORDERS] = handler  # the same processor goes on with it
        return table

    return make


def test_one_bad_row_does_not_stop_the_others_and_is_tried_again(
    shop: Shop, connected: Seller, handlers_through: Callable[..., HandlerTable]
) -> None:
    """B16: the cursor moves on; the bad one is listed and read by its id an hour later."""
    product_id, listing_id = listed(shop, quantity=5)
    bad = shop.ebay.buy(listing_id)["order_id"]
    good = shop.ebay.buy(listing_id)["order_id"]
    broken = True

    def spoil(body: dict[str, Any]) -> None:
        for order in body["orders"]:
            if broken and order["orderId"] == bad:
                order["pricingSummary"]["total"]["value"] = "Infinity"

    wire = Tampered(spoil)
    handlers_through(wire)
    job = shop.fetch_orders()
    assert job.result == {"read": 2, "changed": 1, "unread": 1}
    assert [order.remote_order_id for order in shop.orders()] == [good]
    assert shop.stock(product_id) == 4
    [unread] = connected.http.get(f"{ORDERS}/sync").json()["unread"]
    assert (unread["remote_order_id"], unread["channel"]) == (bad, "ebay")
    broken = False
    shop.clock.advance(timedelta(hours=1))
    shop.fetch_orders()
    assert any(url.params.get("orderIds") == bad for url in wire.asked)
    assert {order.remote_order_id for order in shop.orders()} == {good, bad}
    assert shop.stock(product_id) == 3


def test_many_orders_are_read_page_by_page(
    shop: Shop, handlers_through: Callable[..., HandlerTable]
) -> None:
    """B15: a checkpoint after each page."""
    _, listing_id = listed(shop, quantity=9)
    for _ in range(5):
        shop.ebay.buy(listing_id)
    wire = Tampered(lambda body: None)
    handlers_through(wire, page_size=2)
    job = shop.fetch_orders()
    assert job.result == {"read": 5, "changed": 5, "unread": 0}
    last = [url.params["offset"] for url in wire.asked if "..]" in url.params["filter"]]
    assert last == ["0", "2", "4"]
    assert len(shop.orders()) == 5


def test_a_list_that_changes_while_it_is_read_is_read_anew(
    shop: Shop, handlers_through: Callable[..., HandlerTable]
) -> None:
    """A4: absence in a page proves nothing; the cursor moves after a complete reading only."""
    _, listing_id = listed(shop, quantity=9)
    for _ in range(3):
        shop.ebay.buy(listing_id)
    hidden = 2

    def hide(body: dict[str, Any]) -> None:
        nonlocal hidden
        if body["orders"] and hidden:
            hidden -= 1
            body["orders"] = body["orders"][1:]

    handlers_through(Tampered(hide))
    with shop.container.database.tenant(shop.tenant) as session:
        before = OrderCursorRepository(session).read_until(Channel.EBAY)
    assert before is None
    assert shop.fetch_orders().outcome is JobOutcome.OK
    assert len(shop.orders()) == 3
    assert hidden == 0


def test_a_list_that_never_stays_the_same_moves_no_cursor(
    shop: Shop, handlers_through: Callable[..., HandlerTable]
) -> None:
    """A4: what was seen is kept, and the job waits to try again."""
    _, listing_id = listed(shop, quantity=9)
    shop.ebay.buy(listing_id)
    shop.fetch_orders()
    with shop.container.database.tenant(shop.tenant) as session:
        before = OrderCursorRepository(session).read_until(Channel.EBAY)
    shop.ebay.buy(listing_id)

    def lie(body: dict[str, Any]) -> None:
        body["total"] += 1

    handlers_through(Tampered(lie))
    with shop.container.database.tenant(shop.tenant) as session:
        asked = AccountWork(shop.clock).request(session, JobAction.ORDERS, Channel.EBAY, 1)
    shop.turn(Lane.REALTIME)
    assert shop.job(asked.job_id).status is JobStatus.PENDING
    assert len(shop.orders()) == 2
    with shop.container.database.tenant(shop.tenant) as session:
        assert OrderCursorRepository(session).read_until(Channel.EBAY) == before


def test_a_worker_that_dies_between_pages_loses_and_doubles_nothing(
    shop: Shop, handlers_through: Callable[..., HandlerTable]
) -> None:
    """G1, A9: what it had taken over is known to the next one."""
    product_id, listing_id = listed(shop, quantity=9)
    for _ in range(4):
        shop.ebay.buy(listing_id)
    pages = 0

    class Dead(BaseException):
        """As a SIGKILL."""

    def die(body: dict[str, Any]) -> None:
        nonlocal pages
        pages += bool(body["orders"])
        if pages == 2:
            raise Dead

    handlers_through(Tampered(die), page_size=2)
    with shop.container.database.tenant(shop.tenant) as session:
        asked = AccountWork(shop.clock).request(session, JobAction.ORDERS, Channel.EBAY, 1)
    with pytest.raises(Dead):
        shop.turn(Lane.REALTIME)
    assert len(shop.orders()) == 2
    shop.clock.advance(timedelta(minutes=2))
    shop.turn(Lane.REALTIME)
    assert shop.job(asked.job_id).outcome is JobOutcome.OK
    assert len(shop.orders()) == 4
    assert shop.stock(product_id) == 5


def _sell_elsewhere(shop: Shop, product_id: int, units: int = 1) -> None:
    taking = OrderTaking(shop.container.work_requests, shop.clock)
    told = told_order(shop.clock, [told_line(sku_of_silently(shop, product_id), units)])
    with shop.container.database.tenant(shop.tenant) as session:
        taking.take_one(session, Channel.ETSY, told)


def sku_of_silently(shop: Shop, product_id: int) -> str:
    with shop.container.database.tenant(shop.tenant) as session:
        product = session.get_one(Product, product_id)
        session.refresh(product, ["variants"])
        return product.variants[0].channel_key


class Meanwhile(httpx.BaseTransport):
    """Does something once, right before the first call of a path."""

    def __init__(self, ending: str, act: Callable[[], None]) -> None:
        self._inner = httpx.HTTPTransport()
        self._ending = ending
        self._act: Callable[[], None] | None = act

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self._act is not None and request.url.path.endswith(self._ending):
            act, self._act = self._act, None
            act()
        return self._inner.handle_request(request)


def rewired(shop: Shop, transport: httpx.BaseTransport) -> None:
    """Lead the handlers' calls through this transport."""
    through(shop.container, transport)
    for handler in shop.handlers.values():
        holder: Any = getattr(handler, "_sight", handler)
        workshop = getattr(holder, "_shop", None)
        if isinstance(workshop, EbayWorkshop):
            holder._shop = replace(workshop, gateway=shop.container.ebay)  # noqa: SLF001


def test_what_is_sold_while_it_is_being_listed_is_ended_next(shop: Shop) -> None:
    """A1: the sale could not end a listing that was not there yet."""
    product_id = shop.shirt()
    rewired(shop, Meanwhile("/publish", lambda: _sell_elsewhere(shop, product_id)))
    assert shop.run(product_id).outcome is JobOutcome.OK
    assert shop.stock(product_id) == 0
    [job] = shop.jobs(JobAction.DELETE)
    waiting = shop.ask(shop.shirt())
    done = shop.turn()
    assert done is not None
    assert done.lease.job_id == job.id, "before whatever else waits in the lane"
    assert shop.live() == []
    assert shop.job(waiting).status is JobStatus.PENDING


def test_several_edits_are_one_job_and_the_last_one_is_live(shop: Shop, connected: Seller) -> None:
    """E7, B13: while it waits and while it runs; eBay counts 250 revisions a day."""
    product_id, _ = listed(shop, quantity=5)
    wanted = {"product_ids": [product_id], "channels": ["ebay"], "action": "update"}
    answers = []
    for price in (1000, 1100, 1200):
        shop.change(product_id, partial(_set_price, price))
        [item] = connected.http.post("/api/v1/publications", json=wanted).json()["items"]
        answers.append(item["answer"])
    assert answers == ["queued", "already_queued", "already_queued"]
    [offer_id] = shop.ebay.ledger()[0]["offer_ids"]
    rewired(shop, Meanwhile(f"/offer/{offer_id}", lambda: _sell_elsewhere(shop, product_id, 2)))
    [job] = shop.jobs(JobAction.UPDATE)
    assert shop.finish(job.id).outcome is JobOutcome.OK
    assert len(shop.jobs(JobAction.UPDATE)) == 1
    [row] = shop.live()
    assert (row["price"], row["quantity"]) == ("12.00", 3)
    listing = shop.listing(product_id)
    assert listing is not None
    assert listing.read_back["differences"] == []


def _set_price(price: int, product: Product) -> None:
    product.variants[0].price_minor = price
