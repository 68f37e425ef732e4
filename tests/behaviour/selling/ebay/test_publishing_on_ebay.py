"""Publishing on eBay, against the sandbox over real HTTP, on good days and on bad ones."""

from datetime import timedelta

import pytest

from models.selling.catalog import ProductStatus
from models.selling.publishing import JobAction, JobOutcome, JobStatus, ListingStatus
from repositories.selling.catalog import ProductRepository
from tests.behaviour.selling.ebay.conftest import Shop
from tests.factories.ebay import make_photo

BLUE, RED, GREEN = (20, 40, 160), (180, 20, 20), (20, 150, 40)
CREATES = ["createOffer", "publishOffer"]


def test_a_product_is_listed_and_read_back(shop: Shop) -> None:
    """B12, C1, C3: price, quantity, photos and their order are what was sent."""
    product_id = shop.shirt(title="Blue cotton t-shirt", colors=(BLUE, RED))
    job = shop.run(product_id)
    assert (job.status, job.outcome) == (JobStatus.DONE, JobOutcome.OK), job.problem_detail
    [live] = shop.live()
    assert (live["title"], live["price"], live["currency"]) == (
        "Blue cotton t-shirt",
        "25.01",
        "USD",
    )
    assert len(live["image_urls"]) == 2
    listing = shop.listing(product_id)
    assert listing is not None
    assert listing.status is ListingStatus.LIVE
    assert listing.listing_id == live["listing_id"]
    assert listing.url == f"https://www.ebay.com/itm/{live['listing_id']}"
    assert listing.read_back["image_urls"] == live["image_urls"]
    assert listing.read_back["differences"] == []
    assert job.result == {
        "listing_id": live["listing_id"],
        "url": listing.url,
        "differences": 0,
    }


@pytest.mark.parametrize("photos", [1, 3])
def test_publishing_stays_within_its_budget_of_calls(shop: Shop, photos: int) -> None:
    """C5, E7: n photos, item, offer, publish and two to look: n + 5."""
    product_id = shop.shirt(colors=(BLUE, RED, GREEN)[:photos])
    calls = shop.calls_of(lambda: shop.run(product_id))
    assert calls == {
        "createImageFromFile": photos,
        "createOrReplaceInventoryItem": 1,
        "createOffer": 1,
        "publishOffer": 1,
        "getOffer": 1,
        "getInventoryItem": 1,
    }


def test_variants_become_one_listing(shop: Shop) -> None:
    """B7, C6: a group that varies by size; a size that is sold out is left out."""

    def sell_out_the_last(product_id: int) -> None:
        shop.change(product_id, lambda product: setattr(product.variants[2], "quantity", 0))

    product_id = shop.shirt(sizes=("M", "L", "XL"))
    sell_out_the_last(product_id)
    calls = shop.calls_of(lambda: shop.run(product_id))
    [live] = shop.live()
    assert [row["aspects"]["Size"] for row in live["variations"]] == [["M"], ["L"]]
    assert [row["price"] for row in live["variations"]] == ["25.01", "25.02"]
    assert live["quantity"] == 3
    listing = shop.listing(product_id)
    assert listing is not None
    assert listing.read_back["differences"] == []
    assert sum(calls.values()) == 1 + 2 + 2 + 1 + 1 + 2 + 1


def test_a_photo_is_uploaded_once_for_all_products(shop: Shop) -> None:
    """C4, C5."""
    first, second = shop.shirt(), shop.shirt()
    shop.run(first)
    calls = shop.calls_of(lambda: shop.run(second))
    assert "createImageFromFile" not in calls
    assert len(shop.live()) == 2


def test_photos_that_were_uploaded_before_a_failure_are_used_again(shop: Shop) -> None:
    """C4."""
    product_id = shop.shirt(colors=(BLUE, RED))
    shop.spoil("createOrReplaceInventoryItem", "http_500")
    calls = shop.calls_of(lambda: shop.run(product_id))
    assert calls["createImageFromFile"] == 2
    assert len(shop.live()) == 1


@pytest.mark.parametrize("operation", CREATES)
@pytest.mark.parametrize("kind", ["timeout_after_success", "http_500", "drop_connection"])
def test_nothing_is_listed_twice_when_an_answer_is_lost(
    shop: Shop, operation: str, kind: str
) -> None:
    """B1, B2: unknown first, then the channel is asked, then exactly one listing."""
    product_id = shop.shirt()
    shop.spoil(operation, kind)
    job_id = shop.ask(product_id)
    shop.turn()
    waiting = shop.job(job_id)
    assert (waiting.status, waiting.outcome) == (JobStatus.PENDING, JobOutcome.UNKNOWN)
    [unknown] = [step for step in shop.steps(job_id) if step.name == "unknown"]
    assert unknown.detail["evidence"]["operation"] == operation
    calls = shop.calls_of(lambda: shop.finish(job_id))
    assert shop.job(job_id).outcome is JobOutcome.OK
    assert calls["getOffers"] == 1
    assert len(shop.ebay.ledger()) == 1
    if kind == "timeout_after_success":
        assert operation not in calls


