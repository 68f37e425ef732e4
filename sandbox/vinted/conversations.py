"""Conversations: the inbox, one of them, answering, reading, beginning one as a seller."""

from typing import Any

from sandbox.vinted import trading
from sandbox.vinted.errors import access_denied, gone, validation_error
from sandbox.vinted.item_views import money, photos_of
from sandbox.vinted.operations import JSON, Call, Operation, page_of
from sandbox.vinted.orders import local, title_of, transaction_view
from sandbox.vinted.state import Account, Conversation, Message, VintedState


def _inbox(call: Call) -> JSON:
    own = [
        one
        for one in call.state.conversations.values()
        if call.account.user_id in (one.seller_id, one.buyer_id) and one.messages
    ]
    newest_first = sorted(own, key=lambda one: (one.updated_at, one.conversation_id), reverse=True)
    rows, pagination = page_of(call, newest_first)
    return {"conversations": [_row(call, one) for one in rows], "pagination": pagination}


def _row(call: Call, conversation: Conversation) -> JSON:
    deal = call.state.transactions[conversation.transaction_id]
    items = trading.items_of(call.state, deal)
    return {
        "id": conversation.conversation_id,
        "description": conversation.messages[-1].body or title_of(call, deal),
        "unread": call.account.user_id in conversation.unread_by,
        "updated_at": local(conversation.updated_at),
        "item_count": len(items),
        "opposite_user": _person(_opposite(call, conversation)),
        "item_photos": [photo for item in items for photo in photos_of(call, item)[:1]],
    }


def _conversation(call: Call) -> JSON:
    conversation = _own(call)
    deal = call.state.transactions[conversation.transaction_id]
    return {
        "conversation": {
            "id": conversation.conversation_id,
            "opposite_user": _person(_opposite(call, conversation)),
            "transaction": transaction_view(call, deal),
            "messages": [_message(call.state, one) for one in conversation.messages],
            "allow_reply": True,
            "unread": call.account.user_id in conversation.unread_by,
        }
    }


def _message(state: VintedState, message: Message) -> JSON:
    entity: JSON = {"id": message.message_id, "body": message.body, "user_id": message.user_id}
    if message.kind == "offer_request_message":
        entity |= {**message.extra, "price": money(state, message.extra["price"])}
    return {
        "entity_type": message.kind,
        "entity": entity,
        "created_at_ts": local(message.at),
    }


def _reply(call: Call) -> JSON:
    conversation = _own(call)
    reply = call.body.get("reply")
    body = reply.get("body") if isinstance(reply, dict) else None
    if not isinstance(body, str) or not body.strip():
        raise validation_error([("body", "Écrivez un message.")])
    deal = call.state.transactions[conversation.transaction_id]
    made = trading.say(call.sandbox, deal, "message", call.account.user_id, body)
    return {"message": _message(call.state, made)}


def _mark_as_read(call: Call) -> JSON:
    conversation = _own(call)
    unread = conversation.unread_by
    conversation.unread_by = [one for one in unread if one != call.account.user_id]
    return {}


def _begin(call: Call) -> JSON:
    """As a seller, with somebody who may want the item."""
    item = call.state.items.get(_number(call.body.get("item_id")))
    other = call.state.accounts.get(_number(call.body.get("opposite_user_id")))
    if call.body.get("initiator") != "seller_enters_notification" or item is None or other is None:
        raise validation_error([("base", "Cette conversation ne peut pas être ouverte.")])
    if item.user_id != call.account.user_id or other.user_id == item.user_id:
        raise access_denied()
    deal = trading.talk(call.sandbox, other, [item])
    transaction = {"id": deal.transaction_id}
    return {"conversation": {"id": deal.conversation_id, "transaction": transaction}}


def _accept(call: Call) -> JSON:
    return _answered(call, "accepted")


def _reject(call: Call) -> JSON:
    return _answered(call, "rejected")


def _answered(call: Call, answer: str) -> JSON:
    """The seller's word on a buyer's price; an accepted one is what the buyer pays."""
    deal = call.state.transactions.get(call.path["transaction_id"])
    offers = deal.offers if deal else []
    offer = next((one for one in offers if one.offer_id == call.path["offer_id"]), None)
    if deal is None or offer is None:
        raise gone()
    if deal.seller_id != call.account.user_id or offer.state != "pending":
        raise access_denied()
    offer.state = answer
    price = money(call.state, offer.price)
    return {"offer_request": {"id": offer.offer_id, "status": answer, "price": price}}


def _number(text: Any) -> int:
    return int(text) if isinstance(text, str) and text.isdecimal() else 0


def _own(call: Call) -> Conversation:
    """Raises VintedError: 404 where there is none, 403 where it is not the caller's."""
    conversation = call.state.conversations.get(call.path["conversation_id"])
    if conversation is None:
        raise gone()
    if call.account.user_id not in (conversation.seller_id, conversation.buyer_id):
        raise access_denied()
    return conversation


def _opposite(call: Call, conversation: Conversation) -> Account:
    is_seller = call.account.user_id == conversation.seller_id
    other = conversation.buyer_id if is_seller else conversation.seller_id
    return call.state.accounts[other]


def _person(account: Account) -> JSON:
    return {"id": account.user_id, "login": account.login}


_OFFER = "/transactions/{transaction_id:int}/offer_requests/{offer_id:int}"
_ONE = "/conversations/{conversation_id:int}"

CONVERSATION_OPERATIONS = (
    Operation("getInbox", "GET", "/inbox", _inbox),
    Operation("beginConversation", "POST", "/conversations", _begin),
    Operation("getConversation", "GET", _ONE, _conversation),
    Operation("reply", "POST", _ONE + "/replies", _reply),
    Operation("markAsRead", "PUT", _ONE + "/mark_as_read", _mark_as_read),
    Operation("acceptOffer", "PUT", _OFFER + "/accept", _accept),
    Operation("rejectOffer", "PUT", _OFFER + "/reject", _reject),
)
