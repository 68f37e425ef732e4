"""A seller's browser with the extension, as far as the server can tell.

Every message, sent or heard, is held against docs/extension-protocol.yaml.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import quote

import httpx
import jsonschema
import socketio
import yaml
from socketio.exceptions import SocketIOError

from shared.http_client import trusted_authorities
from tests.paths import CHECKOUT

# A line that breaks is no error here, and must not come up in the output of what is tested.
logging.getLogger("engineio.client").setLevel(logging.CRITICAL)

PATIENCE_S = 60.0
SELLER_AT_VINTED = "4711"
SITE = "www.vinted.fr"


@cache
def protocol() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(
        (CHECKOUT / "docs/extension-protocol.yaml").read_text()
    )
    return document


@cache
def _validator(pointer: str) -> Any:
    # The references of the document are those of JSON Schema.
    schema = {"$ref": f"#{pointer}", "components": protocol()["components"]}
    return jsonschema.Draft202012Validator(schema)


def check(message: str, payload: Any, *, ack: bool = False) -> None:
    """Hold a payload, or what is acknowledged to it, against the protocol."""
    part = "x-ack" if ack else "payload"
    pointer = f"/components/messages/{quote(message)}/{part}"
    _validator(pointer).validate(payload)


def check_schema(schema: str, payload: Any) -> None:
    """Hold something against one of the protocol's schemas."""
    _validator(f"/components/schemas/{schema}").validate(payload)


@dataclass
class PairedBrowser:
    """The tokens that pairing gave."""

    tokens: dict[str, Any]

    @property
    def token(self) -> str:
        return str(self.tokens["access_token"])


def pair(seller: httpx.Client, device: str = "Chrome on the laptop") -> PairedBrowser:
    """What a seller and the extension do together."""
    code = seller.post("/api/v1/vinted/pairings").json()["code"]
    answer = httpx.post(
        f"{seller.base_url}/api/v1/vinted/pairings/claim".replace("//api", "/api"),
        json={"code": code, "device": device},
        verify=trusted_authorities(),
    )
    assert answer.status_code == httpx.codes.OK, answer.text
    return PairedBrowser(answer.json())


Vinted = Callable[[dict[str, Any]], dict[str, Any]]
"""Answers a request: returns outcome, status, body … of a `job_result`."""


def fine(_request: dict[str, Any]) -> dict[str, Any]:
    """Vinted in a good mood."""
    return {
        "outcome": "answered",
        "status": 200,
        "content_type": "application/json",
        "body": '{"code":0}',
    }


@dataclass
class Memory:
    """What one browser remembers over broken lines: what it has done, and what came of it."""

    done: dict[str, dict[str, Any]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    """It does one thing at a time."""


class Extension:
    """One socket of a paired browser. Does what it is sent, once, and remembers the results."""

    def __init__(
        self,
        url: str,
        browser: PairedBrowser,
        *,
        vinted: Vinted = fine,
        memory: Memory | None = None,
        answers: bool = True,
    ) -> None:
        """With `answers` off it takes commands and does nothing about them."""
        self.url, self.browser, self.vinted = url, browser, vinted
        self.memory = memory or Memory()
        self.answers = answers
        self.heard: list[tuple[str, Any]] = []
        self.acks: list[dict[str, Any]] = []
        self.refuses: dict[str, Any] | None = None
        self._news = threading.Condition()
        self.client = socketio.Client(
            reconnection=False, websocket_extra_options={"suppress_origin": True}
        )
        self.client.on("*", self._hear)
        self.client.on("execute_job", self._execute)
        self.client.on("disconnect", lambda *_: self._hear("disconnect", None))

    def connect(self, transport: str = "websocket") -> "Extension":
        auth = {"token": self.browser.token, "client": "extension", "version": "1.0.0"}
        check("connect", auth)
        self.client.connect(self.url, auth=auth, transports=[transport], wait_timeout=PATIENCE_S)
        self.until("ready")
        return self

    def say(self, state: str = "signed_in", **more: Any) -> dict[str, Any]:
        """Tell how Vinted stands; returns what is acknowledged."""
        update: dict[str, Any] = {"state": state, "site": SITE, **more}
        if state == "signed_in":
            update = {"vinted_user_id": SELLER_AT_VINTED, "login": "anna", **update}
        check("vinted_session_update", update)
        return self.call("vinted_session_update", update)

    def call(self, event: str, payload: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.client.call(event, payload, timeout=PATIENCE_S)
        check(event, answer, ack=True)
        return answer

    def result(self, command: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
        """Send what came of a command; returns what is acknowledged."""
        payload = {"command_id": command["command_id"], "lease": command["lease"], **told}
        check("job_result", payload)
        return self.call("job_result", payload)

    def drop(self) -> None:
        """The line breaks, without a word."""
        self.client.eio.disconnect(abort=True)

    def until(self, event: str, number: int = 1) -> list[Any]:
        """Wait for so many events of a kind; returns them."""
        with self._news:
            enough = self._news.wait_for(lambda: len(self._of(event)) >= number, PATIENCE_S)
            assert enough, (event, self.heard)
            return self._of(event)

    def commands(self, number: int = 1) -> list[dict[str, Any]]:
        """Wait for so many commands; returns them."""
        return self.until("execute_job", number)

    def _of(self, event: str) -> list[Any]:
        return [data for kind, data in self.heard if kind == event]

    def _hear(self, event: str, data: Any = None) -> None:
        if event in protocol()["components"]["messages"]:
            check(event, data)
        with self._news:
            self.heard.append((event, data))
            self._news.notify_all()

    def _execute(self, command: dict[str, Any]) -> dict[str, Any]:
        self._hear("execute_job", command)
        if self.refuses is not None:
            check("execute_job", self.refuses, ack=True)
            return self.refuses
        if self.answers:
            threading.Thread(target=self._do, args=[command], daemon=True).start()
        return {"taken": True}

    def _do(self, command: dict[str, Any]) -> None:
        with self.memory.lock:
            told = self.memory.done.get(command["command_id"])
            if told is None:
                told = self.memory.done[command["command_id"]] = self.vinted(command["request"])
        payload = {"command_id": command["command_id"], "lease": command["lease"], **told}
        check("job_result", payload)

        def acked(answer: dict[str, Any]) -> None:
            check("job_result", answer, ack=True)
            with self._news:
                self.acks.append(answer)
                self._news.notify_all()

        # A line that has broken meanwhile is no matter: it is remembered.
        with suppress(SocketIOError):
            self.client.emit("job_result", payload, callback=acked)
