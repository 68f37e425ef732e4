"""Orders of Etsy: fetched by themselves, each once, and the product is gone elsewhere at once."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text

from backend.ticks import ticks_of
from models.accounts.tenants import Lane
from models.selling.catalog import Product
from models.selling.orders import ChannelOrder, OrderStatus
from models.selling.publishing import Channel, JobAction, JobOutcome, JobStatus, MarketplaceJob
from repositories.selling.catalog import ProductRepository
from repositories.selling.order_sync import OrderCursorRepository
from services.accounts.schedule.ticks import Turn
from services.selling.etsy.orders import EtsyOrders
from services.selling.orders.taking import OrderTaking
from services.selling.publishing.account_work import AccountWork
from services.selling.publishing.attempting import HandlerTable
from services.selling.publishing.requesting import WorkRequests
from shared.database import TenantSession
from tests.behaviour.selling.etsy.conftest import (
    CHANNEL,
    Shop,
    connect,
    sign_in_again,
    through,
)
from tests.factories.orders import told_line, told_order
from tests.fakes.channels import OpinionatedChannel
from tests.serving import Seller

ORDERS = "/api/v1/orders"


def listed(shop: Shop, quantity: int = 1) -> tuple[int, int]:
    """A live listing with so many units; its product and listing id."""

    def stocked(product: Product, _session: TenantSession) -> None:
        product.variants[0].quantity = quantity

    product_id = shop.shirt()
    shop.change(product_id, stocked)
    job = shop.run(product_id)
    assert job.result is not None, job.problem_detail
    return product_id, int(job.result["listing_id"])


def buy(shop: Shop, listing_id: int, **more: Any) -> str:
    """A buyer buys one at Etsy; the receipt's id."""
    answer = shop.etsy.control("orders", {"listing_id": listing_id, **more})
    return str(answer["receipt_id"])


def fetch(shop: Shop) -> MarketplaceJob:
    """Ask for orders and work until they are there."""
    with shop.container.database.tenant(shop.tenant) as session:
        asked = AccountWork(shop.clock).request(session, JobAction.ORDERS, Channel.ETSY, 1)
    return shop.finish(asked.job_id)


def orders(shop: Shop) -> list[ChannelOrder]:
    with shop.container.database.tenant(shop.tenant) as session:
        return list(session.scalars(select(ChannelOrder).order_by(ChannelOrder.id)))


def stock(shop: Shop, product_id: int) -> int:
    with shop.container.database.tenant(shop.tenant) as session:
        [product] = ProductRepository(session).by_ids([product_id])
        return product.variants[0].quantity


def tick(shop: Shop) -> str:
    [found] = [each for each in ticks_of(shop.container) if each.name == "follow-orders"]
    return found.act(Turn(0, False, lambda: None)).said


def polls(shop: Shop) -> list[tuple[int, str]]:
    with shop.container.database.platform() as session:
        rows = session.execute(text("SELECT tenant_id, channel FROM public.order_polls"))
        return [(tenant, channel) for tenant, channel in rows]


def test_a_sale_on_etsy_is_in_the_books_with_what_a_parcel_needs(
    shop: Shop, connected: Seller, other_seller: Seller
) -> None:
    """A1, ST26: one order, two units less, and nothing in anybody else's shop."""
    product_id, listing_id = listed(shop, quantity=3)
    receipt_id = buy(shop, listing_id, buyer="Ada", quantity=2)
    jobs: list[MarketplaceJob] = []
    asked = shop.calls_of(lambda: jobs.append(fetch(shop)))
    assert (jobs[0].outcome, jobs[0].lane) == (JobOutcome.OK, Lane.REALTIME)
    assert jobs[0].result == {"read": 1, "changed": 1, "unread": 0}
    assert asked["getShopReceipts"] == len(
        [name for name in shop.story(jobs[0].id) if "page" in name]
    )
    assert set(asked) == {"getShopReceipts"}
    assert stock(shop, product_id) == 1
    [order] = connected.http.get(ORDERS).json()["items"]
    assert (order["remote_order_id"], order["status"]) == (receipt_id, "paid")
    assert order["total"]["currency"] == "USD"
    assert order["ship_to"] == {
        "name": "Ada",
        "line1": "1 Sandbox Street",
        "city": "Sandbox City",
        "postal_code": "10001",
        "country": "US",
    }
    [line] = order["lines"]
    assert (line["product_id"], line["quantity"]) == (product_id, 2)
    assert (line["listing_id"], line["total"]["amount"]) == (str(listing_id), "50.02")
    assert other_seller.http.get(ORDERS).json()["items"] == []


