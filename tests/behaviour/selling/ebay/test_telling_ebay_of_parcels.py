"""Parcels: eBay is told of each once, whatever happens to the answer."""

from typing import Any

import pytest

from models.selling.orders import OrderStatus
from models.selling.publishing import JobAction, JobOutcome, JobStatus
from tests.behaviour.selling.ebay.conftest import Shop
from tests.behaviour.selling.ebay.test_following_ebay_orders import listed
from tests.serving import Seller, assert_problem

ORDERS = "/api/v1/orders"
PARCEL = {"carrier": "USPS", "tracking": "9400 1000-1"}


@pytest.fixture
def order(shop: Shop, connected: Seller) -> dict[str, Any]:
    """An order of two units of one thing, paid."""
    _, listing_id = listed(shop, quantity=3)
    shop.ebay.buy(listing_id, quantity=2)
    shop.fetch_orders()
    [found] = connected.http.get(ORDERS).json()["items"]
    order: dict[str, Any] = found
    return order


def ship(seller: Seller, order: dict[str, Any], **changes: Any) -> dict[str, Any]:
    answer = seller.http.post(f"{ORDERS}/{order['id']}/shipments", json={**PARCEL, **changes})
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    return found


def parcels(shop: Shop) -> list[dict[str, Any]]:
    """In eBay's own books."""
    orders = shop.ebay.control("orders", method="GET")["orders"]
    return [parcel for order in orders for parcel in order["parcels"]]


