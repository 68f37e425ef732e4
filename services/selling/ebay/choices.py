"""What a seller decides for eBay alone: a category of eBay's own, further item specifics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.selling.ebay import EbayProductChoice
from repositories.selling.catalog import ProductRepository
from repositories.selling.ebay import EbayChoiceRepository
from services.gateways.ebay.gateway import EbayGateway
from services.gateways.ebay.marketplaces import Marketplace
from services.gateways.ebay.taxonomy import CategorySuggestion
from services.reference.marketplace_mappings.ebay_refresh import EbayRefresh
from services.selling.catalog.products import ProductNotFound
from services.selling.ebay.preflight import EbayPreflight, Examined
from shared.clock import Clock
from shared.database import Database, TenantSchema, TenantSession
from shared.errors import BadInput, FieldProblem


class EbayChoiceInvalid(BadInput):
    """The choice cannot be stored like this."""

    code, title = "ebay-choice-invalid", "eBay does not accept this choice"


@dataclass(frozen=True, slots=True)
class EbayProductView:
    """A product as it would go to eBay, and what the seller chose for it."""

    choice: EbayProductChoice | None
    examined: Examined


class EbayChoices:
    """Reads and sets choices. A new category is asked about at eBay, outside of transactions."""

    def __init__(
        self, database: Database, gateway: EbayGateway, preflight: EbayPreflight, clock: Clock
    ) -> None:
        self._database = database
        self._gateway = gateway
        self._preflight = preflight
        self._clock = clock

    def view(self, session: TenantSession, product_id: int) -> EbayProductView:
        """The product as preflight sees it. Raises `ProductNotFound`."""
        examined = self._preflight.examine(session, [product_id]).get(product_id)
        if examined is None:
            raise ProductNotFound
        site = self._preflight.site(session)
        choice = EbayChoiceRepository(session).by_products([product_id], site.id).get(product_id)
        return EbayProductView(choice, examined)

    def set(
        self,
        tenant: TenantSchema,
        product_id: int,
        category_id: str | None,
        aspects: Mapping[str, Sequence[str]],
    ) -> EbayProductView:
        """Replace the choice. Raises `ProductNotFound`, `EbayChoiceInvalid`, gateway errors."""
        with self._database.tenant(tenant) as session:
            if ProductRepository(session).version_of(product_id) is None:
                raise ProductNotFound
            site = self._preflight.site(session)
        if category_id is not None:
            self._learn(site, category_id)
        with self._database.tenant(tenant) as session:
            if ProductRepository(session).locked(product_id) is None:
                raise ProductNotFound
            stored = {name: list(values) for name, values in aspects.items()}
            EbayChoiceRepository(session).put(product_id, site.id, category_id, stored)
            return self.view(session, product_id)

    def suggestions(self, tenant: TenantSchema, words: str) -> Sequence[CategorySuggestion]:
        """Categories of the shop's site for these words, likeliest first. Raises gateway errors."""
        with self._database.tenant(tenant) as session:
            site = self._preflight.site(session)
        return self._gateway.public_on(site).taxonomy.suggestions(words)

    def _learn(self, site: Marketplace, category_id: str) -> None:
        questions = self._gateway.public_on(site)
        refresh = EbayRefresh(self._database.platform, questions, self._clock)
        refused = refresh.run([category_id]).refused
        if refused:
            problem = FieldProblem("category_id", refused[category_id], "category-not-accepted")
            raise EbayChoiceInvalid(refused[category_id], fields=[problem])