def test_a_sale_on_another_channel_takes_the_listing_down_before_any_batch(
    shop: Shop, connected: Seller
) -> None:
    """A2, A3, A12: proven by reading back, and the time it took stands in the order."""
    product_id, _ = listed(shop)
    waiting = [shop.ask(shop.shirt()) for _ in range(3)]
    taking = OrderTaking(shop.container.work_requests, shop.clock)
    told = told_order(shop.clock, [told_line(shop.skus(product_id)[0])])
    with shop.container.database.tenant(shop.tenant) as session:
        taking.take_one(session, Channel.EBAY, told)
    shop.clock.advance(timedelta(milliseconds=1500))
    done = shop.turn(Lane.REALTIME)
    assert done is not None
    assert (done.action, done.outcome) == (JobAction.DELETE, JobOutcome.OK)
    assert shop.live() == []
    assert [shop.job(each).status for each in waiting] == [JobStatus.PENDING] * 3
    [order] = connected.http.get(ORDERS).json()["items"]
    [followed] = connected.http.get(f"{ORDERS}/{order['id']}").json()["follow_ups"]
    assert (followed["channel"], followed["action"], followed["seconds"]) == ("etsy", "delete", 1.5)


def test_fetching_again_brings_nothing_twice(shop: Shop) -> None:
    """A9, G7: the overlap is read again, and known orders cost no change."""
    product_id, listing_id = listed(shop, quantity=3)
    buy(shop, listing_id)
    fetch(shop)
    assert fetch(shop).result == {"read": 1, "changed": 0, "unread": 0}
    assert len(orders(shop)) == 1
    assert stock(shop, product_id) == 2


def test_what_becomes_of_an_order_on_etsy_becomes_of_it_here(shop: Shop) -> None:
    """A8: unpaid, paid, partly refunded, cancelled; the unit comes back once."""
    product_id, listing_id = listed(shop, quantity=2)
    receipt_id = buy(shop, listing_id, paid=False)
    told: list[OrderStatus] = []
    for step in (None, "pay", "refund", "cancel"):
        if step is not None:
            # Etsy counts in whole seconds, and older news never replace newer ones.
            shop.etsy.control("clock/advance", {"seconds": 2})
            body = {"amount": "1.00", "reason": "a spot"} if step == "refund" else {}
            shop.etsy.control(f"orders/{receipt_id}/{step}", body)
        fetch(shop)
        told.append(orders(shop)[0].status)
    assert told == [
        OrderStatus.AWAITING_PAYMENT,
        OrderStatus.PAID,
        OrderStatus.PAID,
        OrderStatus.CANCELLED,
    ]
    fetch(shop)
    assert stock(shop, product_id) == 2


def test_orders_of_a_disconnected_time_are_read_afterwards(shop: Shop, connected: Seller) -> None:
    """A5: the cursor survives; nothing is asked meanwhile."""
    product_id, listing_id = listed(shop, quantity=3)
    buy(shop, listing_id)
    fetch(shop)
    assert connected.http.delete(CHANNEL).status_code == 204
    assert polls(shop) == []
    assert tick(shop) == "0 accounts are asked for orders"
    buy(shop, listing_id)
    shop.clock.advance(timedelta(days=3))
    sign_in_again(connected)
    assert connect(connected, shop.etsy, "alice").status_code == 200
    assert tick(shop) == "1 accounts are asked for orders"
    shop.turn(Lane.REALTIME)
    assert len(orders(shop)) == 2
    assert stock(shop, product_id) == 1


def test_an_account_is_followed_while_it_is_connected(shop: Shop, connected: Seller) -> None:
    """A7, E1: each minute one job; not when Etsy has ended the connection, again when it is new."""
    followed = [(shop.tenant.tenant_id, "etsy")]
    assert polls(shop) == followed
    assert tick(shop) == "1 accounts are asked for orders"
    assert tick(shop) == "0 accounts are asked for orders"
    shop.clock.advance(timedelta(minutes=1))
    assert tick(shop) == "1 accounts are asked for orders"
    shop.etsy.control("sellers/alice/revoke")
    job = fetch(shop)
    assert (job.status, job.outcome) == (JobStatus.DONE, JobOutcome.BLOCKED)
    assert polls(shop) == []
    assert connect(connected, shop.etsy, "alice").status_code == 200
    assert polls(shop) == followed


def test_an_ended_connection_is_told_to_whoever_watches(shop: Shop) -> None:
    """E1: once, with Etsy's own word for it."""
    shop.etsy.control("sellers/alice/revoke")
    fetch(shop)
    fetch(shop)
    question = "SELECT payload FROM public.outbox_events WHERE kind = 'channel-needs-reconnecting'"
    with shop.container.database.platform() as session:
        [payload] = session.scalars(text(question))
    assert (payload["channel"], payload["account"], payload["reason"]) == (
        "etsy",
        "SandboxAlice",
        "invalid_grant",
    )


