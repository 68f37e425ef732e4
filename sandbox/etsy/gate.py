"""The way every call goes: counted, perhaps spoiled, admitted, metered, read, answered."""

import inspect
import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from sandbox.answers import Answer, as_response
from sandbox.etsy import limits, tokens
from sandbox.etsy.errors import EtsyError, bad_request, conflict, insufficient_scope
from sandbox.etsy.fields import path_numbers, read
from sandbox.etsy.listing_states import end_listings
from sandbox.etsy.operations import Call, Operation
from sandbox.etsy.sandbox import EtsySandbox
from sandbox.etsy.state import App, Token
from sandbox.etsy.state import Request as LoggedRequest
from sandbox.faults import Fault
from sandbox.gate import delay, lost_after, lost_before, retry_after, spoiled_status

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
LOG_LENGTH = 10_000


class OperationEndpoint:
    """An ASGI application answering one operation."""

    def __init__(self, sandbox: EtsySandbox, operation: Operation) -> None:
        self.sandbox = sandbox
        self.operation = operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or withhold the answer where a fault says so."""
        request = Request(scope, receive)
        content = await request.body()
        logged = self._logged(request)
        fault = self.sandbox.faults.draw(self.operation.operation_id)
        if await lost_before(fault, scope, receive):
            return
        answer = await self._answer(request, content, fault, receive)
        self.sandbox.changed()
        if await lost_after(fault, scope, receive):
            return
        logged.status = answer.status
        await as_response(answer)(scope, receive, send)

    def _logged(self, request: Request) -> LoggedRequest:
        state, operation = self.sandbox.state, self.operation
        state.count_call(operation.operation_id)
        now = self.sandbox.clock.now()
        row = LoggedRequest(now, operation.operation_id, operation.method, request.url.path)
        state.requests.append(row)
        del state.requests[:-LOG_LENGTH]
        return row

    async def _answer(
        self, request: Request, content: bytes, fault: Fault | None, receive: Receive
    ) -> Answer:
        left: dict[str, str] = {}
        try:
            app = self._application(request.headers)
            _spoil(fault)
            left = limits.spend_call(self.sandbox, app.keystring)
            answer = await self._worked(request, content, app, fault, receive)
        except EtsyError as refusal:
            answer = refusal.answer()
        return replace(answer, headers={**left, **answer.headers})

    async def _worked(
        self, request: Request, content: bytes, app: App, fault: Fault | None, receive: Receive
    ) -> Answer:
        lock = self._lock(request)
        if lock in self.sandbox.busy:
            raise conflict("The listing is being changed by another request.")
        if lock is not None:
            self.sandbox.busy.add(lock)
        try:
            await delay(self.sandbox.latency_s, fault, receive)
            end_listings(self.sandbox.state, self.sandbox.clock.now())
            work = self.operation.handler(self._admitted(request, content, app, fault))
            return await work if inspect.isawaitable(work) else work
        finally:
            self.sandbox.busy.discard(lock or "")

    def _admitted(self, request: Request, content: bytes, app: App, fault: Fault | None) -> Call:
        operation = self.operation
        token = self._token(request.headers, app, fault)
        path = path_numbers(request.path_params, operation.path_words)
        query = _grouped(request.query_params.multi_items())
        return Call(
            sandbox=self.sandbox,
            app=app,
            token=token,
            path=path,
            query=read(operation.query, query),
            form=self._form(request.headers, content),
            body=self._json(request.headers, content) if operation.json_body else content,
            headers=dict(request.headers.items()),
        )

    def _application(self, headers: Headers) -> App:
        keystring, _, secret = headers.get("x-api-key", "").partition(":")
        if not keystring:
            raise EtsyError(401, "Missing x-api-key header.")
        if not secret:
            raise EtsyError(401, "The x-api-key header must be keystring:shared_secret.")
        app = self.sandbox.state.apps.get(keystring)
        if app is None or app.shared_secret != secret:
            raise EtsyError(401, "The API key is not known or not active.")
        return app

    def _token(self, headers: Headers, app: App, fault: Fault | None) -> Token | None:
        scope, authorization = self.operation.scope, headers.get("authorization")
        if authorization is None:
            if scope is not None:
                raise tokens.missing_token()
            return None
        token = tokens.bearer(self.sandbox, app, authorization)
        tokens.killed(self.sandbox, token, fault)
        if scope is not None and scope not in token.scopes:
            raise insufficient_scope(scope)
        return token

    def _form(self, headers: Headers, content: bytes) -> dict[str, Any]:
        if self.operation.form is None:
            return {}
        _demand_type(headers, FORM)
        try:
            pairs = parse_qsl(content.decode(), keep_blank_values=True)
        except UnicodeDecodeError as broken:
            raise bad_request("The form is not UTF-8.") from broken
        return read(self.operation.form, _grouped(pairs))

    def _json(self, headers: Headers, content: bytes) -> Any:
        _demand_type(headers, JSON)
        try:
            body = json.loads(content)
        except ValueError as broken:
            raise bad_request("The body is not JSON.") from broken
        if not isinstance(body, dict):
            raise bad_request("The body is not a JSON object.")
        return body

    def _lock(self, request: Request) -> str | None:
        name = self.operation.lock
        return None if name is None else f"{name}:{request.path_params[name]}"


def _spoil(fault: Fault | None) -> None:
    status = spoiled_status(fault)
    if status == 429:
        raise EtsyError(429, "Too many requests.", headers=retry_after(fault))
    if status is not None:
        text = "The server encountered an internal error."
        raise EtsyError(status, text, headers=retry_after(fault))


def _demand_type(headers: Headers, kind: str) -> None:
    sent = headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent != kind:
        raise bad_request(f"Content-Type must be {kind}.")


def _grouped(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    """Values by name, in the order they were sent."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found
