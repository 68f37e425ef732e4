"""On which of eBay's sites a shop sells: its account says so, else the installation."""

from models.selling.ebay import EbayConnection
from repositories.selling.ebay import EbayConnectionRepository
from services.gateways.ebay.marketplaces import SITES, Marketplace
from shared.database import TenantSession
from shared.errors import BadInput, Conflict, FieldProblem


class EbaySiteUnknown(BadInput):
    """There is no such site, or none that we know the language and currency of."""

    code, title = "ebay-site-unknown", "There is no such eBay site"


class EbaySiteInUse(Conflict):
    """Something is listed on the site that the account would leave."""

    code, title = "ebay-site-in-use", "Products are listed on the present eBay site"


def site_of(connection: EbayConnection | None, default: Marketplace) -> Marketplace:
    """The site of an account."""
    return default if connection is None else SITES.get(connection.marketplace_id, default)


def site_in(session: TenantSession, default: Marketplace) -> Marketplace:
    """The site of the shop that the session is bound to."""
    return site_of(EbayConnectionRepository(session).get(), default)


def site_wanted(marketplace_id: str) -> Marketplace:
    """The site that a seller asks for. Raises `EbaySiteUnknown`."""
    found = SITES.get(marketplace_id)
    if found is None:
        message = f"Choose one of {', '.join(SITES)}."
        problem = FieldProblem("marketplace_id", message, "unknown")
        raise EbaySiteUnknown(message, fields=[problem])
    return found


def refuse_while_listed(session: TenantSession, present: Marketplace, wanted: Marketplace) -> None:
    """Raise `EbaySiteInUse` when leaving a site would leave listings behind."""
    if wanted != present and EbayConnectionRepository(session).has_live_listings():
        raise EbaySiteInUse(
            f"Products are listed on {present.id}. End those listings, then choose {wanted.id} "
            "and publish again."
        )
