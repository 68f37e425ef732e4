"""Preflight: the answers, the cost and the time of a request, before the click."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import text

from models.accounts.tenants import Lane
from models.base import TenantBase
from models.selling.publishing import (
    Channel,
    ChannelListing,
    JobAction,
    JobBatch,
    JobOutcome,
    JobStatus,
    ListingStatus,
)
from repositories.selling.publishing import RunningCaps
from services.selling.publishing.outlook import Reason
from services.selling.publishing.planning import Answer, ChannelNotOffered
from services.selling.publishing.preflight import Preflighted, PublicationPreflight
from services.selling.publishing.requesting import NothingToDo, WorkRequests
from services.selling.quotas.ledger import DatabaseLedger
from shared.clock import MovableClock
from shared.database import Database, TenantSchema
from shared.errors import BadInput, FieldProblem
from tests.factories.selling import make_job, make_product
from tests.fakes.channels import CALLS, OpinionatedChannel

EBAY = [Channel.EBAY]
BRAND = FieldProblem("brand", "eBay wants a brand.", "aspect-missing")


@pytest.fixture
def channel() -> OpinionatedChannel:
    return OpinionatedChannel()


@pytest.fixture
def ledger(database: Database, clock: MovableClock) -> DatabaseLedger:
    return DatabaseLedger(database, clock)


@pytest.fixture
def preflight(
    channel: OpinionatedChannel, ledger: DatabaseLedger, clock: MovableClock
) -> PublicationPreflight:
    """Two jobs of a shop at a time."""
    caps = RunningCaps({Lane.BULK: 2, Lane.REALTIME: 3}, account=2)
    return PublicationPreflight({Channel.EBAY: channel}, ledger, caps, clock)


@pytest.fixture
def products(database: Database, tenant: TenantSchema, clock: MovableClock) -> list[int]:
    with database.tenant(tenant) as session:
        return [make_product(session, clock).id for _ in range(5)]


def look(
    database: Database,
    shop: TenantSchema,
    preflight: PublicationPreflight,
    product_ids: list[int],
    action: JobAction = JobAction.PUBLISH,
) -> Preflighted:
    return preflight.examine(partial(database.tenant, shop), action, product_ids, EBAY)


def everything(database: Database, shop: TenantSchema) -> Mapping[str, list[str]]:
    """Every row of the shop and of the shared tables."""
    rows: dict[str, list[str]] = {}
    with database.tenant(shop) as session:
        for table in TenantBase.metadata.tables:
            found = session.execute(text(f'SELECT * FROM "{table}"'))
            rows[table] = sorted(str(row) for row in found)
    with database.platform() as session:
        for table in ("tenant_bells", "shop_events", "shop_event_counters", "call_budgets"):
            found = session.execute(text(f"SELECT * FROM public.{table}"))
            rows[table] = sorted(str(row) for row in found)
    return rows


def list_it(database: Database, shop: TenantSchema, clock: MovableClock, product_id: int) -> None:
    with database.tenant(shop) as session:
        session.add(
            ChannelListing(
                product_id=product_id,
                channel=Channel.EBAY,
                status=ListingStatus.LIVE,
                listing_id="110",
                remote={},
                product_version=1,
                read_back={},
                published_at=clock.now(),
                checked_at=clock.now(),
            )
        )


def done(
    database: Database, shop: TenantSchema, clock: MovableClock, seconds: float, **changes: object
) -> None:
    """A publication that went through."""
    columns = {
        "status": JobStatus.DONE,
        "outcome": JobOutcome.OK,
        "attempts": 1,
        "started_at": clock.now() - timedelta(seconds=seconds),
        "finished_at": clock.now(),
        **changes,
    }
    with database.tenant(shop) as session:
        make_job(session, clock, **columns)


def reasons(found: Preflighted) -> dict[str, str]:
    assert found.estimate is not None
    return {each.code: each.message for each in found.estimate.reasons}


@pytest.mark.parametrize("action", [JobAction.PUBLISH, JobAction.UPDATE, JobAction.DELETE])
def test_the_request_then_gets_the_answers_that_preflight_told(
    database: Database,
    tenant: TenantSchema,
    clock: MovableClock,
    channel: OpinionatedChannel,
    preflight: PublicationPreflight,
    products: list[int],
    action: JobAction,
) -> None:
    """C6, B16: queued, queued already, listed or not, refused with the same problems."""
    for product_id in products[:2]:
        list_it(database, tenant, clock, product_id)
    with database.tenant(tenant) as session:
        make_job(session, clock, product_id=products[2], action=action, lane=action.lane)
    channel.gaps_by_product = {products[1]: [BRAND], products[3]: [BRAND]}
    told = look(database, tenant, preflight, [*products, products[0]], action)
    with database.tenant(tenant) as session:
        asked = WorkRequests({Channel.EBAY: channel}, clock).request(
            session, action, products, EBAY, requested_by=1
        )
    assert [
        (each.planned.key, each.planned.answer, each.planned.listing_id, each.planned.problems)
        for each in told.items
    ] == [(each.key, each.answer, each.listing_id, each.problems) for each in asked.items]
    queued = [each for each in told.items if each.planned.answer is Answer.QUEUED]
    assert 0 < len(queued) < len(products)
    assert all(each.calls == {CALLS: 2} for each in queued)


def test_nothing_is_written_and_nobody_is_held_up(
    database: Database,
    tenant: TenantSchema,
    preflight: PublicationPreflight,
    products: list[int],
) -> None:
    """C6: every row of the shop and the shared tables is the same after the commit; another
    transaction may lock the products meanwhile, and delete them.
    """
    before = everything(database, tenant)
    with database.tenant(tenant) as other:
        other.execute(text("SELECT id FROM products FOR UPDATE"))
        look(database, tenant, preflight, products)
    assert everything(database, tenant) == before


def test_when_all_are_refused_the_request_refuses_with_the_same_problems(
    database: Database,
    tenant: TenantSchema,
    clock: MovableClock,
    channel: OpinionatedChannel,
    preflight: PublicationPreflight,
    products: list[int],
) -> None:
    """G13: field, rule and fix; without a job there is nothing to estimate."""
    channel.gaps_by_product = {each: [BRAND] for each in products}
    told = look(database, tenant, preflight, products)
    assert told.estimate is None
    assert told.quotas == ()
    with pytest.raises(NothingToDo) as refusal, database.tenant(tenant) as session:
        WorkRequests({Channel.EBAY: channel}, clock).request(
            session, JobAction.PUBLISH, products, EBAY, requested_by=1
        )
    problems = tuple(problem for item in told.items for problem in item.planned.problems)
    assert problems == refusal.value.fields
    assert problems[0] == FieldProblem(f"products.{products[0]}.brand", BRAND.message, BRAND.code)


def test_what_does_not_exist_is_refused_as_the_request_does(
    database: Database,
    tenant: TenantSchema,
    other_tenant: TenantSchema,
    preflight: PublicationPreflight,
    products: list[int],
) -> None:
    """ST14, ST48."""
    with pytest.raises(BadInput) as refusal:
        look(database, other_tenant, preflight, [products[0]])
    assert [each.field for each in refusal.value.fields] == ["product_ids[0]"]
    with pytest.raises(ChannelNotOffered):
        preflight.examine(
            partial(database.tenant, tenant), JobAction.PUBLISH, products, [Channel.VINTED]
        )


def test_without_a_history_the_assumption_is_told(
    database: Database,
    tenant: TenantSchema,
    clock: MovableClock,
    preflight: PublicationPreflight,
    products: list[int],
) -> None:
    """B17: five jobs of two calls: two at a time of 2 s at best, one by one of 6 s at worst."""
    found = look(database, tenant, preflight, products)
    assert found.estimate is not None
    assert found.estimate.earliest == clock.now() + timedelta(seconds=5)
    assert found.estimate.latest == clock.now() + timedelta(seconds=30)
    assert found.estimate.reasons == (
        Reason(
            "pace-assumed",
            "publish on ebay: 2.0 to 6.0 seconds a job, assumed: this shop has too few to measure.",
        ),
        Reason(
            "shop-cap",
            "At most 2 of a shop's jobs run at a time, and fewer while other shops are busy.",
        ),
    )


def test_with_a_history_the_shops_own_pace_counts(
    database: Database,
    tenant: TenantSchema,
    other_tenant: TenantSchema,
    clock: MovableClock,
    preflight: PublicationPreflight,
    products: list[int],
) -> None:
    """B17: not that of other shops, other actions, failures, or jobs that had to wait."""
    for seconds in (10, 20, 30, 40, 50):
        done(database, tenant, clock, seconds)
        done(database, other_tenant, clock, 1)
        done(database, tenant, clock, 1, action=JobAction.UPDATE)
        done(database, tenant, clock, 500, outcome=JobOutcome.REJECTED)
        done(database, tenant, clock, 500, attempts=2)
    found = look(database, tenant, preflight, products[:4])
    assert found.estimate is not None
    assert found.estimate.earliest == clock.now() + timedelta(seconds=4 * 30 / 2)
    assert found.estimate.latest == clock.now() + timedelta(seconds=4 * 46)
    assert reasons(found)["pace-measured"] == (
        "publish on ebay: 30.0 to 46.0 seconds a job, by this shop's last 5."
    )


def test_what_is_due_before_counts(
    database: Database,
    tenant: TenantSchema,
    clock: MovableClock,
    preflight: PublicationPreflight,
    products: list[int],
) -> None:
    """B17: running and due in the same lane; not what is held, later, or of the other lane."""
    later = {"due_at": clock.now() + timedelta(hours=1)}
    with database.tenant(tenant) as session:
        held = JobBatch(
            action=JobAction.PUBLISH,
            requested_by=1,
            created_at=clock.now(),
            paused_at=clock.now(),
        )
        session.add(held)
        session.flush()
        for changes in ({}, {"status": JobStatus.RUNNING}, {}, later, {"batch_id": held.id}):
            make_job(session, clock, **changes)
        make_job(session, clock, action=JobAction.DELETE, lane=Lane.REALTIME)
    found = look(database, tenant, preflight, products)
    assert found.jobs_before == 3
    assert reasons(found)["jobs-before"] == "3 jobs of this shop were asked for before."
    (quota,) = found.quotas
    assert (quota.needed, quota.before) == (10, 3)
    assert found.estimate is not None
    assert found.estimate.latest == clock.now() + timedelta(seconds=5 * 6 + 3 * 3)


def test_a_quota_that_is_used_up_says_when_it_opens(
    database: Database,
    tenant: TenantSchema,
    clock: MovableClock,
    ledger: DatabaseLedger,
    preflight: PublicationPreflight,
    products: list[int],
) -> None:
    """E8, G13: nothing is done before; then it takes the time it takes."""
    ledger.close([CALLS], tenant.name, 3600)
    found = look(database, tenant, preflight, products)
    opens = clock.now() + timedelta(hours=1)
    (quota,) = found.quotas
    assert (quota.forecast.state.left, quota.forecast.state.open_at) == (0, opens)
    assert found.estimate is not None
    assert found.estimate.earliest == opens + timedelta(seconds=5)
    assert found.estimate.latest == opens + timedelta(seconds=30)
    assert reasons(found)["quota-opens"] == (
        "made-up.calls takes no call before 2026-06-01 13:00:00 UTC; it goes on by itself then."
    )


def test_a_quota_that_is_nearly_used_up_says_when_the_rest_has_room(
    database: Database,
    tenant: TenantSchema,
    clock: MovableClock,
    ledger: DatabaseLedger,
    preflight: PublicationPreflight,
    products: list[int],
) -> None:
    """E8, G13: 93 of 100 calls were made within an hour; the last of ten has room when they age."""
    for _ in range(93):
        ledger.pay([CALLS], tenant.name)
    made = clock.now()
    clock.advance(timedelta(hours=3))
    found = look(database, tenant, preflight, products)
    (quota,) = found.quotas
    assert (quota.forecast.state.left, quota.needed) == (7, 10)
    enough = quota.forecast.enough_at
    assert enough is not None
    assert timedelta(days=1) < enough - made <= timedelta(hours=25)
    assert found.estimate is not None
    assert found.estimate.earliest == enough + timedelta(seconds=2)
    assert found.estimate.latest == enough + timedelta(seconds=6)
    moment = f"{enough:%Y-%m-%d %H:%M:%S} UTC"
    assert reasons(found)["quota-fills"] == (
        f"made-up.calls takes 7 of 10 calls now, the last of them at {moment}."
    )
