"""`stoflow batches`: what an operator can do for a seller."""

import json

import pytest

from models.accounts.identity import User
from models.selling.publishing import Channel, JobAction, JobOutcome, JobStatus
from repositories.accounts.identity import UserRepository
from repositories.selling.batches import BatchRepository
from services.selling.publishing.requesting import WorkRequests
from shared.clock import MovableClock
from shared.database import Database, TenantSchema
from tests.conftest import Run
from tests.factories.selling import make_product
from tests.fakes.channels import OpinionatedChannel


@pytest.fixture
def email(database: Database, tenant: TenantSchema) -> str:
    with database.platform() as session:
        owner = UserRepository(session).get(tenant.tenant_id)
        assert isinstance(owner, User)
        return owner.email


@pytest.fixture
def batch(database: Database, tenant: TenantSchema, clock: MovableClock) -> int:
    """Three publications that wait."""
    requests = WorkRequests({Channel.EBAY: OpinionatedChannel()}, clock)
    with database.tenant(tenant) as session:
        products = [make_product(session, clock).id for _ in range(3)]
        asked = requests.request(session, JobAction.PUBLISH, products, [Channel.EBAY], 1)
    assert asked.batch_id is not None
    return asked.batch_id


def test_a_batch_is_held_let_go_stopped_and_queued_again(
    run: Run,
    database: Database,
    tenant: TenantSchema,
    clock: MovableClock,
    email: str,
    batch: int,
) -> None:
    """G13."""
    said = run("batches", "pause", str(batch), "--email", email)
    assert said.exit_code == 0, said.output
    assert said.stdout == f"3 held; batch {batch}: publish, 0 % of 3: 3 pending, paused\n"
    said = run("batches", "resume", str(batch), "--email", email)
    assert said.stdout == f"3 let go; batch {batch}: publish, 0 % of 3: 3 pending\n"
    with database.tenant(tenant) as session:
        failed = BatchRepository(session).locked_live(batch)[0]
        failed.status, failed.outcome = JobStatus.DONE, JobOutcome.REJECTED
        failed.finished_at = clock.now()
    said = run("batches", "cancel", str(batch), "--email", email)
    assert said.stdout.startswith("2 stopped; ")
    said = run("batches", "retry-failed", str(batch), "--email", email)
    assert said.stdout.startswith("1 queued again; ")


def test_batches_are_listed_and_shown(run: Run, email: str, batch: int) -> None:
    """G13: one JSON document for programs."""
    [listed] = json.loads(run("batches", "list", "--email", email, "--json").stdout)
    shown = json.loads(run("batches", "show", str(batch), "--email", email, "--json").stdout)
    assert listed == shown
    assert (shown["id"], shown["total"], shown["by_status"]) == (batch, 3, {"pending": 3})
    line = run("batches", "show", str(batch), "--email", email).stdout
    assert line == f"batch {batch}: publish, 0 % of 3: 3 pending\n"
    assert run("batches", "list", "--email", email).stdout == line
