"""From a job to a draft: the part of `prepare` that publish and update have in common."""

from models.selling.etsy import EtsyAccountStatus
from models.selling.publishing import JobOutcome, MarketplaceJob
from repositories.selling.etsy import EtsyAccountRepository
from services.selling.etsy.drafts import ListingDraft
from services.selling.etsy.preflight import EtsyPreflight
from services.selling.etsy.readiness import account_gaps
from services.selling.publishing.handlers import Cancel, Problem
from shared.database import TenantSession
from shared.errors import FieldProblem


def draft_for(
    preflight: EtsyPreflight, session: TenantSession, job: MarketplaceJob
) -> ListingDraft | Cancel:
    """The draft of the job's product, or why it cannot be."""
    product_id = product_of(job)
    examined = preflight.examine(session, [product_id]).get(product_id)
    if examined is None:
        return Cancel(Problem("product-gone", "The product is no longer there."))
    if examined.gaps:
        return _cancelled(examined.gaps)
    assert examined.draft is not None
    return examined.draft


def product_of(job: MarketplaceJob) -> int:
    """The product the job is about; every job of this room has one."""
    assert job.product_id is not None
    return job.product_id


def shop_at_etsy(session: TenantSession) -> int | Cancel:
    """Etsy's number of the shop, or why Etsy does not let us in."""
    account = EtsyAccountRepository(session).get()
    if account is None or account.status is not EtsyAccountStatus.CONNECTED:
        return blocked(tuple(account_gaps(account)))
    return account.remote_shop_id


def blocked(gaps: tuple[FieldProblem, ...]) -> Cancel:
    """The account must be mended first."""
    return Cancel(Problem("not-ready-for-etsy", gaps[0].message, gaps), JobOutcome.BLOCKED)


def _cancelled(gaps: tuple[FieldProblem, ...]) -> Cancel:
    account = [gap for gap in gaps if gap.field.partition(".")[0] == "account"]
    first = (account or list(gaps))[0]
    more = f" And {len(gaps) - 1} more." if len(gaps) > 1 else ""
    outcome = JobOutcome.BLOCKED if account else JobOutcome.REJECTED
    return Cancel(Problem("not-ready-for-etsy", f"{first.message}{more}", gaps), outcome)
