"""Inventories as Etsy answers them: prices as money, texts of numbers never."""

from typing import Any

from sandbox.etsy.shops import money
from sandbox.etsy.state import Listing, Product, Shop

ON_PROPERTY = ("price", "quantity", "sku", "readiness_state")


def inventory_view(
    shop: Shop, listing: Listing, *, own: bool, deleted: bool = False
) -> dict[str, Any]:
    """Etsy's ListingInventory; SKUs are for the owner alone."""
    products = listing.products if deleted else listing.current
    return {
        "products": [product_view(shop, product, own=own) for product in products],
        **{f"{name}_on_property": listing.on_property.get(name, []) for name in ON_PROPERTY},
    }


def product_view(shop: Shop, product: Product, *, own: bool) -> dict[str, Any]:
    """Etsy's ListingInventoryProduct."""
    offering = product.offering
    return {
        "product_id": product.product_id,
        "sku": product.sku if own else "",
        "is_deleted": product.is_deleted,
        "offerings": [
            {
                "offering_id": offering.offering_id,
                "quantity": offering.quantity,
                "is_enabled": offering.is_enabled,
                "is_deleted": product.is_deleted,
                "price": money(offering.price, shop.currency),
                "readiness_state_id": offering.readiness_state_id,
            }
        ],
        "property_values": product.property_values,
    }
