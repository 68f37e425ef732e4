"""The conformance suite on the smallest channel there is."""

from dataclasses import dataclass, field

import pytest

from models.selling.publishing import Channel
from repositories.selling.catalog import ProductRepository
from services.selling.publishing.handlers import AnyHandler
from shared.clock import MovableClock
from shared.database import Database, TenantSchema
from shared.errors import FieldProblem, MarketplaceError, Remedy
from tests.contracts.handler_conformance import WAIT_SECONDS, HandlerConformance, Shown
from tests.factories.selling import make_product
from tests.fakes.shelf import CHANNEL, Shelf, ShelfPublish


@dataclass
class ShelfSubject:
    """A shelf that does as it is told."""

    database: Database
    tenant: TenantSchema
    clock: MovableClock
    shelf: Shelf = field(default_factory=Shelf)
    channel: Channel = CHANNEL

    @property
    def handler(self) -> AnyHandler:
        return ShelfPublish(self.shelf, self.clock)

    def product(self) -> int:
        with self.database.tenant(self.tenant) as session:
            return make_product(session, self.clock).id

    def refused_product(self) -> int:
        fields = [FieldProblem("title", "Too shrill.")]
        self.shelf.next_answers.append(
            MarketplaceError("No.", remedy=Remedy.FIX_DATA, fields=fields)
        )
        return self.product()

    def expected(self, product_id: int) -> tuple[int, int]:
        with self.database.tenant(self.tenant) as session:
            [product] = ProductRepository(session).by_ids([product_id])
            return product.variants[0].price_minor, product.variants[0].quantity

    def shown(self, product_id: int) -> list[Shown]:
        with self.database.tenant(self.tenant) as session:
            [product] = ProductRepository(session).by_ids([product_id])
            things = self.shelf.things.get(product.variants[0].channel_key, [])
        return [Shown(each["listing_id"], each["price"], each["quantity"]) for each in things]

    def calls(self) -> int:
        return self.shelf.calls

    def lose_the_answer(self) -> None:
        self.shelf.lose_next = True

    def kill_the_tokens(self) -> None:
        self.shelf.next_answers.append(MarketplaceError("Connect again.", remedy=Remedy.RECONNECT))

    def limit_the_rate(self) -> None:
        self.shelf.next_answers.append(MarketplaceError("Later.", retry_after=WAIT_SECONDS))


class TestShelfHandlers(HandlerConformance):
    """The fake channel."""

    @pytest.fixture
    def subject(
        self, database: Database, tenant: TenantSchema, clock: MovableClock
    ) -> ShelfSubject:
        return ShelfSubject(database, tenant, clock)
