"""Requests to Vinted are rows: asked once, answered once, and the job goes on where it was."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from models.accounts.tenants import Lane
from models.selling.publishing import Channel, JobAction, JobOutcome, JobStatus, MarketplaceJob
from models.selling.vinted import CommandState, VintedCommand
from repositories.accounts.browser_bells import BrowserBellRepository
from repositories.selling.publishing import JobRepository
from repositories.selling.vinted import VintedCommandRepository
from services.gateways.vinted.transport import AwaitingAnswer, VintedAnswer, VintedRequest
from services.selling.publishing.answering import JobAnswers
from services.selling.publishing.handlers import Journal
from services.selling.publishing.lease import LeaseKeeper
from services.selling.publishing.processor import MarketplaceJobProcessor
from services.selling.vinted.commands import CommandTransport, parked
from shared.clock import MovableClock
from shared.database import Database, TenantSchema
from shared.errors import APIConnectionError, APITimeoutError, Misconfigured
from tests.factories.selling import make_job
from tests.factories.vinted import SITE, make_vinted_account, park
from tests.fakes.handlers import ScriptedHandler

LOOK = VintedRequest("GET", "/api/v2/users/current")
PUT_UP = VintedRequest("POST", "/api/v2/item_upload/drafts", body={"draft": {"title": "Shirt"}})

Told = Callable[..., None]


@pytest.fixture
def job_id(database: Database, tenant: TenantSchema, clock: MovableClock) -> int:
    with database.tenant(tenant) as session:
        make_vinted_account(session, clock)
        return make_job(session, clock, channel=Channel.VINTED).id


@pytest.fixture
def transport(
    database: Database, tenant: TenantSchema, clock: MovableClock, job_id: int
) -> CommandTransport:
    return CommandTransport(database, clock, tenant, job_id)


@pytest.fixture
def told(database: Database, tenant: TenantSchema, clock: MovableClock, job_id: int) -> Told:
    """Writes down what came of the newest command of the job, as the bridge does."""

    def tell(**columns: Any) -> None:
        answers = JobAnswers(clock, "bridge-1")
        with database.tenant(tenant) as session:
            job = answers.locked(session, job_id)
            assert job is not None
            command = VintedCommandRepository(session).of_job(job_id)[-1]
            for name, value in columns.items():
                setattr(command, name, value)
            answers.answer(session, job)

    return tell


def commands(database: Database, tenant: TenantSchema, job_id: int) -> list[VintedCommand]:
    with database.tenant(tenant) as session:
        return list(VintedCommandRepository(session).of_job(job_id))


def read(database: Database, tenant: TenantSchema, job_id: int) -> MarketplaceJob:
    with database.tenant(tenant) as session:
        job = JobRepository(session).get(job_id)
    assert job is not None
    return job


def test_a_request_is_a_row_first_and_rings_when_its_job_is_parked(
    database: Database,
    tenant: TenantSchema,
    other_tenant: TenantSchema,
    clock: MovableClock,
    transport: CommandTransport,
    job_id: int,
) -> None:
    """ST25: whatever dies afterwards, the request is known; nobody looks before it may be sent."""
    with pytest.raises(AwaitingAnswer):
        transport.ask("who is there", LOOK)
    (command,) = commands(database, tenant, job_id)
    assert (command.state, command.site, command.method, command.path) == (
        CommandState.WAITING,
        SITE,
        "GET",
        "/api/v2/users/current",
    )

    def ringing() -> Sequence[TenantSchema]:
        with database.platform() as session:
            return BrowserBellRepository(session).due([tenant, other_tenant], clock.now())

    assert ringing() == []
    park(database, clock, tenant, job_id)
    assert ringing() == [tenant]


def test_a_step_is_asked_once(
    database: Database, tenant: TenantSchema, transport: CommandTransport, told: Told, job_id: int
) -> None:
    """ST25, B15: going through the steps from the top asks nothing anew."""
    for _ in range(3):
        with pytest.raises(AwaitingAnswer):
            transport.ask("who is there", LOOK)
    told(state=CommandState.ANSWERED, status=200, content_type="application/json", answer="{}")
    for _ in range(3):
        answer = transport.ask("who is there", LOOK)
        assert answer == VintedAnswer(200, "application/json", "{}")
    assert len(commands(database, tenant, job_id)) == 1


def test_a_used_answer_can_be_asked_for_anew(
    database: Database, tenant: TenantSchema, transport: CommandTransport, told: Told, job_id: int
) -> None:
    """ST25: such as a 429, once its wait is over."""
    with pytest.raises(AwaitingAnswer):
        transport.ask("who is there", LOOK)
    told(state=CommandState.ANSWERED, status=429, answer="")
    transport.again("who is there")
    with pytest.raises(AwaitingAnswer):
        transport.ask("who is there", LOOK)
    assert [each.round for each in commands(database, tenant, job_id)] == [1, 2]


def test_a_lost_answer_stays_lost_until_it_was_looked_up(
    database: Database,
    tenant: TenantSchema,
    clock: MovableClock,
    transport: CommandTransport,
    told: Told,
    job_id: int,
) -> None:
    """A2, ST26: never asked twice by accident."""
    with pytest.raises(AwaitingAnswer):
        transport.ask("begin the draft", PUT_UP)
    told(state=CommandState.SENT, lost_at=clock.now() + timedelta(minutes=2))
    with pytest.raises(AwaitingAnswer):
        transport.ask("begin the draft", PUT_UP)
    clock.advance(timedelta(minutes=2))
    for _ in range(2):
        with pytest.raises(APITimeoutError):
            transport.ask("begin the draft", PUT_UP)
    assert [each.state for each in commands(database, tenant, job_id)] == [CommandState.LOST]
    transport.again("begin the draft")
    with pytest.raises(AwaitingAnswer):
        transport.ask("begin the draft", PUT_UP)


def test_a_late_answer_settles_what_was_lost(
    clock: MovableClock, transport: CommandTransport, told: Told
) -> None:
    """A2."""
    with pytest.raises(AwaitingAnswer):
        transport.ask("begin the draft", PUT_UP)
    told(state=CommandState.SENT, lost_at=clock.now())
    with pytest.raises(APITimeoutError):
        transport.ask("begin the draft", PUT_UP)
    told(state=CommandState.ANSWERED, status=200, answer='{"draft":{"id":1}}')
    assert transport.ask("begin the draft", PUT_UP).status == 200


def test_what_was_not_sent_is_known_not_to_have_happened(
    transport: CommandTransport, told: Told
) -> None:
    """ST26."""
    with pytest.raises(AwaitingAnswer):
        transport.ask("begin the draft", PUT_UP)
    told(state=CommandState.NOT_SENT, detail="The browser is offline.")
    with pytest.raises(APIConnectionError, match="offline"):
        transport.ask("begin the draft", PUT_UP)


def test_without_a_paired_browser_nothing_is_left(
    database: Database, other_tenant: TenantSchema, clock: MovableClock
) -> None:
    """X2."""
    with database.tenant(other_tenant) as session:
        job_id = make_job(session, clock, channel=Channel.VINTED).id
    with pytest.raises(Misconfigured):
        CommandTransport(database, clock, other_tenant, job_id).ask("who is there", LOOK)
    assert commands(database, other_tenant, job_id) == []


def test_a_job_of_many_requests_is_parked_at_each_and_goes_on_at_each_answer(
    database: Database,
    tenant: TenantSchema,
    clock: MovableClock,
    transport: CommandTransport,
    told: Told,
    job_id: int,
) -> None:
    """ST25, D7: no thread waits, and waiting for an answer that comes is no failed attempt."""

    def act(_command: Any, journal: Journal) -> Any:
        try:
            return [transport.ask(f"step {number:02}", LOOK).status for number in range(12)]
        except AwaitingAnswer:
            return parked(clock)

    handler = ScriptedHandler()
    handler.acts = [act] * 13
    table = {(Channel.VINTED, action): handler for action in JobAction}
    leases = LeaseKeeper(database, clock, timedelta(seconds=60))
    processor = MarketplaceJobProcessor(database, table, leases, clock, "worker-1")
    for _ in range(12):
        assert processor.process_next_job(Lane.BULK) is not None
        assert processor.process_next_job(Lane.BULK) is None
        assert read(database, tenant, job_id).status is JobStatus.PARKED
        told(state=CommandState.ANSWERED, status=200, answer="{}")
    processor.process_next_job(Lane.BULK)
    job = read(database, tenant, job_id)
    assert (job.status, job.outcome, job.attempts) == (JobStatus.DONE, JobOutcome.OK, 1)
