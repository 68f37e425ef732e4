"""The sale fence: which order gets a unit is decided once, under the lock of its product."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from models.selling.catalog import Product, ProductVariant
from models.selling.orders import ChannelOrderLine, StockEvent
from repositories.selling.order_stock import StockRepository
from services.selling.catalog.drafts import touch
from shared.database import TenantSession


class SaleFence:
    """Takes units for order lines and gives them back, each event once.

    The products' rows are locked from `__init__` on until the commit. Nobody else writes a quantity
    without that lock, so of two orders for one unit the second finds none and is oversold.
    """

    def __init__(self, session: TenantSession, product_ids: Iterable[int], now: datetime) -> None:
        self._stock = StockRepository(session)
        self._products = self._stock.lock(set(product_ids))
        self._now = now
        self._moved: dict[int, StockEvent] = {}

    @property
    def moved(self) -> Mapping[int, StockEvent]:
        """Products that were sold or came back, and which of the two came last."""
        return self._moved

    def product(self, product_id: int) -> Product:
        """One of the locked products."""
        return self._products[product_id]

    def claim(self, line: ChannelOrderLine) -> None:
        """Take what the line sold and has not got yet; nothing for what is not ours.

        A line whose quantity is not told has sold one unit at least; more are taken when it is.
        """
        sold = line.quantity or 1
        wanted = sold - line.units_taken - line.units_missing
        if line.product_id is None or wanted <= 0:
            return
        first = line.units_taken + line.units_missing == 0
        event = StockEvent.SOLD.value if first else f"{StockEvent.SOLD} {sold}"
        variant = self._variant_of(line)
        units = min(wanted, variant.quantity) if variant is not None else 0
        if not self._stock.note(line.id, event, -units, self._now):
            return
        line.units_taken += units
        line.units_missing += wanted - units
        self._moved[line.product_id] = StockEvent.SOLD
        self._add(line.product_id, variant, -units)

    def release(self, line: ChannelOrderLine) -> None:
        """Put back what the line took; a second time does nothing."""
        units = line.units_taken - line.units_returned
        if line.product_id is None or units <= 0:
            return
        if not self._stock.note(line.id, StockEvent.RETURNED.value, units, self._now):
            return
        line.units_returned += units
        self._moved[line.product_id] = StockEvent.RETURNED
        self._add(line.product_id, self._variant_of(line), units)

    def take_back(self, line: ChannelOrderLine, units: int) -> None:
        """Put back what the seller says has come back, at most what the line took."""
        units = min(units, line.units_taken - line.units_returned)
        if line.product_id is None or units <= 0:
            return
        event = f"{StockEvent.RETURNED.value} {line.units_returned + units}"
        if not self._stock.note(line.id, event, units, self._now):
            return
        line.units_returned += units
        self._moved[line.product_id] = StockEvent.RETURNED
        self._add(line.product_id, self._variant_of(line), units)

    def _variant_of(self, line: ChannelOrderLine) -> ProductVariant | None:
        product = self._products.get(line.product_id or 0)
        variants = product.variants if product is not None else ()
        return next((each for each in variants if each.id == line.variant_id), None)

    def _add(self, product_id: int, variant: ProductVariant | None, units: int) -> None:
        if variant is not None and units:
            variant.quantity += units
            touch(self._products[product_id], self._now)
