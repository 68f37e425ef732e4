"""Publishing on Etsy: one listing, billed once, looking as the product does."""

from collections.abc import Callable
from typing import Any

import pytest

from models.selling.catalog import Product
from models.selling.publishing import JobAction, JobOutcome, JobStatus, ListingStatus
from repositories.selling.etsy import EtsyDraftRepository
from shared.database import TenantSession
from tests.behaviour.selling.etsy.conftest import SHIRTS, Shop
from tests.factories.ebay import make_photo

RED, GREEN, BLUE = (200, 0, 0), (0, 200, 0), (0, 0, 200)

PUBLISH_CALLS = {
    "createDraftListing": 1,
    "uploadListingImage": 2,
    "updateListingInventory": 1,
    "updateListing": 1,
    "getListing": 1,
    "getListingImages": 1,
}


def photos_of(shop: Shop, row: dict[str, Any]) -> list[str]:
    return [image["sha256"] for image in row["images"]]


def recolour(*colors: tuple[int, int, int]) -> Callable[[Product, TenantSession], None]:
    """Give a product these photos instead of its own."""

    def act(product: Product, session: TenantSession) -> None:
        product.images.clear()
        session.flush()
        product.images.extend(
            make_photo(session, _Nowhere(), color, place)
            for place, color in enumerate(colors, start=1)
        )

    return act


class _Nowhere:
    """Photos that another product has stored already."""

    def put(self, key: str, data: bytes, content_type: str) -> None: ...


def test_a_product_is_listed_as_it_is(shop: Shop) -> None:
    """C1, ST26: words, price, quantity, photos in order; seven calls, one fee."""
    product_id = shop.shirt(
        title="Blue cotton t-shirt", colors=(RED, GREEN), tags=["vintage", "no, comma!"]
    )
    jobs: list[Any] = []
    asked = shop.calls_of(lambda: jobs.append(shop.run(product_id)))
    [job], [row] = jobs, shop.live()
    assert (job.status, job.outcome) == (JobStatus.DONE, JobOutcome.OK), job.problem_detail
    assert asked == PUBLISH_CALLS
    assert (row["title"], row["price"], row["currency"], row["quantity"]) == (
        "Blue cotton t-shirt",
        2501,
        "USD",
        1,
    )
    assert photos_of(shop, row) == shop.hashes(product_id)
    assert [each["sku"] for each in row["products"]] == shop.skus(product_id)
    assert shop.fees() == ["listing"]
    listing = shop.listing(product_id)
    assert listing is not None
    assert job.result == {
        "listing_id": str(row["listing_id"]),
        "url": listing.url,
        "differences": 0,
    }
    assert listing.read_back["differences"] == []
    assert listing.read_back["state"] == "active"
    [at_etsy] = shop.public_listings()
    assert at_etsy["description"] == "A blue t-shirt.\n\nWorn twice."
    assert (at_etsy["who_made"], at_etsy["when_made"], at_etsy["is_supply"]) == (
        "someone_else",
        "1990s",
        False,
    )
    assert at_etsy["tags"] == ["vintage"]


def test_variants_become_one_listing(shop: Shop) -> None:
    """C1: each with its own price and number, one fee; what has run out is shown as such."""
    product_id = shop.shirt(sizes=("S", "M", "L"))

    def one_is_gone(product: Product, _session: TenantSession) -> None:
        product.variants[0].quantity = 0

    shop.change(product_id, one_is_gone)
    job = shop.run(product_id)
    assert job.outcome is JobOutcome.OK, job.problem_detail
    [row] = shop.live()
    assert [
        (each["sku"], each["values"], each["price"], each["quantity"], each["is_enabled"])
        for each in row["products"]
    ] == [
        (sku, [size], 2500 + place, quantity, quantity > 0)
        for place, (sku, size, quantity) in enumerate(
            zip(shop.skus(product_id), "SML", (0, 2, 3), strict=True), start=1
        )
    ]
    assert shop.fees() == ["listing"]
    assert job.result is not None
    assert job.result["differences"] == 0


