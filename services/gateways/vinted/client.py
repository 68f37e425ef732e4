"""Vinted in a seller's name: each request under the step's name that its job gives it."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from services.gateways.calls import Exchange, Observer, UnreadableAnswer, nobody_watches
from services.gateways.vinted.errors import (
    AnswerTooLong,
    VintedRefusal,
    VintedWantsAPerson,
    understood,
)
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
WARDROBE_PAGES: Sequence[int] = (48, 12, 4)
"""Items on a page, the most first; Vinted gives up to 96.

An extension passes on 200,000 characters. A row has about 3,000 with its cover alone, and, where
all photos are shown, some 2,400 more for each: up to 49,000 with twenty.
"""

ORDERS_PAGE = 20
"""Rows of some 2,500 characters, the newest first; most readings need no second page."""

T = TypeVar("T")

_GONE = frozenset({404})
_GONE_OR_SHUT = frozenset({403, 404})
"""To its owner an item is shut as soon as it is reserved or sold."""

Halted = Callable[[VintedWantsAPerson, VintedAnswer], None]
"""Is told when Vinted wants a person, and by which answer."""


class VintedClient:
    """Builds requests and reads answers.

    A step that was answered gives the same answer again; one that failed is asked anew the next
    time, but for changes whose answer was lost: these raise `APITimeoutError` until `again`. An
    answer that cannot be read is a failure of a look, `UnreadableAnswer`; of a change it is one
    more answer that was lost, and is kept until it is known what became of it.
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
        return self._look(step, request, _if_there(OwnItem.of), _GONE_OR_SHUT)

    def wardrobe(self, step: str, user_id: str, page: int, size: int) -> WardrobePage:
        """A page of all items, drafts, hidden and sold ones too; the first is 1.

        Raises `AnswerTooLong`, which stays the step's answer as long as there are shorter pages.
        """
        query = {"page": str(page), "per_page": str(size), "order": "newest_first"}
        request = VintedRequest("GET", f"{API}/wardrobe/{user_id}/items", query)
        read, shorter = partial(WardrobePage.of, page=page), size > WARDROBE_PAGES[-1]
        return self._look(step, request, read, keeps_too_long=shorter)

    def orders(self, step: str, page: int) -> OrderPage:
        """A page of what was sold, the newest first; the first is 1."""
        numbers = {"page": str(page), "per_page": str(ORDERS_PAGE)}
        query = {"type": "sold", "status": "all", **numbers}
        return self._look(step, VintedRequest("GET", f"{API}/my_orders", query), OrderPage.of)

    def transaction(self, step: str, transaction_id: int) -> Deal | None:
        """A transaction of one's own; None when Vinted does not show it."""
        request = VintedRequest("GET", f"{API}/transactions/{transaction_id}")
        return self._look(step, request, _if_there(_deal), _GONE_OR_SHUT)

    def conversation(self, step: str, conversation_id: int) -> Conversation | None:
        """A conversation of one's own; None when Vinted does not show it."""
        request = VintedRequest("GET", f"{API}/conversations/{conversation_id}")
        return self._look(step, request, _if_there(Conversation.of), _GONE_OR_SHUT)

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

    def _look(
        self,
        step: str,
        request: VintedRequest,
        read: Callable[[Any], T],
        instead: Collection[int] = (),
        *,
        keeps_too_long: bool = False,
    ) -> T:
        """What a GET brings; the step of an answer that cannot be read is asked anew."""
        try:
            return read(self.send(step, request, instead))
        except UnreadableAnswer as unreadable:
            if not (keeps_too_long and isinstance(unreadable, AnswerTooLong)):
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


def _if_there(read: Callable[[Any], T]) -> Callable[[Any], T | None]:
    return lambda body: None if body is _NOTHING else read(body)


def _deal(body: Any) -> Deal:
    return Deal.of(at(body, "transaction"))


_NOTHING = object()
