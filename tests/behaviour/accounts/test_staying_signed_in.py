"""Refresh tokens: each is good for one use; a copied one ends the sign-in."""

import threading
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text

from shared.clock import MovableClock
from shared.database import Database
from tests.serving import Seller, client, sign_in


def refresh(api: httpx.Client, token: str) -> httpx.Response:
    return api.post("/api/v1/auth/refresh", json={"refresh_token": token})


def reasons(database: Database) -> list[str | None]:
    """Why sign-ins ended, oldest first."""
    with database.platform() as session:
        return list(
            session.scalars(
                text("SELECT revoked_because FROM public.auth_sessions ORDER BY created_at")
            )
        )


def test_a_refresh_token_brings_new_tokens_of_the_same_sign_in(
    api: httpx.Client, database: Database, seller: Seller
) -> None:
    """T15, ST16, ST17, ST18."""
    answer = refresh(api, seller.tokens["refresh_token"])
    assert answer.status_code == 200
    fresh = answer.json()
    assert fresh["refresh_token"] != seller.tokens["refresh_token"]
    with client(str(api.base_url), fresh["access_token"]) as renewed:
        assert renewed.get("/api/v1/me").json() == seller.account
    assert reasons(database) == [None]


def test_text_that_cannot_be_a_token_is_refused_like_any_other(
    api: httpx.Client, database: Database, seller: Seller
) -> None:
    """ST18: half a character, which JSON can say and UTF-8 cannot."""
    body = b'{"refresh_token": "\\ud800"}'
    answer = api.post(
        "/api/v1/auth/refresh", content=body, headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (401, "refresh-refused")
    assert reasons(database) == [None]


def test_a_refresh_token_used_twice_ends_the_sign_in_for_both_holders(
    api: httpx.Client, database: Database, seller: Seller
) -> None:
    """ST18, ST19: reuse detection."""
    stolen = seller.tokens["refresh_token"]
    fresh = refresh(api, stolen).json()
    again = refresh(api, stolen)
    assert again.status_code == 401
    assert again.json()["code"] == "refresh-refused"
    assert reasons(database) == ["refresh token used twice"]
    assert refresh(api, fresh["refresh_token"]).status_code == 401
    with client(str(api.base_url), fresh["access_token"]) as renewed:
        assert renewed.get("/api/v1/me").json()["code"] == "signed-out"


def test_reuse_leaves_other_sign_ins_of_the_account_alone(
    api: httpx.Client, seller: Seller
) -> None:
    """ST19."""
    elsewhere = sign_in(api, seller.email).json()
    for _ in range(2):
        refresh(api, seller.tokens["refresh_token"])
    assert refresh(api, elsewhere["refresh_token"]).status_code == 200


def test_of_simultaneous_uses_of_one_token_exactly_one_wins(
    api: httpx.Client, database: Database, seller: Seller
) -> None:
    """ST18: reuse is noticed in a race as well."""
    statuses: list[int] = []
    together = threading.Barrier(6)

    def use() -> None:
        together.wait()
        statuses.append(refresh(api, seller.tokens["refresh_token"]).status_code)

    threads = [threading.Thread(target=use) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 401, 401, 401, 401, 401]
    assert reasons(database) == ["refresh token used twice"]
    with database.platform() as session:
        assert session.scalar(text("SELECT count(*) FROM public.refresh_tokens")) == 2


def test_a_refresh_token_lasts_seven_days_from_its_issue(
    api: httpx.Client, seller: Seller, clock: MovableClock
) -> None:
    """ST16."""
    clock.advance(timedelta(days=7) - timedelta(seconds=1))
    answer = refresh(api, seller.tokens["refresh_token"])
    assert answer.status_code == 200
    clock.advance(timedelta(days=7))
    assert refresh(api, answer.json()["refresh_token"]).status_code == 401


@pytest.mark.parametrize("token", ["", "unknown", "x" * 201, "\x00", "ünïcode"])
def test_what_is_no_refresh_token_of_ours_is_refused(
    api: httpx.Client, database: Database, seller: Seller, token: str
) -> None:
    """ST18."""
    answer = refresh(api, token)
    assert answer.status_code == (422 if len(token) > 200 else 401)
    assert reasons(database) == [None]


def test_an_access_token_is_no_refresh_token(api: httpx.Client, seller: Seller) -> None:
    """ST18."""
    assert refresh(api, seller.tokens["access_token"][:200]).status_code == 401


def test_refresh_tokens_are_not_in_the_database(database: Database, seller: Seller) -> None:
    """ST22: a stolen dump opens nothing."""
    with database.platform() as session:
        row = session.execute(text("SELECT * FROM public.refresh_tokens")).one()
    assert seller.tokens["refresh_token"] not in str(row)
