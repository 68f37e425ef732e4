"""Shops asleep: nothing is lost on the way, wherever it is cut off, and the owner wakes them."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from zipfile import ZipFile

import httpx
import pytest
from sqlalchemy import text

from backend.container import Container
from backend.shops import ShopLife, shop_life
from migrations.lines import TENANT
from migrations.rendering import head_of, tenant_script
from models.accounts.tenants import Tenant, TenantStatus
from models.selling.publishing import JobStatus
from repositories.accounts.tenants import TenantRepository
from services.accounts.tenants import hibernating
from services.accounts.tenants.archives.shelf import ArchiveShelf
from services.accounts.tenants.archives.snapshot import ShopDiffers, ShopSnapshots
from services.accounts.tenants.hibernating import Hibernation, ShopBusy
from services.accounts.tenants.provisioning import TenantProvisioning
from services.accounts.tenants.standing import WrongStatus
from services.gateways.object_store import LocalFolderStore, ObjectStoreError
from shared.clock import MovableClock
from shared.database import Database, TenantSchema
from shared.errors import NotFound, SignedOut, TenantUnavailable
from tests.conftest import Run
from tests.factories.accounts import make_user
from tests.factories.catalog import create
from tests.factories.selling import make_job, make_product
from tests.factories.shops import SECRET_TOKEN, ShopContents, contents_of, furnish
from tests.serving import Seller, assert_problem, sign_in


class Killed(BaseException):
    """The process is gone: nothing that comes after it is run."""


@pytest.fixture
def life(container: Container) -> ShopLife:
    return container.shop_life


@pytest.fixture
def store(container: Container) -> LocalFolderStore:
    assert isinstance(container.object_store, LocalFolderStore)
    return container.object_store


@pytest.fixture
def living(container: Container, database: Database) -> Callable[..., ShopLife]:
    """Makes another life of the same shops, with other revisions or another way to wait."""
    return partial(
        shop_life,
        database,
        container.object_store,
        container.passwords,
        container.provisioning,
        container.clock,
    )


@pytest.fixture
def contents(
    database: Database, store: LocalFolderStore, tenant: TenantSchema, clock: MovableClock
) -> ShopContents:
    """What is in the shop, which has something of everything."""
    furnish(database, store, tenant, clock)
    found = contents_of(database, tenant)
    filled = {name for name, rows in found.tables.items() if rows}
    assert filled >= {
        "products",
        "product_variants",
        "product_images",
        "missing_images",
        "marketplace_jobs",
        "job_steps",
        "job_batches",
        "channel_listings",
        "ebay_connections",
        "ebay_pictures",
        "ebay_product_choices",
        "etsy_accounts",
        "etsy_drafts",
        "etsy_pictures",
        "etsy_product_choices",
    }
    return found


def row_of(database: Database, tenant: TenantSchema) -> Tenant:
    with database.platform() as session:
        row = TenantRepository(session).get(tenant.tenant_id)
        assert row is not None
        return row


def left_overs(database: Database, tenant: TenantSchema) -> list[str]:
    """What a shop that sleeps must not have: schema, role, bells."""
    with database.platform() as session:
        return list(
            session.scalars(
                text(
                    "SELECT nspname FROM pg_namespace WHERE nspname = :schema UNION ALL"
                    " SELECT rolname FROM pg_roles WHERE rolname = :role UNION ALL"
                    " SELECT 'bell' FROM public.tenant_bells WHERE tenant_id = :id"
                ),
                {
                    "schema": tenant.name,
                    "role": database.role_of(tenant),
                    "id": tenant.tenant_id,
                },
            )
        )


def archives(store: LocalFolderStore) -> list[str]:
    return list(store.keys("archives"))


def is_whole(
    database: Database, store: LocalFolderStore, tenant: TenantSchema, contents: ShopContents
) -> bool:
    """Active, as it was, and no archive left lying about."""
    row = row_of(database, tenant)
    assert (row.status, row.archive_key) == (TenantStatus.ACTIVE, None)
    with database.tenant(tenant) as session:
        session.execute(text("SELECT count(*) FROM products"))
    return contents_of(database, tenant) == contents and archives(store) == []


def test_a_shop_comes_back_as_it_was(
    life: ShopLife,
    database: Database,
    store: LocalFolderStore,
    tenant: TenantSchema,
    contents: ShopContents,
) -> None:
    """F13: rows, JSON's null and no value, sequences, jobs and their stories; photos stay."""
    photos = list(store.keys(f"tenants/{tenant.tenant_id}"))
    slept = life.hibernation.hibernate(tenant)
    row = row_of(database, tenant)
    assert (row.status, row.archive_key) == (TenantStatus.HIBERNATED, slept.archive_key)
    assert left_overs(database, tenant) == []
    assert archives(store) == [slept.archive_key]
    assert list(store.keys(f"tenants/{tenant.tenant_id}")) == photos != []
    assert slept.rows == contents.rows - 2, "apart from the sentinel and the revision"
    assert life.waking.wake(tenant)
    assert is_whole(database, store, tenant, contents)
    assert not life.waking.wake(tenant)


