"""What buyers do: buy, pay, get their money back."""

from dataclasses import dataclass
from datetime import datetime

from sandbox.etsy.listing_states import sell_out
from sandbox.etsy.state import EtsyState, Listing, Product, Receipt, Refund, Shop, Transaction

FIRST_RECEIPT = 3_100_000_001
FIRST_TRANSACTION = 4_100_000_001
FIRST_BUYER = 880_000_001


class CannotBuyError(Exception):
    """Not for sale, or not so many; the text says why."""


@dataclass(frozen=True)
class Wanted:
    """So many units of a product, named by its listing, its SKU, its number, or several of them."""

    listing_id: int | None = None
    sku: str | None = None
    product_id: int | None = None
    quantity: int = 1


@dataclass(frozen=True)
class Buyer:
    """Who buys, and where it is sent."""

    name: str = "Robin Buyer"
    country: str = "US"
    message: str = ""


def buy(
    state: EtsyState, wanted: list[Wanted], buyer: Buyer, now: datetime, *, paid: bool
) -> Receipt:
    """One receipt of one shop; takes the units at once. Raises CannotBuyError, taking none."""
    if not wanted:
        raise CannotBuyError("nothing is wanted")
    found = [_found(state, one) for one in wanted]
    if len({listing.shop_id for listing, _ in found}) > 1:
        raise CannotBuyError("a receipt is of one shop")
    for (_, product), one in zip(found, wanted, strict=True):
        together = [
            other.quantity for (_, its), other in zip(found, wanted, strict=True) if its is product
        ]
        if one.quantity < 1 or sum(together) > product.offering.quantity:
            raise CannotBuyError(f"{product.offering.quantity} of {product.product_id} are left")
    shop, moment = state.shops[found[0][0].shop_id], int(now.timestamp())
    receipt = Receipt(
        receipt_id=state.next_id("receipt", FIRST_RECEIPT),
        shop_id=shop.shop_id,
        buyer=buyer.name,
        buyer_user_id=_buyer_number(state, buyer.name),
        country=buyer.country,
        created_at=moment,
        updated_at=moment,
        transactions=[
            _transaction(state, shop, listing, product, one.quantity)
            for (listing, product), one in zip(found, wanted, strict=True)
        ],
        paid_at=moment if paid else None,
        message=buyer.message,
    )
    for (listing, product), one in zip(found, wanted, strict=True):
        product.offering.quantity -= one.quantity
        listing.updated_at = moment
        if listing.quantity == 0:
            sell_out(listing, now)
    state.receipts[receipt.receipt_id] = receipt
    return receipt


def refund(receipt: Receipt, amount: int, reason: str, now: datetime) -> None:
    """Send `amount` cents back. Raises CannotBuyError where that is too much or nothing."""
    if receipt.paid_at is None or not 0 < amount <= receipt.goods + receipt.shipping - (
        receipt.refunded
    ):
        raise CannotBuyError("more than was paid, or nothing")
    receipt.refunds.append(Refund(int(now.timestamp()), amount, reason))
    receipt.updated_at = int(now.timestamp())


def cancel(receipt: Receipt, reason: str, now: datetime) -> None:
    """Call it off and send back what was paid. The units do not come back by themselves."""
    if receipt.canceled_at is not None:
        raise CannotBuyError("it is canceled already")
    left = receipt.goods + receipt.shipping - receipt.refunded
    if receipt.paid_at is not None and left:
        refund(receipt, left, reason, now)
    receipt.canceled_at = receipt.updated_at = int(now.timestamp())


def _found(state: EtsyState, wanted: Wanted) -> tuple[Listing, Product]:
    """The only product for sale that fits. Raises CannotBuyError."""
    fitting = [
        (listing, product)
        for listing in state.listings.values()
        if listing.state == "active" and listing.deleted_at is None
        for product in listing.current
        if product.offering.is_enabled and _fits(listing, product, wanted)
    ]
    if len(fitting) != 1:
        raise CannotBuyError(f"{len(fitting)} products for sale fit {wanted}")
    return fitting[0]


def _fits(listing: Listing, product: Product, wanted: Wanted) -> bool:
    return (
        wanted.listing_id in (None, listing.listing_id)
        and wanted.sku in (None, product.sku)
        and wanted.product_id in (None, product.product_id)
    )


def _transaction(
    state: EtsyState, shop: Shop, listing: Listing, product: Product, quantity: int
) -> Transaction:
    said = listing.content
    profile_id = said.get("shipping_profile_id")
    readiness = shop.readiness_states.get(product.offering.readiness_state_id or 0)
    return Transaction(
        transaction_id=state.next_id("transaction", FIRST_TRANSACTION),
        listing_id=listing.listing_id,
        product_id=product.product_id,
        sku=product.sku,
        title=said["title"],
        description=said["description"],
        quantity=quantity,
        price=product.offering.price,
        shipping_cost=_shipping(shop, profile_id, quantity),
        shipping_profile_id=profile_id,
        image_id=listing.image_ids[0] if listing.image_ids else None,
        is_digital=said["type"] == "download",
        processing_days=(readiness["min_processing_days"], readiness["max_processing_days"])
        if readiness
        else None,
        property_values=product.property_values,
    )


def _shipping(shop: Shop, profile_id: int | None, quantity: int) -> int:
    """The first destination's costs: the first unit's, and the others'."""
    profile = shop.shipping_profiles.get(profile_id or 0)
    if profile is None:
        return 0
    costs = profile["shipping_profile_destinations"][0]
    first, other = costs["primary_cost"]["amount"], costs["secondary_cost"]["amount"]
    return int(first + other * (quantity - 1))


def _buyer_number(state: EtsyState, name: str) -> int:
    if name not in state.buyers:
        state.buyers[name] = state.next_id("buyer", FIRST_BUYER)
    return state.buyers[name]
