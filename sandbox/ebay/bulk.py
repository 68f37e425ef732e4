"""Bulk calls: up to 25 rows, each with its own status; 207 unless all went well."""

from collections.abc import Callable
from typing import Any

from sandbox.answers import Answer
from sandbox.ebay.apis import INVENTORY, INVENTORY_READ, INVENTORY_WRITE
from sandbox.ebay.errors import EbayError, error, invalid, wire_errors
from sandbox.ebay.inventory import checked_sku, item_view, not_found, put_item
from sandbox.ebay.offers import add_offer, offer_named, publish_offer
from sandbox.ebay.operations import Call, Operation
from sandbox.ebay.quantities import update_price_and_quantity
from sandbox.ebay.shapes import Shape, fitted
from sandbox.ebay.values import FORMATS, LISTING_MARKETPLACES, LOCALES, MAX_BULK

Row = dict[str, Any]
Work = Callable[[Row], Row]


def bulk(call: Call, too_many: int, work: Work, keys: Callable[[Row], Row]) -> Answer:
    """Do `work` on every row; a refused row carries its errors, the others stand.

    Raises EbayError 400 when the request as a whole is wrong: no rows, or more than 25.
    """
    rows = rows_of(call, too_many)
    responses = [_outcome(call, row, work, keys) for row in rows]
    clean = all(response["statusCode"] < 300 for response in responses)
    return Answer(200 if clean else 207, {"responses": responses})


KEYS: Shape = {
    "sku": str,
    "locale": str,
    "offerId": str,
    "marketplaceId": LISTING_MARKETPLACES,
    "format": FORMATS,
    "offers": [{"offerId": str}],
}
"""What identifies rows, whichever call they belong to."""


def rows_of(call: Call, too_many: int) -> list[Row]:
    """The request's rows. Raises EbayError 400 (2004, 25709, or `too_many` beyond 25)."""
    rows = call.body.get("requests")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise EbayError(400, invalid("requests", "At least one row is required."))
    if len(rows) > MAX_BULK:
        text = f"The number of rows in the request cannot exceed {MAX_BULK}."
        raise EbayError(400, error(too_many, text))
    fitted(rows, [KEYS], "requests")
    return rows


def _outcome(call: Call, row: Row, work: Work, keys: Callable[[Row], Row]) -> Row:
    try:
        return {**keys(row), **work(row)}
    except EbayError as refusal:
        language = call.headers.get("accept-language", "en")
        body = wire_errors(refusal.errors, INVENTORY.domain, language)
        return {**keys(row), "statusCode": refusal.status, **body}


def _put_items(call: Call) -> Answer:
    skus = [row.get("sku") for row in rows_of(call, 25727)]
    if len(set(map(str, skus))) < len(skus):
        raise EbayError(400, error(25728, "Inventory items should be unique in the request."))

    def work(row: Row) -> Row:
        known = row["sku"] in call.seller.items
        put_item(call.sandbox, call.seller, checked_sku(row["sku"]), row["locale"], row)
        return {"statusCode": 200 if known else 201}

    if not all(row.get("sku") and row.get("locale") in LOCALES for row in rows_of(call, 25727)):
        raise EbayError(400, error(25733, "A valid SKU and locale are required for every item."))
    return bulk(call, 25727, work, lambda row: {"sku": row["sku"], "locale": row["locale"]})


def _get_items(call: Call) -> Answer:
    def work(row: Row) -> Row:
        item = call.seller.items.get(str(row.get("sku")))
        if item is None:
            raise not_found()
        view = item_view(call.seller, item)
        view.pop("groupIds", None)  # Only the calls for one item and for pages have it.
        return {"statusCode": 200, "inventoryItem": view}

    return bulk(call, 25727, work, lambda row: {"sku": str(row.get("sku"))})


def _create_offers(call: Call) -> Answer:
    pairs = [
        (row.get("sku"), row.get("marketplaceId"), row.get("format"))
        for row in rows_of(call, 25730)
    ]
    if len(set(map(str, pairs))) < len(pairs):
        text = "SKU, marketplaceId and format should be unique together."
        raise EbayError(400, error(25729, text))
    if len({str(marketplace) for _, marketplace, _ in pairs}) > 1:
        raise EbayError(400, invalid("marketplaceId", "One marketplace for all rows."))
    if not all(all(pair) for pair in pairs):
        raise EbayError(400, error(25735, "Invalid SKU, marketplaceId or format."))
    language = call.headers["content-language"]

    def work(row: Row) -> Row:
        offer = add_offer(call.sandbox, call.seller, row, language)
        return {"statusCode": 200, "offerId": offer.offer_id}

    def keys(row: Row) -> Row:
        return {name: row[name] for name in ("sku", "marketplaceId", "format")}

    return bulk(call, 25730, work, keys)


def _publish_offers(call: Call) -> Answer:
    ids = [str(row.get("offerId")) for row in rows_of(call, 25730)]
    if len(set(ids)) < len(ids):
        raise EbayError(400, error(25731, "offerId should be unique in the request."))

    def work(row: Row) -> Row:
        offer = offer_named(call.seller, str(row.get("offerId")))
        return {"statusCode": 200, "listingId": publish_offer(call.sandbox, call.seller, offer)}

    return bulk(call, 25730, work, lambda row: {"offerId": str(row.get("offerId"))})


def _update_price_quantity(call: Call) -> Answer:
    rows = rows_of(call, 25709)
    language = call.headers.get("accept-language", "en")
    responses = [
        response
        for row in rows
        for response in update_price_and_quantity(call.sandbox, call.seller, row, language)
    ]
    clean = all(response["statusCode"] < 300 for response in responses)
    return Answer(200 if clean else 207, {"responses": responses})


def _post(
    operation_id: str, path: str, handler: Callable[[Call], Answer], language: bool = False
) -> Operation:
    reading = operation_id == "bulkGetInventoryItem"
    return Operation(
        operation_id,
        "POST",
        path,
        INVENTORY,
        INVENTORY_READ if reading else INVENTORY_WRITE,
        handler,
        json_body=True,
        content_language=language,
    )


BULK_OPERATIONS = (
    _post(
        "bulkCreateOrReplaceInventoryItem",
        "/bulk_create_or_replace_inventory_item",
        _put_items,
        language=True,
    ),
    _post("bulkGetInventoryItem", "/bulk_get_inventory_item", _get_items),
    _post("bulkCreateOffer", "/bulk_create_offer", _create_offers, language=True),
    _post("bulkPublishOffer", "/bulk_publish_offer", _publish_offers),
    _post("bulkUpdatePriceQuantity", "/bulk_update_price_quantity", _update_price_quantity),
)
