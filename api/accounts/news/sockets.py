"""The sockets of one process: they tell clients what happens in their shop, as it happens.

Other rooms speak over them too (`SocketRoom`): the bridge to sellers' browsers does.

A client connects with `auth = {"token": <access token>, "after": <last number it knows>}` and is
sent `ready`, then every event beyond that number, in order, each with its `sequence`. Nothing is
lost by a broken line: the next connect names the last number again. The events themselves are in
the database, so any number of processes serve their own sockets and need not know each other.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Literal, Protocol, TypeVar

import socketio
import structlog
from anyio import to_thread
from prometheus_client import CollectorRegistry, Counter, Gauge
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from socketio.exceptions import ConnectionRefusedError as Refused

from api.accounts.news.connections import Connections, Rounds, Watcher
from api.accounts.news.schemas import told
from api.problems import report
from models.accounts.news import ShopEvent
from services.accounts.identity.access_tokens import AccessClaims, AccessTokens
from services.accounts.news.watching import NewsWatch
from shared.clock import Clock
from shared.database import SignIn, TenantSchema, unavailable_in
from shared.errors import BadInput, Forbidden, NotFound, StoflowError, Unauthenticated

log = structlog.get_logger(__name__)

PATH = "/socket.io"

MAX_MESSAGE_BYTES = 1_300_000
"""200,000 characters of Vinted's answer, however JSON has to write them."""

ModelT = TypeVar("ModelT", bound=BaseModel)
Acked = Callable[..., Any]

LOOK_EVERY = timedelta(milliseconds=250)
"""How soon a client hears of a change, at most. Nobody looks while nobody is connected."""

CHECK_EVERY = timedelta(seconds=2)
"""How soon an access token that has ended, a sign-in that was, or a shop that was closed loses its
sockets.
"""


class UnknownEvent(NotFound):
    """The server does not listen to this."""

    code, title = "unknown-event", "There is no such event"


class _Hello(BaseModel):
    """What a client says when it connects."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(max_length=8192)
    after: int | None = Field(default=None, ge=0, lt=2**63)
    client: Literal["extension"] | None = None
    device: str | None = Field(default=None, max_length=80)
    version: str | None = Field(default=None, max_length=20)


class _NewToken(BaseModel):
    """What it says before its access token ends."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(max_length=8192)


class SocketRoom(Protocol):
    """Another room that speaks over the same sockets."""

    async def came(self, watcher: Watcher) -> None:
        """Somebody has connected and was sent `ready`."""
        ...

    async def went(self, watcher: Watcher) -> None:
        """Somebody has gone, or is being sent away."""
        ...

    def as_told_to(
        self, watcher: Watcher, kind: str, message: dict[str, Any]
    ) -> dict[str, Any] | None:
        """A piece of news as this one is to hear it; None when it is not for it."""
        ...


Heard = Callable[[Watcher, ModelT], Awaitable[dict[str, Any]]]
"""What an event does: it is given who sent it and what, and returns the acknowledgement."""


class _Meters:
    """What an operator sees of the sockets."""

    def __init__(self, registry: CollectorRegistry, connections: Connections) -> None:
        gauge = Gauge("stoflow_sockets", "Clients connected to this process.", registry=registry)
        gauge.set_function(lambda: len(connections))
        self.sent = Counter("stoflow_socket_events", "Events sent.", ["kind"], registry=registry)
        self.refused = Counter(
            "stoflow_socket_refusals", "Connects and messages refused.", ["code"], registry=registry
        )


