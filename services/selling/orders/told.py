"""An order as a channel tells it, in the words of all channels together."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from models.selling.orders import OrderStatus
from shared.money import Money


@dataclass(frozen=True, slots=True)
class ToldLine:
    """One line. What the channel does not say is None, never 0."""

    remote_line_id: str
    title: str
    quantity: int | None
    sku: str | None = None
    listing_id: str | None = None
    variation_id: str | None = None
    total: Money | None = None
    shipped: bool = False


@dataclass(frozen=True, slots=True)
class ToldOrder:
    """One order with all of its lines; amounts in the currency of `total`, the fee in its own."""

    remote_order_id: str
    status: OrderStatus
    placed_at: datetime
    modified_at: datetime
    """The channel's own time of the last change; older news never replace newer ones."""
    total: Money
    lines: Sequence[ToldLine]
    goods: Money | None = None
    shipping: Money | None = None
    refunded: Money | None = None
    fee: Money | None = None
    buyer: str | None = None
    ship_to: Mapping[str, str] = field(default_factory=dict)
    remote: Mapping[str, Any] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Differs as soon as anything told differs."""
        told = json.dumps(asdict(self), sort_keys=True, default=str)
        return hashlib.sha256(told.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class UnreadableOrder:
    """An order that the gateway could not understand, under the channel's id of it."""

    remote_order_id: str
    problem: str
