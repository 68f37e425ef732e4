"""One buyer takes several items in one transaction: each is paid for in stock once."""

import pytest
from sqlalchemy import text

from models.selling.publishing import Channel, ChannelListing, JobAction, JobOutcome, ListingStatus
from repositories.selling.publishing import ListingRepository
from tests.behaviour.selling.vinted.channel.conftest import Shop

_LINES = text(
    "SELECT orders.remote_order_id, lines.product_id, lines.quantity, lines.units_taken"
    " FROM channel_orders AS orders JOIN channel_order_lines AS lines"
    " ON lines.order_id = orders.id ORDER BY lines.product_id"
)


_ENDINGS = text(
    "SELECT product_id, channel FROM marketplace_jobs WHERE action = 'delete'"
    " ORDER BY product_id, channel"
)


def list_elsewhere(shop: Shop, product_id: int) -> None:
    now = shop.clock.now()
    with shop.container.database.tenant(shop.tenant) as session:
        session.add(
            ChannelListing(
                product_id=product_id,
                channel=Channel.EBAY,
                status=ListingStatus.LIVE,
                listing_id=f"11{product_id}",
                remote={},
                product_version=1,
                read_back={},
                published_at=now,
                checked_at=now,
            )
        )


def stands(shop: Shop, products: list[int]) -> object:
    """Lines of orders, what is in stock, and jobs that end listings elsewhere."""
    with shop.container.database.tenant(shop.tenant) as session:
        lines, endings = (
            [tuple(row) for row in session.execute(each)] for each in (_LINES, _ENDINGS)
        )
    return lines, [shop.product(each).quantity for each in products], endings


@pytest.mark.parametrize("terse", [False, True], ids=["told whole", "told in the conversation"])
def test_a_bundle_is_one_order_that_takes_each_of_its_items_once(shop: Shop, terse: bool) -> None:
    """A1, A2, A9, G7: two listings in one transaction; both end elsewhere, and no reading after
    that, of whatever state, changes anything.
    """
    products = [shop.shirt(colors=((number, 90, 10),)) for number in (1, 2)]
    for product_id in products:
        assert shop.run(product_id).outcome is JobOutcome.OK
        list_elsewhere(shop, product_id)
    items = [shop.live(product_id)[0]["item_id"] for product_id in products]
    deal = shop.site.control("orders", {"item_ids": items, "terse": terse})
    expected = (
        [(str(deal["transaction_id"]), product_id, 1, 1) for product_id in products],
        [0, 0],
        [(product_id, Channel.EBAY) for product_id in products],
    )
    for step in (None, None, "ship", "deliver"):
        if step is not None:
            shop.site.control(f"orders/{deal['transaction_id']}/{step}")
        job = shop.run(None, JobAction.ORDERS)
        assert (job.outcome, job.result and job.result["unread"]) == (JobOutcome.OK, 0)
        assert stands(shop, products) == expected
    with shop.container.database.tenant(shop.tenant) as session:
        listings = [ListingRepository(session).get(each, Channel.EBAY) for each in products]
    assert {each and each.status for each in listings} == {ListingStatus.ENDED}
