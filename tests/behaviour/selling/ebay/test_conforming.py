"""The conformance suite of handlers on eBay: the sandbox, over real HTTP."""

from dataclasses import dataclass
from itertools import cycle
from typing import Any

import httpx
import pytest

from backend.container import Container
from models.selling.catalog import Product
from models.selling.publishing import Channel, JobAction
from repositories.selling.catalog import ProductRepository
from services.selling.publishing.attempting import HandlerTable
from shared.clock import MovableClock
from shared.database import Database, TenantSchema
from shared.money import Money
from tests.behaviour.selling.ebay.conftest import Shop, through
from tests.contracts.action_conformance import (
    DeleteConformance,
    ImportConformance,
    LinkConformance,
    OrdersConformance,
    PublishConformance,
    ShipConformance,
    SyncConformance,
    UpdateConformance,
)
from tests.contracts.handler_conformance import WAIT_SECONDS, Shown
from tests.contracts.variant_conformance import Rows, VariantConformance

_shades = cycle(range(0, 256, 8))

_TELLING = {
    JobAction.PUBLISH: "publishOffer",
    JobAction.UPDATE: "bulkUpdatePriceQuantity",
    JobAction.DELETE: "withdrawOffer",
    JobAction.LINK: "getOffers",
    JobAction.ORDERS: "getOrders",
    JobAction.SYNC: "getOffer",
    JobAction.IMPORT: "getInventoryItems",
    JobAction.SHIP: "createShippingFulfillment",
}
"""The call by which an action changes eBay, or, of one that only reads, its first one."""


class _Deaf(httpx.HTTPTransport):
    """The road to eBay; once, when told so, a withdrawal is answered and goes nowhere."""

    only_say_so = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.only_say_so and request.url.path.endswith("/withdraw"):
            self.only_say_so = False
            return httpx.Response(200, json={"listingId": "110"}, request=request)
        return super().handle_request(request)


@dataclass
class EbaySubject:
    """A connected shop and the sandbox."""

    shop: Shop
    road: _Deaf
    channel: Channel = Channel.EBAY
    carrier: str = "USPS"

    @property
    def handlers(self) -> HandlerTable:
        return self.shop.handlers

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
        product_id = self.shop.shirt()
        self.revise_wrongly(product_id)
        return product_id

    def revise(self, product_id: int) -> None:
        def dearer_and_one_more(product: Product) -> None:
            product.variants[0].price_minor += 100
            product.variants[0].quantity += 1

        self.shop.change(product_id, dearer_and_one_more)

    def revise_wrongly(self, product_id: int) -> None:
        with self.database.platform() as session:
            session.connection().exec_driver_sql(
                "UPDATE product_attributes.ebay_category_aspects SET required = false"
            )
        self.shop.change(product_id, lambda product: setattr(product, "attributes", {}))

    def expected(self, product_id: int) -> tuple[int, int]:
        with self.database.tenant(self.tenant) as session:
            [product] = ProductRepository(session).by_ids([product_id])
            return product.variants[0].price_minor, product.variants[0].quantity

    def shown(self, product_id: int) -> list[Shown]:
        return [
            Shown(
                row["listing_id"], Money.parse(row["price"], row["currency"]).minor, row["quantity"]
            )
            for row in self.shop.live()
            if row["sku"] == self._sku(product_id)
        ]

    def calls(self) -> int:
        return sum(self.shop.calls().values())

    def lose_the_answer(self, action: JobAction) -> None:
        self.shop.lose_an_answer(_TELLING[action])

    def limit_the_rate(self, action: JobAction) -> None:
        self.shop.spoil(_TELLING[action], "http_429", retry_after_s=WAIT_SECONDS)

    def kill_the_tokens(self) -> None:
        self.shop.ebay.control("sellers/TESTUSER_alice/revoke")

    def end_outside(self, product_id: int) -> None:
        path = f"/inventory_item/{self._sku(product_id)}"
        assert self.shop.ebay.shop("alice").delete(path).status_code == httpx.codes.NO_CONTENT

    def sell(self, product_id: int) -> None:
        [shown] = self.shown(product_id)
        self.shop.ebay.buy(shown.listing_id)

    def parcels(self, remote_order_id: str) -> int:
        orders = self.shop.ebay.control("orders", method="GET")["orders"]
        return sum(
            len(order["parcels"]) for order in orders if order["order_id"] == remote_order_id
        )

    def variants(self) -> int:
        return self.shop.shirt(sizes=("M", "L"))

    def listings(self, product_id: int) -> list[tuple[str, Rows]]:
        with self.database.tenant(self.tenant) as session:
            [product] = ProductRepository(session).by_ids([product_id])
        keys = {each.channel_key for each in product.variants}
        return [
            (row["listing_id"], _rows(row))
            for row in self.shop.live()
            if keys & {each["sku"] for each in row["variations"]}
        ]

    def sell_variant(self, product_id: int, sku: str) -> None:
        [(listing_id, _)] = self.listings(product_id)
        self.shop.ebay.buy(listing_id, sku=sku)

    def only_say_it_has_ended(self) -> None:
        self.road.only_say_so = True

    def _sku(self, product_id: int) -> str:
        with self.database.tenant(self.tenant) as session:
            [product] = ProductRepository(session).by_ids([product_id])
            return product.variants[0].channel_key


def _rows(row: dict[str, Any]) -> Rows:
    return {
        each["sku"]: (Money.parse(each["price"], each["currency"]).minor, each["quantity"])
        for each in row["variations"]
    }


@pytest.fixture
def road(container: Container) -> _Deaf:
    """Laid before the shop's handlers are made."""
    road = _Deaf()
    through(container, road)
    return road


@pytest.fixture
def subject(road: _Deaf, shop: Shop) -> EbaySubject:
    return EbaySubject(shop, road)


class TestPublishing(PublishConformance):
    channel = Channel.EBAY


class TestUpdating(UpdateConformance):
    channel = Channel.EBAY


class TestEnding(DeleteConformance):
    channel = Channel.EBAY


class TestLinking(LinkConformance):
    channel = Channel.EBAY


class TestSyncing(SyncConformance):
    channel = Channel.EBAY


class TestFollowingOrders(OrdersConformance):
    channel = Channel.EBAY


class TestTellingOfParcels(ShipConformance):
    channel = Channel.EBAY


class TestImporting(ImportConformance):
    channel = Channel.EBAY


class TestVariants(VariantConformance):
    """In a group: one listing."""