@pytest.mark.parametrize("operation", list(PUBLISH_CALLS))
@pytest.mark.parametrize("kind", ["lost_answer", "drop_connection", "http_500", "http_503"])
def test_whatever_call_goes_wrong_there_is_one_listing_and_one_fee(
    shop: Shop, operation: str, kind: str
) -> None:
    """B1, B2, D8, G1: an answer lost before and after the deed, an error that may have been one."""
    product_id = shop.shirt(colors=(RED, GREEN))
    shop.etsy.fault(operation, kind)
    job = shop.run(product_id)
    assert job.outcome is JobOutcome.OK, (job.problem_detail, shop.story(job.id))
    [row] = shop.ledger()
    assert row["state"] == "active"
    assert photos_of(shop, row) == shop.hashes(product_id)
    assert shop.fees() == ["listing"]
    listing = shop.listing(product_id)
    assert listing is not None
    assert listing.listing_id == str(row["listing_id"])
    assert listing.read_back["differences"] == []
    [at_etsy] = shop.public_listings()
    assert "SF" not in at_etsy["description"]


@pytest.mark.timeout(240)
def test_on_a_bad_day_everything_is_listed_once_and_billed_once(shop: Shop) -> None:
    """B1, B2, E8: every seventh call goes wrong, each in a way of its own, seeded."""
    kinds = ("lost_answer", "drop_connection", "http_500", "http_503", "http_429")
    for place, kind in enumerate(kinds):
        for operation in PUBLISH_CALLS:
            chance = {"times": 40, "probability": 0.03, "seed": place}
            shop.etsy.fault(operation, kind, **chance)
    product_ids = [shop.shirt(colors=(RED, (0, shade, 0))) for shade in range(0, 240, 40)]
    for product_id in product_ids:
        job = shop.run(product_id)
        assert job.outcome is JobOutcome.OK, (job.problem_detail, shop.story(job.id))
    hits = sum(fault["hits"] for fault in shop.etsy.read("faults")["faults"])
    assert hits >= 5
    rows = shop.ledger()
    assert [row["state"] for row in rows] == ["active"] * len(product_ids)
    assert sorted(row["products"][0]["sku"] for row in rows) == sorted(
        sku for product_id in product_ids for sku in shop.skus(product_id)
    )
    assert {tuple(photos_of(shop, row)) for row in rows} == {
        tuple(shop.hashes(product_id)) for product_id in product_ids
    }
    assert shop.fees() == ["listing"] * len(product_ids)


def test_what_was_begun_is_finished_by_the_next_job(shop: Shop) -> None:
    """G13, B3: a refusal leaves a draft; mended, the same one goes live, with its photos kept."""
    product_id = shop.shirt(colors=(RED, GREEN))
    shop.etsy.fault("updateListing", "http_503")
    shop.ask(product_id)
    shop.turn()
    [begun] = shop.ledger()
    assert begun["state"] == "draft"
    [job] = shop.jobs_of(product_id)
    shop.cancel(job.id)
    assert shop.finish(job.id).status is JobStatus.CANCELLED
    asked = shop.calls_of(lambda: shop.run(product_id))
    [row] = shop.ledger()
    assert (row["listing_id"], row["state"]) == (begun["listing_id"], "active")
    assert "createDraftListing" not in asked
    assert "uploadListingImage" not in asked
    assert shop.fees() == ["listing"]


def test_a_refusal_at_the_end_says_what_to_change(shop: Shop) -> None:
    """G6, G13: and nothing is billed."""
    product_id = shop.shirt()
    shop.choose(product_id, taxonomy_id=999_999_999)
    job = shop.run(product_id)
    assert (job.outcome, job.problem_fields[0]["field"]) == (JobOutcome.REJECTED, "category")
    assert "Etsy says" in (job.problem_detail or "")
    assert (shop.live(), shop.fees()) == ([], [])


def test_a_property_is_said_of_the_listing(shop: Shop) -> None:
    """C1: in Etsy's own numbers."""
    [occasion] = [
        each
        for each in shop.etsy.public(f"/seller-taxonomy/nodes/{SHIRTS}/properties").json()[
            "results"
        ]
        if each["name"] == "Occasion"
    ]
    value = occasion["possible_values"][0]
    said = {
        "property_id": occasion["property_id"],
        "value_ids": [value["value_id"]],
        "values": [value["name"]],
    }
    product_id = shop.shirt()
    shop.choose(product_id, properties=[said])
    job = shop.run(product_id)
    assert job.outcome is JobOutcome.OK, job.problem_detail
    [row] = shop.live()
    path = f"/shops/{row['shop_id']}/listings/{row['listing_id']}/properties"
    [found] = shop.etsy.public(path).json()["results"]
    assert (found["property_id"], found["values"]) == (occasion["property_id"], [value["name"]])


