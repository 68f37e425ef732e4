"""eBay's quotas: paid for before the call, shown to the seller, waited for without a thread."""

from datetime import timedelta

import httpx

from backend.container import Container
from backend.ticks import ticks_of
from models.selling.publishing import JobAction, JobOutcome, JobStatus
from repositories.accounts.call_budgets import CallBudgetRepository
from services.accounts.schedule.ticks import Turn
from services.gateways.ebay.quotas import REVISIONS, UPLOADS, EbayQuotas, listing_account
from services.gateways.quotas import Quota
from shared.clock import MovableClock
from tests.behaviour.selling.ebay.conftest import Shop
from tests.serving import Seller

CALLS = "/api/v1/channels/ebay/calls"
INVENTORY = EbayQuotas().of("GET", "/sell/inventory/v1/offer")


def shown(seller: Seller, quota: Quota) -> dict[str, object]:
    answer = seller.http.get(CALLS)
    assert answer.status_code == httpx.codes.OK, answer.text
    found: dict[str, object] = next(each for each in answer.json() if each["name"] == quota.name)
    return found


def test_a_job_waits_when_the_calls_are_used_up_and_goes_on_by_itself(
    shop: Shop, container: Container, clock: MovableClock
) -> None:
    """ST41, E8: nothing is sent, no try is lost, and it is not called a failure."""
    container.call_ledger.close(INVENTORY, shop.tenant.name, 3600)
    job_id = shop.ask(shop.shirt())
    shop.turn()
    job = shop.job(job_id)
    assert (job.status, job.outcome, job.problem_code) == (JobStatus.PENDING, None, "quota-spent")
    assert job.due_at == clock.now() + timedelta(hours=1)
    assert "createOrReplaceInventoryItem" not in shop.calls()
    clock.advance(timedelta(hours=1))
    assert shop.finish(job_id).outcome is JobOutcome.OK


def test_ebays_own_refusal_keeps_every_process_from_asking(shop: Shop, connected: Seller) -> None:
    """E8: Retry-After is obeyed to the second, and the seller can see it."""
    shop.spoil("createOrReplaceInventoryItem", "http_429", retry_after_s=7)
    job_id = shop.ask(shop.shirt())
    shop.turn()
    until = shop.clock.now() + timedelta(seconds=7)
    assert shop.job(job_id).due_at == until
    (inventory,) = INVENTORY
    assert shown(connected, inventory)["open_at"] == until.isoformat().replace("+00:00", "Z")
    assert shop.finish(job_id).outcome is JobOutcome.OK


def test_photos_go_out_no_faster_than_ebay_takes_them(
    shop: Shop, connected: Seller, container: Container
) -> None:
    """E10: the shop's photo window is full; the job waits for it, not a thread."""
    for _ in range(UPLOADS.limit):
        container.call_ledger.pay([UPLOADS], shop.tenant.name)
    assert shown(connected, UPLOADS)["left"] == 0
    job_id = shop.ask(shop.shirt())
    shop.turn()
    job = shop.job(job_id)
    assert timedelta(0) < job.due_at - shop.clock.now() < timedelta(seconds=6)
    assert "createImageFromFile" not in shop.calls()
    assert shop.finish(job_id).outcome is JobOutcome.OK


def test_every_call_is_counted(shop: Shop, connected: Seller) -> None:
    """E8, B17: what a publish costs is what the seller sees."""
    (inventory,) = INVENTORY
    before = shown(connected, inventory)["used"]
    assert isinstance(before, int)
    made = shop.calls_of(lambda: shop.run(shop.shirt()))
    by_inventory = sum(made.values()) - made["createImageFromFile"]
    assert shown(connected, inventory)["used"] == before + by_inventory


def test_a_listing_is_changed_no_more_often_than_ebay_takes_it(
    shop: Shop, container: Container, clock: MovableClock
) -> None:
    """E7: its 250 changes of a day are used up; others go on, and it goes on by itself."""
    worn, fresh = shop.shirt(), shop.shirt(colors=((1, 2, 3),))
    listing_ids = {}
    for product_id in (worn, fresh):
        job = shop.run(product_id)
        assert job.result is not None
        listing_ids[product_id] = job.result["listing_id"]
    account = listing_account(shop.tenant.name, listing_ids[worn])
    for _ in range(REVISIONS.limit):
        container.call_ledger.pay([REVISIONS], account)
    job_id = shop.ask(worn, JobAction.UPDATE)
    asked = shop.calls_of(shop.turn)
    assert "createOrReplaceInventoryItem" not in asked
    assert "updateOffer" not in asked
    waiting = shop.job(job_id)
    assert (waiting.status, waiting.problem_code) == (JobStatus.PENDING, "quota-spent")
    assert timedelta(hours=23) < waiting.due_at - clock.now() < timedelta(hours=26)
    assert shop.run(fresh, JobAction.UPDATE).outcome is JobOutcome.OK
    assert shop.finish(job_id).outcome is JobOutcome.OK


def test_what_is_no_longer_counted_is_forgotten(
    shop: Shop, container: Container, clock: MovableClock
) -> None:
    """E7: or there were a row for each listing that was ever changed."""
    account = listing_account(shop.tenant.name, "110")
    container.call_ledger.pay([REVISIONS], account)
    assert container.call_ledger.forget_unused(REVISIONS) == 0
    clock.advance(timedelta(hours=26))
    assert container.call_ledger.forget_unused(REVISIONS) == 1
    with container.database.platform() as session:
        assert CallBudgetRepository(session).read([(REVISIONS.name, account)]) == {}


def check_counts(shop: Shop) -> str:
    """The hourly look at eBay's own count."""
    [tick] = [each for each in ticks_of(shop.container) if each.name == "check-ebay-call-counts"]
    return tick.act(Turn(0, False, lambda: None)).said


def test_ebays_own_count_is_taken_over_where_it_leaves_less(
    shop: Shop, connected: Seller, container: Container
) -> None:
    """E8: a keyset that is used elsewhere as well, or that has less than eBay documents."""
    (inventory,) = INVENTORY
    shop.ebay.control("quotas", {"resource": "sell.inventory", "limit": 1000})
    asked = shop.calls_of(lambda: check_counts(shop))
    assert asked == {"getRateLimits": 1}
    told = shown(connected, inventory)
    assert told["told_left"] == told["left"]
    assert isinstance(told["told_left"], int)
    assert 900 < told["told_left"] < 1000
    assert told["told_at"] is not None
    container.call_ledger.pay(INVENTORY, shop.tenant.name)
    assert check_counts(shop).endswith(" 0 calls added to our count")
    assert shown(connected, inventory)["left"] == told["told_left"] - 1


def test_when_ebay_says_that_nothing_is_left_nobody_asks_until_it_counts_anew(
    shop: Shop, connected: Seller, clock: MovableClock
) -> None:
    """E8, ST41: before a single call is refused."""
    (inventory,) = INVENTORY
    shop.ebay.control("quotas", {"resource": "sell.inventory", "limit": 1})
    check_counts(shop)
    job_id = shop.ask(shop.shirt())
    assert "createOrReplaceInventoryItem" not in shop.calls_of(shop.turn)
    waiting = shop.job(job_id)
    assert (waiting.status, waiting.problem_code) == (JobStatus.PENDING, "quota-spent")
    told = shown(connected, inventory)
    assert (told["left"], told["told_left"]) == (0, 0)
    shop.ebay.control("quotas", {"resource": "sell.inventory", "limit": 1000})
    clock.advance(timedelta(days=1, hours=2))
    assert shop.finish(job_id).outcome is JobOutcome.OK
