"""Stores what a browser tells of a command, once, and lets its job go on."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from models.selling.vinted import CommandState, VintedCommand, VintedSession
from repositories.accounts.bells import BellRepository
from repositories.accounts.browser_bells import BrowserBellRepository
from repositories.selling.vinted import VintedAccountRepository, VintedCommandRepository
from services.selling.publishing.answering import JobAnswers
from services.selling.vinted.bridge.executors import EXECUTOR_LEASE, Browser
from services.selling.vinted.bridge.leases import CommandLeases
from services.selling.vinted.bridge.standing import ConnectionStatus, status_of
from services.selling.vinted.bridge.telling import VintedNews
from shared.clock import Clock
from shared.database import Database, TenantSchema
from shared.errors import NotFound


class CommandNotFound(NotFound):
    """There never was one, or its job is gone; or it is another shop's."""

    code, title = "command-not-found", "There is no such command"


class Outcome(StrEnum):
    """What became of a request."""

    ANSWERED = "answered"
    NOT_SENT = "not_sent"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What a browser tells."""

    command_id: UUID
    lease: str
    outcome: Outcome
    status: int | None = None
    content_type: str | None = None
    retry_after: str | None = None
    body: str | None = None
    truncated: bool = False
    challenged: bool = False
    detail: str | None = None


_STATES = {
    Outcome.ANSWERED: CommandState.ANSWERED,
    Outcome.NOT_SENT: CommandState.NOT_SENT,
    Outcome.LOST: CommandState.LOST,
}
_SETTLED = frozenset({CommandState.ANSWERED, CommandState.NOT_SENT, CommandState.WITHDRAWN})


class CommandResults:
    """Opens its own short transactions.

    Locks, in this order: the job's bell, the job, the command, the browser bell, the shop's
    counter of news.
    """

    def __init__(self, database: Database, leases: CommandLeases, clock: Clock) -> None:
        self._database = database
        self._leases = leases
        self._clock = clock
        self._answers = JobAnswers(clock, "bridge")
        self._news = VintedNews(clock)

    def store(self, tenant: TenantSchema, result: CommandResult, *, looks: bool) -> bool:
        """Keep a result and wake its job, all or nothing; True when it was there already, and this
        one was not looked at. What comes after everybody had stopped waiting is kept too.

        `looks` says that the caller looks what is next; else whoever holds the executor's socket
        does, within a second. Raises `LeaseRefused` and `CommandNotFound`.
        """
        lane = self._leases.lane_of(result.lease, tenant, result.command_id)
        with self._database.tenant(tenant) as session:
            commands = VintedCommandRepository(session)
            BellRepository(session).ring(tenant, lane, self._clock.now())
            locked = commands.locked_with_job(result.command_id)
            if locked is None:
                raise CommandNotFound
            job, command = locked
            if command.state in _SETTLED or _is_said(command, result):
                return True
            self._write(command, result)
            session.flush()
            if not looks:
                BrowserBellRepository(session).set(tenant, self._clock.now())
            if not command.asked_again:
                self._answers.answer(session, job)
        return False

    def challenged(self, tenant: TenantSchema, browser: Browser) -> ConnectionStatus:
        """Vinted wants to see a person: nothing is sent until this browser is signed in again.

        Counts from whoever executes, or did before the line broke.
        """
        now = self._clock.now()
        with self._database.tenant(tenant) as session:
            account = VintedAccountRepository(session).locked()
            if account is not None and account.executor_device == browser.device:
                with self._news.telling(session, account):
                    account.session = VintedSession.CHALLENGED
                    account.challenged_at = account.challenged_at or now
                    account.executor, account.checked_at = browser.socket, now
                    account.executor_until = now + EXECUTOR_LEASE
            return status_of(session, account, now)

    def _write(self, command: VintedCommand, result: CommandResult) -> None:
        now = self._clock.now()
        command.state, command.detail = _STATES[result.outcome], result.detail
        if result.outcome is Outcome.LOST:
            command.lost_at = now
            return
        command.answered_at = now
        if result.outcome is Outcome.ANSWERED:
            command.status, command.content_type = result.status, result.content_type
            command.retry_after, command.answer = result.retry_after, result.body
            command.truncated, command.challenged = result.truncated, result.challenged


def _is_said(command: VintedCommand, result: CommandResult) -> bool:
    return command.state is CommandState.LOST and result.outcome is Outcome.LOST
