"""Many orders for one unit at the same moment: one gets it, and stock is never below nothing."""

import pytest

from models.selling.publishing import Channel
from shared.clock import MovableClock
from shared.database import Database, TenantSchema
from tests.concurrency.test_taking_turns import together
from tests.factories.orders import OrderedShop, told_line, told_order
from tests.fakes.channels import OpinionatedChannel

AT_ONCE = 10
CHANNELS = (Channel.EBAY, Channel.ETSY)


@pytest.fixture
def shop(database: Database, tenant: TenantSchema, clock: MovableClock) -> OrderedShop:
    return OrderedShop(database, tenant, clock, OpinionatedChannel())


def test_of_many_orders_for_single_units_each_unit_has_one_winner(shop: OrderedShop) -> None:
    """A1: 200 orders for 20 units on two channels, ten at a time."""
    for _ in range(20):
        product_id = shop.piece(quantity=1, listed=CHANNELS)
        sku = shop.sku(product_id)
        told = [told_order(shop.clock, [told_line(sku)]) for _ in range(AT_ONCE)]
        answers = together(
            AT_ONCE,
            lambda n, told=told: shop.take(told[n], channel=CHANNELS[n % 2]),  # type: ignore[misc]
        )
        assert [each.changed for each in answers] == [1] * AT_ONCE
        assert shop.stock(product_id)[0] == 0
        winners = [
            line.units_taken for order in shop.orders(product_id=product_id) for line in order.lines
        ]
        assert sorted(winners) == [0] * (AT_ONCE - 1) + [1]
    assert len(shop.orders(oversold=False)) == 20


def test_two_syncs_that_bring_the_same_order_at_once_bring_one_row(shop: OrderedShop) -> None:
    """A9: and no transaction of either is rolled back."""
    for _ in range(10):
        product_id = shop.piece(quantity=5)
        told = told_order(shop.clock, [told_line(shop.sku(product_id), 2)])
        answers = together(4, lambda _, told=told: shop.take(told))  # type: ignore[misc]
        assert [each.unread for each in answers] == [0] * 4
        assert len(shop.orders(product_id=product_id)) == 1
        assert shop.stock(product_id)[0] == 3
    assert shop.movements() == [("sold", -2)] * 10