def test_without_roles_a_shop_sleeps_and_wakes_as_well(
    container: Container, database: Database, clock: MovableClock
) -> None:
    """F13, Citus rule 15."""
    without_roles = Database(database.engine, tenant_roles=False)
    provisioning = TenantProvisioning(without_roles, tenant_script(), clock)
    with without_roles.platform() as session:
        tenant = provisioning.provision(session, make_user(session, clock).id)
    try:
        store = container.object_store
        furnish(without_roles, store, tenant, clock)
        before = contents_of(without_roles, tenant)
        life = shop_life(without_roles, store, container.passwords, provisioning, clock)
        life.hibernation.hibernate(tenant)
        assert left_overs(without_roles, tenant) == []
        assert life.waking.wake(tenant)
        assert contents_of(without_roles, tenant) == before
    finally:
        with database.engine.begin() as connection:
            connection.execute(text(f"DROP SCHEMA IF EXISTS {tenant.quoted} CASCADE"))


def test_numbers_go_on_where_they_stood(
    life: ShopLife,
    database: Database,
    tenant: TenantSchema,
    contents: ShopContents,
    clock: MovableClock,
) -> None:
    """F13: also one that was given and never used."""
    life.hibernation.hibernate(tenant)
    life.waking.wake(tenant)
    with database.tenant(tenant) as session:
        assert make_product(session, clock).id == contents.sequences["products_id_seq"][0] + 1
        assert session.scalar(text("SELECT nextval('job_steps_id_seq')")) == 2**53 + 1


def test_a_sleeping_shop_can_be_read_by_a_person_and_keeps_its_ciphertexts(
    life: ShopLife,
    store: LocalFolderStore,
    tenant: TenantSchema,
    contents: ShopContents,
    tmp_path: Path,
) -> None:
    """F13: names no schema and no number of the shop."""
    key = life.hibernation.hibernate(tenant).archive_key
    store.get_file(key, tmp_path / "shop.zip")
    with ZipFile(tmp_path / "shop.zip") as archive:
        manifest = json.loads(archive.read("manifest.json"))
        assert manifest["purpose"] == "hibernation"
        assert manifest["revision"] == head_of(TENANT)
        assert set(archive.namelist()) == {*manifest["files"], "manifest.json"}
        first = json.loads(archive.read("tables/products.jsonl").splitlines()[0])
        assert first["created_at"] == "2026-06-01T12:00:00+00:00"
        images = [json.loads(x) for x in archive.read("tables/product_images.jsonl").splitlines()]
        assert {image["object_key"] for image in images} == {
            f"photos/{image['sha256']}" for image in images
        }
        assert SECRET_TOKEN in archive.read("tables/ebay_connections.jsonl").decode()
        everything = b"".join(archive.read(name) for name in archive.namelist())
        assert tenant.name.encode() not in everything
        tables = list(manifest["tables"])
        assert tables.index("products") < tables.index("product_variants")
        assert tables.index("marketplace_jobs") < tables.index("job_steps")


