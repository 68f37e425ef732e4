"""What somebody changed on eBay by hand is mended by the seller's word alone, either way."""

from typing import Any

from models.selling.publishing import JobAction, JobOutcome, JobStatus, ListingStatus
from services.gateways.ebay.quotas import REVISIONS, listing_account
from tests.behaviour.selling.ebay.conftest import Shop
from tests.behaviour.selling.ebay.test_comparing_with_ebay import (
    DRIFT,
    at_ebay,
    compare,
    drifted,
)
from tests.behaviour.selling.ebay.test_following_ebay_orders import listed, sku_of_silently
from tests.serving import Seller, assert_problem

MEND = f"{DRIFT}/mend"
THREE_COLOURS = ((10, 200, 10), (10, 10, 200), (200, 10, 10))


def mend(seller: Seller, keep: str, **more: Any) -> list[dict[str, Any]]:
    answer = seller.http.post(MEND, json={"keep": keep, **more})
    assert answer.status_code == 202, answer.text
    found: list[dict[str, Any]] = answer.json()["listings"]
    return found


def one(product_id: int, **more: Any) -> dict[str, Any]:
    return {"listings": [{"product_id": product_id, "channel": "ebay", **more}]}


def by_hand(shop: Shop, product_id: int, **product: Any) -> None:
    """Somebody edits the item at eBay itself."""
    alice, sku = shop.ebay.shop("alice"), sku_of_silently(shop, product_id)
    item = alice.read(f"/inventory_item/{sku}").json()
    item["product"] |= product
    item.pop("sku", None)
    answer = alice.write("PUT", f"/inventory_item/{sku}", item)
    assert answer.status_code in {200, 201, 204}, answer.text


def cheapened(shop: Shop, seller: Seller) -> int:
    """A listing that somebody made cheaper, with one unit instead of three, and compared."""
    product_id, _ = listed(shop, quantity=3)
    offer_id = shop.ebay.ledger()[-1]["offer_ids"][0]
    price = {"value": "1.00", "currency": "USD"}
    offer = {"offerId": offer_id, "availableQuantity": 1, "price": price}
    at_ebay(shop, sku_of_silently(shop, product_id), {"offers": [offer]})
    compare(shop, seller)
    shop.fetch_orders()
    return product_id


def state_of(seller: Seller, product_id: int) -> tuple[str, str, int]:
    answer = seller.http.get(f"/api/v1/products/{product_id}")
    variant = answer.json()["variants"][0]
    return answer.headers["ETag"], variant["price"]["amount"], variant["quantity"]


def test_title_photos_and_their_order_are_compared_too(shop: Shop, connected: Seller) -> None:
    """A6, C1, C3."""
    product_id, _ = listed(shop, colors=THREE_COLOURS)
    image_ids = [each["id"] for each in images(connected, product_id)]
    urls = shop.ebay.shop("alice").read(f"/inventory_item/{sku_of_silently(shop, product_id)}")
    first, _second, third = urls.json()["product"]["imageUrls"]
    by_hand(shop, product_id, title="Another title", imageUrls=[third, first])
    job = compare(shop, connected)
    assert job.result is not None
    assert job.result["drifted"] == 1
    [found] = drifted(connected)
    told = {each["key"]: (each["ours"], each["live"], each["can_take"]) for each in found["drift"]}
    ours = connected.http.get(f"/api/v1/products/{product_id}").json()["title"]
    assert told == {
        "title": (ours, "Another title", True),
        "photos": (image_ids, [image_ids[2], image_ids[0]], True),
    }


