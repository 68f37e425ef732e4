"""Addresses under /_sandbox/orders by which tests and demos play the buyer."""

from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from typing import Any

from starlette.routing import Route

from sandbox.clock import wire_time
from sandbox.control import Body, CommonControl, WrongOrderError
from sandbox.ebay.orders import (
    SHIPPING,
    CannotBuyError,
    Wanted,
    buy,
    cancel,
    pay,
    refund,
    refunded,
    total,
)
from sandbox.ebay.sandbox import EbaySandbox
from sandbox.ebay.state import EbayState, Order


class OrderControl(CommonControl[EbayState]):
    """What buyers can be told to do."""

    def __init__(self, sandbox: EbaySandbox) -> None:
        super().__init__(sandbox)
        self.sandbox = sandbox

    def routes(self) -> list[Route]:
        """All of its addresses."""
        actions = {
            ("orders", "POST"): self.buy,
            ("orders", "GET"): self.orders,
            ("orders/{order_id}/pay", "POST"): self.pay,
            ("orders/{order_id}/cancel", "POST"): self.cancel,
            ("orders/{order_id}/refund", "POST"): self.refund,
        }
        return [self.route(path, method, work) for (path, method), work in actions.items()]

    def buy(self, body: Body) -> Any:
        """Buy `quantity` of `listing_id` (and `sku`), or all that `items` names."""
        items = body.get("items") or [
            {name: body[name] for name in ("listing_id", "quantity", "sku") if name in body}
        ]
        try:
            wanted = [Wanted(**item) for item in items]
            order = buy(
                self.sandbox,
                wanted,
                buyer=str(body.get("buyer", "buyer_1")),
                shipping=str(body.get("shipping", SHIPPING)),
                paid=body.get("paid", True) is not False,
            )
        except (CannotBuyError, TypeError) as wrong:
            raise WrongOrderError(str(wrong)) from wrong
        return order_row(order)

    def orders(self, body: Body) -> Any:
        """Every order there ever was, oldest first."""
        return {"orders": [order_row(order) for order in self.sandbox.state.orders.values()]}

    def pay(self, body: Body) -> Any:
        """The money has come in."""
        order = self._order(body)
        pay(self.sandbox, order)
        return order_row(order)

    def cancel(self, body: Body) -> Any:
        """Cancel it, and send back what was paid."""
        order = self._order(body)
        cancel(self.sandbox, order, str(body.get("reason", "BUYER_ASKED_CANCEL")))
        return order_row(order)

    def refund(self, body: Body) -> Any:
        """Send back `amount`, or all that is left."""
        order = self._order(body)
        try:
            left = total(order) - refunded(order)
            refund(self.sandbox, order, Decimal(str(body.get("amount", left))))
        except (CannotBuyError, InvalidOperation) as wrong:
            raise WrongOrderError(str(wrong)) from wrong
        return order_row(order)

    def _order(self, body: Body) -> Order:
        order = self.sandbox.state.orders.get(body["order_id"])
        if order is None:
            raise WrongOrderError(f"{body['order_id']} is unknown")
        return order


def order_row(order: Order) -> dict[str, Any]:
    """An order as the control addresses show it."""
    row = asdict(order)
    for name in ("created_at", "modified_at", "paid_at", "cancelled_at"):
        row[name] = wire_time(row[name]) if row[name] else None
    for name, moment in (("refunds", "made_at"), ("parcels", "shipped_at")):
        row[name] = [{**each, moment: wire_time(each[moment])} for each in row[name]]
    return {**row, "status": order.sent}
