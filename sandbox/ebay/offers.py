"""Offers: created once, replaced whole, published, withdrawn, deleted."""

from typing import Any
from urllib.parse import quote

from sandbox.answers import NO_CONTENT, Answer
from sandbox.ebay.apis import INVENTORY, INVENTORY_READ, INVENTORY_WRITE
from sandbox.ebay.errors import OFFER_EXISTS, EbayError, error, invalid, user_error
from sandbox.ebay.listings import (
    check_revisable,
    offered_quantity,
    open_listing,
    revise,
    take_out,
)
from sandbox.ebay.operations import Call, Operation
from sandbox.ebay.orders import sold_quantity
from sandbox.ebay.paging import Page
from sandbox.ebay.publishing import Candidate, complaints
from sandbox.ebay.sandbox import EbaySandbox
from sandbox.ebay.shapes import MONEY, Shape, amount, at, fitted
from sandbox.ebay.state import Offer, Seller
from sandbox.ebay.values import (
    FORMATS,
    LISTING_MARKETPLACES,
    MAX_LISTING_DESCRIPTION,
    NO_SUCH_SITE,
    SITES,
)

FIRST_OFFER = 8_209_815_001

OFFER_DETAILS: Shape = {
    "availableQuantity": int,
    "categoryId": str,
    "hideBuyerDetails": bool,
    "includeCatalogProductDetails": bool,
    "listingDescription": str,
    "listingDuration": str,
    "listingPolicies": {
        "bestOfferTerms": {
            "autoAcceptPrice": MONEY,
            "autoDeclinePrice": MONEY,
            "bestOfferEnabled": bool,
        },
        "eBayPlusIfEligible": bool,
        "fulfillmentPolicyId": str,
        "paymentPolicyId": str,
        "returnPolicyId": str,
    },
    "listingStartDate": str,
    "lotSize": int,
    "merchantLocationKey": str,
    "pricingSummary": {"price": MONEY, "originalRetailPrice": MONEY},
    "quantityLimitPerBuyer": int,
    "secondaryCategoryId": str,
    "storeCategoryNames": [str],
    "tax": {"applyTax": bool, "thirdPartyTaxCategory": str, "vatPercentage": float},
}
OFFER_KEYS: Shape = {"sku": str, "marketplaceId": LISTING_MARKETPLACES, "format": FORMATS}
DEFAULTS = {
    "hideBuyerDetails": False,
    "includeCatalogProductDetails": True,
    "listingDuration": "GTC",
    "listingPolicies": {},
    "pricingSummary": {},
}


def offer_missing(offer_id: str, status: int = 404) -> EbayError:
    """25713: no such offer, or not in a state for this."""
    return EbayError(status, error(25713, "This offer is not available.", offerId=offer_id))


def offer_named(seller: Seller, offer_id: str) -> Offer:
    """The seller's offer. Raises EbayError 404 (25713)."""
    if offer_id not in seller.offers:
        raise offer_missing(offer_id)
    return seller.offers[offer_id]


def check_language(marketplace_id: str, language: str) -> None:
    """Raise EbayError 400 (25709) for texts in another language than the site's."""
    if language != SITES[marketplace_id].language:
        why = f"{marketplace_id} takes {SITES[marketplace_id].language}."
        raise EbayError(400, invalid("header Content-Language", why))


def add_offer(sandbox: EbaySandbox, seller: Seller, body: Any, language: str) -> Offer:
    """A new, unpublished offer. Raises EbayError 400 (25702, 25709, 25002 when there is one)."""
    keys = fitted(body, OFFER_KEYS)
    for name in OFFER_KEYS:
        if not keys.get(name):
            raise EbayError(400, invalid(name, "It is required."))
    if keys["marketplaceId"] not in SITES:
        raise EbayError(400, invalid("marketplaceId", NO_SUCH_SITE))
    check_language(keys["marketplaceId"], language)
    if keys["format"] != "FIXED_PRICE":
        raise EbayError(400, invalid("format", "The sandbox lists at fixed prices only."))
    if keys["sku"] not in seller.items:
        text = f"{keys['sku']} could not be found or is not available in the system."
        raise EbayError(400, error(25702, text, sku=keys["sku"]))
    content = checked_details(body)
    for offer in seller.offers_of(keys["sku"]):
        if offer.marketplace_id == keys["marketplaceId"]:
            raise EbayError(400, user_error(OFFER_EXISTS, offerId=offer.offer_id))
    offer_id = sandbox.state.next_number("offer", FIRST_OFFER)
    offer = Offer(offer_id, keys["sku"], keys["marketplaceId"], content)
    seller.offers[offer_id] = offer
    return offer


def checked_details(body: Any) -> dict[str, Any]:
    """An offer's replaceable part. Raises EbayError 400 (2004, 25709)."""
    content: dict[str, Any] = fitted(body, OFFER_DETAILS)
    if content.get("listingDuration", "GTC") != "GTC":
        raise EbayError(400, invalid("listingDuration", "Fixed prices run GTC."))
    if len(content.get("listingDescription", "")) > MAX_LISTING_DESCRIPTION:
        limit = f"At most {MAX_LISTING_DESCRIPTION} characters."
        raise EbayError(400, invalid("listingDescription", limit))
    price = at(content, "pricingSummary", "price")
    value = amount(price)
    if price is not None and (value is None or value < 0):
        raise EbayError(400, invalid("pricingSummary.price.value"))
    if content.get("availableQuantity", 0) < 0:
        raise EbayError(400, invalid("availableQuantity"))
    return content