def test_a_shop_comes_back_at_the_revision_of_today(
    container: Container,
    database: Database,
    store: LocalFolderStore,
    tenant: TenantSchema,
    contents: ShopContents,
    living: Callable[..., ShopLife],
    tmp_path: Path,
) -> None:
    """F13, F15: the archive is at its own revision; newer ones run on the rows it brings."""
    container.shop_life.hibernation.hibernate(tenant)
    (tmp_path / "9001_shelf.py").write_text(
        f'''"""Adds a shelf, and says which for every product."""
import sqlalchemy as sa
from alembic import op

revision, down_revision = "tenant_9001", "{head_of(TENANT)}"
branch_labels = depends_on = None


def upgrade() -> None:
    op.add_column("products", sa.Column("shelf", sa.Text()))


def fill(connection) -> None:
    connection.execute(sa.text("UPDATE products SET shelf = 'shelf ' || id"))


def downgrade() -> None:
    op.drop_column("products", "shelf")
'''
    )
    newer = living(line=TENANT.continued_in(tmp_path))
    with database.platform() as session:
        session.execute(text("UPDATE public.tenant_blueprints SET is_current = false"))
    try:
        assert newer.waking.wake(tenant)
        assert row_of(database, tenant).schema_version == "tenant_9001"
        with database.tenant(tenant) as session:
            rows = session.execute(text("SELECT id, shelf FROM products ORDER BY id")).all()
        assert [(id, shelf) for id, shelf in rows] == [(1, "shelf 1"), (2, "shelf 2")]
        after = contents_of(database, tenant)
        for name in contents.tables.keys() - {"products", "tenant_schema_version"}:
            assert after.tables[name] == contents.tables[name]
        assert after.sequences == contents.sequences
    finally:
        with database.platform() as session:
            session.execute(
                text("UPDATE public.tenant_blueprints SET is_current = true WHERE revision = :at"),
                {"at": head_of(TENANT)},
            )


def test_a_shop_whose_tables_were_changed_by_hand_is_not_put_to_sleep(
    life: ShopLife, database: Database, tenant: TenantSchema
) -> None:
    """F13: its archive would fit nowhere."""
    with database.engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE {tenant.quoted}.products ADD COLUMN mine text"))
    with pytest.raises(ShopDiffers, match=r"products\.mine"):
        life.hibernation.hibernate(tenant)
    assert row_of(database, tenant).status is TenantStatus.ACTIVE


def test_a_shop_at_work_is_refused_and_the_job_is_named(
    life: ShopLife, database: Database, tenant: TenantSchema, clock: MovableClock
) -> None:
    """F13: nothing changes, and its bell keeps ringing."""
    with database.tenant(tenant) as session:
        job = make_job(session, clock)
    with pytest.raises(ShopBusy, match=rf"job {job.id} \(publish on ebay\) is pending"):
        life.hibernation.hibernate(tenant)
    assert row_of(database, tenant).status is TenantStatus.ACTIVE
    assert "bell" in left_overs(database, tenant)


def test_jobs_of_a_paused_batch_sleep_with_their_shop(
    life: ShopLife,
    database: Database,
    store: LocalFolderStore,
    tenant: TenantSchema,
    clock: MovableClock,
) -> None:
    """F13: they wait for their seller anyhow."""
    with database.tenant(tenant) as session:
        session.execute(
            text(
                "INSERT INTO job_batches (action, requested_by, created_at, paused_at)"
                " VALUES ('publish', 1, :now, :now)"
            ),
            {"now": clock.now()},
        )
        make_job(session, clock, batch_id=1)
        session.execute(text("DELETE FROM public.tenant_bells"))
    contents = contents_of(database, tenant)
    life.hibernation.hibernate(tenant)
    life.waking.wake(tenant)
    assert is_whole(database, store, tenant, contents)


def test_a_shop_that_has_live_jobs_hears_its_bells_when_it_is_taken_back(
    life: ShopLife, database: Database, tenant: TenantSchema, clock: MovableClock
) -> None:
    """F13: a worker that found the shop closed has taken the bell down."""
    due_at = clock.now() + timedelta(hours=1)
    with database.tenant(tenant) as session:
        make_job(session, clock, status=JobStatus.RUNNING, leased_until=due_at)
    with database.platform() as session:
        session.execute(text("DELETE FROM public.tenant_bells"))
        session.execute(text("UPDATE public.tenants SET status = 'hibernating'"))
    assert life.waking.wake(tenant)
    with database.platform() as session:
        bells = session.execute(text("SELECT lane, due_at FROM public.tenant_bells")).all()
    assert [(lane, moment) for lane, moment in bells] == [("bulk", due_at)]


