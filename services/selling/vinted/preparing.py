"""From a job to a draft: the part of `prepare` that handlers of this room have in common."""

from models.selling.publishing import Channel, JobOutcome, MarketplaceJob
from repositories.selling.vinted import VintedAccountRepository
from services.selling.publishing.handlers import Cancel, Problem
from services.selling.publishing.preparing import not_ready, product_of
from services.selling.vinted.desk import JobKey
from services.selling.vinted.drafts import ListingDraft
from services.selling.vinted.preflight import VintedPreflight
from services.selling.vinted.rules import account_gaps
from shared.database import TenantSession


def key_of(session: TenantSession, job: MarketplaceJob) -> JobKey | Cancel:
    """Whose job it is, or why nothing can be asked of Vinted."""
    account = VintedAccountRepository(session).get()
    gaps = tuple(account_gaps(account))
    if account is None or account.remote_user_id is None:
        return Cancel(Problem("not-ready-for-vinted", gaps[0].message, gaps), JobOutcome.BLOCKED)
    in_doubt = job.outcome is JobOutcome.UNKNOWN
    return JobKey(session.tenant, job.id, account.remote_user_id, in_doubt)


def draft_for(
    preflight: VintedPreflight, session: TenantSession, job: MarketplaceJob
) -> ListingDraft | Cancel:
    """The draft of the job's product, or why it cannot be."""
    product_id = product_of(job)
    examined = preflight.examine(session, [product_id]).get(product_id)
    if examined is None:
        return Cancel(Problem("product-gone", "The product is no longer there."))
    if examined.gaps:
        return not_ready(Channel.VINTED, examined.gaps)
    assert examined.draft is not None
    return examined.draft
