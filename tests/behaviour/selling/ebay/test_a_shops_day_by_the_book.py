"""Everything a connected shop sends in a day, held to eBay's documents."""

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import event

from backend.container import Container
from models.selling.publishing import JobAction, JobOutcome
from services.selling.ebay.preflight import EbayPreflight
from tests.behaviour.selling.ebay.conftest import CHANNEL, Shop, through
from tests.contracts.openapi_documents import EbayDocuments
from tests.contracts.recording import ContractCheckingTransport
from tests.paths import contracts_or_skip
from tests.serving import Seller


@pytest.fixture
def wire(container: Container) -> Iterator[ContractCheckingTransport]:
    """Between our gateway and the sandbox; what the documents do not allow fails the test."""
    documents = EbayDocuments(contracts_or_skip() / "ebay")
    checking = ContractCheckingTransport(httpx.HTTPTransport(), documents)
    through(container, checking)
    yield checking
    checking.assert_clean()


def test_a_day_at_the_shop_obeys_the_documents(
    wire: ContractCheckingTransport, shop: Shop, connected: Seller
) -> None:
    """E7, B12: connect, check, publish, update, end, publish again, link; one and several sizes."""
    assert connected.http.post(f"{CHANNEL}/check", json={"opt_in": True}).status_code == 200
    actions = [
        JobAction.PUBLISH,
        JobAction.UPDATE,
        JobAction.DELETE,
        JobAction.PUBLISH,
        JobAction.LINK,
    ]
    for product_id in (shop.shirt(), shop.shirt(sizes=("M", "L"))):
        for action in actions:
            shop.change(product_id, lambda product: setattr(product, "title", product.title + "!"))
            job = shop.run(product_id, action)
            assert job.outcome is JobOutcome.OK, (action, job.problem_detail)
    assert len(shop.live()) == 2
    assert wire.operations["publishOffer"] == wire.operations["withdrawOffer"] + 1 == 2


def test_preflight_of_many_products_costs_as_much_as_of_one(shop: Shop) -> None:
    """C6: the number of statements does not grow with the number of products."""
    products = [shop.shirt() for _ in range(12)]
    preflight = EbayPreflight(shop.container.ebay.marketplace)
    statements: list[str] = []

    def count(*_: object) -> None:
        statements.append("")

    def statements_for(product_ids: list[int]) -> int:
        statements.clear()
        with shop.container.database.tenant(shop.tenant) as session:
            assert preflight.findings(session, product_ids) == {}
        return len(statements)

    event.listen(shop.container.database.engine, "after_cursor_execute", count)
    try:
        assert statements_for(products) == statements_for(products[:1]) < 20
    finally:
        event.remove(shop.container.database.engine, "after_cursor_execute", count)
