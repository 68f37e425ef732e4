"""Running a sandbox: on a free port inside a test, or in the foreground for a person."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

TRANSPORT_KEY = "sandbox.transport"


class CuttableProtocol(HttpToolsProtocol):
    """HTTP that lends its transport to the application, which may then cut the line."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wrap the application so that each request's scope carries this transport."""
        super().connection_made(transport)
        application = self.app

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            scope[TRANSPORT_KEY] = transport
            await application(scope, receive, send)

        self.app = with_transport


async def hold(receive: Receive, seconds: float) -> None:
    """Wait `seconds`, or less when the client gives up. The body must have been read."""
    listener = asyncio.ensure_future(receive())
    await asyncio.wait({listener}, timeout=seconds)
    listener.cancel()


async def hang_up(scope: Scope, receive: Receive) -> None:
    """Cut the connection without a single byte of an answer.

    Raises ConnectionResetError where there is no connection to cut (in-process transports).
    """
    transport = scope.get(TRANSPORT_KEY)
    if transport is None:
        raise ConnectionResetError("the sandbox dropped the connection")
    transport.abort()
    await receive()


def configured(app: ASGIApp, host: str = "127.0.0.1", port: int = 0) -> uvicorn.Config:
    """uvicorn's settings for a sandbox."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=CuttableProtocol,
        ws="none",
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=1,
    )


class _AnnouncingServer(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """Serve `app` in a thread on a free loopback port; yields its base URL.

    Raises RuntimeError when the server does not come up within 30 seconds.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    server = _AnnouncingServer(configured(app))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        if not server.ready.wait(timeout=30):
            raise RuntimeError("the sandbox did not start")
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()
