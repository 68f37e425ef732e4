"""Tells channels of parcels, each once: if an answer was lost it is looked up, never told again."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from models.selling.orders import OrderShipment, ShipmentStatus
from models.selling.publishing import Channel, MarketplaceJob
from repositories.selling.order_shipments import ShipmentRepository
from services.selling.publishing.connections import SPELLED
from services.selling.publishing.desk import JobDesk, Workshop
from services.selling.publishing.handlers import Cancel, Completed, Journal, Snooze, Verdict
from shared.database import TenantSchema, TenantSession
from shared.errors import APIConnectionError, MarketplaceError, Remedy

WorkshopT = TypeVar("WorkshopT", bound=Workshop)
AccountT = TypeVar("AccountT")
DeskT = TypeVar("DeskT", bound=JobDesk)


@dataclass(frozen=True, slots=True)
class ToTell:
    """A parcel that the channel does not know of for certain."""

    shipment_id: int
    order_id: str
    units: Mapping[str, int]
    carrier: str
    tracking: str
    doubtful: bool
    """The channel was told and has not answered."""

    @classmethod
    def of(cls, row: OrderShipment, order_id: str) -> "ToTell":
        """Take it out of its row."""
        doubtful = row.status is ShipmentStatus.SENDING
        return cls(row.id, order_id, row.units, row.carrier, row.tracking, doubtful)


@dataclass(frozen=True, slots=True)
class KnownParcel:
    """The channel knows the parcel; some give it an id."""

    remote_id: str | None = None


@dataclass(frozen=True, slots=True)
class ShipCommand(Generic[AccountT]):
    """All parcels that wait."""

    tenant: TenantSchema
    account: AccountT
    parcels: Sequence[ToTell]


@dataclass
class Told:
    """What came of them."""

    told: int = 0
    refused: int = 0


class ParcelTelling(ABC, Generic[WorkshopT, AccountT, DeskT]):
    """Handler of `ship` jobs. Each parcel has a state of its own, which outlives the attempt."""

    channel: ClassVar[Channel]

    def __init__(self, shop: WorkshopT) -> None:
        self._shop = shop

    def prepare(
        self, session: TenantSession, job: MarketplaceJob
    ) -> ShipCommand[AccountT] | Verdict:
        """What waits."""
        waiting = ShipmentRepository(session).open_on(self.channel)
        if not waiting:
            return Completed({"told": 0, "refused": 0})
        account = self._account(session)
        if isinstance(account, Cancel):
            return account
        parcels = [ToTell.of(row, order_id) for row, order_id in waiting]
        return ShipCommand(session.tenant, account, parcels)

    def perform(self, command: ShipCommand[AccountT], journal: Journal) -> Told:
        """One after the other; a parcel that the channel refuses does not stop the next."""
        desk, told = self._desk(command.tenant, command.account, journal), Told()
        if journal.must_probe and not any(each.doubtful for each in command.parcels):
            journal.checkpoint("no parcel is in doubt", certain=True)
        for parcel in command.parcels:
            known = parcel.doubtful and self._is_known(desk, parcel)
            if known or self._tell(desk, parcel):
                told.told += 1
            else:
                told.refused += 1
        return told

    def record(self, session: TenantSession, job: MarketplaceJob, result: Told) -> Verdict:
        """Parcels that came meanwhile are told of by the same job."""
        if ShipmentRepository(session).any_open_on(self.channel):
            return Snooze(self._shop.clock.now(), "a parcel that came meanwhile")
        return Completed({"told": result.told, "refused": result.refused})

    @abstractmethod
    def _account(self, session: TenantSession) -> AccountT | Cancel:
        """What `_desk` needs to know of the account, or why the channel does not let us in."""

    @abstractmethod
    def _desk(self, tenant: TenantSchema, account: AccountT, journal: Journal) -> DeskT:
        """A place to do the job."""

    @abstractmethod
    def _find(self, desk: DeskT, parcel: ToTell) -> KnownParcel | None:
        """Ask the channel whether it knows the parcel."""

    @abstractmethod
    def _ship(self, desk: DeskT, parcel: ToTell) -> KnownParcel:
        """Tell the channel."""

    def _named(self, parcel: ToTell) -> Mapping[str, Any]:
        """The order, as the job's story names it."""
        return {"order_id": parcel.order_id}

    def _is_known(self, desk: DeskT, parcel: ToTell) -> bool:
        known, name = self._find(desk, parcel), SPELLED[self.channel]
        desk.note(f"looked whether {name} knows the parcel", known=bool(known), certain=True)
        if known is not None:
            self._note(desk, parcel, ShipmentStatus.TOLD, known)
        return known is not None

    def _tell(self, desk: DeskT, parcel: ToTell) -> bool:
        order = self._named(parcel)
        desk.journal.checkpoint("telling of a parcel", detail=order)
        self._note(desk, parcel, ShipmentStatus.SENDING)
        try:
            known = self._ship(desk, parcel)
        except (APIConnectionError, MarketplaceError) as failed:
            if not self._is_refused(desk, parcel, failed):
                raise
            desk.note(f"{SPELLED[self.channel]} refused the parcel", **order)
            return False
        self._note(desk, parcel, ShipmentStatus.TOLD, known)
        desk.note_too_late_to_cancel("told of a parcel", **order)
        return True

    def _is_refused(
        self, desk: DeskT, parcel: ToTell, failed: APIConnectionError | MarketplaceError
    ) -> bool:
        """Write down how the parcel stands, unless the channel may have heard of it."""
        if isinstance(failed, MarketplaceError):
            if failed.http_status >= 500:
                return False
            if failed.remedy is Remedy.FIX_DATA:
                self._note(desk, parcel, ShipmentStatus.REFUSED, problem=failed.detail)
                return True
        self._note(desk, parcel, ShipmentStatus.WAITING)
        return False

    def _note(
        self,
        desk: DeskT,
        parcel: ToTell,
        status: ShipmentStatus,
        known: KnownParcel | None = None,
        problem: str | None = None,
    ) -> None:
        with self._shop.database.tenant(desk.tenant) as session:
            row = ShipmentRepository(session).locked(parcel.shipment_id)
            row.status, row.problem = status, problem
            if known is not None:
                row.remote_id, row.told_at = known.remote_id, self._shop.clock.now()
