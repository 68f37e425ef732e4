"""The bridge to sellers' browsers, over the sockets of this process.

Who executes, what is sent and what came of it is in the database; what is here can be lost. While
there are any browsers, one task looks once a second where a command waits (whoever leaves one in a
shop has that one looked at at once), and another after the browsers' places.
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
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
from models.selling.publishing import Channel
from services.selling.publishing.news import JOB_STATUS_UPDATE
from services.selling.vinted.bridge.bridge import Message, VintedBridge
from services.selling.vinted.bridge.executors import EXECUTOR_LEASE, Browser
from services.selling.vinted.bridge.standing import (
    CANNOT_WORK,
    VINTED_CONNECTION_STATUS,
    ConnectionStatus,
)
from shared.clock import Clock
from shared.database import TenantSchema
from shared.database.wake_ups import Shops
from shared.errors import Forbidden, Unauthenticated

log = structlog.get_logger(__name__)

LOOK_EVERY = timedelta(seconds=1)

_SOONEST_S = 0.005
"""Between two looks at one shop."""

_PLACES_EVERY = timedelta(seconds=30)
"""At most, between two tries to renew a place, or to take one that may be free."""

_TOGETHER = 4
"""Browsers that are looked after at the same time: a shop that is held up does not hold up all."""


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


@dataclass(slots=True)
class _Present:
    """A browser that is connected to this process."""

    watcher: Watcher
    due_at: datetime
    """When its place is renewed, or tried to be taken."""
    said: SessionUpdate | None = None
    """What it said last, once that was taken down."""
    speaking: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while something is taken down for it: what it says later counts."""
    tended: asyncio.Task[None] | None = None


