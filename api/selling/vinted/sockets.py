"""The bridge to sellers' browsers, over the sockets of this process.

Who executes, what is sent and what came of it is in the database; what is here can be lost. While
there are any browsers, one task looks once a second where a command waits (whoever leaves one in a
shop has that one looked at at once), and another after the browsers' places.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Protocol
from uuid import UUID

import structlog
from anyio import to_thread
from prometheus_client import CollectorRegistry, Counter, Gauge
from pydantic import ValidationError

from api.accounts.news.connections import Watcher
from api.accounts.news.sockets import NewsSockets
from api.selling.vinted.messages import Challenge, CommandAck, Result, SessionUpdate
from api.selling.vinted.places import LOOK_EVERY, Places, browser_of
from models.selling.publishing import Channel
from services.selling.publishing.news import JOB_STATUS_UPDATE
from services.selling.vinted.bridge.bridge import Message, VintedBridge
from services.selling.vinted.bridge.standing import VINTED_CONNECTION_STATUS
from shared.clock import Clock
from shared.database import TenantSchema
from shared.database.wake_ups import Shops
from shared.errors import Forbidden

log = structlog.get_logger(__name__)

_SOONEST_S = 0.005
"""Between two looks at one shop."""


class WakeUps(Protocol):
    """Calls back when somebody leaves a command, until it is closed."""

    def start(self) -> None: ...
    def close(self) -> None: ...


class _Meters:
    def __init__(self, registry: CollectorRegistry, executing: Callable[[], int]) -> None:
        gauge = Gauge(
            "stoflow_vinted_executors",
            "Browsers connected to this process that execute.",
            registry=registry,
        )
        gauge.set_function(executing)
        self.commands = Counter(
            "stoflow_vinted_commands",
            "Commands by what came of them: sent, refused, or as the browser said.",
            ["outcome"],
            registry=registry,
        )


class BridgeSockets:
    """A `SocketRoom`, and `Errands`. Used from the event loop of its process alone."""

    def __init__(
        self,
        sockets: NewsSockets,
        bridge: VintedBridge,
        listen: Callable[[Callable[[Shops], None]], WakeUps | None],
        clock: Clock,
        registry: CollectorRegistry,
    ) -> None:
        """`listen` makes what calls back when a command is left; None: nobody does."""
        self._sockets = sockets
        self._bridge = bridge
        self._listen = listen
        self._clock = clock
        self._places = Places(bridge.executors, self, clock)
        self._looking: dict[TenantSchema, asyncio.Task[None]] = {}
        self._look_again: set[TenantSchema] = set()
        self._woken = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._meters = _Meters(registry, lambda: len(self._places.executing()))
        sockets.share_with(self)
        sockets.hear("vinted_session_update", SessionUpdate, self._take_session)
        sockets.hear("job_result", Result, self._take_result)
        sockets.hear("datadome_detected", Challenge, self._take_challenge)

    async def came(self, watcher: Watcher) -> None:
        """See `SocketRoom`. Who executes is decided when it says how Vinted stands."""
        if not watcher.device:
            return
        self._places.came(watcher)
        if self._serving is None or self._serving.done():
            self._serving = asyncio.create_task(self._serve())
        if self._keeping is None or self._keeping.done():
            self._keeping = asyncio.create_task(self._places.keep())

    async def went(self, watcher: Watcher) -> None:
        """See `SocketRoom`. Another browser of the account takes over."""
        try:
            await self._places.went(watcher)
        finally:
            if not self._places:
                self._woken.set()

    async def end_replaced(self, sid: str) -> None:
        """See `Errands`."""
        await self._sockets.end(sid, "This browser has connected anew.")

    async def begin(self, watcher: Watcher) -> None:
        """See `Errands`: what it was sent on an older socket comes again."""
        again = self._bridge.again
        for message in await to_thread.run_sync(again, watcher.tenant, browser_of(watcher)):
            await self._send(watcher, message)

    def as_told_to(
        self, watcher: Watcher, kind: str, message: dict[str, Any]
    ) -> dict[str, Any] | None:
        """See `SocketRoom`: a browser is told how the account stands, whether it is the one that
        executes and, while it is, how Vinted's jobs stand; nothing else of the shop.
        """
        if not watcher.device:
            return message
        executes = self._places.executor_of(watcher.tenant) is watcher
        if kind == VINTED_CONNECTION_STATUS:
            return {**message, "executor": executes}
        ours = kind == JOB_STATUS_UPDATE and message["channel"] == Channel.VINTED
        return message if ours and executes else None

    async def _take_session(self, watcher: Watcher, update: SessionUpdate) -> dict[str, Any]:
        _must_be_extension(watcher)
        status = await self._places.say(watcher, update)
        return status.told_to(watcher.sid)

    async def _take_result(self, watcher: Watcher, result: Result) -> dict[str, Any]:
        _must_be_extension(watcher)
        looks = self._places.executor_of(watcher.tenant) is not None
        store = partial(self._bridge.results.store, looks=looks)
        repeated = await to_thread.run_sync(store, watcher.tenant, result.told())
        self._meters.commands.labels("repeated" if repeated else result.outcome.value).inc()
        self.look_at(watcher.tenant, answered=True)
        return {"stored": True, "repeated": repeated}

    async def _take_challenge(self, watcher: Watcher, _challenge: Challenge) -> dict[str, Any]:
        _must_be_extension(watcher)
        browser, challenged = self._places.get(watcher), self._bridge.results.challenged
        async with browser.speaking:
            status = await to_thread.run_sync(challenged, watcher.tenant, browser_of(watcher))
            if browser.said is not None:
                browser.said = browser.said.model_copy(update={"state": "challenged"})
        return status.told_to(watcher.sid)

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()

        def wake(shops: Shops) -> None:
            loop.call_soon_threadsafe(self._wake, shops)

        listener = self._listen(wake)
        if listener is not None:
            listener.start()
        try:
            while self._places:
                try:
                    await self._look_where_it_rings()
                except Exception:
                    # The database is away, most likely; commands wait in it.
                    log.exception("vinted.look_failed")
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), LOOK_EVERY.total_seconds())
                self._woken.clear()
        finally:
            if listener is not None:
                listener.close()

    def _wake(self, shops: Shops) -> None:
        if shops is None:
            self._woken.set()
            return
        for tenant in shops:
            if self._places.executor_of(tenant) is not None:
                self.look_at(tenant)

    async def _look_where_it_rings(self) -> None:
        executing = self._places.executing()
        if executing:
            for tenant in await to_thread.run_sync(self._bridge.due, executing):
                self.look_at(tenant)

    def look_at(self, tenant: TenantSchema, *, answered: bool = False) -> None:
        """See `Errands`; `answered` when all that happened there is an answer."""
        if tenant in self._looking:
            # What it looks for may have come a moment later.
            self._look_again.add(tenant)
        else:
            self._looking[tenant] = asyncio.create_task(self._look(tenant, answered))

    async def _look(self, tenant: TenantSchema, answered: bool) -> None:
        try:
            await self._take_turn(tenant, answered)
        except Exception:
            log.exception("vinted.look_failed", tenant=tenant.name)
            self._look_in(LOOK_EVERY.total_seconds(), tenant)
        finally:
            del self._looking[tenant]
        if tenant in self._look_again:
            self._look_again.discard(tenant)
            self.look_at(tenant)

    async def _take_turn(self, tenant: TenantSchema, answered: bool) -> None:
        watcher = self._places.executor_of(tenant)
        if watcher is None:
            return
        look = partial(self._bridge.next, answered=answered)
        turn = await to_thread.run_sync(look, tenant, browser_of(watcher))
        if turn.message is not None:
            await self._send(watcher, turn.message)
        if turn.again_at is not None:
            wait = (turn.again_at - self._clock.now()).total_seconds()
            if wait < LOOK_EVERY.total_seconds():
                self._look_in(max(wait, _SOONEST_S), tenant)
        if turn.unheard:
            await self._places.say_again(watcher)

    def _look_in(self, seconds: float, tenant: TenantSchema) -> None:
        asyncio.get_running_loop().call_later(seconds, self.look_at, tenant)

    async def _send(self, watcher: Watcher, message: Message) -> None:
        self._meters.commands.labels("sent").inc()
        acked = partial(self._acked, watcher, message.dispatch.command_id)
        await self._sockets.emit(watcher, "execute_job", message.payload, acked)

    async def _acked(self, watcher: Watcher, command_id: UUID, *said: Any) -> None:
        try:
            ack = CommandAck.model_validate(said[0] if said else None)
        except ValidationError:
            # It may have been taken: its result, or the end of the wait for it, will tell.
            log.warning("vinted.ack_unreadable", command_id=str(command_id))
            return
        if ack.refused is None:
            return
        self._meters.commands.labels("refused").inc()
        refused = self._bridge.refused
        await to_thread.run_sync(refused, watcher.tenant, command_id, ack.refused, _words_of(ack))


def _must_be_extension(watcher: Watcher) -> None:
    if not watcher.device:
        raise Forbidden("Only the extension in a paired browser may send this.")


def _words_of(ack: CommandAck) -> str:
    return ack.detail or f"The browser refused: {ack.refused}."
