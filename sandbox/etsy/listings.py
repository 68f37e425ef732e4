"""Listings: drawn up, changed, put up for sale, found, deleted."""

from decimal import Decimal
from typing import Any

from sandbox.answers import NO_CONTENT, Answer
from sandbox.etsy import listing_states
from sandbox.etsy.errors import EtsyError, bad_request, not_found
from sandbox.etsy.fields import LEGACY, LIMIT, OFFSET, boolean, identifier, text, word
from sandbox.etsy.inventory_views import ON_PROPERTY
from sandbox.etsy.listing_fields import CREATE, UPDATE
from sandbox.etsy.listing_rules import check_price, check_quantity, check_said, check_sellable
from sandbox.etsy.listing_views import listing_view, with_associations
from sandbox.etsy.operations import Call, Operation, listed, page
from sandbox.etsy.state import EtsyState, Listing, Offering, Product
from sandbox.etsy.values import ASCENDING, INCLUDES, SORT_ORDERS, STATES, cents

FIRST_LISTING = 1_800_000_001
FIRST_PRODUCT = 21_000_000_001
FIRST_OFFERING = 23_000_000_001
MAX_BATCH = 100
DEFAULTS: dict[str, Any] = {"type": "physical", "is_taxable": True, "is_supply": False}


def new_product(
    state: EtsyState, sku: str, offering: tuple[int, int, bool, int | None], **more: Any
) -> Product:
    """A product; its `offering` is price in cents, quantity, whether shown, processing profile."""
    return Product(
        state.next_id("product", FIRST_PRODUCT),
        sku,
        Offering(state.next_id("offering", FIRST_OFFERING), *offering),
        **more,
    )


def visible(call: Call) -> Listing:
    """The path's listing, if the caller may see it. Raises EtsyError 404."""
    found = call.state.listings.get(call.path["listing_id"])
    if found is None or not may_see(call, found):
        raise not_found("Listing")
    return found


def may_see(call: Call, listing: Listing) -> bool:
    """Active ones are for everybody, others for their owner."""
    own = call.is_owner(call.state.shops[listing.shop_id])
    return listing.deleted_at is None and (own or listing.state == "active")


def owned(call: Call) -> Listing:
    """The path's listing, which must be the caller's. Raises EtsyError 404, 403."""
    listing = visible(call)
    if "shop_id" in call.path and call.own_shop.shop_id != listing.shop_id:
        raise not_found("Listing")
    if not call.is_owner(call.state.shops[listing.shop_id]):
        raise EtsyError(403, "The user does not own this listing.")
    return listing


def _kept(form: dict[str, Any]) -> dict[str, Any]:
    """Values as they are kept: decimals as JSON has them, and no type of nothing."""
    return {
        name: float(value) if isinstance(value, Decimal) else value
        for name, value in form.items()
        if (name, value) != ("type", None)
    }


def _create(call: Call) -> Answer:
    shop, form = call.own_shop, dict(call.form)
    check_said(call.sandbox, shop, form)
    quantity, price = form.pop("quantity"), form.pop("price")
    check_quantity(quantity)
    check_price(price)
    image_ids = form.pop("image_ids", [])
    readiness = form.pop("readiness_state_id", None)
    now = call.sandbox.clock.now()
    listing = Listing(
        listing_id=call.state.next_id("listing", FIRST_LISTING),
        shop_id=shop.shop_id,
        created_at=call.now,
        updated_at=call.now,
        state_at=call.now,
        ends_at=int(listing_states.term_from(now).timestamp()),
        state="draft",
        content={**DEFAULTS, **_kept(form)},
        products=[new_product(call.state, "", (cents(price), quantity, True, readiness))],
        on_property={name: [] for name in ON_PROPERTY},
        image_ids=image_ids,
    )
    call.state.listings[listing.listing_id] = listing
    return Answer(201, listing_view(shop, listing))


