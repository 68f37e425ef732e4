"""Consent, tokens, keys, scopes and limits of the sandbox Etsy."""

import httpx
import pytest

from tests.contracts.etsy_shop import API_KEY, APP, BASE, CALLBACK, EtsySite, callback_query


def test_consent_gives_a_code_and_the_code_a_pair_of_tokens(etsy_sandbox: EtsySite) -> None:
    """ST21: both tokens begin with the user's number; access lives an hour."""
    page = etsy_sandbox.http.get("/oauth/connect", params=etsy_sandbox.consent_form())
    assert page.status_code == 200
    assert 'action="/oauth/consent"' in page.text
    query = etsy_sandbox.consent("alice")
    assert query["state"] == "a state&with=signs"
    tokens = etsy_sandbox.exchange(query["code"]).json()
    assert set(tokens) == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 3600)
    me = etsy_sandbox.shop("alice").call("GET", "/users/me").json()
    for token in (tokens["access_token"], tokens["refresh_token"]):
        assert token.startswith(f"{me['user_id']}.")
    assert me["shop_id"] != me["user_id"]


def test_two_test_sellers_have_shops_of_their_own(etsy_sandbox: EtsySite) -> None:
    """ST21: one sells in dollars, one in euros; a new name opens a third."""
    rows = etsy_sandbox.read("sellers")["sellers"]
    assert [(row["name"], row["currency"]) for row in rows] == [("alice", "USD"), ("bruno", "EUR")]
    carla = etsy_sandbox.shop("carla")
    assert len({row["shop_id"] for row in rows} | {carla.shop_id}) == 3
    shop = carla.call("GET", f"/users/{carla.user_id}/shops").json()
    assert (shop["shop_id"], shop["shop_name"]) == (carla.shop_id, "SandboxCarla")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"state": ""}, "invalid_request"),
        ({"scope": "listings_r everything"}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
    ],
)
def test_a_wrong_consent_request_is_sent_back(
    etsy_sandbox: EtsySite, changes: dict[str, str], error: str
) -> None:
    """ST21: PKCE by S256 is not optional; neither is state."""
    for answer in (
        etsy_sandbox.http.get("/oauth/connect", params=etsy_sandbox.consent_form(**changes)),
        etsy_sandbox.http.post(
            "/oauth/consent",
            data={**etsy_sandbox.consent_form(**changes), "user": "alice", "decision": "agree"},
        ),
    ):
        assert callback_query(answer)["error"] == error


@pytest.mark.parametrize("changes", [{"redirect_uri": CALLBACK + "/"}, {"client_id": "other"}])
def test_nobody_is_sent_to_an_address_that_is_not_the_applications(
    etsy_sandbox: EtsySite, changes: dict[str, str]
) -> None:
    """ST21: addresses are compared letter by letter, and a wrong one gets no redirect."""
    page = etsy_sandbox.http.get("/oauth/connect", params=etsy_sandbox.consent_form(**changes))
    assert page.status_code == 400
    assert "location" not in page.headers


def test_a_declined_consent_comes_back_as_access_denied(etsy_sandbox: EtsySite) -> None:
    """ST21: with the state, so that the application knows whose it was."""
    form = {**etsy_sandbox.consent_form(), "user": "alice", "decision": "decline"}
    query = callback_query(etsy_sandbox.http.post("/oauth/consent", data=form))
    assert (query["error"], query["state"]) == ("access_denied", "a state&with=signs")
    assert query["error_description"]


