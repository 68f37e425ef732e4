"""Inventory items: put, read, deleted, listed."""

from dataclasses import replace
from typing import Any

from sandbox.answers import NO_CONTENT, Answer
from sandbox.ebay.apis import INVENTORY, INVENTORY_READ, INVENTORY_WRITE
from sandbox.ebay.errors import EbayError, ErrorItem, error, invalid
from sandbox.ebay.listings import check_revisable, live_listings_of, revise, take_out
from sandbox.ebay.operations import Call, Operation
from sandbox.ebay.paging import Page
from sandbox.ebay.publishing import Candidate, complaints
from sandbox.ebay.sandbox import EbaySandbox
from sandbox.ebay.shapes import Named, Shape, at, fitted
from sandbox.ebay.state import Item, Seller
from sandbox.ebay.values import (
    CONDITION_WORDS,
    MAX_DESCRIPTION,
    MAX_PICTURES,
    MAX_TITLE,
    SKU,
)

ITEM: Shape = {
    "availability": {
        "shipToLocationAvailability": {
            "quantity": int,
            "availabilityDistributions": [{"merchantLocationKey": str, "quantity": int}],
        },
    },
    "condition": CONDITION_WORDS,
    "conditionDescription": str,
    "conditionDescriptors": [{"name": str, "values": [str], "additionalInfo": str}],
    "packageWeightAndSize": {
        "dimensions": {"height": float, "length": float, "width": float, "unit": str},
        "packageType": str,
        "shippingIrregular": bool,
        "weight": {"unit": frozenset({"POUND", "KILOGRAM", "OUNCE", "GRAM"}), "value": float},
    },
    "product": {
        "aspects": Named([str]),
        "brand": str,
        "description": str,
        "ean": [str],
        "epid": str,
        "imageUrls": [str],
        "isbn": [str],
        "mpn": str,
        "subtitle": str,
        "title": str,
        "upc": [str],
        "videoIds": [str],
    },
}


def not_found() -> EbayError:
    """404 with 25710."""
    return EbayError(404, error(25710, "The requested resource was not found."))


def checked_sku(sku: Any) -> str:
    """`sku` when it can be one. Raises EbayError 400 (25707)."""
    if not isinstance(sku, str) or not SKU.fullmatch(sku):
        text = "Invalid SKU. Letters, digits and . _ - only, at most 50 characters."
        raise EbayError(400, error(25707, text, sku=str(sku)))
    return sku


def put_item(sandbox: EbaySandbox, seller: Seller, sku: str, locale: str, body: Any) -> None:
    """Replace an item whole; live listings follow. Raises EbayError, changing nothing."""
    content = fitted(body, ITEM)
    found = _wrong_values(content)
    if found:
        raise EbayError(400, *found)
    listings = live_listings_of(sandbox, seller, [sku])
    for offer in seller.offers_of(sku):
        if offer.published:
            group_key = sandbox.state.listings[offer.listing_id or ""].group_key
            group = seller.groups[group_key].content if group_key else None
            candidate = Candidate(offer.marketplace_id, offer.content, content, group, live=True)
            found += complaints(sandbox, seller, candidate)
    if found:
        raise EbayError(400, *found)
    for listing in listings:
        check_revisable(sandbox, listing)
    seller.items[sku] = Item(sku, locale, content)
    for listing in listings:
        revise(sandbox, listing)


def remove_item(sandbox: EbaySandbox, seller: Seller, sku: str) -> None:
    """Delete an item with its offers, listings and group memberships. Raises EbayError 404."""
    if sku not in seller.items:
        raise not_found()
    for offer in seller.offers_of(sku):
        if offer.published:
            take_out(sandbox, offer)
        del seller.offers[offer.offer_id]
    for key in seller.groups_of(sku):
        seller.groups[key].content["variantSKUs"].remove(sku)
    del seller.items[sku]


def item_view(seller: Seller, item: Item) -> dict[str, Any]:
    """An item as it is read back."""
    groups = seller.groups_of(item.sku)
    memberships = {"groupIds": groups, "inventoryItemGroupKeys": groups} if groups else {}
    return {"sku": item.sku, "locale": item.locale, **item.content, **memberships}


def _wrong_values(content: dict[str, Any]) -> list[ErrorItem]:
    found: list[ErrorItem] = []
    product = content.get("product", {})
    for name, limit in (("title", MAX_TITLE), ("description", MAX_DESCRIPTION)):
        if not 0 < len(product.get(name, " ")) <= limit:
            found.append(invalid(f"product.{name}", f"Length must be 1 to {limit}."))
    quantity = at(content, "availability", "shipToLocationAvailability", "quantity")
    if quantity is not None and quantity < 0:
        found.append(error(25004, "Invalid quantity. It must not be negative."))
    weight = at(content, "packageWeightAndSize", "weight", "value")
    if weight is not None and weight <= 0:
        found.append(error(25715, "Invalid dimension or weight."))
    return found + wrong_pictures(product.get("imageUrls", []))


def wrong_pictures(urls: list[str]) -> list[ErrorItem]:
    """Complaints about addresses that are not https, and about too many of them."""
    found = [
        error(25015, f"Invalid picture URL. {url} is not https.", imageUrl=url)
        for url in urls
        if not url.startswith("https://")
    ]
    if len(urls) > MAX_PICTURES:
        found.append(error(25014, f"Invalid pictures. At most {MAX_PICTURES} are allowed."))
    return found


def _put(call: Call) -> Answer:
    sku = checked_sku(call.path["sku"])
    locale = call.headers["content-language"].replace("-", "_")
    put_item(call.sandbox, call.seller, sku, locale, call.body)
    return NO_CONTENT


def _get(call: Call) -> Answer:
    item = call.seller.items.get(call.path["sku"])
    if item is None:
        raise not_found()
    return Answer(200, item_view(call.seller, item))


def _delete(call: Call) -> Answer:
    remove_item(call.sandbox, call.seller, call.path["sku"])
    return NO_CONTENT


def _list(call: Call) -> Answer:
    page = Page.asked(call, default=25, most=200)
    items = sorted(call.seller.items.values(), key=lambda item: item.sku)
    body = page.envelope(f"{INVENTORY.base_path}/inventory_item", len(items))
    body["total"] += call.state.miscounted_by
    unlike = call.state.unlike
    shown = [
        {**item_view(call.seller, item), **unlike.get(item.sku, {})} for item in page.cut(items)
    ]
    return Answer(200, {**body, "size": page.pages(len(items)), "inventoryItems": shown})


_ITEM_PATH = "/inventory_item/{sku}"
_WRITE = Operation("", "PUT", _ITEM_PATH, INVENTORY, INVENTORY_WRITE, _put, lock="sku")

INVENTORY_OPERATIONS = (
    replace(
        _WRITE, operation_id="createOrReplaceInventoryItem", json_body=True, content_language=True
    ),
    replace(_WRITE, operation_id="deleteInventoryItem", method="DELETE", handler=_delete),
    Operation("getInventoryItem", "GET", _ITEM_PATH, INVENTORY, INVENTORY_READ, _get),
    Operation("getInventoryItems", "GET", "/inventory_item", INVENTORY, INVENTORY_READ, _list),
)
