"""Goods come back: the seller is asked once, and what has come back may go up again."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from backend.subscriptions import subscriptions
from models.selling.orders import OrderStatus
from models.selling.publishing import Channel, JobAction
from repositories.selling.publishing import JobFilter, JobRepository
from services.accounts.outbox.relaying import OutboxRelay
from services.selling.orders.returning import OrderReturns, OrderStands, ReturnInvalid, TakenBack
from services.selling.orders.told import ToldOrder
from services.selling.publishing.planning import Answer
from services.selling.publishing.requesting import WorkRequests
from shared.clock import MovableClock
from shared.database import Database
from shared.money import Money
from tests.behaviour.selling.orders.test_taking_orders import BOTH
from tests.factories.orders import OrderedShop, told_line, told_order
from tests.fakes.channels import OpinionatedChannel
from tests.fakes.subscribers import NotedDeliveries


def later(told: ToldOrder, status: OrderStatus, hours: int = 1) -> ToldOrder:
    at = told.modified_at + timedelta(hours=hours)
    return replace(told, status=status, refunded=Money(3000, "USD"), modified_at=at)


def asked(database: Database, clock: MovableClock) -> list[str]:
    """What sellers were asked."""
    relay = OutboxRelay(database, subscriptions(clock), clock, NotedDeliveries())
    while relay.turn():
        pass
    with database.platform() as session:
        found = session.execute(
            text("SELECT message FROM public.notifications WHERE kind = 'goods_may_come_back'")
        )
        return [message for (message,) in found]


@pytest.fixture
def returns(shop: OrderedShop, channel: OpinionatedChannel) -> OrderReturns:
    channels = {Channel.EBAY: channel, Channel.ETSY: channel, Channel.VINTED: channel}
    return OrderReturns(WorkRequests(channels, shop.clock), shop.clock)


def take_back(
    shop: OrderedShop,
    returns: OrderReturns,
    units: list[tuple[int, int]] | None = None,
    *,
    put_up: bool = False,
) -> TakenBack:
    [order] = shop.orders()
    with shop.database.tenant(shop.tenant) as session:
        return returns.take_back(session, order.id, units, 1, put_up=put_up)


def published(shop: OrderedShop) -> list[Channel]:
    with shop.database.tenant(shop.tenant) as session:
        jobs = JobRepository(session).page(JobFilter(action=JobAction.PUBLISH), None, 100)
        return sorted(job.channel for job in jobs)


def end_everywhere(shop: OrderedShop) -> None:
    """The jobs that the sale caused have run."""
    with shop.database.tenant(shop.tenant) as session:
        session.execute(text("UPDATE channel_listings SET status = 'ended', ended_at = now()"))


def test_a_cancelled_order_is_asked_about_once_and_the_piece_goes_up_again(
    shop: OrderedShop, returns: OrderReturns
) -> None:
    """A8: its unit is back by itself; where it goes is the seller's word."""
    product_id = shop.piece(quantity=1, listed=BOTH)
    told = told_order(shop.clock, [told_line(shop.sku(product_id))])
    shop.take(told)
    end_everywhere(shop)
    for hours in (1, 2):
        shop.take(later(told, OrderStatus.CANCELLED, hours))
    assert shop.stock(product_id)[0] == 1
    [question] = asked(shop.database, shop.clock)
    assert "was cancelled: 1 in stock again" in question
    assert published(shop) == []
    back = take_back(shop, returns, put_up=True)
    assert (back.units, {item.answer for item in back.items}) == (0, {Answer.QUEUED})
    assert published(shop) == sorted(BOTH)
    again = take_back(shop, returns, put_up=True)
    assert {item.answer for item in again.items} == {Answer.ALREADY_QUEUED}
    assert (shop.stock(product_id)[0], len(published(shop))) == (1, len(BOTH))


def test_what_was_sent_and_refunded_comes_back_when_the_seller_says_so(
    shop: OrderedShop, returns: OrderReturns
) -> None:
    """A8: once, however often it is said; without `put_up` it goes up nowhere."""
    product_id = shop.piece(quantity=2, listed=BOTH)
    line = told_line(shop.sku(product_id), 2, shipped=True)
    told = told_order(shop.clock, [line], status=OrderStatus.SHIPPED)
    shop.take(told)
    end_everywhere(shop)
    with pytest.raises(OrderStands):
        take_back(shop, returns)
    shop.take(later(told, OrderStatus.REFUNDED))
    [question] = asked(shop.database, shop.clock)
    assert "was refunded: 2 that may come back" in question
    [row] = shop.orders()[0].lines
    assert take_back(shop, returns, [(row.id, 1)]).units == 1
    assert shop.stock(product_id)[0] == 1
    with pytest.raises(ReturnInvalid):
        take_back(shop, returns, [(row.id, 2)])
    assert shop.stock(product_id)[0] == 1
    assert [take_back(shop, returns).units for _ in range(2)] == [1, 0]
    assert shop.stock(product_id)[0] == 2
    assert shop.movements() == [("sold", -2), ("returned 1", 1), ("returned 2", 1)]
    assert published(shop) == []


def test_a_cancellation_after_a_return_gives_nothing_back_twice(
    shop: OrderedShop, returns: OrderReturns
) -> None:
    """A8: the seller was faster than the channel."""
    product_id = shop.piece(quantity=1)
    told = told_order(shop.clock, [told_line(shop.sku(product_id))])
    shop.take(told)
    shop.take(later(told, OrderStatus.REFUNDED))
    assert take_back(shop, returns).units == 1
    shop.take(later(told, OrderStatus.CANCELLED, 2))
    assert shop.stock(product_id)[0] == 1


def test_a_line_that_is_not_the_orders_is_refused(shop: OrderedShop, returns: OrderReturns) -> None:
    """A refusal changes nothing."""
    product_id = shop.piece(quantity=1)
    told = told_order(shop.clock, [told_line(shop.sku(product_id))])
    shop.take(told)
    shop.take(later(told, OrderStatus.REFUNDED))
    with pytest.raises(ReturnInvalid):
        take_back(shop, returns, [(999_999, 1)])
    assert shop.stock(product_id)[0] == 0
