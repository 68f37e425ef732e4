"""Live listings are looked at by themselves, each at least daily, from what calls can be spared."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from backend.subscriptions import subscriptions
from models.selling.publishing import (
    Channel,
    JobAction,
    JobOutcome,
    JobStatus,
    ListingStatus,
    MarketplaceJob,
)
from services.accounts.outbox.relaying import OutboxRelay
from services.gateways.ebay.quotas import EbayQuotas
from services.gateways.quotas import DAY, Quota
from services.selling.drift import comparing
from tests.behaviour.selling.ebay.conftest import Shop, sign_in_again
from tests.behaviour.selling.ebay.test_comparing_with_ebay import at_ebay, drifted
from tests.behaviour.selling.ebay.test_following_ebay_orders import (
    listed,
    sku_of_silently,
    tick,
)
from tests.serving import Seller

A_DAY = timedelta(days=1)


def looked(shop: Shop) -> MarketplaceJob:
    """A day later: the tick, and the job that it asked for."""
    shop.clock.advance(A_DAY)
    assert tick(shop, "compare-listings") == "1 accounts of 1 shops"
    [job] = [each for each in shop.jobs(JobAction.SYNC) if each.is_live]
    return shop.finish(job.id)


def told(shop: Shop, seller: Seller) -> list[tuple[str, str]]:
    container = shop.container
    relay = OutboxRelay(container.database, subscriptions(shop.clock), shop.clock, container.meters)
    while relay.turn():
        pass
    sign_in_again(seller)
    found = seller.http.get("/api/v1/notifications").json()["items"]
    return [(each["kind"], each["message"]) for each in found if each["kind"] != "shop_opened"]


def withdraw_all(shop: Shop) -> None:
    alice = shop.ebay.shop("alice")
    for row in shop.live():
        assert alice.post(f"/offer/{row['offer_ids'][0]}/withdraw").status_code == 200


def test_a_listing_is_looked_at_once_a_day(shop: Shop, connected: Seller) -> None:
    """A6: not before it is due; by a job that goes behind all that sellers asked for."""
    listed(shop)
    assert tick(shop, "compare-listings") == "0 accounts of 1 shops"
    job = looked(shop)
    assert (job.outcome, job.priority) == (JobOutcome.OK, 200)
    assert job.result is not None
    assert job.result["looked"] == 1
    assert tick(shop, "compare-listings") == "0 accounts of 1 shops"
    assert len(shop.jobs(JobAction.SYNC)) == 1


def test_what_differs_is_told_once(shop: Shop, connected: Seller) -> None:
    """A6: and mended by nobody."""
    product_id, _ = listed(shop, quantity=2)
    offer_id = shop.ebay.ledger()[0]["offer_ids"][0]
    offer = {"offerId": offer_id, "availableQuantity": 1}
    price = {"price": {"value": "1.00", "currency": "USD"}}
    at_ebay(shop, sku_of_silently(shop, product_id), {"offers": [{**offer, **price}]})
    looked(shop)
    [(kind, message)] = told(shop, connected)
    assert kind == "listings_differ"
    assert "1 differ from your record" in message
    assert len(drifted(connected)) == 1
    looked(shop)
    assert len(told(shop, connected)) == 1
    assert shop.live()[0]["price"] == "1.00"


def test_one_that_ended_there_is_found_and_was_not_sold(shop: Shop, connected: Seller) -> None:
    """A3, A4: it was asked for by its id."""
    product_id, _ = listed(shop)
    withdraw_all(shop)
    job = looked(shop)
    assert job.result is not None
    assert job.result["ended"] == 1
    row = shop.listing(product_id)
    assert row is not None
    assert row.status is ListingStatus.ENDED
    assert (shop.stock(product_id), shop.orders()) == (1, [])
    assert [kind for kind, _ in told(shop, connected)] == ["listings_differ"]


def test_many_gone_at_once_are_not_believed_and_told_once(shop: Shop, connected: Seller) -> None:
    """A4: the brake holds whoever looks, and however often."""
    products = [listed(shop)[0] for _ in range(6)]
    withdraw_all(shop)
    for _ in range(2):
        job = looked(shop)
        assert job.result is not None
        assert (job.result["ended"], job.result["held_back"]) == (0, 6)
        rows = [shop.listing(each) for each in products]
        assert {row.status for row in rows if row} == {ListingStatus.LIVE}
    assert [kind for kind, _ in told(shop, connected)] == ["listings_held_back"]
    assert sum(shop.stock(each) for each in products) == 6


def test_many_do_not_slip_through_a_few_at_a_time(shop: Shop, connected: Seller) -> None:
    """A4: five in the morning and one at noon are six in a day."""
    products = [listed(shop)[0] for _ in range(6)]
    alice = shop.ebay.shop("alice")
    first, *others = [row["offer_ids"][0] for row in shop.live()]
    for offer_id in others:
        alice.post(f"/offer/{offer_id}/withdraw")
    assert (looked(shop).result or {})["ended"] == 5
    alice.post(f"/offer/{first}/withdraw")
    shop.clock.advance(timedelta(hours=21))
    tick(shop, "compare-listings")
    [job] = [each for each in shop.jobs(JobAction.SYNC) if each.is_live]
    assert (shop.finish(job.id).result or {})["held_back"] == 1
    row = shop.listing(products[0])
    assert row is not None
    assert row.status is ListingStatus.LIVE


def test_a_job_looks_at_a_bounded_number_the_longest_due_first(
    shop: Shop, connected: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A6, B15."""
    first = [listed(shop)[0] for _ in range(2)]
    shop.clock.advance(timedelta(hours=1))
    last, _ = listed(shop)
    monkeypatch.setattr(comparing, "SLICE", 2)
    assert (looked(shop).result or {})["looked"] == 2
    rows = [shop.listing(each) for each in (*first, last)]
    assert [row.checked_at == shop.clock.now() for row in rows if row] == [True, True, False]
    tick(shop, "compare-listings")
    [job] = [each for each in shop.jobs(JobAction.SYNC) if each.is_live]
    assert (shop.finish(job.id).result or {})["looked"] == 1


def test_the_background_leaves_half_of_the_days_calls_to_sellers(
    shop: Shop, connected: Seller
) -> None:
    """E8, G14: what cannot be afforded is put off, and nothing waits for it."""
    for _ in range(3):
        listed(shop)
    calls = Quota("ebay.calls", 4, DAY)
    handler: Any = shop.handlers[Channel.EBAY, JobAction.SYNC]
    sight = handler._sight  # noqa: SLF001
    sight._shop = replace(sight._shop, quotas=EbayQuotas(calls.limit))  # noqa: SLF001
    shop.clock.advance(A_DAY)
    for _ in range(2):
        shop.container.call_ledger.pay([calls], "")
    tick(shop, "compare-listings")
    [job] = [each for each in shop.jobs(JobAction.SYNC) if each.is_live]
    asked = shop.calls_of(lambda: shop.finish(job.id))
    assert asked == {}
    ended = shop.job(job.id)
    assert (ended.status, ended.outcome) == (JobStatus.DONE, JobOutcome.OK)
    assert {"looked": 0, "put_off": 3}.items() <= (ended.result or {}).items()


def test_a_shop_that_ebay_does_not_let_in_is_not_asked_for(shop: Shop, connected: Seller) -> None:
    """E1: no job that could only end blocked."""
    listed(shop)
    connected.http.delete("/api/v1/channels/ebay")
    shop.clock.advance(A_DAY)
    assert tick(shop, "compare-listings") == "0 accounts of 1 shops"
    assert shop.jobs(JobAction.SYNC) == []
