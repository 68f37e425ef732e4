"""Consent and tokens at the sandbox eBay."""

import base64

import pytest

from sandbox.ebay.apis import SCOPE_PREFIX
from tests.contracts.ebay_shop import (
    INVENTORY,
    KEYSET,
    SELLING,
    Sandbox,
    callback_query,
    error_ids,
    full_scopes,
)

USER = "/commerce/identity/v1/user/"


def test_the_consent_page_asks_for_a_user_name_and_lists_the_scopes(sandbox: Sandbox) -> None:
    """ST21: the seller sees what is asked for; nothing in the query becomes markup."""
    query = {**sandbox.consent_form(), "state": '"><script>'}
    page = sandbox.http.get("/oauth2/authorize", params=query)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert f"{SCOPE_PREFIX}/sell.inventory" in page.text
    assert "<script>" not in page.text


def test_agreeing_returns_an_encoded_code_and_the_state(sandbox: Sandbox) -> None:
    """ST21: the callback gets code, expires_in=299 and the state as it was sent."""
    form = {**sandbox.consent_form(), "user": "alice", "decision": "agree"}
    redirect = sandbox.http.post("/oauth2/consent", data=form)
    target = redirect.headers["location"]
    assert target.startswith(f"{KEYSET.accepted_url}?code=v%5E1.1%23i%5E1%23")
    query = callback_query(redirect)
    assert query["state"] == "a state&with=signs"
    assert query["expires_in"] == "299"
    assert len(query["code"]) <= 1024
    assert set("^#+/") <= set(query["code"])


def test_declining_opens_no_account(sandbox: Sandbox) -> None:
    """ST21: a refusal comes back as an error and leaves nothing behind."""
    form = {**sandbox.consent_form(), "user": "alice", "decision": "decline"}
    query = callback_query(sandbox.http.post("/oauth2/consent", data=form))
    assert query == {"error": "access_denied", "state": form["state"]}
    assert sandbox.control("sellers", method="GET") == {"sellers": []}


@pytest.mark.parametrize("wrong", [{"client_id": "nobody"}, {"redirect_uri": "https://x.example"}])
def test_an_unknown_application_is_never_redirected(
    sandbox: Sandbox, wrong: dict[str, str]
) -> None:
    """ST21: redirect_uri is the RuName; anything else gets a page, not a redirect."""
    page = sandbox.http.get("/oauth2/authorize", params={**sandbox.consent_form(), **wrong})
    assert page.status_code == 400
    assert "unauthorized_client" in page.text


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": f"{SCOPE_PREFIX}/sell.everything"}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
    ],
)
def test_a_wrong_question_is_sent_back_with_its_error(
    sandbox: Sandbox, wrong: dict[str, str], error: str
) -> None:
    """ST21: what only the application can mend goes back to the application."""
    query = {**sandbox.consent_form(), **wrong}
    answer = callback_query(sandbox.http.get("/oauth2/authorize", params=query))
    assert answer == {"error": error, "state": query["state"]}


def test_a_user_name_that_cannot_be_is_asked_for_again(sandbox: Sandbox) -> None:
    """ST21: the form is shown once more and no account is opened."""
    form = {**sandbox.consent_form(), "user": "a b<c>", "decision": "agree"}
    page = sandbox.http.post("/oauth2/consent", data=form)
    assert page.status_code == 400
    assert "cannot be" in page.text
    assert sandbox.control("sellers", method="GET") == {"sellers": []}


def test_a_code_is_exchanged_for_both_tokens(sandbox: Sandbox) -> None:
    """ST21: exact lifetimes and type; the token says who the seller is."""
    tokens = sandbox.tokens("alice")
    assert tokens["expires_in"] == 7200
    assert tokens["refresh_token_expires_in"] == 47_304_000
    assert tokens["token_type"] == "User Access Token"
    assert tokens["access_token"].startswith("v^1.1#i^1#")
    shop = sandbox.shop("alice")
    assert shop.call("GET", USER).json()["username"] == "TESTUSER_alice"


