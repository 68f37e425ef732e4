"""Shops closed for good: an archive, a time to think it over, then nothing is left."""

import json
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from backend.container import Container
from backend.shops import ShopLife
from models.accounts.tenants import Tenant, TenantStatus
from repositories.accounts.tenants import TenantRepository
from services.accounts.identity.registration import NewAccount
from services.accounts.tenants.archives.manifest import Purpose
from services.accounts.tenants.archives.reading import opened_archive
from services.accounts.tenants.archives.shelf import ArchiveShelf
from services.accounts.tenants.standing import WrongStatus
from services.gateways.ebay.quotas import UPLOADS
from services.gateways.object_store import LocalFolderStore, ObjectStoreError
from shared.clock import MovableClock
from shared.database import Database, TenantSchema
from tests.conftest import Run
from tests.factories.catalog import create
from tests.factories.selling import make_job
from tests.factories.shops import contents_of, furnish
from tests.passwords import CHEAP_PASSWORDS, PASSWORD
from tests.serving import Seller, assert_problem, sign_in, sign_up

DAY = timedelta(days=1)


@pytest.fixture
def life(container: Container) -> ShopLife:
    return container.shop_life


def row_of(database: Database, tenant: TenantSchema) -> Tenant | None:
    with database.platform() as session:
        return TenantRepository(session).get(tenant.tenant_id)


def what_is_left(container: Container, tenant: TenantSchema) -> dict[str, int]:
    """Of one shop, in database and object store."""
    counts = {
        "schemas": "SELECT count(*) FROM pg_namespace WHERE nspname = :schema",
        "roles": "SELECT count(*) FROM pg_roles WHERE rolname = :role",
        "bells": "SELECT count(*) FROM public.tenant_bells WHERE tenant_id = :id",
        "dead jobs": "SELECT count(*) FROM public.dead_jobs WHERE tenant_id = :id",
        "call budgets": "SELECT count(*) FROM public.call_budgets WHERE account = :schema",
        "tenants": "SELECT count(*) FROM public.tenants WHERE id = :id",
        "users": "SELECT count(*) FROM public.users WHERE id = :id",
        "sign-ins": "SELECT count(*) FROM public.auth_sessions WHERE user_id = :id",
    }
    database = container.database
    names = {
        "schema": tenant.name,
        "role": database.role_of(tenant),
        "id": tenant.tenant_id,
    }
    with database.platform() as session:
        found = {what: session.scalar(text(sql), names) or 0 for what, sql in counts.items()}
    found["photos"] = len(list(container.object_store.keys(tenant.folder.rstrip("/"))))
    found["archives"] = len(list(container.object_store.keys(f"archives/{tenant.tenant_id}")))
    return found


def test_a_retired_shop_is_closed_and_its_owner_signed_out(
    life: ShopLife, api: httpx.Client, seller: Seller, database: Database, clock: MovableClock
) -> None:
    """F13: signing in still tells what happened."""
    create(seller.http)
    retired = life.retirement.retire(seller.tenant, 30 * DAY)
    assert retired.drop_after == clock.now() + 30 * DAY
    assert_problem(seller.http.get("/api/v1/products"), 401, "signed-out")
    headers = {"Authorization": f"Bearer {sign_in(api, seller.email).json()['access_token']}"}
    assert api.get("/api/v1/me", headers=headers).json()["shop"]["status"] == "retired"
    assert_problem(api.get("/api/v1/products", headers=headers), 403, "tenant-unavailable")
    row = row_of(database, seller.tenant)
    assert row is not None
    assert (row.status, row.retired_at) == (TenantStatus.RETIRED, clock.now())
    assert row.archive_key == retired.archive_key


def test_a_retired_shop_comes_back_as_it_was(
    life: ShopLife,
    container: Container,
    database: Database,
    tenant: TenantSchema,
    clock: MovableClock,
) -> None:
    """F13: with its jobs, and without the archive, which is of no use then."""
    furnish(database, container.object_store, tenant, clock)
    with database.tenant(tenant) as session:
        make_job(session, clock)
    before = contents_of(database, tenant)
    life.retirement.retire(tenant)
    assert what_is_left(container, tenant)["archives"] == 1
    with database.platform() as session:
        session.execute(text("DELETE FROM public.tenant_bells"))
    clock.advance(29 * DAY)
    assert life.retirement.reinstate(tenant)
    assert not life.retirement.reinstate(tenant)
    assert contents_of(database, tenant) == before
    left = what_is_left(container, tenant)
    assert (left["archives"], left["bells"]) == (0, 1)
    row = row_of(database, tenant)
    assert row is not None
    assert (row.status, row.drop_after, row.retired_at) == (TenantStatus.ACTIVE, None, None)


