"""Changing prices and stock without replacing items and offers."""

import copy
from typing import Any

from sandbox.ebay.apis import INVENTORY
from sandbox.ebay.errors import EbayError, error, invalid, wire_errors
from sandbox.ebay.inventory import not_found
from sandbox.ebay.listings import check_revisable, live_listings_of, revise
from sandbox.ebay.sandbox import EbaySandbox
from sandbox.ebay.shapes import MONEY, Shape, amount, at, fitted
from sandbox.ebay.state import Offer, Seller
from sandbox.ebay.values import MAX_BULK, SITES

ROW: Shape = {
    "sku": str,
    "shipToLocationAvailability": {"quantity": int},
    "offers": [{"offerId": str, "availableQuantity": int, "price": MONEY}],
}


def update_price_and_quantity(
    sandbox: EbaySandbox, seller: Seller, row: Any, language: str
) -> list[dict[str, Any]]:
    """One row's outcomes: one for each offer named, or one for the SKU alone.

    A refused row changes nothing and says so for each of its offers.
    """
    sku = str(row.get("sku"))
    named = [str(offer.get("offerId")) for offer in row.get("offers") or []]
    keys: list[dict[str, Any]] = [{"sku": sku, "offerId": offer} for offer in named]
    keys = keys or [{"sku": sku}]
    try:
        _apply(sandbox, seller, sku, fitted(row, ROW))
    except EbayError as refusal:
        body = wire_errors(refusal.errors, INVENTORY.domain, language)
        return [{**key, "statusCode": refusal.status, **body} for key in keys]
    return [{**key, "statusCode": 200} for key in keys]


def _apply(sandbox: EbaySandbox, seller: Seller, sku: str, row: dict[str, Any]) -> None:
    if sku not in seller.items:
        raise not_found()
    changes = row.get("offers", [])
    ids = [change.get("offerId") for change in changes]
    if len(ids) > MAX_BULK or len(set(ids)) < len(ids):
        raise EbayError(400, invalid("offers", f"At most {MAX_BULK} different offers."))
    changed = [(_offer_of(seller, sku, change), change) for change in changes]
    stock = at(row, "shipToLocationAvailability", "quantity")
    if stock is not None and stock < 0:
        raise EbayError(400, error(25004, "Invalid quantity. It must not be negative."))
    listings = live_listings_of(sandbox, seller, [sku])
    for listing in listings:
        check_revisable(sandbox, listing)
    for offer, change in changed:
        offer.content = _changed(offer, change)
    if stock is not None:
        content = copy.deepcopy(seller.items[sku].content)
        content.setdefault("availability", {})["shipToLocationAvailability"] = {"quantity": stock}
        seller.items[sku].content = content
    for listing in listings:
        revise(sandbox, listing)


def _offer_of(seller: Seller, sku: str, change: dict[str, Any]) -> Offer:
    offer = seller.offers.get(change.get("offerId", ""))
    if offer is None or offer.sku != sku:
        text = "This offer is not available."
        raise EbayError(404, error(25713, text, offerId=str(change.get("offerId"))))
    price = change.get("price")
    value = amount(price)
    if price is not None and (
        value is None or value <= 0 or price.get("currency") != SITES[offer.marketplace_id].currency
    ):
        raise EbayError(400, error(25003, "Invalid price."))
    if change.get("availableQuantity", 0) < 0:
        raise EbayError(400, error(25004, "Invalid quantity. It must not be negative."))
    return offer


def _changed(offer: Offer, change: dict[str, Any]) -> dict[str, Any]:
    content = copy.deepcopy(offer.content)
    if "price" in change:
        content.setdefault("pricingSummary", {})["price"] = change["price"]
    if "availableQuantity" in change:
        content["availableQuantity"] = change["availableQuantity"]
    return content
