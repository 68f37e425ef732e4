"""Looking through a seller's wardrobe, page after page, without believing half of it."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from services.gateways.vinted.client import WARDROBE_PAGES
from services.gateways.vinted.errors import AnswerTooLong
from services.gateways.vinted.items import WardrobeItem, WardrobePage
from services.selling.vinted.desk import VintedDesk
from shared.errors import VintedError


class WardrobeUnclear(VintedError):
    """What was looked for was not in what could be seen, which need not be all."""

    code, title = "vinted-wardrobe-unclear", "Vinted's wardrobe could not be read whole"


MOST_PAGES = 400
"""A wardrobe that has more is not looked through to its end: 19,200 items in ordinary pages."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was seen of a wardrobe."""

    items: Mapping[int, WardrobeItem]
    steps: Mapping[str, Collection[int]]
    """The numbers of the items on each page, by the step that read it."""
    because: str | None
    """Why it is not known to be all of it; None: it is proven to be."""

    @property
    def complete(self) -> bool:
        """Whether what is not in it is not there."""
        return self.because is None


def snapshot(desk: VintedDesk, step: str) -> Snapshot:
    """Every page; each is a step of its own, so that nothing is read twice after a break.

    A page that is too long has it begin anew with shorter ones. Raises `UnreadableAnswer`.
    """
    *longer, shortest = WARDROBE_PAGES
    for size in longer:
        with suppress(AnswerTooLong):
            return _put_together(_pages(desk, step, size))
    return _put_together(_pages(desk, step, shortest))


def find(desk: VintedDesk, step: str, fits: Callable[[WardrobeItem], bool]) -> WardrobeItem | None:
    """The newest item that fits, or None when a complete look shows that there is none.

    Raises `WardrobeUnclear` when it was not found in what may not be all, and `UnreadableAnswer`.
    """
    found = snapshot(desk, step)
    fitting = [item for item in found.items.values() if fits(item)]
    if fitting:
        return max(fitting, key=lambda item: item.item_id)
    if not found.complete:
        _ask_again(desk, found.steps)
        raise WardrobeUnclear(
            f"Your wardrobe could not be read whole: {found.because}. We look again."
        )
    return None


def look_again_at(desk: VintedDesk, step: str, item_id: int) -> None:
    """Let the pages that showed an item be asked for anew by the next attempt."""
    steps = snapshot(desk, step).steps
    _ask_again(desk, [each for each, shown in steps.items() if item_id in shown])


def with_photos(photo_ids: Collection[int]) -> Callable[[WardrobeItem], bool]:
    """Fits an item whose photos, or those that the list shows of it, are among these."""
    wanted = set(photo_ids)
    return lambda item: bool(wanted.intersection(item.photo_ids))


def _put_together(pages: Iterable[tuple[str, WardrobePage]]) -> Snapshot:
    items: dict[int, WardrobeItem] = {}
    steps: dict[str, Collection[int]] = {}
    first: WardrobePage | None = None
    for step, page in pages:
        first = first or page
        new = {item.item_id: item for item in page.items}
        repeated = len(new) < len(page.items) or not items.keys().isdisjoint(new)
        items |= new
        steps[step] = new.keys()
        if repeated:
            return Snapshot(items, steps, "it changed while it was read")
        totals = (page.total_entries, page.total_pages)
        if None in totals or totals != (first.total_entries, first.total_pages):
            because = "its pages do not say the same of how many there are"
            return Snapshot(items, steps, because)
    if first is None or first.total_entries is None:
        return Snapshot(items, steps, "it has no pages")
    if len(items) != first.total_entries:
        because = f"{len(items)} of {first.total_entries} items were seen"
        return Snapshot(items, steps, because)
    return Snapshot(items, steps, None)


def _ask_again(desk: VintedDesk, steps: Iterable[str]) -> None:
    for step in steps:
        desk.client.again(step)


def _pages(desk: VintedDesk, step: str, size: int) -> Iterator[tuple[str, WardrobePage]]:
    """Each with the step that read it."""
    if size != WARDROBE_PAGES[0]:
        step = f"{step}, by {size}"
    number, last = 1, 1
    while number <= min(last, MOST_PAGES):
        name = f"{step}, page {number}"
        page = desk.client.wardrobe(name, desk.key.user_id, number, size)
        last = max(last, page.total_pages or number)
        yield name, page
        number += 1
