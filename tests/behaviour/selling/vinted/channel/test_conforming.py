"""The conformance suite of handlers on Vinted: the sandbox, over real HTTP."""

from dataclasses import dataclass
from itertools import cycle
from typing import Any

import pytest

from models.selling.catalog import Product
from models.selling.publishing import (
    Channel,
    JobAction,
    JobOutcome,
    JobStatus,
    MarketplaceJob,
)
from repositories.selling.vinted import VintedChoiceRepository
from services.selling.publishing.attempting import HandlerTable
from shared.clock import MovableClock
from shared.database import Database, TenantSchema, TenantSession
from tests.behaviour.selling.vinted.channel.conftest import SELLER, Shop
from tests.contracts.action_conformance import (
    DeleteConformance,
    LinkConformance,
    OrdersConformance,
    PublishConformance,
    SyncConformance,
    UpdateConformance,
    assert_refused,
)
from tests.contracts.handler_conformance import (
    WAIT_SECONDS,
    Bench,
    HandlerConformance,
    Shown,
    Subject,
)

_shades = cycle(range(0, 256, 3))

_TELLING = {
    JobAction.PUBLISH: "completeDraft",
    JobAction.UPDATE: "updateItem",
    JobAction.DELETE: "deleteItem",
    JobAction.LINK: "getWardrobe",
    JobAction.SYNC: "getItem",
    JobAction.ORDERS: "getMyOrders",
    JobAction.MESSAGE: "reply",
}
"""The request by which an action changes Vinted, or, of one that only reads, its first one."""


@dataclass
class VintedSubject:
    """A shop and the sandbox. `creating` is the request of a publish that goes wrong."""

    shop: Shop
    creating: str = _TELLING[JobAction.PUBLISH]
    channel: Channel = Channel.VINTED
    carrier: str = ""

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
        return self.shop.shirt(colors=((next(_shades), 40, next(_shades)),))

    def refused_product(self) -> int:
        """Vinted knows no such category; we do not know all of its own."""
        product_id = self.product()
        self.revise_wrongly(product_id)
        return product_id

    def revise(self, product_id: int) -> None:
        """One piece stays one piece."""

        def dearer(product: Product, _session: TenantSession) -> None:
            product.variants[0].price_minor += 100

        self.shop.change(product_id, dearer)

    def revise_wrongly(self, product_id: int) -> None:
        choice: dict[str, Any] = {
            "catalog_id": 999_999,
            "size_id": None,
            "package_size_id": None,
            "color_ids": [],
        }
        with self.database.tenant(self.tenant) as session:
            VintedChoiceRepository(session).put(product_id, choice)

    def expected(self, product_id: int) -> tuple[int, int]:
        [variant] = self.shop.product(product_id).variants
        return variant.price_minor, variant.quantity

    def shown(self, product_id: int) -> list[Shown]:
        return [Shown(str(row["item_id"]), row["price"], 1) for row in self.shop.live(product_id)]

    def calls(self) -> int:
        found: dict[str, int] = self.shop.site.read("calls")["calls"]
        return sum(found.values())

    def lose_the_answer(self, action: JobAction) -> None:
        self.shop.site.fault(self._telling(action), "lost_answer")

    def limit_the_rate(self, action: JobAction) -> None:
        self.shop.site.fault(self._telling(action), "http_429", retry_after_s=WAIT_SECONDS)

    def kill_the_tokens(self) -> None:
        """There are none: the seller's browser is signed in. What can end is the pairing."""
        self.shop.unpair()

    def end_outside(self, product_id: int) -> None:
        [row] = self.shop.live(product_id)
        self.shop.site.control(f"items/{row['item_id']}/delete")

    def only_say_it_has_ended(self) -> None:
        self.shop.browser.deaf_to = "/delete"

    def sell(self, product_id: int) -> None:
        [row] = self.shop.live(product_id)
        self.shop.site.control("orders", {"item_id": row["item_id"]})

    def parcels(self, remote_order_id: str) -> int:
        raise AssertionError(f"Vinted makes the parcel of {remote_order_id} itself")

    def _telling(self, action: JobAction) -> str:
        return self.creating if action is JobAction.PUBLISH else _TELLING[action]