def test_an_update_brings_everything_in_step(shop: Shop) -> None:
    """C1, C5: words, price, stock, and photos: kept ones stay, in the new order; no fee."""
    product_id = shop.shirt(colors=(RED, GREEN))
    shop.run(product_id)
    shop.shirt(colors=(BLUE,))
    [before] = shop.live()

    def renewed(product: Product, session: TenantSession) -> None:
        product.title = "Red shirt"
        product.variants[0].price_minor, product.variants[0].quantity = 1999, 4
        recolour(BLUE, GREEN)(product, session)

    shop.change(product_id, renewed)
    jobs: list[Any] = []
    asked = shop.calls_of(lambda: jobs.append(shop.run(product_id, JobAction.UPDATE)))
    assert jobs[0].outcome is JobOutcome.OK, jobs[0].problem_detail
    assert asked == {
        "getListingImages": 2,
        "uploadListingImage": 1,
        "deleteListingImage": 1,
        "updateListing": 1,
        "updateListingInventory": 1,
        "getListing": 1,
    }
    [row] = shop.live()
    assert row["listing_id"] == before["listing_id"]
    assert (row["title"], row["price"], row["quantity"]) == ("Red shirt", 1999, 4)
    assert photos_of(shop, row) == shop.hashes(product_id)
    kept = {image["image_id"] for image in before["images"]}
    assert len(kept & {image["image_id"] for image in row["images"]}) == 1
    assert jobs[0].result["differences"] == 0
    assert shop.fees() == ["listing"]


def test_tags_that_were_taken_away_are_gone(shop: Shop) -> None:
    """C5: what a change does not say stays at Etsy, so nothing is said in so many words."""
    product_id = shop.shirt(tags=["vintage"])
    shop.run(product_id)
    assert [each["tags"] for each in shop.public_listings()] == [["vintage"]]
    shop.change(product_id, lambda product, _session: setattr(product, "tags", []))
    job = shop.run(product_id, JobAction.UPDATE)
    assert job.outcome is JobOutcome.OK, job.problem_detail
    assert [each["tags"] for each in shop.public_listings()] == [[]]


def test_photos_in_another_order_are_not_uploaded_again(shop: Shop) -> None:
    """C5."""
    product_id = shop.shirt(colors=(RED, GREEN, BLUE))
    shop.run(product_id)
    shop.change(product_id, recolour(BLUE, RED, GREEN))
    asked = shop.calls_of(lambda: shop.run(product_id, JobAction.UPDATE))
    assert (asked.get("uploadListingImage"), asked["updateListing"]) == (None, 2)
    [row] = shop.live()
    assert photos_of(shop, row) == shop.hashes(product_id)


def test_an_update_of_what_is_no_longer_for_sale_says_so(shop: Shop) -> None:
    """D5: the books are put right; publishing again is free within the term."""
    product_id = shop.shirt()
    shop.run(product_id)
    [row] = shop.live()
    shop.take_down(row)
    job = shop.run(product_id, JobAction.UPDATE)
    assert (job.outcome, job.problem_code) == (JobOutcome.REJECTED, "listing-ended")
    listing = shop.listing(product_id)
    assert listing is not None
    assert listing.status is ListingStatus.ENDED
    assert shop.run(product_id).outcome is JobOutcome.OK
    assert [each["listing_id"] for each in shop.ledger()] == [row["listing_id"]]
    assert shop.fees() == ["listing"]


def test_nothing_left_takes_the_listing_down(shop: Shop) -> None:
    """D5: Etsy has no listing of nothing."""
    product_id = shop.shirt()
    shop.run(product_id)

    def sold(product: Product, _session: TenantSession) -> None:
        product.variants[0].quantity = 0

    shop.change(product_id, sold)
    job = shop.run(product_id, JobAction.UPDATE)
    assert (job.outcome, (job.result or {}).get("taken_down")) == (JobOutcome.OK, True)
    assert [row["state"] for row in shop.ledger()] == ["inactive"]
    listing = shop.listing(product_id)
    assert listing is not None
    assert listing.status is ListingStatus.ENDED