@pytest.mark.parametrize(
    "operation", ["createOffer", "publishOfferByInventoryItemGroup", "createImageFromFile"]
)
def test_variants_are_not_listed_twice_either(shop: Shop, operation: str) -> None:
    """B1, B2."""
    product_id = shop.shirt(sizes=("M", "L"))
    shop.lose_an_answer(operation)
    job = shop.run(product_id)
    assert job.outcome is JobOutcome.OK
    assert len(shop.ebay.ledger()) == 1
    assert len(shop.live()[0]["variations"]) == 2


def test_a_worker_that_died_after_listing_is_followed_by_one_that_looks(shop: Shop) -> None:
    """B2: the lease runs out between the listing and the record."""
    product_id = shop.shirt()
    shop.lose_an_answer("publishOffer")
    job_id = shop.ask(product_id)
    shop.turn()
    with shop.container.database.tenant(shop.tenant) as session:
        session.connection().exec_driver_sql(
            "UPDATE marketplace_jobs SET status = 'running', leased_until = due_at"
        )
    shop.clock.advance(timedelta(minutes=5))
    assert shop.finish(job_id).outcome is JobOutcome.OK
    assert len(shop.ebay.ledger()) == 1


def test_a_quota_makes_the_job_wait_as_long_as_ebay_asks(shop: Shop) -> None:
    """E10, C8."""
    product_id = shop.shirt()
    shop.spoil("createOrReplaceInventoryItem", "http_429", retry_after_s=90)
    job_id = shop.ask(product_id)
    shop.turn()
    job = shop.job(job_id)
    assert job.status is JobStatus.PENDING
    assert job.due_at - shop.clock.now() == timedelta(seconds=90)
    assert shop.finish(job_id).outcome is JobOutcome.OK


def test_a_token_that_ebay_has_expired_is_renewed_and_the_job_goes_on(shop: Shop) -> None:
    """E1: no attempt is lost."""
    product_id = shop.shirt()
    shop.spoil("createOffer", "expired_token")
    job = shop.run(product_id)
    assert (job.outcome, job.attempts) == (JobOutcome.OK, 1)


def test_a_revoked_account_blocks_the_job_and_needs_to_be_connected_again(shop: Shop) -> None:
    """E1: the state is told, eBay is asked once and not again."""
    product_id = shop.shirt()
    shop.ebay.control("sellers/TESTUSER_alice/revoke")
    job = shop.run(product_id)
    assert (job.outcome, job.attempts) == (JobOutcome.BLOCKED, 1)
    calls = shop.calls_of(lambda: shop.run(shop.shirt()))
    assert calls == {}
    assert shop.ebay.ledger() == []


def test_what_is_missing_is_told_without_asking_ebay(shop: Shop) -> None:
    """C6: no item, no offer, no photo reaches eBay."""
    product_id = shop.shirt(
        title="x" * 81, brand=None, condition_code=None, attributes={}, currency="EUR", colors=()
    )
    job_id = shop.ask(product_id)
    calls = shop.calls_of(shop.turn)
    job = shop.job(job_id)
    assert calls == {}
    assert (job.status, job.outcome) == (JobStatus.DONE, JobOutcome.REJECTED)
    assert {(field["field"], field["code"]) for field in job.problem_fields} >= {
        ("title", "title-too-long"),
        ("currency", "currency-not-accepted"),
        ("images", "photo-missing"),
        ("condition", "condition-missing"),
        ("brand", "aspect-missing"),
        ("attributes.size", "aspect-missing"),
    }


def test_a_refusal_of_ebays_names_the_field(shop: Shop) -> None:
    """C6, C8: eBay knows better than our cache; nothing is listed."""
    product_id = shop.shirt()
    with shop.container.database.platform() as session:
        session.connection().exec_driver_sql(
            "UPDATE product_attributes.ebay_category_aspects SET required = false"
        )
    shop.change(product_id, lambda product: setattr(product, "attributes", {}))
    job = shop.run(product_id)
    assert job.outcome is JobOutcome.REJECTED
    assert any("Size" in field["message"] for field in job.problem_fields)
    assert shop.ebay.ledger() == []
    assert shop.listing(product_id) is None


