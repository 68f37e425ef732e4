"""A listing goes into the books at the moment its product is sold: one of both ends it."""

import pytest

from models.accounts.tenants import Lane
from models.selling.publishing import Channel, ChannelListing, JobAction, ListingStatus
from repositories.accounts.bells import BellRepository, RungBell
from repositories.selling.publishing import JobRepository, ListingRepository
from services.selling.publishing.catching_up import catch_up
from services.selling.publishing.requesting import WorkRequests
from shared.clock import MovableClock
from shared.database import Database, TenantSchema
from tests.concurrency.test_taking_turns import together
from tests.factories.orders import OrderedShop, told_line, told_order
from tests.factories.selling import make_job
from tests.fakes.channels import OpinionatedChannel


@pytest.fixture
def shop(database: Database, tenant: TenantSchema, clock: MovableClock) -> OrderedShop:
    return OrderedShop(database, tenant, clock, OpinionatedChannel())


def record_listing(shop: OrderedShop, product_id: int, job_id: int, sku: str) -> None:
    """As the end of a publish job: bell and job locked, then the books."""
    requests = WorkRequests({Channel.EBAY: shop.channel}, shop.clock)
    with shop.database.tenant(shop.tenant) as session:
        BellRepository(session).lock(RungBell(shop.tenant, Lane.BULK))
        job = JobRepository(session).locked(job_id)
        assert job is not None
        ListingRepository(session).add(
            ChannelListing(
                product_id=product_id,
                channel=Channel.EBAY,
                status=ListingStatus.LIVE,
                listing_id=f"110{product_id}",
                remote={},
                product_version=1,
                read_back={},
                published_at=shop.clock.now(),
                checked_at=shop.clock.now(),
            )
        )
        catch_up(session, requests, job, {sku: 1})


def test_whoever_comes_second_ends_the_listing(shop: OrderedShop) -> None:
    """A1: and neither waits for the other in a circle."""
    for _ in range(25):
        product_id = shop.piece(quantity=1)
        sku = shop.sku(product_id)
        with shop.database.tenant(shop.tenant) as session:
            job_id = make_job(session, shop.clock, product_id=product_id).id
        told = told_order(shop.clock, [told_line(sku)])

        def act(place: int, mine: tuple[int, int, str] = (product_id, job_id, sku)) -> object:
            if place:
                return record_listing(shop, *mine)
            return shop.take(told, channel=Channel.ETSY)  # noqa: B023 - called in this turn

        answers = together(2, act)
        assert [each for each in answers if isinstance(each, Exception)] == []
        ending = [job for job in shop.jobs(JobAction.DELETE) if job.product_id == product_id]
        assert [job.channel for job in ending] == [Channel.EBAY]
