"""What buyers do: they buy, pay, want their money back. Only the control addresses lead here."""

import copy
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sandbox.ebay.listings import end_listing, offered_quantity, refresh
from sandbox.ebay.sandbox import EbaySandbox
from sandbox.ebay.shapes import amount, at
from sandbox.ebay.state import EbayState, Offer, Order, OrderLine, Refund, Seller

OUT_OF_STOCK_CONTROL = "OUT_OF_STOCK_CONTROL"
FIRST_ORDER = 12_345_001
FIRST_LINE = 10_050_001
FIRST_REFUND = 5_070_001
SHIPPING = "4.50"
FEE_SHARE, FEE_FIXED = Decimal("0.1325"), Decimal("0.30")
"""What the sandbox keeps of an order's total."""
LIVES_AT_MOST = timedelta(days=730)


class CannotBuyError(Exception):
    """The purchase makes no sense; the text says why."""


@dataclass(frozen=True)
class Wanted:
    """Units of one thing that is for sale."""

    listing_id: str
    quantity: int = 1
    sku: str | None = None
    """Which variation; needed where there are several."""


def buy(
    sandbox: EbaySandbox, wanted: list[Wanted], *, buyer: str, shipping: str, paid: bool
) -> Order:
    """One order for all that is wanted, from one seller; the listings count down at once.

    Raises CannotBuyError, changing nothing.
    """
    if not wanted:
        raise CannotBuyError("nothing is wanted")
    found = [(each, _offer_of(sandbox, each)) for each in wanted]
    sellers = {seller.name for _, (seller, _) in found}
    if len(sellers) > 1:
        raise CannotBuyError("an order is from one seller")
    now = sandbox.clock.now()
    lines = [_line(sandbox, seller, offer, each) for each, (seller, offer) in found]
    offer = found[0][1][1]
    number = sandbox.state.next_number("order", FIRST_ORDER)
    order = Order(
        order_id=f"{number[:2]}-{number[2:].zfill(6)[:5]}-{number[-5:]}",
        seller=sellers.pop(),
        buyer=buyer,
        marketplace_id=offer.marketplace_id,
        currency=at(offer.content, "pricingSummary", "price", "currency"),
        created_at=now,
        modified_at=now,
        lines=lines,
        shipping=shipping,
        paid_at=now if paid else None,
    )
    sandbox.state.orders[order.order_id] = order
    for each, (seller, bought) in found:
        _count_down(sandbox, seller, bought, each.quantity)
    return order


def pay(sandbox: EbaySandbox, order: Order) -> None:
    """The buyer's money has come in."""
    order.paid_at = order.paid_at or sandbox.clock.now()
    order.modified_at = sandbox.clock.now()


def cancel(sandbox: EbaySandbox, order: Order, reason: str) -> None:
    """Cancel it; what was paid goes back. The listing does not count up again."""
    now = sandbox.clock.now()
    order.cancelled_at, order.cancel_reason = now, reason
    order.modified_at = now
    if order.paid_at is not None and refunded(order) < total(order):
        refund(sandbox, order, total(order) - refunded(order))


def refund(sandbox: EbaySandbox, order: Order, money: Decimal) -> None:
    """Send money back. Raises CannotBuyError for more than was paid."""
    if order.paid_at is None or not 0 < money <= total(order) - refunded(order):
        raise CannotBuyError("more than was paid, or nothing")
    now = sandbox.clock.now()
    number = sandbox.state.next_number("refund", FIRST_REFUND)
    order.refunds.append(Refund(number, f"{money:.2f}", now))
    order.modified_at = now


def goods(order: Order) -> Decimal:
    """Price of all units."""
    return sum((Decimal(line.price) * line.quantity for line in order.lines), Decimal())


def total(order: Order) -> Decimal:
    """What the buyer pays."""
    return goods(order) + Decimal(order.shipping)


def refunded(order: Order) -> Decimal:
    """What went back."""
    return sum((Decimal(each.amount) for each in order.refunds), Decimal())


def fee(order: Order) -> Decimal:
    """What the sandbox keeps."""
    return (total(order) * FEE_SHARE + FEE_FIXED).quantize(Decimal("0.01"))


def sold_quantity(state: EbayState, offer: Offer) -> int:
    """Units of an offer's present listing that were bought."""
    return sum(
        line.quantity
        for order in state.orders.values()
        for line in order.lines
        if (line.offer_id, line.listing_id) == (offer.offer_id, offer.listing_id)
    )


def _offer_of(sandbox: EbaySandbox, wanted: Wanted) -> tuple[Seller, Offer]:
    listing = sandbox.state.listings.get(wanted.listing_id)
    if listing is None or listing.status != "ACTIVE":
        raise CannotBuyError(f"{wanted.listing_id} is not for sale")
    seller = sandbox.state.sellers[listing.seller]
    offers = [seller.offers[offer_id] for offer_id in listing.offer_ids]
    if wanted.sku is not None:
        offers = [offer for offer in offers if offer.sku == wanted.sku]
    if len(offers) != 1:
        raise CannotBuyError("say by sku which variation")
    if not 0 < wanted.quantity <= offered_quantity(seller, offers[0]):
        raise CannotBuyError(f"there are {offered_quantity(seller, offers[0])}")
    return seller, offers[0]


def _line(sandbox: EbaySandbox, seller: Seller, offer: Offer, wanted: Wanted) -> OrderLine:
    listing = sandbox.state.listings[wanted.listing_id]
    variation = next((row for row in listing.variations if row["sku"] == offer.sku), None)
    price = amount(at(offer.content, "pricingSummary", "price")) or Decimal()
    return OrderLine(
        line_id=sandbox.state.next_number("line", FIRST_LINE),
        listing_id=listing.listing_id,
        offer_id=offer.offer_id,
        sku=offer.sku,
        title=listing.title,
        quantity=wanted.quantity,
        price=f"{price:.2f}",
        aspects=dict(variation["aspects"]) if variation else {},
    )


def _count_down(sandbox: EbaySandbox, seller: Seller, offer: Offer, units: int) -> None:
    """Item and offer have so many less; a listing of nothing hides, or ends without the programme
    that keeps it.
    """
    listing = sandbox.state.listings[offer.listing_id or ""]
    item = seller.items[offer.sku]
    item.content = copy.deepcopy(item.content)
    stock: dict[str, Any] = item.content["availability"]["shipToLocationAvailability"]
    stock["quantity"] = max(stock["quantity"] - units, 0)
    if offer.content.get("availableQuantity") is not None:
        left = max(offer.content["availableQuantity"] - units, 0)
        offer.content = {**offer.content, "availableQuantity": left}
    refresh(sandbox, listing)
    if listing.quantity == 0 and OUT_OF_STOCK_CONTROL not in seller.programs:
        end_listing(sandbox, listing)