def test_the_archive_of_a_retired_shop_is_an_export(
    life: ShopLife,
    container: Container,
    database: Database,
    tenant: TenantSchema,
    clock: MovableClock,
    tmp_path: Path,
) -> None:
    """F13: with photos, without secrets; it can be brought in anywhere."""
    photos = furnish(database, container.object_store, tenant, clock)
    key = life.retirement.retire(tenant).archive_key
    container.object_store.get_file(key, tmp_path / "shop.zip")
    with opened_archive(tmp_path / "shop.zip") as archive:
        assert archive.manifest.purpose is Purpose.RETIREMENT
        assert archive.manifest.left_out == ["ebay_connections", "etsy_accounts"]
        assert archive.manifest.photos == len(photos)
    mina = NewAccount("mina@example.com", CHEAP_PASSWORDS.hash(PASSWORD), "Mina")
    assert life.importing.bring_in(tmp_path / "shop.zip", mina.email, lambda: mina).new_account


def test_a_shop_is_dropped_when_its_time_has_come_and_not_before(
    life: ShopLife,
    api: httpx.Client,
    container: Container,
    seller: Seller,
    other_seller: Seller,
    clock: MovableClock,
) -> None:
    """F13: account, rows, photos and archive are gone, and the address is free again."""
    create(other_seller.http)
    furnish(container.database, container.object_store, seller.tenant, clock)
    with container.database.platform() as session:
        session.execute(
            text(
                "INSERT INTO public.dead_jobs (tenant_id, job_id, channel, action, outcome,"
                " ended_at) VALUES (:id, 1, 'ebay', 'publish', 'blocked', :now)"
            ),
            {"id": seller.tenant.tenant_id, "now": clock.now()},
        )
    container.call_ledger.pay([UPLOADS], seller.tenant.name)
    others = contents_of(container.database, other_seller.tenant)
    life.retirement.retire(seller.tenant, 30 * DAY)
    clock.advance(30 * DAY - timedelta(seconds=1))
    assert life.retirement.due() == []
    with pytest.raises(WrongStatus, match="not over"):
        life.retirement.drop(seller.tenant)
    clock.advance(timedelta(seconds=1))
    with pytest.raises(WrongStatus, match="is over"):
        life.retirement.reinstate(seller.tenant)
    assert [due.tenant for due in life.retirement.due()] == [seller.tenant]
    life.retirement.drop(seller.tenant)
    assert set(what_is_left(container, seller.tenant).values()) == {0}
    assert life.retirement.due() == []
    assert_problem(sign_in(api, seller.email), 401, "wrong-credentials")
    assert contents_of(container.database, other_seller.tenant) == others
    again = sign_up(api, seller.email)
    assert again.tenant != seller.tenant
    again.http.close()


