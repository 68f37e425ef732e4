"""Parcels: Etsy is told of each once, and so the buyer hears once, whatever happens to answers."""

from typing import Any

import pytest

from models.selling.orders import OrderStatus
from models.selling.publishing import JobAction, JobOutcome, JobStatus
from tests.behaviour.selling.etsy.conftest import Shop
from tests.behaviour.selling.etsy.test_following_etsy_orders import buy, fetch, listed, orders
from tests.serving import Seller

ORDERS = "/api/v1/orders"
PARCEL = {"carrier": "usps", "tracking": "9400 1000-1"}


@pytest.fixture
def order(shop: Shop, connected: Seller) -> dict[str, Any]:
    """An order of one thing, paid."""
    _, listing_id = listed(shop, quantity=3)
    buy(shop, listing_id)
    fetch(shop)
    [found] = connected.http.get(ORDERS).json()["items"]
    order: dict[str, Any] = found
    return order


def ship(seller: Seller, order: dict[str, Any], **changes: Any) -> dict[str, Any]:
    answer = seller.http.post(f"{ORDERS}/{order['id']}/shipments", json={**PARCEL, **changes})
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    return found


def mails(shop: Shop) -> list[str]:
    """Tracking numbers that buyers were written to about."""
    return [mail["tracking_code"] for mail in shop.etsy.read("ledger")["emails"]]


def shown(seller: Seller, order: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = seller.http.get(f"{ORDERS}/{order['id']}").json()["shipments"]
    return found


def test_etsy_is_told_of_a_parcel_and_the_order_is_shipped(
    shop: Shop, connected: Seller, order: dict[str, Any]
) -> None:
    """ST26: one mail to the buyer."""
    job = shop.finish(ship(connected, order)["job_id"])
    assert (job.action, job.outcome, job.result) == (
        JobAction.SHIP,
        JobOutcome.OK,
        {"told": 1, "refused": 0},
    )
    assert mails(shop) == ["940010001"]
    assert [each["status"] for each in shown(connected, order)] == ["told"]
    fetch(shop)
    assert orders(shop)[0].status is OrderStatus.SHIPPED


def test_a_lost_answer_is_looked_up_and_the_buyer_hears_once(
    shop: Shop, connected: Seller, order: dict[str, Any]
) -> None:
    """B1, B2."""
    queued = ship(connected, order)
    shop.etsy.fault("createReceiptShipment", "lost_answer")
    shop.turn(shop.job(queued["job_id"]).lane)
    job = shop.job(queued["job_id"])
    assert (job.status, job.outcome) == (JobStatus.PENDING, JobOutcome.UNKNOWN)
    assert shown(connected, order)[0]["status"] == "sending"
    assert shop.finish(job.id).outcome is JobOutcome.OK
    assert mails(shop) == ["940010001"]
    assert shop.etsy.calls("createReceiptShipment") == 1


@pytest.mark.parametrize("kind", ["drop_connection", "http_500", "http_503"])
def test_a_call_that_was_never_carried_out_is_made_again(
    shop: Shop, connected: Seller, order: dict[str, Any], kind: str
) -> None:
    """B1: after a look."""
    queued = ship(connected, order)
    shop.etsy.fault("createReceiptShipment", kind)
    assert shop.finish(queued["job_id"]).outcome is JobOutcome.OK
    assert mails(shop) == ["940010001"]
    assert shop.etsy.calls("getShopReceipt") == 1


def test_a_carrier_that_etsy_does_not_know_is_refused_and_can_be_mended(
    shop: Shop, connected: Seller, order: dict[str, Any]
) -> None:
    """G6: with what to write instead."""
    job = shop.finish(ship(connected, order, carrier="pigeon")["job_id"])
    assert job.result == {"told": 0, "refused": 1}
    [refused] = shown(connected, order)
    assert refused["status"] == "refused"
    assert "carrier" in refused["problem"]
    assert mails(shop) == []
    shop.finish(ship(connected, order, carrier="other")["job_id"])
    assert mails(shop) == ["940010001"]


def test_an_ended_connection_keeps_the_parcel_for_later(
    shop: Shop, connected: Seller, order: dict[str, Any]
) -> None:
    """E1: it is not lost."""
    queued = ship(connected, order)
    shop.etsy.control("sellers/alice/revoke")
    assert shop.finish(queued["job_id"]).outcome is JobOutcome.BLOCKED
    assert shown(connected, order)[0]["status"] == "waiting"
    assert mails(shop) == []