@pytest.mark.parametrize("user", ["", "a b", "<script>", "x" * 65])
def test_a_name_that_nobody_can_have_is_asked_for_again(etsy_sandbox: EtsySite, user: str) -> None:
    """ST59: on the same page, and nobody is signed in."""
    form = {**etsy_sandbox.consent_form(), "user": user, "decision": "agree"}
    page = etsy_sandbox.http.post("/oauth/consent", data=form)
    assert (page.status_code, "<script>" in page.text) == (400, False)
    assert "This user name cannot be." in page.text
    assert len(etsy_sandbox.read("sellers")["sellers"]) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "another-verifier.of~43_characters-and-then-some"},
        {"redirect_uri": "http://127.0.0.1:8000/elsewhere"},
        {"code": "unknown"},
    ],
)
def test_a_code_fits_one_verifier_and_one_address(
    etsy_sandbox: EtsySite, changes: dict[str, str]
) -> None:
    """ST21: who stole the code lacks the verifier."""
    code = etsy_sandbox.consent("alice")["code"]
    answer = etsy_sandbox.exchange(**{"code": code, **changes})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_a_verifier_too_short_to_be_one_is_refused(etsy_sandbox: EtsySite) -> None:
    """ST21: 43 to 128 characters."""
    answer = etsy_sandbox.exchange(etsy_sandbox.consent("alice")["code"], code_verifier="short")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_code_serves_once_and_not_for_long(etsy_sandbox: EtsySite) -> None:
    """ST21: the second exchange and the late one fail alike."""
    code = etsy_sandbox.consent("alice")["code"]
    assert etsy_sandbox.exchange(code).status_code == 200
    assert etsy_sandbox.exchange(code).json()["error"] == "invalid_grant"
    late = etsy_sandbox.consent("alice")["code"]
    etsy_sandbox.control("clock/advance", {"seconds": 301})
    assert etsy_sandbox.exchange(late).json()["error"] == "invalid_grant"


def test_refreshing_gives_a_new_pair_and_ends_the_old_refresh_token(
    etsy_sandbox: EtsySite,
) -> None:
    """E2: whoever does not keep the new one is locked out."""
    old = etsy_sandbox.tokens()
    fresh = etsy_sandbox.refresh(old["refresh_token"])
    assert fresh.status_code == 200
    assert fresh.json()["refresh_token"] != old["refresh_token"]
    again = etsy_sandbox.refresh(old["refresh_token"])
    assert again.status_code == 400
    assert again.json() == {
        "error": "invalid_grant",
        "error_description": "refresh_token is revoked",
    }
    assert etsy_sandbox.refresh(fresh.json()["refresh_token"]).status_code == 200


def test_an_answer_to_a_refresh_that_is_lost_takes_the_token_along(etsy_sandbox: EtsySite) -> None:
    """E2, B1: the rotation happened; nobody has the new one."""
    old = etsy_sandbox.tokens()["refresh_token"]
    etsy_sandbox.fault("token", "lost_answer")
    with pytest.raises(httpx.RemoteProtocolError):
        etsy_sandbox.refresh(old)
    assert etsy_sandbox.refresh(old).json()["error"] == "invalid_grant"


def test_tokens_age_by_the_sandboxs_clock(etsy_sandbox: EtsySite) -> None:
    """ST23: an hour for access, 90 days for refresh, told apart by the description."""
    tokens = etsy_sandbox.tokens()
    headers = {"Authorization": f"Bearer {tokens['access_token']}", "x-api-key": API_KEY}
    etsy_sandbox.control("clock/advance", {"seconds": 3600})
    expired = etsy_sandbox.http.get(f"{BASE}/users/me", headers=headers)
    assert expired.status_code == 401
    assert expired.json() == {
        "error": "invalid_token",
        "error_description": "access token is expired",
    }
    etsy_sandbox.control("clock/advance", {"seconds": 90 * 86_400})
    assert etsy_sandbox.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_changed_password_ends_every_token_of_that_seller_alone(etsy_sandbox: EtsySite) -> None:
    """E3: only new consent helps; another seller notices nothing."""
    tokens, other = etsy_sandbox.tokens("alice"), etsy_sandbox.shop("bruno")
    etsy_sandbox.control("sellers/alice/revoke")
    headers = {"Authorization": f"Bearer {tokens['access_token']}", "x-api-key": API_KEY}
    dead = etsy_sandbox.http.get(f"{BASE}/users/me", headers=headers)
    assert dead.json()["error_description"] == "access token is invalid"
    revoked = etsy_sandbox.refresh(tokens["refresh_token"])
    assert revoked.json()["error_description"] == "refresh_token is revoked"
    assert other.call("GET", "/users/me").status_code == 200
    assert etsy_sandbox.shop("alice").call("GET", "/users/me").status_code == 200


@pytest.mark.parametrize(
    "key", [None, APP.keystring, f"{APP.keystring}:wrong", "other:sandboxsec", ":", ""]
)
def test_every_call_needs_keystring_and_shared_secret(
    etsy_sandbox: EtsySite, key: str | None
) -> None:
    """ST59: the keystring alone, as it once was, is no longer enough."""
    headers = {} if key is None else {"x-api-key": key}
    answer = etsy_sandbox.http.get(f"{BASE}/openapi-ping", headers=headers)
    assert answer.status_code == 401
    assert set(answer.json()) == {"error"}
    good = etsy_sandbox.public("/openapi-ping")
    assert good.json() == {"application_id": APP.application_id}