def test_only_an_active_shop_is_put_to_sleep(
    life: ShopLife, database: Database, tenant: TenantSchema
) -> None:
    """F13: and no unknown one."""
    with database.platform() as session:
        session.execute(text("UPDATE public.tenants SET status = 'suspended'"))
    with pytest.raises(WrongStatus, match="is suspended"):
        life.hibernation.hibernate(tenant)
    with pytest.raises(WrongStatus, match="does not sleep"):
        life.waking.wake(tenant)
    with pytest.raises(NotFound):
        life.hibernation.hibernate(TenantSchema(10**9))
    assert row_of(database, tenant).status is TenantStatus.SUSPENDED


STEPS = [
    "services.accounts.tenants.archives.snapshot.ShopSnapshots.write",
    "services.accounts.tenants.archives.shelf.ArchiveShelf.put",
    "services.accounts.tenants.hibernating.opened_archive",
    "services.accounts.tenants.hibernating.Hibernation._wait",
    "services.accounts.tenants.hibernating.Hibernation._put_away",
    "repositories.accounts.tenant_life.SchemaRemoval.drop",
    "repositories.accounts.tenant_life.TenantLifeRepository.end_sign_ins",
]


@contextmanager
def killed_at(step: str, *, after_it: bool = False) -> Iterator[None]:
    """The process is killed before or after a step."""
    place, _, name = step.rpartition(".")
    target = _found(place)
    whole = getattr(target, name)

    def cut_off(*words: object, **named: object) -> None:
        if after_it:
            whole(*words, **named)
        raise Killed

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(target, name, cut_off)
        try:
            yield
        except Killed:
            return
    raise AssertionError(f"{step} was never reached")


def _found(place: str) -> object:
    try:
        return import_module(place)
    except ModuleNotFoundError:
        module, _, owner = place.rpartition(".")
        return getattr(import_module(module), owner)


@pytest.mark.parametrize("step", STEPS)
def test_killed_anywhere_it_is_settled_by_doing_it_again_or_by_waking(
    life: ShopLife,
    database: Database,
    store: LocalFolderStore,
    tenant: TenantSchema,
    contents: ShopContents,
    step: str,
) -> None:
    """F13: waking is what the owner's sign-in does."""
    for after_it in (False, True):
        with killed_at(step, after_it=after_it):
            life.hibernation.hibernate(tenant)
        assert life.waking.wake(tenant)
        assert is_whole(database, store, tenant, contents)
        with killed_at(step, after_it=after_it):
            life.hibernation.hibernate(tenant)
        if row_of(database, tenant).status is not TenantStatus.HIBERNATED:
            with pytest.raises(TenantUnavailable), database.tenant(tenant) as session:
                session.connection()
            life.hibernation.hibernate(tenant)
        assert left_overs(database, tenant) == []
        assert archives(store) == [row_of(database, tenant).archive_key]
        assert life.waking.wake(tenant)
        assert is_whole(database, store, tenant, contents)


def test_killed_while_waking_it_sleeps_on(
    life: ShopLife,
    database: Database,
    store: LocalFolderStore,
    tenant: TenantSchema,
    contents: ShopContents,
) -> None:
    """F13: half a shop never exists."""
    life.hibernation.hibernate(tenant)
    for step in (
        "repositories.accounts.tenants.TenantSchemaRepository.create",
        "repositories.accounts.tenant_rows.TenantRows.add",
        "repositories.accounts.tenant_rows.TenantRows.put_back",
        "services.accounts.tenants.archives.building.ShopBuilding.build",
        "services.accounts.tenants.waking.reopen",
    ):
        with killed_at(step, after_it=True):
            life.waking.wake(tenant)
        assert row_of(database, tenant).status is TenantStatus.HIBERNATED
        assert left_overs(database, tenant) == []
    assert life.waking.wake(tenant)
    assert is_whole(database, store, tenant, contents)


