"""Signing in: the right password opens, everything else looks the same, guessing is cut short."""

import threading
from datetime import timedelta

import httpx
import pytest
from argon2 import PasswordHasher
from sqlalchemy import text

from backend.container import Container
from services.accounts.identity.passwords import Passwords
from shared.clock import MovableClock
from shared.database import Database
from tests.passwords import PASSWORD
from tests.serving import Seller, client, sign_in, sign_up


def failures(database: Database) -> int:
    with database.platform() as session:
        return session.scalar(text("SELECT failed_sign_ins FROM public.users")) or 0


def sign_ins(database: Database) -> int:
    with database.platform() as session:
        return session.scalar(text("SELECT count(*) FROM public.auth_sessions")) or 0


def test_signing_in_gives_tokens_that_open_the_account(api: httpx.Client, seller: Seller) -> None:
    """K14, T13, ST16, ST17."""
    assert seller.tokens["token_type"] == "bearer"
    assert seller.tokens["expires_in"] == 900
    answer = seller.http.get("/api/v1/me")
    assert answer.status_code == 200
    assert answer.json() == seller.account


def test_the_address_is_matched_whatever_its_case(api: httpx.Client, seller: Seller) -> None:
    """K17."""
    assert sign_in(api, f" {seller.email.upper()} ").status_code == 200


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (None, "wrong password"),
        (None, PASSWORD + "x" * 300),
        (None, ""),
        ("nobody@example.com", PASSWORD),
        ("nul\x00@example.com", PASSWORD),
        ("' OR 1=1 --", PASSWORD),
    ],
)
def test_every_wrong_pair_gets_the_same_answer(
    api: httpx.Client, database: Database, seller: Seller, email: str | None, password: str
) -> None:
    """F23: what is wrong is not said."""
    before = sign_ins(database)
    answer = sign_in(api, email or seller.email, password or " ")
    assert answer.status_code == 401
    problem = answer.json()
    assert problem.pop("instance")
    assert problem == {
        "type": "urn:stoflow:problem:wrong-credentials",
        "title": "E-mail address or password is wrong",
        "status": 401,
        "detail": "E-mail address or password is wrong. After 10 failures in a row an account is"
        " locked for 15 minutes.",
        "code": "wrong-credentials",
        "fields": [],
    }
    assert sign_ins(database) == before