class Tampered(httpx.BaseTransport):
    """The sandbox, with answers to getShopReceipts changed on the way."""

    def __init__(self, change: Callable[[dict[str, Any]], None]) -> None:
        self._inner = httpx.HTTPTransport()
        self._change = change
        self.asked: list[httpx.URL] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._inner.handle_request(request)
        if not request.url.path.endswith("/receipts"):
            return answer
        self.asked.append(request.url)
        body = json.loads(answer.read())
        self._change(body)
        return httpx.Response(answer.status_code, json=body)


@pytest.fixture
def handlers_through(shop: Shop) -> Callable[..., HandlerTable]:
    """The shop's handlers with another road to Etsy, and pages of a chosen size."""

    def make(transport: httpx.BaseTransport, page_size: int = 100) -> HandlerTable:
        through(shop.container, transport)
        old = shop.handlers[Channel.ETSY, JobAction.DELETE]
        workshop = replace(old._shop, gateway=shop.container.etsy)  # noqa: SLF001 - rewired
        requests = WorkRequests({Channel.ETSY: OpinionatedChannel()}, shop.clock)
        handler = EtsyOrders(workshop, OrderTaking(requests, shop.clock), page_size)
        table = shop.handlers
        assert isinstance(table, dict)
        table[Channel.ETSY, JobAction.ORDERS] = handler  # the same processor goes on with it
        return table

    return make


def test_one_bad_row_does_not_stop_the_others_and_is_tried_again(
    shop: Shop, connected: Seller, handlers_through: Callable[..., HandlerTable]
) -> None:
    """B16: null is no total; the cursor moves on, the bad one is asked for by itself later."""
    product_id, listing_id = listed(shop, quantity=5)
    bad, good = buy(shop, listing_id), buy(shop, listing_id)

    def spoil(body: dict[str, Any]) -> None:
        for receipt in body["results"]:
            if str(receipt["receipt_id"]) == bad:
                receipt["grandtotal"]["amount"] = None

    handlers_through(Tampered(spoil))
    assert fetch(shop).result == {"read": 2, "changed": 1, "unread": 1}
    assert [order.remote_order_id for order in orders(shop)] == [good]
    assert stock(shop, product_id) == 4
    [unread] = connected.http.get(f"{ORDERS}/sync").json()["unread"]
    assert (unread["remote_order_id"], unread["channel"]) == (bad, "etsy")
    shop.clock.advance(timedelta(hours=1))
    fetch(shop)
    assert {order.remote_order_id for order in orders(shop)} == {good, bad}
    assert stock(shop, product_id) == 3


def test_many_orders_are_read_page_by_page(
    shop: Shop, handlers_through: Callable[..., HandlerTable]
) -> None:
    """B15: oldest change first, a checkpoint after each page."""
    _, listing_id = listed(shop, quantity=9)
    for _ in range(5):
        buy(shop, listing_id)
    wire = Tampered(lambda body: None)
    handlers_through(wire, page_size=2)
    assert fetch(shop).result == {"read": 5, "changed": 5, "unread": 0}
    last = [url.params["offset"] for url in wire.asked if "max_last_modified" not in url.params]
    assert last == ["0", "2", "4"]
    assert len(orders(shop)) == 5


def test_a_list_that_changes_while_it_is_read_is_read_anew(
    shop: Shop, handlers_through: Callable[..., HandlerTable]
) -> None:
    """A4: absence in a page proves nothing; the cursor moves after a complete reading only."""
    _, listing_id = listed(shop, quantity=9)
    for _ in range(3):
        buy(shop, listing_id)
    fetch(shop)
    before = _read_until(shop)
    changes = 0

    def always_another(body: dict[str, Any]) -> None:
        nonlocal changes
        changes += 1
        body["count"] += changes

    handlers_through(Tampered(always_another), page_size=2)
    with shop.container.database.tenant(shop.tenant) as session:
        AccountWork(shop.clock).request(session, JobAction.ORDERS, Channel.ETSY, 1)
    shop.turn(Lane.REALTIME)
    assert _read_until(shop) == before
    handlers_through(httpx.HTTPTransport())
    assert fetch(shop).outcome is JobOutcome.OK


def _read_until(shop: Shop) -> Any:
    with shop.container.database.tenant(shop.tenant) as session:
        return OrderCursorRepository(session).read_until(Channel.ETSY)
