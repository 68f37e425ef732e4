"""Compares our books with Vinted: one item, or the whole wardrobe. Changes nothing there.

That an item is not in a page says nothing, and that it is not in a wardrobe says that it is gone,
not that it was sold: sold is what Vinted calls sold, and what an order tells.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from models.selling.publishing import Channel, JobAction, MarketplaceJob
from repositories.selling.vinted_listings import VintedListingRepository
from services.gateways.vinted.items import OwnItem, WardrobeItem
from services.gateways.vinted.transport import AwaitingAnswer
from services.selling.publishing.account_work import AccountWork
from services.selling.publishing.handlers import (
    Cancel,
    Completed,
    Journal,
    Parked,
    Problem,
    Verdict,
)
from services.selling.publishing.preparing import product_of
from services.selling.vinted.desk import JobKey, VintedDesk, VintedWorkshop
from services.selling.vinted.listings import known_listing, write_checked, write_ended
from services.selling.vinted.looking import standing
from services.selling.vinted.preparing import key_of
from services.selling.vinted.wardrobe import Snapshot, snapshot
from shared.database import TenantSession

CONFIRM_ENDED = "confirm_ended"
"""Payload: the seller has seen that many listings are gone, and it is true."""

FEW = 5
SHARE = 0.2
"""More ended listings than both of these are held back until the seller confirms them."""

MOST_ASKED = 40
"""Items that are missing in a complete wardrobe and are asked for by their number in one job."""


@dataclass(frozen=True, slots=True)
class SyncCommand:
    """What to compare: items by product."""

    key: JobKey
    requested_by: int
    items: Mapping[int, int]
    whole: bool
    confirmed: bool


@dataclass
class Compared:
    """What came of it; products that are for sale, have ended, were sold."""

    live: dict[int, OwnItem | WardrobeItem] = field(default_factory=dict)
    ended: list[int] = field(default_factory=list)
    sold: list[int] = field(default_factory=list)
    unclear: int = 0
    because: str | None = None
    """Why the wardrobe was not seen whole."""
    held: bool = False


class VintedSync:
    """Handler of `sync` jobs, of one product or of the whole account."""

    def __init__(self, shop: VintedWorkshop) -> None:
        self._shop = shop
        self._work = AccountWork(shop.clock)

    def prepare(self, session: TenantSession, job: MarketplaceJob) -> SyncCommand | Verdict:
        """What we believe is for sale."""
        items = self._believed(session, job)
        if isinstance(items, Cancel):
            return items
        key = key_of(session, job)
        if isinstance(key, Cancel):
            return key
        confirmed = job.payload.get(CONFIRM_ENDED) is True
        return SyncCommand(key, job.requested_by, items, job.product_id is None, confirmed)

    def perform(self, command: SyncCommand, journal: Journal) -> Compared | Parked:
        """Look; each page is a step of its own."""
        desk = self._shop.desk(command.key, journal)
        try:
            found = _all(desk, command) if command.whole else _one(desk, command)
        except AwaitingAnswer:
            return self._shop.parked()
        desk.tell_once("compared", live=len(found.live), ended=len(found.ended))
        if found.sold:
            with self._shop.database.tenant(command.key.tenant) as session:
                self._work.request(session, JobAction.ORDERS, Channel.VINTED, command.requested_by)
        many = len(found.ended) > max(FEW, SHARE * len(command.items))
        found.held = command.whole and many and not command.confirmed
        return found

    def record(self, session: TenantSession, job: MarketplaceJob, result: Compared) -> Verdict:
        """Write down what is there and what has ended, unless so much that somebody must look."""
        now = self._shop.clock.now()
        for product_id, item in result.live.items():
            write_checked(session, product_id, _shown(item), now)
        ended = [] if result.held else result.ended
        for product_id in (*ended, *result.sold):
            write_ended(session, product_id, now)
        return Completed(
            {
                "looked": len(result.live) + len(result.ended) + len(result.sold),
                "live": len(result.live),
                "sold": len(result.sold),
                "ended": len(ended),
                "held_back": len(result.ended) - len(ended),
                "unclear": result.unclear,
                "partial": result.because,
            }
        )

    def _believed(self, session: TenantSession, job: MarketplaceJob) -> Mapping[int, int] | Cancel:
        if job.product_id is None:
            rows = VintedListingRepository(session).live()
            return {row.product_id: int(row.listing_id) for row in rows}
        known = known_listing(session, product_of(job))
        if known is None:
            return Cancel(Problem("not-listed", "It was never listed on Vinted from here."))
        return {product_of(job): known.item_id}


def _one(desk: VintedDesk, command: SyncCommand) -> Compared:
    found = Compared()
    for product_id, item_id in command.items.items():
        _sort(found, product_id, standing(desk, "look at it", item_id))
    return found


def _all(desk: VintedDesk, command: SyncCommand) -> Compared:
    seen = snapshot(desk, "look through the wardrobe")
    found = Compared(because=seen.because)
    missing: dict[int, int] = {}
    for product_id, item_id in command.items.items():
        if item_id in seen.items:
            _sort(found, product_id, seen.items[item_id])
        else:
            missing[product_id] = item_id
    _ask_for(desk, missing, seen, found)
    return found


def _ask_for(desk: VintedDesk, missing: Mapping[int, int], seen: Snapshot, found: Compared) -> None:
    """Absence is believed of one item after the other, and of none when not all was seen."""
    if not seen.complete:
        found.unclear = len(missing)
        return
    for number, (product_id, item_id) in enumerate(missing.items()):
        if number >= MOST_ASKED:
            found.ended.append(product_id)
            continue
        item = desk.client.own_item(f"ask for item {item_id}", item_id)
        _sort(found, product_id, item)


def _sort(found: Compared, product_id: int, item: OwnItem | WardrobeItem | None) -> None:
    if item is None:
        found.ended.append(product_id)
    elif isinstance(item, WardrobeItem) and item.sold:
        found.sold.append(product_id)
    elif item.is_draft:
        found.ended.append(product_id)
    else:
        found.live[product_id] = item


def _shown(item: OwnItem | WardrobeItem) -> dict[str, Any]:
    return {
        "item_id": str(item.item_id),
        "title": item.title,
        "price": None if item.price is None else str(item.price),
        "for_sale": item.for_sale,
    }
