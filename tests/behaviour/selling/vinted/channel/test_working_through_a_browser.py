"""Jobs on Vinted whose browser comes and goes: each request is a row, and nothing is done twice."""

from datetime import timedelta
from functools import partial

import pytest

from backend.container import Container
from backend.handlers import withdrawals
from models.accounts.tenants import Lane
from models.selling.catalog import Product
from models.selling.publishing import JobAction, JobOutcome, JobStatus
from models.selling.vinted import CommandState, VintedSession
from services.gateways.vinted.transport import VintedAnswer
from services.selling.publishing.steering import JobBeingChecked, JobSteering
from services.selling.vinted.commands import CommandTransport
from services.selling.vinted.desk import TransportOf
from shared.clock import MovableClock
from shared.database import TenantSession
from tests.behaviour.selling.vinted.channel.browsing import RowBrowser
from tests.behaviour.selling.vinted.channel.conftest import Shop
from tests.fakes.vinted_transport import SignedInBrowser

_THREE_MINUTES = timedelta(minutes=3, seconds=1)
COLORS = ((10, 20, 30), (40, 50, 60), (70, 80, 90))


@pytest.fixture
def transport_of(container: Container, clock: MovableClock) -> TransportOf:
    """The road that handlers really take: rows, and nobody who answers at once."""
    return partial(CommandTransport, container.database, clock)


@pytest.fixture
def rows(shop: Shop, browser: SignedInBrowser) -> RowBrowser:
    return RowBrowser(shop, browser.perform)


def cancel(shop: Shop, job_id: int) -> None:
    with shop.container.database.tenant(shop.tenant) as session:
        JobSteering(shop.clock, withdrawals()).cancel(session, job_id)


def test_a_publish_asks_for_each_photo_and_three_times_more(shop: Shop, rows: RowBrowser) -> None:
    """B17, ST25: the budget; photos in order, one attempt, no thread that waits."""
    product_id = shop.shirt(colors=COLORS)
    job_id = shop.ask(product_id)
    calls = shop.calls_of(lambda: rows.work(job_id))
    job = shop.job(job_id)
    assert (job.outcome, job.attempts) == (JobOutcome.OK, 1), job.problem_detail
    assert calls == {"uploadPhoto": 3, "createDraft": 1, "completeDraft": 1, "getItem": 1}
    [row] = shop.live(product_id)
    assert row["photos"] == [image.sha256 for image in shop.product(product_id).images]
    listing = shop.listing(product_id)
    assert listing is not None
    assert listing.read_back["differences"] == []
    assert sorted(listing.remote["photos"].values()) == sorted(row["photo_ids"])


@pytest.mark.parametrize("operation", ["uploadPhoto", "createDraft", "completeDraft", "getItem"])
def test_whatever_answer_is_lost_there_is_one_listing(
    shop: Shop, rows: RowBrowser, operation: str
) -> None:
    """B1, B2, D8: and what was carried out is not carried out again."""
    product_id = shop.shirt()
    job_id = shop.ask(product_id)
    shop.site.fault(operation, "lost_answer")
    job = rows.work(job_id)
    assert job.outcome is JobOutcome.OK, job.problem_detail
    assert len(shop.items(product_id)) == len(shop.live(product_id)) == 1


def test_a_late_answer_settles_what_was_lost(shop: Shop, rows: RowBrowser) -> None:
    """D8: the browser says after all what Vinted had answered."""
    product_id = shop.shirt()
    job_id = shop.ask(product_id)
    while True:
        shop.turn()
        command = rows.take()
        assert command is not None
        if command.step == "put it up for sale":
            break
        rows.do(command)
    shop.clock.advance(_THREE_MINUTES)
    shop.turn()
    assert shop.job(job_id).outcome is JobOutcome.UNKNOWN
    rows.do(command)
    job = rows.work(job_id)
    assert job.outcome is JobOutcome.OK
    assert len(shop.live(product_id)) == 1


def test_a_challenge_keeps_the_job_and_its_attempts(shop: Shop, rows: RowBrowser) -> None:
    """D1, D4: the lane stops, the account says why, and it goes on where it was."""
    product_id = shop.shirt()
    job_id = shop.ask(product_id)
    shop.site.control("members/camille/challenge")
    shop.turn()
    command = rows.take()
    assert command is not None
    rows.do(command)
    shop.turn()
    job = shop.job(job_id)
    assert (job.status, job.attempts) == (JobStatus.PARKED, 1)
    assert shop.account().session is VintedSession.CHALLENGED
    assert [state for _step, state in rows.steps(job_id)] == [
        CommandState.ANSWERED,
        CommandState.WAITING,
    ]
    word = shop.site.read("members")["members"][0]["challenge"]
    shop.browser.http.post("/geo.captcha-delivery.com/captcha/check", data={"answer": word})
    job = rows.work(job_id)
    assert (job.outcome, job.attempts) == (JobOutcome.OK, 1), job.problem_detail
    assert len(shop.live(product_id)) == 1


def test_signed_out_waits_for_the_seller(shop: Shop, rows: RowBrowser) -> None:
    """D5: blocked by the session, not failed."""
    job_id = shop.ask(shop.shirt())
    shop.site.control("members/camille/expire")
    shop.turn()
    command = rows.take()
    assert command is not None
    rows.do(command)
    shop.turn()
    job = shop.job(job_id)
    assert (job.status, job.outcome, job.attempts) == (JobStatus.PARKED, None, 1)
    assert shop.account().session is VintedSession.SIGNED_OUT


