"""What surrounds every request, as plain ASGI, outermost first:

SocketDoor    Socket.IO goes its own way
RequestEdge   request id, security headers, metrics, one log line
CORS          Starlette's
RateLimit     429 before any work is done
BodyLimit     413 by the bytes that really arrive
Unexpected    a bug becomes a problem, inside CORS so that a dashboard can read it
"""

import re
from collections.abc import Sequence
from functools import cache
from itertools import count
from secrets import token_hex
from time import perf_counter

import structlog
from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from prometheus_client import CollectorRegistry, Histogram
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.limits import RequestLimits, Spent, client_key
from api.problems import problem_response, report
from shared.errors import MalformedRequest, PayloadTooLarge, TooManyRequests

_log = structlog.get_logger("stoflow.requests")

_API_CSP = b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_DOCS_CSP = (
    b"default-src 'none'; connect-src 'self'; script-src 'self' 'unsafe-inline'"
    b" https://cdn.jsdelivr.net; style-src 'self' 'unsafe-inline' https://cdn.jsdelivr.net;"
    b" img-src 'self' data: https://fastapi.tiangolo.com; frame-ancestors 'none'; base-uri 'none'"
)
_DOCS_PATHS = ("/docs", "/redoc")
_SECURITY_HEADERS = (
    (b"strict-transport-security", b"max-age=31536000; includeSubDomains"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)
_NO_STORE = (b"cache-control", b"no-store")
_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_PROCESS, _numbers = token_hex(10), count()
"""Request ids of our own: random once, then counted, since every call for random bytes makes the
event loop queue up behind the threads that answer."""
_TOKEN = "{token}"  # noqa: S105 - the place of one in a route
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_METHODS = _READS | {"POST", "PUT", "PATCH", "DELETE"}
"""Whatever else a client makes up does not become a label of its own."""


class RequestEdge:
    """Names the request, times it, and puts the security headers on the answer.

    Reads that went well are counted but not logged; everything else is a line. Of an address
    with a token in it, which is all that it takes to fetch what is there, it has the template.
    """

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self._app = app
        self._seconds = Histogram(
            "stoflow_http_request_seconds",
            "Time to answer, by route template.",
            ("method", "route", "status"),
            registry=registry,
        )
        # Looking a series up by its labels each time takes longer than counting in it.
        self._of = cache(self._seconds.labels)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = scope["request_id"] = _request_id(scope)
        csp = _DOCS_CSP if scope["path"].startswith(_DOCS_PATHS) else _API_CSP
        status = 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message["headers"] = list(message.get("headers", ()))
                if not any(name == b"cache-control" for name, _ in headers):
                    headers.append(_NO_STORE)
                headers += _SECURITY_HEADERS
                if not any(name == b"content-security-policy" for name, _ in headers):
                    headers.append((b"content-security-policy", csp))
                headers.append((b"x-request-id", request_id.encode()))
            await send(message)

        start = perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_headers)
            finally:
                self._account_for(scope, status, perf_counter() - start)

    def _account_for(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"]
        route = scope.get("route")
        template = route.path if isinstance(route, APIRoute) else "unknown"
        known = method if method in _METHODS else "other"
        self._of(known, template, status).observe(seconds)
        if status >= 400 or method not in _READS:
            _log.info(
                "request",
                method=method,
                path=template if _TOKEN in template else scope["path"],
                status=status,
                milliseconds=round(seconds * 1000, 1),
            )


class RateLimit:
    """Refuses a client that asks too often, and tells every client how much is left."""

    def __init__(self, app: ASGIApp, limits: RequestLimits, trusted_proxies: int) -> None:
        self._app = app
        self._limits = limits
        self._trusted_proxies = trusted_proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count, then serve or refuse."""
        if scope["type"] != "http" or scope["path"].startswith("/health/"):
            await self._app(scope, receive, send)
            return
        key = client_key(HTTPConnection(scope), self._trusted_proxies)
        spent = await _spend(self._limits, key)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *spent.headers]
            await send(message)

        if spent.allowed:
            await self._app(scope, receive, send_with_headers)
        else:
            await problem_response(spent.refusal(), scope["request_id"])(
                scope, receive, send_with_headers
            )


async def _spend(limits: RequestLimits, key: str) -> Spent:
    """Count one request of this client; in a thread where Redis has to be asked."""
    if limits.shared:
        return await run_in_threadpool(limits.spend_request, key)
    return limits.spend_request(key)


class BodyLimit:
    """Refuses bodies that are too large: at once when they say so, else when they get there."""

    def __init__(
        self, app: ASGIApp, ordinary: int, upload: int, uploads: Sequence[re.Pattern[str]]
    ) -> None:
        """Limits in bytes; `uploads` are the paths of routes that take files."""
        self._app = app
        self._ordinary = ordinary
        self._upload = upload
        self._uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, or answer 413."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        length = headers.get("content-length")
        if length is None and "transfer-encoding" not in headers:
            await self._app(scope, receive, send)
            return
        limit = self._limit_for(scope["path"])
        if length is not None and not (length.isascii() and length.isdigit()):
            refusal = problem_response(MalformedRequest(), scope["request_id"])
            await refusal(scope, receive, send)
        elif length is not None and int(length) > limit:
            await _too_large(limit, scope)(scope, receive, send)
        else:
            await self._serve_up_to(limit, scope, receive, send)

    def _limit_for(self, path: str) -> int:
        takes_files = any(pattern.match(path) for pattern in self._uploads)
        return self._upload if takes_files else self._ordinary

    async def _serve_up_to(self, limit: int, scope: Scope, receive: Receive, send: Send) -> None:
        received = 0
        started = False

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                # The application's own answer to a broken-off body is dropped below.
                return {"type": "http.disconnect"}
            return message

        async def send_unless_refused(message: Message) -> None:
            nonlocal started
            if received <= limit or started:
                started = started or message["type"] == "http.response.start"
                await send(message)

        try:
            await self._app(scope, receive_counted, send_unless_refused)
        finally:
            if received > limit and not started:
                await _too_large(limit, scope)(scope, receive, send)


class Unexpected:
    """Turns a bug into a problem that says nothing about its cause, and logs the cause."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        started = False

        async def noting_the_start(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, noting_the_start)
        except Exception as error:
            report(error)
            if scope["type"] != "http" or started:
                raise
            await problem_response(error, scope["request_id"])(scope, receive, send)


def upload_paths(app: FastAPI) -> list[re.Pattern[str]]:
    """Paths of the routes that take files, found in the routes themselves."""
    return [
        route.path_regex
        for route in app.router.routes
        if isinstance(route, APIRoute)
        and route.body_field is not None
        and "multipart/form-data" in _media_type(route)
    ]


class SocketDoor:
    """Leads Socket.IO past everything that is made for requests; counts only who opens a line."""

    def __init__(
        self, app: ASGIApp, sockets: ASGIApp, limits: RequestLimits, trusted_proxies: int
    ) -> None:
        self._app = app
        self._sockets = sockets
        self._limits = limits
        self._trusted_proxies = trusted_proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Choose the way by the path."""
        if scope["type"] == "lifespan" or not scope["path"].startswith("/socket.io/"):
            await self._app(scope, receive, send)
        elif b"sid=" in scope["query_string"] or await self._may_open(scope):
            await self._sockets(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1013, "reason": "too many requests"})
        else:
            refusal = problem_response(TooManyRequests(), _request_id(scope))
            await refusal(scope, receive, send)

    async def _may_open(self, scope: Scope) -> bool:
        key = client_key(HTTPConnection(scope), self._trusted_proxies)
        return (await _spend(self._limits, key)).allowed


def surround(
    app: FastAPI,
    *,
    registry: CollectorRegistry,
    limits: RequestLimits,
    trusted_proxies: int,
    cors_origins: Sequence[str],
    body_bytes: int,
    upload_bytes: int,
) -> None:
    """Put the whole stack around the application. Call it after all routes are there."""
    app.add_middleware(Unexpected)
    app.add_middleware(
        BodyLimit, ordinary=body_bytes, upload=upload_bytes, uploads=upload_paths(app)
    )
    app.add_middleware(RateLimit, limits=limits, trusted_proxies=trusted_proxies)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(cors_origins),
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=[
            "Authorization",
            "Content-Type",
            "If-Match",
            "If-None-Match",
            "Idempotency-Key",
        ],
        expose_headers=[
            "ETag",
            "Location",
            "X-Request-ID",
            "Retry-After",
            "Idempotency-Replayed",
        ],
    )
    app.add_middleware(RequestEdge, registry=registry)


def _media_type(route: APIRoute) -> str:
    return str(getattr(getattr(route.body_field, "field_info", None), "media_type", ""))


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given = value.decode("latin-1")
            if _GIVEN_ID.fullmatch(given):
                return str(given)
            break
    return f"{_PROCESS}{next(_numbers):012x}"


def _too_large(limit: int, scope: Scope) -> ASGIApp:
    return problem_response(
        PayloadTooLarge(f"This address takes at most {limit} bytes."), scope["request_id"]
    )
