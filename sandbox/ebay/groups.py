"""Inventory item groups: several variations in one listing."""

from typing import Any

from sandbox.answers import NO_CONTENT, Answer
from sandbox.ebay.apis import INVENTORY, INVENTORY_READ, INVENTORY_WRITE
from sandbox.ebay.errors import EbayError, ErrorItem, error, invalid, user_error
from sandbox.ebay.inventory import wrong_pictures
from sandbox.ebay.listings import check_revisable, end_listing, open_listing, revise
from sandbox.ebay.operations import Call, Operation
from sandbox.ebay.publishing import Candidate, complaints
from sandbox.ebay.sandbox import EbaySandbox
from sandbox.ebay.shapes import Named, Shape, at, fitted
from sandbox.ebay.state import Group, Listing, Offer, Seller
from sandbox.ebay.values import (
    MAX_LISTING_DESCRIPTION,
    MAX_SKU,
    MAX_TITLE,
    MAX_VARIATIONS,
    NO_SUCH_SITE,
    SITES,
)

GROUP: Shape = {
    "aspects": Named([str]),
    "description": str,
    "imageUrls": [str],
    "subtitle": str,
    "title": str,
    "variantSKUs": [str],
    "variesBy": {
        "aspectsImageVariesBy": [str],
        "specifications": [{"name": str, "values": [str]}],
    },
    "videoIds": [str],
}


def _missing(key: str, status: int = 404) -> EbayError:
    text = f"The inventory item group {key} could not be found."
    return EbayError(status, error(25705, text, inventoryItemGroupKey=key))


def _named(call: Call) -> Group:
    key = call.path["inventoryItemGroupKey"]
    if key not in call.seller.groups:
        raise _missing(key)
    return call.seller.groups[key]


def _live_listing(sandbox: EbaySandbox, seller: Seller, key: str) -> Listing | None:
    for listing in sandbox.state.listings.values():
        if (listing.seller, listing.group_key, listing.status) == (seller.name, key, "ACTIVE"):
            return listing
    return None


def _put(call: Call) -> Answer:
    key, seller = call.path["inventoryItemGroupKey"], call.seller
    content = fitted(call.body, GROUP)
    found = _complaints(call, key, content)
    listing = _live_listing(call.sandbox, seller, key)
    if listing is not None and not found:
        for offer in (seller.offers[offer_id] for offer_id in listing.offer_ids):
            item = seller.items[offer.sku].content
            candidate = Candidate(offer.marketplace_id, offer.content, item, content, live=True)
            found += complaints(call.sandbox, seller, candidate)
        check_revisable(call.sandbox, listing)
    if found:
        raise EbayError(400, *found)
    seller.groups[key] = Group(key, content)
    if listing is not None:
        revise(call.sandbox, listing)
    return NO_CONTENT


def _complaints(call: Call, key: str, content: dict[str, Any]) -> list[ErrorItem]:
    found: list[ErrorItem] = []
    skus = content.get("variantSKUs", [])
    if len(key) > MAX_SKU:
        found.append(invalid("inventoryItemGroupKey", f"At most {MAX_SKU} characters."))
    if not skus or len(skus) > MAX_VARIATIONS or len(set(skus)) < len(skus):
        found.append(invalid("variantSKUs", f"1 to {MAX_VARIATIONS} different SKUs."))
    limits = (("title", MAX_TITLE), ("description", MAX_LISTING_DESCRIPTION))
    for name, limit in limits:
        if not 0 < len(content.get(name, " ")) <= limit:
            found.append(invalid(name, f"Length must be 1 to {limit}."))
    found += wrong_pictures(content.get("imageUrls", []))
    for sku in skus:
        found += _about_membership(call, key, sku)
    return found


def _about_membership(call: Call, key: str, sku: str) -> list[ErrorItem]:
    seller = call.seller
    if sku not in seller.items:
        return [error(25702, f"{sku} could not be found or is not available.", sku=sku)]
    for other in seller.groups_of(sku):
        if other != key:
            text = f"The SKU {sku} is already a member of group {other}."
            return [error(25703, text, sku=sku, groupId=other)]
    for offer in seller.offers_of(sku):
        if offer.published and call.state.listings[offer.listing_id or ""].group_key is None:
            text = f"The SKU {sku} is already listed on its own: {offer.listing_id}."
            return [error(25704, text, sku=sku, listingId=offer.listing_id or "")]
    return []


def _get(call: Call) -> Answer:
    group = _named(call)
    return Answer(200, {"inventoryItemGroupKey": group.key, **group.content})


