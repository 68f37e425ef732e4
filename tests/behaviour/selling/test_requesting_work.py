"""Asking for work: what is queued, what is answered at once, and what never happens twice."""

import threading

import pytest
from sqlalchemy import text

from models.selling.publishing import (
    Channel,
    ChannelListing,
    JobAction,
    JobStatus,
    ListingStatus,
)
from repositories.selling.publishing import JobFilter, JobRepository, ListingRepository
from services.selling.catalog.products import ProductCatalog, ProductInUse
from services.selling.publishing.planning import Answer, ChannelNotOffered
from services.selling.publishing.requesting import NothingToDo, RequestedBatch, WorkRequests
from shared.clock import MovableClock, SystemClock
from shared.database import Database, TenantSchema
from shared.errors import BadInput, FieldProblem
from tests.factories.selling import make_product
from tests.fakes.channels import OpinionatedChannel

EBAY = [Channel.EBAY]


@pytest.fixture
def channel() -> OpinionatedChannel:
    return OpinionatedChannel()


@pytest.fixture
def requests(channel: OpinionatedChannel, clock: MovableClock) -> WorkRequests:
    return WorkRequests({Channel.EBAY: channel}, clock)


@pytest.fixture
def products(database: Database, tenant: TenantSchema, clock: MovableClock) -> list[int]:
    with database.tenant(tenant) as session:
        return [make_product(session, clock).id for _ in range(3)]


def ask(
    database: Database,
    shop: TenantSchema,
    requests: WorkRequests,
    product_ids: list[int],
    action: JobAction = JobAction.PUBLISH,
) -> RequestedBatch:
    with database.tenant(shop) as session:
        return requests.request(session, action, product_ids, EBAY, requested_by=1)


def jobs_of(database: Database, shop: TenantSchema) -> int:
    with database.tenant(shop) as session:
        return len(JobRepository(session).page(JobFilter(), None, 100))


def bells(database: Database) -> int:
    with database.platform() as session:
        return int(session.scalar(text("SELECT count(*) FROM public.tenant_bells")) or 0)


def list_it(database: Database, shop: TenantSchema, clock: MovableClock, product_id: int) -> None:
    with database.tenant(shop) as session:
        ListingRepository(session).add(
            ChannelListing(
                product_id=product_id,
                channel=Channel.EBAY,
                status=ListingStatus.LIVE,
                listing_id="110",
                remote={},
                product_version=1,
                read_back={},
                published_at=clock.now(),
                checked_at=clock.now(),
            )
        )


def test_every_product_gets_a_job_and_the_bell_rings(
    database: Database, tenant: TenantSchema, requests: WorkRequests, products: list[int]
) -> None:
    """ST28."""
    batch = ask(database, tenant, requests, products)
    assert [item.answer for item in batch.items] == [Answer.QUEUED] * 3
    assert len({item.job_id for item in batch.items}) == 3
    assert bells(database) == 1
    with database.tenant(tenant) as session:
        jobs = JobRepository(session).page(JobFilter(batch_id=batch.batch_id), None, 100)
    assert {job.status for job in jobs} == {JobStatus.PENDING}


def test_asking_twice_queues_once(
    database: Database, tenant: TenantSchema, requests: WorkRequests, products: list[int]
) -> None:
    """B3, B4."""
    first = ask(database, tenant, requests, products)
    second = ask(database, tenant, requests, [*products, *products])
    assert second.batch_id is None
    assert [item.answer for item in second.items] == [Answer.ALREADY_QUEUED] * 3
    assert [item.job_id for item in second.items] == [item.job_id for item in first.items]
    assert jobs_of(database, tenant) == 3


def test_asking_many_times_at_once_queues_once(
    database: Database, tenant: TenantSchema, requests: WorkRequests, products: list[int]
) -> None:
    """B3, F5: in both orders, so that two could wait for each other; nobody does."""
    failures: list[Exception] = []
    together = threading.Barrier(8)

    def click(number: int) -> None:
        together.wait()
        try:
            ask(database, tenant, requests, products if number % 2 else products[::-1])
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=click, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert jobs_of(database, tenant) == 3


def test_what_is_listed_is_not_listed_again(
    database: Database,
    tenant: TenantSchema,
    requests: WorkRequests,
    products: list[int],
    clock: MovableClock,
) -> None:
    """B4, B7."""
    list_it(database, tenant, clock, products[0])
    batch = ask(database, tenant, requests, products[:1])
    assert [(item.answer, item.listing_id) for item in batch.items] == [
        (Answer.ALREADY_LISTED, "110")
    ]
    assert jobs_of(database, tenant) == 0


