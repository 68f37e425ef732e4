"""Buyers of the sandbox Etsy, and what a seller does about them."""

from typing import Any

import httpx
import pytest

from tests.contracts.etsy_calls import TRACKING, sizes
from tests.contracts.etsy_shop import EtsyShop, EtsySite


def order(shop: EtsyShop, **body: Any) -> dict[str, Any]:
    """Somebody buys."""
    row: dict[str, Any] = shop.site.control("orders", body)
    return row


def receipts(shop: EtsyShop, **query: Any) -> list[int]:
    """Numbers of the receipts that a query finds."""
    answer = shop.call("GET", f"{shop.path}/receipts", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.json()["count"] == len(answer.json()["results"])
    return [row["receipt_id"] for row in answer.json()["results"]]


def ship(shop: EtsyShop, receipt_id: int, **body: Any) -> httpx.Response:
    """Tell the buyer of a parcel."""
    return shop.call("POST", f"{shop.path}/receipts/{receipt_id}/tracking", json=body)


def receipt(shop: EtsyShop, receipt_id: int) -> dict[str, Any]:
    """A receipt as it is now."""
    found: dict[str, Any] = shop.call("GET", f"{shop.path}/receipts/{receipt_id}").json()
    return found


def test_the_last_unit_sold_ends_the_listing(etsy_sandbox: EtsySite) -> None:
    """ST43, A2: quantity falls with each sale; at nothing it is sold out and cannot be bought."""
    shop = etsy_sandbox.shop()
    listing_id = shop.listed()
    order(shop, listing_id=listing_id)
    assert (shop.get(listing_id)["quantity"], shop.state_of(listing_id)) == (2, "active")
    order(shop, listing_id=listing_id, quantity=2)
    assert (shop.get(listing_id)["quantity"], shop.state_of(listing_id)) == (0, "sold_out")
    again = etsy_sandbox.http.post("/_sandbox/orders", json={"listing_id": listing_id})
    assert again.status_code == 400
    assert len(receipts(shop)) == 2


def test_a_sold_out_listing_comes_back_with_one_unit_for_a_fee(etsy_sandbox: EtsySite) -> None:
    """A4: whatever it had before."""
    shop = etsy_sandbox.shop()
    listing_id = shop.listed()
    order(shop, listing_id=listing_id, quantity=3)
    assert shop.patch(listing_id, state="active").json()["quantity"] == 1
    kinds = [fee["kind"] for fee in etsy_sandbox.read("ledger")["fees"]]
    assert kinds == ["listing", "renewal"]


def test_a_receipt_says_what_was_bought_and_what_it_cost(etsy_sandbox: EtsySite) -> None:
    """ST43: two products of one shop; shipping of the first unit and of the others."""
    shop = etsy_sandbox.shop()
    listing_id = shop.listed()
    shop.put_inventory(listing_id, sizes(shop))
    row = order(
        shop,
        items=[{"sku": "S-1", "quantity": 2}, {"sku": "M-1"}],
        buyer="Ada",
        country="GB",
        message="Please hurry",
    )
    found = receipt(shop, row["receipt_id"])
    assert (found["status"], found["name"], found["country_iso"]) == ("paid", "Ada", "GB")
    assert (found["message_from_buyer"], found["buyer_email"]) == ("Please hurry", None)
    first, second = found["transactions"]
    assert (first["sku"], first["quantity"], first["price"]["amount"]) == ("S-1", 2, 1999)
    assert (second["sku"], second["variations"][0]["formatted_value"]) == ("M-1", "M")
    assert (first["shipping_cost"]["amount"], second["shipping_cost"]["amount"]) == (700, 500)
    assert found["subtotal"]["amount"] == 3 * 1999
    assert found["grandtotal"]["amount"] == 3 * 1999 + 1200
    assert first["listing_id"] == listing_id


@pytest.mark.parametrize(
    "body",
    [
        {"listing_id": 1},
        {"sku": "NONE"},
        {"sku": "S-1", "quantity": 4},
        {"sku": "S-1", "quantity": 0},
        {"items": [{"sku": "S-1", "quantity": 2}, {"sku": "S-1", "quantity": 2}]},
        {"items": [{"sku": "S-1"}, {"sku": "M-1", "quantity": 2}]},
        {"items": [{"colour": "red"}]},
    ],
    ids=str,
)
def test_nobody_buys_what_is_not_there(etsy_sandbox: EtsySite, body: dict[str, Any]) -> None:
    """A1: the sandbox itself never sells too much, nor a part of an order."""
    shop = etsy_sandbox.shop()
    listing_id = shop.listed()
    shop.put_inventory(listing_id, sizes(shop))
    assert etsy_sandbox.http.post("/_sandbox/orders", json=body).status_code == 400
    assert shop.get(listing_id)["quantity"] == 4
    assert receipts(shop) == []


def test_receipts_are_found_by_time_and_by_what_happened(etsy_sandbox: EtsySite) -> None:
    """ST43: changes since a moment, with both ends counted; newest first unless asked."""
    shop = etsy_sandbox.shop()
    listing_id = shop.listed()
    early = order(shop, listing_id=listing_id, paid=False)
    etsy_sandbox.control("clock/advance", {"seconds": 100})
    late = order(shop, listing_id=listing_id)
    numbers = early["receipt_id"], late["receipt_id"]
    assert receipts(shop) == [numbers[1], numbers[0]]
    assert receipts(shop, sort_order="asc") == [*numbers]
    assert receipts(shop, min_last_modified=late["updated_at"]) == [numbers[1]]
    assert receipts(shop, max_created=early["created_at"]) == [numbers[0]]
    assert receipts(shop, was_paid="false") == [numbers[0]]
    assert receipts(shop, was_paid="true", was_shipped="false") == [numbers[1]]
    etsy_sandbox.control("clock/advance", {"seconds": 100})
    etsy_sandbox.control(f"orders/{numbers[0]}/pay")
    assert receipt(shop, numbers[0])["status"] == "paid"
    assert receipts(shop, sort_on="updated") == [numbers[0], numbers[1]]
    assert receipts(shop, min_last_modified=late["updated_at"] + 1) == [numbers[0]]


def test_each_shipment_told_writes_to_the_buyer_again(etsy_sandbox: EtsySite) -> None:
    """B1: 200 and one e-mail each time; a lost answer was an e-mail all the same."""
    shop = etsy_sandbox.shop()
    receipt_id = order(shop, listing_id=shop.listed())["receipt_id"]
    etsy_sandbox.fault("createReceiptShipment", "lost_answer")
    with pytest.raises(httpx.RemoteProtocolError):
        ship(shop, receipt_id, **TRACKING)
    again = ship(shop, receipt_id, **TRACKING, send_bcc=True).json()
    assert (again["status"], again["is_shipped"], len(again["shipments"])) == (
        "completed", True, 2,
    )  # fmt: skip
    emails = etsy_sandbox.read("ledger")["emails"]
    assert [(one["to"], one["tracking_code"]) for one in emails] == [
        ("buyer", "9400"), ("buyer", "9400"), ("seller", "9400"),
    ]  # fmt: skip
    assert emails[0]["note"] == "Thank you"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"tracking_code": "9400"},
        {"carrier_name": "usps"},
        {"tracking_code": "9400", "carrier_name": "pigeon"},
        {**TRACKING, "tracking_code": 9400},
        {**TRACKING, "send_bcc": "yes"},
        {**TRACKING, "weight": "heavy"},
        {**TRACKING, "customs_data": [{}]},
        {**TRACKING, "tracking": "9400"},
    ],
    ids=str,
)
def test_a_parcel_that_cannot_be_is_refused(etsy_sandbox: EtsySite, body: dict[str, Any]) -> None:
    """ST59: within the US above ten dollars, tracking must be told; nobody is written to."""
    shop = etsy_sandbox.shop()
    receipt_id = order(shop, listing_id=shop.listed())["receipt_id"]
    assert ship(shop, receipt_id, **body).status_code == 400
    assert receipt(shop, receipt_id)["is_shipped"] is False
    assert etsy_sandbox.read("ledger")["emails"] == []


