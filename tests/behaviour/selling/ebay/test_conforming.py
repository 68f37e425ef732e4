"""The conformance suite of handlers on eBay: the sandbox, over real HTTP."""

from dataclasses import dataclass
from itertools import cycle

import pytest

from models.selling.publishing import Channel, JobAction
from repositories.selling.catalog import ProductRepository
from services.selling.publishing.handlers import AnyHandler
from shared.clock import MovableClock
from shared.database import Database, TenantSchema
from shared.money import Money
from tests.behaviour.selling.ebay.conftest import Shop
from tests.contracts.handler_conformance import WAIT_SECONDS, HandlerConformance, Shown

_shades = cycle(range(0, 256, 8))


@dataclass
class EbaySubject:
    """A connected shop and the sandbox."""

    shop: Shop
    channel: Channel = Channel.EBAY

    @property
    def handler(self) -> AnyHandler:
        return self.shop.handlers[Channel.EBAY, JobAction.PUBLISH]

    @property
    def database(self) -> Database:
        return self.shop.container.database

    @property
    def tenant(self) -> TenantSchema:
        return self.shop.tenant

    @property
    def clock(self) -> MovableClock:
        return self.shop.clock

    def product(self) -> int:
        """With a photo of its own: one that eBay has already is not uploaded again."""
        return self.shop.shirt(colors=((next(_shades), 40, 160),))

    def refused_product(self) -> int:
        """eBay asks for item specifics that our copy of its rules does not know."""
        with self.database.platform() as session:
            session.connection().exec_driver_sql(
                "UPDATE product_attributes.ebay_category_aspects SET required = false"
            )
        product_id = self.shop.shirt()
        self.shop.change(product_id, lambda product: setattr(product, "attributes", {}))
        return product_id

    def expected(self, product_id: int) -> tuple[int, int]:
        with self.database.tenant(self.tenant) as session:
            [product] = ProductRepository(session).by_ids([product_id])
            return product.variants[0].price_minor, product.variants[0].quantity

    def shown(self, product_id: int) -> list[Shown]:
        with self.database.tenant(self.tenant) as session:
            [product] = ProductRepository(session).by_ids([product_id])
            skus = {variant.channel_key for variant in product.variants}
        return [
            Shown(
                row["listing_id"], Money.parse(row["price"], row["currency"]).minor, row["quantity"]
            )
            for row in self.shop.live()
            if row["sku"] in skus
        ]

    def calls(self) -> int:
        return sum(self.shop.calls().values())

    def lose_the_answer(self) -> None:
        self.shop.lose_an_answer("publishOffer")

    def kill_the_tokens(self) -> None:
        self.shop.ebay.control("sellers/TESTUSER_alice/revoke")

    def limit_the_rate(self) -> None:
        self.shop.spoil("createOffer", "http_429", retry_after_s=WAIT_SECONDS)


class TestEbayHandlers(HandlerConformance):
    """The second passenger."""

    @pytest.fixture
    def subject(self, shop: Shop) -> EbaySubject:
        return EbaySubject(shop)
