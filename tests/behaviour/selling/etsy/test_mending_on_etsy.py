"""What somebody changed on Etsy by hand is told, and mended by the seller's word alone."""

from collections.abc import Mapping
from typing import Any

import pytest

from models.selling.publishing import Channel, JobAction, JobOutcome, ListingStatus, MarketplaceJob
from services.selling.publishing.account_work import AccountWork
from shared.clock import MovableClock
from shared.database import Database
from tests.behaviour.selling.etsy.conftest import Shop
from tests.factories.reference import load_catalogues
from tests.serving import Seller

DRIFT = "/api/v1/listings/drift"
THREE_COLOURS = ((10, 200, 10), (10, 10, 200), (200, 10, 10))


@pytest.fixture
def catalogues(worker_database: Database, clock: MovableClock) -> None:
    """A product that is changed has to be right as a whole."""
    load_catalogues(worker_database, clock)


def compare(shop: Shop, seller: Seller) -> MarketplaceJob:
    """All listings of the account."""
    answer = seller.http.post("/api/v1/listings/sync", json={"channels": ["etsy"]})
    assert answer.status_code == 202, answer.text
    [job] = answer.json()["jobs"]
    assert answer.json()["estimate"]["reasons"]
    return shop.finish(job["job_id"])


def fetch_orders(shop: Shop) -> None:
    with shop.container.database.tenant(shop.tenant) as session:
        work, owner = AccountWork(shop.clock), shop.tenant.tenant_id
        asked = work.request(session, JobAction.ORDERS, Channel.ETSY, owner)
    shop.finish(asked.job_id)


def drifted(seller: Seller) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = seller.http.get(DRIFT, params={"channel": "etsy"}).json()["items"]
    return found


def mend(seller: Seller, keep: str, **more: Any) -> list[dict[str, Any]]:
    answer = seller.http.post(f"{DRIFT}/mend", json={"keep": keep, **more})
    assert answer.status_code == 202, answer.text
    found: list[dict[str, Any]] = answer.json()["listings"]
    return found


def one(product_id: int, **more: Any) -> dict[str, Any]:
    return {"listings": [{"product_id": product_id, "channel": "etsy", **more}]}


def changed_by_hand(shop: Shop, product_id: int) -> None:
    """Another title, price and quantity, and the last photo first."""
    alice, [row] = shop.by_hand(), shop.live()
    listing_id = row["listing_id"]
    [sku] = shop.skus(product_id)
    body = {
        "products": [alice.product(sku, price=1.5, quantity=2)],
        "price_on_property": [],
        "quantity_on_property": [],
        "sku_on_property": [],
    }
    assert alice.put_inventory(listing_id, body).status_code == 200
    images = alice.call("GET", f"/listings/{listing_id}/images").json()["results"]
    ids = [str(each["listing_image_id"]) for each in images]
    answer = alice.patch(listing_id, title="Another title", image_ids=[ids[-1], *ids[:-1]])
    assert answer.status_code == 200, answer.text


def product(seller: Seller, product_id: int) -> dict[str, Any]:
    found: dict[str, Any] = seller.http.get(f"/api/v1/products/{product_id}").json()
    return found


def counts(job: MarketplaceJob) -> Mapping[str, int]:
    assert job.outcome is JobOutcome.OK, job.problem_detail
    return {name: number for name, number in (job.result or {}).items() if number}


def test_everything_is_compared_with_two_calls_a_listing(shop: Shop, connected: Seller) -> None:
    """A6, B17, C3: price, quantity, title, photos and their order; nothing is changed."""
    product_id = shop.shirt(colors=THREE_COLOURS)
    shop.run(product_id)
    jobs: list[MarketplaceJob] = []
    asked = shop.calls_of(lambda: jobs.append(compare(shop, connected)))
    assert asked == {"getListing": 1, "getListingImages": 1}
    assert counts(jobs[0]) == {"looked": 1}
    before = product(connected, product_id)
    changed_by_hand(shop, product_id)
    assert counts(compare(shop, connected)) == {"looked": 1, "drifted": 1}
    [found] = drifted(connected)
    ids, [sku] = [each["id"] for each in before["images"]], shop.skus(product_id)
    told = {each["key"]: (each["ours"], each["live"]) for each in found["drift"]}
    assert told == {
        "title": (before["title"], "Another title"),
        "photos": (ids, [ids[2], ids[0], ids[1]]),
        f"price:{sku}": ("25.01 USD", "1.50 USD"),
        f"quantity:{sku}": (1, 2),
    }
    assert product(connected, product_id) == before


