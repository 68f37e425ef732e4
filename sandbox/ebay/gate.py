"""The way every call goes: counted, perhaps spoiled, authorised, metered, read, answered."""

import inspect
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from sandbox.answers import Answer, as_response
from sandbox.ebay import tokens
from sandbox.ebay.apis import INVENTORY, Api
from sandbox.ebay.errors import EbayError, error, invalid, wire_errors
from sandbox.ebay.operations import Call, Operation, insufficient_permissions
from sandbox.ebay.quotas import spend_quota
from sandbox.ebay.sandbox import EbaySandbox
from sandbox.ebay.shapes import unreadable
from sandbox.ebay.values import CONTENT_LANGUAGES, acceptable_language, first_language
from sandbox.faults import Fault
from sandbox.gate import delay, lost_after, lost_before, retry_after, spoiled_status


class OperationEndpoint:
    """An ASGI application answering one operation."""

    def __init__(self, sandbox: EbaySandbox, operation: Operation) -> None:
        self.sandbox = sandbox
        self.operation = operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or withhold the answer where a fault says so."""
        request = Request(scope, receive)
        content = await request.body()
        self.sandbox.state.count_call(self.operation.operation_id)
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
            await delay(self.sandbox.latency_s, fault, receive)
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
        tokens.killed(self.sandbox, token, fault)
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


def spoil(fault: Fault | None, api: Api) -> None:
    """Raise the EbayError a fault stands for, before any work."""
    status, headers = spoiled_status(fault), retry_after(fault)
    if status is None:
        return
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
