"""The socket that tells clients what happens in their shop, as it happens.

A client connects with `auth = {"token": <access token>, "after": <last number it knows>}` and is
sent `ready`, then every event beyond that number, in order, each with its `sequence`. Nothing is
lost by a broken line: the next connect names the last number again. The events themselves are in
the database, so any number of processes serve their own sockets and need not know each other.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import socketio
import structlog
from anyio import to_thread
from prometheus_client import CollectorRegistry, Counter, Gauge
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from socketio.exceptions import ConnectionRefusedError as Refused

from api.accounts.news.connections import Connections, Watcher
from api.accounts.news.schemas import told
from api.problems import report
from models.accounts.news import ShopEvent
from services.accounts.identity.access_tokens import AccessClaims, AccessTokens
from services.accounts.news.watching import NewsWatch
from shared.clock import Clock
from shared.database import SignIn, TenantSchema, unavailable_in
from shared.errors import BadInput, Forbidden, NotFound, StoflowError

log = structlog.get_logger(__name__)

PATH = "/socket.io"

MAX_MESSAGE_BYTES = 100_000

LOOK_EVERY = timedelta(milliseconds=250)
"""How soon a client hears of a change, at most. Nobody looks while nobody is connected."""

CHECK_EVERY = timedelta(seconds=2)
"""How soon a sign-in that was ended, or a shop that was closed, loses its sockets."""


class UnknownEvent(NotFound):
    """The server does not listen to this."""

    code, title = "unknown-event", "There is no such event"


class _Hello(BaseModel):
    """What a client says when it connects or brings a new token."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(max_length=8192)
    after: int | None = Field(default=None, ge=0, lt=2**63)


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
    ) -> None:
        self._tokens = tokens
        self._watch = watch
        self._clock = clock
        self._connections = connections
        self._meters = _Meters(registry, connections)
        self._looking: asyncio.Task[None] | None = None
        self._server = socketio.AsyncServer(
            async_mode="asgi",
            cors_allowed_origins=list(origins),
            max_http_buffer_size=MAX_MESSAGE_BYTES,
            logger=False,
            engineio_logger=False,
        )
        self._server.on("connect", self._connect)
        self._server.on("disconnect", self._disconnect)
        self._server.on("authenticate", self._authenticate)
        self._server.on("*", self._unknown)
        self.app = socketio.ASGIApp(self._server, socketio_path=PATH)

    async def _connect(self, sid: str, _environ: dict[str, Any], auth: Any = None) -> None:
        try:
            hello = _read(auth)
            claims = self._tokens.read(hello.token)
            tenant, sign_in = _shop_of(claims), SignIn(claims.user_id, claims.session_id)
            newest = await to_thread.run_sync(self._watch.begin, tenant, sign_in)
            last = newest if hello.after is None else min(hello.after, newest)
            watcher = Watcher(sid, tenant, sign_in, claims.expires_at, last)
            evicted = self._connections.add(watcher)
        except Exception as error:
            # Anything else than a refusal would leave the client without an answer.
            problem = self._refused(error)
            raise Refused(problem["title"], problem) from None
        if evicted is not None:
            await self._dismiss(evicted, "evicted", "Another client of this account has connected.")
        await self._server.emit("ready", _ready(newest, watcher), to=sid)
        self._look()

    async def _disconnect(self, sid: str, *_reason: Any) -> None:
        self._connections.remove(sid)

    async def _authenticate(self, sid: str, data: Any = None) -> dict[str, Any]:
        """A new access token for an open socket; of the same account, of course."""
        try:
            watcher = self._connections.get(sid)
            claims = self._tokens.read(_read(data).token)
            if watcher is None or claims.user_id != watcher.sign_in.user_id:
                raise Forbidden("This token belongs to another account.")
            sign_in = SignIn(claims.user_id, claims.session_id)
            await to_thread.run_sync(self._watch.begin, watcher.tenant, sign_in)
        except Exception as error:
            return {"problem": self._refused(error)}
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
        checked_at = self._clock.now()
        while len(self._connections):
            try:
                await self._dismiss_expired()
                if self._clock.now() - checked_at >= CHECK_EVERY:
                    checked_at = self._clock.now()
                    await self._dismiss_ended()
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
        watchers = self._connections.by_tenant()
        for event in events:
            for watcher in watchers.get(TenantSchema(event.tenant_id), ()):
                await self._send(watcher, event)
        return bool(events)

    async def _send(self, watcher: Watcher, event: ShopEvent) -> None:
        if event.sequence <= watcher.told:
            return
        if event.sequence > watcher.told + 1:
            gap = {"after": watcher.told, "next": event.sequence}
            await self._server.emit("events_missed", gap, to=watcher.sid)
        watcher.told = event.sequence
        self._meters.sent.labels(event.kind).inc()
        await self._server.emit(event.kind, told(event), to=watcher.sid)

    async def _dismiss_expired(self) -> None:
        now = self._clock.now()
        for watcher in self._connections.all():
            if watcher.expires_at <= now:
                await self._dismiss(watcher, "auth_expired", "The access token has expired.")

    async def _dismiss_ended(self) -> None:
        watchers = self._connections.all()
        ended = await to_thread.run_sync(
            self._watch.ended, {each.sign_in.session_id for each in watchers}
        )
        closed = await to_thread.run_sync(self._watch.closed, {each.tenant for each in watchers})
        for watcher in watchers:
            if watcher.sign_in.session_id in ended:
                await self._dismiss(watcher, "signed_out", "You were signed out.")
            elif watcher.tenant in closed:
                await self._dismiss(watcher, "shop_closed", "This shop is not available.")

    async def _dismiss(self, watcher: Watcher, event: str, because: str) -> None:
        self._connections.remove(watcher.sid)
        await self._server.emit(event, {"detail": because}, to=watcher.sid)
        await self._server.disconnect(watcher.sid)


def _read(data: Any) -> _Hello:
    try:
        return _Hello.model_validate(data)
    except ValidationError as error:
        names = ", ".join(str(each["loc"][0]) if each["loc"] else "auth" for each in error.errors())
        raise BadInput(f"Send {{token, after}}; wrong or missing: {names}.") from None


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
