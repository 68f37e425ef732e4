"""From a job to a draft: the part of `prepare` that publish and update have in common."""

from models.selling.publishing import Channel, JobOutcome, MarketplaceJob
from repositories.selling.etsy import EtsyAccountRepository
from services.selling.etsy.drafts import ListingDraft
from services.selling.etsy.preflight import EtsyPreflight
from services.selling.etsy.readiness import account_gaps
from services.selling.publishing.handlers import Cancel, Problem
from services.selling.publishing.preparing import not_ready, product_of
from shared.database import TenantSession


def draft_for(
    preflight: EtsyPreflight, session: TenantSession, job: MarketplaceJob
) -> ListingDraft | Cancel:
    """The draft of the job's product, or why it cannot be."""
    product_id = product_of(job)
    examined = preflight.examine(session, [product_id]).get(product_id)
    if examined is None:
        return Cancel(Problem("product-gone", "The product is no longer there."))
    if examined.gaps:
        return not_ready(Channel.ETSY, examined.gaps)
    assert examined.draft is not None
    return examined.draft


def shop_at_etsy(session: TenantSession) -> int | Cancel:
    """Etsy's number of the shop, or why Etsy does not let us in."""
    account = EtsyAccountRepository(session).get()
    if account is None or not account.connected:
        gaps = tuple(account_gaps(account))
        return Cancel(Problem("not-ready-for-etsy", gaps[0].message, gaps), JobOutcome.BLOCKED)
    return account.remote_shop_id
