"""Looking through a seller's wardrobe, page after page, without believing half of it."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from services.gateways.vinted.items import WardrobeItem, WardrobePage
from services.selling.vinted.desk import VintedDesk
from shared.errors import VintedError


class WardrobeUnclear(VintedError):
    """What was looked for was not in what could be seen, which need not be all."""

    code, title = "vinted-wardrobe-unclear", "Vinted's wardrobe could not be read whole"


MOST_PAGES = 200
"""Of 96 items each. A wardrobe that has more pages is not looked through to its end."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was seen of a wardrobe."""

    items: dict[int, WardrobeItem]
    pages: int
    """How many were read."""
    because: str | None
    """Why it is not known to be all of it; None: it is proven to be."""

    @property
    def complete(self) -> bool:
        """Whether what is not in it is not there."""
        return self.because is None


def snapshot(desk: VintedDesk, step: str) -> Snapshot:
    """Every page; each is a step of its own, so that nothing is read twice after a break."""
    items: dict[int, WardrobeItem] = {}
    first: WardrobePage | None = None
    read = 0
    for page in _pages(desk, step):
        first, read = first or page, read + 1
        new = {item.item_id: item for item in page.items}
        repeated = len(new) < len(page.items) or not items.keys().isdisjoint(new)
        items |= new
        if repeated:
            return Snapshot(items, read, "it changed while it was read")
        totals = (page.total_entries, page.total_pages)
        if None in totals or totals != (first.total_entries, first.total_pages):
            return Snapshot(items, read, "its pages do not say the same of how many there are")
    if first is None or first.total_entries is None:
        return Snapshot(items, read, "it has no pages")
    if len(items) != first.total_entries:
        return Snapshot(items, read, f"{len(items)} of {first.total_entries} items were seen")
    return Snapshot(items, read, None)


def find(desk: VintedDesk, step: str, fits: Callable[[WardrobeItem], bool]) -> WardrobeItem | None:
    """The newest item that fits, or None when a complete look shows that there is none.

    Raises `WardrobeUnclear` when it was not found in what may not be all.
    """
    found = snapshot(desk, step)
    fitting = [item for item in found.items.values() if fits(item)]
    if fitting:
        return max(fitting, key=lambda item: item.item_id)
    if not found.complete:
        look_again(desk, step, found.pages)
        raise WardrobeUnclear(
            f"Your wardrobe could not be read whole: {found.because}. We look again."
        )
    return None


def look_again(desk: VintedDesk, step: str, pages: int) -> None:
    """Let the pages be asked for anew by the next attempt."""
    for number in range(1, pages + 1):
        desk.client.again(_page(step, number))


def with_photos(photo_ids: Collection[int]) -> Callable[[WardrobeItem], bool]:
    """Fits an item whose photos, or those that the list shows of it, are among these."""
    wanted = set(photo_ids)
    return lambda item: bool(wanted.intersection(item.photo_ids))


def _pages(desk: VintedDesk, step: str) -> Iterator[WardrobePage]:
    number, last = 1, 1
    while number <= min(last, MOST_PAGES):
        page = desk.client.wardrobe(_page(step, number), desk.key.user_id, number)
        last = max(last, page.total_pages or number)
        yield page
        number += 1


def _page(step: str, number: int) -> str:
    return f"{step}, page {number}"