class NewsSockets:
    """The Socket.IO server of one process."""

    def __init__(
        self,
        tokens: AccessTokens,
        watch: NewsWatch,
        clock: Clock,
        connections: Connections,
        registry: CollectorRegistry,
        origins: Sequence[str],
        redis_url: str | None = None,
    ) -> None:
        """With `redis_url` the sockets of all processes are one another's to end."""
        self._tokens = tokens
        self._watch = watch
        self._clock = clock
        self._connections = connections
        self._meters = _Meters(registry, connections)
        self._looking: asyncio.Task[None] | None = None
        self._rooms: list[SocketRoom] = []
        self._server = socketio.AsyncServer(
            async_mode="asgi",
            client_manager=None if redis_url is None else socketio.AsyncRedisManager(redis_url),
            cors_allowed_origins=list(origins),
            max_http_buffer_size=MAX_MESSAGE_BYTES,
            logger=False,
            engineio_logger=False,
        )
        self._server.on("connect", self._connect)
        self._server.on("disconnect", self._disconnect)
        self.hear("authenticate", _NewToken, self._authenticate)
        self._server.on("*", self._unknown)
        self.app = socketio.ASGIApp(self._server, socketio_path=PATH)

    def share_with(self, room: SocketRoom) -> None:
        """Let another room speak over these sockets."""
        self._rooms.append(room)

    def hear(self, event: str, shape: type[ModelT], act: Heard[ModelT]) -> None:
        """Listen to an event. What is not of its shape, or refused, is answered with a problem."""

        async def heard(sid: str, data: Any = None) -> dict[str, Any]:
            try:
                watcher = self._connections.get(sid)
                if watcher is None:
                    raise Unauthenticated("This socket is no longer connected.")
                return await act(watcher, _read(shape, data))
            except Exception as error:
                return {"problem": self._refused(error)}

        self._server.on(event, heard)

    async def emit(
        self, watcher: Watcher, event: str, payload: dict[str, Any], acked: Acked | None = None
    ) -> None:
        """Send to one socket of this process; `acked` is called with what it acknowledges."""
        self._meters.sent.labels(event).inc()
        await self._emit(event, payload, watcher.sid, acked)

    async def end(self, sid: str, because: str) -> None:
        """End a socket that nobody is behind any more; one of another process where Redis joins
        them, else that one finds out by itself.
        """
        watcher = self._connections.get(sid)
        if watcher is not None:
            await self._dismiss(watcher, "evicted", because)
        else:
            await self._server.disconnect(sid)

    async def _emit(self, event: str, payload: Any, sid: str, acked: Acked | None = None) -> None:
        # The socket is one of ours: no other process needs to hear of it, nor Redis to be there.
        await self._server.emit(event, payload, to=sid, callback=acked, ignore_queue=True)

    async def _connect(self, sid: str, _environ: dict[str, Any], auth: Any = None) -> None:
        try:
            hello = _read(_Hello, auth)
            claims = self._tokens.read(hello.token)
            if claims.device != (hello.client is not None):
                raise Forbidden("Only the extension in a paired browser connects as a device.")
            tenant, sign_in = _shop_of(claims), SignIn(claims.user_id, claims.session_id)
            newest = await to_thread.run_sync(self._watch.begin, tenant, sign_in)
            last = newest if hello.after is None else min(hello.after, newest)
            watcher = Watcher(sid, tenant, sign_in, claims.expires_at, last, claims.device)
            evicted = self._connections.add(watcher)
        except Exception as error:
            # Anything else than a refusal would leave the client without an answer.
            problem = self._refused(error)
            raise Refused(problem["title"], problem) from None
        if evicted is not None:
            await self._dismiss(evicted, "evicted", "Another client of this account has connected.")
        await self._emit("ready", _ready(newest, watcher), sid)
        for room in self._rooms:
            await room.came(watcher)
        self._look()

    async def _disconnect(self, sid: str, *_reason: Any) -> None:
        watcher = self._connections.remove(sid)
        if watcher is not None:
            await self._part_from(watcher)

    async def _part_from(self, watcher: Watcher) -> None:
        for room in self._rooms:
            try:
                await room.went(watcher)
            except Exception:
                # The database is away, most likely; the socket is gone all the same.
                log.exception("sockets.parting_failed")

    async def _authenticate(self, watcher: Watcher, brought: _NewToken) -> dict[str, Any]:
        """A new access token for an open socket; of the same account, of course."""
        claims = self._tokens.read(brought.token)
        if claims.user_id != watcher.sign_in.user_id or claims.device != watcher.device:
            raise Forbidden("This token belongs to another account.")
        sign_in = SignIn(claims.user_id, claims.session_id)
        if watcher.device and sign_in != watcher.sign_in:
            raise Forbidden("This token belongs to another browser.")
        await to_thread.run_sync(self._watch.begin, watcher.tenant, sign_in)
        watcher.sign_in, watcher.expires_at = sign_in, claims.expires_at
        return {"expires_at": claims.expires_at.isoformat()}

    async def _unknown(self, event: str, _sid: str, *_data: Any) -> dict[str, Any]:
        unknown = UnknownEvent(f"The server does not listen to {event[:60]!r}.")
        return {"problem": self._refused(unknown)}

    def _refused(self, error: Exception) -> dict[str, str]:
        """What the client is told, as a route would tell it; what is no refusal is logged."""
        report(error)
        known = error if isinstance(error, StoflowError) else unavailable_in(error)
        known = known or StoflowError()
        self._meters.refused.labels(known.code).inc()
        return _problem(known)

    def _look(self) -> None:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_while_somebody_watches())

    async def _look_while_somebody_watches(self) -> None:
        rounds = Rounds(self._connections, CHECK_EVERY, self._clock)
        while len(self._connections):
            try:
                await self._dismiss_those_over(rounds.next())
                more = await self._tell()
            except Exception:
                # The database is away, most likely; clients keep their place and hear it later.
                log.exception("news.look_failed")
                more = False
            if not more:
                await asyncio.sleep(LOOK_EVERY.total_seconds())

    async def _tell(self) -> bool:
        """Send what is new; returns whether there may be more at once."""
        known = self._connections.known()
        events = await to_thread.run_sync(self._watch.newer, known) if known else ()
        for event in events:
            for watcher in self._connections.of(TenantSchema(event.tenant_id)):
                await self._send(watcher, event)
        return bool(events)

    async def _send(self, watcher: Watcher, event: ShopEvent) -> None:
        if event.sequence <= watcher.told:
            return
        if event.sequence > watcher.told + 1:
            gap = {"after": watcher.told, "next": event.sequence}
            await self._emit("events_missed", gap, watcher.sid)
        self._connections.tell(watcher, event.sequence)
        message: dict[str, Any] | None = told(event)
        for room in self._rooms:
            message = message and room.as_told_to(watcher, event.kind, message)
        if message:
            await self.emit(watcher, event.kind, message)

    async def _dismiss_those_over(self, watchers: Sequence[Watcher]) -> None:
        """Whose access token has ended, whose sign-in was, whose shop is closed."""
        if not watchers:
            return
        ended = await to_thread.run_sync(
            self._watch.ended, {each.sign_in.session_id for each in watchers}
        )
        closed = await to_thread.run_sync(self._watch.closed, {each.tenant for each in watchers})
        now = self._clock.now()
        for watcher in watchers:
            if watcher.expires_at <= now:
                await self._dismiss(watcher, "auth_expired", "The access token has expired.")
            elif watcher.sign_in.session_id in ended:
                await self._dismiss(watcher, "signed_out", "You were signed out.")
            elif watcher.tenant in closed:
                await self._dismiss(watcher, "shop_closed", "This shop is not available.")

    async def _dismiss(self, watcher: Watcher, event: str, because: str) -> None:
        self._connections.remove(watcher.sid)
        await self._emit(event, {"detail": because}, watcher.sid)
        await self._server.disconnect(watcher.sid, ignore_queue=True)
        await self._part_from(watcher)


def _read(shape: type[ModelT], data: Any) -> ModelT:
    try:
        return shape.model_validate(data)
    except ValidationError as error:
        wrong = sorted({".".join(map(str, each["loc"])) or "all" for each in error.errors()})
        known = ", ".join(shape.model_fields)
        raise BadInput(f"Send {{{known}}}; wrong or missing: {', '.join(wrong[:10])}.") from None


def _shop_of(claims: AccessClaims) -> TenantSchema:
    if claims.tenant_id is None:
        raise Forbidden("This account has no shop.")
    return TenantSchema(claims.tenant_id)


def _ready(newest: int, watcher: Watcher) -> dict[str, Any]:
    return {
        "sequence": newest,
        "after": watcher.told,
        "expires_at": watcher.expires_at.isoformat(),
    }


def _problem(error: StoflowError) -> dict[str, str]:
    return {"code": error.code, "title": error.title, "detail": error.detail}