def _update(call: Call) -> Answer:
    shop, form = call.own_shop, dict(call.form)
    listing, now = owned(call), call.sandbox.clock.now()
    check_said(call.sandbox, shop, form)
    wanted = form.pop("state", None)
    before = (listing.content, listing.image_ids)
    try:
        listing.image_ids = form.pop("image_ids", listing.image_ids)
        listing.content = {**listing.content, **_kept(form)}
        if wanted == "active":
            listing_states.activate(call.state, listing, shop, now)
        elif wanted == "inactive":
            listing_states.deactivate(listing, now)
        elif listing.state == "active":
            check_sellable(listing, shop, listing.quantity)
    except EtsyError:
        listing.content, listing.image_ids = before
        raise
    listing.updated_at = call.now
    return Answer(200, listing_view(shop, listing))


def _delete(call: Call) -> Answer:
    listing_states.delete(owned(call), call.sandbox.clock.now())
    return NO_CONTENT


def _get(call: Call) -> Answer:
    return Answer(200, with_associations(call, visible(call), exact=True))


def _of_shop(call: Call) -> Answer:
    shop, state = call.own_shop, call.query.get("state", "active")
    rows = _sorted(call, [one for one in _listings(call, shop.shop_id) if one.state == state])
    found = [with_associations(call, one, exact=True) for one in page(call, rows)]
    told = [{**row, **call.state.unlike.get(row["listing_id"], {})} for row in found]
    return listed(told, len(rows) + call.state.miscounted_by)


def _active_of_shop(call: Call) -> Answer:
    shop, words = call.shop, (call.query.get("keywords") or "").lower().split()
    rows = [
        one
        for one in _listings(call, shop.shop_id)
        if one.state == "active" and all(word in one.content["title"].lower() for word in words)
    ]
    rows = _sorted(call, rows)
    return listed([listing_view(shop, one) for one in page(call, rows)], len(rows))


def _batch(call: Call) -> Answer:
    wanted = call.query["listing_ids"]
    if len(wanted) > MAX_BATCH:
        raise bad_request(f"At most {MAX_BATCH} listing_ids.")
    known = [call.state.listings[one] for one in wanted if one in call.state.listings]
    seen = [one for one in known if may_see(call, one)]
    return listed([with_associations(call, one, exact=False) for one in seen])


def _listings(call: Call, shop_id: int) -> list[Listing]:
    listings = call.state.listings.values()
    return [one for one in listings if one.shop_id == shop_id and one.deleted_at is None]


def _sorted(call: Call, rows: list[Listing]) -> list[Listing]:
    """By creation, newest first: Etsy sorts by other things in searches only."""
    oldest_first = call.query.get("sort_order") in ASCENDING and "keywords" in call.query
    return sorted(rows, key=lambda one: one.listing_id, reverse=not oldest_first)


INCLUDE = word("includes", INCLUDES, many=True)
SORTING = (
    word("sort_on", ("created", "price", "updated", "score")),
    word("sort_order", SORT_ORDERS),
)
_OF_SHOP = "/shops/{shop_id}/listings"

LISTING_OPERATIONS = (
    Operation(
        "getListingsByListingIds", "GET", "/listings/batch", None, _batch,
        query=(
            identifier("listing_ids", many=True, required=True), INCLUDE, LEGACY,
            text("currency"), text("buyer_country"),
        ),
    ),
    Operation(
        "createDraftListing", "POST", _OF_SHOP, "listings_w", _create, query=(LEGACY,), form=CREATE,
    ),
    Operation(
        "getListingsByShop", "GET", _OF_SHOP, "listings_r", _of_shop,
        query=(word("state", STATES), LIMIT, OFFSET, *SORTING, INCLUDE, LEGACY),
    ),
    Operation(
        "findAllActiveListingsByShop", "GET", _OF_SHOP + "/active", None, _active_of_shop,
        query=(LIMIT, OFFSET, *SORTING, text("keywords"), LEGACY),
    ),
    Operation(
        "updateListing", "PATCH", _OF_SHOP + "/{listing_id}", "listings_w", _update,
        query=(LEGACY,), form=UPDATE, lock="listing_id",
    ),
    Operation(
        "getListing", "GET", "/listings/{listing_id}", None, _get,
        query=(INCLUDE, text("language"), LEGACY, boolean("allow_suggested_title")),
    ),
    Operation(
        "deleteListing", "DELETE", "/listings/{listing_id}", "listings_d", _delete,
        lock="listing_id",
    ),
)  # fmt: skip
