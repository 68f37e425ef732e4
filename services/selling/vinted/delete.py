"""Takes an item off Vinted and proves that it is gone."""

from dataclasses import dataclass

from models.selling.publishing import MarketplaceJob
from services.gateways.vinted.errors import VintedRefusal
from services.gateways.vinted.items import WardrobeItem
from services.gateways.vinted.transport import AwaitingAnswer
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
from services.selling.vinted.listings import known_listing, write_ended
from services.selling.vinted.looking import refuse_reserved, standing
from services.selling.vinted.preparing import key_of
from shared.database import TenantSession
from shared.errors import VintedError

DELETION, PROOF = "delete it", "look whether it is gone"


@dataclass(frozen=True, slots=True)
class DeleteCommand:
    """The item to end."""

    key: JobKey
    item_id: int


@dataclass(frozen=True, slots=True)
class Ended:
    """It is not for sale; `by_us` is False when it had ended before, `sold` when a buyer has it."""

    item_id: int
    by_us: bool
    sold: bool


class VintedDelete:
    """Handler of `delete` jobs."""

    def __init__(self, shop: VintedWorkshop) -> None:
        self._shop = shop

    def prepare(self, session: TenantSession, job: MarketplaceJob) -> DeleteCommand | Verdict:
        """The listing that we know."""
        known = known_listing(session, product_of(job))
        if known is None:
            return Cancel(Problem("not-listed", "It was never listed on Vinted from here."))
        if not known.live:
            return Completed({"listing_id": str(known.item_id), "ended_by_us": False})
        key = key_of(session, job)
        return key if isinstance(key, Cancel) else DeleteCommand(key, known.item_id)

    def perform(self, command: DeleteCommand, journal: Journal) -> Ended | Parked:
        """End it; then look."""
        desk = self._shop.desk(command.key, journal)
        try:
            return taken_down(desk, command.item_id)
        except AwaitingAnswer:
            return self._shop.parked()

    def record(self, session: TenantSession, job: MarketplaceJob, result: Ended) -> Verdict:
        """Write down that nothing is listed."""
        write_ended(session, product_of(job), self._shop.clock.now())
        return Completed(
            {
                "listing_id": str(result.item_id),
                "ended_by_us": result.by_us,
                "sold": result.sold,
            }
        )


def taken_down(desk: VintedDesk, item_id: int) -> Ended:
    """Delete an item and prove it. Raises `VintedError` when it is still there."""

    def act(step: str) -> bool:
        try:
            return desk.client.delete_item(step, item_id)
        except VintedRefusal as refused:
            # To its owner it is shut when a buyer has it.
            if refused.http_status != 403 or not _is_sold(desk, f"{step}, refused", item_id):
                raise
            return False

    def look(step: str) -> bool | None:
        found = standing(desk, step, item_id)
        return True if found is None else None

    by_us = desk.irrevocable(DELETION, act, look, version=0)
    found = standing(desk, PROOF, item_id)
    sold = isinstance(found, WardrobeItem) and found.sold
    if found is not None and not sold:
        refuse_reserved(desk, PROOF, found)
        desk.take_back(DELETION, PROOF)
        raise VintedError("Vinted still shows the item; we try again.")
    desk.tell_late("it is gone")
    return Ended(item_id, by_us=by_us and not sold, sold=sold)


def _is_sold(desk: VintedDesk, step: str, item_id: int) -> bool:
    found = standing(desk, step, item_id)
    refuse_reserved(desk, step, found)
    return isinstance(found, WardrobeItem)
