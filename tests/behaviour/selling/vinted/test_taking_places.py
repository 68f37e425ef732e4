"""Work goes on in the browser that can do it, whichever went, broke down or was signed out."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from api.selling.vinted.places import LOOK_EVERY
from backend.app import create_app
from backend.container import build_container
from backend.settings import Settings
from models.selling.vinted import VintedAccount, VintedSession
from repositories.selling.vinted import VintedAccountRepository
from services.selling.vinted.bridge.executors import (
    EXECUTOR_LEASE,
    Browser,
    Executors,
    SessionSaid,
)
from services.selling.vinted.sites import SITES
from shared.clock import MovableClock
from shared.database import Database, TenantSchema
from shared.ids import new_uuid
from tests.behaviour.selling.vinted.conftest import MakeExtension
from tests.fakes.extension import Extension, pair
from tests.passwords import CHEAP_PASSWORDS
from tests.serving import Seller, serving
from tests.waiting import until

TRY = timedelta(seconds=30)
"""By then a browser has tried again to take a place."""


def standing(seller: Seller) -> dict[str, Any]:
    found: dict[str, Any] = seller.http.get("/api/v1/vinted/status").json()
    return found


def stands(seller: Seller, state: str) -> None:
    """Wait until the account stands like this."""
    until(lambda: standing(seller)["state"] == state)


def executes(seller: Seller, device: str) -> bool:
    devices = seller.http.get("/api/v1/vinted/devices").json()
    return any(each["executor"] and each["device"] == device for each in devices)


def account(database: Database, tenant: TenantSchema) -> VintedAccount:
    with database.tenant(tenant) as session:
        found = VintedAccountRepository(session).get()
    assert found is not None
    return found


def kept_until(database: Database, seller: Seller) -> datetime:
    until_ = account(database, seller.tenant).executor_until
    assert until_ is not None
    return until_


def asked_for_help(database: Database) -> list[str]:
    """What sellers were told that they must do."""
    with database.platform() as session:
        return list(
            session.scalars(
                text("SELECT payload->>'session' FROM public.outbox_events WHERE kind = :kind"),
                {"kind": "vinted-needs-seller"},
            )
        )


@contextmanager
def no_account_of(database: Database, tenant: TenantSchema) -> Iterator[None]:
    """The shop's account cannot be read or written."""

    def rename(before: str, after: str) -> None:
        with database.engine.begin() as connection:
            connection.execute(text(f"ALTER TABLE {tenant.quoted}.{before} RENAME TO {after}"))

    rename("vinted_accounts", "vinted_accounts_away")
    try:
        yield
    finally:
        rename("vinted_accounts_away", "vinted_accounts")


@contextmanager
def locked_account_of(database: Database, tenant: TenantSchema) -> Iterator[None]:
    """Somebody is at work on the shop's account."""
    with database.tenant(tenant) as session:
        assert VintedAccountRepository(session).locked() is not None
        yield


def test_a_place_is_taken_by_a_browser_of_another_process(
    seller: Seller,
    extension: MakeExtension,
    settings: Settings,
    database: Database,
    clock: MovableClock,
) -> None:
    """ST29: which nobody there tells that it is free."""
    container = build_container(settings, database=database, clock=clock, passwords=CHEAP_PASSWORDS)
    with serving(create_app(container)) as url:
        first = extension(pair(seller.http, "laptop")).connect()
        second = Extension(url, pair(seller.http, "desktop")).connect()
        assert first.say()["executor"] is True
        assert second.say()["executor"] is False
        first.drop()
        stands(seller, "offline")
        clock.advance(TRY)
        until(lambda: executes(seller, "desktop"))
        second.drop()
        stands(seller, "offline")
    container.close()


def test_a_browser_that_cannot_go_on_is_relieved_without_anybody_saying_anything(
    seller: Seller, extension: MakeExtension
) -> None:
    """ST29: by one that was signed in all the time."""
    first = extension(pair(seller.http, "laptop")).connect()
    second = extension(pair(seller.http, "desktop")).connect()
    assert first.say()["executor"] is True
    assert second.say()["executor"] is False
    first.say("signed_out")
    until(lambda: executes(seller, "desktop"))
    assert standing(seller)["state"] == "connected"