def test_elsewhere_a_parcel_needs_no_tracking(etsy_sandbox: EtsySite) -> None:
    """ST26: but for India; an unknown carrier is called other."""
    shop = etsy_sandbox.shop("bruno")
    listing_id = shop.listed()
    france, india = (order(shop, listing_id=listing_id, country=one) for one in ("FR", "IN"))
    assert ship(shop, france["receipt_id"]).json()["shipments"] == []
    assert ship(shop, india["receipt_id"]).status_code == 400
    other = {"carrier_name": "other", "tracking_code": "X1"}
    assert ship(shop, india["receipt_id"], **other).json()["status"] == "completed"


@pytest.mark.parametrize("unpaid", [True, False])
def test_what_is_not_paid_or_called_off_is_not_shipped(
    etsy_sandbox: EtsySite, unpaid: bool
) -> None:
    """ST59: 409, and nobody is written to."""
    shop = etsy_sandbox.shop()
    receipt_id = order(shop, listing_id=shop.listed(), paid=not unpaid)["receipt_id"]
    if not unpaid:
        etsy_sandbox.control(f"orders/{receipt_id}/cancel")
    assert ship(shop, receipt_id, **TRACKING).status_code == 409
    assert etsy_sandbox.read("ledger")["emails"] == []


def test_a_cancelled_order_is_paid_back_and_its_unit_stays_sold(etsy_sandbox: EtsySite) -> None:
    """A2: putting it up again is the seller's to do."""
    shop = etsy_sandbox.shop()
    listing_id = shop.listed()
    receipt_id = order(shop, listing_id=listing_id)["receipt_id"]
    etsy_sandbox.control(f"orders/{receipt_id}/cancel", {"reason": "changed their mind"})
    found = receipt(shop, receipt_id)
    assert (found["status"], found["refunds"][0]["reason"]) == ("canceled", "changed their mind")
    assert found["refunds"][0]["amount"]["amount"] == found["grandtotal"]["amount"]
    assert shop.get(listing_id)["quantity"] == 2
    assert receipts(shop, was_canceled="true") == [receipt_id]
    twice = etsy_sandbox.http.post(f"/_sandbox/orders/{receipt_id}/cancel")
    assert twice.status_code == 400


