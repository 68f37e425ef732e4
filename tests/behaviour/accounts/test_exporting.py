"""A shop out of one installation and into another; damaged archives change nothing."""

import hashlib
import io
import json
import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import httpx
import pytest
from sqlalchemy import text

from backend.app import create_app
from backend.cli.tenants.opening import PASSWORD_VARIABLE
from backend.container import Container, build_container
from backend.settings import Settings
from migrations.runner import migrate
from models.selling.publishing import JobStatus
from services.accounts.identity.registration import EmailTaken, NewAccount
from services.accounts.tenants.archives import reading
from services.accounts.tenants.archives.manifest import ArchiveRefused
from services.accounts.tenants.exporting import PlaceTaken
from services.accounts.tenants.importing import Imported, ShopHasRows
from shared.clock import MovableClock
from shared.database import Database, EngineOptions, TenantSchema, create_database_engine
from tests.conftest import Run
from tests.databases import create_empty_database, drop_database, remove_everything
from tests.factories.accounts import make_user
from tests.factories.selling import make_job, make_product
from tests.factories.shops import SECRET_TOKEN, ShopContents, contents_of, furnish
from tests.passwords import CHEAP_PASSWORDS, PASSWORD
from tests.serving import Seller, client, sign_in

MINA = NewAccount("mina@example.com", CHEAP_PASSWORDS.hash(PASSWORD), "Mina Rossi")


@pytest.fixture(scope="module")
def other_database(server_url: str) -> Iterator[Database]:
    """The database of another installation."""
    name = f"stoflow_other_{os.getpid()}"
    engine = create_database_engine(
        create_empty_database(server_url, name), EngineOptions(pool_size=5)
    )
    migrate(engine)
    yield Database(engine, check_sentinel=True)
    engine.dispose()
    drop_database(server_url, name)


@pytest.fixture
def elsewhere(
    other_database: Database, settings: Settings, clock: MovableClock, tmp_path: Path
) -> Iterator[Container]:
    """Another installation: its own database, photos and numbers."""
    settings = settings.model_copy(update={"data_dir": tmp_path / "elsewhere"})
    built = build_container(
        settings, database=other_database, clock=clock, passwords=CHEAP_PASSWORDS
    )
    with other_database.platform() as session:
        for _ in range(3):
            make_user(session, clock)
    yield built
    built.close()
    remove_everything(other_database)


@dataclass(frozen=True)
class Exported:
    """A shop, its photos by key, and the file it was written to."""

    tenant: TenantSchema
    contents: ShopContents
    photos: dict[str, bytes]
    file: Path


@pytest.fixture
def exported(
    container: Container,
    database: Database,
    tenant: TenantSchema,
    clock: MovableClock,
    tmp_path: Path,
) -> Exported:
    """A shop with something of everything, exported."""
    photos = furnish(database, container.object_store, tenant, clock)
    container.shop_life.exporting.export(tenant, tmp_path / "shop.zip")
    return Exported(tenant, contents_of(database, tenant), photos, tmp_path / "shop.zip")


def bring_in(container: Container, file: Path, email: str = MINA.email) -> Imported:
    return container.shop_life.importing.bring_in(file, email, lambda: replace(MINA, email=email))


def traces(container: Container) -> dict[str, object]:
    """All that an import could have left."""
    database = container.database
    with database.platform() as session:
        return {
            "users": session.scalars(text("SELECT email FROM public.users ORDER BY id")).all(),
            "tenants": session.scalars(text("SELECT id FROM public.tenants")).all(),
            "schemas": session.scalars(
                text("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'user\\_%'")
            ).all(),
            "roles": session.scalars(
                text("SELECT rolname FROM pg_roles WHERE rolname LIKE :pattern"),
                {"pattern": f"{database.name}_user_%"},
            ).all(),
            "files": list(container.object_store.keys("tenants")),
        }


