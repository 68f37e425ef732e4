"""`stoflow jobs` and `stoflow keys rotate`: helping a shop without its password."""

import json
from datetime import timedelta

import pytest

from backend.cli.keys import HOLDERS
from migrations.rendering import tenant_script
from models.accounts.tenants import TenantStatus
from models.selling.ebay import ConnectionStatus, EbayConnection
from models.selling.publishing import JobOutcome, JobStatus, MarketplaceJob
from repositories.accounts.tenants import TenantRepository
from repositories.selling.ebay import EbayConnectionRepository
from repositories.selling.publishing import JobRepository
from services.accounts.channel_consents.resealing import TokenResealing
from services.accounts.tenants.provisioning import TenantProvisioning
from shared.clock import MovableClock
from shared.database import Database, TenantSchema
from shared.encryption import SecretBox, key_id, new_key
from tests.conftest import Run
from tests.factories.accounts import make_user
from tests.factories.selling import make_job

EMAIL = "mina@example.com"


@pytest.fixture
def shop(database: Database, clock: MovableClock) -> TenantSchema:
    """Mina's shop."""
    with database.platform() as session:
        user = make_user(session, clock, email=EMAIL)
        return TenantProvisioning(database, tenant_script(), clock).provision(session, user.id)


def job_in(database: Database, shop: TenantSchema, job_id: int) -> MarketplaceJob:
    with database.tenant(shop) as session:
        job = JobRepository(session).get(job_id)
        assert job is not None
        return job


def a_job(database: Database, shop: TenantSchema, clock: MovableClock, **changes: object) -> int:
    with database.tenant(shop) as session:
        return make_job(session, clock, **changes).id


def test_an_operator_sees_why_a_job_failed_and_tries_it_again(
    run: Run, database: Database, shop: TenantSchema, clock: MovableClock
) -> None:
    """ST26, B1: the same words as the seller's."""
    job_id = a_job(
        database,
        shop,
        clock,
        status=JobStatus.DONE,
        outcome=JobOutcome.BLOCKED,
        attempts=8,
        problem_code="ebay-error",
        problem_detail="eBay is down.",
    )
    listed = run("jobs", "list", "--email", EMAIL, "--outcome", "blocked").stdout
    assert f"job {job_id}: publish" in listed
    assert "done, blocked, 8 of 8 attempts: eBay is down." in listed
    story = json.loads(run("jobs", "show", str(job_id), "--email", EMAIL, "--json").stdout)
    assert (story["id"], story["problem_code"]) == (job_id, "ebay-error")
    assert run("jobs", "retry", str(job_id), "--email", EMAIL.upper()).exit_code == 0
    again = job_in(database, shop, job_id)
    assert (again.status, again.outcome, again.attempts) == (JobStatus.PENDING, None, 0)


def test_an_operator_stops_a_waiting_job(
    run: Run, database: Database, shop: TenantSchema, clock: MovableClock
) -> None:
    """ST26."""
    job_id = a_job(database, shop, clock)
    assert "cancelled" in run("jobs", "cancel", str(job_id), "--email", EMAIL).stdout
    assert job_in(database, shop, job_id).status is JobStatus.CANCELLED


def test_a_job_that_succeeded_is_not_run_again(
    run: Run, database: Database, shop: TenantSchema, clock: MovableClock
) -> None:
    """B1: refused, and nothing changed."""
    job_id = a_job(database, shop, clock, status=JobStatus.DONE, outcome=JobOutcome.OK)
    assert run("jobs", "retry", str(job_id), "--email", EMAIL).exit_code == 1
    assert job_in(database, shop, job_id).outcome is JobOutcome.OK


def test_a_job_is_looked_for_in_the_named_shop_only(
    run: Run,
    database: Database,
    shop: TenantSchema,
    other_tenant: TenantSchema,
    clock: MovableClock,
) -> None:
    """X2: numbers of jobs repeat from shop to shop."""
    job_id = a_job(database, other_tenant, clock)
    assert run("jobs", "list", "--email", EMAIL).stdout == ""
    assert run("jobs", "cancel", str(job_id), "--email", EMAIL).exit_code == 1
    assert run("jobs", "list", "--email", "nobody@example.com").exit_code == 1
    assert job_in(database, other_tenant, job_id).status is JobStatus.PENDING


def connect(database: Database, shop: TenantSchema, box: SecretBox, clock: MovableClock) -> None:
    later = clock.now() + timedelta(days=100)
    with database.tenant(shop) as session:
        session.add(
            EbayConnection(
                id=1,
                status=ConnectionStatus.CONNECTED,
                remote_user_id="remote",
                username="mina",
                marketplace_id="EBAY_US",
                access_token=box.seal("access"),
                access_expires_at=later,
                refresh_token=box.seal("refresh"),
                refresh_expires_at=later,
                scopes=[],
                readiness={},
                connected_at=clock.now(),
            )
        )


