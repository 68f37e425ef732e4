"""What buyers do at the sandbox Vinted, under /_sandbox/."""

from typing import Any

from starlette.routing import Route

from sandbox.clock import wire_time
from sandbox.control import Body, CommonControl, WrongOrderError, whole
from sandbox.vinted import trading
from sandbox.vinted.sandbox import VintedSandbox
from sandbox.vinted.state import Account, Item, Transaction, VintedState

BUYER = "lea"


class OrderControl(CommonControl[VintedState]):
    """Buying, asking, and what becomes of an order."""

    def __init__(self, sandbox: VintedSandbox) -> None:
        super().__init__(sandbox)
        self.sandbox = sandbox

    def routes(self) -> list[Route]:
        """All control addresses about buyers."""
        return [
            self.route("orders", "GET", self.orders),
            self.route("orders", "POST", self.buy),
            self.route("orders/{transaction_id:int}/{step}", "POST", self.move),
            self.route("messages", "GET", self.messages),
            self.route("messages", "POST", self.write),
            self.route("offers", "POST", self.offer),
        ]

    def orders(self, body: Body) -> Any:
        """Everything that was ever bought."""
        deals = self.sandbox.state.transactions.values()
        return {"orders": [self._row(deal) for deal in deals if deal.bought_at is not None]}

    def buy(self, body: Body) -> Any:
        """`buyer` buys `item_id`, or all of `item_ids` at once: a bundle. Of a `terse` one only the
        conversation names all items.
        """
        try:
            deal = trading.buy(self.sandbox, self._buyer(body), self._items(body))
        except trading.NotForSaleError as wrong:
            raise WrongOrderError(str(wrong)) from wrong
        deal.terse = body.get("terse") is True
        return self._row(deal)

    def move(self, body: Body) -> Any:
        """Ship, deliver, complete or cancel an order."""
        deal = self.sandbox.state.transactions.get(body["transaction_id"])
        if deal is None or body["step"] not in (*trading.NEXT, "cancel"):
            raise WrongOrderError("an order can be told to ship, deliver, complete, cancel")
        try:
            trading.move(self.sandbox, deal, body["step"])
        except trading.NotForSaleError as wrong:
            raise WrongOrderError(str(wrong)) from wrong
        return self._row(deal)

    def messages(self, body: Body) -> Any:
        """Everything that people wrote, oldest first."""
        state = self.sandbox.state
        return {
            "messages": [
                {
                    "conversation_id": conversation.conversation_id,
                    "login": state.accounts[message.user_id].login,
                    "body": message.body,
                    "at": wire_time(message.at),
                }
                for conversation in state.conversations.values()
                for message in conversation.messages
                if message.user_id is not None
            ]
        }

    def write(self, body: Body) -> Any:
        """`buyer` writes `body` about `item_id`, or in `conversation_id`."""
        text = str(body.get("body", "")).strip()
        if not text:
            raise WrongOrderError("body is missing")
        deal = self._deal(body)
        trading.say(self.sandbox, deal, "message", deal.buyer_id, text)
        return {"conversation_id": deal.conversation_id, "transaction_id": deal.transaction_id}

    def offer(self, body: Body) -> Any:
        """`buyer` offers `price` cents for `item_id`."""
        deal = self._deal(body)
        made = trading.offer(self.sandbox, deal, deal.buyer_id, whole(body, "price", 1))
        return {"conversation_id": deal.conversation_id, "offer_id": made.offer_id}

    def _deal(self, body: Body) -> Transaction:
        state = self.sandbox.state
        if "conversation_id" not in body:
            return trading.talk(self.sandbox, self._buyer(body), self._items(body))
        conversation = state.conversations.get(body["conversation_id"])
        if conversation is None:
            raise WrongOrderError(f"there is no conversation {body['conversation_id']}")
        return state.transactions[conversation.transaction_id]

    def _buyer(self, body: Body) -> Account:
        return self.sandbox.member(str(body.get("buyer", BUYER)))

    def _items(self, body: Body) -> list[Item]:
        numbers = body.get("item_ids", [body.get("item_id")])
        known = self.sandbox.state.items
        items = [known[one] for one in numbers if one in known]
        if len(items) != len(numbers) or not items or len(set(numbers)) != len(numbers):
            raise WrongOrderError(f"there are no such items: {numbers}")
        return items

    def _row(self, deal: Transaction) -> dict[str, Any]:
        people = self.sandbox.state.accounts
        return {
            "transaction_id": deal.transaction_id,
            "conversation_id": deal.conversation_id,
            "shipment_id": deal.shipment_id,
            "seller": people[deal.seller_id].login,
            "buyer": people[deal.buyer_id].login,
            "item_ids": deal.item_ids,
            "state": deal.state,
            "price": deal.price,
            "bought_at": wire_time(deal.bought_at) if deal.bought_at else None,
        }
