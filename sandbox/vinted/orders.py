"""Orders, transactions and parcels as sellers and buyers read them."""

from datetime import datetime

from sandbox.vinted.errors import access_denied, gone
from sandbox.vinted.item_views import money, photos_of
from sandbox.vinted.operations import JSON, Call, Operation, page_of
from sandbox.vinted.state import Transaction
from sandbox.vinted.trading import LOCAL_TIME, OPEN, SHIPMENT_STATUS, STATUS, items_of

STATES = {
    "all": (*OPEN, "completed", "cancelled"),
    "in_progress": OPEN,
    "completed": ("completed",),
    "canceled": ("cancelled",),
    "cancelled": ("cancelled",),
}
SIDES = {"sold": "seller", "purchased": "buyer", "bought": "buyer"}


def side_of(call: Call, deal: Transaction) -> str | None:
    """seller or buyer; None: the caller has nothing to do with it."""
    sides = {deal.seller_id: "seller", deal.buyer_id: "buyer"}
    return sides.get(call.account.user_id)


def user_status(deal: Transaction, side: str | None) -> str:
    """Whose turn it is, in Vinted's words."""
    ended = {"completed": "completed", "cancelled": "failed"}
    turn = {"paid": "seller", "delivered": "buyer"}.get(deal.state)
    return ended.get(deal.state) or ("needs_action" if turn == side else "waiting")


def title_of(call: Call, deal: Transaction) -> str:
    """The item's, or how many there are."""
    items = items_of(call.state, deal)
    title = str(items[0].content.get("title", ""))
    return title if len(items) == 1 else f"Lot de {len(items)} articles"


def local(moment: datetime | None) -> str | None:
    """ISO with the offset of Paris in winter."""
    return moment.astimezone(LOCAL_TIME).isoformat(timespec="seconds") if moment else None


def transaction_view(call: Call, deal: Transaction) -> JSON:
    """A transaction inside a conversation, and by itself."""
    number, words = STATUS[deal.state]
    photos = photos_of(call, items_of(call.state, deal)[0])
    side = side_of(call, deal)
    actionable = deal.state == "paid" and side == "seller"
    return {
        "id": deal.transaction_id,
        "item_id": deal.item_ids[0],
        "item_ids": deal.item_ids,
        "item_title": title_of(call, deal),
        "status": number,
        "status_title": words,
        "transaction_user_status": user_status(deal, side),
        "user_msg_thread_id": deal.conversation_id,
        "shipment_id": deal.shipment_id,
        "shipment_status": SHIPMENT_STATUS.get(deal.state) if deal.shipment_id else None,
        "available_actions": ["get_shipment_label"] if actionable else [],
        "current_user_side": side,
        "is_bundle": len(deal.item_ids) > 1,
        "offer_price": money(call.state, deal.price) if deal.bought_at else None,
        "package_size_code": "SMALL",
        "item_photo": photos[0] if photos else None,
        "seller_id": deal.seller_id,
        "buyer_id": deal.buyer_id,
    }


def _my_orders(call: Call) -> JSON:
    side = SIDES.get(call.query.get("type", "sold"), "seller")
    wanted = STATES.get(call.query.get("status", "all"), ())
    deals = [
        deal
        for deal in call.state.transactions.values()
        if side_of(call, deal) == side and deal.state in wanted
    ]
    rows, pagination = page_of(call, sorted(deals, key=_newest, reverse=True))
    return {"my_orders": [_row(call, deal) for deal in rows], "pagination": pagination}


def _newest(deal: Transaction) -> tuple[datetime, int]:
    return deal.bought_at or deal.created_at, deal.transaction_id


def _row(call: Call, deal: Transaction) -> JSON:
    """An order. Which item it is does not stand in it."""
    photos = photos_of(call, items_of(call.state, deal)[0])
    photo = photos[0] if photos else None
    return {
        "conversation_id": deal.conversation_id,
        "transaction_id": deal.transaction_id,
        "title": title_of(call, deal),
        "price": money(call.state, deal.price),
        "status": STATUS[deal.state][1],
        "transaction_user_status": user_status(deal, side_of(call, deal)),
        "date": local(deal.bought_at),
        "photo": photo and {name: photo[name] for name in ("id", "url", "thumbnails")},
    }


def _transaction(call: Call) -> JSON:
    deal = _own(call, call.state.transactions.get(call.path["transaction_id"]))
    left_out = {"item_ids": None} if deal.terse else {}
    return {"transaction": transaction_view(call, deal) | left_out}


def _shipment(call: Call) -> JSON:
    deal = _of_shipment(call)
    view = transaction_view(call, deal)
    return {
        "shipment": {
            "id": deal.shipment_id,
            "status": view["shipment_status"],
            "transaction_id": deal.transaction_id,
            "carrier": {"name": "Mondial Relay"},
            "tracking_code": f"MR{deal.shipment_id}",
        }
    }


def _label(call: Call) -> JSON:
    deal = _of_shipment(call)
    if side_of(call, deal) != "seller":
        raise access_denied()
    return {"label_url": f"{call.origin}/labels/{deal.shipment_id}.pdf"}


def _of_shipment(call: Call) -> Transaction:
    number = call.path["shipment_id"]
    deals = call.state.transactions.values()
    return _own(call, next((deal for deal in deals if deal.shipment_id == number), None))


def _own(call: Call, deal: Transaction | None) -> Transaction:
    """Raises VintedError: 404 where there is none, 403 where it is not the caller's."""
    if deal is None:
        raise gone()
    if side_of(call, deal) is None:
        raise access_denied()
    return deal


ORDER_OPERATIONS = (
    Operation("getMyOrders", "GET", "/my_orders", _my_orders),
    Operation("getTransaction", "GET", "/transactions/{transaction_id:int}", _transaction),
    Operation("getShipment", "GET", "/shipments/{shipment_id:int}", _shipment),
    Operation("getLabel", "GET", "/shipments/{shipment_id:int}/label_url", _label),
)
