"""Chooses what an executor does next: one command at a time, of jobs that are parked for it.

Locks, in this order: the job's bell, the job, the account, the command, the browser bell. Whoever
sets the browser bell because there is nothing to send holds it before looking, and takes no other
lock after it: a command that is left meanwhile waits for it and rings afterwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from models.accounts.tenants import Lane
from models.selling.publishing import JobStatus, MarketplaceJob
from models.selling.vinted import CommandState, VintedAccount, VintedCommand, VintedSession
from repositories.accounts.bells import BellRepository
from repositories.accounts.browser_bells import BrowserBellRepository
from repositories.selling.publishing import JobRepository
from repositories.selling.vinted import VintedAccountRepository, VintedCommandRepository
from services.selling.publishing.answering import JobAnswers
from services.selling.vinted.bridge.executors import EXECUTOR_LEASE, Browser
from services.selling.vinted.commands import PATIENCE
from services.selling.vinted.quiet_hours import quiet_hours_of
from shared.clock import Clock
from shared.database import Database, TenantSchema, TenantSession

BEGIN_WITHIN = timedelta(seconds=60)
"""A command that the browser has not begun by then is not begun any more."""

LOST_AFTER = timedelta(minutes=3)
"""From then on nobody waits for the answer; a photo on a slow line takes a minute."""

STOPPED = timedelta(seconds=15)
"""How soon it is looked whether the operator lets the channel go on."""

Sent = tuple[datetime, str, str]


class Pace(Protocol):
    """How fast an account may be worked on."""

    @property
    def looks_back(self) -> timedelta:
        """How far back the history must reach."""
        ...

    def next_allowed(
        self, history: Sequence[Sent], now: datetime, method: str, path: str, *, urgent: bool
    ) -> datetime:
        """`now`, or the first later moment at which this request may be sent."""
        ...


class Refusal(StrEnum):
    """Why a browser did not take a command."""

    NOT_ALLOWED = "not_allowed"
    BAD_LEASE = "bad_lease"
    EXPIRED = "expired"
    PAUSED = "paused"
    BUSY = "busy"
    NO_SESSION = "no_session"


_AGAIN_AFTER = {
    Refusal.EXPIRED: timedelta(seconds=1),
    Refusal.BUSY: timedelta(seconds=1),
    Refusal.NO_SESSION: timedelta(seconds=15),
    Refusal.PAUSED: timedelta(seconds=30),
}
"""Those that pass; with the others it would be refused again."""


@dataclass(frozen=True, slots=True)
class Dispatch:
    """A command as it is sent."""

    tenant: TenantSchema
    command_id: UUID
    job_id: int
    lane: Lane
    action: str
    step: str
    site: str
    method: str
    path: str
    query: dict[str, str]
    body: dict[str, Any] | None
    photo: dict[str, Any] | None
    deadline: datetime
    lost_at: datetime


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at one shop came to."""

    dispatch: Dispatch | None = None
    again_at: datetime | None = None
    """When to look again, where that is known."""
    unheard: bool = False
    """Whether the account does not know how this executor stands at Vinted."""


