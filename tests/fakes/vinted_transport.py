"""A browser that is signed in at Vinted, and a road on which it answers at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import httpx

from models.selling.vinted import CommandState
from repositories.selling.vinted import VintedCommandRepository
from services.gateways.vinted.transport import AwaitingAnswer, VintedAnswer, VintedRequest
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
            answer.text,
            answer.headers.get("retry-after"),
        )


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
        "answered_at": now,
    }
