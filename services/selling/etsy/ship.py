"""Tells Etsy of parcels: every time that Etsy is told it writes to the buyer."""

from collections.abc import Mapping
from typing import Any

from models.selling.publishing import Channel
from services.selling.etsy.desk import EtsyDesk, EtsyWorkshop
from services.selling.etsy.preparing import shop_at_etsy
from services.selling.orders.telling import KnownParcel, ParcelTelling, ToTell
from services.selling.publishing.handlers import Cancel, Journal
from shared.database import TenantSchema, TenantSession


class EtsyShip(ParcelTelling[EtsyWorkshop, int, EtsyDesk]):
    """Handler of `ship` jobs on Etsy."""

    channel = Channel.ETSY

    def _account(self, session: TenantSession) -> int | Cancel:
        return shop_at_etsy(session)

    def _desk(self, tenant: TenantSchema, account: int, journal: Journal) -> EtsyDesk:
        return self._shop.desk(tenant, account, journal)

    def _find(self, desk: EtsyDesk, parcel: ToTell) -> KnownParcel | None:
        receipt = desk.receipts.receipt(int(parcel.order_id))
        told = {each.tracking for each in receipt.parcels} if receipt is not None else set()
        return KnownParcel() if parcel.tracking in told else None

    def _ship(self, desk: EtsyDesk, parcel: ToTell) -> KnownParcel:
        desk.receipts.ship(int(parcel.order_id), parcel.carrier, parcel.tracking)
        return KnownParcel()

    def _named(self, parcel: ToTell) -> Mapping[str, Any]:
        return {"receipt_id": int(parcel.order_id)}