def rewritten(
    file: Path, change: Callable[[dict[str, bytes]], None], *, honest: bool = False
) -> Path:
    """The archive with other files in it; `honest` makes the manifest agree with them."""
    with ZipFile(file) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    if honest:
        manifest = json.loads(files["manifest.json"])
        manifest["files"] = {
            name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in files.items()
            if name != "manifest.json"
        }
        files["manifest.json"] = json.dumps(manifest).encode()
    changed = file.with_name("changed.zip")
    with ZipFile(changed, "w", ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return changed


def test_a_shop_moves_to_another_installation(
    exported: Exported, elsewhere: Container, clock: MovableClock
) -> None:
    """F13: same rows, numbers and photos, under another number, owned by somebody else."""
    imported = bring_in(elsewhere, exported.file)
    assert imported.new_account
    assert imported.tenant != exported.tenant
    here, there = imported.tenant, exported.tenant
    arrived = contents_of(elsewhere.database, here)
    assert arrived.sequences == exported.contents.sequences
    expected = dict(exported.contents.tables)
    expected["ebay_connections"] = expected["etsy_accounts"] = []
    expected["tenant_sentinel"] = [f"({here.tenant_id})"]
    expected["product_images"] = [
        row.replace(there.folder, here.folder) for row in expected["product_images"]
    ]
    different = {
        name for name, rows in expected.items() if sorted(arrived.tables[name]) != sorted(rows)
    }
    who_asked = {"job_batches", "marketplace_jobs", "order_shipments"}
    assert different == who_asked, "they name who asked"
    with elsewhere.database.tenant(here) as session:
        askers = session.scalars(
            text(" UNION ".join(f"SELECT requested_by FROM {name}" for name in who_asked))
        ).all()
        assert askers == [here.tenant_id]
        make_product(session, clock)
    for key, data in exported.photos.items():
        assert elsewhere.object_store.get(key.replace(there.folder, here.folder)) == data


def test_who_asked_is_all_that_differs_in_jobs(exported: Exported, elsewhere: Container) -> None:
    """F13: the history of jobs is identical."""
    here = bring_in(elsewhere, exported.file).tenant
    with elsewhere.database.platform() as session:
        session.execute(
            text(f"UPDATE {here.quoted}.marketplace_jobs SET requested_by = :id"),
            {"id": exported.tenant.tenant_id},
        )
    arrived = contents_of(elsewhere.database, here).tables
    assert arrived["marketplace_jobs"] == exported.contents.tables["marketplace_jobs"]
    assert arrived["job_steps"] == exported.contents.tables["job_steps"]


def test_the_new_owner_signs_in_and_sees_products_and_photos(
    exported: Exported, elsewhere: Container, stage: Any
) -> None:
    """F13: over HTTP."""
    bring_in(elsewhere, exported.file)
    stage.app = create_app(elsewhere)
    try:
        with client(stage.url) as http:
            answer = sign_in(http, MINA.email)
            assert answer.status_code == 200, answer.text
            http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
            products = http.get("/api/v1/products").json()["items"]
            assert [product["id"] for product in products] == [1]
            images = http.get("/api/v1/products/1").json()["images"]
            assert len(images) == 2
    finally:
        stage.app = None


def test_an_export_holds_no_secret_and_says_so(exported: Exported) -> None:
    """F13: no token, no ciphertext, no table of connections; a person can read what is what."""
    with ZipFile(exported.file) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())
        manifest = json.loads(archive.read("manifest.json"))
        readme = archive.read("README.txt").decode()
        photos = [name for name in archive.namelist() if name.startswith("photos/")]
        for name in photos:
            digest = hashlib.sha256(archive.read(name)).hexdigest()
            assert name == f"photos/{digest}.jpg"
    assert SECRET_TOKEN.encode() not in everything
    assert b"access_token" not in everything
    assert exported.tenant.name.encode() not in everything
    assert exported.tenant.folder.encode() not in everything
    assert manifest["left_out"] == ["ebay_connections", "etsy_accounts"]
    assert "connect eBay and other channels again" in readme
    assert len(photos) == len(exported.photos) == 2


def test_a_photo_that_is_no_longer_stored_is_counted_as_missing(
    container: Container, exported: Exported, elsewhere: Container, tmp_path: Path
) -> None:
    """F13: the rest moves."""
    lost, kept = exported.photos
    container.object_store.delete(lost)
    written = container.shop_life.exporting.export(exported.tenant, tmp_path / "again.zip")
    assert written.manifest.missing_photos == [lost.removeprefix(exported.tenant.folder)]
    here = bring_in(elsewhere, tmp_path / "again.zip").tenant
    arrived = [here.folder + kept.removeprefix(exported.tenant.folder)]
    assert list(elsewhere.object_store.keys("tenants")) == arrived


