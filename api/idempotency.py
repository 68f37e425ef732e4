"""`Idempotency-Key`: a POST that is sent again gets the answer that the first one got.

Every POST of a signed-in account that works in a shop takes the header, without saying so; one
that must not says `keyless` and why. The semantics are those of the IETF's draft.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from enum import Enum
from typing import Any, TypeAlias, TypeVar
from weakref import WeakValueDictionary

from anyio import CapacityLimiter, to_thread
from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from api.dependencies.actors import actor_of
from api.dependencies.container import container_of
from api.dependencies.sessions import (
    CLAIMED_SESSION,
    tenant_session,
    tenant_transactions,
)
from api.problems import problems
from services.selling.idempotency import (
    PATIENCE,
    Answered,
    Claim,
    Idempotency,
    IdempotencyKeyInUse,
    IdempotencyKeyInvalid,
    IdempotencyKeyReused,
    InTransaction,
    KeyedRequest,
)
from shared.database import TenantSchema, TenantSession

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"

Handle: TypeAlias = Callable[[Request], Coroutine[Any, Any, Response]]
EndpointT = TypeVar("EndpointT", bound=Callable[..., Any])

_KEPT_HEADERS = ("content-type", "etag", "location")
_KEYLESS = "keyless_because"

_PARAMETER: dict[str, Any] = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "Made up by the client, 1 to 255 printable characters, new for each intent. The"
    " same request with the same key within 48 hours is not carried out again: it gets the first"
    f" one's answer, with the header `{REPLAYED}: true`.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}


_Turn: TypeAlias = tuple[asyncio.AbstractEventLoop, TenantSchema, str]
_turns: WeakValueDictionary[_Turn, asyncio.Lock] = WeakValueDictionary()


class _AlreadyAnswered(Exception):
    """The request came before; nothing of it may be carried out."""

    def __init__(self, answered: Answered) -> None:
        super().__init__()
        self.answered = answered


class Keeping(Enum):
    """How far a key's promise goes."""

    WITH_THE_WORK = "with the work"
    """The work is one transaction, and key and answer are part of it."""
    BESIDE_THE_WORK = "beside the work"
    """The work is several transactions. The answer is kept when it is done; if this process dies
    before that, the same request is carried out again once its lease is over: only for work that
    finds what it left the last time."""


def keyless(reason: str) -> Callable[[EndpointT], EndpointT]:
    """Mark a POST whose answer must not be kept."""

    def mark(endpoint: EndpointT) -> EndpointT:
        setattr(endpoint, _KEYLESS, reason)
        return endpoint

    return mark


def keeping_of(route: APIRoute) -> Keeping | None:
    """How a route keeps its answers; None when it takes no key."""
    if "POST" not in (route.methods or ()) or hasattr(route.endpoint, _KEYLESS):
        return None
    needs = set(_everything_below(route.dependant))
    if tenant_session in needs:
        return Keeping.WITH_THE_WORK
    return Keeping.BESIDE_THE_WORK if tenant_transactions in needs else None


def documented(options: dict[str, Any]) -> dict[str, Any]:
    """A route's options with the header and what it may be refused for."""
    extra = dict(options.get("openapi_extra") or {})
    extra["parameters"] = [*extra.get("parameters", ()), _PARAMETER]
    responses = dict(options.get("responses") or {})
    for status, ours in problems(
        IdempotencyKeyInvalid, IdempotencyKeyInUse, IdempotencyKeyReused
    ).items():
        responses[status] = _both(responses[status], ours) if status in responses else ours
    return {**options, "openapi_extra": extra, "responses": responses}


def taking_keys(handle: Handle, keeping: Keeping) -> Handle:
    """The handler of a route, which now looks at the header first."""
    serve = _in_one_transaction if keeping is Keeping.WITH_THE_WORK else _under_a_lease

    async def keyed(request: Request) -> Response:
        key = request.headers.get(HEADER)
        if key is None:
            return await handle(request)
        body = await request.body()
        fingerprint = await run_in_threadpool(_fingerprint, request, body)
        async with _its_turn(actor_of(request).shop, key):
            return await serve(request, KeyedRequest(key, fingerprint), handle)

    return keyed