class CountingHasher(PasswordHasher):
    """Counts how often it had to work."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.verified = 0

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]
        self.verified += 1
        return super().verify(hash, password)


@pytest.mark.parametrize("case", ["right", "wrong", "unknown", "too long"])
def test_every_attempt_costs_one_hash(
    api: httpx.Client, container: Container, seller: Seller, case: str
) -> None:
    """F23: neither does the time say whether the account exists."""
    hasher = CountingHasher()
    container.passwords = Passwords(hasher)
    email = "nobody@example.com" if case == "unknown" else seller.email
    password = {"right": PASSWORD, "too long": "x" * 500}.get(case, "wrong password")
    sign_in(api, email, password)
    assert hasher.verified == 1


def test_ten_failures_lock_the_account_for_a_quarter_of_an_hour(
    api: httpx.Client, database: Database, seller: Seller, clock: MovableClock
) -> None:
    """F23: counted although each answer is a refusal."""
    for number in range(1, 10):
        assert sign_in(api, seller.email, "wrong password").status_code == 401
        assert failures(database) == number
    assert sign_in(api, seller.email, "wrong password").status_code == 401
    assert sign_in(api, seller.email).status_code == 401
    clock.advance(timedelta(minutes=15) - timedelta(seconds=1))
    assert sign_in(api, seller.email).status_code == 401
    clock.advance(timedelta(seconds=1))
    assert sign_in(api, seller.email).status_code == 200


def test_attempts_on_a_locked_account_do_not_prolong_the_lock(
    api: httpx.Client, seller: Seller, clock: MovableClock
) -> None:
    """F23: nobody can lock another out for ever by trying now and then."""
    for _ in range(10):
        sign_in(api, seller.email, "wrong password")
    clock.advance(timedelta(minutes=14))
    for _ in range(12):
        sign_in(api, seller.email, "wrong password")
    clock.advance(timedelta(minutes=1))
    assert sign_in(api, seller.email).status_code == 200


def test_the_right_password_forgets_earlier_failures(
    api: httpx.Client, database: Database, seller: Seller
) -> None:
    """F23."""
    for _ in range(9):
        sign_in(api, seller.email, "wrong password")
    assert sign_in(api, seller.email).status_code == 200
    assert failures(database) == 0


def test_guesses_made_at_the_same_time_are_all_counted(
    api: httpx.Client, database: Database, seller: Seller
) -> None:
    """F23: parallel guessing gains nothing."""
    together = threading.Barrier(9)

    def guess() -> None:
        together.wait()
        sign_in(api, seller.email, "wrong password")

    threads = [threading.Thread(target=guess) for _ in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures(database) == 9


def test_a_hash_of_yesterdays_strength_is_renewed(
    api: httpx.Client, container: Container, database: Database, seller: Seller
) -> None:
    """K13, F30: argon2id, and stronger when we raise the cost."""
    container.passwords = Passwords(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    assert sign_in(api, seller.email).status_code == 200
    with database.platform() as session:
        stored = session.scalar(text("SELECT password_hash FROM public.users"))
    assert stored is not None
    assert stored.startswith("$argon2id$v=19$m=16,t=2,p=1$")
    assert sign_in(api, seller.email).status_code == 200


def test_real_settings_hash_with_argon2id_at_full_cost() -> None:
    """F30: what production uses, RFC 9106's second recommended option or stronger."""
    stored = Passwords().hash(PASSWORD)
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


@pytest.mark.parametrize(
    "form",
    [
        {"username": "a@example.com"},
        {"password": PASSWORD},
        {},
        {"username": "a@example.com", "password": PASSWORD, "grant_type": "client_credentials"},
    ],
)
def test_an_incomplete_form_is_refused(api: httpx.Client, form: dict[str, str]) -> None:
    """ST3."""
    answer = api.post("/api/v1/auth/token", data=form)
    assert answer.status_code == 422
    assert answer.json()["fields"]
    assert PASSWORD not in answer.text


def test_signing_out_ends_that_sign_in_at_once_and_no_other(
    api: httpx.Client, seller: Seller
) -> None:
    """T17, ST19: the access token is refused although it has not expired."""
    with client(str(api.base_url), sign_in(api, seller.email).json()["access_token"]) as elsewhere:
        assert seller.http.post("/api/v1/auth/logout").status_code == 204
        for call in (seller.http.get("/api/v1/me"), seller.http.post("/api/v1/auth/logout")):
            assert call.status_code == 401
            assert call.json()["code"] == "signed-out"
        assert elsewhere.get("/api/v1/me").status_code == 200
    refused = api.post(
        "/api/v1/auth/refresh", json={"refresh_token": seller.tokens["refresh_token"]}
    )
    assert refused.status_code == 401
    assert refused.json()["code"] == "refresh-refused"


def test_a_signed_out_token_is_refused_in_the_shop_too(seller: Seller) -> None:
    """ST19: a route that runs in the shop's own transaction, also when its input is wrong."""
    assert seller.http.get("/api/v1/jobs").status_code == 200
    seller.http.post("/api/v1/auth/logout")
    for call in (seller.http.get("/api/v1/jobs"), seller.http.get("/api/v1/jobs?limit=0")):
        assert call.status_code == 401
        assert call.json()["code"] == "signed-out"


def test_one_members_sign_out_does_not_touch_another(api: httpx.Client) -> None:
    """ST14."""
    first, second = sign_up(api), sign_up(api)
    first.http.post("/api/v1/auth/logout")
    assert second.http.get("/api/v1/me").status_code == 200
    first.http.close()
    second.http.close()