def test_refunds_add_up_to_what_was_paid_and_no_further(etsy_sandbox: EtsySite) -> None:
    """ST43: in part, then in full."""
    shop = etsy_sandbox.shop()
    receipt_id = order(shop, listing_id=shop.listed())["receipt_id"]
    path = f"/_sandbox/orders/{receipt_id}/refund"
    etsy_sandbox.control(f"orders/{receipt_id}/refund", {"amount": "4.50"})
    assert receipt(shop, receipt_id)["status"] == "partially refunded"
    for amount in ("20.50", "0", "-1", "much"):
        assert etsy_sandbox.http.post(path, json={"amount": amount}).status_code == 400
    etsy_sandbox.control(f"orders/{receipt_id}/refund")
    found = receipt(shop, receipt_id)
    assert found["status"] == "fully refunded"
    assert [one["amount"]["amount"] for one in found["refunds"]] == [450, 2049]


def test_a_seller_marks_a_receipt(etsy_sandbox: EtsySite) -> None:
    """ST26: shipped and paid, or not any more; nobody is written to."""
    shop = etsy_sandbox.shop()
    receipt_id = order(shop, listing_id=shop.listed())["receipt_id"]
    path = f"{shop.path}/receipts/{receipt_id}"
    assert shop.call("PUT", path, data={"was_shipped": "true"}).json()["status"] == "completed"
    etsy_sandbox.control(f"orders/{receipt_id}/deliver")
    assert receipts(shop, was_delivered="true") == [receipt_id]
    assert shop.call("PUT", path, data={"was_shipped": "false"}).json()["status"] == "paid"
    assert etsy_sandbox.read("ledger")["emails"] == []


def test_transactions_are_listed_newest_first(etsy_sandbox: EtsySite) -> None:
    """ST43: of the shop, of a listing, one by one."""
    shop = etsy_sandbox.shop()
    listings = [shop.listed(), shop.listed()]
    rows = [order(shop, listing_id=one)["transactions"][0] for one in listings]
    found = shop.call("GET", f"{shop.path}/transactions?limit=1").json()
    assert found["count"] == 2
    newest = found["results"][0]
    assert newest["transaction_id"] == rows[1]["transaction_id"]
    path = f"{shop.path}/listings/{listings[0]}/transactions"
    of_first = shop.call("GET", path).json()["results"]
    assert [one["transaction_id"] for one in of_first] == [rows[0]["transaction_id"]]
    one = shop.call("GET", f"{shop.path}/transactions/{newest['transaction_id']}")
    assert one.json() == newest
    assert shop.call("GET", shop.path).json()["transaction_sold_count"] == 2


def test_another_sellers_receipts_stay_closed(etsy_sandbox: EtsySite) -> None:
    """ST21: under their address 403, under one's own 404."""
    alice, bruno = etsy_sandbox.shop("alice"), etsy_sandbox.shop("bruno")
    receipt_id = order(alice, listing_id=alice.listed())["receipt_id"]
    assert bruno.call("GET", f"{alice.path}/receipts").status_code == 403
    assert bruno.call("GET", f"{bruno.path}/receipts/{receipt_id}").status_code == 404
    assert ship(bruno, receipt_id, **TRACKING).status_code == 404
    assert receipts(bruno) == []


def test_reading_orders_is_not_enough_to_ship(etsy_sandbox: EtsySite) -> None:
    """ST21: transactions_w is a scope of its own."""
    shop = etsy_sandbox.shop()
    receipt_id = order(shop, listing_id=shop.listed())["receipt_id"]
    reader = etsy_sandbox.shop(scope="transactions_r")
    assert ship(reader, receipt_id, **TRACKING).status_code == 403
    assert receipt(reader, receipt_id)["is_shipped"] is False