@asynccontextmanager
async def _its_turn(shop: TenantSchema, key: str) -> AsyncIterator[None]:
    """Requests with one key that meet in this process wait here, where that costs nothing.

    Else they would wait in the database, each with a thread and a connection.
    """
    turn = _turns.setdefault((asyncio.get_running_loop(), shop, key), asyncio.Lock())
    try:
        await asyncio.wait_for(turn.acquire(), PATIENCE.total_seconds())
    except TimeoutError:
        raise IdempotencyKeyInUse(retry_after=1) from None
    try:
        yield
    finally:
        turn.release()


async def _in_one_transaction(request: Request, keyed: KeyedRequest, handle: Handle) -> Response:
    """The route's transaction takes the key when it begins; its end commits or undoes both."""
    container, actor = container_of(request), actor_of(request)
    book = Idempotency(container.clock)
    session = container.database.tenant_session(actor.shop, actor.sign_in, lock_timeout=PATIENCE)
    claims: list[Claim] = []

    def take_the_key(connection: InTransaction) -> None:
        claim = book.claim(connection, keyed)
        if isinstance(claim, Answered):
            raise _AlreadyAnswered(claim)
        claims.append(claim)

    session.when_bound = take_the_key
    request.scope[CLAIMED_SESSION] = session
    try:
        response = await handle(request)
        for claim in claims:
            await _keep(book, session, claim, response)
    except _AlreadyAnswered as known:
        await run_in_threadpool(session.close)
        return _replayed(known.answered)
    finally:
        session.when_bound = None
    return response


async def _keep(
    book: Idempotency, session: TenantSession, claim: Claim, response: Response
) -> None:
    """Not behind others in the queue for a thread: they may be waiting for this connection."""
    await to_thread.run_sync(
        book.answer, session, claim, _answered(response), limiter=CapacityLimiter(1)
    )


async def _under_a_lease(request: Request, keyed: KeyedRequest, handle: Handle) -> Response:
    container, actor = container_of(request), actor_of(request)
    book, database = Idempotency(container.clock), container.database

    def lease() -> Claim | Answered:
        with database.tenant(actor.shop, actor.sign_in) as session:
            return book.lease(session, keyed)

    def keep(claim: Claim, answered: Answered) -> None:
        with database.tenant(actor.shop) as session:
            book.answer(session, claim, answered)

    def release(claim: Claim) -> None:
        with database.tenant(actor.shop) as session:
            book.release(session, claim)

    claim = await run_in_threadpool(lease)
    if isinstance(claim, Answered):
        return _replayed(claim)
    try:
        response = await handle(request)
    except BaseException:
        # Where this fails too, the lease runs out.
        with suppress(Exception):
            await run_in_threadpool(release, claim)
        raise
    await run_in_threadpool(keep, claim, _answered(response))
    return response


def _both(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> dict[str, Any]:
    [(kind, content)] = ours["content"].items()
    examples = {**theirs["content"][kind]["examples"], **content["examples"]}
    return {
        **theirs,
        "description": f"{theirs['description']}. {ours['description']}",
        "content": {**theirs["content"], kind: {**theirs["content"][kind], "examples": examples}},
    }


def _fingerprint(request: Request, body: bytes) -> str:
    """Of method, address and body. What separates a form's parts is made up anew each time."""
    _, _, boundary = request.headers.get("content-type", "").partition("boundary=")
    if boundary:
        body = body.replace(boundary.strip('" ').encode("latin-1"), b"")
    address = f"{request.method} {request.url.path}?{request.url.query}\n"
    return hashlib.sha256(address.encode() + body).hexdigest()


def _answered(response: Response) -> Answered:
    kept = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    return Answered(response.status_code, kept, bytes(response.body).decode())


def _replayed(answered: Answered) -> Response:
    headers = {**answered.headers, REPLAYED: "true"}
    return Response(answered.body, status_code=answered.status, headers=headers)


def _everything_below(dependant: Dependant) -> Iterator[object]:
    yield dependant.call
    for each in dependant.dependencies:
        yield from _everything_below(each)
