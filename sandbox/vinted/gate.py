"""The way every call of the API goes: counted, perhaps spoiled, guarded, admitted, answered."""

import inspect
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from sandbox.faults import Fault, FaultKind
from sandbox.gate import delay, lost_after, lost_before, retry_after, spoiled_status
from sandbox.pages import html_page
from sandbox.vinted import guard, sessions
from sandbox.vinted.errors import VintedError, access_denied, invalid_token, validation_error
from sandbox.vinted.operations import JSON, Call, Operation
from sandbox.vinted.sandbox import VintedSandbox
from sandbox.vinted.state import Account
from sandbox.vinted.state import Request as LoggedRequest

LOG_LENGTH = 10_000
ASKS_WHO_IT_IS = "getCurrentUser"


class OperationEndpoint:
    """An ASGI application answering one operation."""

    def __init__(self, sandbox: VintedSandbox, operation: Operation) -> None:
        self.sandbox = sandbox
        self.operation = operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or withhold the answer where a fault says so."""
        request = Request(scope, receive)
        content = await request.body()
        member = sessions.member_behind(self.sandbox, request.cookies)
        name = self.operation.operation_id
        logged = log(self.sandbox, request, name, member)
        fault = self.sandbox.faults.draw(name)
        if await lost_before(fault, scope, receive):
            return
        try:
            answer = await self._answer(request, content, fault, receive)
        except VintedError as refusal:
            answer = refusal.response()
        self.sandbox.changed()
        if await lost_after(fault, scope, receive):
            return
        logged.status = answer.status_code
        await answer(scope, receive, send)

    async def _answer(
        self, request: Request, content: bytes, fault: Fault | None, receive: Receive
    ) -> Response:
        guard.watch(self.sandbox, request, fault)
        await delay(self.sandbox.latency_s, fault, receive)
        spoiled = spoiled_answer(fault)
        if spoiled is not None:
            return spoiled
        account = self._account(request, fault)
        found = self.operation.handler(self._call(request, content, account))
        body = await found if inspect.isawaitable(found) else found
        return JSONResponse({**body, "code": 0})

    def _account(self, request: Request, fault: Fault | None) -> Account:
        """Who is signed in. Raises VintedError."""
        session = sessions.admitted(self.sandbox, request.cookies)
        sessions.killed(self.sandbox, session, fault)
        account = sessions.account_of(self.sandbox, session)
        if account is None:
            visitor = self.operation.operation_id == ASKS_WHO_IT_IS
            raise access_denied() if visitor else invalid_token()
        if self.operation.writes and request.headers.get("x-csrf-token") != session.csrf_token:
            raise access_denied()
        return account

    def _call(self, request: Request, content: bytes, account: Account) -> Call:
        return Call(
            sandbox=self.sandbox,
            account=account,
            path=request.path_params,
            query=request.query_params,
            body=_json(request, content),
            content=content,
            headers=request.headers,
            origin=origin_of(request),
        )


def origin_of(request: Request) -> str:
    """Scheme and host that the browser asked."""
    return f"{request.url.scheme}://{request.url.netloc}"


def log(
    sandbox: VintedSandbox, request: Request, operation: str, member: Account | None
) -> LoggedRequest:
    """Count a call and write it down."""
    sandbox.state.count_call(operation)
    login = member.login if member else None
    at, path = sandbox.clock.now(), request.url.path
    row = LoggedRequest(at, operation, request.method, path, login)
    sandbox.state.requests.append(row)
    del sandbox.state.requests[:-LOG_LENGTH]
    return row


def spoiled_answer(fault: Fault | None) -> Response | None:
    """What a fault answers before any work is done."""
    if fault is not None and fault.kind is FaultKind.HTML_PAGE:
        return HTMLResponse(html_page("Just a moment...", "<p>Checking your browser.</p>"))
    status = spoiled_status(fault)
    if status is None:
        return None
    return HTMLResponse(html_page(f"Erreur {status}", ""), status, retry_after(fault))


def _json(request: Request, content: bytes) -> JSON:
    if not content or request.headers.get("content-type", "").startswith("multipart/"):
        return {}
    try:
        body: Any = json.loads(content)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise validation_error([("base", "Le contenu doit être un objet JSON.")])
    return body
