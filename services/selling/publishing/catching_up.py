"""What was sold while its listing was on the way: the sale could not end what was not there yet."""

from collections.abc import Mapping

import structlog

from models.selling.publishing import JobAction, MarketplaceJob
from repositories.selling.catalog import ProductRepository
from services.selling.publishing.requesting import WorkRequests
from shared.database import TenantSession
from shared.errors import BadInput

log = structlog.get_logger(__name__)

FIRST = 0
"""Priority before everything that sellers ask for."""


def is_newer(session: TenantSession, product_id: int, sent_version: int) -> bool:
    """Whether the product was changed after it was sent. Nobody changes it until the commit."""
    product = ProductRepository(session).held(product_id)
    return product is not None and product.version > sent_version


def catch_up(
    session: TenantSession,
    requests: WorkRequests,
    job: MarketplaceJob,
    sent: Mapping[str, int],
) -> None:
    """After the listing is in the books: end it when all is sold, send anew what is left.

    `sent` is the quantity by channel key. The job's own lane is used, whose bell the transaction
    holds: to want the other one now would be to wait in a circle.
    """
    assert job.product_id is not None
    product = ProductRepository(session).held(job.product_id)
    if product is None:
        return
    left = {variant.channel_key: variant.quantity for variant in product.variants}
    if all(left.get(key, 0) >= units for key, units in sent.items()):
        return
    action = JobAction.UPDATE if product.quantity else JobAction.DELETE
    try:
        requests.request(
            session,
            action,
            [job.product_id],
            [job.channel],
            job.requested_by,
            lane=job.lane,
            priority=FIRST,
        )
    except BadInput as refused:
        log.warning("job.not_caught_up", product_id=job.product_id, because=refused.code)