def test_live_jobs_are_called_off_where_the_shop_arrives(
    container: Container,
    database: Database,
    tenant: TenantSchema,
    elsewhere: Container,
    clock: MovableClock,
    tmp_path: Path,
) -> None:
    """F13: else both installations would publish."""
    with database.tenant(tenant) as session:
        job_id = make_job(session, clock).id
    container.shop_life.exporting.export(tenant, tmp_path / "shop.zip")
    imported = bring_in(elsewhere, tmp_path / "shop.zip")
    assert imported.jobs_called_off == 1
    with elsewhere.database.tenant(imported.tenant) as session:
        status, code = session.execute(
            text("SELECT status, problem_code FROM marketplace_jobs WHERE id = :id"),
            {"id": job_id},
        ).one()
    assert (status, code) == (JobStatus.CANCELLED, "called-off")
    with elsewhere.database.platform() as session:
        assert session.scalar(text("SELECT count(*) FROM public.tenant_bells")) == 0
    with database.tenant(tenant) as session:
        assert session.scalar(text("SELECT status FROM marketplace_jobs")) == "pending"


def test_an_account_without_rows_takes_a_shop_and_one_with_rows_does_not(
    exported: Exported, elsewhere: Container, clock: MovableClock
) -> None:
    """F13: nothing is mixed; nothing changes when refused."""
    with elsewhere.database.platform() as session:
        user = make_user(session, clock, email="Mina@example.com")
        tenant = elsewhere.provisioning.provision(session, user.id)
    imported = bring_in(elsewhere, exported.file)
    assert (imported.tenant, imported.new_account) == (tenant, False)
    before = contents_of(elsewhere.database, tenant)
    files = traces(elsewhere)
    with pytest.raises(ShopHasRows, match="has rows in"):
        bring_in(elsewhere, exported.file)
    assert contents_of(elsewhere.database, tenant) == before
    assert traces(elsewhere) == files


def test_the_same_shop_can_stand_beside_itself(
    container: Container, database: Database, exported: Exported
) -> None:
    """F13: in the installation it came from, under another number."""
    imported = bring_in(container, exported.file)
    assert imported.tenant != exported.tenant
    assert contents_of(database, exported.tenant) == exported.contents
    arrived = contents_of(database, imported.tenant)
    assert arrived.tables["products"] == exported.contents.tables["products"]


def test_an_export_never_writes_over_a_file(container: Container, exported: Exported) -> None:
    """F13."""
    before = exported.file.read_bytes()
    with pytest.raises(PlaceTaken):
        container.shop_life.exporting.export(exported.tenant, exported.file)
    assert exported.file.read_bytes() == before
    assert [each.name for each in exported.file.parent.glob(".stoflow*")] == []


def test_an_export_needs_a_folder_that_exists(
    run: Run, tenant: TenantSchema, tmp_path: Path
) -> None:
    """F13: a sentence, not a traceback."""
    nowhere = tmp_path / "nowhere"
    refused = run("tenants", "export", tenant.name, "--to", str(nowhere / "shop.zip"))
    assert refused.exit_code == 1
    assert f"{nowhere} is no folder" in str(refused.exception)
    assert not nowhere.exists()


def test_the_archive_of_a_sleeping_shop_is_not_for_others(
    container: Container, exported: Exported, elsewhere: Container, tmp_path: Path
) -> None:
    """F13: its ciphertexts stay at home."""
    key = container.shop_life.hibernation.hibernate(exported.tenant).archive_key
    container.object_store.get_file(key, tmp_path / "asleep.zip")
    with pytest.raises(ArchiveRefused, match="sleeping shop"):
        bring_in(elsewhere, tmp_path / "asleep.zip")
    with pytest.raises(ArchiveRefused, match="wake it first"):
        container.shop_life.exporting.export(exported.tenant, tmp_path / "no.zip")


def _edited(**changes: Any) -> Callable[[dict[str, bytes]], None]:
    def edit(files: dict[str, bytes]) -> None:
        manifest = json.loads(files["manifest.json"])
        files["manifest.json"] = json.dumps(manifest | changes).encode()

    return edit


def _row(table: str, **changes: Any) -> Callable[[dict[str, bytes]], None]:
    """Changes the first row of a table."""

    def edit(files: dict[str, bytes]) -> None:
        name = f"tables/{table}.jsonl"
        first, *rest = files[name].splitlines(keepends=True)
        row = {k: v for k, v in (json.loads(first) | changes).items() if v is not ...}
        files[name] = json.dumps(row).encode() + b"\n" + b"".join(rest)

    return edit


def _added(name: str, data: bytes = b"x") -> Callable[[dict[str, bytes]], None]:
    return lambda files: files.update({name: data})


def _without(name: str) -> Callable[[dict[str, bytes]], None]:
    def edit(files: dict[str, bytes]) -> None:
        del files[name]

    return edit


