"""What consent and token endpoints of all marketplaces have in common."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from sandbox.gate import delay, lost_after, lost_before, retry_after, spoiled_status
from sandbox.keeping import KeptSandbox, State

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
Form = dict[str, str]


class OAuthError(Exception):
    """A refusal of the token endpoint: `{"error", "error_description"}`."""

    def __init__(self, code: str, description: str, status: int = 400) -> None:
        super().__init__(code, description)
        self.code, self.description, self.status = code, description, status

    def as_json(self) -> dict[str, str]:
        """The answer's body."""
        return {"error": self.code, "error_description": self.description}


class TokenEndpoint:
    """Answers POSTs of forms; its operation name for faults is `token`.

    `grant` gets headers and form; it answers the body or raises OAuthError.
    """

    def __init__(
        self, sandbox: KeptSandbox[State], grant: Callable[[Headers, Form], dict[str, Any]]
    ) -> None:
        self.sandbox = sandbox
        self.grant = grant

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or withhold the answer where a fault says so."""
        request = Request(scope, receive)
        await request.body()
        self.sandbox.state.count_call("token")
        fault = self.sandbox.faults.draw("token")
        if await lost_before(fault, scope, receive):
            return
        await delay(self.sandbox.latency_s, fault, receive)
        status = spoiled_status(fault)
        if status is None:
            answer = await self._granted(request)
        else:
            answer = _refused(OAuthError("server_error", "try again later", status))
            answer.headers.update(retry_after(fault))
        self.sandbox.changed()
        if await lost_after(fault, scope, receive):
            return
        await answer(scope, receive, send)

    async def _granted(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        try:
            return JSONResponse(self.grant(request.headers, form), headers=NO_STORE)
        except OAuthError as refusal:
            return _refused(refusal)


def needed(form: Form, name: str) -> str:
    """A field that must not be empty. Raises OAuthError invalid_request."""
    if not form.get(name):
        raise OAuthError("invalid_request", f"'{name}' is missing")
    return form[name]


def sent_back(url: str, answer: dict[str, str], query: Form) -> Response:
    """A redirect to the application, with `answer` and the `state` it sent."""
    if query.get("state"):
        answer = {**answer, "state": query["state"]}
    joint = "&" if "?" in url else "?"
    target = url + joint + urlencode(answer, quote_via=quote)
    return RedirectResponse(target, status_code=302, headers=NO_STORE)


def _refused(refusal: OAuthError) -> Response:
    return JSONResponse(refusal.as_json(), status_code=refusal.status, headers=NO_STORE)
