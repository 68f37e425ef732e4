"""The live listing, read again after a change, and how it differs from what was sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.gateways.ebay.offers import StoredOffer
from services.selling.ebay.desk import EbayDesk
from services.selling.ebay.drafts import ListingDraft


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What eBay shows."""

    listing_id: str | None
    """None when it is not listed."""
    offers: Mapping[str, StoredOffer]
    """By SKU; only those that exist."""
    image_urls: Sequence[str]
    title: str | None
    differences: Sequence[Mapping[str, Any]]
    photos: Mapping[str, str]
    """Content hashes of what was sent, by address."""

    def as_json(self) -> dict[str, Any]:
        """How it is stored with the listing."""
        return {
            "listing_id": self.listing_id,
            "title": self.title,
            "image_urls": list(self.image_urls),
            "photos": dict(self.photos),
            "variants": {
                sku: {
                    "offer_id": offer.offer_id,
                    "price": str(offer.price),
                    "quantity": offer.quantity,
                    "published": offer.published,
                    "listing_status": offer.listing_status,
                }
                for sku, offer in self.offers.items()
            },
            "differences": [dict(difference) for difference in self.differences],
        }


def read_back(
    desk: EbayDesk, draft: ListingDraft, image_urls: Sequence[str], offer_ids: Mapping[str, str]
) -> ReadBack:
    """Read each offer and the photos, and compare: one call an offer and one for the photos."""
    offers = {
        sku: offer
        for sku, offer_id in offer_ids.items()
        if (offer := desk.apis.offers.get(offer_id)) is not None
    }
    title, shown = _shown(desk, draft)
    listing_id = next((offer.listing_id for offer in offers.values() if offer.published), None)
    differences = [*_about_offers(draft, offers), *_about_page(draft, image_urls, title, shown)]
    photos = {url: photo.sha256 for url, photo in zip(image_urls, draft.photos, strict=True)}
    found = ReadBack(listing_id, offers, shown, title, differences, photos)
    desk.note_too_late_to_cancel("read the listing back", differences=len(differences))
    return found


def _shown(desk: EbayDesk, draft: ListingDraft) -> tuple[str | None, Sequence[str]]:
    if draft.group_key is not None:
        group = desk.apis.inventory.group(draft.group_key)
        return (group.title, group.image_urls) if group else (None, ())
    item = desk.apis.inventory.item(draft.variants[0].sku)
    return (item.title, item.image_urls) if item else (None, ())


def _about_offers(
    draft: ListingDraft, offers: Mapping[str, StoredOffer]
) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for variant in draft.variants:
        offer = offers.get(variant.sku)
        live = (
            {"published": False}
            if offer is None
            else {
                "published": offer.published,
                "price": str(offer.price),
                "quantity": offer.quantity,
            }
        )
        sent = {
            "published": True,
            "price": str(variant.price),
            "quantity": variant.quantity,
        }
        found += [
            {"field": name, "sku": variant.sku, "sent": sent[name], "live": value}
            for name, value in live.items()
            if value != sent[name]
        ]
    return found


def _about_page(
    draft: ListingDraft, image_urls: Sequence[str], title: str | None, shown: Sequence[str]
) -> list[Mapping[str, Any]]:
    pairs = {"title": (draft.title, title), "images": (list(image_urls), list(shown))}
    return [
        {"field": name, "sent": sent, "live": live}
        for name, (sent, live) in pairs.items()
        if sent != live
    ]
