"""Work that is left for a browser while its shop is being looked at is not overlooked."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, delete, event, update

from backend.container import Container
from models.selling.publishing import Channel, JobStatus, MarketplaceJob
from models.selling.vinted import CommandState, VintedCommand, VintedSession
from repositories.accounts.browser_bells import BrowserBellRepository
from repositories.selling.vinted import VintedAccountRepository
from services.gateways.vinted.transport import VintedRequest
from services.selling.vinted.account import VintedAccountDesk
from services.selling.vinted.bridge.dispatching import Dispatching, Look
from services.selling.vinted.bridge.executors import Browser, Executors, SessionSaid
from services.selling.vinted.bridge.leases import CommandLease
from services.selling.vinted.bridge.results import CommandResult, CommandResults, Outcome
from services.selling.vinted.pacing import Kind, PaceRule, Pacing
from services.selling.vinted.sites import SITES
from shared.clock import SystemClock
from shared.database import Database, TenantSchema
from shared.ids import new_uuid
from tests.factories.selling import make_job
from tests.factories.vinted import ask, park

STATEMENTS = 30
"""More than a look takes."""

HELD_UP_S = 0.2
"""Whoever is not through by then waits for a lock of the look's."""


@contextmanager
def interrupted(engine: Engine, at: int, by: threading.Thread) -> Iterator[None]:
    """Before this thread's statement of that number let another thread act, as far as it can."""
    here, done = threading.get_ident(), 0

    def count(*_statement: Any) -> None:
        nonlocal done
        if threading.get_ident() != here:
            return
        done += 1
        if done == at:
            by.start()
            by.join(HELD_UP_S)

    event.listen(engine, "before_cursor_execute", count)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", count)
    if by.ident is None:
        by.start()
    by.join()


@pytest.mark.parametrize("answered", [True, False], ids=["after an answer", "any look"])
@pytest.mark.parametrize("bell", [True, False], ids=["rung before", "no bell"])
def test_a_job_that_is_parked_in_the_middle_of_a_look_is_sent_or_rung_for(
    database: Database, tenant: TenantSchema, bell: bool, answered: bool
) -> None:
    """ST25, D7: at whichever statement of the look it happens."""
    clock, browser = SystemClock(), Browser("a socket", new_uuid())
    said = SessionSaid(VintedSession.SIGNED_IN, SITES[0], "4711", "anna")
    Executors(database, SITES, clock).say(tenant, browser, said)
    dispatching = Dispatching(database, Pacing([]), clock)
    for at in range(1, STATEMENTS + 1):
        with database.tenant(tenant) as session:
            job = make_job(session, clock, channel=Channel.VINTED, status=JobStatus.RUNNING)
            moment = clock.now() if bell else None
            BrowserBellRepository(session).set(tenant, moment)
        ask(database, clock, tenant, job.id, VintedRequest("GET", "/api/v2/users/current"))
        parking = threading.Thread(target=park, args=(database, clock, tenant, job.id))
        with interrupted(database.engine, at, parking):
            look = dispatching.next(tenant, browser, answered=answered)
        with database.platform() as session:
            rings = BrowserBellRepository(session).due([tenant], clock.now())
        assert look.dispatch is not None or rings, f"overlooked at statement {at}"
        forget(database, tenant)


def test_a_job_that_is_parked_while_another_is_answered_is_sent_or_rung_for(
    database: Database, tenant: TenantSchema, container: Container
) -> None:
    """ST25, D7: storing an answer rings nobody, since whoever stores it looks what is next."""
    clock, browser = SystemClock(), Browser("a socket", new_uuid())
    said = SessionSaid(VintedSession.SIGNED_IN, SITES[0], "4711", "anna")
    Executors(database, SITES, clock).say(tenant, browser, said)
    dispatching = Dispatching(database, Pacing([]), clock)
    leases = container.vinted_bridge.leases
    results = CommandResults(database, leases, clock)
    for at in range(1, STATEMENTS + 1):
        first, second = (running(database, clock, tenant) for _ in range(2))
        park(database, clock, tenant, first)
        sent = dispatching.next(tenant, browser).dispatch
        assert sent is not None
        assert sent.job_id == first
        lease = CommandLease(
            tenant, sent.command_id, sent.method, sent.path, sent.site, sent.lane, sent.deadline
        )
        result = CommandResult(sent.command_id, leases.sign(lease), Outcome.ANSWERED, 200)
        looks = []

        def arrive(parks: int = second, looks: list[Look] = looks) -> None:
            park(database, clock, tenant, parks)
            looks.append(dispatching.next(tenant, browser))

        with interrupted(database.engine, at, threading.Thread(target=arrive)):
            results.store(tenant, result, looks=True)
            looks.append(dispatching.next(tenant, browser, answered=True))
        with database.platform() as session:
            rings = BrowserBellRepository(session).due([tenant], clock.now())
        sends = [look.dispatch.job_id for look in looks if look.dispatch is not None]
        assert sends == [second] or (rings and not sends), f"overlooked at statement {at}"
        forget(database, tenant)


