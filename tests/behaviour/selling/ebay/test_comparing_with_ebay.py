"""Live listings compared with eBay: what differs is told, what has ended noticed."""

from typing import Any

import httpx

from models.selling.publishing import JobAction, JobOutcome, ListingStatus, MarketplaceJob
from tests.behaviour.selling.ebay.conftest import CHANNEL, Shop
from tests.behaviour.selling.ebay.test_following_ebay_orders import (
    listed,
    rewired,
    sku_of_silently,
)
from tests.serving import Seller, assert_problem

DRIFT = "/api/v1/listings/drift"


def compare(shop: Shop, seller: Seller, **body: Any) -> MarketplaceJob:
    answer = seller.http.post(f"{CHANNEL}/compare", json=body)
    assert answer.status_code == 202, answer.text
    return shop.finish(answer.json()["job_id"])


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
    first, again = (connected.http.post(f"{CHANNEL}/compare").json() for _ in range(2))
    assert again == {"job_id": first["job_id"], "already": True}
    refused = other_seller.http.post(f"{CHANNEL}/compare")
    assert_problem(refused, 409, "ebay-not-connected")
    assert len(shop.jobs(JobAction.SYNC)) == 1
