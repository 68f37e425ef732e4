"""Addresses under /_sandbox/ that fill a shop at once, as one is found that was there for years."""

import hashlib
import io
import secrets
from typing import Any

from PIL import Image as Pillow
from PIL import ImageColor
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.control import Body, CommonControl, WrongOrderError, whole
from sandbox.ebay.listings import end_listing, open_listing
from sandbox.ebay.sandbox import EbaySandbox
from sandbox.ebay.sellers import full_name
from sandbox.ebay.state import EbayState, Group, Image, Item, Offer, Seller

CATEGORY = "15687"
"""Men's t-shirts."""
FIRST_OFFER = 9_110_000_001
PIXELS = (60, 80)
ASPECTS = {
    "Brand": ["Patagonia"],
    "Department": ["Men"],
    "Color": ["Blue"],
    "Size": ["M"],
    "Size Type": ["Regular"],
    "Sleeve Length": ["Short Sleeve"],
    "Type": ["T-Shirt"],
}


class StockedShopControl(CommonControl[EbayState]):
    """What a seller had before, and how a list may lie."""

    def __init__(self, sandbox: EbaySandbox) -> None:
        super().__init__(sandbox)
        self.sandbox = sandbox

    def routes(self) -> list[Route]:
        """All of its addresses."""
        return [
            Route("/_sandbox/sellers/{name}/stock", self.stock_from, methods=["POST"]),
            self.route("items/{sku}/unlike", "POST", self.tell_unlike),
            self.route("items/miscount", "POST", self.miscount),
            self.route("listings/{listing_id}/end", "POST", self.end),
            self.route("images/{image_id}/lose", "POST", self.lose),
        ]

    async def stock_from(self, request: Request) -> Response:
        """List `listings` for a seller who has policies and a location, or `number` of them.

        Each may say `title`, `sku`, `price`, `quantity`, `condition`, `category_id`, `aspects`,
        `images` (colours), `sizes` (SKUs by size), `group_key`, and `listed: false`. Pictures are
        at the address under which the sandbox was called.
        """
        body = await request.json()
        seller = self.sandbox.state.sellers.get(full_name(request.path_params["name"]))
        try:
            if seller is None or not seller.locations:
                raise WrongOrderError("the seller is unknown or has no location yet")
            wanted = body.get("listings")
            if wanted is None:
                wanted = [numbered(place) for place in range(1, whole(body, "number", 1) + 1)]
            pictures = f"{request.url.scheme}://{request.url.netloc}/_sandbox/images"
            listed = [self._list(seller, dict(each), pictures) for each in wanted]
        except (WrongOrderError, ValueError) as wrong:
            return JSONResponse({"error": str(wrong)}, status_code=400)
        self.sandbox.changed()
        return JSONResponse({"listing_ids": listed})

    def tell_unlike(self, body: Body) -> Any:
        """Have lists tell `fields` of an item in another way: null for a row that is broken."""
        fields = body.get("fields")
        if not isinstance(fields, dict):
            raise WrongOrderError("fields must be an object")
        self.sandbox.state.unlike[str(body["sku"])] = fields
        return {"sku": body["sku"], "fields": fields}

    def miscount(self, body: Body) -> Any:
        """Have lists speak of `by` more items than there are."""
        self.sandbox.state.miscounted_by = whole(body, "by")
        return {"by": self.sandbox.state.miscounted_by}

    def end(self, body: Body) -> Any:
        """End a listing and take its items away, as its seller may at any moment."""
        listing = self.sandbox.state.listings.get(str(body["listing_id"]))
        if listing is None:
            raise WrongOrderError("there is no such listing")
        seller = self.sandbox.state.sellers[listing.seller]
        end_listing(self.sandbox, listing)
        for offer_id in listing.offer_ids:
            offer = seller.offers.pop(offer_id)
            seller.items.pop(offer.sku, None)
        return {"listing_id": listing.listing_id, "status": listing.status}

    def lose(self, body: Body) -> Any:
        """Have a picture gone from the host of pictures, which items still name."""
        self.sandbox.lose_picture(str(body["image_id"]))
        return {"image_id": body["image_id"], "lost": True}

    def _list(self, seller: Seller, wanted: dict[str, Any], pictures: str) -> str | None:
        urls = [f"{pictures}/{self._picture(seller, one)}" for one in wanted.get("images", [])]
        sizes = wanted.get("sizes")
        group_key = str(wanted.get("group_key", "GROUP1")) if sizes else None
        offers = [
            self._offer(seller, wanted, sku, size, urls)
            for size, sku in (sizes or {None: wanted.get("sku", "SHIRT")}).items()
        ]
        if sizes:
            shared = {name: each for name, each in ASPECTS.items() if name != "Size"}
            content = {
                "title": wanted.get("title", "Blue shirt"),
                "description": "A blue shirt.",
                "imageUrls": urls,
                "aspects": {**shared, **wanted.get("aspects", {})},
                "variantSKUs": list(sizes.values()),
                "variesBy": {"specifications": [{"name": "Size", "values": list(sizes)}]},
            }
            seller.groups[str(group_key)] = Group(str(group_key), content)
        if wanted.get("listed", True) is False:
            return None
        return open_listing(self.sandbox, seller, offers, group_key).listing_id

    def _offer(
        self, seller: Seller, wanted: dict[str, Any], sku: str, size: str | None, urls: list[str]
    ) -> Offer:
        own = {} if size is None else {"Size": [size]}
        quantity = wanted.get("quantity", 3)
        item = {
            "availability": {"shipToLocationAvailability": {"quantity": quantity}},
            "condition": wanted.get("condition", "USED_GOOD"),
            "product": {
                "title": wanted.get("title", "Blue shirt"),
                "description": "A blue shirt.",
                "aspects": {**ASPECTS, **wanted.get("aspects", {}), **own},
                "imageUrls": urls,
            },
        }
        seller.items[sku] = Item(sku, "en_US", item)
        kinds = {"fulfillmentPolicyId": "fulfillment", "paymentPolicyId": "payment"}
        policies = {**kinds, "returnPolicyId": "return"}
        content = {
            "availableQuantity": quantity,
            "categoryId": wanted.get("category_id", CATEGORY),
            "listingDescription": "<p>A <b>blue</b> shirt.</p>",
            "listingPolicies": {
                name: next(iter(seller.policies[kind])) for name, kind in policies.items()
            },
            "merchantLocationKey": next(iter(seller.locations)),
            "pricingSummary": {"price": {"value": wanted.get("price", "19.99"), "currency": "USD"}},
        }
        offer_id = self.sandbox.state.next_number("offer", FIRST_OFFER)
        seller.offers[offer_id] = Offer(offer_id, sku, "EBAY_US", content)
        return seller.offers[offer_id]

    def _picture(self, seller: Seller, colour: str) -> str:
        file = io.BytesIO()
        Pillow.new("RGB", PIXELS, ImageColor.getrgb(colour)).save(file, "JPEG")
        content = file.getvalue()
        image_id = secrets.token_urlsafe(12)
        self.sandbox.state.images[image_id] = Image(
            image_id=image_id,
            seller=seller.name,
            format="JPEG",
            width=PIXELS[0],
            height=PIXELS[1],
            size_bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            expires_at=self.sandbox.clock.now(),
        )
        self.sandbox.keep_picture(image_id, content)
        return image_id


def numbered(place: int) -> dict[str, Any]:
    """A listing among many: the title and the picture of each are its own."""
    shade = f"#{place % 256:02x}{place // 256 % 256:02x}{place * 7 % 256:02x}"
    return {"title": f"Vintage shirt no {place}", "sku": f"SHIRT{place:04}", "images": [shade]}
