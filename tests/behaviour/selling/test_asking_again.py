"""A second wish for what the first may have done."""

from datetime import timedelta

import pytest

from models.accounts.tenants import Lane
from models.selling.publishing import JobAction, JobOutcome, JobStatus, MarketplaceJob
from repositories.selling.publishing import JobRepository
from services.selling.publishing.lease import LeaseKeeper
from services.selling.publishing.processor import MarketplaceJobProcessor
from services.selling.publishing.requesting import WorkRequests
from services.selling.publishing.steering import JobBeingChecked, JobSteering
from shared.clock import MovableClock
from shared.database import Database, TenantSchema
from tests.factories.selling import make_job, make_product
from tests.fakes.channels import OpinionatedChannel
from tests.fakes.shelf import CHANNEL, Shelf, ShelfPublish


def ask(
    database: Database, shop: TenantSchema, clock: MovableClock, product_id: int
) -> MarketplaceJob:
    requests = WorkRequests({CHANNEL: OpinionatedChannel()}, clock)
    with database.tenant(shop) as session:
        asked = requests.request(session, JobAction.PUBLISH, [product_id], [CHANNEL], 1)
        job = JobRepository(session).get(asked.items[0].job_id or 0)
    assert job is not None
    return job


@pytest.mark.parametrize("there", [True, False])
def test_after_an_unknown_end_a_new_job_looks_before_it_creates(
    database: Database, tenant: TenantSchema, clock: MovableClock, there: bool
) -> None:
    """B1, B2, B4: and cannot be cancelled before it has looked."""
    shelf = Shelf()
    with database.tenant(tenant) as session:
        product = make_product(session, clock)
        changes = {"status": JobStatus.DONE, "outcome": JobOutcome.UNKNOWN, "channel": CHANNEL}
        make_job(session, clock, product_id=product.id, **changes)
    if there:
        shelf.put(product.variants[0].channel_key, 2500, 3)
    job = ask(database, tenant, clock, product.id)
    assert job.outcome is JobOutcome.UNKNOWN
    with pytest.raises(JobBeingChecked), database.tenant(tenant) as session:
        JobSteering(clock).cancel(session, job.id)
    handlers = {(CHANNEL, JobAction.PUBLISH): ShelfPublish(shelf, clock)}
    leases = LeaseKeeper(database, clock, timedelta(seconds=60))
    done = MarketplaceJobProcessor(database, handlers, leases, clock, "worker-1")
    processed = done.process_next_job(Lane.BULK)
    assert processed is not None
    assert processed.outcome is JobOutcome.OK
    assert [len(things) for things in shelf.things.values()] == [1]


@pytest.mark.parametrize("outcome", [JobOutcome.OK, JobOutcome.REJECTED, JobOutcome.BLOCKED])
def test_only_the_last_end_counts(
    database: Database, tenant: TenantSchema, clock: MovableClock, outcome: JobOutcome
) -> None:
    """B4: what was settled since is known."""
    with database.tenant(tenant) as session:
        product_id = make_product(session, clock).id
        changes = {"status": JobStatus.DONE, "channel": CHANNEL, "product_id": product_id}
        make_job(session, clock, **changes, outcome=JobOutcome.UNKNOWN)
        make_job(session, clock, **changes, outcome=outcome)
    assert ask(database, tenant, clock, product_id).outcome is None
