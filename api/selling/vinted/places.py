"""Which of this process's browsers execute: places are taken, kept, and offered to others.

Where the place of a shop is held elsewhere, or by nobody, its browsers here try for it now and
then; where one of them holds it, the others wait until they are offered it.
"""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

import structlog
from anyio import to_thread

from api.accounts.news.connections import Watcher
from api.selling.vinted.messages import SessionUpdate
from services.selling.vinted.bridge.executors import EXECUTOR_LEASE, Browser, Executors
from services.selling.vinted.bridge.standing import CANNOT_WORK, ConnectionStatus
from shared.clock import Clock
from shared.database import TenantSchema
from shared.errors import Unauthenticated

log = structlog.get_logger(__name__)

LOOK_EVERY = timedelta(seconds=1)

_TRY_EVERY = timedelta(seconds=30)
"""At most, between two tries to renew a place, or to take one that may be free."""

_TOGETHER = 4
"""Browsers that are looked after at the same time: a shop that is held up does not hold up all."""


class Errands(Protocol):
    """What is to be done about a place."""

    async def end_replaced(self, sid: str) -> None:
        """This socket was one of a browser that has connected anew."""
        ...

    async def begin(self, watcher: Watcher) -> None:
        """This one executes from now on."""
        ...

    def look_at(self, tenant: TenantSchema) -> None:
        """Something may be sent there."""
        ...


@dataclass(slots=True)
class Present:
    """A browser that is connected to this process."""

    watcher: Watcher
    due_at: datetime | None
    """When its place is renewed, or tried to be taken; None: not before it is offered."""
    said: SessionUpdate | None = None
    """What it said last, once that was taken down."""
    speaking: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while something is taken down for it: what it says later counts."""
    tended: asyncio.Task[None] | None = None


class Places:
    """Used from the event loop of its process alone."""

    def __init__(self, executors: Executors, errands: Errands, clock: Clock) -> None:
        self._executors = executors
        self._errands = errands
        self._clock = clock
        self._browsers: dict[str, Present] = {}
        self._executing: dict[TenantSchema, Watcher] = {}
        self._offered = asyncio.Event()
        self._tending = asyncio.Semaphore(_TOGETHER)

    def __len__(self) -> int:
        """How many browsers are here."""
        return len(self._browsers)

    def executing(self) -> Sequence[TenantSchema]:
        """The shops whose executors are here."""
        return tuple(self._executing)

    def executor_of(self, tenant: TenantSchema) -> Watcher | None:
        """The one that executes for a shop, when it is here."""
        return self._executing.get(tenant)

    def get(self, watcher: Watcher) -> Present:
        """The browser behind a socket. Raises `Unauthenticated`."""
        browser = self._browsers.get(watcher.sid)
        if browser is None:
            raise Unauthenticated("This socket is no longer connected.")
        return browser

    def came(self, watcher: Watcher) -> None:
        """A browser has connected; it has no place before it has said how Vinted stands."""
        self._browsers[watcher.sid] = Present(watcher, None)

    async def went(self, watcher: Watcher) -> None:
        """It has gone; its place is offered to the others."""
        known = self._browsers.pop(watcher.sid, None) is not None
        if known and self._executing.get(watcher.tenant) is watcher:
            del self._executing[watcher.tenant]
            try:
                await self._leave(watcher)
            finally:
                self._offer(watcher.tenant)

    async def say(self, watcher: Watcher, update: SessionUpdate) -> ConnectionStatus:
        """Take down how Vinted stands; it executes from now on when it is its turn."""
        browser = self.get(watcher)
        async with browser.speaking:
            browser.said = None
            status = await self._stand(browser, update)
            browser.said = update
        return status

    async def say_again(self, watcher: Watcher) -> None:
        """The account has forgotten how this executor stands: the seller has chosen a site."""
        browser = self._browsers.get(watcher.sid)
        said = None if browser is None else browser.said
        if browser is not None and said is not None and said.state != "unreachable":
            await self._stand_again(browser)

    async def keep(self) -> None:
        """Look after all places while there are browsers; beside the commands, since to renew
        hundreds takes seconds.
        """
        while self._browsers:
            now = self._clock.now()
            for browser in self._browsers.values():
                if browser.tended is None and browser.due_at is not None and browser.due_at <= now:
                    browser.due_at = self._next_try()
                    browser.tended = asyncio.create_task(self._tend(browser))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._offered.wait(), LOOK_EVERY.total_seconds())
            self._offered.clear()

    async def _stand(
        self, browser: Present, update: SessionUpdate, *, again: bool = False
    ) -> ConnectionStatus:
        """Let it execute when it is its turn; what it was sent on an older socket comes again."""
        watcher = browser.watcher
        say = partial(self._executors.say, again=again)
        heard = await to_thread.run_sync(say, watcher.tenant, browser_of(watcher), update.said())
        status = heard.status
        if heard.replaced is not None:
            await self._errands.end_replaced(heard.replaced)
        if status.executor == watcher.sid:
            await self._take(browser, status)
        else:
            self._lose(watcher)
            browser.due_at = None if watcher.tenant in self._executing else self._next_try()
        return status

    async def _take(self, browser: Present, status: ConnectionStatus) -> None:
        watcher = browser.watcher
        if watcher.sid not in self._browsers:
            # It went while it was being asked about.
            await self._leave(watcher)
            self._offer(watcher.tenant)
            return
        before = self._executing.get(watcher.tenant)
        self._executing[watcher.tenant] = watcher
        browser.due_at = self._next_renewal()
        if before is not watcher:
            await self._errands.begin(watcher)
        self._errands.look_at(watcher.tenant)
        if status.standing in CANNOT_WORK:
            self._offer(watcher.tenant)

    def _lose(self, watcher: Watcher) -> None:
        """Somebody else has its place, as far as it had one; perhaps another process's browser."""
        if self._executing.get(watcher.tenant) is watcher:
            del self._executing[watcher.tenant]
            self._offer(watcher.tenant)

    async def _stand_again(self, browser: Present) -> None:
        """With what it said last."""
        async with browser.speaking:
            if browser.said is not None and browser.watcher.sid in self._browsers:
                await self._stand(browser, browser.said, again=True)

    def _offer(self, tenant: TenantSchema) -> None:
        """Let the browsers of a shop that do not execute try to take its place."""
        executes, now = self._executing.get(tenant), self._clock.now()
        for browser in self._browsers.values():
            if browser.watcher.tenant == tenant and browser.watcher is not executes:
                browser.due_at = now
        self._offered.set()

    async def _leave(self, watcher: Watcher) -> None:
        await to_thread.run_sync(self._executors.leave, watcher.tenant, browser_of(watcher))

    async def _tend(self, browser: Present) -> None:
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

    async def _renew(self, browser: Present) -> None:
        watcher = browser.watcher
        renew = self._executors.renew
        if await to_thread.run_sync(renew, watcher.tenant, browser_of(watcher)):
            browser.due_at = self._next_renewal()
        else:
            self._lose(watcher)

    def _next_renewal(self) -> datetime:
        """Some sooner than others: browsers that came together are not renewed together."""
        return self._some_time_within(EXECUTOR_LEASE * 0.75)

    def _next_try(self) -> datetime:
        return self._some_time_within(_TRY_EVERY)

    def _some_time_within(self, most: timedelta) -> datetime:
        return self._clock.now() + most * random.uniform(2 / 3, 1)  # noqa: S311 - no secret


def browser_of(watcher: Watcher) -> Browser:
    """As the services know it."""
    return Browser(watcher.sid, watcher.sign_in.session_id)