class Dispatching:
    """Opens its own short transactions."""

    def __init__(self, database: Database, pace: Pace, clock: Clock) -> None:
        self._database = database
        self._pace = pace
        self._clock = clock
        self._answers = JobAnswers(clock, "bridge")

    def next(self, tenant: TenantSchema, browser: Browser, *, answered: bool = False) -> Look:
        """Take the next command for this executor; it counts as sent when this returns it.

        After an answer, where nothing waits, the bell stays as it was set on sending: it rings when
        the answer would have been overdue.
        """
        now = self._clock.now()
        with self._database.tenant(tenant) as session:
            found = self._find(session, browser, now)
            if found.command is not None and found.job is not None:
                return self._send(session, browser, found.job.lane, found.command.id, now)
            if answered and found.again_at is None:
                return Look(unheard=found.unheard)
            return self._set_bell(session, browser, found, now)

    def again(self, tenant: TenantSchema, browser: Browser) -> Sequence[Dispatch]:
        """What this browser was sent before its line broke: it tells of what it has done, and does
        what has never reached it.
        """
        now = self._clock.now()
        with self._database.tenant(tenant) as session:
            account = VintedAccountRepository(session).get()
            if account is None or account.executor != browser.socket:
                return ()
            jobs = JobRepository(session)
            found = []
            for command in VintedCommandRepository(session).under_way():
                job = jobs.get(command.job_id)
                mine = command.executor_device == browser.device
                if mine and job is not None and not _is_lost(command, now):
                    found.append(_dispatch(tenant, job, command))
        return found

    def refused(
        self, tenant: TenantSchema, command_id: UUID, refusal: Refusal, detail: str
    ) -> None:
        """A browser did not take what it was sent: nothing was done and nothing will be."""
        now = self._clock.now()
        with self._database.tenant(tenant) as session:
            commands = VintedCommandRepository(session)
            found = commands.get(command_id)
            if found is None:
                return
            job = self._answers.locked(session, found.job_id)
            command = commands.locked(command_id)
            if job is None or command is None or command.state is not CommandState.SENT:
                return
            after = _AGAIN_AFTER.get(refusal)
            command.sent_at = command.lost_at = None
            if after is None:
                command.state, command.detail = CommandState.NOT_SENT, detail
                command.answered_at = now
            else:
                command.state, command.executor_device = CommandState.WAITING, None
                if job.status is JobStatus.PARKED:
                    job.leased_until = now + PATIENCE
            session.flush()
            BrowserBellRepository(session).set(tenant, now + (after or timedelta(0)))
            if after is None:
                self._answers.answer(session, job)

    def _find(self, session: TenantSession, browser: Browser, now: datetime) -> "_Found":
        outlook = VintedAccountRepository(session).outlook(now)
        if outlook is None or not _works(outlook.account, browser, now):
            # Whoever changes that rings.
            return _Found(unheard=outlook is not None and _is_unheard(outlook.account, browser))
        if outlook.stopped:
            return _Found(again_at=now + STOPPED)
        if outlook.busy_until is not None:
            return _Found(again_at=outlook.busy_until)
        commands = VintedCommandRepository(session)
        waiting = commands.waiting()
        if waiting is None:
            # Whoever parks a job that has asked rings.
            return _Found()
        command, job = waiting
        history = commands.sent_since(now - self._pace.looks_back) if self._pace.looks_back else ()
        urgent = job.lane is Lane.REALTIME
        allowed = self._pace.next_allowed(history, now, command.method, command.path, urgent=urgent)
        quiet = None if urgent else quiet_hours_of(outlook.account)
        allowed = allowed if quiet is None else quiet.over_at(allowed)
        if allowed > now:
            return _Found(again_at=allowed, paced=True)
        return _Found(command, job)

    def _set_bell(
        self, session: TenantSession, browser: Browser, before: "_Found", now: datetime
    ) -> Look:
        """Look again, holding the bell, and set it to when there is something to do."""
        if before.paced:
            VintedAccountRepository(session).set_next_at(before.again_at)
        bells = BrowserBellRepository(session)
        held = bells.lock(session.tenant)
        found = self._find(session, browser, now)
        if found.command is not None or (found.paced and found.again_at != before.again_at):
            return Look(again_at=now)
        if held:
            bells.set(session.tenant, found.again_at)
        elif found.again_at is not None:
            bells.ring(session.tenant, found.again_at)
        return Look(again_at=found.again_at, unheard=found.unheard)

    def _send(
        self,
        session: TenantSession,
        browser: Browser,
        lane: Lane,
        command_id: UUID,
        now: datetime,
    ) -> Look:
        lost_at = now + LOST_AFTER
        # Workers look at the job when its answer is overdue.
        BellRepository(session).ring_later(session.tenant, lane, lost_at)
        locked = VintedCommandRepository(session).locked_to_send(command_id)
        if locked is None:
            return Look(again_at=now)
        job, account, command = locked
        if (
            job.status is not JobStatus.PARKED
            or not _works(account, browser, now)
            or command.state is not CommandState.WAITING
        ):
            return Look(again_at=now)
        command.state, command.executor_device = CommandState.SENT, browser.device
        command.sent_at, command.lost_at = now, lost_at
        job.leased_until = lost_at
        account.next_at = None
        if account.executor_until is None or account.executor_until < now + EXECUTOR_LEASE / 2:
            account.executor_until = now + EXECUTOR_LEASE
        session.flush()
        BrowserBellRepository(session).set(session.tenant, lost_at)
        return Look(_dispatch(session.tenant, job, command))


@dataclass(frozen=True, slots=True)
class _Found:
    """What could be sent now, or when there is something to send."""

    command: VintedCommand | None = None
    job: MarketplaceJob | None = None
    again_at: datetime | None = None
    paced: bool = False
    unheard: bool = False


def _works(account: VintedAccount, browser: Browser, now: datetime) -> bool:
    until = account.executor_until
    return (
        account.executor == browser.socket
        and until is not None
        and until > now
        and account.session is VintedSession.SIGNED_IN
        and account.paused_at is None
    )


def _is_unheard(account: VintedAccount, browser: Browser) -> bool:
    return account.executor == browser.socket and account.session is VintedSession.UNREACHABLE


def _is_lost(command: VintedCommand, now: datetime) -> bool:
    return command.lost_at is None or command.lost_at <= now


def _dispatch(tenant: TenantSchema, job: MarketplaceJob, command: VintedCommand) -> Dispatch:
    assert command.sent_at is not None
    assert command.lost_at is not None
    return Dispatch(
        tenant=tenant,
        command_id=command.id,
        job_id=job.id,
        lane=job.lane,
        action=job.action.value,
        step=command.step,
        site=command.site,
        method=command.method,
        path=command.path,
        query=command.query,
        body=command.body,
        photo=command.photo,
        deadline=command.sent_at + BEGIN_WITHIN,
        lost_at=command.lost_at,
    )
