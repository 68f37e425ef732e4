"""What preflight says of Vinted is what happens at the account's pace, with real handlers."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from backend.container import Container
from models.accounts.tenants import Lane
from models.selling.publishing import Channel, JobAction, JobStatus
from models.selling.vinted import VintedSession
from repositories.selling.publishing import RunningCaps
from repositories.selling.vinted import VintedCommandRepository
from services.selling.drift.requesting import ComparisonRequests
from services.selling.publishing.preflight import Preflighted, PublicationPreflight
from services.selling.publishing.stopping import ChannelSwitch
from services.selling.quotas.ledger import DatabaseLedger
from services.selling.vinted.bridge.dispatching import Dispatching
from services.selling.vinted.bridge.executors import Browser
from services.selling.vinted.channel import VintedChannel
from services.selling.vinted.commands import CommandTransport
from services.selling.vinted.desk import TransportOf
from services.selling.vinted.listings import SeenListing, write_live
from services.selling.vinted.pacing import Pacing
from services.selling.vinted.polling import VintedPolling
from services.selling.vinted.preflight import VintedPreflight
from shared.clock import MovableClock
from tests.behaviour.selling.vinted.channel.browsing import RowBrowser
from tests.behaviour.selling.vinted.channel.conftest import Shop
from tests.factories.selling import make_job, make_product
from tests.fakes.vinted_transport import SignedInBrowser

BROWSER = Browser("a socket", UUID(int=1))
NIGHT = {"begins": "22:00:00", "ends": "07:00:00", "time_zone": "UTC"}


@pytest.fixture
def transport_of(container: Container, clock: MovableClock) -> TransportOf:
    """Rows, and nobody who answers at once."""
    return partial(CommandTransport, container.database, clock)


@pytest.fixture
def rows(shop: Shop, browser: SignedInBrowser) -> RowBrowser:
    """A browser that executes, for a year."""
    until = shop.clock.now() + timedelta(days=365)
    shop.set_account(executor=BROWSER.socket, executor_device=BROWSER.device, executor_until=until)
    return RowBrowser(shop, browser.perform)


def look(shop: Shop, *product_ids: int, action: JobAction = JobAction.PUBLISH) -> Preflighted:
    database, clock = shop.container.database, shop.clock
    channels = {Channel.VINTED: VintedChannel(VintedPreflight(), Pacing(), clock)}
    preflight = PublicationPreflight(
        channels, DatabaseLedger(database, clock), RunningCaps(), clock
    )
    open_session = partial(database.tenant, shop.tenant)
    return preflight.examine(open_session, action, product_ids, [Channel.VINTED])


def reasons(found: Preflighted) -> dict[str, str]:
    assert found.estimate is not None
    return {each.code: each.message for each in found.estimate.reasons}


def work_at_the_pace(shop: Shop, rows: RowBrowser) -> datetime:
    """Workers, browser and clock in turns until nothing is left; when the last request was made."""
    database, last = shop.container.database, shop.clock.now()
    dispatching = Dispatching(database, Pacing(), shop.clock)
    while True:
        sent = dispatching.next(shop.tenant, BROWSER)
        if sent.dispatch is not None:
            with database.tenant(shop.tenant) as session:
                command = VintedCommandRepository(session).get(sent.dispatch.command_id)
            assert command is not None
            rows.do(command)
            last = shop.clock.now()
        elif shop.turn(Lane.REALTIME) is None and shop.turn() is None:
            if sent.again_at is None:
                return last
            shop.clock.advance(sent.again_at - shop.clock.now())


def has_sent(shop: Shop, number: int, since: timedelta, every: timedelta) -> None:
    """Items were put up for sale, one after the other."""
    with shop.container.database.tenant(shop.tenant) as session:
        job_id = make_job(session, shop.clock, channel=Channel.VINTED, status=JobStatus.DONE).id
        session.execute(
            text(
                "INSERT INTO vinted_commands (id, job_id, step, round, state, site, method, path,"
                " query, truncated, challenged, asked_again, created_at, sent_at)"
                " SELECT gen_random_uuid(),"
                " :job, 'step ' || n, 1, 'answered', '', 'POST', '/drafts/7/completion', '{}',"
                " false, false, false, moment, moment FROM generate_series(0, :number - 1) AS n,"
                " LATERAL (SELECT CAST(:since AS timestamptz) + n * CAST(:every AS interval)"
                " AS moment) AS sent"
            ),
            {"job": job_id, "number": number, "since": shop.clock.now() - since, "every": every},
        )


def at(shop: Shop, hour: int, minute: int) -> None:
    now = shop.clock.now()
    then = datetime(now.year, now.month, now.day, hour, minute, tzinfo=UTC)
    shop.clock.advance(then - now + timedelta(days=then < now))


def test_a_days_budget_that_is_nearly_used_up_moves_the_rest_to_tomorrow(
    shop: Shop, rows: RowBrowser
) -> None:
    """B17, D1, G13: 49 of 50 items went up today; one more does, the other when the first ages."""
    has_sent(shop, 49, timedelta(hours=10), timedelta(minutes=10))
    products = [shop.shirt(), shop.shirt(colors=((9, 9, 9),))]
    found = look(shop, *products)
    assert found.estimate is not None
    assert found.estimate.latest is not None
    day = next(each for each in found.quotas if each.forecast.state.quota.limit == 50)
    assert (day.forecast.state.left, day.needed, day.before) == (1, 2, 0)
    assert reasons(found)["quota-fills"].startswith(
        "At most 50 items are put up or taken down on Vinted in 24 hours; 49 were"
    )
    tomorrow = shop.clock.now().date() + timedelta(days=1)
    jobs = [shop.ask(product_id) for product_id in products]
    happened = work_at_the_pace(shop, rows)
    assert [len(shop.live(product_id)) for product_id in products] == [1, 1], jobs
    assert happened.date() == tomorrow
    assert found.estimate.earliest <= happened <= found.estimate.latest
    assert happened - found.estimate.earliest < timedelta(minutes=1)


def test_what_waits_goes_first_and_the_night_is_left_out(shop: Shop, rows: RowBrowser) -> None:
    """B17, D1: two minutes before quiet hours, with a job that has begun."""
    at(shop, 21, 58)
    shop.set_account(choices={**shop.account().choices, "quiet_hours": NIGHT})
    shop.ask(shop.shirt())
    shop.turn()
    shop.ask(shop.shirt(colors=((1, 1, 1), (2, 2, 2))))
    product_id = shop.shirt(colors=((9, 9, 9), (8, 8, 8), (7, 7, 7)))
    found = look(shop, product_id)
    assert found.estimate is not None
    assert found.estimate.latest is not None
    assert found.jobs_before == 2
    assert {"pace-kept", "jobs-before", "quiet-hours"} <= reasons(found).keys()
    assert reasons(found)["jobs-before"].endswith("before: 2, with up to 9 requests.")
    shop.ask(product_id)
    happened = work_at_the_pace(shop, rows)
    assert len(shop.live(product_id)) == 1
    assert happened.hour == 7
    assert found.estimate.earliest <= happened <= found.estimate.latest
    assert happened - found.estimate.earliest < timedelta(minutes=1)


HINDRANCES: dict[str, dict[str, Any]] = {
    "channel-paused": {"paused_at": datetime(2026, 1, 1, tzinfo=UTC)},
    "channel-challenged": {"session": VintedSession.CHALLENGED},
    "channel-signed-out": {"session": VintedSession.SIGNED_OUT},
    "channel-wrong-account": {"session": VintedSession.WRONG_ACCOUNT},
    "channel-other-site": {"session": VintedSession.OTHER_SITE},
    "channel-browser-paused": {"session": VintedSession.PAUSED},
    "channel-offline": {"executor": None},
    "channel-unreachable": {"session": VintedSession.UNREACHABLE},
}


def test_what_is_in_the_way_is_said_and_nothing_is_promised(shop: Shop, rows: RowBrowser) -> None:
    """ST30, G13: each by its own word, all of them at once; and nothing is sent indeed."""
    product_id = shop.shirt()
    as_it_was = {"paused_at": None, "session": VintedSession.SIGNED_IN, "executor": BROWSER.socket}
    for code, columns in HINDRANCES.items():
        shop.set_account(**as_it_was | columns)
        found = look(shop, product_id)
        assert found.estimate is not None
        assert found.estimate.latest is None
        assert [each for each in reasons(found) if each.startswith("channel-")] == [code]
    shop.set_account(**as_it_was | HINDRANCES["channel-paused"])
    switch, database = ChannelSwitch(shop.clock), shop.container.database
    with database.platform() as session:
        switch.stop(session, Channel.VINTED, "Vinted changes its form")
    told = reasons(look(shop, product_id))
    assert list(told)[:2] == ["channel-stopped", "channel-paused"]
    assert told["channel-stopped"].endswith("for all shops at the moment: Vinted changes its form")
    shop.set_account(**as_it_was)
    shop.ask(product_id)
    shop.turn()
    dispatching = Dispatching(database, Pacing(), shop.clock)
    assert dispatching.next(shop.tenant, BROWSER).dispatch is None
    with database.platform() as session:
        switch.start(session, Channel.VINTED)
    found = look(shop, shop.shirt(colors=((9, 9, 9),)))
    assert found.estimate is not None
    assert found.estimate.latest is not None


def test_comparing_all_is_estimated_by_the_pages_of_the_wardrobe(
    shop: Shop, rows: RowBrowser
) -> None:
    """B17: not by its items, and not as if its own job were in front of it."""
    database, clock = shop.container.database, shop.clock
    with database.tenant(shop.tenant) as session:
        for number in (1, 2):
            product_id = make_product(session, clock).id
            seen = SeenListing(number, None, {}, 1, {})
            write_live(session, product_id, seen, clock.now())
    asking = ComparisonRequests(
        {Channel.VINTED: VintedChannel(VintedPreflight(), Pacing(), clock)},
        [VintedPolling()],
        DatabaseLedger(database, clock),
        RunningCaps(),
        clock,
    )
    found = asking.all_of(partial(database.tenant, shop.tenant), 1, None, confirm_ended=False)
    assert found.estimate is not None
    [pace] = found.estimate.reasons
    assert pace.message.startswith("Requests that your browser makes on Vinted: 1, ")
    assert found.estimate.earliest == clock.now()
    assert found.estimate.latest is not None
