"""Preflight on eBay: over REST, without a call; and eBay's declared cost against the calls made."""

from typing import Any

import pytest

from backend.container import Container
from backend.handlers import channel_table
from models.selling.publishing import Channel, JobAction, JobOutcome
from services.gateways.ebay.quotas import UPLOADS, EbayQuotas
from services.selling.publishing.channels import Unit
from services.selling.vinted.pacing import Pacing
from tests.behaviour.selling.ebay.conftest import FACTS, Shop
from tests.serving import Seller, assert_problem

PREFLIGHT = "/api/v1/publications/preflight"


def look(seller: Seller, product_ids: list[int], **more: Any) -> Any:
    answer = seller.http.post(
        PREFLIGHT, json={"product_ids": product_ids, "channels": ["ebay"], **more}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def declared(shop: Shop, product_id: int, action: JobAction) -> dict[str, int]:
    """The calls that eBay's declaration says the job makes."""
    container = shop.container
    ebay = channel_table(container.ebay, EbayQuotas(), container.etsy, Pacing(), container.clock)[
        Channel.EBAY
    ]
    with container.database.tenant(shop.tenant) as session:
        size = ebay.sizes(session, action, [product_id])[product_id]
    return dict(ebay.capabilities.operations(action, size))


@pytest.mark.parametrize("sizes", [("M",), ("S", "M", "L")])
def test_each_action_makes_the_calls_that_are_declared(shop: Shop, sizes: tuple[str, ...]) -> None:
    """B17: one variant and several, photos that eBay has already, and an end."""
    product_id = shop.shirt(sizes=sizes, colors=((1, 2, 3), (4, 5, 6)))
    for action in (JobAction.PUBLISH, JobAction.UPDATE, JobAction.DELETE):
        if action is JobAction.UPDATE:
            shop.change(product_id, lambda product: setattr(product, "title", "Bluer t-shirt"))
        costs = declared(shop, product_id, action)
        made = shop.calls_of(lambda: shop.run(product_id, action))  # noqa: B023 - called at once
        assert made == costs
    assert shop.live() == []


def test_a_shirt_with_two_photos_costs_five_calls_and_its_photos(shop: Shop) -> None:
    """B17: said as a number, so that one call more is seen here."""
    product_id = shop.shirt(colors=((1, 2, 3), (4, 5, 6)))
    costs = declared(shop, product_id, JobAction.PUBLISH)
    assert costs == {
        "createImageFromFile": 2,
        "createOrReplaceInventoryItem": 1,
        "createOffer": 1,
        "publishOffer": 1,
        "getOffer": 1,
        "getInventoryItem": 1,
    }


def test_a_category_that_is_asked_about_first_is_in_the_declaration(shop: Shop) -> None:
    """C6, B17: counted with the first product that needs it."""
    with shop.container.database.platform() as session:
        for table in FACTS:
            session.connection().exec_driver_sql(f"DELETE FROM product_attributes.{table}")
    first, second = shop.shirt(colors=((1, 2, 3),)), shop.shirt(colors=((1, 2, 3),))
    costs = declared(shop, first, JobAction.PUBLISH)
    ebay = channel_table(
        shop.container.ebay, EbayQuotas(), shop.container.etsy, Pacing(), shop.clock
    )[Channel.EBAY]
    with shop.container.database.tenant(shop.tenant) as session:
        sizes = ebay.sizes(session, JobAction.PUBLISH, [first, second])
    assert [sizes[each][Unit.CATEGORY] for each in (first, second)] == [1, 0]
    assert [sizes[each][Unit.PHOTO] for each in (first, second)] == [1, 0]
    made = shop.calls_of(lambda: shop.run(first))
    # The tree's id was learnt when this process asked for the first time.
    assert made | {"getDefaultCategoryTreeId": 1} == costs


def test_preflight_over_http_asks_ebay_nothing_and_the_publication_costs_what_it_said(
    shop: Shop, connected: Seller
) -> None:
    """C6, B17, G13: answers, quotas and an estimate; then the same request."""
    product_ids = [
        shop.shirt(colors=((80 * number, 40, 160), (80 * number, 200, 20))) for number in range(3)
    ]
    product_ids.append(shop.shirt(brand=None))
    found: list[Any] = []
    assert shop.calls_of(lambda: found.append(look(connected, product_ids))) == {}
    told = found[0]
    assert told["answers"] == {"queued": 3, "refused": 1}
    assert [item["calls"] for item in told["items"][:3]] == [
        {"ebay.media": 2, "ebay.uploads": 2, "ebay.inventory": 5}
    ] * 3
    (problem,) = told["items"][3]["problems"]
    assert (problem["field"], problem["code"]) == (
        f"products.{product_ids[3]}.brand",
        "aspect-missing",
    )
    assert problem["message"]
    needed = {quota["name"]: quota["needed"] for quota in told["quotas"]}
    assert needed == {"ebay.media": 6, "ebay.uploads": 6, "ebay.inventory": 15}
    assert {quota["enough_at"] for quota in told["quotas"]} == {None}
    assert {each["code"] for each in told["estimate"]["reasons"]} == {"pace-assumed", "shop-cap"}
    asked = connected.http.post(
        "/api/v1/publications", json={"product_ids": product_ids, "channels": ["ebay"]}
    ).json()
    assert [each["answer"] for each in asked["items"]] == [each["answer"] for each in told["items"]]
    made = shop.calls_of(
        lambda: [shop.finish(each["job_id"]) for each in asked["items"] if each["job_id"]]
    )
    assert sum(made.values()) == needed["ebay.media"] + needed["ebay.inventory"]


def test_uploads_that_do_not_fit_say_when_they_do(
    shop: Shop, connected: Seller, container: Container
) -> None:
    """E10, G13: the shop's photo window is full; every photo is told its place in it."""
    for _ in range(UPLOADS.limit):
        container.call_ledger.pay([UPLOADS], shop.tenant.name)
    told = look(connected, [shop.shirt()])
    (uploads,) = [each for each in told["quotas"] if each["name"] == UPLOADS.name]
    assert (uploads["left"], uploads["needed"], uploads["of_this_shop"]) == (0, 1, True)
    assert uploads["open_at"] == uploads["enough_at"] is not None
    assert "quota-opens" in {each["code"] for each in told["estimate"]["reasons"]}
    assert told["estimate"]["earliest"] > uploads["open_at"]


def test_an_account_that_is_not_ready_is_told_for_every_product(
    shop: Shop, connected: Seller
) -> None:
    """C7, G6: preflight answers where the request refuses."""
    connected.http.delete("/api/v1/channels/ebay")
    product_ids = [shop.shirt(), shop.shirt()]
    told = look(connected, product_ids)
    assert told["answers"] == {"refused": 2}
    assert told["estimate"] is None
    codes = {problem["code"] for item in told["items"] for problem in item["problems"]}
    assert codes == {"not-connected"}


def test_a_bad_request_is_refused_as_the_real_one(shop: Shop, connected: Seller) -> None:
    """ST48."""
    for body, field in (
        ({"product_ids": [], "channels": ["ebay"]}, "product_ids"),
        ({"product_ids": [1], "channels": ["bazaar"]}, "channels[0]"),
        ({"product_ids": [10**6], "channels": ["ebay"]}, "product_ids[0]"),
        ({"product_ids": [1], "channels": ["ebay"], "action": "sync"}, "action"),
    ):
        answer = connected.http.post(PREFLIGHT, json=body)
        assert answer.status_code == 422, answer.text
        assert field in {each["field"] for each in answer.json()["fields"]}


def test_nobody_asks_without_signing_in(shop: Shop, api: Any) -> None:
    """ST47."""
    body = {"product_ids": [1], "channels": ["ebay"]}
    assert_problem(api.post(PREFLIGHT, json=body), 401, "unauthenticated")


def test_a_job_that_ended_well_is_measured(shop: Shop, connected: Seller) -> None:
    """B17: five publications later the shop's own pace is told."""
    for number in range(5):
        assert shop.run(shop.shirt(colors=((50 * number, 9, 9),))).outcome is JobOutcome.OK
    told = look(connected, [shop.shirt()])
    assert "pace-measured" in {each["code"] for each in told["estimate"]["reasons"]}
