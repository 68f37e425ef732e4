"""The conformance suite of handlers on Etsy: the sandbox, over real HTTP."""

from dataclasses import dataclass
from itertools import cycle

import httpx
import pytest

from backend.container import Container
from models.selling.catalog import Product
from models.selling.publishing import Channel, JobAction
from repositories.selling.catalog import ProductRepository
from services.selling.publishing.attempting import HandlerTable
from shared.clock import MovableClock
from shared.database import Database, TenantSchema, TenantSession
from tests.behaviour.selling.etsy.conftest import Shop, through
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
    JobAction.PUBLISH: "updateListing",
    JobAction.UPDATE: "updateListing",
    JobAction.DELETE: "updateListing",
    JobAction.LINK: "getListingsByShop",
    JobAction.ORDERS: "getShopReceipts",
    JobAction.SYNC: "getListing",
    JobAction.IMPORT: "getListingsByShop",
    JobAction.SHIP: "createReceiptShipment",
}
"""The call by which an action changes Etsy, or, of one that only reads, its first one."""


class _Deaf(httpx.HTTPTransport):
    """The road to Etsy; once, when told so, a listing is taken down in words only."""

    only_say_so = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.only_say_so and request.method == "PATCH" and b"inactive" in request.read():
            self.only_say_so = False
            return httpx.Response(200, json={"state": "inactive"}, request=request)
        return super().handle_request(request)


@dataclass
class EtsySubject:
    """A connected shop and the sandbox. `creating` is the call of a publish that goes wrong."""

    shop: Shop
    road: _Deaf
    creating: str = _TELLING[JobAction.PUBLISH]
    channel: Channel = Channel.ETSY
    carrier: str = "usps"

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
        return self.shop.shirt(colors=((next(_shades), 40, 160),))

    def refused_product(self) -> int:
        """Etsy knows no such category; we do not know all of its own."""
        product_id = self.shop.shirt()
        self.revise_wrongly(product_id)
        return product_id

    def revise(self, product_id: int) -> None:
        def dearer_and_one_more(product: Product, _session: TenantSession) -> None:
            product.variants[0].price_minor += 100
            product.variants[0].quantity += 1

        self.shop.change(product_id, dearer_and_one_more)

    def revise_wrongly(self, product_id: int) -> None:
        self.shop.choose(product_id, taxonomy_id=999_999_999)

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

    def lose_the_answer(self, action: JobAction) -> None:
        self.shop.etsy.fault(self._telling(action), "lost_answer")

    def kill_the_tokens(self) -> None:
        self.shop.etsy.control("sellers/alice/revoke")

    def limit_the_rate(self, action: JobAction) -> None:
        self.shop.etsy.fault(self._telling(action), "http_429", retry_after_s=WAIT_SECONDS)

    def end_outside(self, product_id: int) -> None:
        skus = set(self.shop.skus(product_id))
        [row] = [
            row
            for row in self.shop.live()
            if skus & {product["sku"] for product in row["products"]}
        ]
        self.shop.take_down(row)

    def sell(self, product_id: int) -> None:
        [shown] = self.shown(product_id)
        self.shop.etsy.control("orders", {"listing_id": int(shown.listing_id)})

    def parcels(self, remote_order_id: str) -> int:
        orders = self.shop.etsy.read("orders")["orders"]
        return sum(
            len(order["shipments"])
            for order in orders
            if str(order["receipt_id"]) == remote_order_id
        )

    def variants(self) -> int:
        return self.shop.shirt(sizes=("M", "L"))

    def listings(self, product_id: int) -> list[tuple[str, Rows]]:
        skus = set(self.shop.skus(product_id))
        found = [
            (
                str(row["listing_id"]),
                {each["sku"]: (each["price"], each["quantity"]) for each in row["products"]},
            )
            for row in self.shop.live()
        ]
        return [(listing_id, rows) for listing_id, rows in found if skus & set(rows)]

    def sell_variant(self, product_id: int, sku: str) -> None:
        [(listing_id, _)] = self.listings(product_id)
        self.shop.etsy.control("orders", {"listing_id": int(listing_id), "sku": sku})

    def only_say_it_has_ended(self) -> None:
        self.road.only_say_so = True

    def _telling(self, action: JobAction) -> str:
        return self.creating if action is JobAction.PUBLISH else _TELLING[action]


@pytest.fixture
def road(container: Container) -> _Deaf:
    """Laid before the shop's handlers are made."""
    road = _Deaf()
    through(container, road)
    return road


@pytest.fixture
def subject(road: _Deaf, shop: Shop) -> EtsySubject:
    return EtsySubject(shop, road)


class TestPublishing(PublishConformance):
    """Every promise, with the draft's answer lost and with that of going live."""

    channel = Channel.ETSY

    @pytest.fixture(params=["createDraftListing", "updateListing"])
    def subject(self, road: _Deaf, shop: Shop, request: pytest.FixtureRequest) -> EtsySubject:
        return EtsySubject(shop, road, request.param)


class TestUpdating(UpdateConformance):
    channel = Channel.ETSY


class TestEnding(DeleteConformance):
    channel = Channel.ETSY


class TestLinking(LinkConformance):
    channel = Channel.ETSY


class TestSyncing(SyncConformance):
    channel = Channel.ETSY


class TestFollowingOrders(OrdersConformance):
    channel = Channel.ETSY


class TestTellingOfParcels(ShipConformance):
    channel = Channel.ETSY


class TestImporting(ImportConformance):
    channel = Channel.ETSY


class TestVariants(VariantConformance):
    """In one inventory: one listing, one fee."""
