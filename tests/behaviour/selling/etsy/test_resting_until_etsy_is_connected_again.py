"""Etsy ends our access: its jobs rest, keep their places, and go on by themselves afterwards."""

from datetime import timedelta

from backend.subscriptions import subscriptions
from models.selling.publishing import JobAction, JobOutcome, JobStatus, ListingStatus
from services.accounts.outbox.relaying import OutboxRelay
from tests.behaviour.selling.etsy.conftest import Shop, connect, sign_in_again
from tests.fakes.subscribers import NotedDeliveries
from tests.serving import Seller


def test_what_waits_rests_and_goes_on_after_the_seller_has_agreed(
    shop: Shop, connected: Seller
) -> None:
    """E1, E3, D5: nothing is asked of Etsy meanwhile, nothing is lost, nothing is billed twice."""
    live = shop.shirt()
    shop.run(live)
    first, second = shop.shirt(), shop.shirt()
    jobs = [shop.ask(first), shop.ask(second), shop.ask(live, JobAction.DELETE)]
    shop.etsy.control("sellers/alice/revoke")
    shop.turn()
    found_out, *resting = [shop.job(each) for each in jobs]
    assert (found_out.status, found_out.outcome) == (JobStatus.DONE, JobOutcome.BLOCKED)
    assert {(job.status, job.waiting_for) for job in resting} == {
        (JobStatus.PENDING, "Etsy to be connected again")
    }
    calls = shop.etsy.read("calls")
    shop.clock.advance(timedelta(days=1))
    assert shop.turn() is None
    assert shop.etsy.read("calls") == calls
    meanwhile = shop.run(first, JobAction.LINK)
    assert meanwhile.outcome is JobOutcome.BLOCKED
    sign_in_again(connected)
    assert connect(connected, shop.etsy, "alice").status_code == 200
    clock = shop.clock
    relay = OutboxRelay(shop.container.database, subscriptions(clock), clock, NotedDeliveries())
    while relay.turn():
        pass
    assert [shop.finish(each).outcome for each in jobs] == [JobOutcome.OK] * 3
    row = shop.listing(live)
    assert row is not None
    assert row.status is ListingStatus.ENDED
    assert len(shop.live()) == 2
    assert len(shop.fees()) == 3
