"""Parked jobs cost no threads; the account's pace is kept; the operator's commands."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import text

from models.selling.publishing import JobStatus
from models.selling.vinted import CommandState, VintedSession
from repositories.selling.vinted import VintedCommandRepository
from services.selling.vinted.bridge.dispatching import Dispatching
from services.selling.vinted.bridge.executors import Browser, Executors, SessionSaid
from services.selling.vinted.forgetting import KEPT, CommandForgetting
from services.selling.vinted.pacing import Pacing
from services.selling.vinted.sites import SITES
from shared.clock import MovableClock
from shared.database import Database, TenantSchema
from shared.ids import new_uuid
from tests.behaviour.selling.vinted.conftest import Desk, MakeExtension
from tests.conftest import Run
from tests.fakes.extension import SELLER_AT_VINTED, SITE, pair
from tests.serving import Seller

MANY, SOME = 5_000, 10


def test_thousands_of_parked_jobs_cost_no_threads(
    seller: Seller, extension: MakeExtension, database: Database, clock: MovableClock
) -> None:
    """ST25, D7: they are rows; the browser works on them one by one."""
    desk = Desk(database, seller.tenant, clock)
    browser = extension(pair(seller.http)).connect()
    browser.say("unreachable")
    first = desk.ask()
    with database.tenant(seller.tenant) as session:
        session.execute(
            text(
                "INSERT INTO products SELECT (p).* FROM (SELECT jsonb_populate_record(product,"
                " jsonb_build_object('id', product.id + n, 'handle', 'many-' || n)) AS p"
                " FROM products AS product, generate_series(1, :many) AS n) AS made"
            ),
            {"many": MANY - 1},
        )
        session.execute(
            text(
                "INSERT INTO marketplace_jobs SELECT (j).* FROM (SELECT jsonb_populate_record(job,"
                " jsonb_build_object('id', job.id + n, 'product_id', job.product_id + n)) AS j"
                " FROM marketplace_jobs AS job, generate_series(1, :many) AS n) AS made"
            ),
            {"many": MANY - 1},
        )
        session.execute(
            text(
                "INSERT INTO vinted_commands SELECT (c).* FROM (SELECT jsonb_populate_record("
                "command, jsonb_build_object('id', gen_random_uuid(), 'job_id', job_id + n)) AS c"
                " FROM vinted_commands AS command, generate_series(1, :many) AS n) AS made"
            ),
            {"many": MANY - 1},
        )
    before = threading.active_count()
    assert browser.say()["waiting"] == MANY
    sent = browser.commands(SOME)
    assert [each["job_id"] for each in sent[:SOME]] == list(range(first, first + SOME))
    assert threading.active_count() - before < 30
    browser.say("signed_out")


@pytest.fixture
def browser(database: Database, tenant: TenantSchema, clock: MovableClock) -> Browser:
    """Executes, with nobody behind it."""
    browser = Browser("a socket", new_uuid())
    said = SessionSaid(VintedSession.SIGNED_IN, SITE, SELLER_AT_VINTED, "anna")
    Executors(database, SITES, clock).say(tenant, browser, said)
    return browser


def test_the_accounts_pace_is_kept_and_told(
    database: Database, tenant: TenantSchema, clock: MovableClock, browser: Browser
) -> None:
    """ST30: the bell rings when the next request may be made."""
    desk = Desk(database, tenant, clock)
    dispatching = Dispatching(database, Pacing(), clock)
    first, second = desk.ask(), desk.ask()
    sent = dispatching.next(tenant, browser).dispatch
    assert sent is not None
    assert sent.job_id == first
    with database.tenant(tenant) as session:
        command = VintedCommandRepository(session).locked(sent.command_id)
        assert command is not None
        command.state = CommandState.ANSWERED
    look = dispatching.next(tenant, browser)
    assert look.dispatch is None
    assert look.again_at is not None
    assert look.again_at > clock.now()
    clock.advance(look.again_at - clock.now())
    later = dispatching.next(tenant, browser).dispatch
    assert later is not None
    assert later.job_id == second


def test_a_command_of_a_job_that_was_cancelled_is_not_sent(
    database: Database, tenant: TenantSchema, clock: MovableClock, browser: Browser
) -> None:
    """ST28."""
    desk = Desk(database, tenant, clock)
    job_id = desk.ask()
    with database.tenant(tenant) as session:
        session.execute(text("UPDATE marketplace_jobs SET status = 'cancelled'"))
    assert Dispatching(database, Pacing(), clock).next(tenant, browser).dispatch is None
    assert desk.command(job_id).state is CommandState.WAITING


def test_old_answers_are_deleted_when_their_jobs_have_ended(
    database: Database, tenant: TenantSchema, clock: MovableClock, browser: Browser
) -> None:
    """They may name buyers."""
    desk = Desk(database, tenant, clock)
    ended, live = desk.ask(), desk.ask()
    with database.tenant(tenant) as session:
        session.execute(
            text("UPDATE marketplace_jobs SET status = 'done' WHERE id = :id"), {"id": ended}
        )
    forgetting = CommandForgetting(database, clock)
    assert forgetting.forget() == 0
    clock.advance(KEPT + timedelta(seconds=1))
    assert forgetting.forget() == 1
    assert desk.command(live).state is CommandState.WAITING
    assert desk.job(live).status is JobStatus.PARKED


def test_the_operator_stops_and_starts_a_channel(run: Run) -> None:
    """ST30."""
    assert run("channels", "list").stdout == "no channel is stopped\n"
    stopped = run("channels", "stop", "vinted", "--because", "Vinted changes its form")
    assert (stopped.exit_code, stopped.stdout) == (0, "vinted: stopped\n")
    assert run("channels", "stop", "vinted", "--because", "x").stdout == (
        "vinted: was stopped already\n"
    )
    assert "Vinted changes its form" in run("channels", "list").stdout
    assert '"channel": "vinted"' in run("channels", "list", "--json").stdout
    assert run("channels", "start", "vinted").stdout == "vinted: goes on\n"
    assert run("channels", "start", "vinted").stdout == "vinted: was not stopped\n"
    assert run("channels", "stop", "ebay", "--because", "x").exit_code == 2