def test_a_browser_that_its_seller_has_paused_gives_its_place_to_another(
    seller: Seller, extension: MakeExtension, database: Database
) -> None:
    """ST29, ST30: alone, it is said what is in the way, and nobody is asked to help."""
    first = extension(pair(seller.http, "laptop")).connect()
    first.say()
    status = first.say("paused")
    assert (status["state"], status["executor"]) == ("browser_paused", True)
    assert "paused the extension in your browser" in status["reason"]
    second = extension(pair(seller.http, "desktop")).connect()
    assert second.say()["executor"] is True
    assert first.say()["executor"] is False
    second.say("paused")
    until(lambda: executes(seller, "laptop"))
    assert standing(seller)["state"] == "connected"
    assert asked_for_help(database) == []


@pytest.mark.parametrize("state", ["signed_in", "signed_out"])
def test_a_browser_at_another_site_than_the_shops_is_told_of_both(
    seller: Seller, extension: MakeExtension, database: Database, state: str
) -> None:
    """ST30: to sign in would not help."""
    browser = extension(pair(seller.http)).connect()
    browser.say()
    status = browser.say(state, site="www.vinted.de")
    assert (status["state"], status["site"]) == ("other_site", "www.vinted.fr")
    assert "www.vinted.fr" in status["reason"]
    assert "www.vinted.de" in status["reason"]
    assert asked_for_help(database) == ["other_site"]
    seller.http.put("/api/v1/vinted/site", json={"site": "www.vinted.de"}).raise_for_status()
    stands(seller, "connected" if state == "signed_in" else "signed_out")


def test_two_that_cannot_work_leave_each_other_in_peace(
    seller: Seller, extension: MakeExtension, database: Database, clock: MovableClock
) -> None:
    """ST29: somebody else is signed in there than the shop sells as."""
    first = extension(pair(seller.http, "laptop")).connect()
    second = extension(pair(seller.http, "desktop")).connect()
    first.say()
    assert second.say(vinted_user_id="815", login="ben")["executor"] is False
    first.say("signed_out")
    clock.advance(TRY)
    assert second.say(vinted_user_id="816", login="cleo")["executor"] is False
    assert (executes(seller, "laptop"), standing(seller)["state"]) == (True, "signed_out")


def test_the_place_of_a_dead_process_is_taken_when_it_has_lapsed(
    seller: Seller, extension: MakeExtension, database: Database, clock: MovableClock
) -> None:
    """ST29, ST31: by a browser that is there and signed in, and has nothing new to say."""
    extension(pair(seller.http, "laptop")).connect().say()
    with database.tenant(seller.tenant) as session:
        found = VintedAccountRepository(session).locked()
        assert found is not None
        found.executor, found.executor_device = "socket of a dead process", new_uuid()
        found.executor_until = clock.now() + EXECUTOR_LEASE
    second = extension(pair(seller.http, "desktop")).connect()
    assert second.say()["executor"] is False
    clock.advance(EXECUTOR_LEASE + TRY)
    stands(seller, "connected")


def test_a_place_is_taken_though_the_database_was_away_when_its_browser_went(
    seller: Seller, extension: MakeExtension, database: Database, clock: MovableClock
) -> None:
    """ST29, ST31."""
    first = extension(pair(seller.http, "laptop")).connect()
    second = extension(pair(seller.http, "desktop")).connect()
    first.say()
    second.say()
    with no_account_of(database, seller.tenant), capture_logs() as logs:
        first.drop()
        until(lambda: [each for each in logs if each["event"] == "sockets.parting_failed"])
    clock.advance(EXECUTOR_LEASE + TRY)
    until(lambda: executes(seller, "desktop"))


def test_a_site_that_is_chosen_anew_is_worked_on_at_once(
    seller: Seller, extension: MakeExtension
) -> None:
    """ST30: and so another account may be sold with, as the runbook says."""
    browser = extension(pair(seller.http)).connect()
    browser.say()
    assert browser.say(vinted_user_id="815", login="ben")["state"] == "wrong_account"
    for site in ("www.vinted.de", "www.vinted.fr"):
        seller.http.put("/api/v1/vinted/site", json={"site": site}).raise_for_status()
    stands(seller, "connected")
    assert standing(seller)["login"] == "ben"


def test_what_a_dead_socket_said_takes_nothing_from_the_new_one_of_its_browser(
    database: Database, seller: Seller, clock: MovableClock
) -> None:
    """ST29: the process that has it does not know yet that nobody is behind it."""
    executors, device = Executors(database, SITES, clock), new_uuid()
    old, new = Browser("old", device), Browser("new", device)
    said = SessionSaid(VintedSession.SIGNED_IN, SITES[0], "4711", "anna")
    executors.say(seller.tenant, old, said)
    assert executors.say(seller.tenant, new, said).replaced == "old"
    heard = executors.say(seller.tenant, old, said, again=True)
    assert (heard.status.executor, heard.replaced) == ("new", None)
    executors.leave(seller.tenant, new)
    assert executors.say(seller.tenant, old, said, again=True).status.executor == "old"
    executors.leave(seller.tenant, old)


