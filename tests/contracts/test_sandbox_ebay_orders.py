"""Orders at the sandbox eBay: bought, found, sent, cancelled, refunded."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.contracts.ebay_shop import FULFILLMENT, Sandbox, error_ids

ORDERS = f"{FULFILLMENT}/order"


def wire(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def now_at(sandbox: Sandbox) -> datetime:
    return datetime.fromisoformat(sandbox.control("clock", method="GET")["now"])


def ids(page: dict[str, Any]) -> list[str]:
    return [order["orderId"] for order in page["orders"]]


def test_a_purchase_is_an_order_and_counts_the_listing_down(sandbox: Sandbox) -> None:
    """A1, ST26: by listing id and SKU the seller finds out what was sold."""
    shop = sandbox.shop()
    offer_id, listing_id = shop.listed()
    order_id = sandbox.buy(listing_id, quantity=2, buyer="ada")["order_id"]
    order = shop.order(order_id)
    assert (order["orderPaymentStatus"], order["orderFulfillmentStatus"]) == (
        "PAID",
        "NOT_STARTED",
    )
    [line] = order["lineItems"]
    assert (line["legacyItemId"], line["sku"], line["quantity"]) == (listing_id, "SKU-1", 2)
    assert order["pricingSummary"]["total"] == {"value": "44.48", "currency": "USD"}
    assert order["totalMarketplaceFee"] == {"value": "6.19", "currency": "USD"}
    assert order["buyer"]["username"] == "ada"
    assert sandbox.ledger()[0]["quantity"] == 1
    offer = shop.read(f"/offer/{offer_id}").json()
    assert (offer["availableQuantity"], offer["listing"]["soldQuantity"]) == (1, 2)


@pytest.mark.parametrize(
    ("programs", "status"), [([], "ENDED"), (["OUT_OF_STOCK_CONTROL"], "ACTIVE")]
)
def test_the_last_unit_ends_the_listing_or_hides_it(
    sandbox: Sandbox, programs: list[str], status: str
) -> None:
    """A3: hidden only for sellers who have switched that programme on."""
    shop = sandbox.shop()
    for program in programs:
        shop.call("POST", "/sell/account/v1/program/opt_in", json={"programType": program})
    _, listing_id = shop.listed()
    sandbox.buy(listing_id, quantity=3)
    [row] = sandbox.ledger()
    assert (row["status"], row["quantity"]) == (status, 0)


def test_a_variation_is_bought_by_its_sku(sandbox: Sandbox) -> None:
    """ST26: the others stay as they are."""
    shop = sandbox.shop()
    shop.grouped()
    body = {"inventoryItemGroupKey": "GROUP-1", "marketplaceId": "EBAY_US"}
    listing_id = shop.post("/offer/publish_by_inventory_item_group", body).json()["listingId"]
    order_id = sandbox.buy(listing_id, sku="GROUP-1-M")["order_id"]
    [line] = shop.order(order_id)["lineItems"]
    assert line["sku"] == "GROUP-1-M"
    assert {"name": "Size", "value": "M"} in line["variationAspects"]
    [row] = sandbox.ledger()
    assert [each["quantity"] for each in row["variations"]] == [3, 2]


@pytest.mark.parametrize("wanted", [{"quantity": 4}, {"quantity": 0}, {"sku": "OTHER"}])
def test_what_is_not_there_cannot_be_bought(sandbox: Sandbox, wanted: dict[str, Any]) -> None:
    """A1: eBay sells no more than it shows."""
    _, listing_id = sandbox.shop().listed()
    refused = sandbox.http.post("/_sandbox/orders", json={"listing_id": listing_id, **wanted})
    assert refused.status_code == 400
    assert sandbox.control("orders", method="GET")["orders"] == []
    assert sandbox.ledger()[0]["quantity"] == 3


def test_offsets_of_orders_count_orders(sandbox: Sandbox) -> None:
    """ST26: unlike those of items and offers, which count pages."""
    shop = sandbox.shop()
    _, listing_id = shop.listed()
    made = [sandbox.buy(listing_id)["order_id"] for _ in range(3)]
    page = shop.orders(limit="2", offset="1")
    assert ids(page) == [made[1], made[0]]
    assert (page["total"], page["limit"], page["offset"]) == (3, 2, 1)
    assert "next" not in page
    assert page["prev"].endswith("limit=2&offset=0")


def test_changed_orders_are_found_by_the_moment_of_their_change(sandbox: Sandbox) -> None:
    """A5: what was read before is not read again, whenever it was bought."""
    shop = sandbox.shop()
    _, listing_id = shop.listed()
    first, second = (sandbox.buy(listing_id)["order_id"] for _ in range(2))
    sandbox.control("clock/advance", {"seconds": 600})
    since = now_at(sandbox) - timedelta(seconds=60)
    assert ids(shop.orders(filter=f"lastmodifieddate:[{wire(since)}..]")) == []
    sandbox.control(f"orders/{first}/refund", {"amount": "1.00"})
    changed = shop.orders(filter=f"lastmodifieddate:[{wire(since)}..]")
    assert ids(changed) == [first]
    assert changed["orders"][0]["orderPaymentStatus"] == "PARTIALLY_REFUNDED"
    created = f"creationdate:[{wire(since)}..],lastmodifieddate:[{wire(since)}..]"
    assert ids(shop.orders(filter=created)) == [], "of two dates the first alone counts"
    assert ids(shop.orders(orderIds=f"{second},27-404", filter="nonsense")) == [second]


def test_orders_are_found_by_how_far_they_are_sent(sandbox: Sandbox) -> None:
    """ST26: in the two combinations that eBay takes."""
    shop = sandbox.shop()
    _, listing_id = shop.listed()
    sent, waiting = (sandbox.buy(listing_id)["order_id"] for _ in range(2))
    assert shop.ship(sent).status_code == 201
    open_orders = "orderfulfillmentstatus:{NOT_STARTED|IN_PROGRESS}"
    done = "orderfulfillmentstatus:{FULFILLED|IN_PROGRESS}"
    assert ids(shop.orders(filter=open_orders)) == [waiting]
    assert ids(shop.orders(filter=done)) == [sent]


@pytest.mark.parametrize(
    ("query", "error_id"),
    [
        ({"limit": "201"}, 31100),
        ({"limit": "x"}, 31100),
        ({"offset": "-1"}, 31000),
        ({"filter": "nonsense"}, 30700),
        ({"filter": "colour:red"}, 30700),
        ({"filter": "creationdate:2026-01-01T00:00:00.000Z"}, 30800),
        ({"filter": "creationdate:[..2026-01-01T00:00:00.000Z]"}, 30820),
        ({"filter": "creationdate:[yesterday..]"}, 30810),
        ({"filter": "lastmodifieddate:[2020-01-01T00:00:00.000Z..]"}, 30830),
        ({"filter": "lastmodifieddate:[2126-01-01T00:00:00.000Z..]"}, 30850),
        ({"filter": "orderfulfillmentstatus:{FULFILLED}"}, 30800),
        ({"orderIds": ",".join(["27-1"] * 51)}, 30900),
        ({"fieldGroups": "ALL"}, 32800),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(
    sandbox: Sandbox, query: dict[str, str], error_id: int
) -> None:
    """ST59."""
    answer = sandbox.shop().call("GET", ORDERS, params=query)
    assert (answer.status_code, error_ids(answer)) == (400, [error_id])


def test_a_cancelled_order_is_refunded_and_does_not_count_the_listing_up(
    sandbox: Sandbox,
) -> None:
    """A8: the requests are told by getOrder alone."""
    shop = sandbox.shop()
    _, listing_id = shop.listed()
    order_id = sandbox.buy(listing_id)["order_id"]
    sandbox.control(f"orders/{order_id}/cancel", {"reason": "OUT_OF_STOCK"})
    order = shop.order(order_id)
    assert order["cancelStatus"]["cancelState"] == "CANCELED"
    assert order["cancelStatus"]["cancelRequests"][0]["cancelReason"] == "OUT_OF_STOCK"
    assert order["orderPaymentStatus"] == "FULLY_REFUNDED"
    [listed] = shop.orders()["orders"]
    assert listed["cancelStatus"]["cancelRequests"] == []
    assert sandbox.ledger()[0]["quantity"] == 2


def test_an_order_may_be_paid_later(sandbox: Sandbox) -> None:
    """ST26: the listing counts down when it is bought, not when it is paid."""
    shop = sandbox.shop()
    _, listing_id = shop.listed()
    order_id = sandbox.buy(listing_id, paid=False)["order_id"]
    assert shop.order(order_id)["orderPaymentStatus"] == "PENDING"
    assert "totalMarketplaceFee" not in shop.order(order_id)
    assert sandbox.ledger()[0]["quantity"] == 2
    sandbox.control(f"orders/{order_id}/pay")
    assert shop.order(order_id)["orderPaymentStatus"] == "PAID"


def test_a_parcel_is_named_by_its_address_only_and_read_under_another_name(
    sandbox: Sandbox,
) -> None:
    """ST26: the body is empty; trackingNumber comes back as shipmentTrackingNumber."""
    shop = sandbox.shop()
    order_id = shop.bought()
    answer = shop.ship(order_id)
    assert (answer.status_code, answer.json()) == (201, {})
    parcel_id = answer.headers["location"].rsplit("/", 1)[1]
    [parcel] = shop.call("GET", f"{ORDERS}/{order_id}/shipping_fulfillment").json()["fulfillments"]
    assert (parcel["fulfillmentId"], parcel["shipmentTrackingNumber"]) == (parcel_id, "94001")
    order = shop.order(order_id)
    assert order["orderFulfillmentStatus"] == "FULFILLED"
    assert order["fulfillmentHrefs"] == [f"{ORDERS}/{order_id}/shipping_fulfillment/{parcel_id}"]


def test_sending_the_same_parcel_twice_makes_two(sandbox: Sandbox) -> None:
    """B1: so nobody may repeat it blindly."""
    shop = sandbox.shop()
    order_id = shop.bought()
    shop.ship(order_id)
    shop.ship(order_id)
    answer = shop.call("GET", f"{ORDERS}/{order_id}/shipping_fulfillment")
    assert answer.json()["total"] == 2


@pytest.mark.parametrize(
    ("changes", "error_id"),
    [
        ({"trackingNumber": "with space"}, 32300),
        ({"shippingCarrierCode": None}, 32300),
        ({"lineItems": []}, 32600),
        ({"lineItems": [{"lineItemId": "404", "quantity": 1}]}, 32200),
        ({"shippedDate": "2126-01-01T00:00:00.000Z"}, 32500),
        ({"shippedDate": "yesterday"}, 32500),
    ],
)
def test_a_parcel_that_cannot_be_is_refused(
    sandbox: Sandbox, changes: dict[str, Any], error_id: int
) -> None:
    """ST59: and the order stays as it was."""
    shop = sandbox.shop()
    order_id = shop.bought()
    answer = shop.ship(order_id, **changes)
    assert (answer.status_code, error_ids(answer)) == (400, [error_id])
    assert shop.order(order_id)["orderFulfillmentStatus"] == "NOT_STARTED"


def test_sellers_see_only_their_own_orders(sandbox: Sandbox) -> None:
    """ST26: nor may they send those of others."""
    alice, bob = sandbox.shop("alice"), sandbox.shop("bob")
    order_id = alice.bought()
    assert bob.orders()["orders"] == []
    assert bob.call("GET", f"{ORDERS}/{order_id}").status_code == 404
    body = {"lineItems": [{"lineItemId": "1", "quantity": 1}]}
    refused = bob.call("POST", f"{ORDERS}/{order_id}/shipping_fulfillment", json=body)
    assert (refused.status_code, error_ids(refused)) == (400, [32100])
    assert alice.order(order_id)["orderFulfillmentStatus"] == "NOT_STARTED"


def test_orders_need_the_scope_of_orders(sandbox: Sandbox) -> None:
    """E4: a token without it is refused by 1100."""
    shop = sandbox.shop(suffixes=("", "sell.inventory", "sell.account"))
    answer = shop.call("GET", ORDERS)
    assert (answer.status_code, error_ids(answer)) == (403, [1100])


def test_old_orders_are_shown_to_whoever_asks_for_them(sandbox: Sandbox) -> None:
    """A5: without a filter eBay goes back 90 days."""
    shop = sandbox.shop()
    shop.bought()
    tokens = sandbox.tokens("alice")
    sandbox.control("clock/advance", {"seconds": 100 * 86_400})
    answer = sandbox.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    shop.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    assert shop.orders()["total"] == 0
    since = datetime.now(UTC) - timedelta(days=1)
    assert shop.orders(filter=f"creationdate:[{wire(since)}..]")["total"] == 1