class BridgeSockets:
    """A `SocketRoom`. Used from the event loop of its process alone, but for `wake`."""

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
        self._browsers: dict[str, _Present] = {}
        self._executing: dict[TenantSchema, Watcher] = {}
        self._looking: dict[TenantSchema, asyncio.Task[None]] = {}
        self._look_again: set[TenantSchema] = set()
        self._woken = asyncio.Event()
        self._offered = asyncio.Event()
        self._tending = asyncio.Semaphore(_TOGETHER)
        self._serving: asyncio.Task[None] | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._meters = _Meters(registry, lambda: len(self._executing))
        sockets.share_with(self)
        sockets.hear("vinted_session_update", SessionUpdate, self._take_session)
        sockets.hear("job_result", Result, self._take_result)
        sockets.hear("datadome_detected", Challenge, self._take_challenge)

    async def came(self, watcher: Watcher) -> None:
        """See `SocketRoom`. Who executes is decided when it says how Vinted stands."""
        if not watcher.device:
            return
        self._browsers[watcher.sid] = _Present(watcher, self._next_try())
        if self._serving is None or self._serving.done():
            self._serving = asyncio.create_task(self._serve())
        if self._keeping is None or self._keeping.done():
            self._keeping = asyncio.create_task(self._keep_places())

    async def went(self, watcher: Watcher) -> None:
        """See `SocketRoom`. Another browser of the account takes over."""
        if self._browsers.pop(watcher.sid, None) is None:
            return
        try:
            if self._executing.get(watcher.tenant) is watcher:
                del self._executing[watcher.tenant]
                browser = _browser(watcher)
                await to_thread.run_sync(self._bridge.executors.leave, watcher.tenant, browser)
        finally:
            self._offer_place(watcher.tenant)
            if not self._browsers:
                self._woken.set()

    def as_told_to(
        self, watcher: Watcher, kind: str, message: dict[str, Any]
    ) -> dict[str, Any] | None:
        """See `SocketRoom`: a browser is told how the account stands, whether it is the one that
        executes and, while it is, how Vinted's jobs stand; nothing else of the shop.
        """
        if not watcher.device:
            return message
        executes = self._executing.get(watcher.tenant) is watcher
        if kind == VINTED_CONNECTION_STATUS:
            return {**message, "executor": executes}
        ours = kind == JOB_STATUS_UPDATE and message["channel"] == Channel.VINTED
        return message if ours and executes else None

    async def _take_session(self, watcher: Watcher, update: SessionUpdate) -> dict[str, Any]:
        browser = self._browser_of(watcher)
        async with browser.speaking:
            browser.said = None
            status = await self._stand(browser, update)
            browser.said = update
        return status.told_to(watcher.sid)

    async def _take_result(self, watcher: Watcher, result: Result) -> dict[str, Any]:
        _must_be_extension(watcher)
        store = partial(self._bridge.results.store, looks=watcher.tenant in self._executing)
        repeated = await to_thread.run_sync(store, watcher.tenant, result.told())
        self._meters.commands.labels("repeated" if repeated else result.outcome.value).inc()
        self._look_at(watcher.tenant, answered=True)
        return {"stored": True, "repeated": repeated}

    async def _take_challenge(self, watcher: Watcher, _challenge: Challenge) -> dict[str, Any]:
        browser = self._browser_of(watcher)
        challenged = self._bridge.results.challenged
        async with browser.speaking:
            status = await to_thread.run_sync(challenged, watcher.tenant, _browser(watcher))
            if browser.said is not None:
                browser.said = browser.said.model_copy(update={"state": "challenged"})
        return status.told_to(watcher.sid)

    def _browser_of(self, watcher: Watcher) -> _Present:
        _must_be_extension(watcher)
        browser = self._browsers.get(watcher.sid)
        if browser is None:
            raise Unauthenticated("This socket is no longer connected.")
        return browser

    async def _stand(
        self, browser: _Present, update: SessionUpdate, *, again: bool = False
    ) -> ConnectionStatus:
        """Let it execute when it is its turn; what it was sent on an older socket comes again."""
        watcher = browser.watcher
        say = partial(self._bridge.executors.say, again=again)
        heard = await to_thread.run_sync(say, watcher.tenant, _browser(watcher), update.said())
        status = heard.status
        if heard.replaced is not None:
            await self._sockets.end(heard.replaced, "This browser has connected anew.")
        before = self._executing.get(watcher.tenant)
        if status.executor != watcher.sid:
            if before is watcher:
                del self._executing[watcher.tenant]
            return status
        if watcher.sid not in self._browsers:
            # It went while it was being asked about.
            await to_thread.run_sync(
                self._bridge.executors.leave, watcher.tenant, _browser(watcher)
            )
            self._offer_place(watcher.tenant)
            return status
        self._executing[watcher.tenant] = watcher
        browser.due_at = self._next_renewal()
        if before is not watcher:
            await self._send_again(watcher)
        self._look_at(watcher.tenant)
        if status.standing in CANNOT_WORK:
            self._offer_place(watcher.tenant)
        return status

    async def _stand_again(self, browser: _Present) -> None:
        """With what it said last."""
        async with browser.speaking:
            if browser.said is not None and browser.watcher.sid in self._browsers:
                await self._stand(browser, browser.said, again=True)

    def _offer_place(self, tenant: TenantSchema) -> None:
        """Let the browsers of a shop that do not execute try to take its place."""
        executes = self._executing.get(tenant)
        for browser in self._browsers.values():
            if browser.watcher.tenant == tenant and browser.watcher is not executes:
                browser.due_at = self._clock.now()
        self._offered.set()

    async def _send_again(self, watcher: Watcher) -> None:
        again = self._bridge.again
        for message in await to_thread.run_sync(again, watcher.tenant, _browser(watcher)):
            await self._send(watcher, message)

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()

        def wake(shops: Shops) -> None:
            loop.call_soon_threadsafe(self._wake, shops)

        listener = self._listen(wake)
        if listener is not None:
            listener.start()
        try:
            while self._browsers:
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
            if tenant in self._executing:
                self._look_at(tenant)

    async def _look_where_it_rings(self) -> None:
        executing = tuple(self._executing)
        if executing:
            for tenant in await to_thread.run_sync(self._bridge.due, executing):
                self._look_at(tenant)

    def _look_at(self, tenant: TenantSchema, *, answered: bool = False) -> None:
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
            self._look_at(tenant)

    async def _take_turn(self, tenant: TenantSchema, answered: bool) -> None:
        watcher = self._executing.get(tenant)
        if watcher is None:
            return
        look = partial(self._bridge.next, answered=answered)
        turn = await to_thread.run_sync(look, tenant, _browser(watcher))
        if turn.message is not None:
            await self._send(watcher, turn.message)
        if turn.again_at is not None:
            wait = (turn.again_at - self._clock.now()).total_seconds()
            if wait < LOOK_EVERY.total_seconds():
                self._look_in(max(wait, _SOONEST_S), tenant)
        if turn.unheard:
            await self._let_hear(watcher)

    def _look_in(self, seconds: float, tenant: TenantSchema) -> None:
        asyncio.get_running_loop().call_later(seconds, self._look_at, tenant)

    async def _let_hear(self, watcher: Watcher) -> None:
        """The account has forgotten how this executor stands: the seller has chosen a site."""
        browser = self._browsers.get(watcher.sid)
        said = None if browser is None else browser.said
        if browser is not None and said is not None and said.state != "unreachable":
            await self._stand_again(browser)

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

    async def _keep_places(self) -> None:
        """Beside the commands: to renew hundreds of places takes seconds."""
        while self._browsers:
            now = self._clock.now()
            for browser in self._browsers.values():
                if browser.tended is None and browser.due_at <= now:
                    browser.due_at = self._next_try()
                    browser.tended = asyncio.create_task(self._tend(browser))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._offered.wait(), LOOK_EVERY.total_seconds())
            self._offered.clear()

    async def _tend(self, browser: _Present) -> None:
        """Renew its place, or take one that has become free."""
        tenant = browser.watcher.tenant
        try:
            async with self._tending:
                if self._executing.get(tenant) is browser.watcher:
                    await self._renew(browser)
                else:
                    await self._stand_again(browser)
        except Exception:
            # The database is away, most likely, or somebody holds the account.
            log.exception("vinted.place_not_kept", tenant=tenant.name)
        finally:
            browser.tended = None

    async def _renew(self, browser: _Present) -> None:
        watcher = browser.watcher
        renew = self._bridge.executors.renew
        kept = await to_thread.run_sync(renew, watcher.tenant, _browser(watcher))
        if kept:
            browser.due_at = self._next_renewal()
        elif self._executing.get(watcher.tenant) is watcher:
            del self._executing[watcher.tenant]

    def _next_renewal(self) -> datetime:
        """Some sooner than others: browsers that came together are not renewed together."""
        return self._some_time_within(EXECUTOR_LEASE * 0.75)

    def _next_try(self) -> datetime:
        return self._some_time_within(_PLACES_EVERY)

    def _some_time_within(self, most: timedelta) -> datetime:
        return self._clock.now() + most * random.uniform(2 / 3, 1)  # noqa: S311 - no secret


def _browser(watcher: Watcher) -> Browser:
    return Browser(watcher.sid, watcher.sign_in.session_id)


def _must_be_extension(watcher: Watcher) -> None:
    if not watcher.device:
        raise Forbidden("Only the extension in a paired browser may send this.")


def _words_of(ack: CommandAck) -> str:
    return ack.detail or f"The browser refused: {ack.refused}."
