"""Each change of a job is numbered news of its shop, in the transaction that made the change."""

import threading
from datetime import timedelta
from typing import Any

from models.accounts.news import ShopEvent
from repositories.accounts.news import ShopEventRepository, append_event
from services.accounts.news.forgetting import KEPT, NewsForgetting
from services.selling.publishing.steering import JobSteering
from shared.clock import MovableClock
from shared.database import Database, TenantSchema
from tests.factories.selling import make_job


def news_of(database: Database, tenant: TenantSchema, after: int = 0) -> list[ShopEvent]:
    with database.tenant(tenant) as session:
        return list(ShopEventRepository(session).after(tenant, after, 1000))


def test_numbers_have_no_gap_and_follow_the_commits(
    database: Database, tenant: TenantSchema, other_tenant: TenantSchema, clock: MovableClock
) -> None:
    """G13, ST33: 8 threads at once in two shops; who has seen n has missed nothing before it."""

    def write(shop: TenantSchema, thread: int) -> None:
        for turn in range(10):
            with database.tenant(shop) as session:
                append_event(session, "test", {"thread": thread, "turn": turn}, clock.now())

    threads = [
        threading.Thread(target=write, args=(shop, number))
        for number in range(4)
        for shop in (tenant, other_tenant)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for shop in (tenant, other_tenant):
        events = news_of(database, shop)
        assert [event.sequence for event in events] == list(range(1, 41))
        assert {event.tenant_id for event in events} == {shop.tenant_id}
        for number in range(4):
            turns = [e.payload["turn"] for e in events if e.payload["thread"] == number]
            assert turns == list(range(10))


def test_what_is_rolled_back_is_no_news_and_leaves_no_gap(
    database: Database, tenant: TenantSchema, clock: MovableClock
) -> None:
    """G13."""
    with database.tenant_session(tenant) as session:
        append_event(session, "lost", {}, clock.now())
        session.rollback()
    with database.tenant(tenant) as session:
        append_event(session, "kept", {}, clock.now())
    assert [(event.sequence, event.kind) for event in news_of(database, tenant)] == [(1, "kept")]


def test_cancel_and_retry_are_told(
    database: Database, tenant: TenantSchema, clock: MovableClock
) -> None:
    """ST28: a dashboard sees what another one did."""
    with database.tenant(tenant) as session:
        job_id = make_job(session, clock).id
    steering = JobSteering(clock)
    for act in (steering.cancel, steering.retry):
        with database.tenant(tenant) as session:
            act(session, job_id)
    told: list[dict[str, Any]] = [event.payload for event in news_of(database, tenant)]
    assert [(each["job_id"], each["status"]) for each in told] == [
        (job_id, "cancelled"),
        (job_id, "pending"),
    ]


def test_a_watcher_of_many_shops_asks_once(
    database: Database, tenant: TenantSchema, other_tenant: TenantSchema, clock: MovableClock
) -> None:
    """G10: from where it knows each, in order within a shop, and no more than it can take."""
    for shop in (tenant, other_tenant):
        for _ in range(3):
            with database.tenant(shop) as session:
                append_event(session, "test", {}, clock.now())
    with database.platform() as session:
        found = ShopEventRepository(session).newer({tenant: 2, other_tenant: 0}, 10)
        assert [(event.tenant_id, event.sequence) for event in found] == [
            (tenant.tenant_id, 3),
            *[(other_tenant.tenant_id, number) for number in (1, 2, 3)],
        ]
        assert len(ShopEventRepository(session).newer({tenant: 0, other_tenant: 0}, 4)) == 4
        assert ShopEventRepository(session).last_sequence(tenant) == 3


def test_old_news_is_deleted_in_handfuls_and_numbers_go_on(
    database: Database, tenant: TenantSchema, clock: MovableClock
) -> None:
    """G13: a client that was away too long can tell by the gap."""
    for _ in range(3):
        with database.tenant(tenant) as session:
            append_event(session, "test", {}, clock.now())
    with database.platform() as session:
        assert ShopEventRepository(session).delete_before(clock.now() + timedelta(days=1), 2) == 2
    assert NewsForgetting(database, clock).forget(lambda: None) == 0
    clock.advance(KEPT + timedelta(seconds=1))
    assert NewsForgetting(database, clock).forget(lambda: None) == 1
    with database.tenant(tenant) as session:
        append_event(session, "test", {}, clock.now())
    assert [event.sequence for event in news_of(database, tenant)] == [4]
