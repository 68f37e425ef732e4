"""What became of an item that its owner cannot open: gone, sold, or in a buyer's hands."""

from services.gateways.vinted.items import OwnItem, WardrobeItem
from services.selling.vinted.desk import VintedDesk
from services.selling.vinted.wardrobe import find, look_again_at
from shared.errors import VintedError

_RESERVED = "It is reserved for a buyer on Vinted and cannot be changed now; we try again."


def standing(desk: VintedDesk, step: str, item_id: int) -> OwnItem | WardrobeItem | None:
    """The item, or its row in the wardrobe when it is shut, or None when it is proven to be gone.

    One request while all is well. Raises `WardrobeUnclear` when nothing is proven.
    """
    item = desk.client.own_item(step, item_id)
    if item is not None:
        return item
    return find(desk, _in_the_wardrobe(step), lambda each: each.item_id == item_id)


def refuse_reserved(desk: VintedDesk, step: str, found: OwnItem | WardrobeItem | None) -> None:
    """Raise `VintedError` for an item that a buyer has a hand on; the next attempt looks anew."""
    if isinstance(found, WardrobeItem) and not found.sold:
        desk.client.again(step)
        look_again_at(desk, _in_the_wardrobe(step), found.item_id)
        raise VintedError(_RESERVED)


def _in_the_wardrobe(step: str) -> str:
    return f"{step}, in the wardrobe"
