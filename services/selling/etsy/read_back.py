"""The live listing, read again after a change, and how it differs from what was sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.gateways.etsy.inventory import StoredProduct
from services.gateways.etsy.listings import StoredListing
from services.selling.etsy.desk import EtsyDesk
from services.selling.etsy.drafts import ListingDraft


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What Etsy shows."""

    listing: StoredListing | None
    """None when Etsy does not have it any more."""
    image_ids: Sequence[int]
    differences: Sequence[Mapping[str, Any]]

    @property
    def live(self) -> bool:
        """Whether buyers can order it."""
        return self.listing is not None and self.listing.active

    def as_json(self) -> dict[str, Any]:
        """How it is stored with the listing."""
        listing = self.listing
        products = listing.products if listing else ()
        return {
            "listing_id": str(listing.listing_id) if listing else None,
            "state": listing.state.value if listing and listing.state else None,
            "title": listing.title if listing else None,
            "image_ids": list(self.image_ids),
            "variants": {product.sku or "": _shown(product) for product in products},
            "differences": [dict(difference) for difference in self.differences],
        }


def looked_at(desk: EtsyDesk, listing_id: int) -> ReadBack:
    """The listing and its photos as they are: two calls, one when it is gone."""
    listing = desk.listings.get(listing_id)
    images = desk.listings.images(listing_id) if listing is not None else ()
    found = ReadBack(listing, [image.image_id for image in images], ())
    desk.note_too_late_to_cancel("looked at the listing", live=found.live)
    return found


def read_back(
    desk: EtsyDesk, draft: ListingDraft, listing_id: int, image_ids: Sequence[int]
) -> ReadBack:
    """Read the listing and its photos, and compare: two calls."""
    listing = desk.listings.get(listing_id)
    shown = desk.listings.images(listing_id) if listing is not None else ()
    there = [image.image_id for image in shown]
    differences = [
        *_about_page(draft, image_ids, listing, there),
        *_about_variants(draft, listing),
    ]
    desk.note_too_late_to_cancel("read the listing back", differences=len(differences))
    return ReadBack(listing, there, differences)


def _about_page(
    draft: ListingDraft,
    image_ids: Sequence[int],
    listing: StoredListing | None,
    there: Sequence[int],
) -> list[Mapping[str, Any]]:
    state = listing.state.value if listing and listing.state else None
    title = listing.title if listing else None
    pairs = {
        "state": ("active", state),
        "title": (draft.title, title),
        "images": (list(image_ids), list(there)),
    }
    return [
        {"field": name, "sent": sent, "live": live}
        for name, (sent, live) in pairs.items()
        if sent != live
    ]


def _about_variants(draft: ListingDraft, listing: StoredListing | None) -> list[Mapping[str, Any]]:
    products = {product.sku: product for product in (listing.products if listing else ())}
    found: list[Mapping[str, Any]] = []
    for variant in draft.variants:
        product = products.get(variant.sku)
        live: Mapping[str, Any] = _shown(product) if product else {"price": None, "quantity": None}
        sent = {"price": str(variant.price), "quantity": variant.quantity}
        found += [
            {"field": name, "sku": variant.sku, "sent": sent[name], "live": live[name]}
            for name in sent
            if sent[name] != live[name]
        ]
    return found


def _shown(product: StoredProduct) -> dict[str, Any]:
    return {
        "price": None if product.price is None else str(product.price),
        "quantity": product.quantity,
        "enabled": product.enabled,
    }
