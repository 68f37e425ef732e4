"""A listing's inventory: read, and replaced as a whole."""

from dataclasses import replace

from sandbox.answers import Answer
from sandbox.etsy.errors import not_found
from sandbox.etsy.fields import LEGACY, boolean, word
from sandbox.etsy.inventory_rules import WantedInventory, read_inventory
from sandbox.etsy.inventory_views import inventory_view, product_view
from sandbox.etsy.listing_rules import check_sellable
from sandbox.etsy.listing_views import listing_view
from sandbox.etsy.listings import new_product, owned, visible
from sandbox.etsy.operations import Call, Operation
from sandbox.etsy.state import Listing


def _get(call: Call) -> Answer:
    listing = visible(call)
    shop = call.state.shops[listing.shop_id]
    deleted = call.query.get("show_deleted", False)
    found = inventory_view(shop, listing, own=call.is_owner(shop), deleted=deleted)
    if "includes" in call.query:
        found["listing"] = listing_view(shop, listing, exact=False)
    return Answer(200, found)


def _product(call: Call) -> Answer:
    listing = visible(call)
    shop = call.state.shops[listing.shop_id]
    for product in listing.current:
        if product.product_id == call.path["product_id"]:
            return Answer(200, product_view(shop, product, own=call.is_owner(shop)))
    raise not_found("Product")


def _put(call: Call) -> Answer:
    listing = owned(call)
    shop = call.state.shops[listing.shop_id]
    most = int(call.query.get("max_variations_supported", "2"))
    wanted = read_inventory(call.sandbox.taxonomy, shop, listing, call.body, most)
    if listing.state == "active":
        check_sellable(_as_wanted(listing, wanted), shop, wanted.units)
    for product in listing.current:
        product.is_deleted = True
    for row in wanted.products:
        values = row.property_values
        made = new_product(call.state, row.sku, row.offering, property_values=values)
        listing.products.append(made)
    listing.on_property = wanted.on_property
    listing.updated_at = call.now
    return Answer(200, inventory_view(shop, listing, own=True))


def _as_wanted(listing: Listing, wanted: WantedInventory) -> Listing:
    """What the listing would be, to be looked at before anything is changed."""
    return replace(listing, products=[row.as_product() for row in wanted.products])


_PATH = "/listings/{listing_id}/inventory"

INVENTORY_OPERATIONS = (
    Operation(
        "getListingInventory", "GET", _PATH, "listings_r", _get,
        query=(boolean("show_deleted"), word("includes", ("Listing",)), LEGACY),
    ),
    Operation(
        "updateListingInventory", "PUT", _PATH, "listings_w", _put, json_body=True,
        query=(LEGACY, word("max_variations_supported", ("2", "3"))),
    ),
    Operation(
        "getListingProduct", "GET", _PATH + "/products/{product_id}", "listings_r", _product,
        query=(LEGACY,),
    ),
)  # fmt: skip