@pytest.mark.parametrize("action", [JobAction.UPDATE, JobAction.DELETE])
def test_what_is_not_listed_cannot_be_changed_there(
    database: Database,
    tenant: TenantSchema,
    requests: WorkRequests,
    products: list[int],
    action: JobAction,
) -> None:
    """ST26."""
    batch = ask(database, tenant, requests, products[:1], action)
    assert [item.answer for item in batch.items] == [Answer.NOT_LISTED]
    assert jobs_of(database, tenant) == 0


def test_a_refused_product_does_not_stop_the_others(
    database: Database,
    tenant: TenantSchema,
    requests: WorkRequests,
    channel: OpinionatedChannel,
    products: list[int],
) -> None:
    """C6, B16: what is missing is said before the first call."""
    channel.gaps_by_product[products[1]] = [FieldProblem("brand", "eBay wants a brand.", "missing")]
    batch = ask(database, tenant, requests, products)
    assert [item.answer for item in batch.items] == [
        Answer.QUEUED,
        Answer.REFUSED,
        Answer.QUEUED,
    ]
    assert batch.items[1].problems == (
        FieldProblem(f"products.{products[1]}.brand", "eBay wants a brand.", "missing"),
    )
    assert jobs_of(database, tenant) == 2


def test_when_all_are_refused_nothing_is_stored(
    database: Database,
    tenant: TenantSchema,
    requests: WorkRequests,
    channel: OpinionatedChannel,
    products: list[int],
) -> None:
    """C6, C7."""
    for product_id in products:
        channel.gaps_by_product[product_id] = [FieldProblem("brand", "missing")]
    with pytest.raises(NothingToDo) as refusal:
        ask(database, tenant, requests, products)
    assert len(refusal.value.fields) == 3
    assert (jobs_of(database, tenant), bells(database)) == (0, 0)


def test_a_listing_can_always_be_ended(
    database: Database,
    tenant: TenantSchema,
    requests: WorkRequests,
    channel: OpinionatedChannel,
    products: list[int],
    clock: MovableClock,
) -> None:
    """A3: gaps in the data never keep a listing alive, and delisting goes to the fast lane."""
    list_it(database, tenant, clock, products[0])
    channel.gaps_by_product[products[0]] = [FieldProblem("brand", "missing")]
    batch = ask(database, tenant, requests, products[:1], JobAction.DELETE)
    assert batch.items[0].answer is Answer.QUEUED
    with database.tenant(tenant) as session:
        assert JobRepository(session).page(JobFilter(), None, 10)[0].lane.value == "realtime"


def test_another_shops_products_do_not_exist(
    database: Database,
    tenant: TenantSchema,
    other_tenant: TenantSchema,
    requests: WorkRequests,
    products: list[int],
) -> None:
    """ST14: the refusal names the position, and neither shop changes."""
    with pytest.raises(BadInput) as refusal:
        ask(database, other_tenant, requests, [products[0]])
    assert refusal.value.fields[0].field == "product_ids[0]"
    assert [jobs_of(database, shop) for shop in (tenant, other_tenant)] == [0, 0]
    assert bells(database) == 0


def test_a_channel_that_is_not_offered_is_refused(
    database: Database, tenant: TenantSchema, requests: WorkRequests, products: list[int]
) -> None:
    """G13."""
    with pytest.raises(ChannelNotOffered), database.tenant(tenant) as session:
        requests.request(session, JobAction.PUBLISH, products, [Channel.VINTED], requested_by=1)
    assert jobs_of(database, tenant) == 0


def test_a_product_cannot_be_deleted_while_work_for_it_is_being_queued(
    database: Database, tenant: TenantSchema, requests: WorkRequests, products: list[int]
) -> None:
    """B3: the deletion waits for the request, and then sees its job."""
    refused: list[Exception] = []

    def delete() -> None:
        try:
            with database.tenant(tenant) as session:
                ProductCatalog(session, SystemClock()).delete(products[0], lambda _version: True)
        except ProductInUse as error:
            refused.append(error)

    deletion = threading.Thread(target=delete)
    with database.tenant(tenant) as session:
        requests.request(session, JobAction.PUBLISH, products[:1], EBAY, requested_by=1)
        deletion.start()
        deletion.join(0.3)
    deletion.join()
    assert len(refused) == 1
    assert jobs_of(database, tenant) == 1
