"""Receipts: found, read, marked, shipped."""

from collections.abc import Callable
from typing import Any

from sandbox.answers import Answer
from sandbox.etsy.errors import bad_request, conflict, not_found
from sandbox.etsy.fields import LEGACY, LIMIT, OFFSET, boolean, integer, word
from sandbox.etsy.operations import Call, Operation, listed, page
from sandbox.etsy.receipt_views import receipt_view, transaction_view
from sandbox.etsy.shipments import check_shipment
from sandbox.etsy.state import Email, Receipt, Shipment
from sandbox.etsy.values import ASCENDING, SORT_ORDERS

FIRST_SHIPMENT = 6_100_000_001
FIRST_SECOND = 946_684_800
"""The year 2000: no record is older."""
SORTED_BY: dict[str, Callable[[Receipt], int]] = {
    "created": lambda receipt: receipt.created_at,
    "updated": lambda receipt: receipt.updated_at,
    "receipt_id": lambda receipt: receipt.receipt_id,
}


def _receipts(call: Call) -> Answer:
    shop, query = call.own_shop, call.query
    rows = [one for one in _of_shop(call) if _wanted(one, query)]
    by = SORTED_BY[query.get("sort_on", "created")]
    newest_first = query.get("sort_order") not in ASCENDING
    rows.sort(key=lambda one: (by(one), one.receipt_id), reverse=newest_first)
    return listed([receipt_view(shop, one) for one in page(call, rows)], len(rows))


def _receipt(call: Call) -> Answer:
    return Answer(200, receipt_view(call.own_shop, _found(call)))


def _update(call: Call) -> Answer:
    shop, receipt = call.own_shop, _found(call)
    if receipt.canceled_at is not None:
        raise bad_request("The receipt is canceled.")
    for name, moment in (("was_paid", "paid_at"), ("was_shipped", "shipped_at")):
        wanted = call.form.get(name)
        if wanted is not None and wanted != (getattr(receipt, moment) is not None):
            setattr(receipt, moment, call.now if wanted else None)
            receipt.updated_at = call.now
    return Answer(200, receipt_view(shop, receipt))


def _ship(call: Call) -> Answer:
    """Every success writes to the buyer: whoever repeats it blindly writes twice."""
    shop, receipt = call.own_shop, _found(call)
    carrier, code = check_shipment(shop, receipt, call.body)
    if receipt.canceled_at is not None or receipt.paid_at is None:
        raise conflict("The receipt is canceled or not paid.")
    if code:
        shipment_id = call.state.next_id("shipment", FIRST_SHIPMENT)
        receipt.shipments.append(Shipment(shipment_id, call.now, carrier, code))
    receipt.shipped_at = receipt.shipped_at or call.now
    receipt.updated_at = call.now
    note = call.body.get("note_to_buyer", "")
    for to in ("buyer", "seller") if call.body.get("send_bcc") else ("buyer",):
        now = call.sandbox.clock.now()
        call.state.emails.append(Email(now, "shipped", to, receipt.receipt_id, carrier, code, note))
    return Answer(200, receipt_view(shop, receipt))


def _transactions(call: Call) -> Answer:
    shop, receipt = call.own_shop, _found(call)
    return listed([transaction_view(shop, receipt, one) for one in receipt.transactions])


def _transactions_of_shop(call: Call) -> Answer:
    rows = _bought(call)
    return listed(page(call, rows), len(rows))


def _transactions_of_listing(call: Call) -> Answer:
    rows = [one for one in _bought(call) if one["listing_id"] == call.path["listing_id"]]
    return listed(page(call, rows), len(rows))


def _transaction(call: Call) -> Answer:
    for row in _bought(call):
        if row["transaction_id"] == call.path["transaction_id"]:
            return Answer(200, row)
    raise not_found("Transaction")


def _bought(call: Call) -> list[dict[str, Any]]:
    """All transactions of the shop, newest first."""
    shop = call.own_shop
    return [
        transaction_view(shop, receipt, one)
        for receipt in reversed(_of_shop(call))
        for one in receipt.transactions
    ]


def _of_shop(call: Call) -> list[Receipt]:
    shop = call.own_shop
    return [one for one in call.state.receipts.values() if one.shop_id == shop.shop_id]


def _found(call: Call) -> Receipt:
    receipt = call.state.receipts.get(call.path["receipt_id"])
    if receipt is None or receipt.shop_id != call.own_shop.shop_id:
        raise not_found("Receipt")
    return receipt


def _wanted(receipt: Receipt, query: dict[str, Any]) -> bool:
    bounds = (
        query.get("min_created", 0) <= receipt.created_at
        and receipt.created_at <= query.get("max_created", receipt.created_at)
        and query.get("min_last_modified", 0) <= receipt.updated_at
        and receipt.updated_at <= query.get("max_last_modified", receipt.updated_at)
    )
    facts = {
        "was_paid": receipt.paid_at,
        "was_shipped": receipt.shipped_at,
        "was_delivered": receipt.delivered_at,
        "was_canceled": receipt.canceled_at,
    }
    return bounds and all(
        query.get(name) in (None, moment is not None) for name, moment in facts.items()
    )


_PATH = "/shops/{shop_id}/receipts"
_ONE = _PATH + "/{receipt_id}"
_READ, _WRITE = "transactions_r", "transactions_w"
_MARKS = (boolean("was_paid", nullable=True), boolean("was_shipped", nullable=True))

RECEIPT_OPERATIONS = (
    Operation(
        "getShopReceipts", "GET", _PATH, _READ, _receipts,
        query=(
            *(
                integer(name, least=FIRST_SECOND)
                for name in (
                    "min_created", "max_created", "min_last_modified", "max_last_modified",
                )
            ),
            LIMIT, OFFSET, word("sort_on", SORTED_BY), word("sort_order", SORT_ORDERS), *_MARKS,
            boolean("was_delivered", nullable=True), boolean("was_canceled", nullable=True), LEGACY,
        ),
    ),
    Operation("getShopReceipt", "GET", _ONE, _READ, _receipt, query=(LEGACY,)),
    Operation("updateShopReceipt", "PUT", _ONE, _WRITE, _update, query=(LEGACY,), form=_MARKS),
    Operation(
        "createReceiptShipment", "POST", _ONE + "/tracking", _WRITE, _ship, query=(LEGACY,),
        json_body=True,
    ),
    Operation(
        "getShopReceiptTransactionsByReceipt", "GET", _ONE + "/transactions", _READ, _transactions,
        query=(LEGACY,),
    ),
    Operation(
        "getShopReceiptTransactionsByShop", "GET", "/shops/{shop_id}/transactions", _READ,
        _transactions_of_shop, query=(LIMIT, OFFSET, LEGACY),
    ),
    Operation(
        "getShopReceiptTransactionsByListing", "GET",
        "/shops/{shop_id}/listings/{listing_id}/transactions", _READ, _transactions_of_listing,
        query=(LIMIT, OFFSET, LEGACY),
    ),
    Operation(
        "getShopReceiptTransaction", "GET", "/shops/{shop_id}/transactions/{transaction_id}",
        _READ, _transaction,
    ),
)  # fmt: skip
