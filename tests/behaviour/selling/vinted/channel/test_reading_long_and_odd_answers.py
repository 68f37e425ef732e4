"""Answers that are longer than a browser passes on, or that are not what was asked for."""

import pytest

from backend.container import Container
from models.selling.publishing import JobAction, JobOutcome, ListingStatus
from models.selling.vinted import VintedCommand
from repositories.selling.vinted import VintedCommandRepository
from services.selling.publishing.steering import JobSteering
from services.selling.vinted import wardrobe
from tests.behaviour.selling.vinted.channel.conftest import Shop
from tests.contracts.vinted_site import VintedBrowser, VintedSite


def listed(shop: Shop, count: int = 1) -> list[int]:
    found = [shop.shirt(colors=((40 * number, 90, 10),)) for number in range(count)]
    for product_id in found:
        assert shop.run(product_id).outcome is JobOutcome.OK
    return found


def retry(shop: Shop, job_id: int) -> None:
    with shop.container.database.tenant(shop.tenant) as session:
        JobSteering(shop.clock).retry(session, job_id)


def commands(container: Container, shop: Shop, job_id: int) -> list[VintedCommand]:
    with container.database.tenant(shop.tenant) as session:
        return list(VintedCommandRepository(session).of_job(job_id))


def test_a_page_that_cannot_be_read_is_asked_for_again(shop: Shop, site: VintedSite) -> None:
    """A4, ST37."""
    listed(shop)
    site.control("wardrobe", {"kind": "no_list", "page": 1, "times": 1})
    job_id = shop.ask(None, JobAction.SYNC)
    calls = shop.calls_of(lambda: shop.finish(job_id))
    job = shop.job(job_id)
    assert (job.outcome, calls) == (JobOutcome.OK, {"getWardrobe": 2}), job.problem_detail
    assert job.result is not None
    assert (job.result["live"], job.result["partial"]) == (1, None)


def test_one_that_never_can_ends_the_job_and_the_sellers_retry_asks_anew(
    shop: Shop, site: VintedSite
) -> None:
    """A4, ST37: one request for each attempt, and nothing is marked."""
    [product_id] = listed(shop)
    site.control("wardrobe", {"kind": "no_list", "page": 1})
    job_id = shop.ask(None, JobAction.SYNC)
    calls = shop.calls_of(lambda: shop.finish(job_id))
    job = shop.job(job_id)
    assert (job.outcome, job.problem_code) == (JobOutcome.BLOCKED, "outside-unreadable")
    assert job.problem_detail == "Vinted's answer lacks items."
    assert calls == {"getWardrobe": job.max_attempts}
    listing = shop.listing(product_id)
    assert listing is not None
    assert listing.status is ListingStatus.LIVE
    site.control("wardrobe", method="DELETE")
    retry(shop, job_id)
    calls = shop.calls_of(lambda: shop.finish(job_id))
    assert (shop.job(job_id).outcome, calls) == (JobOutcome.OK, {"getWardrobe": 1})


def test_a_lost_deed_is_not_repeated_because_the_wardrobe_cannot_be_read(
    shop: Shop, site: VintedSite
) -> None:
    """B1, ST37: each look asks anew, and the deed waits for one that can be read."""
    product_id = shop.shirt()
    site.fault("createDraft", "timeout_after_success")
    site.control("wardrobe", {"kind": "no_list", "page": 1})
    job_id = shop.ask(product_id)
    calls = shop.calls_of(lambda: shop.finish(job_id))
    job = shop.job(job_id)
    assert job.problem_code == "outside-unreadable"
    assert (calls["createDraft"], calls.get("completeDraft")) == (1, None)
    assert calls["getWardrobe"] > 1
    site.control("wardrobe", method="DELETE")
    retry(shop, job_id)
    calls = shop.calls_of(lambda: shop.finish(job_id))
    assert shop.job(job_id).outcome is JobOutcome.OK, shop.job(job_id).problem_detail
    assert (calls.get("createDraft"), calls["getWardrobe"]) == (None, 1)
    assert len(shop.items(product_id)) == 1


def test_pages_that_are_too_long_are_asked_for_in_shorter_ones(
    shop: Shop, seller: VintedBrowser, site: VintedSite, container: Container
) -> None:
    """ST37: where rows show all photos; known for the rest of the job."""
    listed(shop)
    for _ in range(5):
        seller.published(count=20)
    site.control("site", {"all_photos": True})
    job_id = shop.ask(None, JobAction.SYNC)
    calls = shop.calls_of(lambda: shop.finish(job_id))
    job = shop.job(job_id)
    assert job.outcome is JobOutcome.OK, job.problem_detail
    assert calls == {"getWardrobe": 4}
    assert {
        (each.query["per_page"], each.query["page"], each.truncated)
        for each in commands(container, shop, job_id)
    } == {("48", "1", True), ("12", "1", True), ("4", "1", False), ("4", "2", False)}
    assert job.result is not None
    assert (job.result["live"], job.result["partial"]) == (1, None)


def test_what_is_reserved_is_looked_at_again_on_the_page_that_shows_it(
    shop: Shop, site: VintedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A9: and not on the first page alone: a buyer pays between two attempts."""
    monkeypatch.setattr(wardrobe, "WARDROBE_PAGES", (2,))
    product_id, *_others = listed(shop, 3)
    [row] = shop.live(product_id)
    site.control(f"items/{row['item_id']}/reserve")
    job_id = shop.ask(product_id, JobAction.DELETE)
    shop.turn(JobAction.DELETE.lane)
    assert "reserved" in (shop.job(job_id).problem_detail or "")
    site.control(f"items/{row['item_id']}/release")
    site.control("orders", {"item_id": row["item_id"]})
    job = shop.finish(job_id)
    assert job.outcome is JobOutcome.OK, job.problem_detail
    assert job.result is not None
    assert (job.result["sold"], job.result["ended_by_us"]) == (True, False)
