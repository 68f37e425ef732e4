"""Tells eBay of parcels."""

from models.selling.publishing import Channel
from services.selling.ebay.desk import EbayDesk, EbayWorkshop
from services.selling.orders.telling import KnownParcel, ParcelTelling, ToTell
from services.selling.publishing.handlers import Journal
from shared.database import TenantSchema, TenantSession


class EbayShip(ParcelTelling[EbayWorkshop, None, EbayDesk]):
    """Handler of `ship` jobs on eBay."""

    channel = Channel.EBAY

    def _account(self, session: TenantSession) -> None:
        """Whether eBay lets us in shows with the first call."""

    def _desk(self, tenant: TenantSchema, account: None, journal: Journal) -> EbayDesk:
        return self._shop.desk(tenant, journal)

    def _find(self, desk: EbayDesk, parcel: ToTell) -> KnownParcel | None:
        for each in desk.apis.fulfillment.parcels(parcel.order_id):
            if each.tracking == parcel.tracking:
                return KnownParcel(each.fulfillment_id)
        return None

    def _ship(self, desk: EbayDesk, parcel: ToTell) -> KnownParcel:
        return KnownParcel(
            desk.apis.fulfillment.ship(
                parcel.order_id, parcel.units, parcel.carrier, parcel.tracking
            )
        )
