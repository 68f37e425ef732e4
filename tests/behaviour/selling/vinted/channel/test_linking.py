"""What was once listed from here is found again, however long ago its photos were sent."""

from datetime import timedelta

from models.selling.publishing import JobAction, JobOutcome, ListingStatus
from services.selling.vinted.forgetting import KEPT, CommandForgetting
from services.selling.vinted.listings import write_ended
from tests.behaviour.selling.vinted.channel.conftest import Shop


def test_an_item_is_linked_after_its_requests_were_forgotten(shop: Shop) -> None:
    """A4: the books say that it has ended, Vinted that it is for sale."""
    product_id = shop.shirt()
    assert shop.run(product_id).outcome is JobOutcome.OK
    database, listed = shop.container.database, shop.listing(product_id)
    with database.tenant(shop.tenant) as session:
        write_ended(session, product_id, shop.clock.now())
    shop.clock.advance(KEPT + timedelta(days=1))
    assert CommandForgetting(database, shop.clock).forget() > 0
    job = shop.run(product_id, JobAction.LINK)
    assert job.outcome is JobOutcome.OK, job.problem_detail
    found = shop.listing(product_id)
    assert listed is not None
    assert found is not None
    assert (found.status, found.listing_id) == (ListingStatus.LIVE, listed.listing_id)
    assert found.remote == listed.remote
