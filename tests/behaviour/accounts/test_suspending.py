"""Shops closed for a while: refused at once, nothing lost, everything goes on afterwards."""

import json
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text

from models.accounts.tenants import Lane, TenantStatus
from models.selling.publishing import Channel, JobAction, JobOutcome, JobStatus, MarketplaceJob
from services.selling.publishing.lease import LeaseKeeper
from services.selling.publishing.processor import MarketplaceJobProcessor
from shared.clock import MovableClock
from shared.database import Database, TenantSchema
from shared.errors import TenantUnavailable
from tests.conftest import Run
from tests.factories.catalog import create
from tests.factories.selling import make_job
from tests.fakes.handlers import ScriptedHandler
from tests.serving import Seller, assert_problem, sign_in

LEASE = timedelta(seconds=60)


def test_a_suspended_shop_is_refused_at_once_and_open_again_afterwards(
    run: Run, seller: Seller, other_seller: Seller
) -> None:
    """F13: a clear problem, for this shop alone; nothing of it is touched."""
    product = create(seller.http)
    done = run("tenants", "suspend", seller.tenant.name, "--because", "unpaid", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "tenant": seller.tenant.name,
        "status": "suspended",
        "changed": True,
    }
    problem = assert_problem(seller.http.get("/api/v1/products"), 403, "tenant-unavailable")
    assert problem["detail"] == "This shop is suspended."
    assert other_seller.http.get("/api/v1/products").status_code == 200
    assert run("tenants", "list", "--status", "suspended").stdout.endswith("\n  unpaid\n")
    again = run("tenants", "suspend", seller.tenant.name, "--because", "unpaid")
    assert again.stdout == f"{seller.tenant}: was suspended\n"
    resumed = run("tenants", "resume", seller.email)
    assert resumed.exit_code == 0, resumed.output
    assert resumed.stdout.splitlines()[-1] == f"{seller.tenant}: open again"
    assert seller.http.get(f"/api/v1/products/{product['id']}").json() == product
    assert run("tenants", "resume", seller.email).stdout == f"{seller.tenant}: was open\n"
    assert "unpaid" not in run("tenants", "list").stdout


def test_the_owner_of_a_suspended_shop_can_sign_in_and_see_why_nothing_works(
    run: Run, api: httpx.Client, seller: Seller
) -> None:
    """F13: no error of ours."""
    run("tenants", "suspend", seller.tenant.name, "--because", "unpaid")
    answer = sign_in(api, seller.email)
    assert answer.status_code == 200
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    me = api.get("/api/v1/me", headers=headers)
    assert me.json()["shop"]["status"] == "suspended"
    assert_problem(api.get("/api/v1/products", headers=headers), 403, "tenant-unavailable")


def test_a_running_job_is_stopped_and_goes_on_after_resume(
    run: Run, database: Database, tenant: TenantSchema, clock: MovableClock
) -> None:
    """F13: its next transaction is refused; when its lease is over a worker takes it up again."""
    with database.tenant(tenant) as session:
        job_id = make_job(session, clock).id

    def suspended_meanwhile(_command: object, _journal: object) -> dict[str, object]:
        with database.platform() as session:
            session.execute(text("UPDATE public.tenants SET status = 'suspended'"))
        return {"listing": "1"}

    handler = ScriptedHandler([suspended_meanwhile, lambda _command, _journal: {"listing": "1"}])
    processor = MarketplaceJobProcessor(
        database,
        {(Channel.EBAY, JobAction.PUBLISH): handler},
        LeaseKeeper(database, clock, LEASE),
        clock,
        "worker",
    )
    stopped = processor.process_next_job(Lane.BULK)
    assert stopped is not None
    assert stopped.status is JobStatus.RUNNING, "nothing of the attempt could be written"
    clock.advance(LEASE + timedelta(seconds=1))
    assert processor.process_next_job(Lane.BULK) is None, "the shop is closed"
    assert run("tenants", "resume", tenant.name).exit_code == 0
    finished = processor.process_next_job(Lane.BULK)
    assert finished is not None
    assert (finished.status, finished.outcome) == (JobStatus.DONE, JobOutcome.OK)
    with database.tenant(tenant) as session:
        job = session.get(MarketplaceJob, job_id)
        assert job is not None
        assert (job.attempts, job.result) == (2, {"listing": "1"})


@pytest.mark.parametrize("status", ["hibernating", "hibernated", "retired"])
def test_only_an_open_shop_is_suspended(
    run: Run, database: Database, tenant: TenantSchema, status: str
) -> None:
    """F13: and only a suspended one resumed."""
    with database.platform() as session:
        session.execute(text("UPDATE public.tenants SET status = :status"), {"status": status})
    for words in (("suspend", tenant.name, "--because", "x"), ("resume", tenant.name)):
        refused = run("tenants", *words)
        assert refused.exit_code == 1
        assert status in str(refused.exception)
    with pytest.raises(TenantUnavailable), database.tenant(tenant) as session:
        session.connection()
    with database.platform() as session:
        assert session.scalar(text("SELECT status FROM public.tenants")) == TenantStatus(status)


def test_a_shop_that_does_not_exist_is_named(run: Run) -> None:
    """Exit code 1, and where to look."""
    for name in ("user_999", "nobody@example.com"):
        refused = run("tenants", "suspend", name, "--because", "x")
        assert refused.exit_code == 1
        assert "'stoflow tenants list' shows all" in str(refused.exception)