def test_ending_is_proven_and_can_be_undone(shop: Shop) -> None:
    """D1, D5: two calls; the same listing goes live again, without a second fee."""
    product_id = shop.shirt()
    shop.run(product_id)
    jobs: list[Any] = []
    asked = shop.calls_of(lambda: jobs.append(shop.end(product_id)))
    assert asked == {"updateListing": 1, "getListing": 1}
    assert jobs[0].result["ended_by_us"]
    [row] = shop.ledger()
    assert row["state"] == "inactive"
    listing = shop.listing(product_id)
    assert listing is not None
    assert listing.status is ListingStatus.ENDED
    again = shop.run(product_id)
    assert again.outcome is JobOutcome.OK, again.problem_detail
    assert [each["listing_id"] for each in shop.live()] == [row["listing_id"]]
    assert shop.fees() == ["listing"]


@pytest.mark.parametrize("kind", ["lost_answer", "drop_connection", "http_500", "http_503"])
@pytest.mark.parametrize("operation", ["updateListing", "getListing"])
def test_ending_is_believed_only_when_it_was_seen(shop: Shop, operation: str, kind: str) -> None:
    """D1, D8."""
    product_id = shop.shirt()
    shop.run(product_id)
    shop.etsy.fault(operation, kind)
    job = shop.end(product_id)
    assert job.outcome is JobOutcome.OK, (job.problem_detail, shop.story(job.id))
    assert [row["state"] for row in shop.ledger()] == ["inactive"]


def test_an_ending_by_hand_is_noticed(shop: Shop) -> None:
    """D5: deleted in the shop manager; no error, and the books are right."""
    product_id = shop.shirt()
    shop.run(product_id)
    [row] = shop.live()
    shop.delete_by_hand(row)
    job = shop.end(product_id)
    assert (job.outcome, (job.result or {}).get("ended_by_us")) == (JobOutcome.OK, False)
    again = shop.run(product_id)
    assert again.outcome is JobOutcome.OK, again.problem_detail
    [live] = shop.live()
    assert live["listing_id"] != row["listing_id"]


def test_a_listing_that_our_books_lack_is_found_by_our_own_number(shop: Shop) -> None:
    """B3: never by its title."""
    product_id, other = shop.shirt(), shop.shirt()
    shop.run(product_id)
    [row] = shop.live()
    with shop.container.database.tenant(shop.tenant) as session:
        listing = shop.listing(product_id)
        session.delete(session.merge(listing))
    job = shop.run(product_id, JobAction.LINK)
    assert job.outcome is JobOutcome.OK, job.problem_detail
    found = shop.listing(product_id)
    assert found is not None
    assert (found.listing_id, found.product_version) == (str(row["listing_id"]), 0)
    nothing = shop.run(other, JobAction.LINK)
    assert (nothing.outcome, nothing.problem_code) == (JobOutcome.REJECTED, "nothing-to-link")


def test_what_is_listed_is_no_draft_any_more(shop: Shop) -> None:
    """G1: so that a later publish does not look at it."""
    product_id = shop.shirt()
    shop.run(product_id)
    with shop.container.database.tenant(shop.tenant) as session:
        assert EtsyDraftRepository(session).listing_of(product_id) is None


def test_a_connection_that_ended_blocks_and_asks_nobody(shop: Shop) -> None:
    """E1, E3: publish, update and delete alike, until the seller has agreed again."""
    product_id, other = shop.shirt(), shop.shirt()
    shop.run(product_id)
    shop.etsy.control("sellers/alice/revoke")
    first = shop.run(other)
    assert (first.outcome, first.problem_code) == (JobOutcome.BLOCKED, "etsy-grant-refused")
    calls = shop.etsy.read("calls")
    for job in (
        shop.run(other),
        shop.run(product_id, JobAction.UPDATE),
        shop.end(product_id),
        shop.run(product_id, JobAction.SYNC),
        shop.run(product_id, JobAction.LINK),
    ):
        assert (job.outcome, job.problem_fields[0]["code"]) == (JobOutcome.BLOCKED, "needs-reauth")
    assert shop.etsy.read("calls") == calls
