"""Connecting the Etsy account: consent with PKCE, tokens at rest, readiness, what can go wrong."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
from sqlalchemy import text

from backend.container import Container
from services.gateways.etsy.oauth import SELLER_SCOPES, challenge_of
from shared.clock import MovableClock
from shared.database import Database, TenantSchema
from tests.behaviour.selling.etsy.conftest import (
    CHANNEL,
    MADE,
    begin,
    connect,
    redirected,
    through,
)
from tests.contracts.etsy_shop import EtsySite
from tests.serving import Seller, sign_in

BROWSER = {"Accept": "text/html,application/xhtml+xml"}


def channel_of(seller: Seller) -> dict[str, Any]:
    answer = seller.http.get(CHANNEL)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def rules(channel: dict[str, Any]) -> list[str]:
    return [gap["rule"] for gap in channel["missing"]]


def stored(database: Database, tenant: TenantSchema) -> dict[str, Any] | None:
    """The row as it lies in the database."""
    with database.tenant(tenant) as session:
        row = session.execute(text("SELECT * FROM etsy_accounts")).mappings().one_or_none()
    return dict(row) if row else None


def calls(etsy: EtsySite) -> dict[str, int]:
    found: dict[str, int] = etsy.read("calls")["calls"]
    return found


def test_a_seller_connects_and_sees_the_shop(
    seller: Seller, other_seller: Seller, etsy: EtsySite
) -> None:
    """C7, E4, ST21: whose shop, which scopes, which profiles; six calls to Etsy, no more."""
    before = channel_of(seller)
    assert (before["status"], before["ready"], rules(before)) == (
        "not_connected",
        False,
        ["not-connected"],
    )
    answer = connect(seller, etsy, "alice")
    assert answer.status_code == 200, answer.text
    channel = channel_of(seller)
    assert answer.json() == {"connected": True, "channel": channel}
    assert (channel["status"], channel["ready"], channel["missing"]) == ("connected", True, [])
    assert (channel["shop_name"], channel["currency"]) == ("SandboxAlice", "USD")
    assert channel["scopes"] == list(SELLER_SCOPES)
    names = {kind: [each["name"] for each in found] for kind, found in channel["profiles"].items()}
    assert names["shipping_profile"] == ["Standard"]
    assert names["return_policy"] == ["returns within 30 days"]
    assert names["processing_profile"][0].startswith("ready to ship")
    assert all(found[0]["chosen"] for found in channel["profiles"].values())
    assert channel_of(other_seller)["status"] == "not_connected"
    asked = calls(etsy)
    assert {name: asked[name] for name in asked if name != "connect"} == {
        "token": 1,
        "getMe": 1,
        "getShop": 2,
        "getShopShippingProfiles": 1,
        "getShopReturnPolicies": 1,
        "getShopReadinessStateDefinitions": 1,
    }


def test_the_verifier_stays_with_us(
    seller: Seller, etsy: EtsySite, database: Database, container: Container
) -> None:
    """ST21, E6: Etsy is told its challenge, the table holds it sealed, and a hash of the state."""
    query = httpx.URL(begin(seller)).params
    with database.platform() as session:
        [row] = session.execute(text("SELECT * FROM public.channel_consents")).mappings()
    verifier = container.secret_box.open(row["sealed_verifier"])
    assert re.fullmatch(r"[A-Za-z0-9._~-]{43,128}", verifier)
    assert (query["code_challenge"], query["code_challenge_method"]) == (
        challenge_of(verifier),
        "S256",
    )
    assert query["state"] not in str(row)
    assert verifier not in str(dict(row))


def test_tokens_are_encrypted_where_they_lie(
    connected: Seller, database: Database, container: Container
) -> None:
    """E6: with the id of the key in front, and never in an answer."""
    row = stored(database, connected.tenant)
    assert row is not None
    for name in ("access_token", "refresh_token"):
        assert row[name].startswith(f"{container.secret_box.current_key_id}:")
        plain = container.secret_box.open(row[name])
        assert plain.startswith(f"{row['remote_user_id']}.")
        assert plain not in connected.http.get(CHANNEL).text


def test_a_state_works_once(seller: Seller, etsy: EtsySite) -> None:
    """E5: the same redirect again is refused and changes nothing."""
    address = redirected(etsy, begin(seller), "alice")
    assert httpx.get(address).status_code == 200
    before = channel_of(seller)
    again = httpx.get(address)
    assert (again.status_code, again.json()["code"]) == (400, "consent-state-refused")
    assert channel_of(seller) == before


def test_a_state_of_ours_is_needed(seller: Seller, etsy: EtsySite) -> None:
    """E5: forged ones and those of another channel are refused before Etsy is asked anything."""
    address = httpx.URL(redirected(etsy, begin(seller), "alice"))
    before = calls(etsy)
    forged = httpx.get(address.copy_set_param("state", "x" * 43))
    at_ebay = httpx.get(str(address).replace("/channels/etsy/", "/channels/ebay/"))
    for refused in (forged, at_ebay):
        assert (refused.status_code, refused.json()["code"]) == (400, "consent-state-refused")
    assert calls(etsy) == before
    assert channel_of(seller)["status"] == "not_connected"


def test_a_state_lasts_a_quarter_of_an_hour(
    seller: Seller, etsy: EtsySite, clock: MovableClock
) -> None:
    """E5."""
    late = redirected(etsy, begin(seller), "alice")
    clock.advance(timedelta(minutes=15))
    answer = httpx.get(late)
    assert (answer.status_code, answer.json()["code"]) == (400, "consent-state-refused")
    assert "expired" in answer.json()["detail"]


def test_declining_is_told_plainly(seller: Seller, etsy: EtsySite) -> None:
    """E1: nothing is connected, the state is used up."""
    address = redirected(etsy, begin(seller), "alice", decision="decline")
    answer = httpx.get(address)
    assert (answer.status_code, answer.json()["code"]) == (400, "consent-declined")
    assert "did not agree on Etsy's page" in answer.json()["detail"]
    assert httpx.get(address).json()["code"] == "consent-state-refused"
    assert channel_of(seller)["status"] == "not_connected"


def test_a_code_that_etsy_does_not_take_connects_nothing(seller: Seller, etsy: EtsySite) -> None:
    """E1, ST21: made up, or of a consent with another verifier."""
    first, second = (httpx.URL(redirected(etsy, begin(seller), "alice")) for _ in range(2))
    for wrong in (
        first.copy_set_param("code", "made-up"),
        second.copy_set_param("code", first.params["code"]),
    ):
        answer = httpx.get(wrong)
        assert (answer.status_code, answer.json()["code"]) == (400, "consent-state-refused")
    assert channel_of(seller)["status"] == "not_connected"


def test_a_browser_is_asked_first_and_its_button_connects(
    seller: Seller, etsy: EtsySite, database: Database
) -> None:
    """E5, ST21: whoever agreed at Etsy sees whose shop it is; looking changes nothing."""
    address = redirected(etsy, begin(seller), "alice")
    page = httpx.get(address, headers=BROWSER)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert seller.email in page.text
    assert "Connect this Etsy account?" in page.text
    assert stored(database, seller.tenant) is None
    (action,) = re.findall(r'<form method="post" action="([^"]*)">', page.text)
    fields = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.text))
    form = {name: unescape(value) for name, value in fields.items()}
    target = urljoin(str(page.url), unescape(action))
    done = httpx.post(target, data=form, headers=BROWSER)
    assert (done.status_code, "SandboxAlice" in done.text) == (200, True)
    again = httpx.post(target, data=form, headers=BROWSER)
    assert (again.status_code, "<form" in again.text) == (400, False)
    assert channel_of(seller)["status"] == "connected"


def test_another_etsy_account_is_refused_and_nothing_changes(
    connected: Seller, etsy: EtsySite, database: Database
) -> None:
    """E5."""
    before = stored(database, connected.tenant)
    answer = connect(connected, etsy, "bruno")
    assert (answer.status_code, answer.json()["code"]) == (409, "other-etsy-account")
    assert "SandboxAlice" in answer.json()["detail"]
    assert stored(database, connected.tenant) == before


def test_the_same_account_may_be_connected_again(
    connected: Seller, etsy: EtsySite, database: Database
) -> None:
    """E1, E5: new tokens, the terms are kept."""
    before = stored(database, connected.tenant)
    assert connect(connected, etsy, "alice").status_code == 200
    after = stored(database, connected.tenant)
    assert before is not None
    assert after is not None
    assert before["refresh_token"] != after["refresh_token"]
    assert after["choices"] == before["choices"] == MADE


def test_disconnecting_erases_the_tokens(
    connected: Seller, etsy: EtsySite, database: Database
) -> None:
    """E6: and then another account may come, for nothing is listed; it brings its own terms."""
    assert connected.http.delete(CHANNEL).status_code == 204
    row = stored(database, connected.tenant)
    assert row is not None
    assert (row["access_token"], row["refresh_token"]) == ("", "")
    channel = channel_of(connected)
    assert (channel["status"], rules(channel)) == ("disconnected", ["not-connected"])
    for refused in (
        connected.http.post(f"{CHANNEL}/check"),
        connected.http.put(f"{CHANNEL}/terms", json=MADE),
    ):
        assert (refused.status_code, refused.json()["code"]) == (409, "etsy-not-connected")
    assert connect(connected, etsy, "bruno").status_code == 200
    bruno = channel_of(connected)
    assert (bruno["currency"], bruno["who_made"], bruno["ready"]) == ("EUR", None, True)
    assert connected.http.delete(CHANNEL).status_code == 204
    assert connected.http.delete(CHANNEL).status_code == 204


def test_profiles_that_are_missing_are_named(seller: Seller, etsy: EtsySite) -> None:
    """C7: with what to do; a shop in the EU needs no return policy."""
    etsy.control("sellers", {"name": "carol", "ready": False})
    connect(seller, etsy, "carol")
    channel = channel_of(seller)
    assert rules(channel) == ["profile-missing"] * 3
    assert [gap["field"] for gap in channel["missing"]] == [
        "account.shipping_profile",
        "account.return_policy",
        "account.processing_profile",
    ]
    assert all("shop manager" in gap["mend"] for gap in channel["missing"])
    seller.http.delete(CHANNEL)
    etsy.control("sellers", {"name": "denis", "ready": False, "country": "FR"})
    connect(seller, etsy, "denis")
    assert [gap["field"] for gap in channel_of(seller)["missing"]] == [
        "account.shipping_profile",
        "account.processing_profile",
    ]


def test_terms_name_profiles_that_the_shop_has(connected: Seller, etsy: EtsySite) -> None:
    """C7: another number is refused, names the choices, and changes nothing; nobody is asked."""
    before, asked = channel_of(connected), calls(etsy)
    answer = connected.http.put(f"{CHANNEL}/terms", json={**MADE, "shipping_profile_id": 7})
    assert (answer.status_code, answer.json()["code"]) == (422, "etsy-terms-refused")
    [field] = answer.json()["fields"]
    own = before["profiles"]["shipping_profile"][0]["id"]
    assert (field["field"], field["choices"]) == ("shipping_profile_id", [str(own)])
    assert channel_of(connected) == before
    good = connected.http.put(f"{CHANNEL}/terms", json={**MADE, "shipping_profile_id": own})
    assert good.status_code == 200, good.text
    assert calls(etsy) == asked


@pytest.mark.parametrize(
    "wrong",
    [
        {"who_made": "nobody"},
        {"when_made": "yesterday"},
        {"when_made": "1990s\n"},
        {"shipping_profile_id": 0},
        {"planet": "Earth"},
    ],
)
def test_terms_that_are_none_are_refused(connected: Seller, wrong: dict[str, Any]) -> None:
    """C7: nothing changes."""
    before = channel_of(connected)
    answer = connected.http.put(f"{CHANNEL}/terms", json=wrong)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")
    assert channel_of(connected) == before


def test_a_connection_stands_although_the_shop_could_not_be_read(
    seller: Seller, etsy: EtsySite
) -> None:
    """C7, C8: it is said, and mended by checking again."""
    etsy.fault("getShopShippingProfiles", "http_500")
    assert connect(seller, etsy, "alice").status_code == 200
    channel = channel_of(seller)
    assert (channel["status"], rules(channel)) == ("connected", ["not-checked"])
    assert rules(seller.http.post(f"{CHANNEL}/check").json()) == []


@pytest.mark.parametrize("operation", ["token", "getMe", "getShop"])
def test_an_etsy_that_is_down_connects_nothing(
    seller: Seller, etsy: EtsySite, operation: str
) -> None:
    """C8: a clear problem; starting again works."""
    etsy.fault(operation, "http_503")
    answer = connect(seller, etsy, "alice")
    assert answer.status_code == 502
    assert answer.json()["remedy"] == "wait"
    assert channel_of(seller)["status"] == "not_connected"
    assert connect(seller, etsy, "alice").status_code == 200


class WatchedTransport(httpx.HTTPTransport):
    """Notes how many database connections are in use at each call to Etsy."""

    def __init__(self, container: Container) -> None:
        super().__init__()
        self.container = container
        self.seen: list[tuple[str, int]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        pool = self.container.database.engine.pool
        self.seen.append((request.url.path, pool.checkedout()))  # type: ignore[attr-defined]
        return super().handle_request(request)


def test_etsy_is_asked_with_no_transaction_open(
    container: Container, connected: Seller, etsy: EtsySite
) -> None:
    """F16."""
    watched = WatchedTransport(container)
    through(container, watched)
    connect(connected, etsy, "alice")
    connected.http.post(f"{CHANNEL}/check")
    assert len(watched.seen) > 10
    assert [path for path, in_use in watched.seen if in_use] == []


def test_calls_are_counted_for_all_shops_together(connected: Seller, etsy: EtsySite) -> None:
    """E8: six calls to connect, those for tokens left out."""
    day, second = connected.http.get(f"{CHANNEL}/calls").json()
    assert (day["name"], day["limit"], day["used"], day["of_this_shop"]) == (
        "etsy.day",
        10_000,
        6,
        False,
    )
    assert (second["name"], second["window_seconds"]) == ("etsy.second", 1)


def test_etsy_is_not_asked_more_than_it_allows(
    container: Container, connected: Seller, etsy: EtsySite
) -> None:
    """E8: a 429 closes the door for everybody until Retry-After; nobody knocks meanwhile."""
    etsy.fault("getShop", "http_429", retry_after_s=7)
    refused = connected.http.post(f"{CHANNEL}/check")
    assert (refused.status_code, refused.json()["code"]) == (502, "etsy-refused")
    before = calls(etsy)
    again = connected.http.post(f"{CHANNEL}/check")
    assert (again.status_code, again.json()["code"]) == (503, "quota-spent")
    assert calls(etsy) == before


Ask = Callable[[httpx.Client], httpx.Response]


@pytest.mark.parametrize(
    "ask",
    [
        lambda http: http.get(CHANNEL),
        lambda http: http.delete(CHANNEL),
        lambda http: http.post(f"{CHANNEL}/connect"),
        lambda http: http.post(f"{CHANNEL}/check"),
        lambda http: http.put(f"{CHANNEL}/terms", json=MADE),
        lambda http: http.get(f"{CHANNEL}/calls"),
    ],
)
def test_nobody_comes_in_without_a_sign_in_that_holds(
    api: httpx.Client, seller: Seller, etsy: EtsySite, ask: Ask
) -> None:
    """E5: no token, or the token of a sign-in that was ended; Etsy is not asked."""
    assert ask(api).status_code == 401
    tokens = sign_in(api, seller.email).json()
    out = {"Authorization": f"Bearer {tokens['access_token']}"}
    body = {"refresh_token": tokens["refresh_token"]}
    assert api.post("/api/v1/auth/logout", json=body, headers=out).status_code == 204
    with httpx.Client(base_url=api.base_url, headers=out) as signed_out:
        assert ask(signed_out).status_code == 401
    assert calls(etsy) == {}


@pytest.fixture
def no_keys(pointed_at_the_sandbox: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STOFLOW_ETSY_SHARED_SECRET")


def test_an_installation_without_keys_says_so(no_keys: None, seller: Seller) -> None:
    """E6."""
    answer = seller.http.post(f"{CHANNEL}/connect")
    assert (answer.status_code, answer.json()["code"]) == (500, "misconfigured")
    assert "STOFLOW_ETSY_SHARED_SECRET" in answer.json()["detail"]
