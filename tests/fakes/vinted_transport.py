"""A browser that is signed in at Vinted, and a road on which it answers at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import httpx

from models.selling.vinted import CommandState
from repositories.selling.vinted import VintedCommandRepository
from sandbox.vinted_browser.tab import LONGEST_BODY
from services.gateways.vinted.client import WARDROBE_PAGES, VintedClient
from services.gateways.vinted.transport import (
    AwaitingAnswer,
    PhotoUpload,
    VintedAnswer,
    VintedRequest,
)
from services.selling.vinted.commands import CommandTransport
from shared.clock import Clock
from shared.database import Database, TenantSchema
from shared.errors import APITimeoutError

Perform = Callable[[VintedRequest], VintedAnswer]


class PhotoStore(Protocol):
    """Where photos are kept."""

    def get(self, key: str) -> bytes: ...


@dataclass
class SignedInBrowser:
    """Makes requests as the extension makes them: with cookies, and the page's token on writes."""

    http: httpx.Client
    csrf: Callable[[], str]
    photos: PhotoStore
    deaf_to: str | None = None
    """A path that ends so is answered well, once, and never reaches Vinted."""
    asked: list[tuple[str, str]] = field(default_factory=list)

    def perform(self, request: VintedRequest) -> VintedAnswer:
        """Ask Vinted. Raises `APITimeoutError` when no answer came."""
        if self.deaf_to is not None and request.path.endswith(self.deaf_to):
            self.deaf_to = None
            return VintedAnswer(200, "application/json", "{}")
        more: dict[str, Any] = {}
        if request.photo is not None:
            photo = request.photo
            more["data"] = dict(photo.fields)
            content = self.photos.get(photo.object_key)
            more["files"] = {"photo[file]": ("photo.jpg", content, photo.content_type)}
        elif request.body is not None:
            more["json"] = dict(request.body)
        headers = {"X-CSRF-Token": self.csrf()} if request.changes else {}
        self.asked.append((request.method, request.path))
        try:
            answer = self.http.request(
                request.method,
                request.path,
                params=dict(request.query) or None,
                headers=headers,
                **more,
            )
        except httpx.TransportError:
            raise APITimeoutError from None
        return VintedAnswer(
            answer.status_code,
            answer.headers.get("content-type", ""),
            answer.text[:LONGEST_BODY],
            answer.headers.get("retry-after"),
            truncated=len(answer.text) > LONGEST_BODY,
        )


@dataclass
class RecordedTransport:
    """A road that gives the same answer to everything and remembers what it was asked."""

    answer: VintedAnswer
    asked: list[VintedRequest] = field(default_factory=list)
    again_for: list[str] = field(default_factory=list)

    def ask(self, step: str, request: VintedRequest) -> VintedAnswer:
        """Give the answer."""
        self.asked.append(request)
        return self.answer

    def again(self, step: str) -> None:
        """Remember it."""
        self.again_for.append(step)

    def client(self) -> VintedClient:
        """A client on this road; whoever halts is not heard."""
        return VintedClient(self, lambda _wanted, _answer: None)


PHOTO = PhotoUpload("a key", "a hash", "image/jpeg", {})
LOOKS: Mapping[str, Callable[[VintedClient, str], object]] = {
    "own_item": lambda client, step: client.own_item(step, 7),
    "wardrobe": lambda client, step: client.wardrobe(step, "9", 1, WARDROBE_PAGES[-1]),
    "orders": lambda client, step: client.orders(step, 1),
    "transaction": lambda client, step: client.transaction(step, 7),
    "conversation": lambda client, step: client.conversation(step, 7),
}
CHANGES: Mapping[str, Callable[[VintedClient, str], object]] = {
    "upload_photo": lambda client, step: client.upload_photo(step, PHOTO),
    "create_draft": lambda client, step: client.create_draft(step, {}),
    "complete_draft": lambda client, step: client.complete_draft(step, 7, {}),
    "update_item": lambda client, step: client.update_item(step, 7, {}),
    "delete_item": lambda client, step: client.delete_item(step, 7),
    "reply": lambda client, step: client.reply(step, 7, {}),
}
"""All that is ever asked, by the client's methods."""


class RowsAnsweredAtOnce(CommandTransport):
    """Requests are rows as ever; a browser that is always there answers each while it is asked.

    So a handler runs through in one attempt, and what it was answered outlives killed workers.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        perform: Perform,
        tenant: TenantSchema,
        job_id: int,
    ) -> None:
        super().__init__(database, clock, tenant, job_id)
        self._perform = perform

    def ask(self, step: str, request: VintedRequest) -> VintedAnswer:
        """The answer to a step, got now unless it is there."""
        try:
            return super().ask(step, request)
        except AwaitingAnswer:
            try:
                told = answered(self._perform(request), self._clock.now())
            except APITimeoutError:
                told = {"state": CommandState.LOST, "lost_at": self._clock.now()}
            self._write(step, told)
        return super().ask(step, request)

    def _write(self, step: str, told: Mapping[str, Any]) -> None:
        with self._database.tenant(self._tenant) as session:
            command = VintedCommandRepository(session).latest(self._job_id, step)
            for name, value in told.items():
                setattr(command, name, value)


def answered(answer: VintedAnswer, now: datetime) -> dict[str, Any]:
    """The columns in which the bridge keeps an answer."""
    return {
        "state": CommandState.ANSWERED,
        "status": answer.status,
        "content_type": answer.content_type,
        "retry_after": answer.retry_after,
        "answer": answer.body,
        "truncated": answer.truncated,
        "answered_at": now,
    }