def test_a_store_that_fails_leaves_the_shop_open(
    life: ShopLife,
    database: Database,
    store: LocalFolderStore,
    tenant: TenantSchema,
    contents: ShopContents,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """F13: and one that gives back something else than it was given."""

    def refuse(*_words: object) -> None:
        raise ObjectStoreError("The file store refused.")

    monkeypatch.setattr(LocalFolderStore, "put_file", refuse)
    with pytest.raises(ObjectStoreError, match="refused"):
        life.hibernation.hibernate(tenant)
    assert is_whole(database, store, tenant, contents)
    monkeypatch.setattr(
        LocalFolderStore, "put_file", lambda self, key, _file, kind: self.put(key, b"PK", kind)
    )
    with pytest.raises(ObjectStoreError, match="something else"):
        life.hibernation.hibernate(tenant)
    assert is_whole(database, store, tenant, contents)


def test_an_archive_that_cannot_be_read_leaves_the_shop_asleep(
    life: ShopLife,
    database: Database,
    store: LocalFolderStore,
    tenant: TenantSchema,
    contents: ShopContents,
) -> None:
    """F13: nothing is lost by trying."""
    key = life.hibernation.hibernate(tenant).archive_key
    whole = store.get(key)
    for damaged in (whole[: len(whole) // 2], whole.replace(b"PK\x01\x02", b"PK\x01\x03", 1)):
        store.put(key, damaged, "application/zip")
        with pytest.raises(Exception, match="damaged"):
            life.waking.wake(tenant)
        assert row_of(database, tenant).status is TenantStatus.HIBERNATED
    store.delete(key)
    with pytest.raises(NotFound, match=key):
        life.waking.wake(tenant)
    store.put(key, whole, "application/zip")
    assert life.waking.wake(tenant)
    assert is_whole(database, store, tenant, contents)


def test_a_transaction_that_had_begun_is_waited_for(
    life: ShopLife,
    database: Database,
    tenant: TenantSchema,
    clock: MovableClock,
    living: Callable[..., ShopLife],
) -> None:
    """F13: what it writes is in the archive."""
    began, written = threading.Event(), threading.Event()

    def write() -> None:
        with database.tenant(tenant) as session:
            session.connection()
            began.set()
            assert written.wait(30)
            make_product(session, clock, title="at the last moment")

    waited: list[timedelta] = []
    hibernation = living(pause=lambda span: pause(span)).hibernation

    def pause(span: timedelta) -> None:
        waited.append(span)
        written.set()
        writer.result()

    with ThreadPoolExecutor(1) as pool:
        writer = pool.submit(write)
        assert began.wait(30)
        hibernation.hibernate(tenant)
    assert waited == [hibernating.PAUSE]
    life.waking.wake(tenant)
    with database.tenant(tenant) as session:
        assert session.scalars(text("SELECT title FROM products")).all() == ["at the last moment"]


def test_a_transaction_that_does_not_end_keeps_the_shop_open(
    database: Database,
    store: LocalFolderStore,
    tenant: TenantSchema,
    contents: ShopContents,
    living: Callable[..., ShopLife],
) -> None:
    """F13: the wait is bounded."""
    waited: list[timedelta] = []
    hibernation = living(pause=waited.append).hibernation
    with database.tenant(tenant) as session:
        session.connection()
        with pytest.raises(ShopBusy, match="30 s"):
            hibernation.hibernate(tenant)
    assert len(waited) == hibernating.LOOKS
    assert is_whole(database, store, tenant, contents)


def test_a_transaction_that_never_looked_at_a_shop_is_not_waited_for(
    database: Database, tenant: TenantSchema, living: Callable[..., ShopLife]
) -> None:
    """F13: the worker that leads keeps one open all day."""
    waited: list[timedelta] = []
    with database.platform() as session:
        session.execute(text("SELECT pg_advisory_xact_lock(4711)"))
        living(pause=waited.append).hibernation.hibernate(tenant)
    assert waited == []


def test_what_is_written_past_the_archive_is_noticed(
    life: ShopLife,
    database: Database,
    store: LocalFolderStore,
    tenant: TenantSchema,
    contents: ShopContents,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """F13: whoever did it, an operator by hand say: the shop stays as it is."""
    put = ArchiveShelf.put

    def put_and_change(shelf: ArchiveShelf, key: str, file: Path) -> None:
        put(shelf, key, file)
        with database.engine.begin() as connection:
            connection.execute(text(f"UPDATE {tenant.quoted}.products SET brand = 'new'"))

    monkeypatch.setattr(ArchiveShelf, "put", put_and_change)
    with pytest.raises(ShopBusy, match="was changed"):
        life.hibernation.hibernate(tenant)
    assert row_of(database, tenant).status is TenantStatus.ACTIVE
    assert archives(store) == []
    with database.tenant(tenant) as session:
        brands = session.scalars(text("SELECT DISTINCT brand FROM products")).all()
    assert brands == ["new"]


def test_a_commit_whose_answer_is_lost_keeps_the_archive(
    life: ShopLife,
    database: Database,
    store: LocalFolderStore,
    tenant: TenantSchema,
    contents: ShopContents,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """F13: nobody knows then whether the schema is gone."""
    put_away = vars(Hibernation)["_put_away"]

    def lose_the_answer(*words: object) -> None:
        put_away(*words)
        raise ConnectionError("server closed the connection unexpectedly")

    monkeypatch.setattr(Hibernation, "_put_away", lose_the_answer)
    with pytest.raises(ConnectionError):
        life.hibernation.hibernate(tenant)
    assert row_of(database, tenant).status is TenantStatus.HIBERNATED
    assert life.waking.wake(tenant)
    assert is_whole(database, store, tenant, contents)


def test_whoever_comes_second_to_put_a_shop_to_sleep_takes_over(
    life: ShopLife,
    database: Database,
    store: LocalFolderStore,
    tenant: TenantSchema,
    contents: ShopContents,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """F13: two commands for one shop; one of them has done it."""
    write = vars(ShopSnapshots)["write"]
    others = iter([life.hibernation.hibernate])

    def overtaken(*words: object) -> object:
        manifest = write(*words)
        for other in others:
            other(tenant)
        return manifest

    monkeypatch.setattr(ShopSnapshots, "write", overtaken)
    with pytest.raises(WrongStatus):
        life.hibernation.hibernate(tenant)
    assert archives(store) == [row_of(database, tenant).archive_key]
    life.waking.wake(tenant)
    assert is_whole(database, store, tenant, contents)


def test_the_owner_wakes_the_shop_by_signing_in(
    life: ShopLife, api: httpx.Client, seller: Seller, database: Database
) -> None:
    """F13: signed out when it fell asleep; afterwards everything is there."""
    product = create(seller.http, title="Blue shirt")
    life.hibernation.hibernate(seller.tenant)
    assert_problem(seller.http.get("/api/v1/products"), 401, "signed-out")
    assert_problem(sign_in(api, seller.email, "not the password"), 401, "wrong-credentials")
    assert row_of(database, seller.tenant).status is TenantStatus.HIBERNATED
    answer = sign_in(api, seller.email)
    assert answer.status_code == 200, answer.text
    seller.http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    assert seller.http.get(f"/api/v1/products/{product['id']}").json() == product


def test_a_hibernation_that_was_broken_off_ends_when_the_owner_comes(
    api: httpx.Client, seller: Seller, database: Database
) -> None:
    """F13: also when they only go on with what they have, by their refresh token."""
    for come in ("sign in", "refresh"):
        with database.platform() as session:
            session.execute(text("UPDATE public.tenants SET status = 'hibernating'"))
        problem = assert_problem(seller.http.get("/api/v1/products"), 403, "tenant-unavailable")
        assert "hibernating" in problem["detail"]
        if come == "sign in":
            assert sign_in(api, seller.email).status_code == 200
        else:
            body = {"refresh_token": seller.tokens["refresh_token"]}
            assert api.post("/api/v1/auth/refresh", json=body).status_code == 200
        assert seller.http.get("/api/v1/products").status_code == 200


def test_two_sign_ins_at_the_same_moment_wake_it_once(
    life: ShopLife, api: httpx.Client, seller: Seller, database: Database
) -> None:
    """F13."""
    create(seller.http)
    life.hibernation.hibernate(seller.tenant)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: sign_in(api, seller.email), range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    with database.tenant(seller.tenant) as session:
        assert session.scalar(text("SELECT count(*) FROM products")) == 1


def test_a_sign_in_is_told_when_the_archive_is_not_to_be_had(
    life: ShopLife, container: Container, api: httpx.Client, seller: Seller, database: Database
) -> None:
    """F13: a problem, and the shop sleeps on."""
    key = life.hibernation.hibernate(seller.tenant).archive_key
    whole = container.object_store.get(key)
    container.object_store.delete(key)
    answer = sign_in(api, seller.email)
    assert_problem(answer, 503, "shop-not-woken")
    assert answer.headers["Retry-After"] == "60"
    container.object_store.put(key, whole, "application/zip")
    assert sign_in(api, seller.email).status_code == 200


def test_shops_that_nobody_came_to_are_found(
    life: ShopLife,
    api: httpx.Client,
    database: Database,
    seller: Seller,
    other_seller: Seller,
    clock: MovableClock,
    tenant: TenantSchema,
) -> None:
    """F13: an owner who came, and work, keep a shop awake."""
    clock.advance(timedelta(days=100))
    assert sign_in(api, other_seller.email).status_code == 200
    with database.tenant(tenant) as session:
        make_job(session, clock)
    clock.advance(timedelta(days=90))
    assert life.hibernation.idle_for(timedelta(days=180)) == [seller.tenant]
    assert life.hibernation.idle_for(timedelta(days=200)) == []
    life.hibernation.hibernate(seller.tenant)
    assert life.hibernation.idle_for(timedelta(days=180)) == []
    life.waking.wake(seller.tenant)
    assert life.hibernation.idle_for(timedelta(days=180)) == [], "it has just been woken"


@pytest.fixture
def idle(tenant: TenantSchema, other_tenant: TenantSchema, database: Database) -> Iterator[None]:
    """Both shops are from long ago."""
    long_ago = datetime(2020, 1, 1).astimezone()
    with database.platform() as session:
        session.execute(text("UPDATE public.tenants SET created_at = :then"), {"then": long_ago})
    return


def test_the_commands_put_to_sleep_and_wake(
    run: Run, database: Database, tenant: TenantSchema, other_tenant: TenantSchema, idle: None
) -> None:
    """F13: one by its name, all that are idle, and what was refused in the exit code."""
    one = run("tenants", "hibernate", tenant.name)
    assert one.exit_code == 0, one.output
    assert one.stdout.startswith(f"{tenant}: asleep, 0 rows in 0.0")
    rest = run("tenants", "hibernate", "--idle-for", "180d", "--json")
    assert rest.exit_code == 0, rest.output
    slept = json.loads(rest.stdout)
    assert [each["tenant"] for each in slept["hibernated"]] == [other_tenant.name]
    again = run("tenants", "hibernate", tenant.name)
    assert again.exit_code == 1
    assert f"{tenant}: left as it was: {tenant} is hibernated" in again.stdout
    woken = run("tenants", "restore", tenant.name, "--json")
    assert json.loads(woken.stdout) == {
        "tenant": tenant.name,
        "status": "active",
        "changed": True,
    }
    assert run("tenants", "restore", tenant.name).stdout == f"{tenant}: was awake\n"
    with database.tenant(tenant) as session:
        session.connection()


@pytest.mark.parametrize(
    "words",
    [
        ("hibernate",),
        ("hibernate", "user_1", "--idle-for", "1d"),
        ("hibernate", "--idle-for", "soon"),
        ("hibernate", "public"),
        ("restore", "user_01"),
    ],
)
def test_wrong_usage_is_said_so(run: Run, words: tuple[str, ...]) -> None:
    """Exit code 2."""
    assert run("tenants", *words).exit_code == 2


def test_a_signed_out_owner_of_a_sleeping_shop_is_told_to_sign_in(
    life: ShopLife, database: Database, seller: Seller
) -> None:
    """F13: not that there is no shop."""
    life.hibernation.hibernate(seller.tenant)
    with pytest.raises(TenantUnavailable, match="hibernated"), database.tenant(seller.tenant) as s:
        s.connection()
    with database.platform() as session:
        session.execute(text("UPDATE public.tenants SET status = 'active'"))
    with pytest.raises(TenantUnavailable, match="role"), database.tenant(seller.tenant) as s:
        s.connection()
    assert SignedOut.status == 401