DAMAGED = {
    "not a row": (_added("tables/products.jsonl", b"[1]\n"), False, "size"),
    "other content": (
        lambda files: files.update({"sequences.json": files["sequences.json"].replace(b"3", b"4")}),
        False,
        "damaged",
    ),
    "a file less": (_without("tables/products.jsonl"), False, "lacks"),
    "no manifest": (_without("manifest.json"), False, r"no manifest\.json"),
    "out of its folder": (_added("../../evil"), True, "does not belong"),
    "absolute": (_added("/etc/passwd"), True, "does not belong"),
    "out of the tables": (_added("tables/../evil.jsonl"), True, "does not belong"),
    "a stranger": (_added("tables/strangers.jsonl", b"{}\n"), True, "says nothing"),
    "another photo": (_added(f"photos/{'0' * 64}.jpg"), True, "another photo"),
    "no archive of ours": (_edited(format="zip"), False, "no archive of a shop"),
    "a later format": (_edited(format_version=2), False, "reads format 1"),
    "a newer revision": (_edited(revision="tenant_9999"), False, "Upgrade this installation"),
    "half a manifest": (_edited(tables=None), False, "damaged at tables"),
    "a foreign file": (
        _row("product_images", object_key="../1/photos/x"),
        True,
        "rows do not fit: product_images",
    ),
    "a column too many": (_row("products", shelf="1"), True, "not a row"),
    "a value too few": (_row("products", title=...), True, "rows do not fit: products"),
    "another kind": (_row("products", created_at="soon"), True, "rows do not fit: products"),
    "a parent less": (_row("product_variants", product_id=99), True, "do not fit"),
    "one row twice": (
        lambda files: files.update(
            {"tables/missing_images.jsonl": files["tables/missing_images.jsonl"] * 2}
        ),
        True,
        "rows that the manifest says",
    ),
    "a strange sequence": (_added("sequences.json", b'{"x": {}}'), True, "damaged"),
}


@pytest.mark.parametrize("how", DAMAGED)
def test_a_damaged_archive_changes_nothing(
    exported: Exported, elsewhere: Container, how: str
) -> None:
    """F13: no account, no schema, no role, no photo."""
    change, honest, said = DAMAGED[how]
    damaged = rewritten(exported.file, change, honest=honest)
    before = traces(elsewhere)
    with pytest.raises(ArchiveRefused, match=said):
        bring_in(elsewhere, damaged)
    assert traces(elsewhere) == before


def test_a_truncated_archive_changes_nothing(exported: Exported, elsewhere: Container) -> None:
    """F13: wherever it was cut off; and no archive at all."""
    whole = exported.file.read_bytes()
    before = traces(elsewhere)
    for size in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        exported.file.write_bytes(whole[:size])
        with pytest.raises(ArchiveRefused, match="damaged"):
            bring_in(elsewhere, exported.file)
    assert traces(elsewhere) == before