@pytest.mark.parametrize("looks", [True, False], ids=["where it executes", "elsewhere"])
def test_an_answer_rings_where_nobody_looks_by_himself(
    database: Database, tenant: TenantSchema, container: Container, looks: bool
) -> None:
    """ST25, D7: one may come to a process that does not hold the executor's socket."""
    clock, browser = SystemClock(), Browser("a socket", new_uuid())
    said = SessionSaid(VintedSession.SIGNED_IN, SITES[0], "4711", "anna")
    Executors(database, SITES, clock).say(tenant, browser, said)
    dispatching = Dispatching(database, Pacing([]), clock)
    leases = container.vinted_bridge.leases
    park(database, clock, tenant, running(database, clock, tenant))
    sent = dispatching.next(tenant, browser).dispatch
    assert sent is not None
    lease = CommandLease(
        tenant, sent.command_id, sent.method, sent.path, sent.site, sent.lane, sent.deadline
    )
    result = CommandResult(sent.command_id, leases.sign(lease), Outcome.ANSWERED, 200)
    CommandResults(database, leases, clock).store(tenant, result, looks=looks)
    with database.platform() as session:
        rings = BrowserBellRepository(session).due([tenant], clock.now())
    assert bool(rings) is not looks


def running(database: Database, clock: SystemClock, tenant: TenantSchema) -> int:
    """A job that has asked and is not parked yet."""
    with database.tenant(tenant) as session:
        job = make_job(session, clock, channel=Channel.VINTED, status=JobStatus.RUNNING)
    ask(database, clock, tenant, job.id, VintedRequest("GET", "/api/v2/users/current"))
    return job.id


def forget(database: Database, tenant: TenantSchema) -> None:
    with database.tenant(tenant) as session:
        session.execute(delete(VintedCommand))
        session.execute(update(MarketplaceJob).values(status=JobStatus.CANCELLED))


def _says(database: Database, tenant: TenantSchema, browser: Browser) -> None:
    said = SessionSaid(VintedSession.SIGNED_IN, SITES[0], "4711", "anna")
    Executors(database, SITES, SystemClock()).say(tenant, browser, said)


def _resumes(database: Database, tenant: TenantSchema, _browser: Browser) -> None:
    with database.tenant(tenant) as session:
        VintedAccountDesk(SITES, SystemClock()).resume(session)


@pytest.mark.parametrize("act", [_says, _resumes], ids=["a browser speaks", "a seller resumes"])
def test_a_look_at_a_paced_account_and_whoever_changes_it_let_each_other_through(
    database: Database,
    tenant: TenantSchema,
    act: Callable[[Database, TenantSchema, Browser], None],
) -> None:
    """ST25, D1: at whichever statement of the look it happens, and the next moment is told."""
    clock, browser = SystemClock(), Browser("a socket", new_uuid())
    dispatching = Dispatching(
        database, Pacing([PaceRule(Kind.REQUEST, 1, timedelta(hours=1))]), clock
    )
    _says(database, tenant, browser)
    for _ in range(2):
        with database.tenant(tenant) as session:
            job = make_job(session, clock, channel=Channel.VINTED, status=JobStatus.RUNNING)
        ask(database, clock, tenant, job.id, VintedRequest("GET", "/api/v2/users/current"))
        park(database, clock, tenant, job.id)
    assert dispatching.next(tenant, browser).dispatch is not None
    with database.tenant(tenant) as session:
        session.execute(
            update(VintedCommand)
            .where(VintedCommand.state == CommandState.SENT)
            .values(state=CommandState.ANSWERED)
        )
    for at in range(1, STATEMENTS + 1):
        through: list[bool] = []

        def acts(through: list[bool] = through) -> None:
            act(database, tenant, browser)
            through.append(True)

        with interrupted(database.engine, at, threading.Thread(target=acts)):
            look = dispatching.next(tenant, browser)
        assert through, f"refused at statement {at}"
        with database.tenant(tenant) as session:
            account = VintedAccountRepository(session).get()
        assert account is not None
        assert (look.dispatch, account.next_at) == (None, look.again_at)
