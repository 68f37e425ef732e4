"""The conformance suite of handlers on Etsy: the sandbox, over real HTTP."""

from dataclasses import dataclass
from itertools import cycle

import pytest

from models.selling.publishing import Channel, JobAction
from repositories.selling.catalog import ProductRepository
from services.selling.publishing.handlers import AnyHandler
from shared.clock import MovableClock
from shared.database import Database, TenantSchema
from tests.behaviour.selling.etsy.conftest import Shop
from tests.contracts.handler_conformance import WAIT_SECONDS, HandlerConformance, Shown

_shades = cycle(range(0, 256, 8))


@dataclass
class EtsySubject:
    """A connected shop and the sandbox. What creates a listing is `creating`."""

    shop: Shop
    creating: str
    channel: Channel = Channel.ETSY

    @property
    def handler(self) -> AnyHandler:
        return self.shop.handlers[Channel.ETSY, JobAction.PUBLISH]

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
        return self.shop.shirt(colors=((next(_shades), 40, 160),))

    def refused_product(self) -> int:
        """Etsy knows no such category; we do not know all of its own."""
        product_id = self.shop.shirt()
        self.shop.choose(product_id, taxonomy_id=999_999_999)
        return product_id

    def expected(self, product_id: int) -> tuple[int, int]:
        with self.database.tenant(self.tenant) as session:
            [product] = ProductRepository(session).by_ids([product_id])
            return product.variants[0].price_minor, product.variants[0].quantity

    def shown(self, product_id: int) -> list[Shown]:
        skus = set(self.shop.skus(product_id))
        return [
            Shown(str(row["listing_id"]), row["price"], row["quantity"])
            for row in self.shop.live()
            if skus & {product["sku"] for product in row["products"]}
        ]

    def calls(self) -> int:
        found: dict[str, int] = self.shop.etsy.read("calls")["calls"]
        return sum(found.values())

    def lose_the_answer(self) -> None:
        self.shop.etsy.fault(self.creating, "lost_answer")

    def kill_the_tokens(self) -> None:
        self.shop.etsy.control("sellers/alice/revoke")

    def limit_the_rate(self) -> None:
        self.shop.etsy.fault(self.creating, "http_429", retry_after_s=WAIT_SECONDS)


class TestEtsyConforms(HandlerConformance):
    """Every promise, with the draft's answer lost and with that of going live."""

    @pytest.fixture(params=["createDraftListing", "updateListing"])
    def subject(self, shop: Shop, request: pytest.FixtureRequest) -> EtsySubject:
        return EtsySubject(shop, request.param)