def test_a_changed_byte_is_noticed_or_makes_no_difference(exported: Exported) -> None:
    """F13: a date in the container may change unseen, no row and no photo."""
    whole = exported.file.read_bytes()
    with reading.opened_archive(exported.file) as archive:
        manifest = archive.manifest
    noticed = 0
    places = range(0, len(whole), len(whole) // 97)
    for place in places:
        flipped = bytearray(whole)
        flipped[place] ^= 0xFF
        exported.file.write_bytes(flipped)
        try:
            with reading.opened_archive(exported.file) as archive:
                assert archive.manifest == manifest
        except ArchiveRefused:
            noticed += 1
    assert noticed > len(places) / 2


def test_a_file_that_is_said_to_lie_before_the_beginning_is_damaged(exported: Exported) -> None:
    """F13: the container's own directory is moved, so that all that it names is elsewhere."""
    whole = bytearray(exported.file.read_bytes())
    end = whole.rindex(b"PK\x05\x06")
    (directory_at,) = struct.unpack_from("<I", whole, end + 16)
    struct.pack_into("<I", whole, end + 16, directory_at + 1_000)
    exported.file.write_bytes(whole)
    with (
        pytest.raises(ArchiveRefused, match="damaged"),
        reading.opened_archive(exported.file),
    ):
        pass


def test_a_zip_bomb_is_refused_before_it_is_unpacked(
    exported: Exported, elsewhere: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F13: by what it says of its size, and nothing says less than it is."""
    monkeypatch.setattr(reading, "UNSUSPICIOUS_BYTES", 1_000_000)
    line = b'{"id": 1, "source": "' + b"x" * 30_000_000 + b'"}\n'
    bomb = rewritten(exported.file, _added("tables/missing_images.jsonl", line), honest=True)
    before = traces(elsewhere)
    with pytest.raises(ArchiveRefused, match="trap"):
        bring_in(elsewhere, bomb)
    assert traces(elsewhere) == before


def test_a_file_twice_in_an_archive_is_refused(exported: Exported, elsewhere: Container) -> None:
    """F13: which of the two would be read is not for the archive to decide."""
    data = io.BytesIO(exported.file.read_bytes())
    with ZipFile(data, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("sequences.json", b"{}")
    exported.file.write_bytes(data.getvalue())
    with pytest.raises(ArchiveRefused, match="twice"):
        bring_in(elsewhere, exported.file)


def test_a_failure_in_the_middle_leaves_nothing(
    exported: Exported, elsewhere: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F13: photos were stored, account and schema made; all of it goes."""
    before = traces(elsewhere)

    def fail(*_words: object, **_named: object) -> None:
        raise RuntimeError("cut off")

    for step in (
        "services.selling.publishing.resting.RestingJobs.call_off",
        "repositories.accounts.tenant_rows.TenantRows.put_back",
        "services.gateways.object_store.LocalFolderStore.exists",
    ):
        with monkeypatch.context() as patched:
            patched.setattr(step, fail)
            with pytest.raises(RuntimeError, match="cut off"):
                bring_in(elsewhere, exported.file)
        assert traces(elsewhere) == before
    assert bring_in(elsewhere, exported.file).new_account


def test_an_address_that_is_taken_meanwhile_is_refused(
    exported: Exported, elsewhere: Container, clock: MovableClock
) -> None:
    """F13: and nothing of the shop is left."""
    before = traces(elsewhere)

    def somebody_is_faster() -> NewAccount:
        with elsewhere.database.platform() as session:
            make_user(session, clock, email=MINA.email)
        return MINA

    with pytest.raises(EmailTaken):
        elsewhere.shop_life.importing.bring_in(exported.file, MINA.email, somebody_is_faster)
    after = traces(elsewhere)
    assert after.pop("users") == [*before.pop("users"), MINA.email]  # type: ignore[misc]
    assert after == before


def test_the_commands_write_and_take_archives(
    run: Run,
    api: httpx.Client,
    seller: Seller,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """F13: with a new account, whose password never comes as an argument."""
    seller.http.post("/api/v1/products", json={"title": "x", "variants": []})
    file = tmp_path / "shop.zip"
    done = run("tenants", "export", seller.email, "--to", str(file), "--json")
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout)
    assert facts["tenant"] == seller.tenant.name
    assert facts["bytes"] == file.stat().st_size
    assert facts["left_out"] == ["ebay_connections", "etsy_accounts"]
    assert run("tenants", "export", seller.email, "--to", str(file)).exit_code == 1
    wanted = ("tenants", "import", str(file), "--email", "new@example.com")
    assert PASSWORD_VARIABLE in str(run(*wanted).exception)
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
    brought = run(*wanted, "--full-name", "New")
    assert brought.exit_code == 0, brought.output
    assert "new account new@example.com" in brought.stdout
    assert "connect the channels again: ebay_connections, etsy_accounts" in brought.stdout
    assert sign_in(api, "new@example.com").status_code == 200
    assert run("tenants", "import", str(file), "--email", "nobody").exit_code == 2
    assert run("tenants", "import", str(tmp_path / "none"), "--email", "a@b.co").exit_code == 2


def test_many_rows_go_through_a_few_at_a_time(
    container: Container,
    database: Database,
    tenant: TenantSchema,
    elsewhere: Container,
    tmp_path: Path,
) -> None:
    """F13: more than one batch of reading and of writing."""
    with database.tenant(tenant) as session:
        session.execute(
            text(
                "INSERT INTO ebay_pictures (sha256, image_url, uploaded_at)"
                " SELECT lpad(n::text, 64, '0'), repeat('x', n % 50), now()"
                " FROM generate_series(1, 2500) AS n"
            )
        )
    told: list[tuple[str, int, int | None]] = []
    container.shop_life.exporting.export(
        tenant, tmp_path / "shop.zip", lambda *words: told.append(words)
    )
    assert ("ebay_pictures", 2000, None) in told
    assert ("ebay_pictures", 2500, 2500) in told
    here = bring_in(elsewhere, tmp_path / "shop.zip").tenant
    arrived = contents_of(elsewhere.database, here).tables["ebay_pictures"]
    assert arrived == contents_of(database, tenant).tables["ebay_pictures"]