def replace_offer(sandbox: EbaySandbox, seller: Seller, offer: Offer, body: Any) -> None:
    """Replace an offer whole; a live listing follows. Raises EbayError, changing nothing."""
    content = checked_details(body)
    if offer.published:
        if not content.get("listingDescription"):
            text = "The listingDescription value is invalid. It is required for live listings."
            raise EbayError(400, error(25016, text, fieldName="listingDescription"))
        listing = sandbox.state.listings[offer.listing_id or ""]
        group = seller.groups[listing.group_key].content if listing.group_key else None
        item = seller.items[offer.sku].content
        candidate = Candidate(offer.marketplace_id, content, item, group, live=True)
        found = complaints(sandbox, seller, candidate)
        if found:
            raise EbayError(400, *found)
        check_revisable(sandbox, listing)
    offer.content = content
    if offer.published:
        revise(sandbox, sandbox.state.listings[offer.listing_id or ""])


def publish_offer(sandbox: EbaySandbox, seller: Seller, offer: Offer) -> str:
    """List it; returns the listing id. Raises EbayError 400 with every complaint."""
    if offer.published:
        raise EbayError(400, user_error("The offer is already published.", offerId=offer.offer_id))
    if seller.groups_of(offer.sku):
        detail = "Offers of a variation group are published through their group."
        raise EbayError(400, user_error(detail, offerId=offer.offer_id))
    candidate = Candidate(offer.marketplace_id, offer.content, seller.items[offer.sku].content)
    found = complaints(sandbox, seller, candidate)
    if found:
        raise EbayError(400, *found)
    return open_listing(sandbox, seller, [offer]).listing_id


def offer_view(sandbox: EbaySandbox, seller: Seller, offer: Offer) -> dict[str, Any]:
    """An offer as it is read back, with its listing while published."""
    view = {
        **DEFAULTS,
        **offer.content,
        "offerId": offer.offer_id,
        "sku": offer.sku,
        "marketplaceId": offer.marketplace_id,
        "format": "FIXED_PRICE",
        "availableQuantity": offered_quantity(seller, offer),
        "status": "PUBLISHED" if offer.published else "UNPUBLISHED",
    }
    if offer.published:
        in_stock = sandbox.state.listings[offer.listing_id or ""].quantity > 0
        view["listing"] = {
            "listingId": offer.listing_id,
            "listingStatus": "ACTIVE" if in_stock else "OUT_OF_STOCK",
            "soldQuantity": sold_quantity(sandbox.state, offer),
        }
    return view


def _create(call: Call) -> Answer:
    language = call.headers["content-language"]
    offer = add_offer(call.sandbox, call.seller, call.body, language)
    return Answer(201, {"offerId": offer.offer_id})


def _get(call: Call) -> Answer:
    offer = offer_named(call.seller, call.path["offerId"])
    return Answer(200, offer_view(call.sandbox, call.seller, offer))


def _list(call: Call) -> Answer:
    sku = call.query.get("sku")
    if not sku:
        raise EbayError(400, invalid("sku", "It is required."))
    page = Page.asked(call, default=100, most=100)
    marketplace = call.query.get("marketplace_id")
    offers = [
        offer
        for offer in call.seller.offers_of(sku)
        if marketplace in (None, offer.marketplace_id)
        and call.query.get("format") in (None, "FIXED_PRICE")
    ]
    if not offers:
        raise EbayError(404, error(25713, "This offer is not available.", sku=sku))
    rows = [offer_view(call.sandbox, call.seller, offer) for offer in page.cut(offers)]
    body = page.envelope(f"{INVENTORY.base_path}/offer?sku={quote(sku)}", len(offers))
    return Answer(200, {**body, "size": len(rows), "offers": rows})


def _update(call: Call) -> Answer:
    offer = offer_named(call.seller, call.path["offerId"])
    check_language(offer.marketplace_id, call.headers["content-language"])
    replace_offer(call.sandbox, call.seller, offer, call.body)
    return NO_CONTENT


def _delete(call: Call) -> Answer:
    offer = offer_named(call.seller, call.path["offerId"])
    if offer.published:
        take_out(call.sandbox, offer)
    del call.seller.offers[offer.offer_id]
    return NO_CONTENT


def _publish(call: Call) -> Answer:
    offer = offer_named(call.seller, call.path["offerId"])
    return Answer(200, {"listingId": publish_offer(call.sandbox, call.seller, offer)})


def _withdraw(call: Call) -> Answer:
    offer = offer_named(call.seller, call.path["offerId"])
    if offer.listing_id is None:
        raise offer_missing(offer.offer_id, status=400)
    listing_id = offer.listing_id
    take_out(call.sandbox, offer)
    return Answer(200, {"listingId": listing_id})


def _write(operation_id: str, method: str, path: str, handler: Any, **more: Any) -> Operation:
    return Operation(operation_id, method, path, INVENTORY, INVENTORY_WRITE, handler, **more)


_OFFER = "/offer/{offerId}"

OFFER_OPERATIONS = (
    _write("createOffer", "POST", "/offer", _create, json_body=True, content_language=True),
    _write(
        "updateOffer",
        "PUT",
        _OFFER,
        _update,
        json_body=True,
        content_language=True,
        lock="offerId",
    ),
    _write("deleteOffer", "DELETE", _OFFER, _delete, lock="offerId"),
    _write("publishOffer", "POST", f"{_OFFER}/publish", _publish, lock="offerId"),
    _write("withdrawOffer", "POST", f"{_OFFER}/withdraw", _withdraw, lock="offerId"),
    Operation("getOffers", "GET", "/offer", INVENTORY, INVENTORY_READ, _list),
    Operation("getOffer", "GET", _OFFER, INVENTORY, INVENTORY_READ, _get),
)