def test_a_category_that_is_new_to_us_is_learned_first(shop: Shop) -> None:
    """C6: at no cost of an attempt."""
    product_id = shop.shirt(department_code="women")
    job = shop.run(product_id)
    assert (job.outcome, job.attempts) == (JobOutcome.OK, 1)
    assert "snooze" in shop.story(job.id)
    calls = shop.calls_of(lambda: shop.run(shop.shirt(department_code="women")))
    assert "getItemAspectsForCategory" not in calls


def test_what_is_listed_is_not_listed_again(shop: Shop) -> None:
    """B7."""
    product_id = shop.shirt()
    shop.run(product_id)
    calls = shop.calls_of(lambda: shop.run(product_id))
    assert calls == {}
    again = shop.ask(product_id)
    shop.finish(again)
    assert shop.job(again).problem_code == "already-listed"
    assert len(shop.ebay.ledger()) == 1


def test_a_job_cancelled_before_the_listing_lists_nothing(shop: Shop) -> None:
    """B2: the wish is heard before the next call."""
    product_id = shop.shirt()
    shop.spoil("createOrReplaceInventoryItem", "http_503")
    job_id = shop.ask(product_id)
    shop.turn()
    with shop.container.database.tenant(shop.tenant) as session:
        session.connection().exec_driver_sql(
            "UPDATE marketplace_jobs SET cancel_requested_at = created_at"
        )
    shop.finish(job_id)
    assert shop.job(job_id).status is JobStatus.CANCELLED
    assert shop.ebay.ledger() == []


def test_an_update_brings_the_listing_in_step(shop: Shop) -> None:
    """B12, C1, E7: whole objects; new photo first, new price, new title."""
    product_id = shop.shirt()
    shop.run(product_id)
    [before] = shop.live()
    with shop.container.database.tenant(shop.tenant) as session:
        product = ProductRepository(session).locked(product_id)
        assert product is not None
        product.images[0].position = 2
        product.images.append(make_photo(session, shop.container.object_store, RED, 1))
        product.title, product.variants[0].price_minor = "Blue shirt, really", 1999
        product.variants[0].quantity = 7
        product.version += 1
    calls = shop.calls_of(lambda: shop.run(product_id, JobAction.UPDATE))
    [after] = shop.live()
    assert after["listing_id"] == before["listing_id"]
    assert (after["title"], after["price"], after["quantity"]) == ("Blue shirt, really", "19.99", 7)
    assert len(after["image_urls"]) == 2
    assert after["image_urls"][1] == before["image_urls"][0]
    assert calls == {
        "createImageFromFile": 1,
        "createOrReplaceInventoryItem": 1,
        "updateOffer": 1,
        "getOffer": 1,
        "getInventoryItem": 1,
    }
    listing = shop.listing(product_id)
    assert listing is not None
    assert (listing.product_version, listing.read_back["differences"]) == (2, [])


def test_an_update_of_variants_removes_what_is_gone_and_tells_what_is_new(shop: Shop) -> None:
    """E7."""
    product_id = shop.shirt(sizes=("M", "L", "XL"))
    shop.run(product_id)
    shop.change(product_id, lambda product: product.variants.pop(1))
    job = shop.run(product_id, JobAction.UPDATE)
    assert job.outcome is JobOutcome.OK, job.problem_detail
    [live] = shop.live()
    assert [row["aspects"]["Size"] for row in live["variations"]] == [["M"], ["XL"]]
    assert job.result is not None
    assert job.result["variants_left_out"] == []


def test_an_update_may_sell_out(shop: Shop) -> None:
    """B12: nothing in stock is fine for what is listed; the listing stays."""
    product_id = shop.shirt()
    shop.run(product_id)
    shop.change(product_id, lambda product: setattr(product.variants[0], "quantity", 0))
    job = shop.run(product_id, JobAction.UPDATE)
    assert job.outcome is JobOutcome.OK, job.problem_detail
    [live] = shop.live()
    assert live["quantity"] == 0


@pytest.mark.parametrize(
    "operation", ["createOrReplaceInventoryItem", "updateOffer", "createImageFromFile"]
)
@pytest.mark.parametrize("kind", ["timeout_after_success", "http_500"])
def test_an_update_survives_lost_answers(shop: Shop, operation: str, kind: str) -> None:
    """B1, B12."""
    product_id = shop.shirt()
    shop.run(product_id)
    with shop.container.database.tenant(shop.tenant) as session:
        product = ProductRepository(session).locked(product_id)
        assert product is not None
        product.images.append(make_photo(session, shop.container.object_store, RED, 2))
        product.variants[0].price_minor = 1500
        product.version += 1
    shop.spoil(operation, kind)
    job = shop.run(product_id, JobAction.UPDATE)
    assert job.outcome is JobOutcome.OK
    [live] = shop.live()
    assert live["price"] == "15.00"
    assert len(live["image_urls"]) == 2


