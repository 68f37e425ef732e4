"""Vinted in a seller's name: each request under the step's name that its job gives it."""

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

from services.gateways.calls import Exchange, Observer, nobody_watches
from services.gateways.vinted.errors import VintedRefusal, VintedWantsAPerson, understood
from services.gateways.vinted.items import OwnItem, WardrobePage
from services.gateways.vinted.orders import Conversation, Deal, OrderPage
from services.gateways.vinted.reading import at, needed_number
from services.gateways.vinted.transport import (
    PhotoUpload,
    VintedAnswer,
    VintedRequest,
    VintedTransport,
)
from shared.errors import APIConnectionError, APITimeoutError

API = "/api/v2"
WARDROBE_PAGE = 96
"""The most that Vinted gives."""

_GONE = frozenset({404})
_GONE_OR_SHUT = frozenset({403, 404})
"""To its owner an item is shut as soon as it is reserved or sold."""

Halted = Callable[[VintedWantsAPerson, VintedAnswer], None]
"""Is told when Vinted wants a person, and by which answer."""


class VintedClient:
    """Builds requests and reads answers.

    A step that was answered gives the same answer again; one that failed is asked anew the next
    time, but for changes whose answer was lost: these raise `APITimeoutError` until `again`.
    """

    def __init__(
        self, transport: VintedTransport, halted: Halted, observe: Observer = nobody_watches
    ) -> None:
        self._transport = transport
        self._halted = halted
        self._observe = observe

    def again(self, step: str) -> None:
        """What became of the step is known: the next time it is another request."""
        self._transport.again(step)

    def upload_photo(self, step: str, photo: PhotoUpload) -> int:
        """Send a photo; Vinted's id of it."""
        body = self.send(step, VintedRequest("POST", f"{API}/photos", photo=photo))
        inner = at(body, "photo")
        return needed_number(body if inner is None else inner, "id")

    def create_draft(self, step: str, body: Mapping[str, Any]) -> int:
        """Begin a listing that nobody sees; its id."""
        path = f"{API}/item_upload/drafts"
        answer = self.send(step, VintedRequest("POST", path, body=body))
        return needed_number(at(answer, "draft") or at(answer, "item") or answer, "id")

    def complete_draft(self, step: str, item_id: int, body: Mapping[str, Any]) -> None:
        """Put it up for sale."""
        path = f"{API}/item_upload/drafts/{item_id}/completion"
        self.send(step, VintedRequest("POST", path, body=body))

    def update_item(self, step: str, item_id: int, body: Mapping[str, Any]) -> None:
        """Replace all that is said of an item, photos too."""
        path = f"{API}/item_upload/items/{item_id}"
        self.send(step, VintedRequest("PUT", path, body=body))

    def delete_item(self, step: str, item_id: int) -> bool:
        """Take an item down; False when there was none."""
        request = VintedRequest("POST", f"{API}/items/{item_id}/delete")
        return self.send(step, request, instead=_GONE) is not _NOTHING

    def own_item(self, step: str, item_id: int) -> OwnItem | None:
        """An item of one's own; None when it is gone, sold or reserved."""
        request = VintedRequest("GET", f"{API}/item_upload/items/{item_id}")
        body = self.send(step, request, instead=_GONE_OR_SHUT)
        return None if body is _NOTHING else OwnItem.of(body)

    def wardrobe(self, step: str, user_id: str, page: int) -> WardrobePage:
        """A page of all items, drafts, hidden and sold ones too; the first is 1."""
        query = {"page": str(page), "per_page": str(WARDROBE_PAGE), "order": "newest_first"}
        path = f"{API}/wardrobe/{user_id}/items"
        return WardrobePage.of(self.send(step, VintedRequest("GET", path, query)), page)

    def orders(self, step: str, page: int) -> OrderPage:
        """A page of what was sold, the newest first; the first is 1."""
        query = {"type": "sold", "status": "all", "page": str(page), "per_page": "20"}
        return OrderPage.of(self.send(step, VintedRequest("GET", f"{API}/my_orders", query)))

    def transaction(self, step: str, transaction_id: int) -> Deal | None:
        """A transaction of one's own; None when Vinted does not show it."""
        request = VintedRequest("GET", f"{API}/transactions/{transaction_id}")
        body = self.send(step, request, instead=_GONE_OR_SHUT)
        return None if body is _NOTHING else Deal.of(at(body, "transaction"))

    def conversation(self, step: str, conversation_id: int) -> Conversation | None:
        """A conversation of one's own; None when Vinted does not show it."""
        request = VintedRequest("GET", f"{API}/conversations/{conversation_id}")
        body = self.send(step, request, instead=_GONE_OR_SHUT)
        return None if body is _NOTHING else Conversation.of(body)

    def reply(self, step: str, conversation_id: int, body: Mapping[str, Any]) -> None:
        """Write in a conversation."""
        path = f"{API}/conversations/{conversation_id}/replies"
        self.send(step, VintedRequest("POST", path, body=body))

    def send(self, step: str, request: VintedRequest, instead: Collection[int] = ()) -> Any:
        """The answer's JSON; `_NOTHING` for a status among `instead`.

        While Vinted wants a person, the step waits in line until one has been there.
        """
        answer = self._asked(step, request)
        try:
            return self._read(step, request, answer, instead)
        except VintedWantsAPerson as wanted:
            self._transport.again(step)
            self._halted(wanted, answer)
        answer = self._asked(step, request)
        try:
            return self._read(step, request, answer, instead)
        except VintedWantsAPerson:
            self._transport.again(step)
            raise

    def _asked(self, step: str, request: VintedRequest) -> VintedAnswer:
        try:
            return self._transport.ask(step, request)
        except APITimeoutError:
            if request.changes:
                raise
            self._transport.again(step)
            raise APIConnectionError(
                "Your browser did not say what Vinted answered; nothing was changed."
            ) from None
        except APIConnectionError:
            self._transport.again(step)
            raise

    def _read(
        self, step: str, request: VintedRequest, answer: VintedAnswer, instead: Collection[int]
    ) -> Any:
        sent = json.dumps(request.body, sort_keys=True).encode() if request.body else b""
        self._observe(Exchange(step, sent, answer.status, answer.body.encode()))
        try:
            return understood(request, answer)
        except VintedRefusal as refused:
            if refused.http_status in instead:
                return _NOTHING
            self._transport.again(step)
            raise


_NOTHING = object()