def stored(database: Database, shop: TenantSchema) -> tuple[str, str]:
    with database.tenant(shop) as session:
        connection = EbayConnectionRepository(session).get()
        assert connection is not None
        return connection.access_token, connection.refresh_token


def test_rotating_puts_stored_tokens_under_the_new_key(
    run: Run,
    database: Database,
    shop: TenantSchema,
    other_tenant: TenantSchema,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """E6: afterwards the old key can be thrown away; a shop without a connection has nothing."""
    old, new = new_key(), new_key()
    connect(database, shop, SecretBox(old), clock)
    monkeypatch.setenv("STOFLOW_ENCRYPTION_KEY", new)
    monkeypatch.setenv("STOFLOW_ENCRYPTION_PREVIOUS_KEYS", old)
    first = json.loads(run("keys", "rotate", "--json").stdout)
    assert first == {"key": key_id(new), "resealed": 1, "current": 0, "failed": {}}
    assert [SecretBox(new).open(each) for each in stored(database, shop)] == ["access", "refresh"]
    monkeypatch.delenv("STOFLOW_ENCRYPTION_PREVIOUS_KEYS")
    again = run("keys", "rotate", "--json")
    assert (again.exit_code, json.loads(again.stdout)["current"]) == (0, 1)


def test_rotating_without_the_old_key_names_the_shop_and_changes_nothing(
    run: Run,
    database: Database,
    shop: TenantSchema,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """E6: an operator who was too quick learns which key to bring back."""
    old = new_key()
    connect(database, shop, SecretBox(old), clock)
    before = stored(database, shop)
    monkeypatch.setenv("STOFLOW_ENCRYPTION_KEY", new_key())
    done = run("keys", "rotate")
    assert done.exit_code == 1
    assert f"{shop}: A stored secret needs encryption key {key_id(old)}" in done.stdout
    assert stored(database, shop) == before


def test_an_older_key_may_go_only_when_nothing_needs_it(
    run: Run,
    database: Database,
    shop: TenantSchema,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """E6: how many secrets are left is said, and that the key must stay."""
    old, new = new_key(), new_key()
    connect(database, shop, SecretBox(old), clock)
    monkeypatch.setenv("STOFLOW_ENCRYPTION_KEY", new)
    monkeypatch.setenv("STOFLOW_ENCRYPTION_PREVIOUS_KEYS", old)
    counted = json.loads(run("keys", "references", "--json").stdout)
    assert counted == {"current": key_id(new), "by_key": {key_id(old): 2}, "unseen": {}}
    refused = run("keys", "retire", key_id(old))
    assert refused.exit_code == 1
    assert f"key {key_id(old)} must stay: 2 secrets need it" in refused.stdout
    assert run("keys", "retire", key_id(new)).exit_code == 1
    run("keys", "rotate")
    assert f"key {key_id(old)} (older): 0 secrets" in run("keys", "references").stdout
    done = run("keys", "retire", key_id(old))
    assert (done.exit_code, "opens nothing any more" in done.stdout) == (0, True)


def test_a_key_stays_while_a_shop_cannot_be_looked_into(
    run: Run,
    database: Database,
    shop: TenantSchema,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """E6: a shop that is closed may need any key; it is named."""
    old = new_key()
    connect(database, shop, SecretBox(old), clock)
    monkeypatch.setenv("STOFLOW_ENCRYPTION_KEY", new_key())
    monkeypatch.setenv("STOFLOW_ENCRYPTION_PREVIOUS_KEYS", old)
    run("keys", "rotate")
    with database.platform() as session:
        TenantRepository(session).set_status(shop, TenantStatus.SUSPENDED, clock.now())
    refused = run("keys", "retire", key_id(old))
    assert refused.exit_code == 1
    assert f"{shop} could not be looked into" in refused.stdout


def test_a_rotation_that_was_killed_goes_on_where_it_was(
    database: Database, clock: MovableClock
) -> None:
    """E6: what is done is told by the rows themselves; progress after each shop."""
    old, shops = new_key(), [another_shop(database, clock, number) for number in range(3)]
    for each in shops:
        connect(database, each, SecretBox(old), clock)
    box, seen = SecretBox(new_key(), [old]), list[tuple[int, int]]()
    resealing = TokenResealing(database, box, HOLDERS)

    def killed(done: int, of: int) -> None:
        seen.append((done, of))
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        resealing.run(killed)
    report = resealing.run()
    assert seen == [(1, 3), (2, 3)]
    assert (report.resealed, report.current, report.failed) == (1, 2, ())
    for each in shops:
        assert [box.open(secret) for secret in stored(database, each)] == ["access", "refresh"]


def another_shop(database: Database, clock: MovableClock, number: int) -> TenantSchema:
    with database.platform() as session:
        user = make_user(session, clock, email=f"seller{number}@example.com")
        return TenantProvisioning(database, tenant_script(), clock).provision(session, user.id)
