"""Addresses under /_sandbox/orders by which tests and demos play the buyer."""

from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from typing import Any

from starlette.routing import Route

from sandbox.control import Body, CommonControl, WrongOrderError
from sandbox.etsy.buying import Buyer, CannotBuyError, Wanted, buy, cancel, refund
from sandbox.etsy.listing_states import end_listings
from sandbox.etsy.receipt_views import status
from sandbox.etsy.sandbox import EtsySandbox
from sandbox.etsy.state import EtsyState, Receipt
from sandbox.etsy.values import cents

WANTED = ("listing_id", "sku", "product_id", "quantity")


class OrderControl(CommonControl[EtsyState]):
    """What buyers can be told to do."""

    def __init__(self, sandbox: EtsySandbox) -> None:
        super().__init__(sandbox)
        self.sandbox = sandbox

    def routes(self) -> list[Route]:
        """All of its addresses."""
        actions = {
            ("orders", "POST"): self.buy,
            ("orders", "GET"): self.orders,
            ("orders/{receipt_id:int}/pay", "POST"): self.pay,
            ("orders/{receipt_id:int}/deliver", "POST"): self.deliver,
            ("orders/{receipt_id:int}/cancel", "POST"): self.cancel,
            ("orders/{receipt_id:int}/refund", "POST"): self.refund,
        }
        return [self.route(path, method, work) for (path, method), work in actions.items()]

    def buy(self, body: Body) -> Any:
        """Buy `quantity` of what `listing_id`, `sku` or `product_id` name, or all of `items`."""
        items = body.get("items") or [{name: body[name] for name in WANTED if name in body}]
        now = self.sandbox.clock.now()
        end_listings(self.sandbox.state, now)
        about = {
            name: str(body[key])
            for key, name in (("buyer", "name"), ("country", "country"), ("message", "message"))
            if key in body
        }
        try:
            wanted = [Wanted(**item) for item in items]
            paid = body.get("paid", True) is not False
            receipt = buy(self.sandbox.state, wanted, Buyer(**about), now, paid=paid)
        except (CannotBuyError, TypeError) as wrong:
            raise WrongOrderError(str(wrong)) from wrong
        return order_row(receipt)

    def orders(self, body: Body) -> Any:
        """Every receipt there ever was, oldest first."""
        return {"orders": [order_row(one) for one in self.sandbox.state.receipts.values()]}

    def pay(self, body: Body) -> Any:
        """The money has come in."""
        receipt = self._receipt(body)
        receipt.paid_at = receipt.paid_at or self._now
        receipt.updated_at = self._now
        return order_row(receipt)

    def deliver(self, body: Body) -> Any:
        """The parcel has arrived."""
        receipt = self._receipt(body)
        if receipt.shipped_at is None:
            raise WrongOrderError("it was not shipped")
        receipt.delivered_at = receipt.updated_at = self._now
        return order_row(receipt)

    def cancel(self, body: Body) -> Any:
        """Call it off, and send back what was paid."""
        receipt = self._receipt(body)
        try:
            cancel(receipt, str(body.get("reason", "canceled")), self.sandbox.clock.now())
        except CannotBuyError as wrong:
            raise WrongOrderError(str(wrong)) from wrong
        return order_row(receipt)

    def refund(self, body: Body) -> Any:
        """Send back `amount`, such as "5.00", or all that is left."""
        receipt = self._receipt(body)
        left = receipt.goods + receipt.shipping - receipt.refunded
        try:
            amount = cents(Decimal(str(body["amount"]))) if "amount" in body else left
            reason = str(body.get("reason", "goodwill"))
            refund(receipt, amount, reason, self.sandbox.clock.now())
        except (CannotBuyError, InvalidOperation) as wrong:
            raise WrongOrderError(str(wrong)) from wrong
        return order_row(receipt)

    @property
    def _now(self) -> int:
        return int(self.sandbox.clock.now().timestamp())

    def _receipt(self, body: Body) -> Receipt:
        receipt = self.sandbox.state.receipts.get(body["receipt_id"])
        if receipt is None:
            raise WrongOrderError(f"{body['receipt_id']} is unknown")
        return receipt


def order_row(receipt: Receipt) -> dict[str, Any]:
    """A receipt as the control addresses show it; money in cents, times in epoch seconds."""
    return {**asdict(receipt), "status": status(receipt)}