@pytest.fixture
def subject(shop: Shop) -> VintedSubject:
    return VintedSubject(shop)


class TestPublishing(PublishConformance):
    """Every promise, with each of its requests going wrong."""

    channel = Channel.VINTED

    @pytest.fixture(params=["uploadPhoto", "createDraft", "completeDraft"])
    def subject(self, shop: Shop, request: pytest.FixtureRequest) -> VintedSubject:
        return VintedSubject(shop, request.param)


def test_a_product_with_variants_is_refused_before_vinted_is_asked(subject: VintedSubject) -> None:
    """G6, G13: and the seller is told what to do instead."""
    product_id = subject.shop.shirt(sizes=("M", "L"))
    bench, calls = Bench(subject, JobAction.PUBLISH), subject.calls()
    job = bench.finish(bench.ask(product_id))
    assert_refused(job)
    assert job.problem_code == "not-ready-for-vinted"
    told = [field for field in job.problem_fields if field["code"] == "variants-not-possible"]
    assert [(field["field"], "Make a product of each" in field["message"]) for field in told] == [
        ("variants", True)
    ]
    assert subject.calls() == calls
    assert subject.shown(product_id) == []


class TestUpdating(UpdateConformance):
    channel = Channel.VINTED


class TestEnding(DeleteConformance):
    channel = Channel.VINTED


class TestSyncing(SyncConformance):
    channel = Channel.VINTED


class TestLinking(LinkConformance):
    channel = Channel.VINTED


class TestFollowingOrders(OrdersConformance):
    channel = Channel.VINTED


class TalkingBench(Bench):
    """Asks for replies in conversations that buyers have begun, by product."""

    def __init__(self, subject: Subject, shop: Shop) -> None:
        super().__init__(subject, JobAction.MESSAGE)
        self.shop = shop
        self.conversations: dict[int, int] = {}

    def ask(self, product_id: int, action: JobAction | None = None) -> int:
        """A reply names its conversation."""
        if action not in (None, JobAction.MESSAGE):
            return super().ask(product_id, action)
        payload = {"conversation_id": str(self.conversations[product_id]), "body": "Yes, it is."}
        return self.shop.ask(None, JobAction.MESSAGE, payload=payload)

    def asked_about(self) -> int:
        """A new product about which somebody has asked."""
        product_id = self.listed()
        [row] = self.shop.live(product_id)
        question = {"item_id": row["item_id"], "body": "Is it still there?"}
        told = self.shop.site.control("messages", question)
        self.conversations[product_id] = told["conversation_id"]
        return product_id

    def replies(self, product_id: int) -> list[str]:
        """What the seller has said about it."""
        messages = self.shop.site.read("messages")["messages"]
        return [
            each["body"]
            for each in messages
            if each["conversation_id"] == self.conversations[product_id] and each["login"] == SELLER
        ]


class TestAnswering(HandlerConformance):
    """A buyer reads an answer once."""

    channel = Channel.VINTED
    action = JobAction.MESSAGE

    @pytest.fixture
    def bench(self, subject: Subject, shop: Shop) -> Bench:
        return TalkingBench(subject, shop)

    def ready(self, bench: Bench) -> int:
        assert isinstance(bench, TalkingBench)
        return bench.asked_about()

    def assert_done(self, bench: Bench, product_id: int, job: MarketplaceJob) -> None:
        assert isinstance(bench, TalkingBench)
        assert (job.status, job.outcome) == (JobStatus.DONE, JobOutcome.OK), job.problem_detail
        assert bench.replies(product_id) == ["Yes, it is."]

    def assert_not_done(self, bench: Bench, product_id: int) -> None:
        assert isinstance(bench, TalkingBench)
        assert bench.replies(product_id) == []
