"""`stoflow`: what operators type."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from backend.cli.tenants.opening import PASSWORD_VARIABLE
from backend.keys import load_keys
from backend.settings import Settings
from migrations.lines import PLATFORM, TENANT
from migrations.rendering import head_of, revisions
from repositories.accounts.tenants import TenantRepository
from shared.database import Database, TenantSchema
from tests.conftest import Run
from tests.passwords import PASSWORD

ROOT = Path(__file__).parents[3]


def accounts(database: Database) -> int:
    with database.platform() as session:
        return session.scalar(text("SELECT count(*) FROM public.users")) or 0


def test_provisioning_opens_the_account_and_the_shop_and_can_be_repeated(
    run: Run, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ST12: the admin script; the password never comes as an argument."""
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
    first = run("tenants", "provision", "mina@example.com", "--full-name", "Mina", "--json")
    assert first.exit_code == 0, first.output
    assert json.loads(first.stdout)["new_account"] is True
    monkeypatch.delenv(PASSWORD_VARIABLE)
    second = run("tenants", "provision", "MINA@example.com", "--json")
    assert json.loads(second.stdout)["new_account"] is False
    assert json.loads(second.stdout)["tenant"] == json.loads(first.stdout)["tenant"]
    assert accounts(database) == 1
    with database.tenant(TenantSchema.parse(json.loads(first.stdout)["tenant"])) as session:
        assert session.scalar(text("SELECT count(*) FROM products")) == 0


def test_a_new_account_needs_a_good_password(
    run: Run, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ST12: refused, and nothing changed."""
    without = run("tenants", "provision", "mina@example.com")
    assert without.exit_code == 1
    assert PASSWORD_VARIABLE in str(without.exception)
    monkeypatch.setenv(PASSWORD_VARIABLE, "short")
    assert run("tenants", "provision", "mina@example.com").exit_code == 1
    assert run("tenants", "provision", "not an address").exit_code == 2
    assert accounts(database) == 0


def test_the_script_does_the_same(
    database: Database, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    """ST12: scripts/provision_tenant.py, as the source documents name it."""
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
    done = subprocess.run(
        [sys.executable, "scripts/provision_tenant.py", "mina@example.com", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    shop = TenantSchema.parse(json.loads(done.stdout)["tenant"])
    with database.platform() as session:
        assert TenantRepository(session).all_schemas() == [shop]


def test_shops_are_listed_with_their_owners(
    run: Run, tenant: TenantSchema, other_tenant: TenantSchema
) -> None:
    """F4."""
    shops = json.loads(run("tenants", "list", "--json").stdout)
    assert [shop["tenant"] for shop in shops] == [tenant.name, other_tenant.name]
    assert {shop["status"] for shop in shops} == {"active"}
    assert tenant.name in run("tenants", "list").stdout


def test_a_shop_that_is_behind_shows_in_the_exit_code(
    run: Run, database: Database, tenant: TenantSchema
) -> None:
    """F4: 3 means that something wants migrating."""
    for command in ("tenants", "db"):
        assert run(command, "status").exit_code == 0
    with database.platform() as session:
        TenantRepository(session).set_schema_version(tenant, revisions(TENANT)[0])
    status = run("tenants", "status", "--json")
    assert status.exit_code == 3
    assert json.loads(status.stdout)["behind"] == 1
    facts = run("db", "status", "--json")
    assert facts.exit_code == 3
    assert json.loads(facts.stdout) == {
        "platform": head_of(PLATFORM),
        "platform_head": head_of(PLATFORM),
        "new_shops": head_of(TENANT),
        "tenant_head": head_of(TENANT),
        "tenants_behind": 1,
    }


def test_generated_keys_are_what_production_accepts(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ST16, ST22: as lines for an environment, read back by the settings."""
    printed = run("keys", "generate").stdout
    for line in printed.splitlines():
        name, _, value = line.partition("=")
        monkeypatch.setenv(name, value.strip('"'))
    monkeypatch.setenv("STOFLOW_ENVIRONMENT", "production")
    monkeypatch.setenv("STOFLOW_PUBLIC_URL", "https://api.example.com")
    monkeypatch.setenv("STOFLOW_STORAGE_BUCKET", "photos")
    keys = load_keys(Settings())
    assert keys.token_key.key_size == 2048
    assert keys.secret_box.open(keys.secret_box.seal("a secret")) == "a secret"
    assert run("keys", "generate").stdout != printed


def test_the_openapi_document_needs_no_database(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """K73."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    document = json.loads(run("openapi").stdout)
    assert document["info"]["title"] == "StoFlow"
    assert "/api/v1/auth/token" in document["paths"]
