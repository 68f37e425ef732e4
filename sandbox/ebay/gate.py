"""The way every call goes: counted, perhaps spoiled, authorised, metered, read, answered."""

import inspect
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from sandbox.ebay import tokens
from sandbox.ebay.apis import INVENTORY, Api
from sandbox.ebay.errors import EbayError, error, invalid, wire_errors
from sandbox.ebay.operations import Answer, Call, Operation, insufficient_permissions
from sandbox.ebay.quotas import spend_quota
from sandbox.ebay.sandbox import EbaySandbox
from sandbox.ebay.shapes import unreadable
from sandbox.ebay.values import CONTENT_LANGUAGES, acceptable_language, first_language
from sandbox.faults import Fault, FaultKind
from sandbox.server import hang_up, hold

SPOILING = {
    FaultKind.HTTP_429: 429,
    FaultKind.HTTP_500: 500,
    FaultKind.HTTP_503: 503,
}


class OperationEndpoint:
    """An ASGI application answering one operation."""

    def __init__(self, sandbox: EbaySandbox, operation: Operation) -> None:
        self.sandbox = sandbox
        self.operation = operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or withhold the answer where a fault says so."""
        request = Request(scope, receive)
        content = await request.body()
        count_call(self.sandbox, self.operation.operation_id)
        fault = self.sandbox.faults.draw(self.operation.operation_id)
        if await lost_before(fault, scope, receive):
            return
        try:
            answer = await self._worked(request, content, fault, receive)
        except EbayError as refusal:
            answer = self._refused(refusal, request.headers)
        self.sandbox.changed()
        if await lost_after(fault, scope, receive):
            return
        await as_response(answer)(scope, receive, send)

    async def _worked(
        self, request: Request, content: bytes, fault: Fault | None, receive: Receive
    ) -> Answer:
        lock = self._locked(request)
        if lock in self.sandbox.busy:
            raise EbayError(500, error(25025, "Concurrent access of the same resource."))
        if lock is not None:
            self.sandbox.busy.add(lock)
        try:
            await delay(self.sandbox, fault, receive)
            call = self._admitted(request, content, fault)
            work = self.operation.handler(call)
            answer = await work if inspect.isawaitable(work) else work
            return self._in_language(answer, request.headers)
        finally:
            self.sandbox.busy.discard(lock or "")

    def _admitted(self, request: Request, content: bytes, fault: Fault | None) -> Call:
        operation, headers = self.operation, request.headers
        spoil(fault, operation.api)
        token = tokens.bearer(self.sandbox, headers.get("authorization"))
        if fault is not None and fault.kind is FaultKind.EXPIRED_TOKEN:
            token.expires_at = self.sandbox.clock.now()
            raise EbayError(401, tokens.invalid_token())
        if not operation.scopes & set(token.scopes):
            raise EbayError(403, insufficient_permissions())
        spend_quota(self.sandbox, token.client_id, operation.api)
        self._check_headers(headers)
        return Call(
            sandbox=self.sandbox,
            token=token,
            path=dict(request.path_params),
            query=dict(request.query_params),
            headers=dict(headers.items()),
            body=parsed(content) if operation.json_body else content,
            base_url=str(request.base_url).rstrip("/"),
        )

    def _check_headers(self, headers: Mapping[str, str]) -> None:
        if self.operation.api is INVENTORY and not acceptable_language(
            headers.get("accept-language")
        ):
            raise EbayError(400, invalid("header Accept-Language"))
        if self.operation.json_body:
            kind = headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind != "application/json":
                raise EbayError(400, invalid("header Content-Type"))
        if (
            self.operation.content_language
            and headers.get("content-language") not in CONTENT_LANGUAGES
        ):
            raise EbayError(400, invalid("header Content-Language"))

    def _in_language(self, answer: Answer, headers: Mapping[str, str]) -> Answer:
        """Name the answer's language, as eBay does where the request named its own."""
        if not self.operation.content_language:
            return answer
        language = first_language(headers.get("accept-language", ""))
        return replace(answer, headers={**answer.headers, "Content-Language": language})

    def _locked(self, request: Request) -> str | None:
        name = self.operation.lock
        if name is None:
            return None
        bearer = request.headers.get("authorization", "").partition(" ")[2]
        token = self.sandbox.state.access_tokens.get(bearer)
        seller = token.seller if token else None
        return f"{seller}:{self.operation.path}:{request.path_params[name]}"

    def _refused(self, refusal: EbayError, headers: Mapping[str, str]) -> Answer:
        language = headers.get("accept-language", "en")
        body = wire_errors(refusal.errors, self.operation.api.domain, language)
        return Answer(refusal.status, body, refusal.headers)


def count_call(sandbox: EbaySandbox, operation_id: str) -> None:
    """One more call of this operation, whatever becomes of it."""
    calls = sandbox.state.calls
    calls[operation_id] = calls.get(operation_id, 0) + 1


async def lost_before(fault: Fault | None, scope: Scope, receive: Receive) -> bool:
    """Commit the faults that keep the work from being done; whether one did."""
    if fault is None or fault.kind not in (FaultKind.DROP_CONNECTION, FaultKind.TIMEOUT_BEFORE):
        return False
    await hold(receive, fault.delay_s)
    await hang_up(scope, receive)
    return True


async def lost_after(fault: Fault | None, scope: Scope, receive: Receive) -> bool:
    """Withhold the answer to work that was done; whether that happened."""
    if fault is None or fault.kind is not FaultKind.TIMEOUT_AFTER_SUCCESS:
        return False
    await hold(receive, fault.delay_s)
    await hang_up(scope, receive)
    return True


async def delay(sandbox: EbaySandbox, fault: Fault | None, receive: Receive) -> None:
    """The usual latency, and what a fault adds to it."""
    seconds = sandbox.options.latency_s
    if fault is not None and fault.kind is FaultKind.SLOW:
        seconds += fault.delay_s
    if seconds > 0:
        await hold(receive, seconds)


def spoil(fault: Fault | None, api: Api) -> None:
    """Raise the EbayError a fault stands for, before any work."""
    status = SPOILING.get(fault.kind) if fault is not None else None
    if fault is None or status is None:
        return
    headers = {} if fault.retry_after_s is None else {"Retry-After": str(fault.retry_after_s)}
    if status == 429:
        raise EbayError(429, over_quota(), headers=headers)
    text = "A system error has occurred."
    raise EbayError(status, error(api.system_error, text, category="APPLICATION"), headers=headers)


def over_quota() -> dict[str, Any]:
    """2001: too many calls."""
    return error(2001, "Too many requests.", domain="ACCESS")


def parsed(content: bytes) -> Any:
    """The body as JSON object. Raises EbayError 400 (2004)."""
    try:
        body = json.loads(content)
    except ValueError as broken:
        raise unreadable("The body is not JSON") from broken
    if not isinstance(body, dict):
        raise unreadable("The body is not an object")
    return body


def as_response(answer: Answer) -> Response:
    """The HTTP form; without a body there is no content type either."""
    if answer.body is None:
        return Response(status_code=answer.status, headers=answer.headers)
    return JSONResponse(answer.body, status_code=answer.status, headers=answer.headers)
