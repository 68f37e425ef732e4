"""Addresses under /_sandbox/ that fill a shop at once, as one is found that was there for years."""

import hashlib
import io
from collections.abc import Mapping
from typing import Any

from PIL import Image as Pillow
from PIL import ImageColor
from starlette.routing import Route

from sandbox.control import Body, CommonControl, WrongOrderError, whole
from sandbox.etsy import listing_states
from sandbox.etsy.images import FIRST_IMAGE
from sandbox.etsy.inventory_views import ON_PROPERTY
from sandbox.etsy.listings import DEFAULTS, FIRST_LISTING, new_product
from sandbox.etsy.property_rules import described
from sandbox.etsy.sandbox import EtsySandbox
from sandbox.etsy.state import EtsyState, Image, Listing, Shop

SIZE = 513
"""Etsy's property of a difference that the seller has named."""
CATEGORY = 449
"""Men's t-shirts."""
PIXELS = (60, 80)


class StockedShopControl(CommonControl[EtsyState]):
    """What a seller had before, and how a list may lie."""

    def __init__(self, sandbox: EtsySandbox) -> None:
        super().__init__(sandbox)
        self.sandbox = sandbox

    def routes(self) -> list[Route]:
        """All of its addresses."""
        return [
            self.route("sellers/{name}/stock", "POST", self.stock),
            self.route("listings/{listing_id:int}/unlike", "POST", self.tell_unlike),
            self.route("listings/{listing_id:int}/end", "POST", self.end),
            self.route("listings/miscount", "POST", self.miscount),
            self.route("images/{image_id:int}/lose", "POST", self.lose),
        ]

    def stock(self, body: Body) -> Any:
        """List `listings` for a seller, or `number` of them that differ in nothing but a number.

        Each may say `title`, `price` (cents), `quantity`, `sku`, `sizes` (SKUs by size), `images`
        (colours) and fields of a draft.
        """
        shop = self.sandbox.state.shop_named(str(body.get("name")))
        if shop is None:
            raise WrongOrderError(f"{body.get('name')} is unknown")
        wanted = body.get("listings")
        if wanted is None:
            wanted = [numbered(place) for place in range(1, whole(body, "number", 1) + 1)]
        if not isinstance(wanted, list) or not all(isinstance(each, dict) for each in wanted):
            raise WrongOrderError("listings must be a list of objects")
        return {"listing_ids": [self._list(shop, dict(each)) for each in wanted]}

    def tell_unlike(self, body: Body) -> Any:
        """Have lists tell `fields` of a listing in another way: null for a row that is broken."""
        fields = body.get("fields")
        if not isinstance(fields, dict):
            raise WrongOrderError("fields must be an object")
        self.sandbox.state.unlike[int(body["listing_id"])] = fields
        return {"listing_id": body["listing_id"], "fields": fields}

    def end(self, body: Body) -> Any:
        """Take a listing down, as its seller may at any moment."""
        listing = self.sandbox.state.listings.get(int(body["listing_id"]))
        if listing is None:
            raise WrongOrderError("there is no such listing")
        listing_states.deactivate(listing, self.sandbox.clock.now())
        return {"listing_id": listing.listing_id, "state": listing.state}

    def miscount(self, body: Body) -> Any:
        """Have lists speak of `by` more listings than there are."""
        self.sandbox.state.miscounted_by = whole(body, "by")
        return {"by": self.sandbox.state.miscounted_by}

    def lose(self, body: Body) -> Any:
        """Have a picture gone from the host of pictures, which lists still name."""
        self.sandbox.lose_picture(str(body["image_id"]))
        return {"image_id": body["image_id"], "lost": True}

    def _list(self, shop: Shop, wanted: dict[str, Any]) -> int:
        state, now = self.sandbox.state, self.sandbox.clock.now()
        at = int(now.timestamp())
        price, quantity = wanted.pop("price", 1999), wanted.pop("quantity", 3)
        sku, sizes = wanted.pop("sku", ""), wanted.pop("sizes", None)
        images = wanted.pop("images", ["blue"])
        readiness = next(iter(shop.readiness_states), None)
        offering = (price, quantity, True, readiness)
        differences = {size: self._size(size) for size in sizes or {}}
        products = [
            new_product(state, (sizes or {})[size], offering, property_values=[told])
            for size, told in differences.items()
        ]
        listing = Listing(
            listing_id=state.next_id("listing", FIRST_LISTING),
            shop_id=shop.shop_id,
            created_at=at,
            updated_at=at,
            state_at=at,
            ends_at=int(listing_states.term_from(now).timestamp()),
            state="active",
            content={**DEFAULTS, **_content(shop), **wanted},
            products=products or [new_product(state, sku, offering)],
            on_property={name: [SIZE] if sizes else [] for name in ON_PROPERTY},
            image_ids=[self._picture(shop, colour, at) for colour in images],
        )
        state.listings[listing.listing_id] = listing
        return listing.listing_id

    def _size(self, size: str) -> dict[str, Any]:
        said = {"property_id": SIZE, "property_name": "Size", "value_ids": [], "values": [size]}
        return described(self.sandbox.taxonomy, CATEGORY, said)

    def _picture(self, shop: Shop, colour: str, at: int) -> int:
        file = io.BytesIO()
        try:
            red, green, blue = ImageColor.getrgb(colour)[:3]
        except ValueError as wrong:
            raise WrongOrderError(f"{colour} is no colour") from wrong
        Pillow.new("RGB", PIXELS, (red, green, blue)).save(file, "JPEG")
        image_id = self.sandbox.state.next_id("image", FIRST_IMAGE)
        self.sandbox.state.images[image_id] = Image(
            image_id=image_id,
            shop_id=shop.shop_id,
            format="JPEG",
            width=PIXELS[0],
            height=PIXELS[1],
            sha256=hashlib.sha256(file.getvalue()).hexdigest(),
            colour=(red, green, blue),
            created_at=at,
        )
        self.sandbox.keep_picture(str(image_id), file.getvalue())
        return image_id


def numbered(place: int) -> dict[str, Any]:
    """A listing among many: the title and the picture of each are its own."""
    shade = f"#{place % 256:02x}{place // 256 % 256:02x}{place * 7 % 256:02x}"
    return {"title": f"Vintage shirt no {place}", "sku": f"SHIRT{place}", "images": [shade]}


def _content(shop: Shop) -> Mapping[str, Any]:
    return {
        "title": "Blue shirt",
        "description": "A blue shirt.",
        "who_made": "someone_else",
        "when_made": "1990s",
        "taxonomy_id": CATEGORY,
        "shipping_profile_id": next(iter(shop.shipping_profiles), None),
        "return_policy_id": next(iter(shop.return_policies), None),
    }
