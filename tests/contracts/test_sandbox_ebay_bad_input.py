"""Whatever is sent to the sandbox eBay, it answers as eBay does and never falls over."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contracts.ebay_shop import INVENTORY, LANGUAGE, Sandbox, Shop, group, item

ODD: tuple[Any, ...] = (None, True, -1, 1.5, "", "x", [], {}, [None], [[]], {"x": []})
POLICY = {
    "name": "Mine",
    "marketplaceId": "EBAY_US",
    "categoryTypes": [{"name": "ALL_EXCLUDING_MOTORS_VEHICLES"}],
    "returnsAccepted": True,
}
ADDRESS = {"location": {"address": {"country": "US", "postalCode": "10001"}}}
PRICE = {"value": "1.00", "currency": "USD"}


def good_bodies(shop: Shop, offer_id: str) -> dict[str, tuple[str, str, Any]]:
    """A good body for every operation that takes JSON."""
    offer = shop.offer_body("SKU-1")
    row = {"sku": "A", "locale": "en_US", **item()}
    change = {"sku": "SKU-1", "shipToLocationAvailability": {"quantity": 1}}
    key = {"inventoryItemGroupKey": "GROUP-1", "marketplaceId": "EBAY_US"}
    return {
        "item": ("PUT", f"{INVENTORY}/inventory_item/SKU-9", item()),
        "live item": ("PUT", f"{INVENTORY}/inventory_item/SKU-1", item()),
        "group": ("PUT", f"{INVENTORY}/inventory_item_group/GROUP-1", group("GROUP-1")),
        "new offer": ("POST", f"{INVENTORY}/offer", offer),
        "offer": ("PUT", f"{INVENTORY}/offer/{offer_id}", offer),
        "publish group": ("POST", f"{INVENTORY}/offer/publish_by_inventory_item_group", key),
        "withdraw group": ("POST", f"{INVENTORY}/offer/withdraw_by_inventory_item_group", key),
        "location": ("POST", f"{INVENTORY}/location/odd", ADDRESS),
        "bulk items": (
            "POST",
            f"{INVENTORY}/bulk_create_or_replace_inventory_item",
            {"requests": [row]},
        ),
        "bulk get": ("POST", f"{INVENTORY}/bulk_get_inventory_item", {"requests": [{"sku": "A"}]}),
        "bulk offers": ("POST", f"{INVENTORY}/bulk_create_offer", {"requests": [offer]}),
        "bulk publish": (
            "POST",
            f"{INVENTORY}/bulk_publish_offer",
            {"requests": [{"offerId": offer_id}]},
        ),
        "bulk change": (
            "POST",
            f"{INVENTORY}/bulk_update_price_quantity",
            {"requests": [{**change, "offers": [{"offerId": offer_id, "price": PRICE}]}]},
        ),
        "opt in": (
            "POST",
            "/sell/account/v1/program/opt_in",
            {"programType": "OUT_OF_STOCK_CONTROL"},
        ),
        "fulfillment": ("POST", "/sell/account/v1/fulfillment_policy/", POLICY),
        "payment": ("POST", "/sell/account/v1/payment_policy", POLICY),
        "return": ("POST", "/sell/account/v1/return_policy", POLICY),
        "picture": (
            "POST",
            "/commerce/media/v1_beta/image/create_image_from_url",
            {"imageUrl": "http://127.0.0.1:9/a.jpg"},
        ),
    }


KINDS = (
    "item",
    "live item",
    "group",
    "new offer",
    "offer",
    "publish group",
    "withdraw group",
    "location",
    "bulk items",
    "bulk get",
    "bulk offers",
    "bulk publish",
    "bulk change",
    "opt in",
    "fulfillment",
    "payment",
    "return",
    "picture",
)


def spoiled(body: Any) -> Iterator[Any]:
    """The body with each of its values, one at a time, replaced by each odd one."""
    for path in places(body):
        for odd in ODD:
            copied = copy.deepcopy(body)
            target = copied
            for step in path[:-1]:
                target = target[step]
            target[path[-1]] = odd
            yield copied


def places(body: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Ways to every value inside."""
    inside: Any = ()
    if isinstance(body, dict):
        inside = body.items()
    elif isinstance(body, list):
        inside = enumerate(body)
    for step, value in inside:
        yield (*above, step)
        yield from places(value, (*above, step))


@pytest.mark.parametrize("kind", KINDS)
def test_an_odd_value_anywhere_is_never_the_servers_fault(sandbox: Sandbox, kind: str) -> None:
    """ST59, C12: done or refused in eBay's shape, whatever stands in whichever field."""
    shop = sandbox.shop()
    offer_id, _ = shop.listed()
    shop.grouped()
    method, path, body = good_bodies(shop, offer_id)[kind]
    for odd in spoiled(body):
        answer = shop.call(method, path, json=odd, headers=LANGUAGE)
        assert answer.status_code < 500, (odd, answer.text)
    assert shop.read("/inventory_item").status_code == 200
    assert len(sandbox.ledger()) >= 1


@pytest.mark.parametrize(
    "path", ["keysets", "quotas", "sellers", "clock/advance", "faults", "sellers/nobody/revoke"]
)
def test_odd_orders_to_the_controls_are_refused(sandbox: Sandbox, path: str) -> None:
    """ST59: 400 with a reason, never a traceback."""
    bodies = [{name: odd} for odd in ODD for name in ("name", "seconds", "resource", "client_id")]
    for body in (*bodies, {"kind": []}, {"resource": "sell.inventory", "limit": "x"}):
        answer = sandbox.http.post(f"/_sandbox/{path}", json=body)
        assert answer.status_code in (200, 400), (body, answer.text)
    for content in (b"{", b"[]", b"\xff"):
        assert sandbox.http.post(f"/_sandbox/{path}", content=content).status_code == 400