def shown(seller: Seller, order: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = seller.http.get(f"{ORDERS}/{order['id']}").json()["shipments"]
    return found


def test_ebay_is_told_of_a_parcel_and_the_order_is_shipped(
    shop: Shop, connected: Seller, order: dict[str, Any]
) -> None:
    """ST26: carrier and tracking number as eBay takes them."""
    queued = ship(connected, order)
    assert (queued["status"], queued["tracking"]) == ("waiting", "940010001")
    job = shop.finish(queued["job_id"])
    assert (job.action, job.outcome, job.result) == (
        JobAction.SHIP,
        JobOutcome.OK,
        {"told": 1, "refused": 0},
    )
    [parcel] = parcels(shop)
    assert (parcel["tracking"], list(parcel["units"].values())) == ("940010001", [2])
    [told] = shown(connected, order)
    assert (told["status"], told["remote_id"]) == ("told", parcel["fulfillment_id"])
    shop.fetch_orders()
    assert shop.orders()[0].status is OrderStatus.SHIPPED


def test_a_lost_answer_is_looked_up_and_not_repeated(
    shop: Shop, connected: Seller, order: dict[str, Any]
) -> None:
    """B1, B2: a second call would be a second parcel."""
    queued = ship(connected, order)
    shop.lose_an_answer("createShippingFulfillment")
    shop.turn(shop.job(queued["job_id"]).lane)
    job = shop.job(queued["job_id"])
    assert (job.status, job.outcome) == (JobStatus.PENDING, JobOutcome.UNKNOWN)
    assert shown(connected, order)[0]["status"] == "sending"
    assert shop.finish(job.id).outcome is JobOutcome.OK
    assert len(parcels(shop)) == 1
    [told] = shown(connected, order)
    assert (told["status"], told["remote_id"]) == ("told", parcels(shop)[0]["fulfillment_id"])
    assert shop.calls()["createShippingFulfillment"] == 1


@pytest.mark.parametrize("kind", ["timeout_before", "drop_connection", "http_500", "http_503"])
def test_a_call_that_was_never_carried_out_is_made_again(
    shop: Shop, connected: Seller, order: dict[str, Any], kind: str
) -> None:
    """B1: after a look."""
    queued = ship(connected, order)
    shop.spoil("createShippingFulfillment", kind)
    assert shop.finish(queued["job_id"]).outcome is JobOutcome.OK
    assert len(parcels(shop)) == 1
    assert shop.calls()["getShippingFulfillments"] == 1


def test_a_wait_that_ebay_asks_for_leaves_no_doubt(
    shop: Shop, connected: Seller, order: dict[str, Any]
) -> None:
    """E8: 429 means that nothing was done."""
    queued = ship(connected, order)
    shop.spoil("createShippingFulfillment", "http_429", retry_after_s=30)
    assert shop.finish(queued["job_id"]).outcome is JobOutcome.OK
    assert "getShippingFulfillments" not in shop.calls()
    assert len(parcels(shop)) == 1


def test_parcels_that_come_meanwhile_are_one_job_and_a_refused_one_stops_no_other(
    shop: Shop, connected: Seller, order: dict[str, Any]
) -> None:
    """B5: each has a state of its own."""
    [line] = order["lines"]
    one = [{"line_id": line["id"], "quantity": 1}]
    first = ship(connected, order, lines=one)
    second = ship(connected, order, lines=one, tracking="94002")
    assert first["job_id"] == second["job_id"]
    # What eBay does not know it refuses: the line of the first parcel gets another name.
    with shop.container.database.tenant(shop.tenant) as session:
        session.connection().exec_driver_sql(
            f"UPDATE order_shipments SET units = '{{\"404\": 1}}' WHERE id = {first['id']}"
        )
    job = shop.finish(first["job_id"])
    assert job.result == {"told": 1, "refused": 1}
    refused, told = shown(connected, order)
    assert (refused["status"], told["status"]) == ("refused", "told")
    assert "line of the order" in refused["problem"]
    assert [parcel["tracking"] for parcel in parcels(shop)] == ["94002"]
    assert ship(connected, order, tracking="94003")["units"] == {line["remote_line_id"]: 1}


def test_what_cannot_be_sent_is_refused_and_nothing_is_queued(
    shop: Shop, connected: Seller, other_seller: Seller, order: dict[str, Any]
) -> None:
    """ST48: too many units, lines of nobody, an order of somebody else, one that is done."""
    path = f"{ORDERS}/{order['id']}/shipments"
    [line] = order["lines"]
    for lines in (
        [{"line_id": line["id"], "quantity": 3}],
        [{"line_id": 2**40, "quantity": 1}],
        [{"line_id": line["id"], "quantity": 1}] * 2,
    ):
        refused = connected.http.post(path, json={**PARCEL, "lines": lines})
        assert_problem(refused, 422, "shipment-invalid")
    refused = connected.http.post(path, json={**PARCEL, "tracking": " - "})
    assert_problem(refused, 422, "shipment-invalid")
    assert_problem(other_seller.http.post(path, json=PARCEL), 404, "order-not-found")
    assert shop.jobs(JobAction.SHIP) == []
    ship(connected, order)
    assert_problem(connected.http.post(path, json=PARCEL), 409, "order-not-shippable")


@pytest.mark.parametrize("fate", ["unpaid", "cancelled"])
def test_an_order_that_is_not_to_be_sent_is_not(shop: Shop, connected: Seller, fate: str) -> None:
    """A8."""
    _, listing_id = listed(shop)
    order_id = shop.ebay.buy(listing_id, paid=fate != "unpaid")["order_id"]
    if fate == "cancelled":
        shop.ebay.control(f"orders/{order_id}/cancel")
    shop.fetch_orders()
    [found] = connected.http.get(ORDERS).json()["items"]
    refused = connected.http.post(f"{ORDERS}/{found['id']}/shipments", json=PARCEL)
    assert_problem(refused, 409, "order-not-shippable")


def test_the_same_request_sent_twice_is_one_parcel(
    shop: Shop, connected: Seller, order: dict[str, Any]
) -> None:
    """ST51: by its Idempotency-Key."""
    path, key = f"{ORDERS}/{order['id']}/shipments", {"Idempotency-Key": "parcel-1"}
    first = connected.http.post(path, json=PARCEL, headers=key)
    again = connected.http.post(path, json=PARCEL, headers=key)
    assert again.json() == first.json()
    shop.finish(first.json()["job_id"])
    assert len(parcels(shop)) == 1
