"""Products and jobs."""

from itertools import count
from typing import Any

from models.accounts.tenants import Lane
from models.selling.catalog import Product, ProductStatus, ProductVariant
from models.selling.publishing import Channel, JobAction, JobStatus, MarketplaceJob
from repositories.accounts.bells import BellRepository
from shared.clock import Clock
from shared.database import TenantSession
from shared.ids import new_channel_key

_numbers = count(1)


def make_product(session: TenantSession, clock: Clock, **changes: Any) -> Product:
    """A product with one variant; `changes` are columns of the product."""
    number = next(_numbers)
    columns: dict[str, Any] = {
        "handle": f"product-{number}",
        "title": f"Blue shirt {number}",
        "description": "A shirt.",
        "status": ProductStatus.ACTIVE,
        "attributes": {},
        "tags": [],
        "option_names": [],
        "currency": "USD",
        "version": 1,
        "created_at": clock.now(),
        "updated_at": clock.now(),
        **changes,
    }
    product = Product(**columns)
    product.variants = [
        ProductVariant(
            position=1,
            sku=f"SKU-{number}",
            option_values=[],
            price_minor=2500,
            quantity=3,
            channel_key=new_channel_key(),
        )
    ]
    session.add(product)
    session.flush()
    return product


def make_job(session: TenantSession, clock: Clock, **changes: Any) -> MarketplaceJob:
    """A pending job with its bell rung; `changes` are its columns."""
    columns: dict[str, Any] = {
        "channel": Channel.EBAY,
        "action": JobAction.PUBLISH,
        "lane": Lane.BULK,
        "priority": 100,
        "status": JobStatus.PENDING,
        "due_at": clock.now(),
        "attempts": 0,
        "max_attempts": 8,
        "problem_fields": [],
        "payload": {},
        "progress": {},
        "requested_by": 1,
        "created_at": clock.now(),
        **changes,
    }
    if "product_id" not in columns:
        columns["product_id"] = make_product(session, clock).id
    BellRepository(session).ring(session.tenant, columns["lane"], columns["due_at"])
    job = MarketplaceJob(**columns)
    session.add(job)
    session.flush()
    return job