def _delete(call: Call) -> Answer:
    group = _named(call)
    listing = _live_listing(call.sandbox, call.seller, group.key)
    if listing is not None:
        end_listing(call.sandbox, listing)
    del call.seller.groups[group.key]
    return NO_CONTENT


def _publish(call: Call) -> Answer:
    group = _of_body(call)
    marketplace, seller = call.body["marketplaceId"], call.seller
    if _live_listing(call.sandbox, seller, group.key) is not None:
        raise EbayError(400, user_error("The group is already published."))
    offers = [
        offer
        for sku in group.content["variantSKUs"]
        for offer in seller.offers_of(sku)
        if offer.marketplace_id == marketplace
    ]
    if not offers:
        raise EbayError(400, user_error("No offer of the group can be published."))
    found = _about_variations(seller, group, offers)
    for offer in offers:
        item = seller.items[offer.sku].content
        candidate = Candidate(marketplace, offer.content, item, group.content)
        found += complaints(call.sandbox, seller, candidate)
    if found:
        raise EbayError(400, *found)
    listing = open_listing(call.sandbox, seller, offers, group.key)
    left_out = sorted(set(group.content["variantSKUs"]) - {offer.sku for offer in offers})
    warnings = [
        error(25402, f"System warning. {sku} has no offer.", domain=INVENTORY.domain, sku=sku)
        for sku in left_out
    ]
    body: dict[str, Any] = {"listingId": listing.listing_id}
    return Answer(200, {**body, "warnings": warnings} if warnings else body)


def _of_body(call: Call) -> Group:
    wanted = fitted(call.body, {"inventoryItemGroupKey": str, "marketplaceId": str})
    if wanted.get("marketplaceId") not in SITES:
        raise EbayError(400, invalid("marketplaceId", NO_SUCH_SITE))
    key = wanted.get("inventoryItemGroupKey", "")
    if key not in call.seller.groups:
        raise _missing(key, status=400)
    return call.seller.groups[key]


def _about_variations(seller: Seller, group: Group, offers: list[Offer]) -> list[ErrorItem]:
    """Complaints about what should differ between variations, and what must not."""
    axes = [axis["name"] for axis in at(group.content, "variesBy", "specifications") or []]
    if not axes:
        return [user_error("The group does not say what its variations vary by.")]
    found: list[ErrorItem] = []
    seen: set[tuple[str, ...]] = set()
    for offer in offers:
        aspects = at(seller.items[offer.sku].content, "product", "aspects") or {}
        combination = tuple("|".join(aspects.get(axis, [])) for axis in axes)
        if not all(combination):
            found.append(user_error(f"Variation {offer.sku} lacks one of {', '.join(axes)}."))
        elif combination in seen:
            found.append(user_error(f"Variation {offer.sku} repeats another one."))
        seen.add(combination)
    for name in ("categoryId", "merchantLocationKey", "listingPolicies"):
        if len({str(offer.content.get(name)) for offer in offers}) > 1:
            found.append(user_error(f"Offers of one group must share {name}."))
    return found


def _withdraw(call: Call) -> Answer:
    group = _of_body(call)
    listing = _live_listing(call.sandbox, call.seller, group.key)
    if listing is None:
        raise EbayError(400, error(25725, "No offer found."))
    end_listing(call.sandbox, listing)
    return NO_CONTENT


def _write(operation_id: str, method: str, path: str, handler: Any, **more: Any) -> Operation:
    return Operation(operation_id, method, path, INVENTORY, INVENTORY_WRITE, handler, **more)


_KEY = "inventoryItemGroupKey"
_PATH = "/inventory_item_group/{inventoryItemGroupKey}"

GROUP_OPERATIONS = (
    _write(
        "createOrReplaceInventoryItemGroup", "PUT", _PATH, _put, json_body=True,
        content_language=True, lock=_KEY,
    ),
    _write("deleteInventoryItemGroup", "DELETE", _PATH, _delete, lock=_KEY),
    Operation("getInventoryItemGroup", "GET", _PATH, INVENTORY, INVENTORY_READ, _get),
    _write(
        "publishOfferByInventoryItemGroup", "POST", "/offer/publish_by_inventory_item_group",
        _publish, json_body=True,
    ),
    _write(
        "withdrawOfferByInventoryItemGroup", "POST", "/offer/withdraw_by_inventory_item_group",
        _withdraw, json_body=True,
    ),
)  # fmt: skip
