"""Tells Etsy of parcels, each once: every time that Etsy is told it writes to the buyer.

A call whose answer was lost is looked up in the receipt, never repeated.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from models.selling.etsy import EtsyAccountStatus
from models.selling.orders import ShipmentStatus
from models.selling.publishing import Channel, MarketplaceJob
from repositories.selling.etsy import EtsyAccountRepository
from repositories.selling.order_shipments import ShipmentRepository
from services.gateways.etsy.errors import EtsyRefusal
from services.selling.etsy.desk import EtsyDesk, EtsyWorkshop
from services.selling.etsy.preparing import blocked
from services.selling.etsy.readiness import account_gaps
from services.selling.publishing.handlers import Completed, Journal, Snooze, Verdict
from shared.database import TenantSchema, TenantSession
from shared.errors import APIConnectionError, MarketplaceError, Remedy


@dataclass(frozen=True, slots=True)
class ToTell:
    """A parcel that Etsy does not know of for certain."""

    shipment_id: int
    receipt_id: int
    carrier: str
    tracking: str
    doubtful: bool
    """Etsy was told and has not answered."""


@dataclass(frozen=True, slots=True)
class ShipCommand:
    """All parcels that wait."""

    tenant: TenantSchema
    shop_id: int
    parcels: Sequence[ToTell]


@dataclass
class Told:
    """What came of them."""

    told: int = 0
    refused: int = 0


class EtsyShip:
    """Handler of `ship` jobs. Each parcel has a state of its own, which outlives the attempt."""

    def __init__(self, shop: EtsyWorkshop) -> None:
        self._shop = shop

    def prepare(self, session: TenantSession, job: MarketplaceJob) -> ShipCommand | Verdict:
        """What waits."""
        waiting = ShipmentRepository(session).open_on(Channel.ETSY)
        if not waiting:
            return Completed({"told": 0, "refused": 0})
        account = EtsyAccountRepository(session).get()
        if account is None or account.status is not EtsyAccountStatus.CONNECTED:
            return blocked(tuple(account_gaps(account)))
        parcels = [
            ToTell(
                each.id,
                int(order_id),
                each.carrier,
                each.tracking,
                doubtful=each.status is ShipmentStatus.SENDING,
            )
            for each, order_id in waiting
        ]
        return ShipCommand(session.tenant, account.remote_shop_id, parcels)

    def perform(self, command: ShipCommand, journal: Journal) -> Told:
        """One after the other; a parcel that Etsy refuses does not stop the next."""
        desk, told = self._shop.desk(command.tenant, command.shop_id, journal), Told()
        if journal.must_probe and not any(each.doubtful for each in command.parcels):
            journal.checkpoint("no parcel is in doubt", certain=True)
        for parcel in command.parcels:
            if parcel.doubtful and self._is_known(desk, parcel):
                self._note(desk, parcel, ShipmentStatus.TOLD)
                told.told += 1
            elif self._tell(desk, parcel):
                told.told += 1
            else:
                told.refused += 1
        return told

    def record(self, session: TenantSession, job: MarketplaceJob, result: Told) -> Verdict:
        """Parcels that came meanwhile are told of by the same job."""
        if ShipmentRepository(session).any_open_on(Channel.ETSY):
            return Snooze(self._shop.clock.now(), "a parcel that came meanwhile")
        return Completed({"told": result.told, "refused": result.refused})

    def _is_known(self, desk: EtsyDesk, parcel: ToTell) -> bool:
        receipt = desk.receipts.receipt(parcel.receipt_id)
        told = {each.tracking for each in receipt.parcels} if receipt is not None else set()
        known = parcel.tracking in told
        desk.note("looked whether Etsy knows the parcel", known=known, certain=True)
        return known

    def _tell(self, desk: EtsyDesk, parcel: ToTell) -> bool:
        desk.journal.checkpoint("telling of a parcel", detail={"receipt_id": parcel.receipt_id})
        self._note(desk, parcel, ShipmentStatus.SENDING)
        try:
            desk.receipts.ship(parcel.receipt_id, parcel.carrier, parcel.tracking)
        except EtsyRefusal as refused:
            if refused.http_status >= 500:
                raise
            if refused.remedy is not Remedy.FIX_DATA:
                self._note(desk, parcel, ShipmentStatus.WAITING)
                raise
            self._note(desk, parcel, ShipmentStatus.REFUSED, problem=refused.detail)
            desk.note("Etsy refused the parcel", receipt_id=parcel.receipt_id)
            return False
        except (APIConnectionError, MarketplaceError):
            # Nothing has left the house.
            self._note(desk, parcel, ShipmentStatus.WAITING)
            raise
        self._note(desk, parcel, ShipmentStatus.TOLD)
        desk.note_too_late_to_cancel("told of a parcel", receipt_id=parcel.receipt_id)
        return True

    def _note(
        self,
        desk: EtsyDesk,
        parcel: ToTell,
        status: ShipmentStatus,
        *,
        problem: str | None = None,
    ) -> None:
        with self._shop.database.tenant(desk.tenant) as session:
            row = ShipmentRepository(session).locked(parcel.shipment_id)
            row.status, row.problem = status, problem
            if status is ShipmentStatus.TOLD:
                row.told_at = self._shop.clock.now()