def test_a_drop_that_was_broken_off_is_finished_by_doing_it_again(
    life: ShopLife,
    container: Container,
    tenant: TenantSchema,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """F13: as long as anything is left, the shop is due."""
    furnish(container.database, container.object_store, tenant, clock)
    life.retirement.retire(tenant, DAY)
    clock.advance(DAY)

    def fail(*_words: object) -> None:
        raise RuntimeError("cut off")

    for step in (
        "services.gateways.object_store.LocalFolderStore.delete",
        "repositories.accounts.tenant_life.SchemaRemoval.drop",
        "repositories.accounts.tenant_life.TenantLifeRepository.forget",
    ):
        with monkeypatch.context() as patched:
            patched.setattr(step, fail)
            with pytest.raises(RuntimeError):
                life.retirement.drop(tenant)
        assert [due.tenant for due in life.retirement.due()] == [tenant]
        assert what_is_left(container, tenant)["schemas"] == 1
    life.retirement.drop(tenant)
    assert set(what_is_left(container, tenant).values()) == {0}


def test_a_retirement_whose_archive_failed_is_finished_by_doing_it_again(
    life: ShopLife,
    container: Container,
    tenant: TenantSchema,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """F13: closed at once; the grace period does not begin anew."""

    def refuse(*_words: object) -> None:
        raise ObjectStoreError("The file store refused.")

    with monkeypatch.context() as patched:
        patched.setattr(LocalFolderStore, "put_file", refuse)
        with pytest.raises(ObjectStoreError):
            life.retirement.retire(tenant, 30 * DAY)
    row = row_of(container.database, tenant)
    assert row is not None
    assert (row.status, row.archive_key) == (TenantStatus.RETIRED, None)
    clock.advance(DAY)
    retired = life.retirement.retire(tenant, 90 * DAY)
    assert retired.drop_after == clock.now() + 29 * DAY
    assert container.object_store.exists(retired.archive_key)
    assert life.retirement.retire(tenant) == retired


@pytest.mark.parametrize("meanwhile", ["reinstate", "retire"])
def test_an_archive_that_nobody_needs_by_now_does_not_stay(
    life: ShopLife,
    container: Container,
    tenant: TenantSchema,
    monkeypatch: pytest.MonkeyPatch,
    meanwhile: str,
) -> None:
    """F13: whoever is quicker, no copy of the shop is left that nobody knows of."""
    put = ArchiveShelf.put

    def put_while_another_acts(shelf: ArchiveShelf, key: str, file: Path) -> None:
        put(shelf, key, file)
        monkeypatch.setattr(ArchiveShelf, "put", put)
        getattr(life.retirement, meanwhile)(tenant)

    monkeypatch.setattr(ArchiveShelf, "put", put_while_another_acts)
    if meanwhile == "reinstate":
        with pytest.raises(WrongStatus, match="is active"):
            life.retirement.retire(tenant)
        assert what_is_left(container, tenant)["archives"] == 0
        return
    retired = life.retirement.retire(tenant)
    assert container.object_store.exists(retired.archive_key)
    assert what_is_left(container, tenant)["archives"] == 1


def test_an_archive_that_is_to_be_kept_must_have_been_made(
    run: Run,
    life: ShopLife,
    container: Container,
    tenant: TenantSchema,
    other_tenant: TenantSchema,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """F13: the shop is not dropped with nothing kept of it; others are dropped all the same."""

    def refuse(*_words: object) -> None:
        raise ObjectStoreError("The file store refused.")

    with monkeypatch.context() as patched:
        patched.setattr(LocalFolderStore, "put_file", refuse)
        with pytest.raises(ObjectStoreError):
            life.retirement.retire(tenant, timedelta())
    life.retirement.retire(other_tenant, timedelta())
    dropped = run("tenants", "drop-retired", "--keep-archive", "--json")
    assert dropped.exit_code == 1, dropped.output
    said = json.loads(dropped.stdout.splitlines()[-1])
    assert [each["tenant"] for each in said["dropped"]] == [other_tenant.name]
    assert [each["tenant"] for each in said["refused"]] == [tenant.name]
    assert f"tenants retire {tenant.name}" in said["refused"][0]["because"]
    assert what_is_left(container, tenant)["schemas"] == 1
    assert run("tenants", "retire", tenant.name).exit_code == 0
    assert run("tenants", "drop-retired", "--keep-archive").exit_code == 0
    assert what_is_left(container, tenant)["archives"] == 1


def test_a_sleeping_shop_has_to_be_woken_before_it_is_retired(
    life: ShopLife, container: Container, tenant: TenantSchema
) -> None:
    """F13: its archive of today holds secrets and no photos."""
    life.hibernation.hibernate(tenant)
    with pytest.raises(WrongStatus, match=r"is hibernated.*tenants restore"):
        life.retirement.retire(tenant)
    life.waking.wake(tenant)
    assert life.retirement.retire(tenant).archive_key


def test_the_commands_retire_reinstate_and_drop(
    run: Run, tenant: TenantSchema, other_tenant: TenantSchema, container: Container
) -> None:
    """F13: what would be dropped is shown first; an archive may be kept."""
    done = run("tenants", "retire", tenant.name, "--grace", "30d", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout.splitlines()[-1])["status"] == "retired"
    assert run("tenants", "drop-retired").stdout == "0 dropped\n"
    assert run("tenants", "reinstate", tenant.name).exit_code == 0
    for shop in (tenant, other_tenant):
        assert run("tenants", "retire", shop.name, "--grace", "0m").exit_code == 0
    shown = run("tenants", "drop-retired", "--dry-run", "--json")
    assert [each["tenant"] for each in json.loads(shown.stdout)["dropped"]] == [
        tenant.name,
        other_tenant.name,
    ]
    assert what_is_left(container, tenant)["schemas"] == 1
    dropped = run("tenants", "drop-retired", "--keep-archive")
    assert dropped.exit_code == 0, dropped.output
    assert dropped.stdout.splitlines()[-1] == "2 dropped"
    kept = list(container.object_store.keys("archives"))
    assert len(kept) == 2
    assert all(key in dropped.stdout for key in kept)
    left = what_is_left(container, tenant)
    assert left.pop("archives") == 1
    assert set(left.values()) == {0}
    assert run("tenants", "reinstate", tenant.name).exit_code == 1
    assert run("tenants", "retire", other_tenant.name, "--grace", "soon").exit_code == 2
