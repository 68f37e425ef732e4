"""eBay ends our access: its jobs rest, keep their places, and go on by themselves afterwards."""

from datetime import timedelta

from backend.subscriptions import subscriptions
from models.accounts.tenants import Lane
from models.selling.publishing import JobAction, JobOutcome, JobStatus, ListingStatus
from services.accounts.outbox.relaying import OutboxRelay
from tests.behaviour.selling.ebay.conftest import Shop, connect, sign_in_again
from tests.fakes.subscribers import NotedDeliveries
from tests.serving import Seller


def relay_all(shop: Shop) -> None:
    clock = shop.clock
    relay = OutboxRelay(shop.container.database, subscriptions(clock), clock, NotedDeliveries())
    while relay.turn():
        pass


def test_what_waits_rests_and_goes_on_after_the_seller_has_agreed(
    shop: Shop, connected: Seller
) -> None:
    """E1, D5: no job fails for it but the one that found out, and that one is taken up again."""
    live = shop.shirt()
    assert shop.run(live).outcome is JobOutcome.OK
    first, second = shop.shirt(), shop.shirt()
    jobs = [shop.ask(first), shop.ask(second), shop.ask(live, JobAction.DELETE)]
    shop.ebay.control("sellers/TESTUSER_alice/revoke")
    shop.turn()
    found_out, *resting = [shop.job(each) for each in jobs]
    assert (found_out.status, found_out.outcome) == (JobStatus.DONE, JobOutcome.BLOCKED)
    assert {job.status for job in resting} == {JobStatus.PENDING}
    assert {job.waiting_for for job in resting} == {"eBay to be connected again"}
    calls = shop.calls()
    shop.clock.advance(timedelta(days=1))
    assert [shop.turn(lane) for lane in Lane] == [None, None]
    assert shop.calls() == calls, "eBay is left alone"
    sign_in_again(connected)
    assert connect(connected, shop.ebay, "alice").status_code == 200
    relay_all(shop)
    assert [shop.finish(each).outcome for each in jobs] == [JobOutcome.OK] * 3
    ended = shop.listing(live)
    assert ended is not None
    assert ended.status is ListingStatus.ENDED
    assert len(shop.live()) == 2


def test_what_was_asked_for_meanwhile_is_taken_up_as_well(shop: Shop, connected: Seller) -> None:
    """A3, E1: a listing whose product was sold elsewhere does not stay up for want of a token."""
    live, other = shop.shirt(), shop.shirt()
    shop.run(live)
    shop.ebay.control("sellers/TESTUSER_alice/revoke")
    shop.run(other)
    job = shop.run(live, JobAction.DELETE)
    assert (job.outcome, job.problem_code) == (JobOutcome.BLOCKED, "ebay-access-ended")
    connect(connected, shop.ebay, "alice")
    relay_all(shop)
    assert shop.finish(job.id).outcome is JobOutcome.OK
    row = shop.listing(live)
    assert row is not None
    assert row.status is ListingStatus.ENDED


def test_what_ended_for_another_reason_is_left_alone(shop: Shop, connected: Seller) -> None:
    """G12: a refusal of the data stays one."""
    poor = shop.shirt(attributes={})
    refused = shop.run(poor)
    assert refused.outcome is JobOutcome.REJECTED
    shop.ebay.control("sellers/TESTUSER_alice/revoke")
    shop.run(shop.shirt())
    connect(connected, shop.ebay, "alice")
    relay_all(shop)
    assert shop.job(refused.id).status is JobStatus.DONE
