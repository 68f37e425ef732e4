"""What buyers do, and what becomes of it: questions, offers, purchases."""

from datetime import timedelta, timezone

from sandbox.vinted.item_views import price_of
from sandbox.vinted.sandbox import VintedSandbox
from sandbox.vinted.state import (
    Account,
    Conversation,
    Item,
    Message,
    Offer,
    Transaction,
    VintedState,
)

FIRST_TRANSACTION = 5_100_000_001
FIRST_CONVERSATION = 11_200_000_001
FIRST_MESSAGE = 44_000_000_001
FIRST_OFFER = 910_000_001
FIRST_SHIPMENT = 620_000_001
LOCAL_TIME = timezone(timedelta(hours=1))
OPEN = ("paid", "shipped", "delivered")
NEXT = {"ship": ("paid", "shipped"), "deliver": ("shipped", "delivered"),
        "complete": ("delivered", "completed")}  # fmt: skip
STATUS = {
    "asked": (100, "Conversation ouverte"),
    "paid": (230, "Paiement validé : préparez le colis"),
    "shipped": (250, "Le colis est en route"),
    "delivered": (260, "Le colis est arrivé"),
    "completed": (450, "Commande terminée"),
    "cancelled": (510, "Commande annulée"),
}
"""Vinted's number and sentence. 450 is the real one, the others are the sandbox's own."""
SHIPMENT_STATUS = {"paid": 10, "shipped": 200, "delivered": 400, "completed": 400}
"""400 is Vinted's, the others are the sandbox's own."""


class NotForSaleError(Exception):
    """The text says why it cannot be bought."""


def buy(sandbox: VintedSandbox, buyer: Account, items: list[Item]) -> Transaction:
    """Take items of one seller, all at once, or none. Raises NotForSaleError."""
    sellers = {item.user_id for item in items}
    if len(sellers) != 1 or buyer.user_id in sellers:
        raise NotForSaleError("items are bought of one seller, by somebody else")
    for item in items:
        if item.state not in ("active", "reserved"):
            raise NotForSaleError(f"item {item.item_id} is {item.state}")
    now = sandbox.clock.now()
    deal = talk(sandbox, buyer, items)
    accepted = [offer.price for offer in deal.offers if offer.state == "accepted"]
    deal.state, deal.bought_at, deal.changed_at = "paid", now, now
    deal.price = accepted[-1] if accepted else sum(price_of(item) for item in items)
    deal.shipment_id = sandbox.state.next_id("shipment", FIRST_SHIPMENT)
    for item in items:
        item.sold_at, item.is_reserved = now, False
    say(sandbox, deal, "status_message", None, STATUS["paid"][1])
    return deal


def move(sandbox: VintedSandbox, deal: Transaction, step: str) -> None:
    """Ship, deliver, complete or cancel. Raises NotForSaleError where it is not its turn."""
    if step == "cancel":
        if deal.state not in OPEN:
            raise NotForSaleError(f"the order is {deal.state}")
        deal.state = "cancelled"
        for item_id in deal.item_ids:
            sandbox.state.items[item_id].sold_at = None
    else:
        before, after = NEXT[step]
        if deal.state != before:
            raise NotForSaleError(f"the order is {deal.state}, not {before}")
        deal.state = after
    deal.changed_at = sandbox.clock.now()
    say(sandbox, deal, "status_message", None, STATUS[deal.state][1])


def talk(sandbox: VintedSandbox, buyer: Account, items: list[Item]) -> Transaction:
    """The transaction in which these two speak about these items; begun where there is none."""
    state, numbers = sandbox.state, [item.item_id for item in items]
    for known in state.transactions.values():
        same = known.buyer_id == buyer.user_id and known.item_ids == numbers
        if same and known.state == "asked":
            return known
    now = sandbox.clock.now()
    deal = Transaction(
        transaction_id=state.next_id("transaction", FIRST_TRANSACTION),
        conversation_id=state.next_id("conversation", FIRST_CONVERSATION),
        seller_id=items[0].user_id,
        buyer_id=buyer.user_id,
        item_ids=numbers,
        created_at=now,
    )
    state.transactions[deal.transaction_id] = deal
    state.conversations[deal.conversation_id] = Conversation(
        deal.conversation_id, deal.transaction_id, deal.seller_id, deal.buyer_id, now
    )
    return deal


def say(
    sandbox: VintedSandbox, deal: Transaction, kind: str, user_id: int | None, body: str
) -> Message:
    """One more message; `user_id` None is Vinted itself."""
    state, now = sandbox.state, sandbox.clock.now()
    message = Message(state.next_id("message", FIRST_MESSAGE), kind, user_id, now, body)
    conversation = state.conversations[deal.conversation_id]
    conversation.messages.append(message)
    conversation.updated_at = now
    both = (conversation.seller_id, conversation.buyer_id)
    conversation.unread_by = [one for one in both if one != user_id]
    return message


def offer(sandbox: VintedSandbox, deal: Transaction, user_id: int, price: int) -> Offer:
    """Name another price, in cents."""
    number = sandbox.state.next_id("offer", FIRST_OFFER)
    made = Offer(number, user_id, price, sandbox.clock.now())
    deal.offers.append(made)
    message = say(sandbox, deal, "offer_request_message", user_id, "")
    message.extra = {"offer_request_id": number, "price": price}
    return made


def items_of(state: VintedState, deal: Transaction) -> list[Item]:
    """What it is about."""
    return [state.items[item_id] for item_id in deal.item_ids]
