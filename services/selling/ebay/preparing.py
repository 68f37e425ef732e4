"""From a job to a draft: the part of `prepare` that publish and update have in common."""

from dataclasses import dataclass

from models.selling.publishing import Channel, JobOutcome, MarketplaceJob
from repositories.selling.ebay import EbayConnectionRepository
from services.gateways.ebay.marketplaces import Marketplace
from services.reference.marketplace_mappings.ebay_refresh import EbayRefresh
from services.selling.ebay.desk import EbayWorkshop
from services.selling.ebay.drafts import ListingDraft
from services.selling.ebay.preflight import EbayPreflight
from services.selling.publishing.handlers import Cancel, Problem, Snooze
from services.selling.publishing.preparing import not_ready, product_of
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
        return not_ready(Channel.EBAY, examined.gaps)
    if examined.category_to_learn is not None:
        return LearnCategory(preflight.site(session), examined.category_to_learn)
    assert examined.draft is not None
    return examined.draft


def shut_out(session: TenantSession) -> Cancel | None:
    """Why eBay does not let us in; None when it does, as far as we know."""
    connection = EbayConnectionRepository(session).get()
    if connection is not None and connection.connected:
        return None
    problem = Problem("ebay-not-connected", "Connect the eBay account first.")
    return Cancel(problem, JobOutcome.BLOCKED)


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