def test_what_the_browser_has_said_since_goes_before_an_old_answer(
    shop: Shop, rows: RowBrowser
) -> None:
    """D4: the seller was faster than the worker."""
    job_id = shop.ask(shop.shirt())
    shop.site.fault("uploadPhoto", "challenge")
    shop.turn()
    command = rows.take()
    assert command is not None
    rows.do(command)
    shop.clock.advance(_THREE_MINUTES)
    shop.set_account(session=VintedSession.SIGNED_IN, checked_at=shop.clock.now())
    shop.turn()
    assert shop.job(job_id).status is JobStatus.PARKED
    assert shop.account().session is VintedSession.SIGNED_IN


def test_a_page_instead_of_json_is_a_block(shop: Shop, rows: RowBrowser) -> None:
    """D4: whatever its status says."""
    job_id = shop.ask(shop.shirt(), JobAction.PUBLISH)
    rows.perform = lambda _request: VintedAnswer(403, "text/html", "<p>Just a moment</p>")
    shop.turn()
    command = rows.take()
    assert command is not None
    rows.do(command)
    shop.turn()
    assert shop.job(job_id).status is JobStatus.PARKED
    assert shop.account().session is VintedSession.CHALLENGED


def test_cancelling_what_no_browser_knows_of_ends_it_at_once(shop: Shop, rows: RowBrowser) -> None:
    """G12."""
    product_id = shop.shirt()
    job_id = shop.ask(product_id)
    shop.turn()
    cancel(shop, job_id)
    assert shop.job(job_id).status is JobStatus.CANCELLED
    assert [state for _step, state in rows.steps(job_id)] == [CommandState.WITHDRAWN]
    assert rows.take() is None
    assert shop.items(product_id) == []


def until_asked(shop: Shop, rows: RowBrowser, job_id: int, step: str) -> None:
    """Work until the job waits for an answer to this step, of which no browser knows yet."""
    while True:
        shop.turn()
        waiting = [each for each, state in rows.steps(job_id) if state is CommandState.WAITING] or [
            "nothing"
        ]
        if waiting == [step]:
            return
        command = rows.take()
        assert command is not None
        rows.do(command)


def test_even_what_cannot_be_taken_back_is_withdrawn_before_it_is_sent(
    shop: Shop, rows: RowBrowser
) -> None:
    """G12: a draft that nobody sees may be left, and a later try goes on from it."""
    product_id = shop.shirt()
    job_id = shop.ask(product_id)
    until_asked(shop, rows, job_id, "put it up for sale")
    cancel(shop, job_id)
    assert shop.job(job_id).status is JobStatus.CANCELLED
    assert shop.live(product_id) == []
    with shop.container.database.tenant(shop.tenant) as session:
        JobSteering(shop.clock, withdrawals()).retry(session, job_id)
    job = rows.work(job_id)
    assert job.outcome is JobOutcome.OK, job.problem_detail
    assert len(shop.items(product_id)) == len(shop.live(product_id)) == 1


def test_what_a_browser_has_is_found_out_first(shop: Shop, rows: RowBrowser) -> None:
    """G12: it may be for sale by now."""
    product_id = shop.shirt()
    job_id = shop.ask(product_id)
    until_asked(shop, rows, job_id, "put it up for sale")
    command = rows.take()
    assert command is not None
    with pytest.raises(JobBeingChecked):
        cancel(shop, job_id)
    rows.do(command)
    assert rows.work(job_id).outcome is JobOutcome.OK
    assert len(shop.live(product_id)) == 1


def test_a_product_that_changes_on_the_way_is_sent_anew(shop: Shop, rows: RowBrowser) -> None:
    """B12: the version that was sent is the one in the books; an update is a second step."""
    product_id = shop.shirt()
    rows.work(shop.ask(product_id))

    def dearer(product: Product, _session: TenantSession) -> None:
        product.variants[0].price_minor += 100

    shop.change(product_id, dearer)
    job_id = shop.ask(product_id, JobAction.UPDATE)
    while True:
        shop.turn()
        command = rows.take()
        assert command is not None
        if command.method == "PUT":
            break
        rows.do(command)
    shop.change(product_id, dearer)
    rows.do(command)
    job = rows.work(job_id)
    assert job.outcome is JobOutcome.OK, job.problem_detail
    [row] = shop.live(product_id)
    assert row["price"] == shop.product(product_id).variants[0].price_minor
    listing = shop.listing(product_id)
    assert listing is not None
    assert listing.product_version == shop.product(product_id).version


def test_realtime_jobs_wait_in_their_own_lane(shop: Shop, rows: RowBrowser) -> None:
    """A2: a delist goes before a publish that was asked for earlier."""
    listed = shop.shirt()
    rows.work(shop.ask(listed))
    shop.ask(shop.shirt(colors=COLORS))
    shop.turn()
    ending = shop.ask(listed, JobAction.DELETE)
    shop.turn(Lane.REALTIME)
    command = rows.take()
    assert command is not None
    assert command.job_id == ending
