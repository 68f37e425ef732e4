"""Registering opens an account and its shop together, or leaves nothing."""

import threading

import httpx
import pytest
from sqlalchemy import text

from backend.container import Container
from migrations.rendering import SchemaScript, tenant_script
from services.accounts.tenants.provisioning import TenantProvisioning
from shared.database import Database, TenantSchema
from tests.passwords import PASSWORD
from tests.serving import Seller, sign_in

GOOD = {"email": "mina@example.com", "password": PASSWORD, "full_name": "Mina Rossi"}


def traces(database: Database) -> dict[str, int]:
    """What registering leaves in the database."""
    counts = {
        "accounts": "SELECT count(*) FROM public.users",
        "tenants": "SELECT count(*) FROM public.tenants",
        "sign-ins": "SELECT count(*) FROM public.auth_sessions",
        "schemas": r"SELECT count(*) FROM pg_namespace WHERE nspname ~ '^user_\d+$'",
        "roles": r"SELECT count(*) FROM pg_roles WHERE rolname ~ :roles",
    }
    with database.platform() as session:
        roles = {"roles": rf"^{database.name}_user_\d+$"}
        return {
            name: session.scalar(text(query), roles if ":roles" in query else {}) or 0
            for name, query in counts.items()
        }


NOTHING = {"accounts": 0, "tenants": 0, "sign-ins": 0, "schemas": 0, "roles": 0}
ONE = {"accounts": 1, "tenants": 1, "sign-ins": 0, "schemas": 1, "roles": 1}


def test_a_new_account_has_a_shop_that_works_at_once(api: httpx.Client, database: Database) -> None:
    """K14, K17, ST12, F6."""
    answer = api.post("/api/v1/auth/register", json=GOOD)
    assert answer.status_code == 201
    account = answer.json()
    assert account["email"] == "mina@example.com"
    assert account["full_name"] == "Mina Rossi"
    assert account["role"] == "member"
    assert account["shop"]["status"] == "active"
    assert PASSWORD not in answer.text
    assert traces(database) == ONE
    with database.tenant(TenantSchema(int(account["shop"]["id"]))) as session:
        assert session.scalar(text("SELECT count(*) FROM products")) == 0


def test_a_taken_address_is_refused_whatever_its_case(
    api: httpx.Client, database: Database
) -> None:
    """K17."""
    assert api.post("/api/v1/auth/register", json=GOOD).status_code == 201
    answer = api.post("/api/v1/auth/register", json=GOOD | {"email": "MINA@Example.com"})
    assert answer.status_code == 409
    assert answer.json()["code"] == "email-taken"
    assert traces(database) == ONE


def test_of_two_who_register_one_address_at_the_same_time_one_gets_it(
    api: httpx.Client, database: Database
) -> None:
    """K17: the database decides, not a look before."""
    statuses: list[int] = []
    together = threading.Barrier(4)

    def register() -> None:
        together.wait()
        statuses.append(api.post("/api/v1/auth/register", json=GOOD).status_code)

    threads = [threading.Thread(target=register) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201, 409, 409, 409]
    assert traces(database) == ONE


BROKEN = "CREATE TABLE products (id no_such_type)"


@pytest.mark.parametrize(
    "statements",
    [(BROKEN, *tenant_script().statements), (*tenant_script().statements, BROKEN)],
    ids=["at the first statement", "at the last statement"],
)
def test_a_shop_that_cannot_be_made_leaves_no_account(
    api: httpx.Client, container: Container, database: Database, statements: tuple[str, ...]
) -> None:
    """F3, F6: a failure injected into the DDL itself."""
    whole = container.provisioning
    damaged = SchemaScript(tenant_script().revision, statements)
    container.provisioning = TenantProvisioning(database, damaged, container.clock)
    answer = api.post("/api/v1/auth/register", json=GOOD)
    assert answer.status_code == 500
    assert answer.json()["code"] == "schema-creation-failed"
    assert "no_such_type" not in answer.text
    assert traces(database) == NOTHING

    container.provisioning = whole
    assert api.post("/api/v1/auth/register", json=GOOD).status_code == 201


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "mina"}, "email"),
        ({"email": "mina@"}, "email"),
        ({"email": "a" * 250 + "@example.com"}, "email"),
        ({"email": None}, "email"),
        ({"password": "123456789"}, "password"),
        ({"password": "x" * 257}, "password"),
        ({"password": "aaaaaaaaaaaa"}, "password"),
        ({"password": "Mina@Example.com"}, "password"),
        ({"password": 1234567890123}, "password"),
        ({"full_name": ""}, "full_name"),
        ({"full_name": " \t\u0000 "}, "full_name"),
        ({"full_name": "x" * 201}, "full_name"),
        ({"role": "admin"}, "role"),
    ],
)
def test_what_is_not_valid_is_named_and_changes_nothing(
    api: httpx.Client, database: Database, change: dict[str, object], field: str
) -> None:
    """ST3, K17: nobody becomes an administrator by asking."""
    answer = api.post("/api/v1/auth/register", json=GOOD | change)
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["code"] == "invalid-input"
    assert [each["field"] for each in problem["fields"]] == [field]
    assert str(change.get("password", PASSWORD)) not in answer.text
    assert traces(database) == NOTHING


@pytest.mark.parametrize(
    "password", ["密码密码密码密码密码", "pass" * 64, "pässwörd ✓ ok", "ten chars!"]
)
def test_any_characters_make_a_password(api: httpx.Client, password: str) -> None:
    """K13."""
    answer = api.post("/api/v1/auth/register", json=GOOD | {"password": password})
    assert answer.status_code == 201
    assert sign_in(api, "mina@example.com", password).status_code == 200
    assert sign_in(api, "mina@example.com", password + "x").status_code == 401


def test_one_password_typed_on_two_keyboards_is_the_same(api: httpx.Client) -> None:
    """K13: composed and decomposed accents (NIST SP 800-63B §3.1.1.2)."""
    api.post("/api/v1/auth/register", json=GOOD | {"password": "caf\u00e9 au lait"})
    assert sign_in(api, "mina@example.com", "cafe\u0301 au lait").status_code == 200


def test_a_name_loses_what_cannot_be_stored(api: httpx.Client) -> None:
    """K17: NUL would stop PostgreSQL."""
    answer = api.post("/api/v1/auth/register", json=GOOD | {"full_name": " Mina\u0000\n  Rossi "})
    assert answer.json()["full_name"] == "Mina Rossi"


def test_two_accounts_have_two_shops(seller: Seller, other_seller: Seller) -> None:
    """ST12, ST14."""
    assert seller.tenant != other_seller.tenant
