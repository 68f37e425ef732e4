"""Live listings compared with eBay: what differs is told, what has ended noticed."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx

from models.selling.publishing import JobAction, JobOutcome, ListingStatus, MarketplaceJob
from services.gateways.ebay.quotas import EbayQuotas
from tests.behaviour.selling.ebay.conftest import Shop, sign_in_again
from tests.behaviour.selling.ebay.test_following_ebay_orders import (
    listed,
    rewired,
    sku_of_silently,
    tick,
)
from tests.serving import Seller, assert_problem

DRIFT = "/api/v1/listings/drift"
SYNC = "/api/v1/listings/sync"


def compare(shop: Shop, seller: Seller, **body: Any) -> MarketplaceJob:
    answer = seller.http.post(SYNC, json={"channels": ["ebay"], **body})
    assert answer.status_code == 202, answer.text
    [job] = answer.json()["jobs"]
    return shop.finish(job["job_id"])


def at_ebay(shop: Shop, sku: str, row: dict[str, Any]) -> None:
    """The seller changes something on eBay itself."""
    body = {"requests": [{"sku": sku, **row}]}
    answer = shop.ebay.shop("alice").post("/bulk_update_price_quantity", body)
    assert answer.status_code == 200, answer.text


def drifted(seller: Seller) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = seller.http.get(DRIFT).json()["items"]
    return found


def test_what_is_as_it_was_sent_is_no_drift(shop: Shop, connected: Seller) -> None:
    """A6, B17: a call for the offer and one for its page."""
    listed(shop, quantity=2)
    job = compare(shop, connected)
    assert job.result == {
        "looked": 1,
        "drifted": 0,
        "unread": 0,
        "ended": 0,
        "held_back": 0,
        "put_off": 0,
    }
    assert drifted(connected) == []


def test_price_and_quantity_changed_on_ebay_are_told_and_mended_on_request(
    shop: Shop, connected: Seller, other_seller: Seller
) -> None:
    """A6, B12: nothing is mended by itself."""
    product_id, _ = listed(shop, quantity=3)
    sku = sku_of_silently(shop, product_id)
    offer_id = shop.ebay.ledger()[0]["offer_ids"][0]
    price = {"value": "1.00", "currency": "USD"}
    at_ebay(shop, sku, {"offers": [{"offerId": offer_id, "availableQuantity": 1, "price": price}]})
    assert compare(shop, connected).result == {
        "looked": 1,
        "drifted": 1,
        "unread": 0,
        "ended": 0,
        "held_back": 0,
        "put_off": 0,
    }
    [listing] = drifted(connected)
    assert listing["product_id"] == product_id
    assert listing["not_sent_yet"] is False
    told = {each["field"]: (each["ours"], each["live"]) for each in listing["drift"]}
    assert told == {"price": ("25.01 USD", "1.00 USD"), "quantity": (3, 1)}
    assert shop.live()[0]["price"] == "1.00"
    assert drifted(other_seller) == []
    assert shop.run(product_id, JobAction.UPDATE).outcome is JobOutcome.OK
    assert drifted(connected) == []
    assert (shop.live()[0]["price"], shop.live()[0]["quantity"]) == ("25.01", 3)


def test_a_change_of_ours_that_was_not_sent_is_told_apart(shop: Shop, connected: Seller) -> None:
    """A6."""
    product_id, _ = listed(shop, quantity=3)
    shop.change(product_id, lambda product: setattr(product.variants[0], "price_minor", 900))
    compare(shop, connected)
    [listing] = drifted(connected)
    assert listing["not_sent_yet"] is True


def test_a_listing_that_was_ended_on_ebay_is_noticed(shop: Shop, connected: Seller) -> None:
    """A3, B9: its offer was asked for by its id."""
    gone, _ = listed(shop)
    kept, _ = listed(shop)
    offer_id = shop.ebay.ledger()[0]["offer_ids"][0]
    assert shop.ebay.shop("alice").post(f"/offer/{offer_id}/withdraw").status_code == 200
    job = compare(shop, connected)
    assert job.result == {
        "looked": 2,
        "drifted": 0,
        "unread": 0,
        "ended": 1,
        "held_back": 0,
        "put_off": 0,
    }
    statuses = [shop.listing(each) for each in (gone, kept)]
    assert [each.status for each in statuses if each] == [ListingStatus.ENDED, ListingStatus.LIVE]
    assert shop.stock(gone) == 1, "an ended listing is not a sale"


def test_many_ended_at_once_are_believed_only_when_the_seller_confirms(
    shop: Shop, connected: Seller
) -> None:
    """A4: a mass change needs confirmation."""
    products = [listed(shop)[0] for _ in range(6)]
    alice = shop.ebay.shop("alice")
    for row in shop.ebay.ledger():
        alice.post(f"/offer/{row['offer_ids'][0]}/withdraw")
    held = compare(shop, connected)
    assert held.result == {
        "looked": 6,
        "drifted": 0,
        "unread": 0,
        "ended": 0,
        "held_back": 6,
        "put_off": 0,
    }
    found = [shop.listing(each) for each in products]
    assert {each.status for each in found if each} == {ListingStatus.LIVE}
    assert compare(shop, connected, confirm_ended=True).result == {
        "looked": 6,
        "drifted": 0,
        "unread": 0,
        "ended": 6,
        "held_back": 0,
        "put_off": 0,
    }
    found = [shop.listing(each) for each in products]
    assert {each.status for each in found if each} == {ListingStatus.ENDED}


class WithoutQuantity(httpx.BaseTransport):
    """eBay leaves `availableQuantity` null, as it does for products that were sold."""

    def __init__(self) -> None:
        self._inner = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._inner.handle_request(request)
        if request.method != "GET" or "/offer/" not in request.url.path:
            return answer
        answer.read()
        return httpx.Response(answer.status_code, json={**answer.json(), "availableQuantity": None})


def test_a_quantity_that_ebay_does_not_tell_is_not_nothing(shop: Shop, connected: Seller) -> None:
    """C13."""
    listed(shop, quantity=2)
    rewired(shop, WithoutQuantity())
    assert compare(shop, connected).result == {
        "looked": 1,
        "drifted": 0,
        "unread": 0,
        "ended": 0,
        "held_back": 0,
        "put_off": 0,
    }


def test_an_ebay_that_does_not_answer_ends_nothing(shop: Shop, connected: Seller) -> None:
    """A4: the job tries again; the listing stays what it was."""
    product_id, _ = listed(shop)
    shop.spoil("getOffer", "http_500")
    job = compare(shop, connected)
    assert (job.outcome, job.attempts) == (JobOutcome.OK, 2)
    listing = shop.listing(product_id)
    assert listing is not None
    assert listing.status is ListingStatus.LIVE


def test_asked_twice_it_is_one_job_and_without_an_account_none(
    shop: Shop, connected: Seller, other_seller: Seller
) -> None:
    """A7."""
    listed(shop)
    first, again = (connected.http.post(SYNC).json()["jobs"] for _ in range(2))
    assert [each["answer"] for each in (*first, *again)] == ["queued", "already_queued"]
    assert again[0]["job_id"] == first[0]["job_id"]
    assert_problem(other_seller.http.post(SYNC), 409, "nothing-to-compare")
    assert len(shop.jobs(JobAction.SYNC)) == 1


def test_one_product_can_be_compared(shop: Shop, connected: Seller, other_seller: Seller) -> None:
    """A7: one job for each, however often it is asked for; nobody else's product."""
    product_id, other = listed(shop)[0], shop.shirt()
    body = {"product_ids": [product_id, other]}
    first, again = (connected.http.post(SYNC, json=body).json() for _ in range(2))
    told = {each["product_id"]: each["answer"] for each in first["jobs"]}
    assert told == {product_id: "queued", other: "not_listed"}
    assert [each["answer"] for each in again["jobs"]] == ["already_queued", "not_listed"]
    job = shop.finish(first["jobs"][0]["job_id"])
    assert job.result is not None
    assert (job.product_id, job.result["looked"]) == (product_id, 1)
    assert_problem(other_seller.http.post(SYNC, json=body), 409, "nothing-to-compare")
    both = {"product_ids": [product_id], "confirm_ended": True}
    assert_problem(connected.http.post(SYNC, json=both), 422, "invalid-input")