def images(seller: Seller, product_id: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = seller.http.get(f"/api/v1/products/{product_id}").json()["images"]
    return found


def test_putting_ours_back_is_one_job_however_often_it_is_asked_for(
    shop: Shop, connected: Seller, other_seller: Seller
) -> None:
    """A6, B12, E7: coalesced; written down once it is asked for."""
    product_id = cheapened(shop, connected)
    first, again = (mend(connected, "ours", **one(product_id))[0] for _ in range(2))
    assert (first["answer"], again["answer"]) == ("queued", "already_queued")
    assert first["job_id"] == again["job_id"]
    assert len(shop.jobs(JobAction.UPDATE)) == 1
    assert shop.finish(first["job_id"]).outcome is JobOutcome.OK
    assert (shop.live()[0]["price"], shop.live()[0]["quantity"]) == ("25.01", 3)
    assert drifted(connected) == []
    assert mend(connected, "ours", **one(product_id))[0]["answer"] == "nothing_differs"
    decisions = connected.http.get(f"{DRIFT}/decisions", params={"product_id": product_id}).json()
    told = [(each["field"], each["keep"], each["live"]) for each in decisions["items"]]
    assert sorted(told)[:1] == [("price", "ours", "1.00 USD")]
    assert {each["decided_by"] for each in decisions["items"]} == {shop.tenant.tenant_id}
    assert other_seller.http.get(f"{DRIFT}/decisions").json()["items"] == []


def test_taking_theirs_changes_the_product_and_nothing_on_ebay(
    shop: Shop, connected: Seller
) -> None:
    """A6, B14: by the ETag that was read; a second time does nothing."""
    product_id = cheapened(shop, connected)
    etag, *_ = state_of(connected, product_id)
    calls = shop.calls()
    [taken] = mend(connected, "theirs", **one(product_id, if_match=etag))
    assert taken["answer"] == "taken"
    new_etag, price, quantity = state_of(connected, product_id)
    assert (taken["product_etag"], price, quantity) == (new_etag, "1.00", 1)
    assert new_etag != etag
    assert mend(connected, "theirs", **one(product_id, if_match="*"))[0]["answer"] == (
        "nothing_differs"
    )
    assert state_of(connected, product_id)[0] == new_etag
    assert shop.calls() == calls
    assert drifted(connected) == []
    row = shop.listing(product_id)
    assert row is not None
    assert f'"{row.product_version}"' == new_etag, "nothing is left to send"


def test_each_difference_can_be_decided_for_itself(shop: Shop, connected: Seller) -> None:
    """A6, B14: the price as it is there, the quantity as it is here."""
    product_id = cheapened(shop, connected)
    sku = sku_of_silently(shop, product_id)
    quantity, price = f"quantity:{sku}", f"price:{sku}"
    [left] = mend(connected, "ours", **one(product_id, items=[quantity]))
    assert left["answer"] == "undecided", "sending ours would put the price back unasked"
    assert [each["key"] for each in left["items"]] == [price]
    assert shop.jobs(JobAction.UPDATE) == []
    mend(connected, "theirs", **one(product_id, items=[price], if_match="*"))
    [queued] = mend(connected, "ours", **one(product_id, items=[quantity]))
    assert shop.finish(queued["job_id"]).outcome is JobOutcome.OK
    assert (shop.live()[0]["price"], shop.live()[0]["quantity"]) == ("1.00", 3)
    assert state_of(connected, product_id)[1:] == ("1.00", 3)


def test_all_can_be_decided_at_once(shop: Shop, connected: Seller) -> None:
    """A6."""
    products = [cheapened(shop, connected) for _ in range(3)]
    refused = connected.http.post(MEND, json={"keep": "theirs"})
    assert_problem(refused, 428, "precondition-required")
    answers = mend(connected, "ours", channel="ebay")
    assert [each["product_id"] for each in answers] == products
    for each in answers:
        assert shop.finish(each["job_id"]).outcome is JobOutcome.OK
    assert {row["price"] for row in shop.live()} == {"25.01"}
    assert mend(connected, "ours") == []


def test_a_product_that_was_changed_meanwhile_is_left_alone(shop: Shop, connected: Seller) -> None:
    """A6: the seller decided about another version."""
    product_id = cheapened(shop, connected)
    before = state_of(connected, product_id)
    [answer] = mend(connected, "theirs", **one(product_id, if_match='"999"'))
    assert answer["answer"] == "changed_meanwhile"
    assert answer["product_etag"] == before[0]
    assert state_of(connected, product_id) == before
    missing = connected.http.post(MEND, json={"keep": "theirs", **one(product_id)})
    assert_problem(missing, 428, "precondition-required")


def test_a_sale_that_is_not_fetched_yet_is_not_taken_for_drift(
    shop: Shop, connected: Seller
) -> None:
    """A1, A6: put back it would be sold twice, taken it would be counted twice."""
    product_id, listing_id = listed(shop, quantity=3)
    shop.ebay.buy(listing_id)
    compare(shop, connected)
    for keep in ("ours", "theirs"):
        [answer] = mend(connected, keep, **one(product_id, if_match="*"))
        assert answer["answer"] == "orders_first"
    assert shop.stock(product_id) == 3
    shop.fetch_orders()
    assert shop.stock(product_id) == 2
    assert mend(connected, "theirs", **one(product_id, if_match="*"))[0]["answer"] == (
        "nothing_differs"
    )
    assert shop.stock(product_id) == 2


def test_a_photo_that_the_product_does_not_have_is_not_taken(shop: Shop, connected: Seller) -> None:
    """C2: nothing is made up; the seller is told what to do."""
    product_id, _ = listed(shop)
    by_hand(shop, product_id, imageUrls=["https://elsewhere.example/photo.jpg"])
    compare(shop, connected)
    before = images(connected, product_id)
    [answer] = mend(connected, "theirs", **one(product_id, if_match="*"))
    assert (answer["answer"], answer["problems"][0]["code"]) == ("refused", "photo-not-ours")
    assert images(connected, product_id) == before
    [queued] = mend(connected, "ours", **one(product_id))
    assert shop.finish(queued["job_id"]).outcome is JobOutcome.OK
    assert compare(shop, connected).result == {
        "looked": 1,
        "drifted": 0,
        "unread": 0,
        "ended": 0,
        "held_back": 0,
        "put_off": 0,
    }


def test_photos_are_put_in_the_order_of_the_listing(shop: Shop, connected: Seller) -> None:
    """C3."""
    product_id, _ = listed(shop, colors=THREE_COLOURS)
    sku = sku_of_silently(shop, product_id)
    item = shop.ebay.shop("alice").read(f"/inventory_item/{sku}").json()
    first, _second, third = item["product"]["imageUrls"]
    by_hand(shop, product_id, imageUrls=[third, first])
    compare(shop, connected)
    before = [each["id"] for each in images(connected, product_id)]
    assert mend(connected, "theirs", **one(product_id, if_match="*"))[0]["answer"] == "taken"
    assert [each["id"] for each in images(connected, product_id)] == [before[2], before[0]]
    assert drifted(connected) == []


def test_listings_held_back_end_or_go_up_again_by_the_sellers_word(
    shop: Shop, connected: Seller
) -> None:
    """A4: one was ended there on purpose, the others were not."""
    products = [listed(shop)[0] for _ in range(6)]
    alice = shop.ebay.shop("alice")
    for row in shop.ebay.ledger():
        alice.post(f"/offer/{row['offer_ids'][0]}/withdraw")
    compare(shop, connected)
    found = drifted(connected)
    assert [each["held_back"] for each in found] == [True] * 6
    assert mend(connected, "theirs", **one(products[0], if_match="*"))[0]["answer"] == "taken"
    ended = shop.listing(products[0])
    assert ended is not None
    assert ended.status is ListingStatus.ENDED
    assert shop.stock(products[0]) == 1, "an ended listing is not a sale"
    answers = mend(connected, "ours")
    assert [each["product_id"] for each in answers] == products[1:]
    for each in answers:
        job = shop.finish(each["job_id"])
        assert (job.action, job.outcome) == (JobAction.PUBLISH, JobOutcome.OK)
    assert len(shop.live()) == 5


def test_putting_back_waits_when_ebay_takes_no_more_changes_today(
    shop: Shop, connected: Seller
) -> None:
    """E7: 250 of a listing in a day; the job waits and goes on by itself."""
    product_id = cheapened(shop, connected)
    row = shop.listing(product_id)
    assert row is not None
    account = listing_account(shop.tenant.name, row.listing_id)
    shop.container.call_ledger.close([REVISIONS], account, 3600)
    [queued] = mend(connected, "ours", **one(product_id))
    shop.turn()
    job = shop.job(queued["job_id"])
    assert (job.status, job.problem_code) == (JobStatus.PENDING, "quota-spent")
    assert shop.finish(job.id).outcome is JobOutcome.OK
    assert shop.live()[0]["price"] == "25.01"


def test_what_is_not_listed_cannot_be_mended(
    shop: Shop, connected: Seller, other_seller: Seller
) -> None:
    """A refusal changes nothing; another shop's products are not there."""
    product_id = cheapened(shop, connected)
    for seller, wish in ((connected, one(product_id + 1_000)), (other_seller, one(product_id))):
        refused = seller.http.post(MEND, json={"keep": "ours", **wish})
        assert_problem(refused, 422, "no-such-listing")
    both = {"keep": "ours", "channel": "ebay", **one(product_id)}
    assert_problem(connected.http.post(MEND, json=both), 422, "invalid-input")
    assert shop.jobs(JobAction.UPDATE) == []
