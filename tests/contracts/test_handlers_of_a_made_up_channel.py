"""The conformance suite on the smallest channel there is."""

from dataclasses import dataclass, field

import pytest

from models.selling.publishing import Channel, JobAction
from repositories.selling.catalog import ProductRepository
from services.selling.publishing.attempting import HandlerTable
from shared.clock import MovableClock
from shared.database import Database, TenantSchema
from shared.errors import FieldProblem, MarketplaceError, Remedy
from tests.contracts.action_conformance import (
    DeleteConformance,
    LinkConformance,
    PublishConformance,
    UpdateConformance,
)
from tests.contracts.handler_conformance import WAIT_SECONDS, Shown
from tests.factories.selling import make_product
from tests.fakes.shelf import CHANNEL, Shelf, shelf_handlers


@dataclass
class ShelfSubject:
    """A shelf that does as it is told."""

    database: Database
    tenant: TenantSchema
    clock: MovableClock
    shelf: Shelf = field(default_factory=Shelf)
    channel: Channel = CHANNEL

    @property
    def handlers(self) -> HandlerTable:
        return shelf_handlers(self.shelf, self.clock)

    def product(self) -> int:
        with self.database.tenant(self.tenant) as session:
            return make_product(session, self.clock).id

    def refused_product(self) -> int:
        self._refuse_the_next()
        return self.product()

    def revise(self, product_id: int) -> None:
        with self.database.tenant(self.tenant) as session:
            product = ProductRepository(session).locked(product_id)
            assert product is not None
            product.variants[0].price_minor += 100
            product.variants[0].quantity += 1
            product.version += 1

    def revise_wrongly(self, product_id: int) -> None:
        self.revise(product_id)
        self._refuse_the_next()

    def _refuse_the_next(self) -> None:
        fields = [FieldProblem("title", "Too shrill.")]
        self.shelf.next_answers.append(
            MarketplaceError("No.", remedy=Remedy.FIX_DATA, fields=fields)
        )

    def expected(self, product_id: int) -> tuple[int, int]:
        with self.database.tenant(self.tenant) as session:
            [product] = ProductRepository(session).by_ids([product_id])
            return product.variants[0].price_minor, product.variants[0].quantity

    def shown(self, product_id: int) -> list[Shown]:
        things = self.shelf.things.get(self._sku(product_id), [])
        return [Shown(each["listing_id"], each["price"], each["quantity"]) for each in things]

    def calls(self) -> int:
        return self.shelf.calls

    def lose_the_answer(self, action: JobAction) -> None:
        if action is JobAction.LINK:
            self.shelf.next_answers.append(MarketplaceError("Nobody answers."))
        else:
            self.shelf.lose_next = True

    def kill_the_tokens(self) -> None:
        self.shelf.next_answers.append(MarketplaceError("Connect again.", remedy=Remedy.RECONNECT))

    def limit_the_rate(self, action: JobAction) -> None:
        self.shelf.next_answers.append(MarketplaceError("Later.", retry_after=WAIT_SECONDS))

    def end_outside(self, product_id: int) -> None:
        del self.shelf.things[self._sku(product_id)]

    def only_say_it_has_ended(self) -> None:
        self.shelf.only_say_so = True

    def _sku(self, product_id: int) -> str:
        with self.database.tenant(self.tenant) as session:
            [product] = ProductRepository(session).by_ids([product_id])
            return product.variants[0].channel_key


@pytest.fixture
def subject(database: Database, tenant: TenantSchema, clock: MovableClock) -> ShelfSubject:
    return ShelfSubject(database, tenant, clock)


class TestPublishing(PublishConformance):
    channel = CHANNEL


class TestUpdating(UpdateConformance):
    channel = CHANNEL


class TestEnding(DeleteConformance):
    channel = CHANNEL


class TestLinking(LinkConformance):
    channel = CHANNEL