def test_ours_is_put_back(shop: Shop, connected: Seller) -> None:
    """A6, B12."""
    product_id = shop.shirt(colors=THREE_COLOURS)
    shop.run(product_id)
    changed_by_hand(shop, product_id)
    compare(shop, connected)
    fetch_orders(shop)
    [queued] = mend(connected, "ours", **one(product_id))
    assert shop.finish(queued["job_id"]).outcome is JobOutcome.OK
    [row] = shop.live()
    assert (row["price"], row["quantity"]) == (2501, 1)
    assert counts(compare(shop, connected)) == {"looked": 1}
    assert drifted(connected) == []
    assert len(shop.fees()) == 1, "nothing was billed again"


@pytest.mark.usefixtures("catalogues")
def test_theirs_is_taken(shop: Shop, connected: Seller) -> None:
    """A6, B14: nothing goes to Etsy."""
    product_id = shop.shirt(colors=THREE_COLOURS)
    shop.run(product_id)
    before = product(connected, product_id)
    changed_by_hand(shop, product_id)
    compare(shop, connected)
    fetch_orders(shop)
    taken: list[dict[str, Any]] = []
    asked = shop.calls_of(
        lambda: taken.extend(mend(connected, "theirs", **one(product_id, if_match="*")))
    )
    assert (asked, taken[0]["answer"]) == ({}, "taken")
    after = product(connected, product_id)
    ids = [each["id"] for each in before["images"]]
    assert after["title"] == "Another title"
    assert [each["id"] for each in after["images"]] == [ids[2], ids[0], ids[1]]
    assert after["variants"][0]["price"]["amount"] == "1.50"
    assert after["variants"][0]["quantity"] == 2
    assert drifted(connected) == []
    assert counts(compare(shop, connected)) == {"looked": 1}


def test_one_that_was_taken_down_by_hand_has_ended_and_was_not_sold(
    shop: Shop, connected: Seller
) -> None:
    """A4, D5."""
    product_id, kept = shop.shirt(), shop.shirt()
    shop.run(product_id)
    [row] = shop.live()
    shop.run(kept)
    shop.take_down(row)
    assert counts(compare(shop, connected)) == {"looked": 2, "ended": 1}
    found = [shop.listing(each) for each in (product_id, kept)]
    assert [each.status for each in found if each] == [ListingStatus.ENDED, ListingStatus.LIVE]


def test_one_that_was_put_up_again_by_hand_is_live_again(shop: Shop) -> None:
    """A6: asked about that very product."""
    product_id = shop.shirt()
    shop.run(product_id)
    [row] = shop.live()
    shop.take_down(row)
    shop.run(product_id, JobAction.SYNC)
    shop.by_hand().patch(row["listing_id"], state="active")
    assert counts(shop.run(product_id, JobAction.SYNC)) == {"looked": 1}
    listing = shop.listing(product_id)
    assert listing is not None
    assert (listing.status, listing.ended_at) == (ListingStatus.LIVE, None)


def test_many_gone_at_once_wait_for_the_sellers_word(shop: Shop, connected: Seller) -> None:
    """A4: a mass change is not believed."""
    products = [shop.shirt() for _ in range(6)]
    for product_id in products:
        shop.run(product_id)
    for row in shop.live():
        shop.take_down(row)
    assert counts(compare(shop, connected)) == {"looked": 6, "held_back": 6}
    found = [shop.listing(each) for each in products]
    assert {each.status for each in found if each} == {ListingStatus.LIVE}
    assert [each["held_back"] for each in drifted(connected)] == [True] * 6
    answers = mend(connected, "theirs", channel="etsy", if_match="*")
    assert {each["answer"] for each in answers} == {"taken"}
    found = [shop.listing(each) for each in products]
    assert {each.status for each in found if each} == {ListingStatus.ENDED}


def test_a_held_listing_that_is_there_again_needs_no_word(shop: Shop, connected: Seller) -> None:
    """A4: what looked like an end was an outage."""
    products = [shop.shirt() for _ in range(6)]
    for product_id in products:
        shop.run(product_id)
    rows = shop.live()
    for row in rows:
        shop.take_down(row)
    compare(shop, connected)
    for row in rows:
        shop.by_hand().patch(row["listing_id"], state="active")
    assert counts(compare(shop, connected)) == {"looked": 6}
    assert drifted(connected) == []
