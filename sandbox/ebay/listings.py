"""Live listings: opened, kept in step with their offers and items, revised, ended."""

from decimal import Decimal
from typing import Any

from sandbox.ebay.errors import EbayError, user_error
from sandbox.ebay.sandbox import EbaySandbox
from sandbox.ebay.shapes import amount, at
from sandbox.ebay.state import Listing, Offer, Seller
from sandbox.ebay.values import MAX_REVISIONS_PER_DAY

FIRST_LISTING = 110_550_000_001


def open_listing(
    sandbox: EbaySandbox, seller: Seller, offers: list[Offer], group_key: str | None = None
) -> Listing:
    """A new live listing for `offers`, which become published."""
    listing = Listing(
        listing_id=sandbox.state.next_number("listing", FIRST_LISTING),
        seller=seller.name,
        marketplace_id=offers[0].marketplace_id,
        sku=None if group_key else offers[0].sku,
        group_key=group_key,
        created_at=sandbox.clock.now(),
        offer_ids=[offer.offer_id for offer in offers],
    )
    for offer in offers:
        offer.listing_id = listing.listing_id
    sandbox.state.listings[listing.listing_id] = listing
    refresh(sandbox, listing)
    return listing


def end_listing(sandbox: EbaySandbox, listing: Listing) -> None:
    """End it; its offers stay, unpublished."""
    listing.status = "ENDED"
    listing.ended_at = sandbox.clock.now()
    for offer in sandbox.state.sellers[listing.seller].offers.values():
        if offer.listing_id == listing.listing_id:
            offer.listing_id = None


def take_out(sandbox: EbaySandbox, offer: Offer) -> None:
    """Remove one offer from its listing, which ends with its last offer."""
    listing = sandbox.state.listings[offer.listing_id or ""]
    if listing.offer_ids == [offer.offer_id]:
        end_listing(sandbox, listing)
        return
    listing.offer_ids.remove(offer.offer_id)
    offer.listing_id = None
    refresh(sandbox, listing)


def check_revisable(sandbox: EbaySandbox, listing: Listing) -> None:
    """Raise EbayError 400 (25002) when the day's 250 revisions of this listing are spent."""
    today = sandbox.clock.now().date().isoformat()
    if listing.revisions.get(today, 0) >= MAX_REVISIONS_PER_DAY:
        detail = f"Listing {listing.listing_id} has reached its revisions for today."
        raise EbayError(400, user_error(detail))


def revise(sandbox: EbaySandbox, listing: Listing) -> None:
    """Bring it in step with its offers and items, and count one revision."""
    today = sandbox.clock.now().date().isoformat()
    listing.revisions[today] = listing.revisions.get(today, 0) + 1
    refresh(sandbox, listing)


def live_listings_of(sandbox: EbaySandbox, seller: Seller, skus: list[str]) -> list[Listing]:
    """The live listings that show any of `skus`, oldest first."""
    found = {offer.listing_id for offer in seller.offers.values() if offer.sku in skus}
    return [listing for number, listing in sandbox.state.listings.items() if number in found]


def offered_quantity(seller: Seller, offer: Offer) -> int:
    """Units on sale: the offer's own quantity, at most what the item has."""
    item = seller.items.get(offer.sku)
    stock = (
        at(item.content, "availability", "shipToLocationAvailability", "quantity") if item else 0
    )
    own = offer.content.get("availableQuantity")
    return int(min(stock, own) if own is not None and stock is not None else own or stock or 0)


def refresh(sandbox: EbaySandbox, listing: Listing) -> None:
    """Recompute what buyers see."""
    seller = sandbox.state.sellers[listing.seller]
    offers = [seller.offers[offer_id] for offer_id in listing.offer_ids]
    variations = [_variation(seller, offer) for offer in offers]
    product = seller.items[offers[0].sku].content.get("product", {})
    shown = seller.groups[listing.group_key].content if listing.group_key else product
    listing.title = shown.get("title") or product.get("title", "")
    own_pictures = shown.get("imageUrls", [])
    listing.image_urls = list(own_pictures) or list(product.get("imageUrls", []))
    listing.price = str(min(Decimal(variation["price"]) for variation in variations))
    listing.currency = variations[0]["currency"]
    listing.quantity = sum(variation["quantity"] for variation in variations)
    listing.variations = variations if listing.group_key else []


def _variation(seller: Seller, offer: Offer) -> dict[str, Any]:
    price = at(offer.content, "pricingSummary", "price")
    return {
        "sku": offer.sku,
        "offer_id": offer.offer_id,
        "price": str(amount(price)),
        "currency": price["currency"],
        "quantity": offered_quantity(seller, offer),
        "aspects": at(seller.items[offer.sku].content, "product", "aspects") or {},
        "image_urls": list(at(seller.items[offer.sku].content, "product", "imageUrls") or []),
    }