def test_an_operation_opens_with_its_own_scope_alone(etsy_sandbox: EtsySite) -> None:
    """ST21: 403 names what is missing; the token's scopes can be asked for."""
    shop = etsy_sandbox.shop(scope="listings_r")
    refused = shop.call("GET", "/users/me")
    assert (refused.status_code, refused.json()["error"]) == (403, "insufficient_scope")
    assert "shops_r" in refused.json()["error_description"]
    token = shop.headers["Authorization"].removeprefix("Bearer ")
    assert shop.call("POST", "/scopes", data={"token": token}).json() == {"scopes": ["listings_r"]}


def test_a_call_without_a_token_is_refused(etsy_sandbox: EtsySite) -> None:
    """ST21: the API key alone opens public data only."""
    answer = etsy_sandbox.public("/users/me")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    shop_id = etsy_sandbox.read("sellers")["sellers"][0]["shop_id"]
    assert etsy_sandbox.public(f"/shops/{shop_id}").status_code == 200


def test_another_applications_token_is_no_token(etsy_sandbox: EtsySite) -> None:
    """ST21: codes, refresh and access tokens belong to the application they were issued to."""
    etsy_sandbox.control("apps", {"keystring": "other", "shared_secret": "s"})
    code, tokens = etsy_sandbox.consent("alice")["code"], etsy_sandbox.tokens()
    assert etsy_sandbox.exchange(code, client_id="other").json()["error"] == "invalid_grant"
    refused = etsy_sandbox.refresh(tokens["refresh_token"], client_id="other")
    assert refused.json()["error"] == "invalid_grant"
    headers = {"Authorization": f"Bearer {tokens['access_token']}", "x-api-key": "other:s"}
    assert etsy_sandbox.http.get(f"{BASE}/users/me", headers=headers).status_code == 401


def test_what_is_left_of_the_second_and_the_day_is_said_each_time(
    etsy_sandbox: EtsySite,
) -> None:
    """E8: four headers, counted for the application, not for the seller."""
    etsy_sandbox.control("limits", {"per_second": 5, "per_day": 100})
    etsy_sandbox.shop("alice").call("GET", "/users/me")
    left = etsy_sandbox.shop("bruno").call("GET", "/users/me").headers
    assert (left["x-limit-per-second"], left["x-limit-per-day"]) == ("5", "100")
    assert left["x-remaining-today"] == "98"
    assert int(left["x-remaining-this-second"]) in (3, 4)


def test_too_many_calls_a_second_are_told_to_wait_one(etsy_sandbox: EtsySite) -> None:
    """E8: 429 with Retry-After and without the other headers, and nothing is spent of the day."""
    etsy_sandbox.control("limits", {"per_second": 0})
    refused = etsy_sandbox.public("/openapi-ping")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert "x-remaining-today" not in refused.headers
    etsy_sandbox.control("limits", {"per_second": 150})
    assert etsy_sandbox.public("/openapi-ping").headers["x-remaining-today"] == "99999"


def test_a_spent_day_is_told_to_wait_hours(etsy_sandbox: EtsySite) -> None:
    """E8: the day slides; what was spent comes back 24 hours later."""
    etsy_sandbox.control("limits", {"per_day": 1})
    assert etsy_sandbox.public("/openapi-ping").status_code == 200
    refused = etsy_sandbox.public("/openapi-ping")
    assert refused.status_code == 429
    wait = int(refused.headers["retry-after"])
    assert 23 * 3600 <= wait <= 24 * 3600
    etsy_sandbox.control("clock/advance", {"seconds": wait})
    assert etsy_sandbox.public("/openapi-ping").status_code == 200


def test_a_user_sees_their_own_profile_alone(etsy_sandbox: EtsySite) -> None:
    """ST21: and of it not the e-mail address, which Etsy grants to few."""
    alice, bruno = etsy_sandbox.shop("alice"), etsy_sandbox.shop("bruno")
    own = alice.call("GET", f"/users/{alice.user_id}").json()
    assert (own["user_id"], own["primary_email"]) == (alice.user_id, None)
    assert alice.call("GET", f"/users/{bruno.user_id}").status_code == 404