@pytest.mark.parametrize("state", ["challenged", "signed_out", "unreachable"])
def test_a_line_that_breaks_for_a_moment_gives_the_place_to_nobody_who_cannot_work(
    seller: Seller,
    extension: MakeExtension,
    database: Database,
    clock: MovableClock,
    state: str,
) -> None:
    """ST29, ST30: and the seller is not asked to do anything."""
    laptop = pair(seller.http, "laptop")
    first = extension(laptop).connect()
    second = extension(pair(seller.http, "desktop")).connect()
    first.say()
    assert second.say(state)["executor"] is False
    first.drop()
    stands(seller, "offline")
    assert second.say(state)["executor"] is False
    again = extension(laptop).connect()
    status = again.say()
    assert (status["state"], status["executor"]) == ("connected", True)
    assert asked_for_help(database) == []


def test_where_nobody_comes_back_whoever_is_there_says_how_it_stands(
    seller: Seller, extension: MakeExtension, clock: MovableClock
) -> None:
    """ST29, ST30: and shuts nobody out who can work, since it never did."""
    laptop = pair(seller.http, "laptop")
    first = extension(laptop).connect()
    second = extension(pair(seller.http, "desktop")).connect()
    first.say()
    second.say("challenged")
    first.drop()
    stands(seller, "offline")
    clock.advance(EXECUTOR_LEASE + TRY)
    stands(seller, "challenged")
    assert second.say("challenged")["executor"] is True
    again = extension(laptop).connect()
    assert again.say()["executor"] is True
    stands(seller, "connected")


def test_nobody_steps_in_for_a_browser_that_vinted_has_stopped_while_it_may_come_back(
    seller: Seller, extension: MakeExtension, clock: MovableClock
) -> None:
    """ST30."""
    laptop = pair(seller.http, "laptop")
    first = extension(laptop).connect()
    first.say()
    first.say("challenged")
    second = extension(pair(seller.http, "desktop")).connect()
    first.drop()
    stands(seller, "offline")
    assert second.say()["executor"] is False
    again = extension(laptop).connect()
    assert again.say("challenged")["executor"] is True
    assert second.say()["executor"] is False
    again.drop()
    stands(seller, "offline")
    clock.advance(EXECUTOR_LEASE + TRY)
    until(lambda: executes(seller, "desktop"))


def test_a_shop_that_is_held_up_holds_up_no_other(
    seller: Seller,
    other_seller: Seller,
    extension: MakeExtension,
    database: Database,
    clock: MovableClock,
) -> None:
    """ST29, ST31: its account is locked or cannot be read; its own place is renewed afterwards."""
    for each in (seller, other_seller):
        extension(pair(each.http)).connect().say()
    for held_up in (no_account_of, locked_account_of):
        before, others = kept_until(database, seller), kept_until(database, other_seller)
        with held_up(database, seller.tenant):
            clock.advance(EXECUTOR_LEASE * 0.75)
            until(lambda others=others: kept_until(database, other_seller) > others)
        clock.advance(TRY)
        until(lambda before=before: kept_until(database, seller) > before)


def test_places_are_renewed_of_browsers_that_come_while_a_look_takes_long(
    seller: Seller,
    other_seller: Seller,
    extension: MakeExtension,
    database: Database,
    clock: MovableClock,
) -> None:
    """ST29, ST31: the last one has gone meanwhile."""
    first = extension(pair(seller.http)).connect()
    first.say()
    with database.engine.begin() as connection:
        connection.execute(text("LOCK TABLE public.browser_bells IN ACCESS EXCLUSIVE MODE"))
        until(lambda: looks_for_bells(database))
        first.drop()
        stands(seller, "offline")
        # Nothing tells outside that no places are looked after any more.
        threading.Event().wait(2 * LOOK_EVERY.total_seconds())
        second = extension(pair(other_seller.http)).connect()
    second.say()
    before = kept_until(database, other_seller)
    clock.advance(EXECUTOR_LEASE * 0.75)
    until(lambda: kept_until(database, other_seller) > before)


def looks_for_bells(database: Database) -> bool:
    """The look at all shops hangs."""
    with database.engine.connect() as connection:
        hanging = connection.scalar(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                " AND query LIKE '%ORDER BY public.browser_bells.due_at%'"
            )
        )
    return bool(hanging)