def test_a_code_serves_once(sandbox: Sandbox) -> None:
    """ST21: a repeated exchange is invalid_grant."""
    code = sandbox.consent("alice")["code"]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": KEYSET.ru_name,
    }
    assert sandbox.token(**form).status_code == 200
    again = sandbox.token(**form)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert set(again.json()) == {"error", "error_description"}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code": "v^1.1#i^1#wrong"}, "invalid_grant"),
        ({"redirect_uri": "http://elsewhere.example"}, "invalid_grant"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"code": ""}, "invalid_request"),
    ],
)
def test_a_wrong_exchange_is_refused(sandbox: Sandbox, change: dict[str, str], error: str) -> None:
    """ST21: every refusal of the token endpoint has OAuth's own shape."""
    form = {
        "grant_type": "authorization_code",
        "code": sandbox.consent("alice")["code"],
        "redirect_uri": KEYSET.ru_name,
    }
    answer = sandbox.token(**{**form, **change})
    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_a_code_lives_299_seconds(sandbox: Sandbox) -> None:
    """ST21: a late exchange is invalid_grant."""
    code = sandbox.consent("alice")["code"]
    sandbox.control("clock/advance", {"seconds": 300})
    answer = sandbox.token(grant_type="authorization_code", code=code, redirect_uri=KEYSET.ru_name)
    assert answer.json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "Basic ???",
        "Bearer abc",
        "Basic " + base64.b64encode(f"{KEYSET.client_id}:wrong".encode()).decode(),
    ],
)
def test_an_unknown_client_gets_401(sandbox: Sandbox, authorization: str | None) -> None:
    """ST21: wrong keys are invalid_client, with status 401."""
    headers = {"Authorization": authorization} if authorization else {}
    answer = sandbox.http.post(
        "/identity/v1/oauth2/token", data={"grant_type": "refresh_token"}, headers=headers
    )
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_refreshing_gives_no_new_refresh_token(sandbox: Sandbox) -> None:
    """ST23, E1: the stored refresh token stays the only one and keeps working."""
    refresh_token = sandbox.tokens("alice")["refresh_token"]
    for _ in range(2):
        answer = sandbox.token(grant_type="refresh_token", refresh_token=refresh_token)
        assert answer.status_code == 200
        assert set(answer.json()) == {"access_token", "expires_in", "token_type"}


def test_refreshing_may_narrow_scopes_but_not_widen_them(sandbox: Sandbox) -> None:
    """E4: a subset is granted and enforced; more than was consented to is invalid_scope."""
    refresh_token = sandbox.tokens("alice", ["sell.inventory", "sell.account"])["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    wider = sandbox.token(**form, scope=f"{SCOPE_PREFIX}/sell.finances")
    assert (wider.status_code, wider.json()["error"]) == (400, "invalid_scope")
    narrow = sandbox.token(**form, scope=f"{SCOPE_PREFIX}/sell.account").json()["access_token"]
    headers = {"Authorization": f"Bearer {narrow}", "Accept-Language": "en-US"}
    refused = sandbox.http.get(f"{INVENTORY}/inventory_item", headers=headers)
    assert (refused.status_code, error_ids(refused)) == (403, [1100])


def test_revocation_kills_every_token(sandbox: Sandbox) -> None:
    """E1, E3: after a revocation refreshing is invalid_grant; only consent helps."""
    tokens = sandbox.tokens("alice")
    shop = sandbox.shop("alice")
    sandbox.control("sellers/alice/revoke")
    answer = sandbox.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert shop.read("/inventory_item").status_code == 401
    assert sandbox.shop("alice").read("/inventory_item").status_code == 200


def test_access_tokens_expire_and_refresh_tokens_later(sandbox: Sandbox) -> None:
    """ST23: two hours for the one, 547.5 days for the other."""
    tokens = sandbox.tokens("alice")
    shop = sandbox.shop("alice")
    sandbox.control("clock/advance", {"seconds": 7200})
    expired = shop.read("/inventory_item")
    assert (expired.status_code, error_ids(expired)) == (401, [1001])
    assert expired.json()["errors"][0]["domain"] == "OAuth"
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert sandbox.token(**form).status_code == 200
    sandbox.control("clock/advance", {"seconds": 47_304_000})
    assert sandbox.token(**form).json()["error"] == "invalid_grant"


def test_application_tokens_open_public_data_only(sandbox: Sandbox) -> None:
    """ST21: client_credentials never reaches a seller's inventory."""
    answer = sandbox.token(grant_type="client_credentials", scope=SCOPE_PREFIX)
    assert answer.json()["token_type"] == "Application Access Token"
    assert "refresh_token" not in answer.json()
    app = sandbox.application()
    tree = app.call("GET", "/commerce/taxonomy/v1/category_tree/0")
    assert tree.status_code == 200
    assert app.read("/inventory_item").status_code == 403
    wider = sandbox.token(grant_type="client_credentials", scope=full_scopes(SELLING)[1])
    assert wider.json()["error"] == "invalid_scope"


def test_a_call_without_a_token_is_refused(sandbox: Sandbox) -> None:
    """ST21: missing is not the same as invalid."""
    answer = sandbox.http.get(f"{INVENTORY}/inventory_item", headers={"Accept-Language": "en-US"})
    assert (answer.status_code, error_ids(answer)) == (401, [1002])


def test_a_second_keyset_cannot_use_the_firsts_tokens(sandbox: Sandbox) -> None:
    """ST21: codes and refresh tokens belong to the application they were issued to."""
    other = {"client_id": "other", "client_secret": "s", "ru_name": KEYSET.ru_name}
    sandbox.control("keysets", {**other, "accepted_url": "http://127.0.0.1:1/done"})
    refresh_token = sandbox.tokens("alice")["refresh_token"]
    code = sandbox.consent("alice")["code"]
    for form in (
        {"grant_type": "refresh_token", "refresh_token": refresh_token},
        {"grant_type": "authorization_code", "code": code, "redirect_uri": KEYSET.ru_name},
    ):
        answer = sandbox.http.post("/identity/v1/oauth2/token", data=form, auth=("other", "s"))
        assert answer.json()["error"] == "invalid_grant"
    assert sandbox.token(grant_type="refresh_token", refresh_token=refresh_token).status_code == 200
