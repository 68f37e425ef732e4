"""Every handler gets a job that names the other shop's things; a new handler is in it by itself.

The other shop is connected to eBay with an account of its own and has a live listing there.
"""

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from models.base import TenantBase
from models.selling.publishing import Channel, JobAction, JobBatch, JobOutcome, JobStatus
from shared.database import TenantSchema
from tests.behaviour.selling.ebay.conftest import CHANNEL, Shop, connect
from tests.factories.selling import make_job
from tests.serving import Seller

OTHERS_PRODUCT = 3
"""Its number in the other shop; this shop has fewer products."""


@dataclass(frozen=True)
class Other:
    """The other shop's things."""

    tenant: TenantSchema
    listing_id: str
    job_id: int
    batch_id: int

    def payload(self) -> dict[str, Any]:
        """Every id of it under every name that somebody may think of."""
        ids = {
            "tenant_id": self.tenant.tenant_id,
            "tenant": self.tenant.name,
            "product_id": OTHERS_PRODUCT,
            "job_id": self.job_id,
            "batch_id": self.batch_id,
            "listing_id": self.listing_id,
        }
        return {**ids, **{f"{name}s": [value] for name, value in ids.items()}, "nested": ids}


def handled(shop: Shop) -> list[tuple[Channel, JobAction]]:
    return sorted(shop.handlers)


@pytest.fixture
def other(shop: Shop, other_seller: Seller) -> Other:
    """A connected shop that published its third product."""
    assert connect(other_seller, shop.ebay, "bob").status_code == 200
    place = {"country": "US", "postal_code": "94103"}
    assert other_seller.http.put(f"{CHANNEL}/location", json=place).json()["ready"]
    theirs = Shop(
        shop.container, shop.ebay, other_seller.tenant, shop.clock, shop.processor, shop.handlers
    )
    products = [theirs.shirt() for _ in range(OTHERS_PRODUCT)]
    assert products[-1] == OTHERS_PRODUCT
    with shop.container.database.tenant(theirs.tenant) as session:
        batch = JobBatch(
            action=JobAction.PUBLISH,
            requested_by=theirs.tenant.tenant_id,
            created_at=shop.clock.now(),
        )
        session.add(batch)
        session.flush()
        batch_id = batch.id
    job = theirs.run(OTHERS_PRODUCT)
    assert job.outcome is JobOutcome.OK, job.problem_detail
    listing = theirs.listing(OTHERS_PRODUCT)
    assert listing is not None
    return Other(theirs.tenant, listing.listing_id, job.id, batch_id)


def everything(shop: Shop, other: Other) -> dict[str, Any]:
    """Every row of the other shop, its rows in shared tables, its listing on eBay, its files."""
    with shop.container.database.tenant(other.tenant) as session:
        rows = {
            table: sorted(str(row) for row in session.execute(text(f'SELECT * FROM "{table}"')))
            for table in TenantBase.metadata.tables
        }
        bells = session.execute(text("SELECT * FROM public.tenant_bells")).all()
    folder = shop.container.settings.data_dir
    files = sorted(str(path) for path in folder.rglob(f"tenants/{other.tenant.tenant_id}/**/*"))
    live = [row for row in shop.ebay.ledger() if str(row["listing_id"]) == other.listing_id]
    assert live
    return {**rows, "bells": [str(bell) for bell in bells], "files": files, "live": live}


def make(shop: Shop, action: JobAction, channel: Channel, **columns: Any) -> int:
    with shop.container.database.tenant(shop.tenant) as session:
        return make_job(session, shop.clock, channel=channel, action=action, **columns).id


def test_the_table_of_handlers_has_something_in_it(shop: Shop) -> None:
    """Or the tests below would show nothing."""
    assert (Channel.EBAY, JobAction.PUBLISH) in handled(shop)


def test_a_job_cannot_be_made_of_the_other_shops_product_or_batch(shop: Shop, other: Other) -> None:
    """ST14: the keys lead to the shop's own tables."""
    before = everything(shop, other)
    own = shop.shirt()
    for channel, action in handled(shop):
        for ids in (
            {"product_id": OTHERS_PRODUCT},
            {"product_id": own, "batch_id": other.batch_id},
        ):
            with pytest.raises(IntegrityError):
                make(shop, action, channel, payload=other.payload(), **ids)
    assert everything(shop, other) == before


def test_a_job_that_names_the_other_shops_things_touches_nothing_of_it(
    shop: Shop, other: Other
) -> None:
    """ST14, F9: each handler, with an own product of another number and without any."""
    before = everything(shop, other)
    for channel, action in handled(shop):
        for product_id in (shop.shirt(), None):
            job_id = make(shop, action, channel, product_id=product_id, payload=other.payload())
            job = shop.finish(job_id)
            assert job.status is JobStatus.DONE, (channel, action, product_id)
            assert job.outcome is not None
            assert job.outcome is JobOutcome.OK or job.problem_code, (channel, action)
            assert other.listing_id not in str((job.result, job.progress)), (channel, action)
            assert everything(shop, other) == before, (channel, action, product_id)
