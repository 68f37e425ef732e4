"""The whole wardrobe against our books: absence proves nothing, and many gone at once wait."""

from collections.abc import Mapping
from typing import Any

import pytest

from models.selling.publishing import JobAction, JobOutcome, ListingStatus
from repositories.selling.vinted_listings import VintedListingRepository
from services.selling.vinted import wardrobe
from services.selling.vinted.sync import CONFIRM_ENDED
from tests.behaviour.selling.vinted.channel.conftest import Shop


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two items a page, so that a few listings are several pages."""
    monkeypatch.setattr(wardrobe, "WARDROBE_PAGES", (2,))


def listed(shop: Shop, count: int) -> list[int]:
    found = [shop.shirt(colors=((40 * number, 90, 10),)) for number in range(count)]
    for product_id in found:
        assert shop.run(product_id).outcome is JobOutcome.OK
    return found


def compared(shop: Shop, **payload: Any) -> Mapping[str, Any]:
    job = shop.run(None, JobAction.SYNC, payload=payload)
    assert job.outcome is JobOutcome.OK, job.problem_detail
    assert job.result is not None
    return job.result


def live(shop: Shop) -> int:
    with shop.container.database.tenant(shop.tenant) as session:
        return len(VintedListingRepository(session).live())


def end(shop: Shop, product_id: int) -> None:
    [row] = shop.live(product_id)
    shop.site.control(f"items/{row['item_id']}/delete")


@pytest.mark.parametrize("kind", ["fewer_pages", "empty_page"])
def test_part_of_a_wardrobe_marks_nothing(shop: Shop, kind: str) -> None:
    """A4: page 1 of several that says it was all, and a page that comes empty."""
    products = listed(shop, 5)
    shop.site.control("wardrobe", {"kind": kind, "page": 1 if kind == "fewer_pages" else 2})
    result = compared(shop)
    assert (result["ended"], result["held_back"], result["sold"]) == (0, 0, 0)
    assert live(shop) == len(products)


def test_what_is_missing_in_a_whole_wardrobe_is_asked_for_by_its_number(shop: Shop) -> None:
    """A4: and has ended, which is not sold."""
    gone, *others = listed(shop, 4)
    end(shop, gone)
    calls = shop.calls_of(lambda: compared(shop))
    assert calls == {"getWardrobe": 2, "getItem": 1}
    listing = shop.listing(gone)
    assert listing is not None
    assert listing.status is ListingStatus.ENDED
    assert live(shop) == len(others)
    assert shop.product(gone).quantity == 1


def test_many_gone_at_once_wait_for_the_sellers_word(shop: Shop) -> None:
    """A4: a mass change."""
    products = listed(shop, 6)
    for product_id in products:
        end(shop, product_id)
    result = compared(shop)
    assert (result["ended"], result["held_back"]) == (0, 6)
    assert live(shop) == 6
    result = compared(shop, **{CONFIRM_ENDED: True})
    assert (result["ended"], result["held_back"]) == (6, 0)
    assert live(shop) == 0


def test_what_vinted_calls_sold_has_ended_and_its_order_is_fetched(shop: Shop) -> None:
    """A1, A10: the order takes the unit, not the look."""
    [product_id] = listed(shop, 1)
    [row] = shop.live(product_id)
    shop.site.control("orders", {"item_id": row["item_id"]})
    assert compared(shop)["sold"] == 1
    assert shop.product(product_id).quantity == 1
    [order] = shop.jobs(JobAction.ORDERS)
    assert shop.finish(order.id).outcome is JobOutcome.OK
    assert shop.product(product_id).quantity == 0
