"""The API on a real port, spoken to over real HTTP."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from backend.cli.serve import server_config
from shared.database import TenantSchema
from tests.passwords import PASSWORD

_numbers = count(1)


class Stage:
    """One server for a whole run; each test shows its own application on it."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None
        self.url = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on to the application of the present test."""
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        assert self.app is not None, "no test is showing an application"
        await self.app(scope, receive, send)


def client(url: str, token: str | None = None) -> httpx.Client:
    """Speaks to the API, signed in when there is a token."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    # No TLS here: not loading the certificates makes clients cheap.
    return httpx.Client(base_url=url, headers=headers, timeout=30, verify=False)  # noqa: S501


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """Serve in a thread on a free port; yields the address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        server = uvicorn.Server(server_config(app, "127.0.0.1", port))
        started = threading.Event()
        startup = server.startup

        async def announced(**options: Any) -> None:
            await startup(**options)
            started.set()

        server.startup = announced  # type: ignore[method-assign]
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            assert started.wait(30), "the API did not start"
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join()


@dataclass
class Seller:
    """An account with its shop; `http` sends its access token."""

    http: httpx.Client
    email: str
    account: dict[str, Any]
    tokens: dict[str, Any]

    @property
    def tenant(self) -> TenantSchema:
        """The shop."""
        return TenantSchema(int(self.account["shop"]["id"]))


def sign_up(api: httpx.Client, email: str | None = None) -> Seller:
    """Register and sign in over HTTP."""
    email = email or f"member{next(_numbers)}@example.com"
    answer = api.post(
        "/api/v1/auth/register",
        json={"email": email, "password": PASSWORD, "full_name": "A Member"},
    )
    assert answer.status_code == 201, answer.text
    tokens = sign_in(api, email).json()
    http = client(str(api.base_url), tokens["access_token"])
    return Seller(http, email, answer.json(), tokens)


def sign_in(api: httpx.Client, email: str, password: str = PASSWORD) -> httpx.Response:
    """Ask for tokens."""
    return api.post("/api/v1/auth/token", data={"username": email, "password": password})


def assert_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The answer is an RFC 9457 problem; returns it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "detail", "code", "fields", "instance"} <= set(problem)
    assert problem["status"] == status
    assert problem["code"] == code
    assert problem["type"] == f"urn:stoflow:problem:{code}"
    assert problem["instance"] == answer.headers["x-request-id"]
    return problem
