"""From a job to a draft: the part of `prepare` that publish and update have in common."""

from dataclasses import dataclass

from models.selling.publishing import JobOutcome, MarketplaceJob
from services.gateways.ebay.marketplaces import Marketplace
from services.reference.marketplace_mappings.ebay_refresh import EbayRefresh
from services.selling.ebay.desk import EbayWorkshop
from services.selling.ebay.drafts import ListingDraft
from services.selling.ebay.preflight import EbayPreflight
from services.selling.publishing.handlers import Cancel, Problem, Snooze
from shared.clock import Clock
from shared.database import TenantSession
from shared.errors import EbayError, FieldProblem, Remedy


@dataclass(frozen=True, slots=True)
class LearnCategory:
    """The command to ask eBay what it wants to know in a category, before anything else."""

    site: Marketplace
    category_id: str


@dataclass(frozen=True, slots=True)
class Learned:
    """eBay has been asked."""

    category_id: str


def draft_for(
    preflight: EbayPreflight, session: TenantSession, job: MarketplaceJob
) -> ListingDraft | LearnCategory | Cancel:
    """The draft of the job's product, or what has to happen first, or why it cannot be."""
    product_id = product_of(job)
    examined = preflight.examine(session, [product_id]).get(product_id)
    if examined is None:
        return Cancel(Problem("product-gone", "The product is no longer there."))
    if examined.gaps:
        return _cancelled(examined.gaps)
    if examined.category_to_learn is not None:
        return LearnCategory(preflight.site(session), examined.category_to_learn)
    assert examined.draft is not None
    return examined.draft


def product_of(job: MarketplaceJob) -> int:
    """The product the job is about; every job of this room has one."""
    assert job.product_id is not None
    return job.product_id


def learn(shop: EbayWorkshop, command: LearnCategory) -> Learned:
    """Ask eBay about a category and keep the answer. Raises what the gateway raises."""
    refresh = EbayRefresh(shop.database.platform, shop.gateway.public_on(command.site), shop.clock)
    report = refresh.run([command.category_id])
    if report.refused:
        message = "eBay does not list in this category; choose another one."
        raise EbayError(
            message,
            remedy=Remedy.FIX_DATA,
            fields=[FieldProblem("category", message, "category-not-accepted")],
        )
    return Learned(command.category_id)


def go_on(clock: Clock) -> Snooze:
    """The verdict after learning: the same job again, at once, at no cost."""
    return Snooze(clock.now(), "what eBay asks for in this category")


def _cancelled(gaps: tuple[FieldProblem, ...]) -> Cancel:
    account = [gap for gap in gaps if gap.field.partition(".")[0] == "account"]
    first = (account or list(gaps))[0]
    more = f" And {len(gaps) - 1} more." if len(gaps) > 1 else ""
    outcome = JobOutcome.BLOCKED if account else JobOutcome.REJECTED
    return Cancel(Problem("not-ready-for-ebay", f"{first.message}{more}", gaps), outcome)
