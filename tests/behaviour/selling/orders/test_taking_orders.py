"""Orders are taken over once, get their units once, and end the product elsewhere."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from models.accounts.tenants import Lane
from models.selling.orders import OrderStatus
from models.selling.publishing import Channel, JobAction, JobStatus
from repositories.selling.order_sync import OrderCursorRepository
from repositories.selling.orders import OrderRepository
from services.selling.catalog.products import ProductCatalog
from services.selling.orders.taking import Taken
from services.selling.orders.told import UnreadableOrder
from services.selling.publishing.requesting import WorkRequests
from shared.errors import FieldProblem
from shared.money import Money
from tests.factories.orders import OrderedShop, told_line, told_order
from tests.fakes.channels import OpinionatedChannel

BOTH = (Channel.EBAY, Channel.ETSY)


def test_a_sale_takes_its_unit_and_ends_the_product_on_the_other_channel(
    shop: OrderedShop, other_shop: OrderedShop
) -> None:
    """A1, A2: order line, stock and the job to end it elsewhere are one transaction."""
    product_id = shop.piece(quantity=1, listed=BOTH)
    others = other_shop.piece(quantity=1, listed=BOTH)
    told = told_order(shop.clock, [told_line(shop.sku(product_id))])

    assert shop.take(told) == Taken(changed=1, same=0, unread=0)

    assert shop.stock(product_id) == (0, 2)
    [order] = shop.orders()
    assert (order.remote_order_id, order.status) == (told.remote_order_id, OrderStatus.PAID)
    [line] = order.lines
    assert (line.product_id, line.units_taken, line.units_missing) == (product_id, 1, 0)
    [job] = shop.jobs(JobAction.DELETE)
    assert (job.channel, job.product_id, job.lane) == (Channel.ETSY, product_id, Lane.REALTIME)
    assert other_shop.stock(others) == (1, 1)
    assert other_shop.orders() == []
    assert other_shop.jobs(JobAction.DELETE) == []


def test_where_units_are_left_the_other_channels_are_told_how_many(shop: OrderedShop) -> None:
    """A1: an update, in the lane that waits behind no batch."""
    product_id = shop.piece(quantity=5, listed=BOTH)
    shop.take(told_order(shop.clock, [told_line(shop.sku(product_id), 2)]))
    assert shop.stock(product_id) == (3, 2)
    [job] = shop.jobs(JobAction.UPDATE)
    assert (job.channel, job.lane, job.status) == (
        Channel.ETSY,
        Lane.REALTIME,
        JobStatus.PENDING,
    )
    assert shop.jobs(JobAction.DELETE) == []


def test_an_update_that_waits_behind_a_batch_is_taken_out_of_it(shop: OrderedShop) -> None:
    """A1, A2: the one job of its kind is not asked for twice, it goes first."""
    product_id = shop.piece(quantity=5, listed=BOTH)
    requests = WorkRequests({Channel.ETSY: shop.channel}, shop.clock)
    with shop.database.tenant(shop.tenant) as session:
        asked = requests.request(session, JobAction.UPDATE, [product_id], [Channel.ETSY], 1)
    assert shop.jobs(JobAction.UPDATE)[0].lane is Lane.BULK
    shop.take(told_order(shop.clock, [told_line(shop.sku(product_id))]))
    [job] = shop.jobs(JobAction.UPDATE)
    assert (job.id, job.lane) == (asked.items[0].job_id, Lane.REALTIME)
    [order] = shop.orders()
    with shop.database.tenant(shop.tenant) as session:
        [followed] = OrderRepository(session).follow_ups(order.id)
    assert followed.what.job_id == job.id


def test_the_same_told_again_changes_nothing(shop: OrderedShop) -> None:
    """A9: cursors overlap, and two syncs bring the same row."""
    product_id = shop.piece(quantity=3, listed=BOTH)
    told = told_order(shop.clock, [told_line(shop.sku(product_id))])
    shop.take(told)
    assert shop.take(told) == Taken(changed=0, same=1, unread=0)
    # A re-told order whose words differ is news, and still takes no second unit.
    assert shop.take(replace(told, buyer="renamed")).changed == 1
    assert shop.stock(product_id) == (2, 2)
    assert shop.movements() == [("sold", -1)]
    assert [order.buyer for order in shop.orders()] == ["renamed"]


def test_an_order_that_finds_no_unit_is_recorded_as_oversold(shop: OrderedShop) -> None:
    """A1: stock never goes below nothing, and the loser is in plain sight."""
    product_id = shop.piece(quantity=1, listed=BOTH)
    sku = shop.sku(product_id)
    shop.take(told_order(shop.clock, [told_line(sku)]), channel=Channel.EBAY)
    loser = told_order(shop.clock, [told_line(sku)])
    shop.take(loser, channel=Channel.ETSY)
    assert shop.stock(product_id)[0] == 0
    [oversold] = shop.orders(oversold=True)
    assert (oversold.channel, oversold.remote_order_id) == (Channel.ETSY, loser.remote_order_id)
    [line] = oversold.lines
    assert (line.units_taken, line.units_missing) == (0, 1)
    assert [order.channel for order in shop.orders(oversold=False)] == [Channel.EBAY]


def test_an_order_of_more_than_there_is_gets_what_there_is(shop: OrderedShop) -> None:
    """A1."""
    product_id = shop.piece(quantity=2)
    shop.take(told_order(shop.clock, [told_line(shop.sku(product_id), 5)]))
    [order] = shop.orders(oversold=True)
    assert (order.lines[0].units_taken, order.lines[0].units_missing) == (2, 3)
    assert shop.stock(product_id)[0] == 0


def test_a_cancelled_order_gives_its_units_back_once(shop: OrderedShop) -> None:
    """A8: however often the cancellation is told, and by whomever."""
    product_id = shop.piece(quantity=2, listed=BOTH)
    told = told_order(shop.clock, [told_line(shop.sku(product_id), 2)])
    shop.take(told)
    assert shop.stock(product_id)[0] == 0
    for seconds in (60, 120):
        gone = replace(
            told,
            status=OrderStatus.CANCELLED,
            modified_at=told.modified_at + timedelta(seconds=seconds),
        )
        shop.take(gone)
        assert shop.stock(product_id)[0] == 2
    assert shop.movements() == [("sold", -2), ("returned", 2)]
    [order] = shop.orders()
    assert (order.status, order.lines[0].units_returned) == (OrderStatus.CANCELLED, 2)


def test_an_order_that_was_cancelled_before_we_heard_of_it_moves_no_stock(
    shop: OrderedShop,
) -> None:
    """A8: nothing is given back that was never taken."""
    product_id = shop.piece(quantity=1)
    lines = [told_line(shop.sku(product_id))]
    shop.take(told_order(shop.clock, lines, status=OrderStatus.CANCELLED))
    assert shop.stock(product_id) == (1, 1)
    assert shop.movements() == []


def test_what_was_sent_does_not_come_back_by_a_cancellation_or_a_refund(
    shop: OrderedShop,
) -> None:
    """A8: the goods are with the buyer."""
    product_id = shop.piece(quantity=1)
    line = told_line(shop.sku(product_id), shipped=True)
    told = told_order(shop.clock, [line], status=OrderStatus.SHIPPED)
    shop.take(told)
    for number, status in enumerate((OrderStatus.REFUNDED, OrderStatus.CANCELLED), start=1):
        later = told.modified_at + timedelta(hours=number)
        shop.take(replace(told, status=status, refunded=Money(3000, "USD"), modified_at=later))
        assert shop.stock(product_id)[0] == 0
    assert shop.orders()[0].refunded_minor == 3000


def test_an_oversold_order_that_is_cancelled_gives_nothing_back(shop: OrderedShop) -> None:
    """A8: it never had a unit."""
    product_id = shop.piece(quantity=0)
    told = told_order(shop.clock, [told_line(shop.sku(product_id))])
    shop.take(told)
    later = told.modified_at + timedelta(minutes=1)
    shop.take(replace(told, status=OrderStatus.CANCELLED, modified_at=later))
    assert shop.stock(product_id)[0] == 0
    assert shop.movements() == [("sold", 0)]


def test_older_news_do_not_replace_newer_ones(shop: OrderedShop) -> None:
    """A9: a slow sync comes in after a quick one."""
    product_id = shop.piece(quantity=1)
    early = told_order(shop.clock, [told_line(shop.sku(product_id))])
    late = replace(
        early,
        status=OrderStatus.CANCELLED,
        modified_at=early.modified_at + timedelta(minutes=5),
    )
    shop.take(late)
    shop.take(early)
    assert [order.status for order in shop.orders()] == [OrderStatus.CANCELLED]
    assert shop.stock(product_id)[0] == 1


def test_a_quantity_that_is_not_told_is_kept_as_not_told_and_costs_one_unit(
    shop: OrderedShop,
) -> None:
    """C13: null is not 0; a line has sold one at least, and the rest when it is told."""
    product_id = shop.piece(quantity=5)
    line = told_line(shop.sku(product_id), None)
    told = told_order(shop.clock, [line])
    shop.take(told)
    assert shop.orders()[0].lines[0].quantity is None
    assert shop.stock(product_id)[0] == 4
    shop.take(replace(told, lines=[replace(line, quantity=3)]))
    assert shop.orders()[0].lines[0].quantity == 3
    assert shop.stock(product_id)[0] == 2
    assert shop.movements() == [("sold", -1), ("sold 3", -2)]


def test_what_is_not_ours_is_recorded_and_moves_nothing(shop: OrderedShop) -> None:
    """D11: sold outside of StoFlow; not oversold either."""
    product_id = shop.piece(quantity=1)
    shop.take(told_order(shop.clock, [told_line("SOMEBODY-ELSES"), told_line(None)]))
    [order] = shop.orders()
    assert [(line.product_id, line.units_missing) for line in order.lines] == [(None, 0)] * 2
    assert shop.orders(oversold=True) == []
    assert shop.stock(product_id) == (1, 1)


def test_a_listing_tells_whose_line_it_is_where_the_key_is_not_ours(shop: OrderedShop) -> None:
    """B6: only for a product of one variant, and not for what was sold before we knew of it."""
    product_id = shop.piece(quantity=3, listed=[Channel.EBAY])
    listing_id = f"ebay-{product_id}"
    old = shop.clock.now() - timedelta(days=2)
    lines = [told_line("THEIRS", listing_id=listing_id)]
    shop.take(told_order(shop.clock, lines), told_order(shop.clock, lines, placed_at=old))
    assert shop.stock(product_id)[0] == 2
    assert [order.lines[0].product_id for order in shop.orders()] == [product_id, None]


def test_one_bad_row_does_not_stop_the_others_and_is_listed(shop: OrderedShop) -> None:
    """B16: and leaves the list when it could be read."""
    product_id = shop.piece(quantity=2)
    good = told_order(shop.clock, [told_line(shop.sku(product_id))])
    bad = told_order(shop.clock, [told_line(shop.sku(product_id), 2**70)])
    worse = told_order(shop.clock, [], buyer="nul \x00 byte")
    mute = UnreadableOrder("27-mute", "It has no total.")
    assert shop.take(bad, worse, good, unreadable=[mute]) == Taken(changed=1, same=0, unread=3)
    assert [order.remote_order_id for order in shop.orders()] == [good.remote_order_id]
    assert shop.stock(product_id)[0] == 1
    with shop.database.tenant(shop.tenant) as session:
        unread = OrderCursorRepository(session).unread(Channel.EBAY)
        assert {each.remote_order_id for each in unread} == {
            bad.remote_order_id,
            worse.remote_order_id,
            "27-mute",
        }
        assert all(each.problem for each in unread)
    shop.take(replace(bad, lines=[told_line(shop.sku(product_id))]))
    with shop.database.tenant(shop.tenant) as session:
        left = {each.remote_order_id for each in OrderCursorRepository(session).unread()}
    assert left == {worse.remote_order_id, "27-mute"}


def test_a_job_that_cannot_be_asked_for_does_not_keep_the_order_out(
    shop: OrderedShop, channel: OpinionatedChannel
) -> None:
    """A3: the sale stands; why the other channel was not told is in the order."""
    product_id = shop.piece(quantity=2, listed=BOTH)
    channel.gaps_by_product[product_id] = [FieldProblem("title", "It is too long.")]
    shop.take(told_order(shop.clock, [told_line(shop.sku(product_id))]))
    [order] = shop.orders()
    with shop.database.tenant(shop.tenant) as session:
        [followed] = OrderRepository(session).follow_ups(order.id)
    assert (followed.what.channel, followed.what.action) == (Channel.ETSY, JobAction.UPDATE)
    assert followed.what.job_id is None
    assert followed.what.problem == "None of these can be published yet"
    assert shop.stock(product_id)[0] == 1


def test_an_order_is_told_to_whoever_watches_the_shop(
    shop: OrderedShop, other_shop: OrderedShop
) -> None:
    """ST33."""
    product_id = shop.piece(quantity=0)
    shop.take(told_order(shop.clock, [told_line(shop.sku(product_id))]))
    with shop.database.platform() as session:
        events = session.execute(
            text("SELECT tenant_id, payload FROM public.shop_events WHERE kind = 'order_update'")
        ).all()
    [(tenant_id, payload)] = events
    assert tenant_id == shop.tenant.tenant_id
    assert (payload["status"], payload["oversold"]) == ("paid", True)


@pytest.mark.parametrize("quantity", [0, 1])
def test_a_product_in_the_books_of_an_order_can_still_be_deleted(
    shop: OrderedShop, quantity: int
) -> None:
    """D11: the order keeps its line."""
    product_id = shop.piece(quantity=quantity)
    shop.take(told_order(shop.clock, [told_line(shop.sku(product_id))]))
    with shop.database.tenant(shop.tenant) as session:
        ProductCatalog(session, shop.clock).delete(product_id, lambda _: True)
    assert shop.orders()[0].lines[0].product_id == product_id
