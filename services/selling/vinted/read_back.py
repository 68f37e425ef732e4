"""The item, read again after a change, and how it differs from what was sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.gateways.vinted.items import OwnItem
from services.selling.vinted.desk import VintedDesk
from services.selling.vinted.drafts import ListingDraft


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What Vinted shows."""

    item: OwnItem | None
    """None when its owner cannot open it any more: gone, reserved or sold."""
    differences: Sequence[Mapping[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """How it is stored with the listing."""
        item = self.item
        return {
            "item_id": str(item.item_id) if item else None,
            "title": item.title if item else None,
            "price": str(item.price) if item and item.price else None,
            "photo_ids": list(item.photo_ids) if item else [],
            "for_sale": item.for_sale if item else None,
            "differences": [dict(each) for each in self.differences],
        }


def read_back(
    desk: VintedDesk, step: str, draft: ListingDraft, item_id: int, photo_ids: Sequence[int]
) -> ReadBack:
    """Read the item and compare: one request."""
    item = desk.client.own_item(step, item_id)
    return ReadBack(item, list(_differences(draft, item, photo_ids)))


def _differences(
    draft: ListingDraft, item: OwnItem | None, photo_ids: Sequence[int]
) -> Sequence[Mapping[str, Any]]:
    if item is None:
        return [{"field": "state", "sent": "for sale", "live": "reserved, sold or gone"}]
    pairs = {
        "title": (draft.title, item.title),
        "price": (str(draft.price), None if item.price is None else str(item.price)),
        "photos": (list(photo_ids), list(item.photo_ids)),
        "for_sale": (True, item.for_sale),
    }
    return [
        {"field": name, "sent": sent, "live": live}
        for name, (sent, live) in pairs.items()
        if live is not None and sent != live
    ]
