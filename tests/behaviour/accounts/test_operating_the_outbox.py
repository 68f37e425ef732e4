"""Parked events: seen by operators and by Prometheus, tried again, let go of."""

import json
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from backend.metrics import InstallationFigures, Meters
from repositories.accounts.outbox import record_event
from services.accounts.outbox.relaying import BACKOFF_CAP, MAX_ATTEMPTS, OutboxRelay
from services.accounts.outbox.subscribing import Subscriptions
from shared.clock import MovableClock, SystemClock
from shared.database import Database, TenantSchema
from shared.errors import Conflict
from tests.conftest import Run
from tests.fakes.subscribers import NotedDeliveries, count, standing, writing, written_by


def refuse(_told: object) -> None:
    raise Conflict("There is one already.")


def relay(database: Database, clock: MovableClock, *table: Any) -> None:
    """Until there is nothing left to try."""
    outbox = OutboxRelay(database, Subscriptions(table), clock, NotedDeliveries())
    for _ in range(MAX_ATTEMPTS + 1):
        while outbox.turn():
            pass
        clock.advance(BACKOFF_CAP)


@pytest.fixture
def parked(database: Database, tenant: TenantSchema, clock: MovableClock) -> int:
    """The number of an event that subscriber *bad* could not take, and *good* could."""
    count(database, tenant, 7, clock=clock)
    relay(database, clock, writing("bad", refuse), writing("good"))
    [(event_id, *_), _] = standing(database)
    return event_id


def test_a_parked_event_is_listed_with_its_reason(
    parked: int, run: Run, tenant: TenantSchema, database: Database
) -> None:
    """Poison is visible; what was delivered is not in the way."""
    line = f"event {parked}  {tenant}  2026-06-01 12:00Z  counted: bad: parked, 10 attempts"
    assert run("outbox", "list").stdout == f"{line}: There is one already. (conflict)\n"
    [listed] = json.loads(run("outbox", "list", "--json").stdout)
    assert listed == {
        "event_id": parked,
        "tenant": tenant.name,
        "kind": "counted",
        "version": 1,
        "recorded_at": "2026-06-01T12:00:00+00:00",
        "subscriber": "bad",
        "state": "parked",
        "attempts": MAX_ATTEMPTS,
        "settled_at": listed["settled_at"],
        "problem_code": "conflict",
        "problem_detail": "There is one already.",
    }
    assert run("outbox", "list", "--subscriber", "good").stdout == ""
    delivered = run("outbox", "list", "--state", "delivered").stdout
    assert delivered.endswith("counted: good: delivered, 1 attempt\n")


def test_pending_events_are_listed_with_those_that_nobody_has_routed(
    database: Database, tenant: TenantSchema, clock: MovableClock, run: Run
) -> None:
    with database.tenant(tenant) as session:
        record_event(session, tenant.tenant_id, "unheard-of", 1, {}, clock.now())
    listed = json.loads(run("outbox", "list", "--state", "pending", "--json").stdout)
    assert [(each["kind"], each["state"]) for each in listed] == [("unheard-of", "unrouted")]
    assert "no relay that knows this kind" in run("outbox", "list", "--state", "pending").stdout


def test_an_event_is_shown_with_what_it_says_and_how_far_it_is(
    parked: int, run: Run, tenant: TenantSchema
) -> None:
    assert run("outbox", "show", str(parked)).stdout.splitlines() == [
        f"event {parked}  {tenant}  2026-06-01 12:00Z  counted",
        "  number: 7",
        "  bad: parked, 10 attempts: There is one already. (conflict)",
        "  good: delivered, 1 attempt",
    ]
    shown = json.loads(run("outbox", "show", str(parked), "--json").stdout)
    assert shown["payload"] == {"number": 7}
    assert [each["state"] for each in shown["deliveries"]] == ["parked", "delivered"]
    missing = run("outbox", "show", "999")
    assert missing.exit_code == 1


def test_a_parked_event_is_told_again_to_whom_it_failed_alone(
    parked: int, run: Run, database: Database, tenant: TenantSchema, clock: MovableClock
) -> None:
    """With all its attempts; the others are not told twice."""
    done = run("outbox", "retry", str(parked))
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "1 on their way again")
    assert standing(database)[0][2:4] == ("pending", 0)
    # The command's clock is the real one.
    clock.advance(SystemClock().now() - clock.now())
    relay(database, clock, writing("bad"), writing("good"))
    assert written_by(database, "bad", tenant) == [7]
    assert written_by(database, "good", tenant) == [7]
    assert [each[2:] for each in standing(database)] == [("delivered", 1, None)] * 2


def test_all_that_are_parked_are_told_again(
    parked: int, run: Run, database: Database, other_tenant: TenantSchema, clock: MovableClock
) -> None:
    """Or those to one subscriber, or of one shop; exit code 1 when there are none."""
    count(database, other_tenant, 8, clock=clock)
    relay(database, clock, writing("bad", refuse), writing("good"))
    assert run("outbox", "retry", "--all", "--subscriber", "good").exit_code == 1
    done = run("outbox", "retry", "--all", "--json")
    assert (done.exit_code, len(json.loads(done.stdout))) == (0, 2)
    assert run("outbox", "retry", "--all").exit_code == 1
    assert [each[2] for each in standing(database) if each[1] == "bad"] == ["pending"] * 2


@pytest.mark.parametrize("words", [(), ("1", "--all")])
def test_a_retry_says_which(run: Run, words: tuple[str, ...]) -> None:
    assert run("outbox", "retry", *words).exit_code == 2


def test_an_event_is_let_go_of(
    parked: int, run: Run, database: Database, tenant: TenantSchema, clock: MovableClock
) -> None:
    """It is told no more, nor counted; what was delivered cannot be let go of."""
    refused = run("outbox", "dismiss", str(parked), "--subscriber", "good")
    assert refused.exit_code == 1
    assert run("outbox", "dismiss", str(parked), "--subscriber", "bad").exit_code == 0
    relay(database, clock, writing("bad"), writing("good"))
    assert written_by(database, "bad", tenant) == []
    assert [each[2] for each in standing(database)] == ["dismissed", "delivered"]
    assert run("outbox", "list").stdout == ""


def test_prometheus_is_told_of_what_waits_and_what_is_parked(
    parked: int, database: Database, tenant: TenantSchema, clock: MovableClock
) -> None:
    """Depth, age of the oldest that nobody looks at, parked."""
    count(database, tenant, 8, clock=clock)
    clock.advance(timedelta(seconds=40))
    registry = CollectorRegistry()
    registry.register(InstallationFigures(database, clock))
    said = generate_latest(registry).decode().splitlines()
    assert "stoflow_outbox_waiting_seconds 40.0" in said
    assert 'stoflow_outbox_deliveries{state="parked",subscriber="bad"} 1.0' in said


def test_a_worker_counts_what_it_delivered() -> None:
    registry = CollectorRegistry()
    meters = Meters(registry)
    meters.event_delivered("a", timedelta(seconds=2))
    meters.delivery_failed("a", parked=False)
    meters.delivery_failed("a", parked=True)
    said = generate_latest(registry).decode().splitlines()
    assert 'stoflow_outbox_delivered_total{subscriber="a"} 1.0' in said
    assert 'stoflow_outbox_lag_seconds_sum{subscriber="a"} 2.0' in said
    assert 'stoflow_outbox_failed_total{parked="true",subscriber="a"} 1.0' in said
    assert 'stoflow_outbox_failed_total{parked="false",subscriber="a"} 1.0' in said
