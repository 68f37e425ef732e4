"""Requests to Vinted as rows: they outlive sockets, processes and the job's own attempts."""

from datetime import datetime, timedelta

from models.selling.vinted import CommandState, VintedCommand
from repositories.accounts.browser_bells import BrowserBellRepository
from repositories.selling.vinted import VintedCommandRepository
from services.gateways.vinted.transport import AwaitingAnswer, VintedAnswer, VintedRequest
from services.selling.publishing.handlers import Parked
from shared.clock import Clock
from shared.database import Database, TenantSchema, TenantSession
from shared.errors import (
    APIConnectionError,
    APITimeoutError,
    Misconfigured,
)
from shared.ids import new_uuid

PATIENCE = timedelta(hours=12)
"""How long a job stays parked for a browser that is away, before it asks again."""

WAITING_FOR = "your browser: leave it open with Vinted signed in"


class CommandTransport:
    """A `VintedTransport` for one job: each request becomes a row that a bridge sends on.

    Opens short transactions of its own; holds none.
    """

    def __init__(self, database: Database, clock: Clock, tenant: TenantSchema, job_id: int) -> None:
        self._database = database
        self._clock = clock
        self._tenant = tenant
        self._job_id = job_id

    def ask(self, step: str, request: VintedRequest) -> VintedAnswer:
        """See `VintedTransport`."""
        with self._database.tenant(self._tenant) as session:
            latest = VintedCommandRepository(session).latest(self._job_id, step)
            if latest is None or latest.asked_again:
                self._leave(session, step, request, 1 if latest is None else latest.round + 1)
                raise_after: Exception | None = AwaitingAnswer()
            else:
                raise_after = self._not_answered(latest)
        if raise_after is not None:
            raise raise_after
        assert latest is not None
        return answer_of(latest)

    def again(self, step: str) -> None:
        """See `VintedTransport`."""
        with self._database.tenant(self._tenant) as session:
            latest = VintedCommandRepository(session).latest(self._job_id, step)
            if latest is not None:
                latest.asked_again = True

    def _not_answered(self, command: VintedCommand) -> Exception | None:
        if command.state is CommandState.SENT and _is_lost(command, self._clock.now()):
            command.state = CommandState.LOST
        match command.state:
            case CommandState.ANSWERED:
                return None
            case CommandState.WAITING | CommandState.SENT:
                return AwaitingAnswer()
            case CommandState.LOST:
                return APITimeoutError(
                    "Your browser did not say what Vinted answered; it is being looked up."
                )
            case CommandState.NOT_SENT | CommandState.WITHDRAWN:
                return APIConnectionError(command.detail or "Your browser could not reach Vinted.")

    def _leave(
        self, session: TenantSession, step: str, request: VintedRequest, number: int
    ) -> None:
        photo = request.photo
        added = VintedCommandRepository(session).add(
            {
                "id": new_uuid(),
                "job_id": self._job_id,
                "step": step,
                "round": number,
                "method": request.method,
                "path": request.path,
                "query": dict(request.query),
                "body": None if request.body is None else dict(request.body),
                "photo": None
                if photo is None
                else {
                    "object_key": photo.object_key,
                    "sha256": photo.sha256,
                    "content_type": photo.content_type,
                    "fields": dict(photo.fields),
                },
                "created_at": self._clock.now(),
            }
        )
        if not added:
            raise Misconfigured("No browser is paired for Vinted.")


def parked(clock: Clock) -> Parked:
    """How an attempt ends that waits for the browser."""

    def summon(session: TenantSession) -> None:
        session.flush()
        BrowserBellRepository(session).ring(session.tenant, clock.now())

    return Parked(clock.now() + PATIENCE, WAITING_FOR, summon)


def answer_of(command: VintedCommand) -> VintedAnswer:
    """What Vinted said to an answered command."""
    return VintedAnswer(
        status=command.status or 0,
        content_type=command.content_type or "",
        body=command.answer or "",
        retry_after=command.retry_after,
        truncated=command.truncated,
        challenged=command.challenged,
        answered_at=command.answered_at,
    )


def _is_lost(command: VintedCommand, now: datetime) -> bool:
    return command.lost_at is not None and command.lost_at <= now
