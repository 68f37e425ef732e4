"""Addresses under /_sandbox/ that tests and demos use; marketplaces have nothing of the kind."""

import json
from collections.abc import Awaitable, Callable
from typing import Any, Generic

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.clock import wire_time
from sandbox.faults import OF_SITES, Fault, FaultKind
from sandbox.keeping import KeptSandbox, State

Body = dict[str, Any]


class WrongOrderError(Exception):
    """The control request makes no sense; the text says why."""


class CommonControl(Generic[State]):
    """What can be asked of any running sandbox."""

    fault_kinds = frozenset(FaultKind) - OF_SITES

    def __init__(self, sandbox: KeptSandbox[State]) -> None:
        self.kept = sandbox

    def common_routes(self) -> list[Route]:
        """Faults, calls and time."""
        return [
            self.route("faults", "POST", self.add_fault),
            self.route("faults", "DELETE", self.clear_faults),
            self.route("faults", "GET", self.faults),
            self.route("calls", "GET", self.calls),
            self.route("clock", "GET", self.clock),
            self.route("clock/advance", "POST", self.advance),
        ]

    def add_fault(self, body: Body) -> Any:
        """Put a fault in force."""
        try:
            fault = Fault.of(body)
        except (ValueError, TypeError) as wrong:
            raise WrongOrderError(str(wrong)) from wrong
        if fault.kind not in self.fault_kinds:
            raise WrongOrderError(f"{fault.kind} is nothing this marketplace does")
        self.kept.faults.add(fault)
        return fault.as_json()

    def clear_faults(self, body: Body) -> Any:
        """Behave again."""
        self.kept.faults.clear()
        return {"faults": []}

    def faults(self, body: Body) -> Any:
        """The faults in force, with their hits."""
        return {"faults": self.kept.faults.as_json()}

    def calls(self, body: Body) -> Any:
        """How often each operation was called, spoiled calls included."""
        return {"calls": dict(sorted(self.kept.state.calls.items()))}

    def clock(self, body: Body) -> Any:
        """The sandbox's time."""
        return {"now": wire_time(self.kept.clock.now())}

    def advance(self, body: Body) -> Any:
        """Move time forward by `seconds`."""
        seconds = body.get("seconds")
        if not isinstance(seconds, int | float) or isinstance(seconds, bool) or seconds < 0:
            raise WrongOrderError("seconds must be a number, not negative")
        return {"now": wire_time(self.kept.advance(seconds))}

    def picture_answer(self, image_id: str, kind: str | None) -> Response:
        """The bytes of a picture whose format is `kind`; 404 where there is no such picture."""
        content = self.kept.picture(image_id) if kind is not None else None
        if kind is None or content is None:
            return JSONResponse({"error": "no such image"}, status_code=404)
        return Response(content, media_type=f"image/{kind.lower()}")

    def route(self, path: str, method: str, work: Callable[[Body], Any]) -> Route:
        """`work` gets the JSON body with the path's parameters; it answers what becomes JSON."""
        return Route(f"/_sandbox/{path}", self._endpoint(work), methods=[method])

    def _endpoint(self, work: Callable[[Body], Any]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                content = await request.body()
                body = json.loads(content) if content else {}
                if not isinstance(body, dict):
                    raise WrongOrderError("the body must be a JSON object")
                result = work({**body, **request.path_params})
            except (WrongOrderError, ValueError) as wrong:
                return JSONResponse({"error": str(wrong)}, status_code=400)
            if request.method != "GET":
                self.kept.changed()
            return JSONResponse(result)

        return answer


def whole(body: Body, name: str, least: int = 0) -> int:
    """A whole number of the order, at least `least`. Raises WrongOrderError."""
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise WrongOrderError(f"{name} must be a whole number, at least {least}")
    return value
