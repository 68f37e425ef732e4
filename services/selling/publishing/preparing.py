"""What `prepare` of every channel's handlers has in common."""

from models.selling.publishing import Channel, JobOutcome, MarketplaceJob
from services.selling.publishing.handlers import Cancel, Problem
from shared.errors import FieldProblem


def product_of(job: MarketplaceJob) -> int:
    """The product the job is about; jobs that publish, update, end or find a listing have one."""
    assert job.product_id is not None
    return job.product_id


def not_ready(channel: Channel, gaps: tuple[FieldProblem, ...]) -> Cancel:
    """What is missing; what the account lacks comes first."""
    account = [gap for gap in gaps if gap.field.partition(".")[0] == "account"]
    first = (account or list(gaps))[0]
    more = f" And {len(gaps) - 1} more." if len(gaps) > 1 else ""
    outcome = JobOutcome.BLOCKED if account else JobOutcome.REJECTED
    return Cancel(Problem(f"not-ready-for-{channel}", f"{first.message}{more}", gaps), outcome)
