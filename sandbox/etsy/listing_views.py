"""Listings as Etsy answers them."""

from typing import Any

from sandbox.etsy.image_views import image_view
from sandbox.etsy.inventory_views import inventory_view
from sandbox.etsy.operations import Call
from sandbox.etsy.people import shop_view, user_view
from sandbox.etsy.shops import money
from sandbox.etsy.state import Listing, Shop
from sandbox.etsy.values import LANGUAGES

ECHOED = (
    "title", "description", "taxonomy_id", "who_made", "when_made", "is_supply", "shop_section_id",
    "shipping_profile_id", "return_policy_id", "processing_min", "processing_max", "item_weight",
    "item_weight_unit", "item_length", "item_width", "item_height", "item_dimensions_unit",
)  # fmt: skip


def listing_view(shop: Shop, listing: Listing, *, exact: bool = True) -> dict[str, Any]:
    """Etsy's ShopListing.

    `exact` is for answers of a shop's own addresses and of single listings, which alone name the
    processing profile.
    """
    said = listing.content
    return {
        "listing_id": listing.listing_id,
        "user_id": shop.user_id,
        "shop_id": shop.shop_id,
        **{name: said.get(name) for name in ECHOED},
        "state": listing.state,
        "creation_timestamp": listing.created_at,
        "created_timestamp": listing.created_at,
        "original_creation_timestamp": listing.created_at,
        "ending_timestamp": listing.ends_at,
        "last_modified_timestamp": listing.updated_at,
        "updated_timestamp": listing.updated_at,
        "state_timestamp": listing.state_at,
        "quantity": listing.quantity,
        "price": money(listing.price, shop.currency),
        "tags": said.get("tags") or [],
        "materials": said.get("materials") or [],
        "style": said.get("styles") or [],
        "featured_rank": said.get("featured_rank") or -1,
        "url": f"https://www.etsy.com/listing/{listing.listing_id}",
        "num_favorers": 0,
        "non_taxable": not said["is_taxable"],
        "is_taxable": said["is_taxable"],
        "is_customizable": said.get("is_customizable", False),
        "is_personalizable": False,
        "listing_type": said["type"],
        "is_private": False,
        "file_data": "",
        "has_variations": any(product.property_values for product in listing.current),
        "should_auto_renew": said.get("should_auto_renew", False),
        "language": "fr" if shop.country == "FR" else "en-US",
        "readiness_state_id": _readiness(listing) if exact else None,
    }


def with_associations(call: Call, listing: Listing, *, exact: bool) -> dict[str, Any]:
    """Etsy's ShopListingWithAssociations, with what `includes` asks for."""
    shop = call.state.shops[listing.shop_id]
    own = call.is_owner(shop)
    parts: dict[str, tuple[str, Any]] = {
        "Shipping": ("shipping_profile", _shipping(shop, listing)),
        "Images": (
            "images",
            [image_view(call, listing, image_id) for image_id in listing.image_ids],
        ),
        "Shop": ("shop", shop_view(call.state, shop)),
        "User": ("user", user_view(shop)),
        "Translations": ("translations", _translations(listing)),
        "Inventory": ("inventory", inventory_view(shop, listing, own=own)),
        "Videos": ("videos", []),
        "Personalization": ("personalization", None),
        "BuyerPrice": ("buyer_price", None),
    }
    skus = sorted({product.sku for product in listing.current if product.sku})
    return {
        **listing_view(shop, listing, exact=exact),
        "skus": skus if own else [],
        "views": 0,
        "production_partners": [],
        **dict(parts[name] for name in call.query.get("includes", [])),
    }


def _readiness(listing: Listing) -> int | None:
    """Of a physical listing that is active; of several profiles the first."""
    if listing.state != "active" or listing.content["type"] == "download":
        return None
    return listing.current[0].offering.readiness_state_id


def _shipping(shop: Shop, listing: Listing) -> dict[str, Any] | None:
    return shop.shipping_profiles.get(listing.content.get("shipping_profile_id") or 0)


def _translations(listing: Listing) -> dict[str, Any]:
    return {language: listing.translations.get(language) for language in LANGUAGES}
