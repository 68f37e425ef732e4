"""Tells eBay of parcels, each once: a call whose answer was lost is looked up, never repeated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.selling.orders import ShipmentStatus
from models.selling.publishing import Channel, MarketplaceJob
from repositories.selling.order_shipments import ShipmentRepository
from services.gateways.ebay.errors import EbayRefusal
from services.selling.ebay.desk import EbayDesk, EbayWorkshop
from services.selling.publishing.handlers import Completed, Journal, Snooze, Verdict
from shared.database import TenantSchema, TenantSession
from shared.errors import APIConnectionError, MarketplaceError, Remedy


@dataclass(frozen=True, slots=True)
class ToTell:
    """A parcel that eBay does not know of for certain."""

    shipment_id: int
    order_id: str
    units: Mapping[str, int]
    carrier: str
    tracking: str
    doubtful: bool
    """eBay was told and has not answered."""


@dataclass(frozen=True, slots=True)
class ShipCommand:
    """All parcels that wait."""

    tenant: TenantSchema
    parcels: Sequence[ToTell]


@dataclass
class Told:
    """What came of them."""

    told: int = 0
    refused: int = 0


class EbayShip:
    """Handler of `ship` jobs. Each parcel has a state of its own, which outlives the attempt."""

    def __init__(self, shop: EbayWorkshop) -> None:
        self._shop = shop

    def prepare(self, session: TenantSession, job: MarketplaceJob) -> ShipCommand | Verdict:
        """What waits."""
        waiting = ShipmentRepository(session).open_on(Channel.EBAY)
        if not waiting:
            return Completed({"told": 0, "refused": 0})
        return ShipCommand(
            session.tenant,
            [
                ToTell(
                    each.id,
                    order_id,
                    each.units,
                    each.carrier,
                    each.tracking,
                    doubtful=each.status is ShipmentStatus.SENDING,
                )
                for each, order_id in waiting
            ],
        )

    def perform(self, command: ShipCommand, journal: Journal) -> Told:
        """One after the other; a parcel that eBay refuses does not stop the next."""
        desk, told = self._shop.desk(command.tenant, journal), Told()
        if journal.must_probe and not any(each.doubtful for each in command.parcels):
            journal.checkpoint("no parcel is in doubt", certain=True)
        for parcel in command.parcels:
            known = self._looked_up(desk, parcel) if parcel.doubtful else None
            if known is not None:
                self._note(desk, parcel, ShipmentStatus.TOLD, remote_id=known)
                told.told += 1
            elif self._tell(desk, parcel):
                told.told += 1
            else:
                told.refused += 1
        return told

    def record(self, session: TenantSession, job: MarketplaceJob, result: Told) -> Verdict:
        """Parcels that came meanwhile are told of by the same job."""
        if ShipmentRepository(session).any_open_on(Channel.EBAY):
            return Snooze(self._shop.clock.now(), "a parcel that came meanwhile")
        return Completed({"told": result.told, "refused": result.refused})

    def _looked_up(self, desk: EbayDesk, parcel: ToTell) -> str | None:
        found = [
            each.fulfillment_id
            for each in desk.apis.fulfillment.parcels(parcel.order_id)
            if each.tracking == parcel.tracking
        ]
        desk.note("looked whether eBay knows the parcel", known=bool(found), certain=True)
        return found[0] if found else None

    def _tell(self, desk: EbayDesk, parcel: ToTell) -> bool:
        desk.journal.checkpoint("telling of a parcel", detail={"order_id": parcel.order_id})
        self._note(desk, parcel, ShipmentStatus.SENDING)
        try:
            remote_id = desk.apis.fulfillment.ship(
                parcel.order_id, parcel.units, parcel.carrier, parcel.tracking
            )
        except EbayRefusal as refused:
            if refused.http_status >= 500:
                raise
            if refused.remedy is not Remedy.FIX_DATA:
                self._note(desk, parcel, ShipmentStatus.WAITING)
                raise
            self._note(desk, parcel, ShipmentStatus.REFUSED, problem=refused.detail)
            desk.note("eBay refused the parcel", order_id=parcel.order_id)
            return False
        except (APIConnectionError, MarketplaceError):
            # Nothing has left the house.
            self._note(desk, parcel, ShipmentStatus.WAITING)
            raise
        self._note(desk, parcel, ShipmentStatus.TOLD, remote_id=remote_id)
        desk.note_too_late_to_cancel("told of a parcel", order_id=parcel.order_id)
        return True

    def _note(
        self,
        desk: EbayDesk,
        parcel: ToTell,
        status: ShipmentStatus,
        *,
        remote_id: str | None = None,
        problem: str | None = None,
    ) -> None:
        with self._shop.database.tenant(desk.tenant) as session:
            row = ShipmentRepository(session).locked(parcel.shipment_id)
            row.status, row.problem = status, problem
            if status is ShipmentStatus.TOLD:
                row.remote_id, row.told_at = remote_id, self._shop.clock.now()
