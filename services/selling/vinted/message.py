"""Answers in a conversation that exists, once, and never blindly again.

Vinted forbids messages to many and to people who have not asked. So a reply goes only where the
other one has written or bought something; conversations are not begun.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.selling.publishing import Channel, JobAction, MarketplaceJob
from repositories.selling.publishing import JobRepository
from repositories.selling.vinted import VintedAccountRepository
from services.gateways.vinted.orders import Conversation
from services.gateways.vinted.transport import AwaitingAnswer
from services.selling.publishing.account_work import AccountJob, AccountWork
from services.selling.publishing.handlers import (
    Cancel,
    Completed,
    Journal,
    Parked,
    Problem,
    Verdict,
)
from services.selling.vinted.choices import VintedNotConnected
from services.selling.vinted.desk import JobKey, VintedDesk, VintedWorkshop
from services.selling.vinted.preparing import key_of
from shared.clock import Clock
from shared.database import TenantSession
from shared.errors import BadInput, Conflict, FieldProblem, Remedy, VintedError

CONVERSATION_ID, BODY = "conversation_id", "body"
"""Of the job's payload."""

BODY_LIMIT = 2000
"""Characters; what Vinted takes is not known."""

REPLY = "reply"

_NO_CONVERSATION = "Vinted has no such conversation, or it is not yours."
_UNSOLICITED = (
    "The other member has not written and has bought nothing. Vinted forbids messages to people who"
    " did not ask."
)
_CLOSED = "Vinted takes no reply in this conversation any more."


class ReplyUnderWay(Conflict):
    """Replies go one after the other."""

    code, title = "vinted-reply-under-way", "Another reply is still on its way"


@dataclass(frozen=True, slots=True)
class MessageCommand:
    """What to say where."""

    key: JobKey
    conversation_id: int
    body: str


class VintedMessage:
    """Handler of `message` jobs."""

    def __init__(self, shop: VintedWorkshop) -> None:
        self._shop = shop

    def prepare(self, session: TenantSession, job: MarketplaceJob) -> MessageCommand | Verdict:
        """What the seller wrote."""
        key = key_of(session, job)
        if isinstance(key, Cancel):
            return key
        conversation = str(job.payload.get(CONVERSATION_ID, ""))
        body = str(job.payload.get(BODY, "")).strip()
        if not conversation.isdecimal() or not body:
            return Cancel(Problem("message-incomplete", "Say what to answer, and where."))
        return MessageCommand(key, int(conversation), body)

    def perform(self, command: MessageCommand, journal: Journal) -> int | Parked:
        """Look at the conversation, then answer."""
        desk = self._shop.desk(command.key, journal)
        try:
            return _replied(desk, command)
        except AwaitingAnswer:
            return self._shop.parked()

    def record(self, session: TenantSession, job: MarketplaceJob, result: int) -> Verdict:
        """Nothing is kept but that it was said."""
        return Completed({"conversation_id": str(result)})


class VintedReplies:
    """Has a reply sent in the background."""

    def __init__(self, clock: Clock) -> None:
        self._work = AccountWork(clock)

    def reply(
        self, session: TenantSession, conversation_id: int, body: str, requested_by: int
    ) -> AccountJob:
        """Queue it; the same words in the same conversation, asked twice, are one job.

        Raises `VintedNotConnected`, `ReplyUnderWay` while another one has not ended, and
        `BadInput`.
        """
        if VintedAccountRepository(session).get() is None:
            raise VintedNotConnected("Pair a browser for Vinted first.")
        if not body.strip():
            problem = FieldProblem("body", "Write something.", "missing")
            raise BadInput("There is nothing to send.", fields=[problem])
        payload: Mapping[str, Any] = {
            CONVERSATION_ID: str(conversation_id),
            BODY: body.strip(),
        }
        asked = self._work.request(
            session, JobAction.MESSAGE, Channel.VINTED, requested_by, payload
        )
        job = JobRepository(session).get(asked.job_id) if asked.already else None
        if job is not None and job.payload != payload:
            raise ReplyUnderWay(f"Wait until job {job.id} has ended, then send this one.")
        return asked


def _replied(desk: VintedDesk, command: MessageCommand) -> int:
    talk = _read(desk, "read the conversation", command.conversation_id)
    _refuse_unsolicited(talk, desk)
    body = {
        "reply": {
            "body": command.body,
            "photo_temp_uuids": None,
            "is_personal_data_sharing_check_skipped": False,
        }
    }

    def act(step: str) -> bool:
        desk.client.reply(step, command.conversation_id, body)
        return True

    def look(step: str) -> bool | None:
        before, after = _said(desk, talk, command), _said_now(desk, step, command)
        return True if after > before else None

    desk.irrevocable(REPLY, act, look, version=0)
    desk.tell_late("replied")
    return command.conversation_id


def _said_now(desk: VintedDesk, step: str, command: MessageCommand) -> int:
    return _said(desk, _read(desk, step, command.conversation_id), command)


def _said(desk: VintedDesk, talk: Conversation, command: MessageCommand) -> int:
    """How often the seller has said just this."""
    return sum(
        each.body.strip() == command.body and str(each.user_id) == desk.key.user_id
        for each in talk.written
    )


def _read(desk: VintedDesk, step: str, conversation_id: int) -> Conversation:
    talk = desk.client.conversation(step, conversation_id)
    if talk is None:
        raise _refusal(_NO_CONVERSATION)
    return talk


def _refuse_unsolicited(talk: Conversation, desk: VintedDesk) -> None:
    asked = any(str(each.user_id) != desk.key.user_id for each in talk.written if each.user_id)
    bought = talk.deal is not None and talk.deal.shipment_status is not None
    if not talk.may_reply:
        raise _refusal(_CLOSED)
    if not asked and not bought:
        raise _refusal(_UNSOLICITED)


def _refusal(message: str) -> VintedError:
    problem = FieldProblem("conversation_id", message, "conversation-refused")
    return VintedError(message, remedy=Remedy.FIX_DATA, fields=[problem])
