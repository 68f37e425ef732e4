"""The line to StoFlow: a socket that is opened again whenever it ends."""

import contextlib
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import socketio
from socketio import exceptions

from sandbox.vinted_browser.stoflow import NotPairedError

RETRY_S = 0.3
ANSWER_WITHIN_S = 10.0
Handler = Callable[[Any], Any]


class Line:
    """`transport` is websocket or polling. Handlers run in threads of their own."""

    def __init__(
        self,
        url: str,
        transport: str,
        greeting: Callable[[], Mapping[str, Any]],
        handlers: Mapping[str, Handler],
    ) -> None:
        """`greeting` is the auth of each connect. `connect_error` tells of a refused one."""
        self._url, self._transport = url, transport
        self._greeting = greeting
        self._handlers = handlers
        self._client: socketio.Client | None = None
        self._waiting: set[threading.Event] = set()
        self._ending = threading.Event()
        self._away = False
        self._back = threading.Event()
        self._thread = threading.Thread(target=self._keep_open, daemon=True)

    def start(self) -> None:
        """Open the line and keep it open."""
        self._thread.start()

    def stop(self) -> None:
        """Close it for good."""
        self._ending.set()
        self._back.set()
        client = self._client
        if client is not None:
            client.eio.disconnect(abort=True)
        self._thread.join(timeout=5)

    @property
    def is_open(self) -> bool:
        """Whether StoFlow can be spoken to now."""
        client = self._client
        return client is not None and client.connected

    def cut(self, *, stay_away: bool = False) -> None:
        """Tear the line without a word; it is opened again at once, or at `come_back`."""
        self._away = stay_away
        self._back.clear()
        client = self._client
        if client is None:
            return
        if client.eio.current_transport == "websocket" and client.eio.ws is not None:
            with contextlib.suppress(OSError):
                client.eio.ws.sock.shutdown(socket.SHUT_RDWR)
        else:
            client.eio.disconnect(abort=True)

    def come_back(self) -> None:
        """Open a line that was cut to stay away."""
        self._away = False
        self._back.set()

    def call(self, event: str, message: Mapping[str, Any]) -> Any:
        """Send, and wait for the acknowledgement; None where none came."""
        client, ended = self._client, threading.Event()
        if client is None:
            return None
        answers: list[Any] = []

        def answered(*answer: Any) -> None:
            answers.extend(answer[:1])
            ended.set()

        self._waiting.add(ended)
        with contextlib.suppress(exceptions.SocketIOError):
            client.emit(event, dict(message), callback=answered)
            ended.wait(ANSWER_WITHIN_S)
        self._waiting.discard(ended)
        return answers[0] if answers else None

    def _broken(self, gone: threading.Event) -> None:
        """Nobody need wait for answers any longer."""
        gone.set()
        for ended in tuple(self._waiting):
            ended.set()

    def _keep_open(self) -> None:
        while not self._ending.is_set():
            if self._away:
                self._back.wait()
                continue
            # Refused, or nobody there: the handler of connect_error has heard why.
            with contextlib.suppress(exceptions.ConnectionError, httpx.HTTPError, NotPairedError):
                self._one_connection()
            self._ending.wait(RETRY_S)

    def _one_connection(self) -> None:
        gone = threading.Event()
        # websocket-client would name StoFlow's own address as the origin, which is nobody's page.
        no_origin = {"suppress_origin": True}
        client = socketio.Client(
            reconnection=False, handle_sigint=False, websocket_extra_options=no_origin
        )
        for event, handler in self._handlers.items():
            client.on(event, handler)
        client.on("disconnect", lambda *_reason: self._broken(gone))
        auth = dict(self._greeting())
        self._client = client
        try:
            client.connect(
                self._url,
                auth=auth,
                transports=[self._transport],
                wait_timeout=int(ANSWER_WITHIN_S),
            )
            while not (gone.wait(1) or self._ending.is_set()):
                pass
        finally:
            self._client = None
            client.eio.disconnect(abort=True)