def test_how_long_it_takes_is_told_by_calls_first_and_then_by_what_was_measured(
    shop: Shop, connected: Seller
) -> None:
    """A7: two calls a listing, 0.2 to 1 s each, are 1.2 to 6 s for three."""
    for _ in range(3):
        listed(shop)
    told = connected.http.post(SYNC).json()
    now = shop.clock.now()
    waits = [
        datetime.fromisoformat(told["estimate"][name]) - now for name in ("earliest", "latest")
    ]
    assert waits == [timedelta(seconds=1.2), timedelta(seconds=6)]
    assert "pace-assumed" in {each["code"] for each in told["estimate"]["reasons"]}
    shop.finish(told["jobs"][0]["job_id"])
    for _ in range(4):
        compare(shop, connected)
    told = connected.http.post(SYNC).json()
    assert "pace-measured" in {each["code"] for each in told["estimate"]["reasons"]}


def test_a_quota_that_is_used_up_is_in_the_estimate(shop: Shop, connected: Seller) -> None:
    """A7, G14."""
    listed(shop)
    inventory = next(each for each in EbayQuotas().all if each.name == "ebay.inventory")
    shop.container.call_ledger.close([inventory], "", 3600)
    told = connected.http.post(SYNC).json()["estimate"]
    assert datetime.fromisoformat(told["earliest"]) - shop.clock.now() >= timedelta(hours=1)
    assert "quota-opens" in {each["code"] for each in told["reasons"]}


def test_a_comparison_that_nobody_waited_for_becomes_the_sellers(
    shop: Shop, connected: Seller
) -> None:
    """A7: joined, not repeated; but it looks at all, and in its turn."""
    for _ in range(2):
        listed(shop)
    shop.clock.advance(timedelta(hours=21))
    listed(shop)
    tick(shop, "compare-listings")
    sign_in_again(connected)
    [asked] = connected.http.post(SYNC).json()["jobs"]
    assert asked["answer"] == "already_queued"
    job = shop.finish(asked["job_id"])
    assert (job.priority, (job.result or {})["looked"]) == (100, 3)


class AsksMeanwhile(httpx.BaseTransport):
    """A seller asks while the first listing is looked at."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self._inner, self._act = httpx.HTTPTransport(), act

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        act, self._act = self._act, lambda: None
        act()
        return self._inner.handle_request(request)


def test_one_that_runs_already_looks_at_the_rest_as_well(shop: Shop, connected: Seller) -> None:
    """A7: what was asked for while two of three were looked at."""
    for _ in range(2):
        listed(shop)
    shop.clock.advance(timedelta(hours=21))
    listed(shop)
    tick(shop, "compare-listings")
    sign_in_again(connected)
    answers: list[dict[str, Any]] = []
    rewired(shop, AsksMeanwhile(lambda: answers.append(connected.http.post(SYNC).json())))
    [job] = shop.jobs(JobAction.SYNC)
    ended = shop.finish(job.id)
    assert [each["answer"] for each in answers[0]["jobs"]] == ["already_queued"]
    assert (ended.outcome, (ended.result or {})["looked"]) == (JobOutcome.OK, 3)
    assert len(shop.jobs(JobAction.SYNC)) == 1