def test_updating_what_has_ended_on_ebay_says_so(shop: Shop) -> None:
    """C1: our books follow eBay."""
    product_id = shop.shirt()
    shop.run(product_id)
    shop.ebay.shop("alice").delete(f"/inventory_item/{shop.live()[0]['sku']}")
    job = shop.run(product_id, JobAction.UPDATE)
    assert (job.outcome, job.problem_code) == (JobOutcome.REJECTED, "listing-ended")
    listing = shop.listing(product_id)
    assert listing is not None
    assert listing.status is ListingStatus.ENDED


@pytest.mark.parametrize("sizes", [("M",), ("M", "L")])
def test_a_listing_is_ended_and_proven_ended(shop: Shop, sizes: tuple[str, ...]) -> None:
    """B2: one call to end it, one look at each offer."""
    product_id = shop.shirt(sizes=sizes)
    shop.run(product_id)
    calls = shop.calls_of(lambda: shop.run(product_id, JobAction.DELETE))
    assert shop.live() == []
    assert sum(calls.values()) == 1 + len(sizes)
    listing = shop.listing(product_id)
    assert listing is not None
    assert listing.status is ListingStatus.ENDED
    again = shop.run(product_id, JobAction.DELETE)
    assert again.outcome is JobOutcome.OK
    assert again.result is not None
    assert again.result["ended_by_us"] is False


@pytest.mark.parametrize("sizes", [("M",), ("M", "L")])
@pytest.mark.parametrize("kind", ["timeout_after_success", "http_500", "http_429"])
def test_ending_survives_lost_answers(shop: Shop, kind: str, sizes: tuple[str, ...]) -> None:
    """B1."""
    product_id = shop.shirt(sizes=sizes)
    shop.run(product_id)
    shop.spoil("*", kind)
    job = shop.run(product_id, JobAction.DELETE)
    assert job.outcome is JobOutcome.OK
    assert shop.live() == []


def test_what_has_ended_on_ebay_already_is_no_failure(shop: Shop) -> None:
    """B2: proven by reading."""
    product_id = shop.shirt()
    shop.run(product_id)
    listing = shop.listing(product_id)
    assert listing is not None
    [offer_id] = listing.remote["offers"].values()
    assert shop.ebay.shop("alice").post(f"/offer/{offer_id}/withdraw").status_code == 200
    job = shop.run(product_id, JobAction.DELETE)
    assert job.outcome is JobOutcome.OK
    assert job.result is not None
    assert job.result["ended_by_us"] is False


def test_what_was_ended_can_be_published_again(shop: Shop) -> None:
    """B7: the old offer is found and renewed; there is one live listing."""
    product_id = shop.shirt()
    shop.run(product_id)
    shop.run(product_id, JobAction.DELETE)
    shop.change(product_id, lambda product: setattr(product.variants[0], "price_minor", 3300))
    job = shop.run(product_id)
    assert job.outcome is JobOutcome.OK
    [live] = shop.live()
    assert live["price"] == "33.00"
    assert len(shop.ebay.ledger()) == 2


def test_a_product_may_change_its_shape_between_two_listings(shop: Shop) -> None:
    """B7: from variants to a single one; the former group does not stand in the way."""
    product_id = shop.shirt(sizes=("M", "L"))
    shop.run(product_id)

    def only_m(product: object) -> None:
        assert hasattr(product, "variants")
        product.variants.pop()

    shop.change(product_id, only_m)
    refused = shop.run(product_id, JobAction.UPDATE)
    assert refused.problem_code == "listing-shape-changed"
    shop.run(product_id, JobAction.DELETE)
    job = shop.run(product_id)
    assert job.outcome is JobOutcome.OK, job.problem_detail
    assert len(shop.live()) == 1


def test_a_lost_listing_is_found_again_by_its_sku(shop: Shop) -> None:
    """B2: never by its title."""
    product_id = shop.shirt(sizes=("M", "L"))
    shop.run(product_id)
    with shop.container.database.tenant(shop.tenant) as session:
        session.connection().exec_driver_sql("DELETE FROM channel_listings")
    job = shop.run(product_id, JobAction.LINK)
    assert job.outcome is JobOutcome.OK
    listing = shop.listing(product_id)
    assert listing is not None
    assert listing.listing_id == shop.live()[0]["listing_id"]
    assert shop.run(product_id, JobAction.UPDATE).outcome is JobOutcome.OK
    other = shop.run(shop.shirt(), JobAction.LINK)
    assert other.problem_code == "nothing-to-link"


def test_a_draft_is_not_published(shop: Shop) -> None:
    """C6."""
    job = shop.run(shop.shirt(status=ProductStatus.DRAFT))
    assert job.outcome is JobOutcome.REJECTED
    assert [field["code"] for field in job.problem_fields] == ["not-active"]
