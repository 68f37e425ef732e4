"""What a seller decides for Etsy alone: its category, who made the thing and when."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.selling.etsy import EtsyProductChoice
from repositories.selling.catalog import ProductRepository
from repositories.selling.etsy import EtsyAccountRepository, EtsyChoiceRepository
from services.gateways.etsy.gateway import EtsyGateway
from services.gateways.etsy.shop import EtsyShopClient, TaxonomyNode, TaxonomyProperty
from services.selling.catalog.products import ProductNotFound
from services.selling.etsy.access import EtsyAccess
from services.selling.etsy.account import EtsyNotConnected
from services.selling.etsy.preflight import EtsyPreflight, Examined
from shared.database import Database, TenantSchema, TenantSession
from shared.text import fold

MOST_SUGGESTIONS = 20

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class EtsyProductView:
    """A product as it would go to Etsy, and what the seller chose for it."""

    choice: EtsyProductChoice | None
    examined: Examined


class EtsyChoices:
    """Reads and sets choices; looks categories up at Etsy, outside of transactions."""

    def __init__(
        self,
        database: Database,
        gateway: EtsyGateway,
        access: EtsyAccess,
        preflight: EtsyPreflight,
    ) -> None:
        self._database = database
        self._gateway = gateway
        self._access = access
        self._preflight = preflight

    def view(self, session: TenantSession, product_id: int) -> EtsyProductView:
        """The product as preflight sees it. Raises `ProductNotFound`."""
        examined = self._preflight.examine(session, [product_id]).get(product_id)
        if examined is None:
            raise ProductNotFound
        choice = EtsyChoiceRepository(session).by_products([product_id]).get(product_id)
        return EtsyProductView(choice, examined)

    def set(
        self, session: TenantSession, product_id: int, values: Mapping[str, Any]
    ) -> EtsyProductView:
        """Replace the choice. Raises `ProductNotFound`. Etsy itself says whether it takes it."""
        if ProductRepository(session).get(product_id) is None:
            raise ProductNotFound
        EtsyChoiceRepository(session).put(product_id, values)
        return self.view(session, product_id)

    def suggestions(self, tenant: TenantSchema, words: str) -> Sequence[TaxonomyNode]:
        """Etsy's categories that share most words with these, the most special first.

        Raises `EtsyNotConnected` and what the gateway raises: Etsy is asked for its whole tree.
        """
        wanted = _words_of(words)
        found = [
            (len(wanted & _words_of(" ".join(node.path))), len(node.path), node)
            for node in self._client(tenant).taxonomy()
            if node.is_leaf
        ]
        best = sorted((each for each in found if each[0]), key=lambda each: (-each[0], -each[1]))
        return [node for _, _, node in best[:MOST_SUGGESTIONS]]

    def properties(self, tenant: TenantSchema, taxonomy_id: int) -> Sequence[TaxonomyProperty]:
        """What can be said in a category. Raises as `suggestions`."""
        return self._client(tenant).properties(taxonomy_id)

    def _client(self, tenant: TenantSchema) -> EtsyShopClient:
        with self._database.tenant(tenant) as session:
            account = EtsyAccountRepository(session).get()
        if account is None or not account.connected:
            raise EtsyNotConnected("Connect the Etsy account first.")
        return self._gateway.account(self._access.tokens_of(tenant))


def _words_of(text: str) -> set[str]:
    return {word.removesuffix("s") for word in _WORD.findall(fold(text))}
