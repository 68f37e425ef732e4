"""Sign-ins that are over are deleted, the last of each account excepted."""

from datetime import timedelta

import httpx
from sqlalchemy import func, select

from models.accounts.identity import AuthSession, RefreshToken
from services.accounts.identity.forgetting import SIGN_INS_KEPT, SignInForgetting
from shared.clock import MovableClock
from shared.database import Database
from tests.serving import Seller, sign_in


def numbers(database: Database) -> tuple[int, int]:
    """How many sign-ins and how many refresh tokens there are."""
    with database.platform() as session:
        sign_ins = session.scalar(select(func.count()).select_from(AuthSession))
        tokens = session.scalar(select(func.count()).select_from(RefreshToken))
    return sign_ins or 0, tokens or 0


def refresh(api: httpx.Client, token: str) -> httpx.Response:
    return api.post("/api/v1/auth/refresh", json={"refresh_token": token})


def test_ended_sign_ins_go_after_their_time_and_the_last_one_stays(
    database: Database, clock: MovableClock, api: httpx.Client, seller: Seller, other_seller: Seller
) -> None:
    """ST20: the last says when somebody was there; nobody who is signed in notices anything."""
    forgetting = SignInForgetting(database, clock)
    sign_in(api, seller.email)
    assert numbers(database) == (3, 3)
    assert forgetting.forget() == (0, 0)
    clock.advance(SIGN_INS_KEPT + timedelta(days=8))
    present = sign_in(api, seller.email).json()
    assert forgetting.forget() == (2, 0)
    assert numbers(database) == (2, 2)
    assert refresh(api, present["refresh_token"]).status_code == 200


def test_used_tokens_of_a_long_sign_in_go_and_the_unused_one_stays(
    database: Database, clock: MovableClock, api: httpx.Client, seller: Seller
) -> None:
    """ST20: whoever refreshes for months stays signed in."""
    token = seller.tokens["refresh_token"]
    for _ in range(12):
        clock.advance(timedelta(days=5))
        token = refresh(api, token).json()["refresh_token"]
    assert numbers(database) == (1, 13)
    sign_ins, tokens = SignInForgetting(database, clock).forget()
    assert sign_ins == 0
    assert 0 < tokens < 12
    assert numbers(database) == (1, 13 - tokens)
    assert refresh(api, token).status_code == 200
